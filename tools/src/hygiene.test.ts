// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { checkHygiene } from "./hygiene.ts";
import { makeTree, shown } from "./testing/tree.ts";

const HEAD = "// SPDX-License-Identifier: Apache-2.0\n";
/** Written apart, so that this file passes its own gate. */
const UNFINISHED = `${"TO"}DO`;
const MACHINE = `${"/ho"}me/ann/adyton`;

function check(files: Record<string, string>): string[] {
  return shown(checkHygiene(makeTree(files), Object.keys(files)));
}

describe("hygiene", () => {
  it("finds nothing in tidy files, scripts with a shebang included", () => {
    expect(
      check({
        "a.ts": `${HEAD}export const a = "https://example.org/home/page";\n`,
        "b.mjs": `#!/usr/bin/env node\n${HEAD}`,
        "notes.md": "See ./work/things and ../shared/work/x.\n",
        "image.png": MACHINE,
      }),
    ).toEqual([]);
  });

  it.each<[rule: string, file: string, text: string, expected: string]>([
    [
      "code without its licence line",
      "a.ts",
      "export {};\n",
      'a.ts:1 does not start with "// SPDX-License-Identifier: Apache-2.0"',
    ],
    ["a path of one machine", "a.md", `\ncd ${MACHINE}\n`, `a.md:2 a path of one machine: cd ${MACHINE}`],
    [
      "unfinished work",
      "a.ts",
      `${HEAD}// ${UNFINISHED} later\n`,
      `a.ts:2 unfinished work: // ${UNFINISHED} later`,
    ],
    ["a merge conflict", "a.md", `${"<".repeat(7)} mine\n`, `a.md:1 a merge conflict: ${"<".repeat(7)} mine`],
    [
      "a silenced compiler",
      "a.ts",
      `${HEAD}// @ts-${"ignore"}\n`,
      `a.ts:2 a silenced compiler: // @ts-${"ignore"}`,
    ],
    [
      "a silenced linter",
      "a.ts",
      `${HEAD}// biome-${"ignore"} x\n`,
      `a.ts:2 a silenced linter: // biome-${"ignore"} x`,
    ],
    [
      "a cast through unknown",
      "a.ts",
      `${HEAD}const a = 1 as ${"unknown"} as string;\n`,
      `a.ts:2 a cast that no type stands behind: const a = 1 as ${"unknown"} as string;`,
    ],
    ["a long file", "a.ts", HEAD + "export {};\n".repeat(400), "a.ts has 402 lines; split it at 400"],
  ])("refuses %s", (_rule, file, text, expected) => {
    expect(check({ [file]: text })).toEqual([expected]);
  });

  it("refuses packages from elsewhere and packages without a hash", () => {
    const lock = {
      packages: {
        "": { version: "1.0.0" },
        "packages/a": { version: "1.0.0" },
        "node_modules/a": { link: true, resolved: "packages/a" },
        "node_modules/b": { integrity: "sha512-x" },
        "node_modules/c": { resolved: "https://elsewhere.example/c.tgz", integrity: "sha512-x" },
        "node_modules/d": { version: "1.0.0" },
      },
    };
    expect(check({ "package-lock.json": JSON.stringify(lock) })).toEqual([
      "package-lock.json node_modules/c comes from https://elsewhere.example/c.tgz",
      "package-lock.json node_modules/d has no integrity",
    ]);
  });
});
