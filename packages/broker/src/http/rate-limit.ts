// SPDX-License-Identifier: Apache-2.0
// A token bucket for each client address, in bounded memory.

import type { Clock } from "../clock.ts";

export interface RateLimit {
  /** Requests a second, sustained, from one address (IPv6: one /64 network). */
  readonly perSecond: number;
  /** Requests at once after a pause. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

const MAX_ADDRESSES = 10_000;

export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  readonly #buckets: Map<string, Bucket> = new Map();

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Takes one request's worth. Answers 0 when it may pass, else in how many seconds to try again. */
  take(address: string): number {
    const now = this.#clock.now().getTime();
    const key = networkOf(address);
    const { perSecond, burst } = this.#limit;
    const known = this.#buckets.get(key);
    const elapsed = known === undefined ? 0 : Math.max(0, now - known.at) / 1000;
    const tokens = known === undefined ? burst : Math.min(burst, known.tokens + elapsed * perSecond);
    // Deleting first keeps the map in order of use, so that the one unused longest leaves.
    this.#buckets.delete(key);
    if (this.#buckets.size >= MAX_ADDRESSES) this.#buckets.delete(this.#buckets.keys().next().value ?? key);
    const passes = tokens >= 1;
    this.#buckets.set(key, { tokens: passes ? tokens - 1 : tokens, at: now });
    return passes ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond));
  }
}

/** One host is given a whole /64 of IPv6 addresses: count them as one. IPv4-mapped addresses count as IPv4. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  const [head = "", tail = ""] = address.split("%")[0]?.split("::") ?? [];
  const left = head === "" ? [] : head.split(":");
  const right = tail === "" ? [] : tail.split(":");
  const middle = address.includes("::")
    ? Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0")
    : [];
  return [...left, ...middle, ...right].slice(0, 4).join(":").toLowerCase();
}
