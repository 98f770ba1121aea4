// SPDX-License-Identifier: Apache-2.0
// A token bucket for each client address, in bounded memory. Replicas that share a store tell each other once a second
// what they let pass: docs/decisions/0016-store-and-replicas.md.

import type { Clock } from "../clock.ts";
import type { Ephemeral } from "../store/ephemeral.ts";

export interface RateLimit {
  /** Requests a second, sustained, from one address (IPv6: one /64 network). */
  readonly perSecond: number;
  /** Requests at once after a pause. */
  readonly burst: number;
}

interface Bucket {
  /** Negative: owed to other replicas. */
  tokens: number;
  at: number;
  /** Passed and not yet told to the others. */
  untold: number;
  /** What all replicas together had let pass when they last told each other. */
  total: number | undefined;
}

const MAX_ADDRESSES = 10_000;
const EXCHANGE_MS = 1000;
/** In bursts. */
const MAX_DEBT = 10;
/** A counter is kept a while longer than any debt can last. */
const KEPT_MS = 60_000;
const SPACE = "rate";

export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  readonly #shared: Ephemeral | undefined;
  readonly #buckets: Map<string, Bucket> = new Map();
  #exchangedAt = Number.NEGATIVE_INFINITY;
  #exchanging: Promise<void> | undefined;

  /** `counters` are used when other processes see them. */
  constructor(limit: RateLimit, clock: Clock, counters?: Ephemeral) {
    this.#limit = limit;
    this.#clock = clock;
    this.#shared = counters?.shared === true ? counters : undefined;
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
    this.#buckets.set(key, {
      tokens: passes ? tokens - 1 : tokens,
      at: now,
      untold: (known?.untold ?? 0) + (passes ? 1 : 0),
      total: known?.total,
    });
    if (Math.abs(now - this.#exchangedAt) >= EXCHANGE_MS) void this.exchange();
    return passes ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond));
  }

  /**
   * Tells the other replicas what passed here, and counts what passed there. Requests start it once a second and do not
   * wait for it; while the store fails, each replica counts for itself. Never rejects.
   */
  exchange(): Promise<void> {
    if (this.#shared === undefined) return Promise.resolve();
    this.#exchanging ??= this.#exchange(this.#shared).finally(() => {
      this.#exchanging = undefined;
    });
    return this.#exchanging;
  }

  async #exchange(counters: Ephemeral): Promise<void> {
    const now = this.#clock.now();
    this.#exchangedAt = now.getTime();
    const told = new Map<string, number>();
    for (const [key, { untold }] of this.#buckets) if (untold > 0) told.set(key, untold);
    const { perSecond, burst } = this.#limit;
    const expires = new Date(now.getTime() + KEPT_MS + (1000 * MAX_DEBT * burst) / perSecond);
    let totals: ReadonlyMap<string, number>;
    try {
      totals = await counters.add(SPACE, told, expires, now);
    } catch {
      // What was not told now is told next time.
      return;
    }
    for (const [key, total] of totals) {
      const bucket = this.#buckets.get(key);
      const mine = told.get(key) ?? 0;
      if (bucket === undefined) continue;
      const theirs = bucket.total === undefined ? 0 : Math.max(0, total - bucket.total - mine);
      bucket.tokens = Math.max(-MAX_DEBT * burst, bucket.tokens - theirs);
      bucket.untold -= mine;
      bucket.total = total;
    }
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
