// SPDX-License-Identifier: Apache-2.0
// Values that expire and that nobody misses after a crash: sessions, challenges, counters. And their home in the memory of
// one process.

import { equal } from "@adyton/core/bytes";
import type { Space } from "./types.ts";

/**
 * The caller says what time it is; at its expiry a value is gone. Methods reject with `STORE_FAILED` and `STORE_CLOSED`
 * as the store's.
 */
export interface Ephemeral {
  /** Whether other processes see the same values. */
  readonly shared: boolean;
  /** Replaces what is there. */
  put(space: Space, key: string, value: Uint8Array, expires: Date, now: Date): Promise<void>;
  get(space: Space, key: string, now: Date): Promise<Uint8Array | undefined>;
  /** Compare-and-set: answers whether exactly `from` was there, and is `to` now. The expiry stays. */
  replace(space: Space, key: string, from: Uint8Array, to: Uint8Array, now: Date): Promise<boolean>;
  /** Answers whether it was there. Of several that delete the same value, one is told so. */
  delete(space: Space, key: string, now: Date): Promise<boolean>;
  /** How many there are; other processes' additions and deletions of the last second may be missing. */
  count(space: Space, now: Date): Promise<number>;
  /**
   * Adds to counters, which begin at 0, and answers what they are now. `expires` replaces the time at which they end.
   * Counters and values are different things, also under the same key.
   */
  add(
    space: Space,
    amounts: ReadonlyMap<string, number>,
    expires: Date,
    now: Date,
  ): Promise<ReadonlyMap<string, number>>;
}

interface Held {
  readonly value: Uint8Array | number;
  readonly expires: number;
}

/** The part of a space: by key, and which keys to look at once a second is over. */
interface Shelf {
  readonly held: Map<string, Held>;
  readonly due: Map<number, Set<string>>;
  sweptAt: number;
}

/** For one process; the end of the process is the end of the values. */
export function memoryEphemeral(): Ephemeral {
  const shelves = new Map<string, Shelf>();
  const shelfOf = (kind: "value" | "counter", space: Space, now: Date): Shelf => {
    const name = `${kind}\0${space}`;
    let shelf = shelves.get(name);
    if (shelf === undefined) {
      shelf = { held: new Map(), due: new Map(), sweptAt: Number.NEGATIVE_INFINITY };
      shelves.set(name, shelf);
    }
    sweep(shelf, now);
    return shelf;
  };
  const find = (space: Space, key: string, now: Date): { shelf: Shelf; held: Held | undefined } => {
    const shelf = shelfOf("value", space, now);
    const held = shelf.held.get(key);
    return { shelf, held: held !== undefined && held.expires > now.getTime() ? held : undefined };
  };
  return {
    shared: false,
    put: async (space, key, value, expires, now) => {
      hold(shelfOf("value", space, now), key, value, expires);
    },
    get: async (space, key, now) => {
      const value = find(space, key, now).held?.value;
      return typeof value === "number" ? undefined : value;
    },
    replace: async (space, key, from, to, now) => {
      const { shelf, held } = find(space, key, now);
      if (held === undefined || typeof held.value === "number" || !equal(held.value, from)) return false;
      shelf.held.set(key, { value: to, expires: held.expires });
      return true;
    },
    delete: async (space, key, now) => {
      const { shelf, held } = find(space, key, now);
      shelf.held.delete(key);
      return held !== undefined;
    },
    count: async (space, now) => shelfOf("value", space, now).held.size,
    add: async (space, amounts, expires, now) => {
      const shelf = shelfOf("counter", space, now);
      const sums = new Map<string, number>();
      for (const [key, amount] of amounts) {
        const held = shelf.held.get(key);
        const before =
          held !== undefined && held.expires > now.getTime() && typeof held.value === "number"
            ? held.value
            : 0;
        hold(shelf, key, before + amount, expires);
        sums.set(key, before + amount);
      }
      return sums;
    },
  };
}

function hold(shelf: Shelf, key: string, value: Uint8Array | number, expires: Date): void {
  shelf.held.set(key, { value, expires: expires.getTime() });
  const second = Math.ceil(expires.getTime() / 1000);
  const keys = shelf.due.get(second);
  if (keys === undefined) shelf.due.set(second, new Set([key]));
  else keys.add(key);
}

/** Looks at what is due, once a second. A clock that was set back only waits until it is there again. */
function sweep(shelf: Shelf, now: Date): void {
  const second = Math.floor(now.getTime() / 1000);
  if (second === shelf.sweptAt) return;
  shelf.sweptAt = second;
  for (const [due, keys] of shelf.due) {
    if (due > second) continue;
    shelf.due.delete(due);
    for (const key of keys) {
      const held = shelf.held.get(key);
      if (held !== undefined && held.expires <= now.getTime()) shelf.held.delete(key);
    }
  }
}
