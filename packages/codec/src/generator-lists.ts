/** Source text of what only containers with many members, and choices between them, need. */
import { getBits, putBits } from "./bits.ts";
import type { Generator } from "./generator.ts";
import type { Node } from "./node.ts";
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

/** Zeroed bytes for head bits; gives the name of their position. */
export function genOpenBits(g: Generator, bits: string): string {
  const size = g.bind(`Math.ceil((${bits})/8)`);
  g.reserve(size);
  const area = g.bind("p+0");
  g.line(`B.fill(0,p,p+=${size});`);
  return area;
}

/** Puts a head into its place; gives the name that holds it. */
export function genPutBits(g: Generator, area: string, offset: string, width: number, head: string): string {
  const h = g.bind(head);
  g.line(
    width === 1
      ? `if(${h})B[${area}+(${offset}>>>3)]|=1<<(${offset}&7);`
      : `${g.external(putBits)}(B,${area},${offset},${width},${h});`,
  );
  return h;
}

/** A loop over `n` elements, each of one value of every node. */
export function genLoop(g: Generator, n: string, nodes: readonly Node[], emit: (i: string) => void): void {
  const outer = g.reserved;
  for (const node of nodes) g.reserved += g.room(node);
  genReadLoop(g, n, (i) => {
    // Functions reserve for themselves, and then again what was reserved before.
    if (g.reserved > outer) g.reserve(0);
    const body = g.capture(() => emit(i));
    const text = g.narrow;
    g.line(/\bt\+=|,S\)/.test(body) ? `${body}if(${text}.length>${TEXT_PIECE})${text}=F(${text});` : body);
  });
  g.reserved = outer;
}

export function genReadLoop(g: Generator, n: string, emit: (i: string) => void): void {
  const i = g.name();
  g.line(`for(let ${i}=0;${i}<${n};${i}++){`);
  emit(i);
  g.line("}");
}

export function genCheckCount(g: Generator, n: string, leastBits: number): void {
  if (leastBits === 0) return g.line(`if((Q-=${n})<0)bad();`);
  g.start("R=8*(E-p);");
  g.line(`if(!(${n}*${leastBits}<=(E-p)*8&&(R-=${n}*${leastBits})>=0))bad();`);
}

export function genTakeBits(g: Generator, bits: string): string {
  const area = g.bind("p+0");
  const total = g.bind(bits);
  g.line(`p+=Math.ceil(${total}/8);if(p>E||(${total}&7)&&B[p-1]>>(${total}&7))bad();`);
  return area;
}

export function genGetBits(g: Generator, area: string, offset: string, width: number): string {
  if (width === 1) return `(B[${area}+(${offset}>>>3)]>>(${offset}&7)&1)`;
  return g.bind(`${g.external(getBits)}(B,${area},${offset},${width})`);
}
