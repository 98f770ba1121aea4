// SPDX-License-Identifier: Apache-2.0
// Remembers verified chains and documents, each under the hash of what was verified and only while it is valid.

export interface VerificationCache {
  get(key: string, now: Date): unknown;
  set(key: string, value: unknown, validFrom: Date, validUntil: Date): void;
}

interface Entry {
  readonly value: unknown;
  readonly from: number;
  readonly until: number;
}

/**
 * A cache of at most `capacity` entries, the oldest leaving first. Keys must cover everything the value depends on,
 * trust anchors included; a value is never returned outside its validity.
 */
export function createCache(capacity = 1024): VerificationCache {
  const entries = new Map<string, Entry>();
  return {
    get: (key, now) => {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      const time = now.getTime();
      return time >= entry.from && time <= entry.until ? entry.value : undefined;
    },
    set: (key, value, validFrom, validUntil) => {
      entries.delete(key);
      if (entries.size >= capacity) entries.delete(entries.keys().next().value as string);
      entries.set(key, { value, from: validFrom.getTime(), until: validUntil.getTime() });
    },
  };
}
