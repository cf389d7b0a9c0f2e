const barWidth = 30;

/** A progress bar on a terminal; a line now and then elsewhere. */
export class Progress {
  readonly #total: number;
  readonly #unit: string;
  readonly #out: NodeJS.WriteStream;
  #done = 0;
  #drawn = -1;

  constructor(total: number, unit: string, out: NodeJS.WriteStream = process.stdout) {
    this.#total = total;
    this.#unit = unit;
    this.#out = out;
  }

  advance(by = 1): void {
    this.#done += by;
    const steps = this.#out.isTTY ? 200 : 4;
    const step = Math.floor((this.#done * steps) / this.#total);
    if (step === this.#drawn) return;
    this.#drawn = step;
    this.#draw();
  }

  /** Writes a line beside the bar. */
  note(line: string): void {
    this.#out.write(this.#out.isTTY ? `\r\x1b[K${line}\n` : `${line}\n`);
    if (this.#out.isTTY) this.#draw();
  }

  end(): void {
    if (this.#out.isTTY) this.#out.write("\n");
  }

  #draw(): void {
    const filled = Math.round((this.#done / this.#total) * barWidth);
    const bar = "█".repeat(filled) + "░".repeat(barWidth - filled);
    const text = `${bar} ${this.#done} of ${this.#total} ${this.#unit}`;
    this.#out.write(this.#out.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
  }
}
