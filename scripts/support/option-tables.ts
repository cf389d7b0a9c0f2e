import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./repository.ts";

/** One interface of options, and where it stands. */
export interface OptionSource {
  /** The call or option that takes it, as the heading. */
  readonly heading: string;
  readonly file: string;
  readonly name: string;
}

/** One row of a table. */
export interface OptionRow {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

/** Every interface of options that users fill in, in the order of the page. */
const sources: readonly OptionSource[] = [
  { heading: "createServer(options)", file: "packages/server/src/options.ts", name: "ServerOptions" },
  { heading: "server.listen(options)", file: "packages/server/src/options.ts", name: "ServerListenOptions" },
  { heading: "server.close(options)", file: "packages/server/src/create-server.ts", name: "CloseOptions" },
  { heading: "createClient(options)", file: "packages/client/src/options.ts", name: "ClientOptions" },
  {
    heading: "createClient({ connection })",
    file: "packages/client/src/connection-options.ts",
    name: "ConnectionOptions",
  },
  {
    heading: "createClient({ connection: { backoff } })",
    file: "packages/client/src/backoff.ts",
    name: "BackoffOptions",
  },
  {
    heading: "Resilience: of createClient, of client.service, and of single methods in its option methods",
    file: "packages/client/src/resilience-options.ts",
    name: "ResilienceOptions",
  },
  { heading: "Resilience: retry", file: "packages/client/src/resilience-options.ts", name: "RetryOptions" },
  { heading: "Resilience: retry.budget", file: "packages/client/src/retry-budget.ts", name: "RetryBudgetOptions" },
  { heading: "Resilience: hedge", file: "packages/client/src/hedged-call.ts", name: "HedgeOptions" },
  {
    heading: "Resilience: concurrency",
    file: "packages/client/src/concurrency-limit.ts",
    name: "ConcurrencyOptions",
  },
  { heading: "Resilience: ejection", file: "packages/balancer/src/ejection.ts", name: "EjectionOptions" },
  { heading: "Resilience: breaker", file: "packages/client/src/breaker.ts", name: "BreakerOptions" },
  { heading: "A call", file: "packages/protocol/src/call-options.ts", name: "CallOptions" },
  { heading: "A method of a contract", file: "packages/protocol/src/contract.ts", name: "MethodOptions" },
  { heading: "limits, of client and server", file: "packages/protocol/src/session/limits.ts", name: "SessionLimits" },
  { heading: "tcp(options)", file: "packages/transport-tcp/src/tcp.ts", name: "TcpOptions" },
  { heading: "tcp({ tls })", file: "packages/transport-tcp/src/tls-options.ts", name: "TlsOptions" },
  {
    heading: "gossipRegistry(options)",
    file: "packages/registry/src/gossip-options.ts",
    name: "GossipRegistryOptions",
  },
  {
    heading: "gossipRegistry({ emptyProtection })",
    file: "packages/registry/src/empty-protection.ts",
    name: "EmptyProtectionOptions",
  },
  { heading: "dnsRegistry(options)", file: "packages/registry/src/dns-registry.ts", name: "DnsRegistryOptions" },
  { heading: "Balancer policies", file: "packages/balancer/src/policy-balancer.ts", name: "BalancerOptions" },
  { heading: "Their pool of endpoints", file: "packages/balancer/src/pool.ts", name: "PoolOptions" },
  { heading: "Their estimate of latency", file: "packages/balancer/src/latency.ts", name: "LatencyOptions" },
];

/** The whole page, as `docs/options.md` must be. */
export function optionsPage(): string {
  const parts = sources.map((source) => {
    const { summary, rows } = readOptions(readFileSync(join(root, source.file), "utf8"), source.name);
    const table = rows.map(({ name, type, text }) => `| \`${name}\` | ${type} | ${text} |`);
    const head = `## ${source.heading.replace(/^[\w.]+\(.*\)$/, "`$&`")}\n\n\`${source.name}\`, [${source.file}](../${source.file}).`;
    const lead = summary === "" ? "" : ` ${summary}`;
    return `${head}${lead}\n\n| option | type | what it does |\n|---|---|---|\n${table.join("\n")}\n`;
  });
  return `# Options\n\nWritten by \`npm run options\` from the sources, and checked by a test. Durations end in \`Ms\`, sizes in \`Bytes\`.\n\n${parts.join("\n")}`;
}

/** The documented members of the interface `name` in a source, with the comment above it. Members are laid out as our formatter does. */
export function readOptions(source: string, name: string): { summary: string; rows: OptionRow[] } {
  const at = new RegExp(
    `(?<doc>/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\n)?export interface ${name}\\b[^\\n]*\\{\\n(?<body>[\\s\\S]*?)\\n\\}`,
  );
  const { doc = "", body } = at.exec(source)?.groups ?? {};
  if (body === undefined) throw new Error(`No interface ${name} in this source`);
  const member = /(?<doc>^ {2}\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?^ {2}readonly (?<name>\w+)\??:\s+(?<type>[\s\S]*?);$/gm;
  const rows = [...body.matchAll(member)].map(({ groups = {} }) => ({
    name: groups["name"] ?? "",
    type: typeText(groups["type"] ?? ""),
    text: prose(groups["doc"] ?? ""),
  }));
  return { summary: prose(doc), rows };
}

function typeText(type: string): string {
  const flat = type
    .replaceAll(/\s+/g, " ")
    .replace(/^\| /, "")
    .replace(/ \| undefined$/, "");
  return `\`${flat.replace(/^\((.*)\)$/, "$1").replaceAll("|", "\\|")}\``;
}

/** A doc comment as one line of Markdown, without its tags. */
function prose(comment: string): string {
  return comment
    .replaceAll(/^\s*\/\*\*|\s*\*\/\s*$|^\s*\* ?/gm, "")
    .replace(/^@[\s\S]*/m, "")
    .replaceAll(/\{@link (\w+(?:\.\w+)?)\}/g, "`$1`")
    .replaceAll(/\s+/g, " ")
    .replaceAll("|", "\\|")
    .trim();
}
