// SPDX-License-Identifier: Apache-2.0
// Where the wrapped root keys stand: in a file of the state folder, or in the store that replicas share.

import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { BrokerError } from "../errors.ts";
import type { Change, Store } from "../store/types.ts";

/** Every method rejects with `STATE_INVALID` or `STORE_FAILED` when the place cannot be used. */
export interface RingPlace {
  read(): Promise<string | undefined>;
  /** What stands there afterwards: `text`, or what stood there before. */
  create(text: string): Promise<string>;
  /** Whole or not at all; answers whether it was `from` that stood there, and is `to` now. */
  replace(from: string, to: string): Promise<boolean>;
  /** The condition of a write that `text` stands there. Absent where writes cannot be bound to it. */
  holds?(text: string): Change;
}

const SPACE = "key";
const KEY = "root-keys";

/** Beside the values that are sealed under them: each replica has the same, and each write sees whether they are. */
export function ringInStore(store: Store): RingPlace {
  const read = async (): Promise<string | undefined> => {
    const value = await store.get(SPACE, KEY);
    return value === undefined ? undefined : toUtf8(value);
  };
  const exchange = async (from: string | undefined, to: string): Promise<boolean> => {
    try {
      const expect = from === undefined ? undefined : fromUtf8(from);
      await store.write([
        { kind: "check", space: SPACE, key: KEY, expect },
        { kind: "put", space: SPACE, key: KEY, value: fromUtf8(to) },
      ]);
      return true;
    } catch (error) {
      if (isRingConflict(error)) return false;
      throw error;
    }
  };
  return {
    read,
    create: async (text) => ((await exchange(undefined, text)) ? text : ((await read()) ?? text)),
    replace: exchange,
    holds: (text) => ({ kind: "check", space: SPACE, key: KEY, expect: fromUtf8(text) }),
  };
}

/** Whether this row of a store holds the wrapped root keys. */
export function isRing({ space, key }: { readonly space: string; readonly key: string }): boolean {
  return space === SPACE && key === KEY;
}

/** As a row of a store. */
export function ringRow(text: string): {
  readonly space: string;
  readonly key: string;
  readonly value: Uint8Array;
} {
  return { space: SPACE, key: KEY, value: fromUtf8(text) };
}

/** Whether a write was refused because other root keys stand there. */
export function isRingConflict(error: unknown): boolean {
  if (!(error instanceof BrokerError && error.code === "STORE_CONFLICT")) return false;
  const { space, key } = error.detail;
  return space === SPACE && key === KEY;
}
