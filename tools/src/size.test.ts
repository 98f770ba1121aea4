// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { checkSize, gzippedSize } from "./size.ts";
import { makeTree, shown } from "./testing/tree.ts";

describe("size", () => {
  it("weighs what is used and not what is not", async () => {
    const root = makeTree({
      "node_modules/a/package.json": '{"name":"a","type":"module","sideEffects":false,"exports":"./a.js"}',
      "node_modules/a/a.js": `export const small = 1;\nexport const big = "${Array.from({ length: 500 }, (_, i) => i * 7919).join()}";\n`,
    });
    const small = await gzippedSize(root, 'export { small } from "a";');
    const big = await gzippedSize(root, 'export { big } from "a";');
    expect(small).toBeLessThan(100);
    expect(big).toBeGreaterThan(500);
    const said: string[] = [];
    const code = 'export { big } from "a";';
    expect(await checkSize(root, (line) => said.push(line), [{ title: "Big", code, maxBytes: big }])).toEqual(
      [],
    );
    expect(said).toEqual([`Big: ${big} bytes of at most ${big}`]);
    expect(shown(await checkSize(root, () => {}, [{ title: "Big", code, maxBytes: big - 1 }]))).toEqual([
      `tools/src/size.ts Big: ${big} bytes, at most ${big - 1}`,
    ]);
  });

  it("refuses what a browser cannot load", async () => {
    const budget = { title: "Node", code: 'export { join } from "node:path";', maxBytes: 1_000 };
    expect(shown(await checkSize(makeTree({}), () => {}, [budget]))[0]).toContain("Node does not bundle");
  });
});
