// SPDX-License-Identifier: Apache-2.0
// Syntax trees out of nothing, for properties of the printer, the parser and the formatter.

import fc from "fast-check";
import type {
  Body,
  Expr,
  ExprForm,
  Head,
  Location,
  Module,
  Operand,
  Rule,
  Term,
  VarTerm,
} from "../src/ast.ts";
import { numberOf } from "../src/number.ts";

const location: Location = { file: "", row: 1, column: 1, offset: 0, end: 0 };
const NAMES = ["a", "b", "xs", "input", "data", "f", "count", "_x1"];
const INFIX: Readonly<Record<string, string>> = {
  "==": "equal",
  "<": "lt",
  ">=": "gte",
  "|": "or",
  "&": "and",
  "+": "plus",
  "-": "minus",
  "*": "mul",
  "%": "rem",
};

/** Without what the text alone does not decide: places, and the numbers of wildcards. */
export function bare(tree: unknown): unknown {
  return JSON.parse(
    JSON.stringify(tree, (key, value: unknown) => {
      if (key === "location" || key === "packageLocation" || key === "file") return undefined;
      if (key === "name" && typeof value === "string" && value.startsWith("$")) return "_";
      return typeof value === "bigint" ? `${value}n` : value;
    }),
  );
}

const name = fc.constantFrom(...NAMES);
const text = fc.oneof(
  name,
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.constantFrom("if", "{", "\\{", "a b", '"', "\n", "`", "\ufeff", "\0"),
);
const rawText = fc.constantFrom("", "a", "{", "\\", '"', "two\nlines", "\\{x");
const variable: fc.Arbitrary<VarTerm> = fc.oneof(
  { weight: 5, arbitrary: name.map((name): VarTerm => ({ kind: "var", name, location })) },
  fc.constant<VarTerm>({ kind: "var", name: "$0", wildcard: true, location }),
);
const local = fc
  .constantFrom("a", "b", "xs", "_x1")
  .map((name): VarTerm => ({ kind: "var", name, location }));
const scalar: fc.Arbitrary<Term> = fc.oneof(
  text.map((value): Term => ({ kind: "scalar", value, location })),
  rawText.map((value): Term => ({ kind: "scalar", value, raw: true, location })),
  fc.constantFrom(null, true, false).map((value): Term => ({ kind: "scalar", value, location })),
  fc
    .oneof(
      fc.integer().map(String),
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e20, max: 1e20 }).map(String),
      fc.constantFrom("0.33333333333333333334", "1e100", "12345.678901234567890123"),
    )
    .map((digits): Term => ({ kind: "scalar", value: numberOf(digits), location })),
);

/** `v0` leaves out what only v1 has. */
export interface Trees {
  readonly term: fc.Arbitrary<Term>;
  readonly body: fc.Arbitrary<Body>;
  readonly module: fc.Arbitrary<Module>;
}

