// SPDX-License-Identifier: Apache-2.0
// The formatter: a module in the one layout that all policies share, with its comments. It never changes what a module
// means: where the layout cannot be had without that, the source stays as it is.

import type { Body, Expr, Head, Import, Module, RegoVersion, Rule, ScalarTerm, Term } from "./ast.ts";
import { ExprFormatter } from "./format/exprs.ts";
import { type ParseOptions, parseModule } from "./parse/module.ts";
import { printImport, printKey, printTerm } from "./print.ts";
import { compareStrings } from "./value.ts";

const KEYWORDS =
  "not package import as default else with null true false some if contains in every and or".split(" ");

/** Layouts that are tried until one stays as it is: a comment in an odd place may move more than once. */
const MAX_PASSES = 4;

/** The text in the layout of all policies; formatted again it stays as it is. Throws what `parseModule` throws. */
export function formatModule(text: string, options: ParseOptions = {}): string {
  let current = text;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const module = parseModule(current, options);
    const formatted = new ModuleFormatter(current, module, options.version ?? "v1").module();
    if (formatted === current) return current;
    if (!sameMeaning(module, formatted, options)) break;
    current = formatted;
  }
  return text;
}

/** Whether the text is the same module, with the same comments. */
function sameMeaning(module: Module, text: string, options: ParseOptions): boolean {
  const parts = ({ path, rules, comments }: Module): string =>
    JSON.stringify([path, rules, comments.map((comment) => comment.text.trim()).sort()], essence);
  try {
    return parts(parseModule(text, options)) === parts(module);
  } catch {
    return false;
  }
}

/** Leaves out of a tree what the layout may change. */
function essence(key: string, value: unknown): unknown {
  if (key === "location" || key === "implicitBody" || key === "assign" || key === "metadata" || key === "raw")
    return undefined;
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if ("wildcard" in value) return "_";
  return "ref" in value && isHead(value) && value.value !== undefined && isYes(value.value)
    ? { ...value, value: undefined }
    : value;
}

function isHead(value: object): value is Head {
  return "ref" in value && "assign" in value;
}

class ModuleFormatter extends ExprFormatter {
  readonly #module: Module;
  readonly #version: RegoVersion;
  readonly #ifs: boolean;
  readonly #contains: boolean;
  /** A rule has a path of several steps: then all paths are written with dots. */
  readonly #paths: boolean;

