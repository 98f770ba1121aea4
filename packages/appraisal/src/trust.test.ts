// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { statusOf, TRUST_CLAIMS, type TrustTier, type TrustVector, tierOf, worstTier } from "./trust.ts";

describe("tiers", () => {
  const ranges: readonly (readonly [from: number, to: number, tier: TrustTier])[] = [
    [-128, -97, "contraindicated"],
    [-96, -33, "warning"],
    [-32, -2, "affirming"],
    [-1, 1, "none"],
    [2, 31, "affirming"],
    [32, 95, "warning"],
    [96, 127, "contraindicated"],
  ];

  it.each(ranges)("%i to %i is %s", (from, to, tier) => {
    for (let value = from; value <= to; value++) expect(tierOf(value)).toBe(tier);
  });

  it("holds every signed byte once", () => {
    expect(ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0)).toBe(256);
  });

  it.each([128, -129, 2.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "%d is no value: contraindicated",
    (value) => {
      expect(tierOf(value)).toBe("contraindicated");
    },
  );
});

describe("status", () => {
  const quiet: TrustVector = {
    "instance-identity": 0,
    configuration: 0,
    executables: 0,
    "file-system": 0,
    hardware: 0,
    "runtime-opaque": 0,
    "storage-opaque": 0,
    "sourced-data": 0,
  };

  it.each<[TrustTier[], TrustTier]>([
    [[], "none"],
    [["none", "affirming"], "affirming"],
    [["warning", "affirming", "none"], "warning"],
    [["affirming", "contraindicated", "warning"], "contraindicated"],
  ])("the worst of %j is %s", (tiers, worst) => {
    expect(worstTier(tiers)).toBe(worst);
  });

  it("of a vector that asserts nothing is none", () => {
    expect(statusOf(quiet)).toBe("none");
  });

  it.each(TRUST_CLAIMS)("one bad %s spoils the vector", (claim) => {
    const good = { ...quiet, hardware: 2, executables: 3, configuration: 2 };
    expect(statusOf(good)).toBe("affirming");
    expect(statusOf({ ...good, [claim]: 33 })).toBe("warning");
    expect(statusOf({ ...good, [claim]: 97 })).toBe("contraindicated");
  });

  it("is never better than any claim", () => {
    const byte = fc.integer({ min: -128, max: 127 });
    const order = ["none", "affirming", "warning", "contraindicated"];
    fc.assert(
      fc.property(fc.tuple(...TRUST_CLAIMS.map(() => byte)), (values) => {
        const vector = Object.fromEntries(TRUST_CLAIMS.map((claim, i) => [claim, values[i]])) as TrustVector;
        const status = order.indexOf(statusOf(vector));
        for (const value of values) expect(status).toBeGreaterThanOrEqual(order.indexOf(tierOf(value)));
      }),
    );
  });
});
