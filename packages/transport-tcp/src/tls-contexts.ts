import type { SecureContext, SecureContextOptions } from "node:tls";
import type { Clock } from "@pipit/protocol";
import { builtin } from "./builtin.ts";
import type { Pem, PemSource, TlsOptions } from "./tls-options.ts";

/** Functions are asked at most this often, so that a burst of connections does not read the same files again and again. */
const freshMs = 1_000;

/** Connections wait so long for a reload before they go on with the earlier certificates, in milliseconds. */
const patienceMs = 2_000;

/** One certificate with its key and authorities, ready for use. */
export interface TlsMaterial {
  readonly context: SecureContext;
  /** What the context is made of, for APIs that make their own. */
  readonly options: SecureContextOptions;
}

/** The certificates of one end. */
export interface TlsContexts {
  readonly main: TlsMaterial;
  /** By the name that SNI asks for, in lower case. */
  readonly named: ReadonlyMap<string, TlsMaterial>;
}

/** Loads certificates, and loads them again when the options hold functions that give something new. */
export class TlsContextCache {
  readonly #options: TlsOptions;
  readonly #clock: Clock;
  /** Must not throw. */
  readonly #onReloadError: (error: Error) => void;
  readonly #isConstant: boolean;
  #current: TlsContexts | undefined;
  #loadedAtMs = 0;
  /** What is answered while the functions are asked. */
  #loading: Promise<TlsContexts> | undefined;
  /** By the PEM text: the same text keeps its context. */
  #known = new Map<string, TlsMaterial>();

  constructor(options: TlsOptions, clock: Clock, onReloadError: (error: Error) => void) {
    this.#options = options;
    this.#clock = clock;
    this.#onReloadError = onReloadError;
    const identities = [options, ...Object.values(options.names ?? {})];
    const sources = [options.ca, ...identities.flatMap(({ cert, key }) => [cert, key])];
    this.#isConstant = !sources.some((source) => typeof source === "function");
  }

  /**
   * The certificates of this moment. A reload that fails is told, and the earlier ones stay; so do they, until it is done, where one takes long.
   *
   * @throws What the first load met: an error of a function, or of OpenSSL about the PEM text
   */
  get(): TlsContexts | Promise<TlsContexts> {
    const isFresh = this.#isConstant || this.#clock.now() - this.#loadedAtMs < freshMs;
    if (this.#current !== undefined && isFresh) return this.#current;
    return (this.#loading ??= this.#current === undefined ? this.#load() : this.#reload(this.#current));
  }

  #reload(earlier: TlsContexts): Promise<TlsContexts> {
    return new Promise((resolve) => {
      const goOn = (): void => {
        this.#onReloadError(new Error(`The functions of cert, key, ca or names gave nothing within ${patienceMs} ms`));
        resolve(earlier);
      };
      const cancel = this.#clock.after(patienceMs, goOn, { background: true });
      void this.#load().then(resolve).finally(cancel);
    });
  }

  async #load(): Promise<TlsContexts> {
    try {
      const { names = {}, ca } = this.#options;
      const authorities = await textOf(ca);
      const known = new Map<string, TlsMaterial>();
      const named = new Map<string, TlsMaterial>();
      for (const [name, identity] of Object.entries(names)) {
        named.set(name.toLowerCase(), await this.#material(identity, authorities, known));
      }
      this.#current = { main: await this.#material(this.#options, authorities, known), named };
      this.#known = known;
    } catch (error) {
      if (this.#current === undefined) throw error;
      this.#onReloadError(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#loading = undefined;
    }
    this.#loadedAtMs = this.#clock.now();
    return this.#current;
  }

  async #material(
    identity: Pick<TlsOptions, "cert" | "key" | "passphrase">,
    ca: string | undefined,
    known: Map<string, TlsMaterial>,
  ): Promise<TlsMaterial> {
    const { minVersion = "TLSv1.2" } = this.#options;
    const [cert, key] = await Promise.all([textOf(identity.cert), textOf(identity.key)]);
    const options = withoutUndefined({ cert, key, ca, passphrase: identity.passphrase, minVersion });
    const recipe = JSON.stringify([cert, key, ca]);
    const material = this.#known.get(recipe) ?? { context: builtin("node:tls").createSecureContext(options), options };
    known.set(recipe, material);
    return material;
  }
}

async function textOf(source: PemSource | undefined): Promise<string | undefined> {
  const pem = typeof source === "function" ? await source() : source;
  return pem === undefined ? undefined : joined(pem);
}

function joined(pem: Pem): string {
  const parts = typeof pem === "string" || pem instanceof Uint8Array ? [pem] : pem;
  return parts.map((part) => (typeof part === "string" ? part : Buffer.from(part).toString("latin1"))).join("\n");
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(options: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>;
}
