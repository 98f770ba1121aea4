// SPDX-License-Identifier: Apache-2.0
// After a rotation: every value in the store, sealed anew under the active root key, while the broker goes on.

import { BrokerError } from "../errors.ts";
import type { WholeStore } from "../store/types.ts";
import { sealedUnder, type Vault } from "../vault.ts";

export interface ResealProgress {
  /** Values looked at, of how many. */
  readonly seen: number;
  readonly total: number;
  readonly resealed: number;
}

export interface ResealResult {
  readonly resealed: number;
  /** Root keys that values are still sealed under: what others wrote meanwhile. */
  readonly used: ReadonlySet<string>;
}

/** Values in one go: one commit of the store, and a short turn of the event loop. */
const BATCH = 64;

/**
 * One pass over all values. A value that changes meanwhile is left as its writer wants it. Rejects with what the store
 * rejects with, and `SECRET_CORRUPT` for a value that does not open; what is done by then stays done, also
 * when `signal` ends it.
 */
export async function resealAll(
  store: WholeStore,
  vault: Vault,
  tell: (progress: ResealProgress) => void = () => {},
  signal?: AbortSignal,
): Promise<ResealResult> {
  const places: { readonly space: string; readonly key: string }[] = [];
  for (const space of await store.spaces()) {
    for (const key of await store.keys(space)) places.push({ space, key });
  }
  const used = new Set<string>();
  let resealed = 0;
  for (let at = 0; at < places.length; at += BATCH) {
    signal?.throwIfAborted();
    const batch = places.slice(at, at + BATCH);
    const results = await Promise.all(batch.map(({ space, key }) => resealOne(store, vault, space, key)));
    for (const { under, done } of results) {
      if (done) resealed += 1;
      else if (under !== undefined) used.add(under);
    }
    tell({ seen: at + batch.length, total: places.length, resealed });
  }
  return { resealed, used };
}

async function resealOne(
  store: WholeStore,
  vault: Vault,
  space: string,
  key: string,
): Promise<{ readonly under: string | undefined; readonly done: boolean }> {
  const value = await store.get(space, key);
  // What is no sealed value is none of ours.
  const under = value && sealedUnder(value);
  if (value === undefined || under === undefined || under === vault.keyId) return { under, done: false };
  const fresh = vault.seal(space, key, vault.open(space, key, value));
  try {
    await store.write([
      { kind: "check", space, key, expect: value },
      { kind: "put", space, key, value: fresh },
    ]);
    return { under, done: true };
  } catch (error) {
    // Its writer was faster; the next pass sees under which key.
    if (error instanceof BrokerError && error.code === "STORE_CONFLICT") return { under, done: false };
    throw error;
  }
}