  constructor(text: string, module: Module, version: RegoVersion) {
    super(text, module.comments);
    this.#module = module;
    this.#version = version;
    const imported = (keyword: string): boolean =>
      module.version === "v1" ||
      module.imports.some(
        ({ path: [root, , name] }) => root === "future" && (name === undefined || name === keyword),
      );
    this.#ifs = imported("if");
    this.#contains = imported("contains");
    this.#paths = module.rules.some(
      ({ head: { ref, contains } }) => ref.length > 2 || (ref.length === 2 && contains !== undefined),
    );
    this.keywords = new Set(KEYWORDS.filter((word) => !["and", "or"].includes(word)));
  }

  module(): string {
    const { packageLocation, path, imports, rules } = this.#module;
    this.comeTo(packageLocation.offset);
    const [name = "", ...more] = path;
    this.write(`package ${name}${more.map(printKey).join("")}`);
    this.passed(packageLocation);
    this.blankLine();
    // Imports may stand between rules.
    let next = 0;
    const kept = this.#kept(imports);
    for (;;) {
      const until = rules[next]?.location.offset ?? Number.POSITIVE_INFINITY;
      const group = kept.splice(0, kept.filter(({ location }) => location.offset < until).length);
      this.#imports(group);
      const [following] = kept;
      const end = following?.location.offset ?? Number.POSITIVE_INFINITY;
      const from = next;
      while ((rules[next]?.location.offset ?? Number.POSITIVE_INFINITY) < end) next++;
      this.#rules(rules.slice(from, next));
      if (following === undefined && next >= rules.length) break;
    }
    return this.finish();
  }

  /** `import rego.v1` makes those of keywords needless that v1 has. */
  #kept(imports: readonly Import[]): Import[] {
    const versions = imports.flatMap(({ path: [root, version] }) => (root === "rego" ? [version] : []));
    if (versions.length === 0) return [...imports];
    const later = versions.includes("v2");
    return imports.filter(({ path: [root, version, keyword] }) => {
      if (root === "rego") return !later || version === "v2";
      return (
        root !== "future" || (!later && (keyword === undefined || ["and", "or", "not"].includes(keyword)))
      );
    });
  }

  /** Groups between blank lines, each in order. */
  #imports(imports: readonly Import[]): void {
    const groups: Import[][] = [];
    let row = Number.NEGATIVE_INFINITY;
    for (const found of imports) {
      const own = this.rowOf(found.location.offset);
      if (own > row + 1) groups.push([]);
      groups.at(-1)?.push(found);
      row = own;
    }
    for (const group of groups) {
      const [first] = group;
      if (first !== undefined) this.comeTo(first.location.offset);
      const trailing = new Map(group.map((found) => [found, this.takeTrailing(found.location)]));
      for (const found of group.sort(compareImports)) {
        this.write(`${printImport(found)}${trailing.get(found) ?? ""}`);
        this.endLine();
      }
      this.blankLine();
    }
  }

  #rules(rules: readonly Rule[]): void {
    for (const [i, rule] of rules.entries()) {
      this.comeTo(rule.location.offset);
      this.orVerbatim(wholeOf(rule), () => this.#rule(rule));
      const next = rules[i + 1];
      const together =
        next !== undefined &&
        this.#short(rule) &&
        this.#short(next) &&
        this.endRow(rule.location) === this.rowOf(rule.location.offset) &&
        this.rowOf(next.location.offset) === this.rowOf(rule.location.offset) + 1;
      if (together) this.endLine();
      else this.blankLine();
    }
  }

  /** On one line, so that it may stand directly above another such rule. */
  #short({ body, default: isDefault, else: branch, head }: Rule): boolean {
    if (body.length > 1 || isDefault || branch !== undefined || isSetTerm(body)) return false;
    return this.#ifs && (this.#contains || head.contains === undefined);
  }

  #rule(rule: Rule, name?: string): void {
    const { head, body, location } = rule;
    if (rule.default) this.write("default ");
    const constant = rule.else === undefined && isTrue(body);
    this.#head(rule, constant, name);
    this.passed(head.location);
    if (rule.default || constant) {
      this.passed(location);
      return;
    }
    const end =
      rule.location.offset > head.location.offset ? this.endRow(location) : this.endRow(head.location);
    let short = false;
    const [expr] = body;
    if (this.#ifs && (this.#contains || head.contains === undefined)) {
      this.write(" if");
      short =
        body.length === 1 &&
        expr !== undefined &&
        this.rowOf(expr.location.offset) === end &&
        !isSetTerm(body);
    }
    if (short && expr !== undefined) {
      this.write(" ");
      this.expr(expr);
    } else {
      this.write(" {");
      this.endLine();
      this.indent(1);
      this.expressions(body);
      this.comeTo(location.end - 1);
      this.indent(-1);
      this.write("}");
    }
    this.passed(location);
    if (rule.else !== undefined) {
      const row = this.rowOf(rule.else.location.offset);
      this.#else(rule.else, short || row === this.rowOf(location.offset));
    }
  }

  #else(branch: Rule, apart: boolean): void {
    const { offset } = branch.location;
    const lead = this.source.slice(this.source.lastIndexOf("\n", offset) + 1, offset);
    if (apart || lead.trim() === "" || this.hasComments(0, offset)) {
      this.blankLine();
      this.comeTo(offset);
    } else this.write(" ");
    this.#rule(branch, "else");
  }

  #head({ head, implicitBody, default: isDefault }: Rule, constant: boolean, name: string | undefined): void {
    const { ref, args = [], contains, value, assign, location } = head;
    const [first, ...path] = ref;
    this.write(name ?? String((first as ScalarTerm).value));
    if (name === undefined) {
      const [key] = path;
      if (this.#paths || path.length !== 1 || key === undefined) for (const step of path) this.step(step);
      else if (key.kind === "scalar" && typeof key.value === "string")
        this.write(`[${printTerm({ ...key, raw: false })}]`);
      else this.step(key);
      if (args.length > 0) this.args(args, location);
    }
    if (contains !== undefined) {
      this.write(this.#contains ? " contains " : "[");
      this.term(contains);
      if (!this.#contains) this.write("]");
      return;
    }
    const sign = assign || this.#version === "v1" ? " := " : " = ";
    if (value === undefined) {
      if (isDefault || (constant && !implicitBody)) this.write(`${sign}true`);
    } else if (isDefault || constant || !isYes(value) || (ref.length === 2 && !this.#ifs)) {
      this.write(sign);
      this.term(value);
    }
  }
}

/** A rule with its `else` branches. */
function wholeOf(rule: Rule): Rule["location"] {
  let last = rule;
  while (last.else !== undefined) last = last.else;
  return { ...rule.location, end: last.location.end };
}

function plainTerm(body: Body): Expr["form"] | undefined {
  const [expr] = body;
  return body.length === 1 && expr !== undefined && !expr.negated ? expr.form : undefined;
}

function isTrue(body: Body): boolean {
  const form = plainTerm(body);
  return form?.kind === "term" && isYes(form.term) && body[0]?.with.length === 0;
}

function isYes(term: Term): boolean {
  return term.kind === "scalar" && term.value === true;
}

function isSetTerm(body: Body): boolean {
  const form = plainTerm(body);
  return form?.kind === "term" && form.term.kind === "set";
}

/** By path, then by name. */
function compareImports(a: Import, b: Import): number {
  for (let i = 0; i < Math.min(a.path.length, b.path.length); i++) {
    const order = compareStrings(a.path[i] ?? "", b.path[i] ?? "");
    if (order !== 0) return order;
  }
  return a.path.length - b.path.length || compareStrings(a.alias ?? "", b.alias ?? "");
}
