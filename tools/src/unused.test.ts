// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { makeWorkspace, shown } from "./testing/tree.ts";
import { checkUnused } from "./unused.ts";

const LOW = "packages/low/src/index.ts";
const PART = "packages/low/src/part.ts";

describe("unused", () => {
  it.each<[rule: string, files: Record<string, string>]>([
    ["a tidy house", {}],
    [
      "a type that stands in a signature",
      {
        [LOW]: 'import { part } from "./part.ts";\nexport const low: number = part({ n: 1 });\n',
        [PART]: "export interface Part {\n  n: number;\n}\nexport const part = (p: Part): number => p.n;\n",
      },
    ],
    [
      "a name that is re-exported",
      { [LOW]: 'export { part as low } from "./part.ts";\n', [PART]: "export const part = 1;\n" },
    ],
    ["names behind a star", { [LOW]: 'export * from "./part.ts";\n', [PART]: "export const low = 1;\n" }],
    [
      "names behind import()",
      {
        [LOW]: 'export const low = 1;\nexport const later = (): Promise<unknown> => import("./part.ts");\n',
        [PART]: "export const part = 1;\n",
      },
    ],
    [
      "what protoc made",
      {
        [LOW]: 'import { a } from "./x_pb.ts";\nexport const low: number = a;\n',
        "packages/low/src/x_pb.ts": "export const a = 1;\nexport const spare = 2;\n",
      },
    ],
    [
      "names that a test reads",
      {
        "packages/low/src/part.test.ts":
          'import { part } from "./part.ts";\nif (part !== 1) throw new Error("no");\n',
        [PART]: "export const part = 1;\n",
      },
    ],
  ])("finds nothing in %s", (_rule, files) => {
    expect(shown(checkUnused(makeWorkspace(files)))).toEqual([]);
  });

  it.each<[rule: string, files: Record<string, string>, expected: string]>([
    ["a file without a reader", { [PART]: "export const part = 1;\n" }, `${PART} is imported by nothing`],
    [
      "a ring of files without a reader",
      { [PART]: 'import "./part2.ts";\n', "packages/low/src/part2.ts": 'import "./part.ts";\n' },
      `${PART} is imported by nothing`,
    ],
    [
      "a name without a reader",
      {
        [LOW]: 'import { part } from "./part.ts";\nexport const low: number = part;\n',
        [PART]: "export const part = 1;\nexport const spare = 2;\n",
      },
      `${PART}:2 spare is exported and never imported`,
    ],
  ])("refuses %s", (_rule, files, expected) => {
    expect(shown(checkUnused(makeWorkspace(files)))).toContain(expected);
  });
});
