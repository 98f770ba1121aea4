// SPDX-License-Identifier: Apache-2.0
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bare, trees } from "../test/ast.ts";
import type { RegoVersion } from "./ast.ts";
import { formatModule } from "./format.ts";
import { lex } from "./parse/lexer.ts";
import { parseModule } from "./parse/module.ts";
import { printModule } from "./print.ts";

/** Formats what stands below a package clause; checks that it then stays as it is. */
function format(text: string, version: RegoVersion = "v1"): string {
  const formatted = formatModule(`package p\n\n${text}`, { version });
  expect(formatModule(formatted, { version })).toBe(formatted);
  expect(formatted.startsWith("package p\n")).toBe(true);
  return formatted.slice("package p\n".length).replace(/^\n/, "");
}

describe("layout", () => {
  it.each<[what: string, text: string, formatted: string]>([
    ["spaces", "p:=f( 1,x )+2", "p := f(1, x) + 2\n"],
    ["= of a rule", "p = 1", "p := 1\n"],
    ["a short body", "p if { x }", "p if x\n"],
    ["a body on a line of its own", "p if\nx", "p if {\n\tx\n}\n"],
    ["a body of several expressions", "p if { x; y }", "p if {\n\tx\n\ty\n}\n"],
    ["a body that is a set", "p if {{x}}", "p if {\n\t{x}\n}\n"],
    ["a body that always holds", "p if { true }", "p := true\n"],
    ["a value that is true anyway", "p := true if x", "p if x\n"],
    ["a union at the beginning of a body", "p if { (x | y); z }", "p if {\n\t(x | y)\n\tz\n}\n"],
    ["a minus at the beginning of a line", "p if { x; (-1); z }", "p if {\n\tx\n\t(-1)\n\tz\n}\n"],
    ["blank lines in a body", "p if {\nx\n\n\n\ny\nz }", "p if {\n\tx\n\n\ty\n\tz\n}\n"],
    [
      "lines between rules",
      "p := 1\n\n\n\nq := 2\nr if x\ns if {\nx\ny }\nt := 1",
      "p := 1\n\nq := 2\nr if x\n\ns if {\n\tx\n\ty\n}\n\nt := 1\n",
    ],
    ["a path of two steps", 'p.q := 1\np["a b"] := 2', 'p["q"] := 1\np["a b"] := 2\n'],
    ["paths of more", 'p.q := 1\np["r"].s := 2', "p.q := 1\np.r.s := 2\n"],
    ["a set", 'p contains   "x"', 'p contains "x"\n'],
    ["a default", "default   p=false", "default p := false\n"],
    [
      "else on the line",
      "p := 1 if {\nx\n} else := 2 if {\ny\n} else := 3",
      "p := 1 if {\n\tx\n} else := 2 if {\n\ty\n} else := 3\n",
    ],
    ["else on a line of its own", "p if {\nx\n}\nelse := 2", "p if {\n\tx\n}\n\nelse := 2\n"],
    ["else after a short body", "p if { x } else := 2", "p if x\n\nelse := 2\n"],
    ["several bodies", "p if { x } { y }", "p if x\n\np if y\n"],
    ["a list on several lines", "p := [1, 2,\n3]", "p := [\n\t1, 2,\n\t3,\n]\n"],
    ["a list that begins on the next line", "p := [\n1, 2]", "p := [\n\t1, 2,\n]\n"],
    ["arguments that begin on the next line", "p := f(\n1, 2)", "p := f(1, 2)\n"],
    ["an object in an argument", 'p := f({"a": 1,\n"b": {\n}})', 'p := f({\n\t"a": 1,\n\t"b": {},\n})\n'],
    ["an empty object", "p := {\n}", "p := {}\n"],
    ["keys", 'p := x["a"]["b c"]["if"].if[`d`]', 'p := x.a["b c"]["if"].if[`d`]\n'],
    [
      "numbers and strings as they were",
      'p := [1.50, 1e3, .5, "\\u0041", `b`]',
      'p := [1.50, 1e3, .5, "\\u0041", `b`]\n',
    ],
    ["operators in operands", "p := 1 + 2 * 3 if x == 1 + 2 * 3", "p := 1 + (2 * 3) if x == 1 + (2 * 3)\n"],
    [
      "groups that matter",
      "p if { 2 - (3 - 4); (x in y) == z }",
      "p if {\n\t2 - (3 - 4)\n\t(x in y) == z\n}\n",
    ],
    ["groups that do not", "p if (x)", "p if x\n"],
    ["a minus", "p := -x.y", "p := -x.y\n"],
    ["unions in lists", "p := [a | b, {(a|b)}, f(a|b)]", "p := [(a | b), {(a | b)}, f(a | b)]\n"],
    ["pairs", "p if { k, v in xs; f((k, v in xs)) }", "p if {\n\tk, v in xs\n\tf((k, v in xs))\n}\n"],
    ["a comprehension", "p := [x|x:=1;y]", "p := [x | x := 1; y]\n"],
    [
      "a comprehension on several lines",
      "p := {x: y | some x\ny := 1}",
      "p := {x: y |\n\tsome x\n\ty := 1\n}\n",
    ],
    ["with", "p if x with input as 1 with data.y as 2", "p if x with input as 1 with data.y as 2\n"],
    [
      "with on lines of its own",
      "p if { x with input as 1\nwith data.y as 2 }",
      "p if x with input as 1\n\twith data.y as 2\n",
    ],
    ["some", "p if { some x,y; some k ,v in xs }", "p if {\n\tsome x, y\n\tsome k, v in xs\n}\n"],
    [
      "every",
      "p if { every k ,v in xs{v};every x in xs {\nx } }",
      "p if {\n\tevery k, v in xs { v }\n\tevery x in xs {\n\t\tx\n\t}\n}\n",
    ],
    ["a template", 'p := $"a {f( x )} \\{"', 'p := $"a {f(x)} \\{"\n'],
    ["not", "p if not   x", "p if not x\n"],
  ])("of %s", (_, text, formatted) => {
    expect(format(text)).toBe(formatted);
  });
  it.each<[what: string, text: string, formatted: string]>([
    ["a body", "p{x}", "p {\n\tx\n}\n"],
    ["a set", "p[ x ]{x}", "p[x] {\n\tx\n}\n"],
    ["a value", "p=1{x}", "p = 1 {\n\tx\n}\n"],
    ["a key", "p[x] = true {x}", "p[x] = true {\n\tx\n}\n"],
    ["rules without bodies", "p.q.r\nf(1)\np = 1", "p.q.r\n\nf(1)\n\np = 1\n"],
    ["else", "p {x} else = 2 {y}", "p {\n\tx\n}\n\nelse = 2 {\n\ty\n}\n"],
    ["imported if", "import future.keywords.if\np { x }", "import future.keywords.if\n\np if x\n"],
    [
      "imported contains",
      "import future.keywords\np[x] { x }",
      "import future.keywords\n\np contains x if x\n",
    ],
  ])("in v0 of %s", (_, text, formatted) => {
    expect(format(text, "v0")).toBe(formatted);
  });
  it.each<[what: string, text: string, formatted: string]>([
    [
      "order in groups",
      "import data.b\nimport data.a as x\nimport data.a\n\nimport data.A",
      "import data.a\nimport data.a as x\nimport data.b\n\nimport data.A\n",
    ],
    [
      "keywords that rego.v1 has",
      "import rego.v1\nimport future.keywords.in\nimport future.keywords.and",
      "import rego.v1\n\nimport future.keywords.and\n",
    ],
    [
      "comments",
      "# b\nimport data.b # bb\nimport data.a\n# c\nimport data.c",
      "# b\nimport data.a\nimport data.b # bb\n\n# c\nimport data.c\n",
    ],
    ["imports between rules", "p := 1\nimport data.a\nq := 2", "p := 1\n\nimport data.a\n\nq := 2\n"],
  ])("of imports: %s", (_, text, formatted) => {
    expect(format(text)).toBe(formatted);
  });
  it("of and, or, not", () => {
    const body = [
      "a   and b or c",
      "(a or b)   and c",
      "a and\n(b or c)\nor d",
      "not { a; b }",
      "not (a or b)",
      "{a; b} and {\nc\n}",
      "({1}) or a",
      "a and b with input as 1",
    ].join("\n");
    expect(format(`import future.keywords\np if {\n${body}\n}`)).toBe(
      [
        "import future.keywords\n",
        "p if {",
        "\ta and b or c",
        "\t(a or b) and c",
        "\ta and",
        "\t\t(b or c) or",
        "\t\td",
        "\tnot { a; b }",
        "\tnot (a or b)",
        "\t{ a; b } and {",
        "\t\tc",
        "\t}",
        "\t({1}) or a",
        "\ta and b with input as 1",
        "}\n",
      ].join("\n"),
    );
  });
  it("has one line end at the end, and nothing where there are only a package and comments", () => {
    expect(formatModule("package   a.b\n\n\n")).toBe("package a.b\n");
    expect(formatModule("# x\n\n# y\npackage a # z\n\n# end")).toBe("# x\n\n# y\npackage a # z\n\n# end\n");
  });
});

