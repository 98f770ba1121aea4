// SPDX-License-Identifier: Apache-2.0
// Regular expressions, globs, strings and sprintf: generated calls, each answered by us and by OPA.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Call, callHere, callThere } from "./rego/calls.ts";
import { NO_PROGRAM, opaProgram } from "./rego/opa.ts";

const RUNS = Number(process.env.ADYTON_DIFFERENTIAL_RUNS ?? 1500);
const SEED = Number(process.env.ADYTON_DIFFERENTIAL_SEED ?? 20251122);

const LETTERS = [
  "a",
  "b",
  "k",
  "s",
  "K",
  "S",
  "_",
  "1",
  "-",
  " ",
  "\n",
  "é",
  "ſ",
  "\u212a",
  "Σ",
  "ς",
  "😀",
  "/",
  ".",
];
const text = fc
  .oneof(
    { weight: 3, arbitrary: fc.array(fc.constantFrom("a", "b", "k"), { maxLength: 10 }) },
    fc.array(fc.constantFrom(...LETTERS), { maxLength: 12 }),
  )
  .map((parts) => parts.join(""));

const CLASS_PARTS = [
  "a",
  "b",
  "a-k",
  "é",
  "\\d",
  "\\W",
  "\\s",
  "[:alpha:]",
  "[:^space:]",
  "\\pL",
  "\\P{Greek}",
  "^",
  "-",
  "\\n",
  "]",
];
const CLASS_PARTS_ALL = [
  ...CLASS_PARTS,
  "[:word:]",
  "\\p{Lu}",
  "\\x41",
  "\\x{1F600}",
  "k-a",
  "\\",
  "[",
  "\\-",
  "S",
];
const ATOMS = [
  "a",
  "b",
  "k",
  "s",
  "é",
  "😀",
  ".",
  "^",
  "$",
  "\\b",
  "\\B",
  "\\A",
  "\\z",
  "\\d",
  "\\w",
  "\\W",
  "\\s",
  "\\S",
  "\\pL",
  "\\p{Greek}",
  "\\PN",
  "\\Qa.\\E",
  "\\.",
  "\\n",
  "\\x61",
  "\\141",
  "[a-k]",
  "[^a]",
  "",
  "(?i)",
  "(?s)",
  "(?m)",
  "(?U)",
  "(?-i)",
  "(?i:k)",
  "(?i:[^s])",
  "(?i:\\W)",
  "Σ",
];
/** What is refused, or reads otherwise than it looks. */
const ODD_ATOMS = [
  "{",
  "}",
  "{2",
  "{,2}",
  "\\",
  "(?P<n>a)",
  "(?<m>b)",
  "(?<m",
  "\\8",
  "(?i",
  ")",
  "(",
  "]",
  "\\Q",
  "\\C",
  "\\p{X}",
];
const OPERATORS = [
  "",
  "",
  "",
  "*",
  "+",
  "?",
  "*?",
  "+?",
  "??",
  "{2}",
  "{0}",
  "{1,}",
  "{2,3}",
  "{0,2}?",
  "{0,}",
];

const bracketed = fc
  .tuple(
    fc.constantFrom("", "^"),
    fc.array(fc.constantFrom(...CLASS_PARTS_ALL), { minLength: 1, maxLength: 4 }),
  )
  .map(([not, parts]) => `[${not}${parts.join("")}]`);

const { pattern } = fc.letrec<{ pattern: string; term: string }>((tie) => ({
  term: fc
    .tuple(
      fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        { weight: 12, arbitrary: fc.constantFrom(...ATOMS) },
        { weight: 2, arbitrary: bracketed },
        { weight: 1, arbitrary: fc.constantFrom(...ODD_ATOMS) },
        {
          weight: 5,
          arbitrary: fc
            .tuple(fc.constantFrom("(", "(", "(?:", "(?i:", "(?s:", "(?P<x>"), tie("pattern"))
            .map(([open, inner]) => `${open}${inner})`),
        },
      ),
      fc.constantFrom(...OPERATORS),
    )
    .map((parts) => parts.join("")),
  pattern: fc
    .array(fc.array(tie("term"), { maxLength: 4 }), { minLength: 1, maxLength: 3 })
    .map((choices) => choices.map((terms) => terms.join("")).join("|")),
}));

