/** Puts generated functions into one program, and makes it run. */
import { Generator } from "./generator.ts";
import type { Planned } from "./plan.ts";
import { FREE_VALUES, FREE_VALUES_PER_BYTE } from "./state.ts";
import { writeText } from "./text.ts";
import { readLatin1 } from "./text-encodings.ts";
import { TextReader } from "./text-reader.ts";
import { viewOf } from "./reader.ts";
import type { Writer } from "./writer.ts";

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
export type Factory = (externals: readonly unknown[]) => Compiled;

/** The body of a function of `x` that gives a {@link Compiled}. */
export function generate({ node, hasText }: Planned): Program {
  const externals: unknown[] = [];
  const writing = new Generator(true, externals);
  const write = writing.capture(() => {
    writing.reserved = writing.room(node) + Math.ceil(node.bits / 8);
    writing.reserve(0);
    writing.encodeAlone(node, "v");
  });
  const reading = new Generator(false, externals);
  const read = reading.capture(() => reading.line(`const v=${reading.decodeAlone(node)};`));
  const encode = encodeText(writing, write, hasText);
  const decode = decodeText(reading, read, hasText);
  const names = externals.map((_, i) => `x${i}`).join();
  return { text: `"use strict";\nconst [${names}]=x,bad=()=>{throw 0};\n${encode}${decode}`, externals };
}

/**
 * Marks say how a place looks for wide strings: at the first character (1), as most that are wide begin with one that is, or at all
 * of them in this pass (2) or always (4). A second pass looks at all of each string: the first found out that one is wide.
 */
function encodeText(g: Generator, body: string, hasText: boolean): string {
  return `let w,B,V,L,X,Z,busy=0;
const M=new Uint8Array(${g.strings});
function G(p,n){w.pos=p;w.reserve(n);B=w.bytes;V=w.view;L=B.length;}
function F(t){(Z||=[]).push(t);return"";}
${g.functions.join("\n")}
function write(v,p,t){
${g.functions.length > 0 ? 'const d=0,S={t:""};' : "let X;"}${body}return ${hasText ? `${g.external(writeText)}(w,p,t,X,Z)` : "p"};
}
function encode(writer,v){
if(busy)bad();
busy=1;
let start=writer.pos,end=start;
w=writer;
try{
for(let pass=0;;pass++){
if(B!==w.bytes||!B.length){B=w.bytes;V=w.view;L=B.length;}
X=Z=undefined;
const p=write(v,start,"");
if(p>=0){end=p;if(pass)for(let i=0;i<M.length;i++)M[i]&=5;return;}
if(pass)bad();
for(let i=0;i<M.length;i++)M[i]|=2;
}
}finally{w.pos=end;busy=0;if(L>65536)w=B=V=X=Z=0;}
}
`;
}

/** Finds the text: the usual case of few narrow characters at once, the others by the reader of text. */
function openText(g: Generator): string {
  return `let last=B[E-1],size=1;
if(last>127){const more=B[E-2];last=more>0&&more<128?last&127|more<<7:1;size=2;}
if((last&1)===0&&E-size>=p){te=E-size;t=E=te-(last>>1);wide=false;if(t<p)bad();}
else{wide=true;E=W.open(B,V||${g.external(viewOf)}(B),p,E);t=W.start;te=W.end;}
sb=0;
`;
}

/** The functions that take strings: from the narrow text by pages, which makes few native calls of many. */
function stringText(g: Generator): string {
  const latin1 = g.external(readLatin1);
  return `let t=0,te=0,s="",sa=0,sb=0,wide=false;
const W=new ${g.external(TextReader)}();
function S(n){
if(n>2147483647)bad();
if(n&1){if(!wide)bad();return W.take(n>>>1,true);}
const a=t,b=a+(n>>>1);
if(b>te)bad();
t=b;
if(b>sb){
if(b===te||n>=2048)return ${latin1}(B,a,b);
sa=a;sb=Math.min(a+4096,te);s=${latin1}(B,a,sb);
}
return s.substring(a-sa,b-sa);
}
`;
}

function decodeText(g: Generator, body: string, hasText: boolean): string {
  const code = g.functions.join("\n") + body;
  const needsView = /\bV\b|\bI\./.test(code);
  return `const decode=(()=>{
let B,V,E=0,P=0,Q=0,R=0,views=false;
const I={bytes:null,view:null,pos:0,end:0,size:0,objects:0};
function U(p){
let v=0;
for(let m=1;m<=2**49;m*=128){
const b=B[p++];
if(b===undefined)bad();
v+=(b&127)*m;
if(b<128){if(b===0||v>${Number.MAX_SAFE_INTEGER})bad();P=p;return v;}
}
bad();
}
${hasText ? stringText(g) : ""}${g.functions.join("\n")}
return function(bytes,view,p,end,copy){
E=end;B=bytes;${needsView ? `V=view||${g.external(viewOf)}(B);` : ""}views=copy;
const d=0;
Q=${FREE_VALUES}+${FREE_VALUES_PER_BYTE}*(E-p);
try{
${g.starts}${hasText ? openText(g) : ""}${code.includes("I.") ? "I.bytes=B;I.view=V;I.end=E;" : ""}
${body}if(p!==E)bad();
${hasText ? "if(t!==te)bad();" : ""}return v;
}finally{B=V=I.bytes=I.view=0;${hasText ? "if(wide)W.closeWide();" : ""}}
};
})();
return{encode,decode};
`;
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
  return (new Function("x", text) as Factory)(externals);
}
