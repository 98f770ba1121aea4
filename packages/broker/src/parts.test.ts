// SPDX-License-Identifier: Apache-2.0
// The small parts that need no broker around them: names, addresses, init-data, logs.

import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { networkOf, RateLimiter } from "./http/rate-limit.ts";
import { initDataHash } from "./init-data.ts";
import { type LogFacts, redacting } from "./log.ts";
import { parseResourcePath, resourceName } from "./resource-path.ts";

describe("a resource name", () => {
  it("reads back what it wrote", () => {
    const part = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,20}$/);
    fc.assert(
      fc.property(part, part, part, (repository, type, tag) => {
        expect(parseResourcePath(resourceName({ repository, type, tag }))).toEqual({ repository, type, tag });
      }),
    );
  });

  it("is read or refused, whatever it is", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(["nothing", "INVALID_PATH"]).toContain(codeOf(() => parseResourcePath(text)));
      }),
    );
  });
});

describe("the rate limiter", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8:1:2::1", "2001:db8:1:2"],
    ["2001:DB8::1", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
    ["", ""],
  ])("counts %j as %j", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it("forgets who was silent longest, not who is busy", () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 1 }, { now: () => new Date(0) });
    expect(limiter.take("busy")).toBe(0);
    for (let i = 0; i < 9_000; i++) limiter.take(`a${i}`);
    expect(limiter.take("busy")).toBe(1);
    for (let i = 0; i < 9_999; i++) limiter.take(`b${i}`);
    expect(limiter.take("busy")).toBe(1);
    for (let i = 0; i < 10_000; i++) limiter.take(`c${i}`);
    expect(limiter.take("busy")).toBe(0);
  });

  it("stays calm when the clock goes back", () => {
    const clock = { time: 10_000, now: () => new Date(clock.time) };
    const limiter = new RateLimiter({ perSecond: 1, burst: 1 }, clock);
    limiter.take("a");
    clock.time = 0;
    expect(limiter.take("a")).toBe(1);
    clock.time = 1000;
    expect(limiter.take("a")).toBe(0);
  });
});

describe("init-data names its hash", () => {
  it.each([
    ['version = "0.1.0"\nalgorithm = "sha256"\n[data]\n', "SHA-256"],
    ["algorithm='sha384' # as launched\r\n", "SHA-384"],
    ['"algorithm" = "sha512"', "SHA-512"],
  ])("%j as %s", (document, hash) => {
    expect(initDataHash(document)).toBe(hash);
  });

  it.each([
    "",
    'algorithm = "md5"',
    'algorithm = "toString"',
    "algorithm = sha256",
    '[data]\nalgorithm = "sha256"',
    'algorithm = "sha256"\nalgorithm = "sha384"',
  ])("not %j", (document) => {
    expect(codeOf(() => initDataHash(document))).toBe("INVALID_REQUEST");
  });
});

describe("the log", () => {
  it("shows neither secret facts nor tokens in any text", () => {
    const seen: [string, LogFacts | undefined][] = [];
    const note = (event: string, facts?: LogFacts) => void seen.push([event, facts]);
    const logger = redacting({ info: note, warn: note, error: note });
    const token = `eyJhbGciOiJFUzI1NiJ9.${"a".repeat(20)}.${"b".repeat(20)}`;
    logger.info("a", { adminToken: "T", cookie: "C", sessionId: "S", code: "X", missing: undefined });
    logger.warn("b", { reason: `Cannot use ${token} here`, count: 3, ok: true });
    logger.error("c");
    expect(seen).toEqual([
      ["a", { adminToken: "[redacted]", cookie: "[redacted]", sessionId: "[redacted]", code: "X" }],
      ["b", { reason: "Cannot use [redacted] here", count: 3, ok: true }],
      ["c", {}],
    ]);
  });
});
