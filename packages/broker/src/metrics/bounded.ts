// SPDX-License-Identifier: Apache-2.0
// Labels that cannot grow without end: each distinct value is a time series that somebody has to keep.

const OTHER = "other";
const MAX_LENGTH = 256;

/** The first `limit` distinct values stand for themselves, all further ones for `other`. */
export class Bounded {
  readonly #limit: number;
  readonly #known: Set<string> = new Set();

  constructor(limit: number) {
    this.#limit = limit;
  }

  label(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#limit || value.length > MAX_LENGTH) return OTHER;
    this.#known.add(value);
    return value;
  }
}
