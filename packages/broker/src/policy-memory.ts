// SPDX-License-Identifier: Apache-2.0
// What was read of the policies in force. A mark beside them is another one after each change, so that a decision reads the
// mark alone, and still every process on the store follows at once.

import { randomBytes } from "node:crypto";
import { equal } from "@adyton/core/bytes";
import type { Change, Store } from "./store/types.ts";
import type { Vault } from "./vault.ts";

const SPACE = "policy";
const MARK = "mark";
const MARK_BYTES = 16;

export class PolicyMemory {
  readonly #store: Store;
  readonly #vault: Vault;
  #mark: Uint8Array | undefined;
  #known: Map<string, unknown> = new Map();

  constructor(store: Store, vault: Vault) {
    this.#store = store;
    this.#vault = vault;
  }

  /** To be written with each change of a policy in force. */
  changed(): Change {
    const value = this.#vault.seal(SPACE, MARK, randomBytes(MARK_BYTES));
    return { kind: "put", space: SPACE, key: MARK, value };
  }

  /** For one decision: reads as given, or answers what was read under the same name since the last change. */
  async current(): Promise<<T>(name: string, read: () => Promise<T>) => Promise<T>> {
    // As it is sealed, which is never the same twice.
    const mark = await this.#store.get(SPACE, MARK);
    const same =
      mark === undefined || this.#mark === undefined ? mark === this.#mark : equal(mark, this.#mark);
    if (!same) {
      this.#mark = mark;
      this.#known = new Map();
    }
    // What is read from now on belongs to this mark or a later one, whatever happens meanwhile.
    const known = this.#known;
    return async <T>(name: string, read: () => Promise<T>): Promise<T> => {
      if (known.has(name)) return known.get(name) as T;
      const value = await read();
      known.set(name, value);
      return value;
    };
  }
}
