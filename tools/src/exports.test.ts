// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { checkExports } from "./exports.ts";
import { makeWorkspace, manifest, shown } from "./testing/tree.ts";

const EXPORTS = {
  ".": { "@adyton/source": "./src/index.ts", default: "./dist/index.js" },
  "./deep": { "@adyton/source": "./src/deep.ts", default: "./dist/deep.js" },
};
const TIDY = {
  "packages/low/package.json": manifest("@adyton/low", { exports: EXPORTS }),
  "packages/low/src/deep.ts": "export const deep = 1;\n",
  "packages/low/dist/index.js": "",
  "packages/low/dist/deep.js": "",
  "packages/low/README.md": "Import `@adyton/low` or `@adyton/low/deep`.\n",
  "packages/high/package.json": manifest("@adyton/high", { private: true }),
};

describe("exports", () => {
  it("finds nothing where code and README agree", () => {
    expect(checkExports(makeWorkspace(TIDY))).toEqual([]);
  });

  it.each<[rule: string, files: Record<string, string>, expected: string]>([
    [
      "an export without a file",
      {
        "packages/low/package.json": manifest("@adyton/low", {
          exports: { ...EXPORTS, "./deep": { "@adyton/source": "./src/gone.ts", default: "./dist/deep.js" } },
        }),
      },
      "packages/low/package.json ./deep leads to ./src/gone.ts, which does not exist",
    ],
    [
      "an export that README.md does not mention",
      { "packages/low/README.md": "Import `@adyton/low`.\n" },
      "packages/low/README.md does not mention @adyton/low/deep",
    ],
    [
      "a subpath in README.md that is not exported",
      { "packages/low/README.md": "`@adyton/low`\n`@adyton/low/deep`\n`@adyton/low/deeper`\n" },
      "packages/low/README.md:3 names @adyton/low/deeper, which @adyton/low does not export",
    ],
    [
      "a package on another page that does not exist",
      { "docs/page.md": "Use `@adyton/nothing`.\n" },
      "docs/page.md:1 names @adyton/nothing: there is no package @adyton/nothing",
    ],
  ])("refuses %s", (_rule, files, expected) => {
    expect(shown(checkExports(makeWorkspace({ ...TIDY, ...files })))).toEqual([expected]);
  });

  it("refuses a package without README.md", () => {
    const { "packages/low/README.md": _, ...files } = TIDY;
    expect(shown(checkExports(makeWorkspace(files)))).toEqual(["packages/low/README.md is missing"]);
  });
});
