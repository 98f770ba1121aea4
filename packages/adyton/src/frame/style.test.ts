// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { definitions, printable, styleOf, table, wrap } from "./style.ts";

describe("styleOf", () => {
  const tty = createBufferIo({ isTTY: true }).stdout;
  const file = createBufferIo().stdout;
  it.each([
    ["a terminal", tty, {}, true],
    ["NO_COLOR that is empty counts as unset", tty, { NO_COLOR: "" }, true],
    ["NO_COLOR", tty, { NO_COLOR: "1" }, false],
    ["a dumb terminal", tty, { TERM: "dumb" }, false],
    ["a file", file, {}, false],
  ])("%s", (_name, output, env, coloured) => {
    expect(styleOf(output, env).good("x") !== "x").toBe(coloured);
  });
});

describe("layout", () => {
  it("wraps at spaces, keeps long words whole", () => {
    expect(wrap("aa bb cc dddddddddddd e", 8, 2)).toBe("  aa bb\n  cc\n  dddddddddddd\n  e");
  });
  it("aligns definitions, and breaks after a long term", () => {
    const rows = [
      ["--a", "first"],
      [`--${"b".repeat(30)}`, "second"],
    ] as const;
    expect(definitions(rows, 80).split("\n")).toEqual([
      `  --a${" ".repeat(25)}first`,
      `  --${"b".repeat(30)}`,
      `${" ".repeat(30)}second`,
    ]);
  });
  it("aligns columns", () => {
    expect(
      table([
        ["a", "bbb", "c"],
        ["aaa", "b", ""],
      ]),
    ).toBe("  a    bbb  c\n  aaa  b");
  });
  it("shows control and direction characters instead of obeying them", () => {
    expect(printable("a\u001b[31mb\u202ec\nd")).toBe("a\\u001b[31mb\\u202ec\nd");
  });
});
