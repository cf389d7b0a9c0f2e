import { expected } from "./fault.ts";
import { leaf, type LeafSpec } from "./leaf.ts";
import type { In, Out } from "./state.ts";
import { WIDE } from "./text-encodings.ts";
import { readUuid, writeUuid } from "./uuid.ts";
import { copyOf, isBytes } from "./values.ts";
import type { Codec } from "./types.ts";

const nothing = (): void => {};

const boolSpec: LeafSpec = {
  least: 0,
  most: 0,
  bits: 1,
  head(_out, value) {
    if (value !== true && value !== false) expected("bool", value);
    return value ? 1 : 0;
  },
  encode: nothing,
  decode: (_from, head) => head === 1,
  genHead(g, v) {
    g.line(`if(${v}!==true&&${v}!==false)bad();`);
    return `(${v}?1:0)`;
  },
  genEncode: nothing,
  genDecode: (_g, head) => `(${head}===1)`,
};

const stringSpec: LeafSpec = {
  least: 1,
  most: 5,
  encode(out, value) {
    if (typeof value !== "string") expected("string", value);
    out.text(value);
  },
  decode: (from) => from.string(),
  genEncode(g, v) {
    const n = g.name();
    const mark = `M[${g.strings++}]`;
    g.line(`if(typeof ${v}!=="string")bad();let ${n}=${v}.length<<1;
if(${mark}&&(${v}.charCodeAt(0)>255?${mark}|=1:${mark}>1&&${g.external(WIDE)}.test(${v})&&(${mark}=4))){(X||=[]).push(${v});${n}|=1;}else ${g.narrow}+=${v};
${g.leb(n)}`);
  },
  genDecode: (g) => g.bind(`S(${g.readLeb()})`),
};

const bytesSpec: LeafSpec = {
  least: 1,
  most: 5,
  encode(out, value) {
    if (!isBytes(value)) expected("bytes", value);
    out.leb(value.length);
    putBytes(out, value);
  },
  decode(from) {
    const size = from.leb();
    const start = from.skip(size);
    return from.views ? from.bytes.subarray(start, start + size) : copyOf(from.bytes, start, size);
  },
  genEncode(g, v) {
    g.line(`if(!${g.external(isBytes)}(${v}))bad();`);
    const n = g.name();
    g.line(`const ${n}=${v}.length;${g.leb(n)}`);
    g.reserve(n);
    g.line(`B.set(${v},p);p+=${n};`);
  },
  genDecode(g) {
    const n = g.readLeb();
    const x = g.name();
    g.line(`if(${n}>E-p)bad();const ${x}=views?B.subarray(p,p+${n}):${g.external(copyOf)}(B,p,${n});p+=${n};`);
    return x;
  },
};

function putBytes(out: Out, value: Uint8Array): void {
  const { writer } = out;
  writer.reserve(value.length);
  writer.bytes.set(value, writer.pos);
  writer.pos += value.length;
}

const uuidSpec: LeafSpec = {
  least: 16,
  most: 16,
  encode(out, value) {
    if (typeof value !== "string") expected("uuid", value);
    out.writer.reserve(16);
    out.writer.pos = writeUuid(out.writer.bytes, out.writer.pos, value);
  },
  decode: (from: In) => readUuid(from.bytes, from.skip(16)),
  genEncode: (g, v) => g.line(`p=${g.external(writeUuid)}(B,p,${v});`),
  genDecode(g) {
    g.line("if(E-p<16)bad();");
    const x = g.bind(`${g.external(readUuid)}(B,p)`);
    g.line("p+=16;");
    return x;
  },
};

/** `true` or `false`: one bit, shared with its neighbours. */
export const bool: Codec<boolean> = /* @__PURE__ */ leaf("bool", boolSpec);
/** Well-formed text. A lone surrogate is refused, not replaced. */
export const string: Codec<string> = /* @__PURE__ */ leaf("string", stringSpec);
/** Binary data. Decoded as a copy unless `views` asks for a view. */
export const bytes: Codec<Uint8Array> = /* @__PURE__ */ leaf("bytes", bytesSpec);
/** A UUID in its text form, sixteen bytes. Upper-case digits are accepted and come back in lower case. */
export const uuid: Codec<string> = /* @__PURE__ */ leaf("uuid", uuidSpec);
