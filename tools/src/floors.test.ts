// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { checkFloors } from "./floors.ts";
import { makeWorkspace, manifest, shown, TEST_FLOORS } from "./testing/tree.ts";

const LOW = "packages/low/src/index.ts";
const HIGH = "packages/high/src/index.ts";

describe("floors", () => {
  it("finds nothing in a tidy house", () => {
    expect(checkFloors(makeWorkspace(), TEST_FLOORS)).toEqual([]);
  });

  it.each<[rule: string, files: Record<string, string>, expected: string]>([
    [
      "an import that points up",
      {
        "packages/low/package.json": manifest("@t/low", { dependencies: { "@t/high": "1.0.0" } }),
        [LOW]: 'import { high } from "@t/high";\nexport const low = high;\n',
        [HIGH]: "export const high = 1;\n",
        "packages/high/package.json": manifest("@t/high"),
      },
      `${LOW}:1 @t/low (floor 0) may not import @t/high (floor 1)`,
    ],
    [
      "a package without a floor",
      { "packages/new/package.json": manifest("@t/new") },
      "packages/new/package.json @t/new has no floor: add it to tools/src/floors.ts",
    ],
    [
      "an undeclared dependency",
      { "packages/high/package.json": manifest("@t/high") },
      `${HIGH}:1 @t/low is not a dependency of @t/high`,
    ],
    [
      "a declared dependency without a use",
      { [HIGH]: "export const high = 1;\n" },
      "packages/high/package.json @t/low is a dependency that nothing imports",
    ],
    [
      "a subpath that is not exported",
      { [HIGH]: 'import { low } from "@t/low";\nexport * from "@t/low/secret";\nexport const high = low;\n' },
      `${HIGH}:2 @t/low/secret is not exported by @t/low`,
    ],
    [
      "a relative path into another package",
      {
        [HIGH]: 'import { low } from "@t/low";\nimport "../../low/src/index.ts";\nexport const high = low;\n',
      },
      `${HIGH}:2 ../../low/src/index.ts leaves @t/high: import another package by its name`,
    ],
    [
      "a Node module in a browser-safe package",
      { [LOW]: 'import { join } from "node:path";\nexport const low = join("a", "b");\n' },
      `${LOW}:1 node:path is imported in browser-safe @t/low`,
    ],
    [
      "Buffer in a browser-safe package",
      { [LOW]: "export const low: Uint8Array = Buffer.alloc(1);\n" },
      `${LOW}:1 Buffer is used in browser-safe @t/low`,
    ],
    [
      "globalThis.process in a browser-safe package",
      { [LOW]: "export const low = 1;\nexport const env: unknown = globalThis.process;\n" },
      `${LOW}:2 process is used in browser-safe @t/low`,
    ],
    [
      "a browser-safe package on one that is not",
      {
        "packages/low/package.json": manifest("@t/low"),
        "packages/high/package.json": manifest("@t/high", {
          browser: true,
          dependencies: { "@t/low": "1.0.0" },
        }),
      },
      `${HIGH}:1 @t/high is browser-safe and @t/low is not`,
    ],
    [
      "a private package in what is published",
      {
        "helpers/package.json": manifest("@t/helpers", { private: true }),
        "helpers/src/index.ts": "export const help = 1;\n",
        "packages/low/package.json": manifest("@t/low", { dependencies: { "@t/helpers": "1.0.0" } }),
        [LOW]: 'import { help } from "@t/helpers";\nexport const low = help;\n',
      },
      `${LOW}:1 @t/helpers is private to tests and tools`,
    ],
    [
      "an optional dependency that a file cannot load without",
      {
        "packages/low/package.json": manifest("@t/low", { optionalDependencies: { native: "1.0.0" } }),
        [LOW]: 'import { low } from "native";\nexport { low };\n',
      },
      `${LOW}:1 native is an optional dependency: import it when it is needed, with import()`,
    ],
    [
      "an optional dependency that nothing imports",
      {
        "packages/low/package.json": manifest("@t/low", { optionalDependencies: { native: "1.0.0" } }),
      },
      "packages/low/package.json native is a dependency that nothing imports",
    ],
    [
      "an import cycle",
      {
        [LOW]: 'import { b } from "./b.ts";\nexport const low: number = b;\n',
        "packages/low/src/b.ts": 'import { low } from "./index.ts";\nexport const b: number = low;\n',
      },
      `${LOW} import cycle: ${LOW} → packages/low/src/b.ts → ${LOW}`,
    ],
  ])("refuses %s", (_rule, files, expected) => {
    expect(shown(checkFloors(makeWorkspace(files), TEST_FLOORS))).toEqual([expected]);
  });

  it.each<[rule: string, files: Record<string, string>]>([
    [
      "node:crypto behind the node condition of #imports",
      {
        "packages/low/package.json": manifest("@t/low", {
          browser: true,
          imports: { "#p": { "@adyton/source": { node: "./src/n.ts", default: "./src/w.ts" } } },
        }),
        [LOW]: 'import { low } from "#p";\nexport { low };\n',
        "packages/low/src/n.ts":
          'import { getFips } from "node:crypto";\nexport const low: number = getFips();\n',
        "packages/low/src/w.ts": "export const low = 1;\n",
      },
    ],
    [
      "an optional dependency that is loaded when it is needed, and in tests",
      {
        "packages/low/package.json": manifest("@t/low", { optionalDependencies: { native: "1.0.0" } }),
        [LOW]: 'export const low = 1;\nexport const load = (): Promise<unknown> => import("native");\n',
        "packages/low/src/low.test.ts": 'import { native } from "native";\nnative();\n',
      },
    ],
    [
      "a ring of types",
      {
        [LOW]: 'import type { B } from "./b.ts";\nexport type Low = B | 1;\nexport const low = 1;\n',
        "packages/low/src/b.ts": 'import type { Low } from "./index.ts";\nexport type B = Low[];\n',
      },
    ],
    [
      "a ring that waits for a call",
      {
        [LOW]: 'export const low = 1;\nexport const later = (): Promise<unknown> => import("./b.ts");\n',
        "packages/low/src/b.ts": 'import { low } from "./index.ts";\nexport const b: number = low;\n',
      },
    ],
    [
      "names that are only spelt like Node's",
      {
        [LOW]:
          "export const low = { process: 1, Buffer: 2 }.process;\nexport function f(process: number): number {\n  return process;\n}\n",
      },
    ],
  ])("allows %s", (_rule, files) => {
    expect(checkFloors(makeWorkspace(files), TEST_FLOORS)).toEqual([]);
  });

  it("lets a test stand on any floor, once it declares that", () => {
    const files = {
      "packages/low/src/low.test.ts":
        'import { high } from "@t/high";\nif (high !== 1) throw new Error("no");\n',
    };
    expect(shown(checkFloors(makeWorkspace(files), TEST_FLOORS))).toEqual([
      "packages/low/src/low.test.ts:1 @t/high is not a dependency of @t/low",
    ]);
    const declared = {
      ...files,
      "packages/low/package.json": manifest("@t/low", {
        browser: true,
        devDependencies: { "@t/high": "1.0.0" },
      }),
    };
    expect(checkFloors(makeWorkspace(declared), TEST_FLOORS)).toEqual([]);
  });
});
