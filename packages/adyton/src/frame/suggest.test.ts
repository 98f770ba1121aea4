// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { suggest } from "./suggest.ts";

const WORDS = ["evidence", "inspect", "verify", "up", "endorsements", "min-tcb", "min-tcb-date"];

describe("suggest", () => {
  it.each([
    ["evidnce", "evidence"],
    ["inpsect", "inspect"],
    ["veri", "verify"],
    ["VERIFY", "verify"],
    ["pu", "up"],
    ["endorsement", "endorsements"],
    ["min-tbc", "min-tcb"],
  ])("%s: %s", (word, meant) => {
    expect(suggest(word, WORDS)).toBe(meant);
  });

  it.each(["banana", "x", "", "xxxxxxxx"])("%j is near nothing", (word) => {
    expect(suggest(word, WORDS)).toBeUndefined();
  });
});
