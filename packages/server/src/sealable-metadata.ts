import { Metadata } from "@pipit/protocol";

/** Metadata that refuse changes once they have gone out. */
export class SealableMetadata extends Metadata {
  #sealed = false;

  get sealed(): boolean {
    return this.#sealed;
  }

  seal(): void {
    this.#sealed = true;
  }

  override set(name: string, value: string | Uint8Array): this {
    if (this.#sealed) throw new Error(`Cannot set metadata "${name}": they went out with the first reply`);
    return super.set(name, value);
  }

  override delete(name: string): boolean {
    if (this.#sealed) throw new Error(`Cannot delete metadata "${name}": they went out with the first reply`);
    return super.delete(name);
  }
}
