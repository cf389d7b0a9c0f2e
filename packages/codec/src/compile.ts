/** Puts generated functions into one program, and makes it run. */
import { getBits, putBits } from "./bits.ts";
import { define, own } from "./define.ts";
import { Generator } from "./generator.ts";
import type { Planned } from "./plan.ts";
import { FREE_VALUES, FREE_VALUES_PER_BYTE, writeLeb } from "./state.ts";
import { isTorn, isWide, readLatin1, TextReader, writeText } from "./text.ts";
import { viewOf } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** What generated code may call. */
const runtime: object = {
  FREE_VALUES,
  FREE_VALUES_PER_BYTE,
  TextReader,
  define,
  getBits,
  isTorn,
  isWide,
  own,
  putBits,
  readLatin1,
  viewOf,
  writeLeb,
  writeText,
};

/** The compiled form of a codec. Both throw anything at all where the interpreter should say what is wrong. */
export interface Compiled {
  /** Writes at `writer.pos`, which moves only on success. */
  encode(writer: Writer, value: unknown): void;
  /** Reads the message that fills `bytes[start..end]`. Makes a view only where the schema needs one and none is given. */
  decode(bytes: Uint8Array, view: DataView | undefined, start: number, end: number, views: boolean): unknown;
}

/** A program as text, and the values it refers to. */
export interface Program {
  readonly text: string;
  readonly externals: readonly unknown[];
}

/** The factory that a program's text is the body of. */
export type Factory = (runtime: object, externals: readonly unknown[]) => Compiled;

export function link(factory: Factory, externals: readonly unknown[]): Compiled {
  return factory(runtime, externals);
}

/** The body of a function of `r` and `x` that gives a {@link Compiled}. */
export function generate({ node, hasText }: Planned): Program {
  const externals: unknown[] = [];
  const writing = new Generator(true, externals);
  const encodeBody = writing.start(node, "value");
  const reading = new Generator(false, externals);
  const decodeBody = reading.startDecode(node);
  const text = `"use strict";
const bad=()=>{throw 0};
let w,B,V,L,T="",X="",D=0,busy=false;
const C={bytes:null,view:null,pos:0};
const M=new Uint8Array(${Math.max(writing.strings, 1)});
function G(p,n){w.pos=p;w.reserve(n);B=w.bytes;V=w.view;L=B.length;}
${writing.functions.join("\n")}
function write(value){
let p=w.pos;
${encodeBody}return p;
}
function encode(writer,value){
if(busy)bad();
busy=true;
const start=writer.pos;
w=writer;
try{
for(let pass=0;;pass++){
B=w.bytes;V=w.view;L=B.length;${hasText ? 'T="";X="";' : ""}D=0;
let p=write(value);
${hasText ? "p=r.writeText(w,p,T,X);" : ""}
if(p>=0){w.pos=p;if(pass>0)for(let i=0;i<M.length;i++)if(M[i]===2)M[i]=0;return;}
w.pos=start;
if(pass>0)bad();
for(let i=0;i<M.length;i++)if(M[i]===0)M[i]=2;
}
}catch(e){w.pos=start;throw e;}
finally{busy=false;}
}
${readPrelude(hasText, reading.functions.join("\n"), decodeBody)}
return{encode,decode};
`;
  return { text, externals };
}

/** Finds the text: the usual case of few narrow characters at once, the others by the reader of text. */
const OPEN_TEXT = `let last=B[E-1],size=1;
if(last>127){const more=B[E-2];last=more>0&&more<128?last&127|more<<7:1;size=2;}
if((last&1)===0&&E-size>=p){te=E-size;t=E=te-(last>>1);wide=false;if(t<p)bad();}
else{wide=true;E=W.open(B,V===null?r.viewOf(B):V,p,E);t=W.start;te=W.end;}
sb=0;
`;

function readPrelude(hasText: boolean, functions: string, body: string): string {
  const code = functions + body;
  return `const decode=(()=>{
let B,V=null,E=0,P=0,Q=0,D=0,views=false,wide=false,t=0,te=0,s="",sa=0,sb=0;
const I={bytes:null,view:null,pos:0,end:0};
const W=new r.TextReader();
function U(p){
let v=0,m=1;
for(;;){
const b=B[p++];
if(b===undefined)bad();
v+=(b&127)*m;
if(b<128){if(b===0||v>9007199254740991)bad();P=p;return v;}
m*=128;
if(m>562949953421312)bad();
}
}
function S(n){
if(n>2147483647)bad();
if(n&1){if(!wide)bad();return W.take(n>>>1,true);}
const a=t,b=a+(n>>>1);
if(b>te)bad();
t=b;
if(b>sb){
if(n>=2048)return r.readLatin1(B,a,b);
sa=a;sb=Math.min(a+4096,te);s=r.readLatin1(B,a,sb);
}
return s.substring(a-sa,b-sa);
}
${functions}
return function(bytes,view,p,end,v){
E=end;B=bytes;${/\bV\b|\bI\./.test(code) ? "V=view===undefined?r.viewOf(bytes):view;" : ""}views=v;D=0;
Q=r.FREE_VALUES+r.FREE_VALUES_PER_BYTE*(E-p);
${hasText ? OPEN_TEXT : ""}${code.includes("I.") ? "I.bytes=B;I.view=V;I.end=E;" : ""}
${body}if(p!==E)bad();
${hasText ? "if(t!==te)bad();if(wide)W.closeWide();" : ""}
return value;
};
})();`;
}

let allowed: boolean | undefined;

/** Whether this place lets text become code. Found out once, at first use. */
export function mayCompile(): boolean {
  if (allowed === undefined) {
    try {
      allowed = new Function("return true")() === true;
    } catch {
      allowed = false;
    }
  }
  return allowed;
}

export function compile(planned: Planned): Compiled {
  const { text, externals } = generate(planned);
  return link(new Function("r", "x", text) as Factory, externals);
}
