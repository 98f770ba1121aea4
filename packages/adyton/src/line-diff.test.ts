// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { lineDiff } from "./line-diff.ts";

const PATCH = "/usr/bin/patch";
const folder = mkdtempSync(join(tmpdir(), "adyton-diff-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What `patch` makes of it. */
function patched(before: string, diff: string): string {
  const file = join(folder, "file");
  writeFileSync(file, before);
  const input = `--- file\n+++ file\n${diff}`;
  const args = ["--quiet", "--force", "--output=-", file];
  return execFileSync(PATCH, args, { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
}

describe("lineDiff", () => {
  it.each<readonly [what: string, before: string, after: string, diff: string]>([
    ["nothing", "a\n", "a\n", ""],
    ["a change", "a\nb\nc\n", "a\nB\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"],
    ["a first text", "", "a\n", "@@ -0,0 +1,1 @@\n+a\n"],
    ["the last of a text", "a\n", "", "@@ -1,1 +0,0 @@\n-a\n"],
    ["a line's end", "a", "a\n", "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n"],
  ])("shows %s", (_, before, after, diff) => {
    expect(lineDiff(before, after)).toBe(diff);
  });

  it("shows three lines around each difference, and nothing between", () => {
    const lines = Array.from({ length: 30 }, (_, at) => `${at}\n`);
    const diff = lineDiff(lines.join(""), lines.with(4, "four\n").with(25, "last\n").join(""));
    expect(diff.match(/^@@.*$/gm)).toEqual(["@@ -2,7 +2,7 @@", "@@ -23,7 +23,7 @@"]);
    expect(diff).not.toContain(" 12\n");
  });

  it("keeps what is common", () => {
    const diff = lineDiff("x\na\nb\nc\ny\n", "1\na\nb\nc\n2\n");
    expect(diff.match(/^ .$/gm)).toEqual([" a", " b", " c"]);
  });

  it.skipIf(!existsSync(PATCH))("turns one text into the other, says patch", () => {
    const text = fc
      .array(fc.constantFrom("a", "b", "c", ""), { maxLength: 12 })
      .map((lines) => lines.map((line) => `${line}\n`).join(""));
    fc.assert(
      fc.property(text, text, (before, after) => {
        fc.pre(before !== after && before !== "" && after !== "");
        expect(patched(before, lineDiff(before, after))).toBe(after);
      }),
      { numRuns: 60 },
    );
  });

  it("bounds what it computes: of large texts all in between is new", () => {
    const text = (word: string) => `head\n${`${word}\nsame\n`.repeat(2_000)}tail\n`;
    const diff = lineDiff(text("a"), text("b"));
    expect(diff.match(/^-/gm)).toHaveLength(3_999);
    expect(diff.startsWith("@@ -1,4002 +1,4002 @@\n head\n-a\n")).toBe(true);
  });
});
