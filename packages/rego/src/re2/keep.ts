// SPDX-License-Identifier: Apache-2.0
// Compiled patterns kept between evaluations. What is kept changes no answer and no count of steps, only the time.

const MAX_ENTRIES = 100;
const MAX_SIZE = 200_000;

/** Holds the latest entries, up to a number and to a sum of sizes. */
export class Keeper<T extends { readonly size: number }> {
  readonly #entries = new Map<string, T>();
  #size = 0;

  /** What was kept under a key, or what `make` gives; which may throw. */
  get(key: string, make: () => T): T {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const made = make();
    if (made.size <= MAX_SIZE / 4) this.#keep(key, made);
    return made;
  }

  #keep(key: string, made: T): void {
    for (const [oldest, { size }] of this.#entries) {
      if (this.#entries.size < MAX_ENTRIES && this.#size + made.size <= MAX_SIZE) break;
      this.#entries.delete(oldest);
      this.#size -= size;
    }
    this.#entries.set(key, made);
    this.#size += made.size;
  }
}