const regexCall = fc
  .tuple(
    fc.constantFrom("match", "is_valid", "split", "find_n", "find_all_string_submatch_n", "replace"),
    pattern,
    text,
    fc.constantFrom("<$0>", "$1$2", "\u0024{x}-$$", "$1x", "", "$", "${1", "[$n]", "$00"),
    fc.constantFrom(-1, -1, 0, 1, 2),
  )
  .map(([name, expression, subject, template, limit]): Call => {
    const calls: Record<string, unknown[]> = {
      match: [expression, subject],
      is_valid: [expression],
      split: [expression, subject],
      replace: [subject, expression, template],
    };
    return { name: `regex.${name}`, args: calls[name] ?? [expression, subject, limit] };
  });

const templateCall = fc
  .tuple(
    fc.array(fc.constantFrom("a", ".", "<", ">", "<[ab]+>", "<.*>", "<(>", "é", "+"), { maxLength: 6 }),
    text,
  )
  .map(
    ([parts, subject]): Call => ({ name: "regex.template_match", args: [parts.join(""), subject, "<", ">"] }),
  );

const globsText = fc
  .array(
    fc.constantFrom(
      "a",
      "b",
      ".",
      "a*",
      "b+",
      ".*",
      ".+",
      "[ab]",
      "[a-c]*",
      "[b]+",
      "[]",
      "\\*",
      "[a-",
      "*",
      "]",
      "\\",
      "é",
    ),
    {
      maxLength: 5,
    },
  )
  .map((parts) => parts.join(""));
const globsCall = fc.tuple(globsText, globsText).map((args): Call => ({ name: "regex.globs_match", args }));

const globPattern = fc
  .array(
    fc.constantFrom(
      "a",
      "b",
      ".",
      "/",
      "*",
      "**",
      "?",
      "[ab]",
      "[!a]",
      "[a-k]",
      "[!a-b]",
      "{a,b}",
      "{a*,}",
      "{**.b,{a,?}}",
      "{",
      "}",
      ",",
      "[",
      "]",
      "\\*",
      "\\",
      "é",
      "[\\]a]",
      "[]-a]",
      "[a-]",
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(""));
const globText = fc
  .array(fc.constantFrom("a", "b", "k", ".", "/", "é", "*", "😀", "]"), { maxLength: 7 })
  .map((parts) => parts.join(""));
const globCall = fc
  .tuple(globPattern, fc.constantFrom(null, [], ["."], ["/"], [".", "/"], ["é"], ["ab"], [""]), globText)
  .map((args): Call => ({ name: "glob.match", args }));

/** What one code point is here, two units in UTF-16, is met as often as what is one. */
const words = fc
  .array(fc.constantFrom("a", "b", "ab", "é", "😀", " ", "ß", "İ", "ᾳ", "ǆ", "\u0085", "\ufeff", "Σ"), {
    maxLength: 8,
  })
  .map((parts) => parts.join(""));
const small = fc
  .array(fc.constantFrom("a", "b", "é", "😀", " "), { maxLength: 2 })
  .map((parts) => parts.join(""));
const several = fc.oneof(small, fc.array(small, { maxLength: 4 }));
const int = fc.integer({ min: -3, max: 9 });
const number = fc.oneof(
  int,
  fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n }).map(Number),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }).filter((value) => !Number.isInteger(value)),
);
const stringCall = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        "contains",
        "startswith",
        "endswith",
        "indexof",
        "indexof_n",
        "split",
        "trim",
        "trim_left",
        "trim_right",
        "trim_prefix",
        "trim_suffix",
        "strings.count",
      ),
      words,
      small,
    )
    .map(([name, ...args]): Call => ({ name, args })),
  fc
    .tuple(fc.constantFrom("lower", "upper", "trim_space", "strings.reverse", "glob.quote_meta"), words)
    .map(([name, ...args]): Call => ({ name, args })),
  fc
    .tuple(
      words,
      small.filter((old) => old !== ""),
      small,
    )
    .map((args): Call => ({ name: "replace", args })),
  fc
    .tuple(
      fc.dictionary(
        small.filter((old) => old !== ""),
        small,
        { maxKeys: 4 },
      ),
      words,
    )
    .map((args): Call => ({ name: "strings.replace_n", args })),
  fc.tuple(words, int, int).map((args): Call => ({ name: "substring", args })),
  fc.tuple(words, small, int).map((args): Call => ({ name: "strings.split_n", args })),
  fc
    .tuple(small, fc.array(fc.oneof({ weight: 9, arbitrary: small }, int), { maxLength: 4 }))
    .map((args): Call => ({ name: "concat", args })),
  fc
    .tuple(fc.constantFrom("strings.any_prefix_match", "strings.any_suffix_match"), several, several)
    .map(([name, ...args]): Call => ({ name, args })),
  fc.tuple(number, fc.constantFrom(2, 8, 10, 16, 3)).map((args): Call => ({ name: "format_int", args })),
);

