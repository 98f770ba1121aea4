// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { compile, type TraceEvent } from "../index.ts";
import { printTerm } from "../print.ts";
import { showValue } from "../show.ts";

/** One line for each event: what happened, at which row, how deep, and the values that could be seen. */
function traceOf(
  rules: string,
  input: { readonly [key: string]: string | readonly string[] } | undefined,
): string[] {
  const lines: string[] = [];
  const trace = (event: TraceEvent) => {
    if (event.kind === "note") {
      lines.push(`note ${event.message}`);
      return;
    }
    const what = event.node === undefined ? "part" : "head" in event.node ? "rule" : "expression";
    const values = (event.operands?.() ?? []).map(
      ({ term, value }) => `${printTerm(term)}=${value === undefined ? "undefined" : showValue(value)}`,
    );
    const result = event.value === undefined ? [] : [showValue(event.value)];
    lines.push([event.kind, what, event.location.row, event.depth, ...result, ...values].join(" "));
  };
  compile({ modules: { "a.rego": `package test\n${rules}` } })
    .prepare("data.test.p")
    .evaluate({ input, trace });
  return lines;
}

describe("trace", () => {
  it("tells which condition failed, and what it found", () => {
    expect(traceOf('p if {\n\tinput.user == "bob"\n\tinput.x\n}', { user: "alice" })).toContain(
      'fail expression 3 1 input.user="alice"',
    );
    expect(traceOf('p if {\n\tinput.user == "bob"\n}', {})).toContain(
      "fail expression 3 1 input.user=undefined",
    );
  });

  it("tells of rules: tried, solved, failed, tried again", () => {
    const lines = traceOf("p if {\n\tq == 2\n}\nq := 1 if input.nope\nq := 2 if input.x", { x: "y" });
    expect(lines.filter((line) => line.includes(" rule "))).toEqual([
      "enter rule 2 1",
      "enter rule 5 2",
      "fail rule 5 2",
      "enter rule 6 2",
      "exit rule 6 2 2",
      "exit rule 2 1 true",
    ]);
  });

  it("tells of each solution of a loop", () => {
    const lines = traceOf('p if {\n\tsome r in input.roles\n\tr == "b"\n}', { roles: ["a", "b"] });
    expect(lines.filter((line) => line.includes("expression 4"))).toEqual([
      'enter expression 4 1 r="a"',
      'fail expression 4 1 r="a"',
      'enter expression 4 1 r="b"',
      'exit expression 4 1 r="b"',
    ]);
    expect(lines.some((line) => line.startsWith("redo expression 3"))).toBe(true);
  });

  it("shows what calls gave", () => {
    const lines = traceOf("p if {\n\tcount(input.roles) > 1\n}", { roles: ["a"] });
    expect(
      lines.some((line) => line.startsWith("fail expression 3") && line.includes("count(input.roles)=1")),
    ).toBe(true);
  });

  it("evaluates every clause, also those that an index would leave out", () => {
    const rules = Array.from({ length: 20 }, (_, i) => `p if input.user == "u${i}"`).join("\n");
    expect(traceOf(rules, { user: "u3" }).filter((line) => line.startsWith("enter rule"))).not.toHaveLength(
      1,
    );
  });

  it("carries notes", () => {
    expect(traceOf('p if trace("here")', undefined)).toContain("note here");
  });

  it("gives the same answers as without it", () => {
    const rules = `package test
p contains x if { some x in input.list; not f(x); every y in input.list { y >= x } }
f(x) if x > 2
q[x] := y if { some x, y in input.list; z := y with input as 1; z == y }
r := [x | p[x]] if { true } else := 1`;
    const query = compile({ modules: { "a.rego": rules } }).prepare("data.test");
    const input = { list: [3, 1, 2] };
    const answers = query.evaluate({ input });
    expect(showValue(answers[0]?.values[0] ?? null)).toBe('{"p": {1}, "q": {0: 3, 1: 1, 2: 2}, "r": [1]}');
    const traced = query.evaluate({ input, trace: () => {} });
    expect(showValue(traced[0]?.values[0] ?? null)).toBe(showValue(answers[0]?.values[0] ?? null));
    expect(query.value({ input, trace: () => {} })).toBeDefined();
  });
});