describe("comments", () => {
  it("stay where they were", () => {
    const text = `# METADATA
# title: a
package a

# one

# two
import data.b

# p
p if { # open
	# first
	x # behind

	# before y
	y
	# last
} # close

q := [ # open
	1, # behind
	# before 2
	2,
	# last
]

r := f({ # open
	"a": 1, # behind
})

s := 1 # s
t := {x |
	# before
	x := 1
}

# METADATA
# title: u

# METADATA
# title: v
u if {
	x
} else := 1 if { # e
	# f
	y
}

# end

# of the file
`;
    expect(formatModule(text)).toBe(text);
  });
  it.each<[what: string, text: string, formatted: string]>([
    ["waits for the end of a line", "p := # c\n1", "p := 1 # c\n"],
    ["makes a list break", "p := [1, # c\n2]", "p := [\n\t1, # c\n\t2,\n]\n"],
    ["in a list within does not make the outer break", "p := f([ # c\n1])", "p := f([ # c\n\t1,\n])\n"],
    ["loses what follows its text", "p := 1 # c  \t\r\n", "p := 1 # c\n"],
    ["has a blank line before it in a body", "p if {\nx\n# c\ny }", "p if {\n\tx\n\n\t# c\n\ty\n}\n"],
    ["on else makes it stand alone", "p if {\nx\n} # c\nelse := 1", "p if {\n\tx\n} # c\n\nelse := 1\n"],
    ["beside another keeps what they are in as it was", "p := 1 + # c\n# d\n  2", "p := 1 + # c\n# d\n  2\n"],
  ])("one that %s", (_, text, formatted) => {
    expect(format(text)).toBe(formatted);
  });
});

