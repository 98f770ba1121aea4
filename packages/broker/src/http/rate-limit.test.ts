// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { type Ephemeral, memoryEphemeral } from "../store/ephemeral.ts";
import { RateLimiter } from "./rate-limit.ts";

const LIMIT = { perSecond: 10, burst: 20 };

function newClock(): { time: number; now(): Date } {
  const clock = { time: 1_000_000, now: () => new Date(clock.time) };
  return clock;
}

/** How many of `requests` pass. */
function passing(limiter: RateLimiter, requests: number, address = "192.0.2.1"): number {
  let passed = 0;
  for (let i = 0; i < requests; i++) if (limiter.take(address) === 0) passed += 1;
  return passed;
}

function sharedMemory(): Ephemeral {
  return { ...memoryEphemeral(), shared: true };
}

describe("replicas that share counters", () => {
  it("let one address pass as if they were one, but for two bursts each", async () => {
    const clock = newClock();
    const counters = sharedMemory();
    const replicas = [1, 2, 3].map(() => new RateLimiter(LIMIT, clock, counters));
    let passed = 0;
    const seconds = 60;
    for (let second = 0; second < seconds; second++) {
      for (const replica of replicas) passed += passing(replica, 50);
      for (const replica of replicas) await replica.exchange();
      clock.time += 1000;
    }
    expect(passed).toBeGreaterThanOrEqual(seconds * LIMIT.perSecond);
    expect(passed).toBeLessThanOrEqual(seconds * LIMIT.perSecond + 2 * replicas.length * LIMIT.burst);
    // In the end they are one: what is too much comes from the first seconds.
    let later = 0;
    for (let second = 0; second < seconds; second++) {
      for (const replica of replicas) later += passing(replica, 50);
      for (const replica of replicas) await replica.exchange();
      clock.time += 1000;
    }
    expect(later).toBeLessThanOrEqual(seconds * LIMIT.perSecond + LIMIT.burst);
  });

  it("count for themselves while nothing passes elsewhere", async () => {
    const clock = newClock();
    const counters = sharedMemory();
    const [busy, idle] = [new RateLimiter(LIMIT, clock, counters), new RateLimiter(LIMIT, clock, counters)];
    expect(passing(busy, 50)).toBe(20);
    await busy.exchange();
    await idle.exchange();
    clock.time += 1000;
    expect(passing(busy, 50)).toBe(10);
    expect(passing(idle, 50, "192.0.2.2")).toBe(20);
  });

  it("pay back what passed elsewhere, and no more than ten bursts of it", async () => {
    const clock = newClock();
    const counters = sharedMemory();
    const mine = new RateLimiter(LIMIT, clock, counters);
    expect(passing(mine, 20)).toBe(20);
    await mine.exchange();
    await counters.add(
      "rate",
      new Map([["192.0.2.1", 1_000_000]]),
      new Date(clock.time + 60_000),
      clock.now(),
    );
    clock.time += 1000;
    expect(passing(mine, 1)).toBe(1);
    await mine.exchange();
    expect(mine.take("192.0.2.1")).toBe(21);
    clock.time += 20_100;
    expect(passing(mine, 5)).toBe(1);
  });

  it("start again with the counters when those are gone", async () => {
    const clock = newClock();
    let counters = memoryEphemeral();
    const replaced: Ephemeral = { ...counters, shared: true, add: (...given) => counters.add(...given) };
    const limiter = new RateLimiter(LIMIT, clock, replaced);
    passing(limiter, 15);
    await limiter.exchange();
    counters = memoryEphemeral();
    clock.time += 1000;
    expect(passing(limiter, 20)).toBe(15);
    await limiter.exchange();
    clock.time += 1000;
    expect(passing(limiter, 50)).toBe(10);
  });

  it("count for themselves while the counters fail, and tell it later", async () => {
    const clock = newClock();
    const counters = sharedMemory();
    let failing = true;
    const flaky: Ephemeral = {
      ...counters,
      add: (...given) => (failing ? Promise.reject(new Error("away")) : counters.add(...given)),
    };
    const limiter = new RateLimiter(LIMIT, clock, flaky);
    expect(passing(limiter, 50)).toBe(20);
    await limiter.exchange();
    failing = false;
    await limiter.exchange();
    const now = clock.now();
    expect(await counters.add("rate", new Map([["192.0.2.1", 0]]), now, now)).toEqual(
      new Map([["192.0.2.1", 20]]),
    );
  });
});

it("counters of this process alone are left alone", async () => {
  const clock = newClock();
  const counters = memoryEphemeral();
  const limiter = new RateLimiter(LIMIT, clock, counters);
  passing(limiter, 5);
  await limiter.exchange();
  const now = clock.now();
  expect(await counters.add("rate", new Map([["192.0.2.1", 0]]), now, now)).toEqual(
    new Map([["192.0.2.1", 0]]),
  );
});
