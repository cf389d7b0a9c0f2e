/**
 * Writes the source text of a codec: straight-line code for one schema, with nothing captured but a runtime `r` and a
 * list of values `x`. Names from the schema enter it as JSON strings only.
 *
 * Conventions of the text. Writing: bytes `B`, their view `V`, limit `L`, position `p`, narrow and wide text `T` and `X`,
 * depth `D`, list cursor `C`, writer `w`, marks of strings that were wide `M`. Reading: bytes `B`, view `V`, end of data
 * `E`, position `p`, position out of a function `P`, free values `Q`, depth `D`, list cursor `I`. Every read beyond the
 * end leaves `p` past `E`, which is checked once, at the end; counts are checked before room is made for them.
 * `bad()` gives up: the interpreter then does the message again and says what is wrong.
 */
import type { Node } from "./node.ts";
import { MAX_DEPTH } from "./state.ts";
import type { Field } from "./struct.ts";

/** Nodes used at least this often become functions. */
const SHARED_USES = 2;

export class Generator {
  /** Values that the text refers to as `x[0]`, `x[1]`, … */
  readonly externals: unknown[];
  readonly functions: string[] = [];
  /** How many strings there are, each with its own mark. */
  strings = 0;
  readonly #prefix: "e" | "d";
  readonly #names = new Map<Node, string>();
  #text = "";
  #count = 0;
  #room = 0;

  /** @param writing whether this is the code that encodes */
  constructor(writing: boolean, externals: unknown[]) {
    this.#prefix = writing ? "e" : "d";
    this.externals = externals;
  }

  /** A variable name not used before. */
  name(): string {
    return `${this.#prefix}${(this.#count++).toString(36)}_`;
  }

  line(text: string): void {
    this.#text += text;
    this.#text += "\n";
  }

  /** A constant with the value of an expression; an expression that is a name already is given back. */
  bind(expression: string): string {
    if (/^\w+$/.test(expression)) return expression;
    const name = this.name();
    this.line(`const ${name}=${expression};`);
    return name;
  }

  /** A string as source text. */
  text1(text: string): string {
    return JSON.stringify(text).replace(
      /[\u2028\u2029<]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  }

  external(value: unknown): string {
    let index = this.externals.indexOf(value);
    if (index < 0) index = this.externals.push(value) - 1;
    return `x[${index}]`;
  }

  /** What `emit` writes, instead of writing it. */
  #capture(emit: () => void): string {
    const before = this.#text;
    this.#text = "";
    emit();
    const inner = this.#text;
    this.#text = before;
    return inner;
  }

  /** `header{…}`, left out when nothing is in it. */
  block(header: string, emit: () => void): void {
    const inner = this.#capture(emit);
    if (inner !== "") this.line(`${header}{\n${inner}}`);
  }

  /** One block for each of `nodes`, of which `index` says which one runs. */
  choose(index: string, nodes: readonly Node[], emit: (node: Node, i: number) => void): void {
    if (nodes.length === 1) return this.block("", () => emit(nodes[0] as Node, 0));
    this.line(`switch(${index}){`);
    nodes.forEach((node, i) => {
      this.line(`case ${i}:{`);
      emit(node, i);
      this.line("break;}");
    });
    this.line("default:bad();}");
  }