const directive = fc
  .tuple(
    fc.array(fc.constantFrom("+", "-", "#", " ", "0"), { maxLength: 2 }).map((flags) => flags.join("")),
    fc.constantFrom("", "", "", "1", "8", "*", "[1]", "[2]", "[9]", "[]"),
    fc.constantFrom("", "", "", ".", ".0", ".3", ".12", ".*", ".[1]*", "[2]"),
    fc.constantFrom(..."vdsqxXobOcUtTeEfFgGb%wpz", "", "é"),
  )
  .map((parts) => `%${parts.join("")}`);
const sprintfCall = fc
  .tuple(
    fc
      .array(fc.oneof(directive, fc.constantFrom("a", " ", "é", "|")), { maxLength: 4 })
      .map((parts) => parts.join("")),
    fc.array(
      fc.oneof(
        words,
        number,
        fc.constantFrom(
          null,
          true,
          [1, "a\n"],
          { b: "\u0007", a: [] },
          0.1,
          2.5,
          1e-7,
          0.000123,
          123456789.5,
          55,
          0x1f600,
          -1,
          0,
          "`",
          "\t",
        ),
      ),
      { maxLength: 4 },
    ),
  )
  // What we do otherwise on purpose: fractions' verbs take integers.
  .filter(([format, values]) => !/[eEfFgG]/.test(format) || values.every((value) => !Number.isInteger(value)))
  .map((args): Call => ({ name: "sprintf", args }));

