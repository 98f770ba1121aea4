// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Decimal } from "./decimal.ts";
import {
  compare,
  keyOf,
  keysOf,
  kindOf,
  memberOf,
  objectOf,
  RegoObject,
  RegoSet,
  same,
  setMember,
  type Value,
} from "./value.ts";

const scalar = fc.oneof(
  fc.constantFrom<Value>(
    null,
    true,
    false,
    0,
    -0,
    1,
    1.5,
    "",
    "a",
    "\0",
    '\0"a',
    "[",
    "é",
    "\ud83d\ude00",
    "\ue000",
  ),
  fc.integer(),
  fc.bigInt({ min: 2n ** 60n, max: 2n ** 70n }),
  fc.constantFrom<Value>(new Decimal(12345678901234567890123n, -10), new Decimal(1n, -400)),
  fc.string(),
);
const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(tie("value"), { maxLength: 3 }).map((members) => RegoSet.of(members)),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map(objectOf),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 3 }),
  ),
}));

describe("values", () => {
  it("have one total order, one equality and one key that agree", () => {
    fc.assert(
      fc.property(value, value, value, (a, b, c) => {
        expect(Math.sign(compare(a, b))).toBe(-Math.sign(compare(b, a)) + 0);
        expect(compare(a, a)).toBe(0);
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
        expect(same(a, b)).toBe(compare(a, b) === 0);
        expect(keyOf(a) === keyOf(b) || (Number.isNaN(keyOf(a)) && false)).toBe(same(a, b));
      }),
      { numRuns: 500 },
    );
  });

  it("are ordered by kind", () => {
    const kinds = [null, true, 1, "", [], {}, new RegoSet()] satisfies Value[];
    expect([...kinds].reverse().sort(compare)).toEqual(kinds);
    expect(kinds.map(kindOf)).toEqual(["null", "boolean", "number", "string", "array", "object", "set"]);
  });

  it("are one number whatever holds it", () => {
    expect(same(2 ** 53, 2n ** 53n)).toBe(true);
    expect(keyOf(2 ** 53)).toBe(keyOf(2n ** 53n));
    expect(compare(2n ** 60n, 1.5)).toBeGreaterThan(0);
    expect(same(2n ** 60n, "x")).toBe(false);
  });

  it("have members of their own only", () => {
    expect(memberOf({ a: 1 }, "a")).toBe(1);
    expect(memberOf({}, "constructor")).toBeUndefined();
    expect(memberOf([1], 0)).toBe(1);
    expect(memberOf([1], "length")).toBeUndefined();
    expect(memberOf([1], -1)).toBeUndefined();
    expect(memberOf(RegoSet.of([1]), 1)).toBe(1);
    expect(memberOf(RegoObject.of([[1, 2]]), 1)).toBe(2);
    expect(memberOf(new Decimal(1n, -30), "digits")).toBeUndefined();
    const odd: Record<string, Value> = {};
    setMember(odd, "__proto__", 1);
    expect(memberOf(odd, "__proto__")).toBe(1);
    expect(keysOf(odd)).toEqual(["__proto__"]);
  });
});