  /** Whether a node is a function of its own: it is recursive, or used in several places. */
  #isFunction(node: Node): boolean {
    return (
      node.recursive === true || ((node.uses ?? 0) >= SHARED_USES && node.of.length > 0 && node.kind !== "nullable")
    );
  }

  /** Most bytes that a body takes before it reserves for itself. */
  room(node: Node): number {
    if (this.#isFunction(node)) return 0;
    return node.room === undefined ? node.most : node.room(this);
  }

  roomOf(fields: readonly Field[]): number {
    let room = 0;
    for (const { node } of fields) room += this.room(node);
    return room;
  }

  head(node: Node, v: string): string {
    if (node.bits === 0 || node.genHead === undefined) return "0";
    return node.genHead(this, v);
  }

  encode(node: Node, v: string, head: string): void {
    if (!this.#isFunction(node)) return node.genEncode(this, v, head);
    this.line(`p=${this.#function(node)}(${v},p,${head});`);
    this.#ensure(String(this.#room));
  }

  decode(node: Node, head: string): string {
    if (!this.#isFunction(node)) return node.genDecode(this, head);
    const x = this.bind(`${this.#function(node)}(p,${head})`);
    this.line("p=P;");
    return x;
  }

  /** A value whose head has no container. */
  encodeAlone(node: Node, v: string): void {
    const head = node.bits > 0 ? this.bind(this.head(node, v)) : "0";
    for (let k = 0; k * 8 < node.bits; k++) this.line(`B[p++]=${k > 0 ? `${head}>>${k * 8}` : head}&255;`);
    this.encode(node, v, head);
  }

  decodeAlone(node: Node): string {
    if (node.bits === 0) return this.decode(node, "0");
    const size = Math.ceil(node.bits / 8);
    const head = this.bind(Array.from({ length: size }, (_, k) => `B[p+${k}]<<${8 * k}`).join("|"));
    this.line(`p+=${size};if(${head}>>${node.bits})bad();`);
    return this.decode(node, head);
  }

  #function(node: Node): string {
    let name = this.#names.get(node);
    if (name !== undefined) return name;
    name = this.name();
    this.#names.set(node, name);
    const outer = this.#room;
    const deeper = node.recursive ? `if(++D>${MAX_DEPTH})bad();` : "";
    const back = node.recursive ? "D--;" : "";
    let body: string;
    if (this.#prefix === "e") {
      this.#room = node.room === undefined ? node.most : node.room(this);
      body = this.#capture(() => {
        this.#ensure(String(this.#room));
        node.genEncode(this, "v", "h");
      });
      body = `function ${name}(v,p,h){${deeper}\n${body}${back}return p;}`;
    } else {
      let x = "";
      body = this.#capture(() => {
        x = this.bind(node.genDecode(this, "h"));
      });
      body = `function ${name}(p,h){${deeper}\n${body}${back}P=p;return ${x};}`;
    }
    this.#room = outer;
    this.functions.push(body);
    return name;
  }

  // Writing.

  #ensure(size: string): void {
    if (size !== "0") this.line(`if(p+${size}>L)G(p,${size});`);
  }

  /** Starts the body of the whole message. */
  start(node: Node, v: string): string {
    return this.#capture(() => {
      this.#room = this.room(node) + Math.ceil(node.bits / 8);
      this.#ensure(String(this.#room));
      this.encodeAlone(node, v);
    });
  }

  startDecode(node: Node): string {
    let x = "";
    const body = this.#capture(() => {
      x = this.bind(this.decodeAlone(node));
    });
    return `${body}const value=${x};\n`;
  }

  /** Makes room for `size` bytes and for all that the enclosing code still has to write without asking. */
  reserve(size: string): void {
    this.#ensure(`(${size}+${this.#room})`);
  }

  /** Takes the buffer again after something else wrote to the writer. */
  reload(): void {
    this.line(`G(p,${this.#room});`);
  }

  leb(v: string): string {
    return `if(${v}<128)B[p++]=${v};else p=r.writeLeb(B,p,${v});`;
  }

  text(v: string): void {
    const n = this.name();
    this.line(`if(typeof ${v}!=="string")bad();let ${n}=${v}.length<<1;`);
    this.line(
      `if(M[${this.strings}]!==0&&r.isWide(${v})){if(r.isTorn(${v}))bad();M[${this.strings}]=1;X+=${v};${n}|=1;}else T+=${v};`,
    );
    this.line(this.leb(n));
    this.strings++;
  }

  /** Zeroed bytes for head bits; gives the name of their position. */
  openBits(bits: string): string {
    const size = this.bind(`Math.ceil((${bits})/8)`);
    this.reserve(size);
    const area = this.bind("p+0");
    this.line(`B.fill(0,p,p+=${size});`);
    return area;
  }

  /** Puts a head into its place; gives the name that holds it. */
  putBits(area: string, offset: string, width: number, head: string): string {
    const h = this.bind(head);
    if (width === 1) {
      this.line(`if(${h})B[${area}+(${offset}>>>3)]|=1<<(${offset}&7);`);
    } else this.line(`r.putBits(B,${area},${offset},${width},${h});`);
    return h;
  }

  /** A loop over `n` elements, each of one value of every node. */
  loop(n: string, nodes: readonly Node[], emit: (i: string) => void): void {
    const outer = this.#room;
    for (const node of nodes) this.#room += this.room(node);
    const i = this.name();
    this.line(`for(let ${i}=0;${i}<${n};${i}++){`);
    this.#ensure(String(this.#room));
    emit(i);
    this.line("}");
    this.#room = outer;
  }

  // Reading.

  /** Reads `size` bytes by an expression. */
  take(expression: string, size: number): string {
    const x = this.bind(expression);
    this.line(`p+=${size};`);
    return x;
  }

  readLeb(): string {
    const n = this.name();
    this.line(`let ${n}=B[p++];if(${n}>127){${n}=U(p-1);p=P;}`);
    return n;
  }

  readText(): string {
    const n = this.readLeb();
    return this.bind(`S(${n})`);
  }

  checkCount(n: string, leastBits: number): void {
    this.line(leastBits === 0 ? `if((Q-=${n})<0)bad();` : `if(!(${n}*${leastBits}<=(E-p)*8))bad();`);
  }

  takeBits(bits: string): string {
    const area = this.bind("p+0");
    const total = this.bind(bits);
    this.line(`p+=Math.ceil(${total}/8);if(p>E||(${total}&7)&&B[p-1]>>(${total}&7))bad();`);
    return area;
  }

  getBits(area: string, offset: string, width: number): string {
    if (width === 1) return `(B[${area}+(${offset}>>>3)]>>(${offset}&7)&1)`;
    return this.bind(`r.getBits(B,${area},${offset},${width})`);
  }

  readLoop(n: string, emit: (i: string) => void): void {
    const i = this.name();
    this.line(`for(let ${i}=0;${i}<${n};${i}++){`);
    emit(i);
    this.line("}");
  }
}
