// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bare, trees } from "../test/ast.ts";
import { parseModule } from "./parse/module.ts";
import { printModule } from "./print.ts";

describe("printing", () => {
  it("gives a module that parses to the same tree", () => {
    fc.assert(
      fc.property(trees.module, (module) => {
        const text = printModule(module);
        expect(bare(parseModule(text))).toEqual(bare(module));
        expect(printModule(parseModule(text))).toBe(text);
      }),
      { numRuns: 300 },
    );
  });
});
