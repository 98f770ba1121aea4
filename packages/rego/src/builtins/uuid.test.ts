// SPDX-License-Identifier: Apache-2.0

import { expect, test } from "vitest";
import { callerOf } from "../../test/call.ts";
import { evaluated } from "../../test/rows.ts";
import { standardBuiltins } from "./index.ts";

/** Expected values are those of OPA 1.22.2. */
const ROWS: readonly (readonly [expression: string, value: string])[] = [
  [
    'uuid.parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8")',
    '{"clocksequence": 180, "macvariables": "global:unicast", "nodeid": "00-c0-4f-d4-30-c8", "time": 886630433151182400, "variant": "RFC4122", "version": 1}',
  ],
  [
    'uuid.parse("urn:uuid:000003e8-9dad-21d1-8101-00c04fd430c8")',
    '{"clocksequence": 257, "domain": "Group", "id": 1000, "macvariables": "global:unicast", "nodeid": "00-c0-4f-d4-30-c8", "time": 886630252535908000, "variant": "RFC4122", "version": 2}',
  ],
  ['uuid.parse("{f47ac10b-58cc-4372-a567-0e02b2c3d479}")', '{"variant": "RFC4122", "version": 4}'],
  ['uuid.parse("f47ac10b58cc0372e5670e02b2c3d479")', '{"variant": "Future", "version": 0}'],
  ['uuid.parse("f47ac10b-58cc-4372-a567")', "undefined"],
];

test.each(ROWS)("%s", (expression, value) => {
  expect(evaluated(expression)).toBe(value);
});

const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("uuid.rfc4122 is one for a name and a time, and another for another", () => {
  const call = callerOf(standardBuiltins);
  const later = callerOf(standardBuiltins, { now: new Date("2026-01-15T00:00:01Z") });
  const names = Array.from({ length: 500 }, (_, i) => `name ${i}`);
  const ids = names.map((name) => call("uuid.rfc4122", name));
  expect(ids.every((id) => typeof id === "string" && UUID4.test(id))).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
  expect(names.map((name) => call("uuid.rfc4122", name))).toEqual(ids);
  expect(later("uuid.rfc4122", "name 0")).not.toBe(ids[0]);
});

test("rand.intn stays below its bound, reaches all below it, and is one for a name and a time", () => {
  const call = callerOf(standardBuiltins);
  const drawn = Array.from({ length: 400 }, (_, i) => call("rand.intn", `${i}`, 7));
  expect([...new Set(drawn)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(call("rand.intn", "0", 7)).toBe(drawn[0]);
  expect(call("rand.intn", "0", -7)).toBeLessThan(7);
  expect(call("rand.intn", "0", 0)).toBe(0);
});
