import { cpus } from "node:os";

/** Everything a reader needs to judge a number: Node, machine, command. */
export function machineLine(): string {
  const models = cpus().map(({ model }) => model.trim());
  const command = `npm run bench -- ${process.env["PIPIT_BENCH_COMMAND"] ?? process.argv.slice(1).join(" ")}`;
  return `Node ${process.version}, ${process.platform} ${process.arch}, ${models.length} × ${models[0] ?? "unknown CPU"}, \`${command}\``;
}
