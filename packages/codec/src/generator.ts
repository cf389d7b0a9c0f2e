/**
 * Writes the source text of a codec: straight-line code for one schema, with nothing captured but a list of values, which it
 * knows as `x0`, `x1`, … Names from the schema enter it as JSON strings only.
 *
 * Conventions of the text. Writing: bytes `B`, their view `V`, limit `L`, position `p`, narrow and wide text `t` and `X`
 * (the narrow is `S.t` in functions, in an object as young as the text: older ones cost a write barrier for each string),
 * depth `d`, writer `w`, marks of places for strings `M`. Wide strings are gathered in lists `X`. Reading: bytes `B`, view `V`, end of data
 * `E`, position `p`, position out of a function `P`, free values `Q`, claims `R`, depth `d`, list cursor `I`. Every read beyond the
 * end leaves `p` past `E`, which is checked once, at the end; counts are checked before room is made for them.
 * `bad()` gives up: the interpreter then does the message again and says what is wrong.
 */
import type { Node } from "./node.ts";
import { MAX_DEPTH, writeLeb } from "./state.ts";
import type { Field } from "./members.ts";

/** Nodes used at least this often become functions. */
const SHARED_USES = 2;

export class Generator {
  /** Values that the text refers to. */
  declare readonly externals: unknown[];
  readonly functions: string[] = [];
  /** Statements that the reading of each message begins with. */
  starts = "";
  /** How many strings there are, each with its own mark. */
  strings = 0;
  /** Bytes that the code being written may take from what its surroundings have reserved. */
  reserved = 0;
  readonly #writing: boolean;
  readonly #names = new Map<Node, string>();
  /** Where narrow text is gathered here. */
  narrow = "t";
  #text = "";
  #count = 0;

  /** @param writing whether this is the code that encodes */
  constructor(writing: boolean, externals: unknown[]) {
    this.#writing = writing;
    this.externals = externals;
  }

  /** A variable name not used before. */
  name(): string {
    return `_${(this.#count++).toString(36)}`;
  }

  /** Lets the reading of each message begin with a statement. */
  start(statement: string): void {
    if (!this.starts.includes(statement)) this.starts += statement;
  }

  line(text: string): void {
    this.#text += `${text}\n`;
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
    return JSON.stringify(text).replace(/[\u2028\u2029<]/g, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
  }

  /** The name of a value in the text. */
  external(value: unknown): string {
    const { externals } = this;
    if (!externals.includes(value)) externals.push(value);
    return `x${externals.indexOf(value)}`;
  }

  /** What `emit` writes, instead of writing it. */
  capture(emit: () => void): string {
    const before = this.#text;
    this.#text = "";
    emit();
    const inner = this.#text;
    this.#text = before;
    return inner;
  }

  /** `header{…}`, left out when nothing is in it. */
  block(header: string, emit: () => void): void {
    const inner = this.capture(emit);
    if (inner !== "") this.line(`${header}{\n${inner}}`);
  }

  /** Whether a node is a function of its own: it is recursive, or used in several places. */
  #isFunction({ recursive, uses = 0, of, kind }: Node): boolean {
    return recursive === true || (uses >= SHARED_USES && of.length > 0 && kind !== "nullable");
  }

  /** Most bytes that a body takes before it reserves for itself. */
  room(node: Node): number {
    return this.#isFunction(node) ? 0 : (node.room?.(this) ?? node.most);
  }

  roomOf(fields: readonly Field[]): number {
    return fields.reduce((room, { node }) => room + this.room(node), 0);
  }

  head(node: Node, v: string): string {
    return node.bits > 0 && node.genHead !== undefined ? node.genHead(this, v) : "0";
  }

  encode(node: Node, v: string, head: string): void {
    if (!this.#isFunction(node)) return node.genEncode(this, v, head);
    const call = `p=${this.#function(node)}(${v},p,${head},d,S);`;
    this.line(this.narrow === "S.t" ? call : `S.t=t;${call}t=S.t;`);
    this.reserve(0);
  }

  decode(node: Node, head: string): string {
    if (!this.#isFunction(node)) return node.genDecode(this, head);
    const x = this.bind(`${this.#function(node)}(p,${head},d)`);
    this.line("p=P;");
    return x;
  }

  /** Writes a value whose head has no container. */
  encodeAlone(node: Node, v: string): void {
    const head = this.bind(this.head(node, v));
    for (let k = 0; k < node.bits; k += 8) this.line(`B[p++]=${head}>>${k};`);
    this.encode(node, v, head);
  }

  /** Reads one; gives the expression for it. */
  decodeAlone(node: Node): string {
    const bytes: string[] = [];
    for (let k = 0; k < node.bits; k += 8) bytes.push(`B[p++]<<${k}`);
    const head = this.bind(bytes.join("|") || "0");
    if (node.bits > 0) this.line(`if(${head}>>${node.bits})bad();`);
    return this.decode(node, head);
  }

  /** The name of the function for a node, which is written when it is first asked for. */
  #function(node: Node): string {
    const known = this.#names.get(node);
    if (known !== undefined) return known;
    const name = this.name();
    this.#names.set(node, name);
    const { reserved, narrow } = this;
    this.narrow = "S.t";
    let result = "p";
    const body = this.capture(() => {
      if (node.recursive) this.line(`if(++d>${MAX_DEPTH})bad();`);
      if (this.#writing) {
        this.reserved = node.room?.(this) ?? node.most;
        this.reserve(0);
        node.genEncode(this, "v", "h");
      } else {
        result = this.bind(node.genDecode(this, "h"));
        this.line("P=p;");
      }
    });
    this.reserved = reserved;
    this.narrow = narrow;
    this.functions.push(`function ${name}(${this.#writing ? "v,p,h,d,S" : "p,h,d"}){\n${body}return ${result};}`);
    return name;
  }

  /** Makes room for `size` bytes and for all that the enclosing code still has to write without asking. */
  reserve(size: string | number): void {
    const { reserved } = this;
    const room = size === 0 ? reserved : `(${size}+${reserved})`;
    if (room !== 0) this.line(`if(p+${room}>L)G(p,${room});`);
  }

  /** Takes the buffer again after something else wrote to the writer. */
  reload(): void {
    this.line(`G(p,${this.reserved});`);
  }

  /** @param inline whether numbers of three bytes are usual, too, and shall need no call */
  leb(v: string, inline: boolean = false): string {
    const third = `if(${v}<2097152){B[p]=${v}|128;B[p+1]=${v}>>7|128;B[p+2]=${v}>>14;p+=3;}else `;
    return `if(${v}<128)B[p++]=${v};else if(${v}<16384){B[p]=${v}|128;B[p+1]=${v}>>7;p+=2;}else ${inline ? third : ""}p=${this.external(writeLeb)}(B,p,${v});`;
  }

  readLeb(): string {
    const n = this.name();
    this.line(`let ${n}=B[p++];if(${n}>127){const b=B[p];if(b>0&&b<128){${n}+=(b<<7)-128;p++;}else{${n}=U(p-1);p=P;}}`);
    return n;
  }
}
