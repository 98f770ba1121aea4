// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { checkFeatures } from "./features.ts";
import { makeTree, shown } from "./testing/tree.ts";

const HEAD = "| what | here | tests |\n| --- | --- | --- |\n";
const TREE = { "low.test.ts": 'it("counts", () => {});\nit(`of %s`, () => {});\n', "low.ts": '"counts"' };
const found = (page: string): string[] =>
  shown(checkFeatures(makeTree({ ...TREE, "docs/features.md": page })));

describe("features", () => {
  it("finds nothing where each row names tests that are there", () => {
    const tests = "[counts](../low.test.ts), [of %s](../low.test.ts)";
    expect(
      found(`${HEAD}| one | yes | ${tests} |\n\n| elsewhere | why |\n| --- | --- |\n| x | y |\n`),
    ).toEqual([]);
  });

  it.each<[rule: string, tests: string, expected: string]>([
    ["a row without a test", "see the code", "one: names no test"],
    [
      "a title that is only part of one",
      "[count](../low.test.ts)",
      'one: low.test.ts has no test called "count"',
    ],
    ["a file that is gone", "[counts](../gone.test.ts)", "one: gone.test.ts is not there"],
    ["a file that is no test", "[counts](../low.ts)", "one: low.ts is no test"],
  ])("refuses %s", (_rule, tests, expected) => {
    expect(found(`${HEAD}| one | yes | ${tests} |\n`)).toEqual([`docs/features.md:3 ${expected}`]);
  });

  it("refuses rows of another width, a page without rows, and no page", () => {
    const tests = "[counts](../low.test.ts)";
    expect(found(`${HEAD}| one | yes | no | ${tests} |\n`)).toEqual([
      "docs/features.md:3 has 4 cells, expected 3",
    ]);
    expect(found("# Nothing\n")).toEqual(["docs/features.md has no row with a test"]);
    expect(shown(checkFeatures(makeTree({})))).toEqual(["docs/features.md is missing"]);
  });
});
