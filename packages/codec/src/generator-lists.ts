/** Source text of what only containers with many members, and choices between them, need. */
import { getBits, putBits } from "./bits.ts";
import type { Generator } from "./generator.ts";
import { leastBits, type Node } from "./node.ts";
import { TEXT_PIECE } from "./text.ts";

/** One block for each of `nodes`, of which `index` says which one runs. */
export function choose(
  g: Generator,
  index: string,
  nodes: readonly Node[],
  emit: (node: Node, i: number) => void,
): void {
  if (nodes.length === 1) return g.block("", () => emit(nodes[0] as Node, 0));
  g.line(`switch(${index}){`);
  nodes.forEach((node, i) => {
    g.line(`case ${i}:{`);
    emit(node, i);
    g.line("break;}");
  });
  g.line("default:bad();}");
}

/** Writes rows: `n` times one value of each node, from a list for each, behind the heads of all of them. */
export function genRows(g: Generator, nodes: readonly Node[], lists: readonly string[], n: string): void {
  const bits = bitsOf(nodes);
  let area = "";
  if (bits > 0) {
    const size = g.bind(`Math.ceil((${n}*${bits})/8)`);
    g.reserve(size);
    area = g.bind("p+0");
    g.line(`B.fill(0,p,p+=${size});`);
  }
  const outer = g.reserved;
  for (const node of nodes) g.reserved += g.room(node);
  genLoop(g, n, (i) => {
    // Functions reserve for themselves, and then again what was reserved before.
    if (g.reserved > outer) g.reserve(0);
    const body = g.capture(() => genRow(g, nodes, lists, i, area, bits));
    const text = g.narrow;
    g.line(/\bt\+=|,S\)/.test(body) ? `${body}if(${text}.length>${TEXT_PIECE})${text}=F(${text});` : body);
  });
  g.reserved = outer;
}

/** Writes row `i`, with its heads in their place behind `area`. */
function genRow(
  g: Generator,
  nodes: readonly Node[],
  lists: readonly string[],
  i: string,
  area: string,
  bits: number,
): void {
  const values = lists.map((list) => g.bind(`${list}[${i}]`));
  const heads = eachHead(nodes, i, bits, (node, offset, k) => {
    const h = g.bind(g.head(node, values[k] as string));
    g.line(
      node.bits === 1
        ? `if(${h})B[${area}+(${offset}>>>3)]|=1<<(${offset}&7);`
        : `${g.external(putBits)}(B,${area},${offset},${node.bits},${h});`,
    );
    return h;
  });
  nodes.forEach((node, k) => g.encode(node, values[k] as string, heads[k] as string));
}

/**
 * Reads rows into what `create` makes for so many; `put` gets the expressions of the values of each. Gives the variables
 * that hold the rows and their number.
 */
export function genReadRows(
  g: Generator,
  nodes: readonly Node[],
  create: (n: string) => string,
  put: (rows: string, values: readonly string[], i: string) => void,
): { rows: string; n: string } {
  const n = g.readLeb();
  const least = leastBits(nodes);
  if (least === 0) g.line(`if((Q-=${n})<0)bad();`);
  else {
    g.start("R=8*(E-p);");
    g.line(`if(!(${n}*${least}<=(E-p)*8&&(R-=${n}*${least})>=0))bad();`);
  }
  const bits = bitsOf(nodes);
  let area = "";
  if (bits > 0) {
    area = g.bind("p+0");
    const total = g.bind(`${n}*${bits}`);
    g.line(`p+=Math.ceil(${total}/8);if(p>E||(${total}&7)&&B[p-1]>>(${total}&7))bad();`);
  }
  const rows = g.bind(create(n));
  genLoop(g, n, (i) => {
    const values = eachHead(nodes, i, bits, (node, offset) =>
      node.bits === 1
        ? `(B[${area}+(${offset}>>>3)]>>(${offset}&7)&1)`
        : g.bind(`${g.external(getBits)}(B,${area},${offset},${node.bits})`),
    ).map((head, k) => g.bind(g.decode(nodes[k] as Node, head)));
    put(rows, values, i);
  });
  return { rows, n };
}

function bitsOf(nodes: readonly Node[]): number {
  return nodes.reduce((bits, node) => bits + node.bits, 0);
}

/** An expression for the head of each node in row `i`, whose bits begin at an offset. */
function eachHead(
  nodes: readonly Node[],
  i: string,
  bits: number,
  emit: (node: Node, offset: string, k: number) => string,
): string[] {
  let before = 0;
  return nodes.map((node, k) => {
    const offset = `(${i}*${bits}+${before})`;
    before += node.bits;
    return node.bits > 0 ? emit(node, offset, k) : "0";
  });
}

function genLoop(g: Generator, n: string, emit: (i: string) => void): void {
  const i = g.name();
  g.line(`for(let ${i}=0;${i}<${n};${i}++){`);
  emit(i);
  g.line("}");
}
