// SPDX-License-Identifier: Apache-2.0
// A syntax tree as text, in one form whatever the source looked like. Parsed again it is the same tree, but for places.

import type {
  Body,
  Expr,
  Head,
  Import,
  Module,
  Operand,
  RegoVersion,
  Rule,
  ScalarTerm,
  TemplateTerm,
  Term,
} from "./ast.ts";
import { formatNumber } from "./number.ts";

const NAME = /^[A-Za-z_]\w*$/;
/** How tight operators bind. */
const STRENGTH: Readonly<Record<string, number>> = {
  in: 0,
  "==": 1,
  "!=": 1,
  "<": 1,
  ">": 1,
  "<=": 1,
  ">=": 1,
  "|": 2,
  "&": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
  "%": 5,
};
/** Binds as a term does that has no operator. */
const TIGHT = 6;

/** The whole module, without its comments. */
export function printModule(module: Module): string {
  const { path, imports, rules, version } = module;
  const [name = "", ...more] = path;
  const parts = [`package ${name}${more.map(printKey).join("")}`];
  if (imports.length > 0) parts.push(imports.map(printImport).join("\n"));
  return `${[...parts, ...rules.map((rule) => printRule(rule, version))].join("\n\n")}\n`;
}

export function printImport({ path, alias }: Import): string {
  const [root = "", ...more] = path;
  return `import ${root}${more.map(printKey).join("")}${alias === undefined ? "" : ` as ${alias}`}`;
}

/** A rule with its `else` branches; v0 is written without `if` and `contains` where it can be. */
export function printRule(rule: Rule, version: RegoVersion = "v1"): string {
  if (rule.default) return `default ${printHead(rule.head, version)}`;
  const { head, implicitBody } = rule;
  // In v0 `p[x] { … }` is a set, so that `p[x]` without a value needs its `if` there, too.
  const conditional =
    version === "v1" || (head.ref.length === 2 && !head.value && !head.args && !head.contains);
  let text = printHead(head, version) + (implicitBody ? "" : printRuleBody(rule.body, conditional));
  for (let branch = rule.else; branch !== undefined; branch = branch.else) {
    text += ` else${printValue(branch.head)}`;
    if (!branch.implicitBody) text += printRuleBody(branch.body, version === "v1");
  }
  return text;
}

/** Expressions, parted by semicolons. */
export function printBody(body: Body): string {
  return body.map((expr) => printExpr(expr)).join("; ");
}

export function printExpr(expr: Expr): string {
  return write(expr, false);
}

export function printTerm(term: Term): string {
  return operation(term, 0);
}

function printHead(head: Head, version: RegoVersion): string {
  const [name, ...path] = head.ref;
  const text = `${(name as ScalarTerm | undefined)?.value ?? ""}${path.map(pathPart).join("")}`;
  if (head.contains !== undefined) {
    const member = printTerm(head.contains);
    return version === "v0" && path.length === 0 ? `${text}[${member}]` : `${text} contains ${member}`;
  }
  const args = head.args === undefined ? "" : `(${list(head.args)})`;
  return text + args + printValue(head);
}

function printValue({ value, assign }: Head): string {
  return value === undefined ? "" : ` ${assign ? ":=" : "="} ${printTerm(value)}`;
}

function printRuleBody(body: Body, conditional: boolean): string {
  const lines = body.map((expr, i) => `\t${write(expr, i === 0)}\n`);
  return `${conditional ? " if" : ""} {\n${lines.join("")}}`;
}

/** A body in braces. Its first expression must not look like the head of a comprehension. */
function braces(body: Body): string {
  return `{ ${body.map((expr, i) => write(expr, i === 0)).join("; ")} }`;
}

/** `first`: it stands directly after a brace. `closed`: it must not begin with one. */
function write(expr: Expr, first: boolean, closed = false): string {
  const { form, negated } = expr;
  const after = expr.with
    .map(({ target, value }) => ` with ${printTerm(target)} as ${printTerm(value)}`)
    .join("");
  return (negated ? `not ${written(form, false, closed)}` : written(form, first, closed)) + after;
}

function written(form: Expr["form"], first: boolean, closed: boolean): string {
  switch (form.kind) {
    case "term":
      return leading(form.term, first, closed);
    case "unify":
    case "assign":
      return `${leading(form.left, first, closed)} ${form.kind === "unify" ? "=" : ":="} ${printTerm(form.right)}`;
    case "some":
      return `some ${list(form.variables)}`;
    case "some-in": {
      const key = form.key === undefined ? "" : `${operation(form.key, 1)}, `;
      return `some ${key}${operation(form.value, 1)} in ${operation(form.domain, 1)}`;
    }
    case "every": {
      const key = form.key === undefined ? "" : `${printTerm(form.key)}, `;
      return `every ${key}${printTerm(form.value)} in ${operation(form.domain, 1)} ${braces(form.body)}`;
    }
    case "not":
      return `not ${operand(form.operand, first, ({ kind }) => kind === "and" || kind === "or" || kind === "not")}`;
    default: {
      const { kind, left, right } = form;
      // `and` binds tighter than `or`, and both group to the left.
      const before = operand(left, first, (inner) => kind === "and" && inner.kind === "or");
      const behind = operand(
        right,
        false,
        (inner) => inner.kind === "or" || (kind === "and" && inner.kind === "and"),
      );
      return `${before} ${kind} ${behind}`;
    }
  }
}

