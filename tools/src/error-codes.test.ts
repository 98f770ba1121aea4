// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { checkErrorCodes } from "./error-codes.ts";
import { makeWorkspace, shown } from "./testing/tree.ts";

const ERRORS = "packages/low/src/errors.ts";
const TIDY = {
  [ERRORS]: 'export type LowErrorCode =\n  | "ONE"\n  | "TWO";\n',
  "packages/low/src/index.ts": 'export const low = (n: number): string => (n === 1 ? "ONE" : "TWO");\n',
  "packages/low/src/low.test.ts": 'expect(low(1)).toBe("ONE");\nexpect(low(2)).toBe("TWO");\n',
  "docs/error-codes.md":
    "## `@t/low`\n| code | category |\n|---|---|\n| `ONE` | misuse |\n| `TWO` | policy, misuse |\n",
};

describe("error codes", () => {
  it("finds nothing where code, tests and page agree", () => {
    expect(checkErrorCodes(makeWorkspace(TIDY))).toEqual([]);
  });

  it.each<[rule: string, files: Record<string, string>, expected: string]>([
    [
      "a code that the page lacks",
      { "docs/error-codes.md": "## `@t/low`\n| `ONE` | misuse |\n" },
      `${ERRORS}:3 TWO is not in docs/error-codes.md under @t/low`,
    ],
    [
      "a code on the page that is gone",
      { "docs/error-codes.md": `${TIDY["docs/error-codes.md"]}| \`THREE\` | misuse |\n` },
      "docs/error-codes.md:6 THREE is no code of @t/low",
    ],
    [
      "a code that is only compared with, never thrown",
      {
        "packages/low/src/index.ts": 'export const low = (s: string): string => (s === "TWO" ? "ONE" : s);\n',
      },
      `${ERRORS}:3 TWO is never thrown`,
    ],
    [
      "a code without a test",
      { "packages/low/src/low.test.ts": 'expect(low(1)).toBe("ONE");\n' },
      `${ERRORS}:3 TWO is asserted by no test`,
    ],
    [
      "a category that the page does not say",
      {
        "packages/low/src/two.ts":
          'export const two = (): Error => new LowError("TWO",\n "malformed", "no");\n',
      },
      "docs/error-codes.md:5 TWO is thrown as malformed, which the page does not say",
    ],
    [
      "a section for no package",
      { "docs/error-codes.md": `${TIDY["docs/error-codes.md"]}## \`@t/gone\`\n` },
      "docs/error-codes.md has a section for @t/gone, which is no package",
    ],
  ])("refuses %s", (_rule, files, expected) => {
    expect(shown(checkErrorCodes(makeWorkspace({ ...TIDY, ...files })))).toEqual([expected]);
  });

  it("reads codes that a template makes, in tests and in code", () => {
    const join = ["`$", "{part}_$", "{why}`"].join("");
    const suffix = ["`$", "{part}_ALL_GONE`"].join("");
    const files = {
      [ERRORS]: 'export type LowErrorCode = "PART_ONE_ALL_GONE";\n',
      "packages/low/src/index.ts": `const part = "PART_ONE";\nexport const low = ${suffix};\n`,
      "packages/low/src/low.test.ts": `const check = (part: string, why: string) => expect(low).toBe(${join});\ncheck("PART_ONE", "ALL_GONE");\n`,
      "docs/error-codes.md": "## `@t/low`\n| `PART_ONE_ALL_GONE` | misuse |\n",
    };
    expect(checkErrorCodes(makeWorkspace(files))).toEqual([]);
    const apart = { ...files, "packages/low/src/low.test.ts": 'check("PART_ONE", "ALL_GONE");\n' };
    expect(shown(checkErrorCodes(makeWorkspace(apart)))).toEqual([
      `${ERRORS}:1 PART_ONE_ALL_GONE is asserted by no test`,
    ]);
  });

  it("refuses a repository without the page", () => {
    expect(shown(checkErrorCodes(makeWorkspace()))).toEqual(["docs/error-codes.md is missing"]);
  });
});
