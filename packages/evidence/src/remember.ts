// SPDX-License-Identifier: Apache-2.0
// Using a verification cache: keys that cover everything an outcome depends on, and outcomes kept while they hold.

import { toHex } from "@adyton/core/bytes";
import type { PublicKey, VerifyingCrypto } from "@adyton/core/crypto";
import type { VerificationCache } from "./cache.ts";

/** When an outcome holds. */
export interface Span {
  readonly from: Date;
  readonly until: Date;
}

const ALWAYS = [new Date(-8.64e15), new Date(8.64e15)] as const;

/** A cache's key over certificates, lists and the like; the groups do not run into each other. */
export async function scopeKey(
  kind: string,
  groups: readonly (readonly { readonly der: Uint8Array }[])[],
  crypto: VerifyingCrypto,
): Promise<string> {
  const digests = groups.map(async (group) =>
    (await Promise.all(group.map(async ({ der }) => toHex(await crypto.digest("SHA-256", der))))).join(""),
  );
  return [kind, ...(await Promise.all(digests))].join(":");
}

/**
 * The outcome of `work` that `key` stands for: from the cache, or worked out and kept for as long as it holds and none
 * of `lists` takes effect that may decide otherwise.
 */
export async function remembered<T>(
  cache: VerificationCache,
  key: string,
  { now, lists }: { readonly now: Date; readonly lists: readonly { readonly thisUpdate: Date }[] },
  work: () => Promise<T>,
  spanOf: (outcome: T) => Span,
): Promise<T> {
  const known = cache.get(key, now) as T | undefined;
  if (known !== undefined) return known;
  const outcome = await work();
  const { from, until } = spanOf(outcome);
  const later = lists.map(({ thisUpdate }) => thisUpdate.getTime()).filter((time) => time > now.getTime());
  cache.set(key, outcome, from, new Date(Math.min(until.getTime(), ...later.map((time) => time - 1))));
  return outcome;
}

/** A key prepared for use. */
export interface PreparedKey {
  readonly key: PublicKey;
  /** To be called once the key is trusted: strangers' keys must not push anything out of the cache. */
  keep(): void;
}

/** A public key, prepared before or now: preparing one costs as much as checking several signatures. */
export async function preparedKey(
  spki: Uint8Array,
  cache: VerificationCache | undefined,
  now: Date,
  crypto: VerifyingCrypto,
): Promise<PreparedKey> {
  if (cache === undefined) return { key: await crypto.importPublicKey(spki), keep: () => undefined };
  const id = `key:${crypto.name}:${toHex(await crypto.digest("SHA-256", spki))}`;
  const known = cache.get(id, now) as PublicKey | undefined;
  if (known !== undefined) return { key: known, keep: () => undefined };
  const key = await crypto.importPublicKey(spki);
  return { key, keep: () => cache.set(id, key, ...ALWAYS) };
}
