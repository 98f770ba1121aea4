// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { checkNames } from "./names.ts";
import { makeWorkspace, manifest, shown } from "./testing/tree.ts";

const TWO_ENTRIES = manifest("@t/low", {
  exports: { ".": { "@adyton/source": "./src/index.ts" }, "./a": { "@adyton/source": "./src/a.ts" } },
});

describe("names", () => {
  it("allows one declaration under two entries", () => {
    const workspace = makeWorkspace({
      "packages/low/package.json": TWO_ENTRIES,
      "packages/low/src/a.ts": 'export { low } from "./index.ts";\n',
    });
    expect(checkNames(workspace)).toEqual([]);
  });

  it("refuses one name with two meanings", () => {
    const workspace = makeWorkspace({
      "packages/low/package.json": TWO_ENTRIES,
      "packages/low/src/a.ts": "\nexport const low = 2;\n",
    });
    expect(shown(checkNames(workspace))).toEqual([
      "packages/low/src/a.ts:2 low (public in packages/low/src/a.ts) is also declared in packages/low/src/index.ts:1 (public in packages/low/src/index.ts)",
    ]);
  });
});
