/** One step of `docs/tutorial.md`: a file to save, or a command to type. */
export type Step =
  | { readonly kind: "file"; readonly name: string; readonly text: string }
  | { readonly kind: "command"; readonly line: string };

/** The steps of a tutorial in their order: `ts` blocks whose first line names a file, and the lines of `sh` blocks. */
export function stepsOf(text: string): Step[] {
  const steps: Step[] = [];
  for (const { groups = {} } of text.matchAll(/^```(?<language>ts|sh)\n(?<code>[\s\S]*?)^```$/gm)) {
    const code = groups["code"] ?? "";
    if (groups["language"] === "sh") {
      for (const line of code.trim().split("\n")) steps.push({ kind: "command", line });
      continue;
    }
    const name = /^\/\/ ([\w-]+\.ts)\b/.exec(code)?.[1];
    if (name === undefined) throw new Error(`A block of the tutorial names no file: ${code.slice(0, 60)}`);
    steps.push({ kind: "file", name, text: code });
  }
  return steps;
}
