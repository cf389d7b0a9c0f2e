import type { ServerResponse } from "node:http";
import type { LiveEvent, PageState } from "./events.ts";

/** Browsers at a time; each costs a socket and at most one frame of memory. */
const maxReaders = 32;

/** How long a browser waits before it connects again after the gateway was gone. */
const reconnectMs = 1000;

interface Reader {
  readonly response: ServerResponse;
  /** Has not yet taken what it was sent: it is sent no more until then. */
  busy: boolean;
  /** Frames went by while it was busy. */
  missed: boolean;
}

/**
 * Server-sent events (WHATWG HTML, section 9.2) to any number of browsers.
 *
 * A slow reader costs one frame and never a queue: while its socket has not taken what was written, it is passed over, and once it has, it gets
 * the whole state instead of the changes it missed. So it sees less often, but never old news.
 */
export class EventStream {
  readonly #readers = new Set<Reader>();
  readonly #state: () => PageState;

  constructor(state: () => PageState) {
    this.#state = state;
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  /** Answers with the state and then with what `send` is given. */
  open(response: ServerResponse): void {
    if (this.#readers.size >= maxReaders) {
      response.writeHead(503, { "content-type": "text/plain" }).end("Too many pages are open");
      return;
    }
    const reader: Reader = { response, busy: false, missed: false };
    this.#readers.add(reader);
    response.on("close", () => this.#readers.delete(reader));
    response.on("drain", () => {
      reader.busy = false;
      if (reader.missed) this.#catchUp(reader);
    });
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write(`retry: ${reconnectMs}\n\n`);
    this.#catchUp(reader);
  }

  /** Sends one frame of changes to every reader that keeps up. */
  send(events: readonly LiveEvent[]): void {
    if (events.length === 0 || this.#readers.size === 0) return;
    const text = frame(events);
    for (const reader of this.#readers) {
      if (reader.busy) reader.missed = true;
      else this.#write(reader, text);
    }
  }

  close(): void {
    for (const { response } of this.#readers) response.destroy();
    this.#readers.clear();
  }

  #catchUp(reader: Reader): void {
    reader.missed = false;
    this.#write(reader, frame([{ type: "snapshot", state: this.#state() }]));
  }

  #write(reader: Reader, text: string): void {
    reader.busy = !reader.response.write(text);
  }
}

function frame(events: readonly LiveEvent[]): string {
  // JSON has no raw line break, so one `data:` line holds it.
  return `data: ${JSON.stringify(events)}\n\n`;
}
