// SPDX-License-Identifier: Apache-2.0
// The store as the vault needs it: a value comes out once its root key is here, and goes in under the one that seals now.
// So the vault may stay synchronous, and others may rotate meanwhile.

import { BrokerError } from "../errors.ts";
import type { Ephemeral } from "../store/ephemeral.ts";
import type { Change, WholeStore } from "../store/types.ts";
import { sealedUnder } from "../vault.ts";
import type { RootKeys } from "./keeper.ts";
import { isRingConflict } from "./ring-place.ts";

/** How often root keys may change under one write. */
const ATTEMPTS = 10;

/**
 * Where the root keys stand in the store, a value is written only while they are those that it is sealed under: none is ever
 * left under a key that was destroyed. Reading rejects as `RootKeys.refresh` when a value names a key that is not here.
 */
export function keyedStore(store: WholeStore, keys: RootKeys): WholeStore {
  const ready = async (values: Iterable<Uint8Array | undefined>): Promise<void> => {
    for (const value of values) {
      const id = value && sealedUnder(value);
      if (id === undefined || keys.knows(id)) continue;
      await keys.refresh();
      return;
    }
  };
  return {
    ephemeral: keyedEphemeral(store.ephemeral, ready),
    get: async (space, key) => {
      const value = await store.get(space, key);
      await ready([value]);
      return value;
    },
    entries: async (space) => {
      const values = await store.entries(space);
      await ready(values.values());
      return values;
    },
    write: (changes) => written(store, keys, changes),
    spaces: () => store.spaces(),
    keys: (space, prefix) => store.keys(space, prefix),
    log: (after, limit) => store.log(after, limit),
    logHead: () => store.logHead(),
    logNodes: (places) => store.logNodes(places),
    snapshot: () => store.snapshot(),
    load: (rows) => store.load(rows),
    close: () => store.close(),
  };
}

async function written(
  store: WholeStore,
  keys: RootKeys,
  changes: readonly Change[],
): Promise<readonly number[]> {
  for (let attempt = 1; ; attempt++) {
    const current = changes.map((change) => underCurrent(keys, change));
    const bound = current.some((change) => change.kind === "put" && sealedUnder(change.value) !== undefined);
    const condition = bound ? keys.condition() : undefined;
    if (condition === undefined) return store.write(current);
    try {
      return (await store.write([...current, condition])).slice(0, changes.length);
    } catch (error) {
      if (!isRingConflict(error) || attempt === ATTEMPTS) throw error;
      await keys.refresh();
    }
  }
}

/** A value that was sealed before a rotation and is written after it. */
function underCurrent(keys: RootKeys, change: Change): Change {
  if (change.kind !== "put") return change;
  const { space, key, value } = change;
  const id = sealedUnder(value);
  if (id === undefined || id === keys.vault.keyId) return change;
  if (!keys.knows(id)) {
    throw new BrokerError(
      "STORE_CONFLICT",
      "misuse",
      `Cannot write ${space} ${key}: the root key it is sealed under was destroyed meanwhile`,
      { detail: { space, key }, hint: "Try again." },
    );
  }
  return { ...change, value: keys.vault.seal(space, key, keys.vault.open(space, key, value)) };
}

function keyedEphemeral(
  ephemeral: Ephemeral,
  ready: (values: readonly (Uint8Array | undefined)[]) => Promise<void>,
): Ephemeral {
  return {
    shared: ephemeral.shared,
    get: async (space, key, now) => {
      const value = await ephemeral.get(space, key, now);
      await ready([value]);
      return value;
    },
    put: (space, key, value, expires, now) => ephemeral.put(space, key, value, expires, now),
    replace: (space, key, from, to, now) => ephemeral.replace(space, key, from, to, now),
    delete: (space, key, now) => ephemeral.delete(space, key, now),
    count: (space, now) => ephemeral.count(space, now),
    add: (space, amounts, expires, now) => ephemeral.add(space, amounts, expires, now),
  };
}