describe("formatting", () => {
  it("refuses what cannot be parsed", () => {
    expect(codeOf(() => formatModule("package p\np {"))).toBe("REGO_PARSE");
  });
  it("keeps the meaning of any module, in every distribution of lines and comments, and is stable", () => {
    fc.assert(
      fc.property(trees.module, fc.array(fc.nat(), { minLength: 1, maxLength: 30 }), (module, choices) => {
        const text = scatter(printModule(module), choices);
        const formatted = formatModule(text);
        expect(essence(formatted)).toEqual(essence(text));
        expect(formatModule(formatted)).toBe(formatted);
        expect(comments(formatted)).toEqual(comments(text));
      }),
      { numRuns: 150 },
    );
  });
  it("formats any module without comments: nothing is left as it was for lack of a layout", () => {
    fc.assert(
      fc.property(trees.module, (module) => {
        const text = printModule(module).replace("\n\nimport", "\n \nimport");
        expect(formatModule(text)).not.toBe(text);
      }),
      { numRuns: 150 },
    );
  });
});

/** Puts line ends and comments where tokens part. */
function scatter(text: string, choices: readonly number[]): string {
  let [at, turn, out] = [0, 0, ""];
  for (const token of lex(text, "").tokens) {
    const gap = text.slice(at, token.start);
    const choice = choices[turn++ % choices.length] ?? 0;
    const extra = ["\n", ` # c${turn}\n`, `\n# d${turn}\n\n`][choice % 24] ?? "";
    out += (gap === "" ? "" : gap + extra) + token.text;
    at = token.end;
  }
  return out;
}

function comments(text: string): string[] {
  return lex(text, "")
    .comments.map((comment) => comment.text.trim())
    .sort();
}

/** The tree without what a layout may change. */
function essence(text: string): unknown {
  return JSON.parse(
    JSON.stringify(bare(parseModule(text).rules), (key, value: unknown) => {
      if (key === "assign" || key === "implicitBody" || key === "raw" || key === "metadata") return undefined;
      const { value: own } = (key === "head" ? value : {}) as { value?: { kind?: string; value?: unknown } };
      if (own?.kind === "scalar" && own.value === true) return { ...(value as object), value: undefined };
      return value;
    }),
  );
}
