// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { expect, it } from "vitest";
import { lintPackage } from "./packages.ts";
import { makeTree, shown } from "./testing/tree.ts";

it("refuses a package whose export leads nowhere", { timeout: 60_000 }, async () => {
  const root = makeTree({
    "p/package.json":
      '{"name":"p","version":"1.0.0","type":"module","license":"MIT","exports":"./gone.js","files":["x"]}',
    "p/x": "",
  });
  expect(shown(await lintPackage(join(root, "p"), "p"))).toEqual([
    "p/package.json pkg.exports is ./gone.js but the file does not exist.",
  ]);
});