const dollar = "$";
const operand = fc.constantFrom(
  ".",
  ".s",
  ".n",
  ".t",
  ".f",
  ".z",
  ".list",
  ".map",
  ".map.k",
  ".map.x",
  ".none",
  ".none.x",
  ".s.x",
  ".e",
  dollar,
  "$.s",
  "$x",
  "$y",
  '"a\\n"',
  "`r`",
  "'a'",
  "1",
  "2",
  "-1",
  "1.5",
  "true",
  "nil",
  "0x1F",
);
/** `printf` names Go's types in its notes, which are none here; and numbers are no texts to `index`. */
const command = fc.oneof(
  { weight: 4, arbitrary: operand },
  fc
    .tuple(
      fc.constantFrom("eq", "ne", "lt", "ge", "and", "or", "index", "print", "println"),
      operand,
      operand,
    )
    .map((p) => p.join(" ")),
  fc.tuple(fc.constantFrom("not", "len", "print"), operand).map((p) => p.join(" ")),
  fc.tuple(fc.constantFrom('printf "%v|%v"', 'printf "%v%%%v"'), operand, operand).map((p) => p.join(" ")),
);
const pipeline = fc.oneof(
  { weight: 5, arbitrary: command },
  fc
    .tuple(
      command,
      fc.constantFrom("len", "not", "print", 'printf "<%v>"', "eq 1", "index .list", "and true"),
    )
    .map((p) => p.join(" | ")),
  fc.tuple(fc.constantFrom("not", "print 1", "len"), command).map(([word, inner]) => `${word} (${inner})`),
);
const left = fc.constantFrom("{{", "{{", "{{- ", "{{ ");
const right = fc.constantFrom("}}", "}}", " -}}", " }}");
const braces = (inner: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(left, inner, right).map((p) => p.join(""));
const { piece } = fc.letrec<{ piece: string; body: string }>((tie) => ({
  piece: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        "a",
        " ",
        "\n b",
        "{",
        "}",
        "{{/* c */}}",
        "{{- /* c */ -}}",
        "{{",
        "}}",
        "{{break}}",
        "{{end}}",
      ),
    },
    { weight: 8, arbitrary: braces(pipeline) },
    {
      weight: 3,
      arbitrary: braces(
        fc.tuple(fc.constantFrom("$x := ", "$y := ", "$x = ", "$z = "), pipeline).map((p) => p.join("")),
      ),
    },
    {
      weight: 8,
      arbitrary: fc
        .tuple(
          braces(
            fc
              .tuple(
                fc.constantFrom(
                  "if ",
                  "with ",
                  "range ",
                  "if $x := ",
                  "with $y := ",
                  "range $y := ",
                  "range $x, $y := ",
                  "range $y = ",
                ),
                fc.oneof(pipeline, fc.constantFrom(".list", ".map", "3", ".none")),
              )
              .map((p) => p.join("")),
          ),
          tie("body"),
          fc.oneof(
            fc.constant(""),
            tie("body").map((body) => `{{else}}${body}`),
            tie("body").map((body) => `{{else if .t}}${body}`),
          ),
        )
        .map(([head, body, otherwise]) => `${head}${body}${otherwise}{{end}}`),
    },
  ),
  body: fc
    .array(fc.oneof({ weight: 9, arbitrary: tie("piece") }, fc.constantFrom("{{continue}}", "{{break}}")), {
      maxLength: 3,
    })
    .map((p) => p.join("")),
}));
const data = {
  s: "text",
  n: 7,
  t: true,
  f: false,
  z: null,
  e: "",
  list: ["p", 2, null],
  map: { k: "v", a: [1] },
};
const renderCall = fc
  .array(piece, { maxLength: 3 })
  .filter((pieces) => !/index \S+ (?:\.n|\$[xy])/.test(pieces.join("")))
  .map(
    (pieces): Call => ({ name: "strings.render_template", args: [`{{$x := .n}}${pieces.join("")}`, data] }),
  );

function compare(call: fc.Arbitrary<Call>): void {
  const calls = fc.sample(call, { numRuns: RUNS, seed: SEED });
  const here = callHere(calls);
  const there = callThere(calls);
  const different = calls.flatMap(({ name, args }, i) =>
    here[i] === there[i] ? [] : [`${name}${JSON.stringify(args)}: here ${here[i]}, there ${there[i]}`],
  );
  expect(different.slice(0, 40).join("\n"), `${different.length} of ${RUNS} differ, seed ${SEED}`).toBe("");
  // A generator that makes nothing but failures would prove nothing.
  expect(here.filter((text) => text !== "undefined").length).toBeGreaterThan(RUNS / 10);
}

if (opaProgram === undefined) console.warn(NO_PROGRAM);

describe.skipIf(opaProgram === undefined)("functions on strings beside OPA", () => {
  test.each([
    ["regular expressions", regexCall],
    ["templates of regular expressions", templateCall],
    ["regex.globs_match", globsCall],
    ["glob.match", globCall],
    ["strings", stringCall],
    ["sprintf", sprintfCall],
    ["templates of text", renderCall],
  ])("%s", (_name, call) => compare(call), 120_000);
});