/** In the place of an operand braces hold a body, so a value in braces is put between parentheses. */
function operand(
  { body, braces: braced }: Operand,
  first: boolean,
  grouped: (form: Expr["form"]) => boolean,
): string {
  const [expr] = body;
  if (braced || expr === undefined) return braces(body);
  const group = expr.with.length > 0 || grouped(expr.form);
  const text = write(expr, first && !group, true);
  return group ? `(${text})` : text;
}

/** A term that begins an expression: `{ a | b }` is a comprehension, and a minus would go with the line before. */
function leading(term: Term, first: boolean, closed: boolean): string {
  const text = printTerm(term);
  const apart = (first && leadsWithUnion(term)) || text.startsWith("-") || (closed && text.startsWith("{"));
  return apart ? `(${text})` : text;
}

function leadsWithUnion(term: Term): boolean {
  if (term.kind !== "call" || term.infix === undefined) return false;
  return term.infix === "|" || (term.args[0] !== undefined && leadsWithUnion(term.args[0]));
}

/** A term with operators, between parentheses if they bind looser than asked for. */
function operation(term: Term, strength: number): string {
  if (term.kind !== "call" || term.infix === undefined) return plain(term);
  const { infix, args } = term;
  const own = STRENGTH[infix] ?? 0;
  const [last, ...before] = [...args].reverse();
  if (last === undefined) return plain(term);
  const [left = "", ...more] = before
    .reverse()
    .map((arg, i) => operation(arg, i === 0 && own > 0 ? own : own + 1));
  const text = `${[left, ...more].join(", ")} ${infix} ${operation(last, own + 1)}`;
  return own < strength ? `(${text})` : text;
}

function plain(term: Term): string {
  switch (term.kind) {
    case "scalar":
      return scalar(term);
    case "var":
      return term.wildcard ? "_" : term.name;
    case "ref":
      return operation(term.head, TIGHT) + term.path.map(pathPart).join("");
    case "array":
      return `[${items(term.items)}]`;
    case "set":
      return term.items.length === 0 ? "set()" : `{${items(term.items)}}`;
    case "object":
      return `{${term.entries.map(([key, value]) => `${item(key)}: ${item(value)}`).join(", ")}}`;
    case "call":
      return `${callee(term.operator)}(${list(term.args)})`;
    case "array-comprehension":
      return `[${operation(term.term, TIGHT)} | ${printBody(term.body)}]`;
    case "set-comprehension":
      return `{${operation(term.term, TIGHT)} | ${printBody(term.body)}}`;
    case "object-comprehension":
      return `{${item(term.key)}: ${operation(term.value, TIGHT)} | ${printBody(term.body)}}`;
    case "template":
      return template(term);
  }
}

function callee([name = "", ...path]: readonly string[]): string {
  return name + path.map(printKey).join("");
}

function list(terms: readonly Term[]): string {
  return terms.map(single).join(", ");
}

function items(terms: readonly Term[]): string {
  return terms.map(item).join(", ");
}

/** Of several things parted by commas: `k, v in xs` would be two. */
function single(term: Term): string {
  return term.kind === "call" && term.infix === "in" && term.args.length === 3
    ? `(${printTerm(term)})`
    : printTerm(term);
}

/** In brackets or braces, where a bar makes a comprehension. */
function item(term: Term): string {
  return leadsWithUnion(term) ? `(${printTerm(term)})` : single(term);
}

function pathPart(term: Term): string {
  return term.kind === "scalar" && typeof term.value === "string" && !term.raw
    ? printKey(term.value)
    : `[${printTerm(term)}]`;
}

/** A step of a path: `.name` or `["other text"]`. */
export function printKey(key: string): string {
  return NAME.test(key) ? `.${key}` : `[${quote(key)}]`;
}

function scalar({ value, raw }: ScalarTerm): string {
  if (typeof value === "string") return raw && !/[`\0\ufeff]/.test(value) ? `\`${value}\`` : quote(value);
  return value === null || typeof value === "boolean" ? String(value) : formatNumber(value);
}

/** JSON, and no byte order mark, which no text may hold. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll("\ufeff", "\\ufeff");
}

function template({ parts, raw }: TemplateTerm): string {
  const pieces = parts.map((part) => {
    return typeof part === "string" ? templateText(part, raw === true) : `{${printExpr(part)}}`;
  });
  const sign = raw ? "`" : '"';
  return `$${sign}${pieces.join("")}${sign}`;
}

/** A piece of a template string as it is written between its quotes. */
export function templateText(text: string, raw: boolean): string {
  return (raw ? text : quote(text).slice(1, -1)).replaceAll("{", "\\{");
}