/** Trees as a parser could have made them after `import future.keywords`. */
export const trees: Trees = (() => {
  // One depth for all kinds of nodes: beyond it, the first alternative of each is taken.
  const deep = { maxDepth: 4, depthSize: "xsmall", depthIdentifier: fc.createDepthIdentifier() } as const;
  const { term, body, rule } = fc.letrec<{
    term: Term;
    head: Term;
    expr: Expr;
    body: Body;
    operand: Operand;
    rule: Rule;
    branch: Rule;
  }>((tie) => {
    const terms = fc.array(tie("term"), { maxLength: 3 });
    const call = (operator: readonly string[], args: readonly Term[], infix?: string): Term => ({
      kind: "call",
      operator,
      args,
      ...(infix === undefined ? {} : { infix }),
      location,
    });
    const expr = (form: ExprForm): Expr => ({ form, negated: false, with: [], location });
    const plainForm: fc.Arbitrary<ExprForm> = fc.oneof(
      { weight: 3, arbitrary: tie("term").map((term): ExprForm => ({ kind: "term", term })) },
      fc
        .tuple(fc.constantFrom("unify" as const, "assign" as const), tie("term"), tie("term"))
        .map(([kind, left, right]): ExprForm => ({ kind, left, right })),
    );
    const form: fc.Arbitrary<ExprForm> = fc.oneof(
      deep,
      { weight: 6, arbitrary: plainForm },
      fc
        .array(local, { minLength: 1, maxLength: 3 })
        .map((variables): ExprForm => ({ kind: "some", variables })),
      fc.tuple(fc.option(tie("term"), { nil: undefined }), tie("term"), tie("term")).map(
        ([key, value, domain]): ExprForm => ({
          kind: "some-in",
          ...(key === undefined ? {} : { key }),
          value,
          domain,
        }),
      ),
      fc.tuple(fc.option(local, { nil: undefined }), local, tie("term"), tie("body")).map(
        ([key, value, domain, body]): ExprForm => ({
          kind: "every",
          ...(key === undefined ? {} : { key }),
          value,
          domain,
          body,
        }),
      ),
      tie("operand").map((operand): ExprForm => ({ kind: "not", operand })),
      fc
        .tuple(fc.constantFrom("and" as const, "or" as const), tie("operand"), tie("operand"))
        .map(([kind, left, right]): ExprForm => ({ kind, left, right })),
    );
    const withs = fc.array(
      fc
        .tuple(
          fc.oneof(
            fc.constant<Term>({ kind: "var", name: "input", location }),
            fc.tuple(local, text).map(
              ([head, value]): Term => ({
                kind: "ref",
                head,
                path: [{ kind: "scalar", value, location }],
                location,
              }),
            ),
          ),
          tie("term"),
        )
        .map(([target, value]) => ({ target, value, location })),
      { maxLength: 2 },
    );
    const head = fc
      .tuple(
        fc.array(
          fc.oneof(
            text.map((value): Term => ({ kind: "scalar", value, location })),
            tie("term"),
          ),
          { maxLength: 2 },
        ),
        fc.constantFrom("plain", "args", "contains"),
        fc.array(tie("term"), { minLength: 1, maxLength: 2 }),
        fc.option(tie("term"), { nil: undefined }),
        fc.boolean(),
      )
      .map(([path, kind, args, value, assign]): Head => {
        const ref: Term[] = [{ kind: "scalar", value: "p", location }, ...path];
        if (kind === "contains" && args[0] !== undefined)
          return { ref, contains: args[0], assign: false, location };
        return {
          ref,
          ...(kind === "args" ? { args } : {}),
          ...(value === undefined ? {} : { value }),
          assign: assign && value !== undefined,
          location,
        };
      });
    return {
      head: fc.oneof(
        deep,
        variable,
        fc.tuple(name, terms).map(([operator, args]) => call([operator], args)),
        tie("term").map(
          (term): Term =>
            term.kind === "scalar" || term.kind === "ref" || term.kind === "template"
              ? { kind: "array", items: [term], location }
              : term,
        ),
      ),
      term: fc.oneof(
        deep,
        scalar,
        variable,
        fc
          .tuple(
            tie("head"),
            fc.array(
              fc.oneof(
                text.map((value): Term => ({ kind: "scalar", value, location })),
                tie("term"),
              ),
              { minLength: 1, maxLength: 2 },
            ),
          )
          .map(([head, path]): Term => ({ kind: "ref", head, path, location })),
        terms.map((items): Term => ({ kind: "array", items, location })),
        terms.map((items): Term => ({ kind: "set", items, location })),
        fc
          .array(fc.tuple(tie("term"), tie("term")), { maxLength: 3 })
          .map((entries): Term => ({ kind: "object", entries, location })),
        fc.tuple(fc.array(text, { maxLength: 2 }), terms).map(([path, args]) => call(["f", ...path], args)),
        fc
          .tuple(fc.constantFrom(...Object.keys(INFIX)), tie("term"), tie("term"))
          .map(([sign, left, right]) => call([INFIX[sign] ?? ""], [left, right], sign)),
        fc
          .array(tie("term"), { minLength: 2, maxLength: 3 })
          .map((args) => call(["internal", `member_${args.length}`], args, "in")),
        fc
          .tuple(
            fc.constantFrom("array-comprehension" as const, "set-comprehension" as const),
            tie("term"),
            tie("body"),
          )
          .map(([kind, term, body]): Term => ({ kind, term, body, location })),
        fc
          .tuple(tie("term"), tie("term"), tie("body"))
          .map(([key, value, body]): Term => ({ kind: "object-comprehension", key, value, body, location })),
        fc
          .tuple(
            fc.boolean(),
            fc.array(
              tie("expr").filter(({ form: { kind } }) => kind === "term"),
              { maxLength: 2 },
            ),
            rawText.filter((raw) => !raw.endsWith("\\")),
            text,
          )
          .map(([raw, parts, rawPiece, piece]): Term => {
            const between = raw ? rawPiece : piece;
            const filled = parts.flatMap((part) => (between === "" ? [part] : [part, between]));
            return { kind: "template", parts: filled, ...(raw ? { raw: true } : {}), location };
          }),
      ),
      expr: fc
        .tuple(form, withs)
        .map(([form, list]): Expr => (form.kind === "some" ? expr(form) : { ...expr(form), with: list })),
      body: fc.array(tie("expr"), { minLength: 1, maxLength: 3 }),
      operand: fc.oneof(
        deep,
        plainForm.map((form): Operand => ({ body: [expr(form)], braces: false })),
        tie("body").map((body): Operand => ({ body, braces: true })),
        tie("expr")
          .filter(({ form: { kind } }) => kind !== "some" && kind !== "some-in" && kind !== "every")
          .map((expr): Operand => ({ body: [expr], braces: false })),
      ),
      branch: fc.tuple(head, tie("body"), fc.boolean()).map(([{ value, assign }, body, bodiless]): Rule => {
        const own: Head = {
          ref: [{ kind: "scalar", value: "p", location }],
          ...(value === undefined ? {} : { value }),
          assign,
          location,
        };
        const implicitBody = bodiless && value !== undefined;
        return { default: false, head: own, body: implicitBody ? yes() : body, implicitBody, location };
      }),
      rule: fc
        .tuple(head, tie("body"), fc.boolean(), fc.option(tie("branch"), { nil: undefined }))
        .map(([head, body, bodiless, branch]): Rule => {
          const implicitBody = bodiless && (head.contains ?? head.value) !== undefined;
          const plain =
            head.contains === undefined && head.ref.length === 1 && head.args === undefined && !implicitBody;
          return {
            default: false,
            head,
            body: implicitBody ? yes() : body,
            implicitBody,
            ...(branch !== undefined && plain ? { else: branch } : {}),
            location,
          };
        }),
    };
  });
  const module = fc.array(rule, { maxLength: 4 }).map(
    (rules): Module => ({
      file: "",
      version: "v1",
      path: ["p", "a b"],
      packageLocation: location,
      imports: [
        { path: ["future", "keywords"], location },
        { path: ["data", "x", "y z"], alias: "z", location },
      ],
      rules,
      comments: [],
    }),
  );
  return { term, body, module };
})();

function yes(): Body {
  return [
    {
      form: { kind: "term", term: { kind: "scalar", value: true, location } },
      negated: false,
      with: [],
      location,
    },
  ];
}
