// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Location } from "./ast.ts";
import { type Diagnostic, RegoError } from "./errors.ts";
import { parseModule } from "./parse/module.ts";
import { renderDiagnostics } from "./render.ts";

function rendered(text: string): string {
  try {
    parseModule(text, { file: "a.rego" });
  } catch (error) {
    if (error instanceof RegoError) return renderDiagnostics(error.diagnostics, { "a.rego": text });
    throw error;
  }
  return "";
}

const finding = (location?: Location, hint?: string): Diagnostic => ({
  code: "REGO_COMPILE",
  message: "no",
  ...(location === undefined ? {} : { location }),
  ...(hint === undefined ? {} : { hint }),
});
const span = (text: string, part: string, file = "a"): Location => {
  const offset = text.indexOf(part);
  const before = text.slice(0, offset).split("\n");
  return {
    file,
    row: before.length,
    column: (before.at(-1) ?? "").length + 1,
    offset,
    end: offset + part.length,
  };
};

describe("rendered findings", () => {
  it("show place, line, carets and hint", () => {
    expect(rendered("package p\n\nallow { input.x }\n")).toBe(
      [
        "a.rego:3:1: error `if` is required before a rule body [REGO_PARSE]",
        " 3 | allow { input.x }",
        "   | ^^^^^",
        "hint: write `allow if { … }`, or use v0",
        "",
      ].join("\n"),
    );
  });
  it("stand apart", () => {
    expect(rendered("package p\nq := ]\nr := ]\n").split("\n\n")).toHaveLength(2);
    expect(renderDiagnostics([], {})).toBe("");
  });
  it.each<[what: string, text: string, part: string, line: string, caret: string]>([
    ["a tab as four columns", "\tx ==\ty", "y", "    x ==    y", "            ^"],
    ["a wide character as two", 'x == "日本" + y', "+", 'x == "日本" + y', "            ^"],
    ["a combining mark as none", 'x == "e\u0301" + y', "+", 'x == "e\u0301" + y', "         ^"],
    ["an emoji as two", 'x == "😀" + y', "+", 'x == "😀" + y', "          ^"],
    ["control characters as a sign", "x \u001b[31m y", "y", "x \ufffd[31m y", "        ^"],
    ["only the first line of a span", "f(\n\tx)", "f(\n\tx)", "f(", "^^"],
    ["the whole span", "x + input.y", "input.y", "x + input.y", "    ^^^^^^^"],
  ])("count %s", (_, text, part, line, caret) => {
    const lines = renderDiagnostics([finding(span(text, part))], { a: text }).split("\n");
    expect(lines.slice(1, 3)).toEqual([` 1 | ${line}`, `   | ${caret}`]);
  });
  it("point at the end of the text", () => {
    const location = { file: "a", row: 1, column: 4, offset: 3, end: 3 };
    expect(renderDiagnostics([finding(location)], { a: "x =" })).toContain(" 1 | x =\n   |    ^");
  });
  it("cut a long line around what they point at", () => {
    const text = `${"x".repeat(500)}!${"y".repeat(500)}`;
    const [, line = "", caret = ""] = renderDiagnostics([finding(span(text, "!"))], { a: text }).split("\n");
    expect(line.length).toBeLessThan(140);
    expect(line).toMatch(/^ 1 \| …x+!y+…$/);
    expect(caret.indexOf("^")).toBe(line.indexOf("!"));
  });
  it("have no line where there is no source or no place", () => {
    expect(renderDiagnostics([finding(span("x", "x", "other"), "h")], { a: "x" })).toBe(
      "other:1:1: error no [REGO_COMPILE]\nhint: h\n",
    );
    expect(renderDiagnostics([finding()], { a: "x" })).toBe("error no [REGO_COMPILE]\n");
    expect(renderDiagnostics([finding(span("x", "x", "constructor"))], {})).not.toContain("|");
  });
  it("have colours when asked", () => {
    const text = renderDiagnostics([finding(span("x", "x"), "h")], { a: "x" }, { color: true });
    expect(text).toContain("\u001b[31m^\u001b[0m");
    expect(
      text
        .split("\u001b")
        .map((part, i) => (i === 0 ? part : part.replace(/^\[\d+m/, "")))
        .join(""),
    ).toBe(renderDiagnostics([finding(span("x", "x"), "h")], { a: "x" }));
  });
});
