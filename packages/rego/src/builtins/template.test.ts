// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { RegoObject, RegoSet, type Value } from "../value.ts";
import { template } from "./template.ts";

const call = callerOf(template);
const render = (text: Value, data: Value): Value | undefined => call("strings.render_template", text, data);
const DATA = { s: "text", n: 7, t: true, f: false, z: null, list: ["p", 2, null], map: { k: "v", a: [1] } };

describe("strings.render_template", () => {
  it.each([
    ["", ""],
    ["no braces }} {", "no braces }} {"],
    ["{{.s}} {{.n}} {{.t}} {{.list}} {{.map}}", "text 7 true [p 2 <nil>] map[a:[1] k:v]"],
    ["{{.none}} {{.none.x}} {{.z}}", "<undefined> <undefined> <undefined>"],
    ["{{.map.k}} {{(.map).k}} {{$.map.k}}", "v v v"],
    ["a {{- .s -}} b {{/* c */}}d {{- /* e\n */ -}} f", "atextb df"],
    ["{{if .t}}a{{else}}b{{end}}{{if .f}}a{{else}}b{{end}}{{if .z}}a{{end}}", "ab"],
    ["{{if .f}}a{{else if .t}}b{{else}}c{{end}}", "b"],
    [
      "{{with .map}}{{.k}}{{end}}{{with .none}}a{{else}}b{{end}}{{with .f}}a{{else with .s}}{{.}}{{end}}",
      "vbtext",
    ],
    ["{{range .list}}<{{.}}>{{end}}", "<p><2><<undefined>>"],
    ["{{range $i, $e := .list}}{{if $i}},{{end}}{{$i}}={{$e}}{{end}}", "0=p,1=2,2=<undefined>"],
    ["{{range $k, $v := .map}}{{$k}}:{{$v}};{{end}}", "a:[1];k:v;"],
    ["{{range .none}}a{{else}}b{{end}}{{range 3}}{{.}}{{end}}", "b012"],
    ["{{range $i, $e := .list}}{{if eq $i 1}}{{continue}}{{end}}{{$i}}{{end}}", "02"],
    ["{{range 9}}{{if eq . 3}}{{break}}{{end}}{{.}}{{end}}", "012"],
    ["{{$x := 1}}{{if .t}}{{$x = 2}}{{$x := 3}}{{$x}}{{end}}{{$x}}", "32"],
    ["{{range $y := .list}}{{end}}{{with $x := .s}}{{$x}}{{end}}", "text"],
    [
      '{{eq .n "7"}} {{eq 1 2 1}} {{ne .s "a"}} {{lt 1 2}} {{le 2 2}} {{gt "b" "a"}} {{ge 1.5 2.5}}',
      "true true true true true true false",
    ],
    ["{{and .t .f}} {{or .f .s}} {{not .f}} {{or .f .z}}", "false text true <undefined>"],
    ['{{len .s}} {{len .list}} {{len .map}} {{.s | len}} {{len "é"}}', "4 3 2 4 2"],
    ['{{index .list 0}} {{index .map "a" 0}} {{index "ab" 1}}', "p 1 98"],
    [
      '{{print 1 2 "a" true}} {{println 1 "a"}}{{printf "%s|%5d|%v" .s 3 1.5}}',
      "1 2atrue 1 a\ntext|    3|1.5",
    ],
    [
      "{{\"a\\tb\\u00e9\\x41\\101\"}} {{`a\\n`}} {{'a'}} {{0x1F}} {{1_000}} {{1e3}} {{-1.5}} {{010}}",
      "a\tbéAA a\\n 97 31 1000 1000 -1.5 8",
    ],
    ["{{eq .z nil}}", "true"],
  ])("%j", (text, expected) => {
    expect(render(text, DATA)).toBe(expected);
  });

  it("shows sets as lists and keys that are no strings as their text", () => {
    expect(render("{{.s}}{{.o}}", { s: RegoSet.of([2, 1]), o: RegoObject.of([[1, 2]]) })).toBe(
      "[1 2]map[1:2]",
    );
  });

  it.each([
    ["{{.s", "unexpected"],
    ["{{}}", 'unexpected "}}"'],
    ["{{.s.x}}", "can't evaluate field x"],
    ["{{.z.x}}", "can't evaluate field x"],
    ["{{if .t}}a", "expected end"],
    ["{{end}}", "unexpected"],
    ["{{else}}", "unexpected"],
    ["{{if .t}}{{else}}{{else}}{{end}}", "expected end"],
    ["{{break}}", "{{break}} outside {{range}}"],
    ["{{$x}}", 'undefined variable "$x"'],
    ["{{$x = 1}}", 'undefined variable "$x"'],
    ["{{if .t}}{{$x := 1}}{{end}}{{$x}}", 'undefined variable "$x"'],
    ["{{$x, $y := .list}}", "too many declarations"],
    ["{{nil}}", "nil is not a command"],
    ["{{1 | 2}}", "cannot give argument to non-function"],
    ["{{.s 1}}", "cannot give argument to non-function"],
    ['{{"a".x}}', "unexpected . after constant"],
    ['{{.s"a"}}', "in operand"],
    ["{{nope .s}}", 'function "nope" not defined'],
    ["{{html .s}}", 'function "html" not defined, or not supported'],
    ['{{template "x"}}', 'function "template" not defined, or not supported'],
    ["{{eq 1 1.5}}", "incompatible types for comparison"],
    ["{{eq 1}}", "missing argument for comparison"],
    ["{{eq .list .list}}", "incompatible types for comparison"],
    ["{{lt .n 8}}", "incompatible types for comparison"],
    ["{{lt 1}}", "want 2 got 1"],
    ["{{not}}", "want 1 got 0"],
    ["{{and}}", "want at least 1 got 0"],
    ["{{len 1}}", "len of a value that has none"],
    ["{{index .list 3}}", "index out of range"],
    ['{{index .s "a"}}', "index out of range"],
    ["{{printf 1}}", "wrong type for format"],
    ["{{range .s}}{{end}}", "range can't iterate over that"],
    ['{{"\\q"}}', "invalid escape"],
    ['{{"\\xff"}}', "invalid escape"],
    ["{{'\\ab'}}", "malformed character constant"],
    ["{{1e999}}", "illegal number syntax"],
    ["{{ /* c */}}", "unexpected"],
    ['{{"a}}', "unexpected"],
    ["{{($x := 1)}}", "declarations in parentheses"],
    [`${"{{if 1}}".repeat(101)}${"{{end}}".repeat(101)}`, "actions nest too deeply"],
    [`{{${"(".repeat(101)}1${")".repeat(101)}}}`, "actions nest too deeply"],
  ])("%.40j fails", (text, message) => {
    const failure = failureOf(() => render(text, DATA));
    expect(failure.kind).toBe("builtin");
    expect(failure.message).toContain(message);
  });

  it("fails for operands of wrong types", () => {
    expect(failureOf(() => render(1, {})).message).toBe("operand 1 must be string but got number");
    expect(failureOf(() => render("", [])).message).toBe("operand 2 must be object but got array");
  });

  it("counts what it makes", () => {
    const few = callerOf(template, { steps: 10_000 });
    const text = "{{range 1000}}{{range 1000}}a{{end}}{{end}}";
    expect(() => few("strings.render_template", text, {})).toThrow(RangeError);
    expect(() => few("strings.render_template", "{{range 100000000000}}{{end}}", {})).toThrow(RangeError);
  });
});
