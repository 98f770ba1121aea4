// SPDX-License-Identifier: Apache-2.0
// Syntax trees, ours and OPA's, as texts that are equal where the trees are. OPA's come from `rego.parse_module`, where
// sets and objects have lost their order and what occurs in them twice.

import type { Body, Expr, Head, Module, Rule, Term } from "@adyton/rego";

/** A node of OPA's tree, as JSON. */
export interface OpaNode {
  readonly [key: string]: unknown;
}

export function ourSyntax({ path, imports, rules }: Module): string {
  return lines(
    path,
    imports.map(({ path: names, alias }) => form("import", ...names, alias ?? "")),
    rules.map(rule),
  );
}

export function opaSyntax(module: OpaNode): string {
  const path = nodes((module.package as OpaNode).path).slice(1);
  const imports = nodes(module.imports).map(({ path: target, alias }) =>
    form(
      "import",
      ...nodes((target as OpaNode).value).map((step) => String(step.value)),
      String(alias ?? ""),
    ),
  );
  return lines(
    path.map((step) => String(step.value)),
    imports,
    nodes(module.rules).map(opaRule),
  );
}

function lines(path: readonly string[], imports: readonly string[], rules: readonly string[]): string {
  // Wildcards are numbered along the text, and some heads have copies of them.
  return [path.join("/"), ...imports, ...rules].join("\n").replace(/\$\d+/g, "_");
}

function form(kind: string, ...parts: readonly string[]): string {
  return `(${[kind, ...parts].join(" ")})`;
}

function rule({ default: isDefault, head, body, else: branch }: Rule): string {
  const parts = [ourHead(head), block(body), branch === undefined ? "" : rule(branch)];
  return form(isDefault ? "default" : "rule", ...parts);
}

function ourHead({ ref: [name, ...path], args = [], contains, value }: Head): string {
  const first = name?.kind === "scalar" ? String(name.value) : "";
  return form(
    "head",
    [first, ...path.map(term)].join(" "),
    form("args", ...args.map(term)),
    contains === undefined ? (value === undefined ? "true" : term(value)) : form("contains", term(contains)),
  );
}

function block(body: Body): string {
  return form("body", ...body.map(expr));
}

function expr({ form: found, negated, with: list }: Expr): string {
  const withs = list.map(({ target, value }) => form("with", term(target), term(value)));
  return form(negated ? "not" : "expr", statement(found), ...withs);
}

function statement(found: Expr["form"]): string {
  switch (found.kind) {
    case "term":
      return term(found.term);
    case "unify":
      return form("call", form("ref", "eq"), term(found.left), term(found.right));
    case "assign":
      return form("call", form("ref", "assign"), term(found.left), term(found.right));
    case "some":
      return form("some", ...found.variables.map(term));
    case "some-in": {
      const { key, value, domain } = found;
      const args = [...(key === undefined ? [] : [key]), value, domain];
      return form(
        "some",
        form("call", form("ref", "internal", `"member_${args.length}"`), ...args.map(term)),
      );
    }
    case "every": {
      const { key, value, domain, body } = found;
      return form("every", key === undefined ? "" : term(key), term(value), term(domain), block(body));
    }
    case "not":
      return form("not", block(found.operand.body), String(found.operand.braces));
    default:
      return form(
        found.kind,
        block(found.left.body),
        String(found.left.braces),
        block(found.right.body),
        String(found.right.braces),
      );
  }
}

function term(found: Term): string {
  switch (found.kind) {
    case "scalar":
      return typeof found.value === "string" || found.value === null || typeof found.value === "boolean"
        ? JSON.stringify(found.value)
        : String(Number(found.value));
    case "var":
      return found.name === "input" || found.name === "data" ? form("ref", found.name) : found.name;
    case "ref":
      return form(
        "ref",
        found.head.kind === "var" ? found.head.name : term(found.head),
        ...found.path.map(term),
      );
    case "array":
      return form("array", ...found.items.map(term));
    case "set":
      return form("set", ...distinct(found.items.map((item) => [term(item)])));
    case "object":
      return form("object", ...distinct(found.entries.map(([key, value]) => [term(key), term(value)])));
    case "call": {
      const [name = "", ...path] = found.operator;
      return form(
        "call",
        form("ref", name, ...path.map((step) => JSON.stringify(step))),
        ...found.args.map(term),
      );
    }
    case "array-comprehension":
      return form("array-of", term(found.term), block(found.body));
    case "set-comprehension":
      return form("set-of", term(found.term), block(found.body));
    case "object-comprehension":
      return form("object-of", term(found.key), term(found.value), block(found.body));
    default:
      return form(
        "template",
        ...found.parts.map((part) => {
          if (typeof part === "string") return JSON.stringify(part);
          // OPA tells a constant in braces from text by its type only.
          return part.form.kind === "term" && part.form.term.kind === "scalar" && part.with.length === 0
            ? term(part.form.term)
            : expr(part);
        }),
      );
  }
}

/** By key, the last one of each. */
function distinct(entries: readonly (readonly [key: string, value?: string])[]): string[] {
  const last = new Map(entries.map(([key, value]) => [key, value === undefined ? key : `${key}: ${value}`]));
  return [...last.keys()].sort().map((key) => last.get(key) ?? "");
}

function nodes(value: unknown): OpaNode[] {
  return (value ?? []) as OpaNode[];
}

function opaRule(found: OpaNode): string {
  const parts = [opaHead(found.head as OpaNode), opaBlock(found.body)];
  return form(
    found.default === true ? "default" : "rule",
    ...parts,
    found.else === undefined ? "" : opaRule(found.else as OpaNode),
  );
}

function opaHead({ ref, args, key, value }: OpaNode): string {
  const [name, ...path] = nodes(ref);
  return form(
    "head",
    [String(name?.value), ...path.map(opaTerm)].join(" "),
    form("args", ...nodes(args).map(opaTerm)),
    value === undefined ? form("contains", opaTerm(key as OpaNode)) : opaTerm(value as OpaNode),
  );
}

function opaBlock(body: unknown): string {
  return form("body", ...nodes(body).map(opaExpr));
}

function opaExpr({ terms, negated, with: list }: OpaNode): string {
  const withs = nodes(list).map(({ target, value }) =>
    form("with", opaTerm(target as OpaNode), opaTerm(value as OpaNode)),
  );
  return form(negated === true ? "not" : "expr", opaStatement(terms), ...withs);
}

function opaStatement(terms: unknown): string {
  if (Array.isArray(terms)) return form("call", ...(terms as OpaNode[]).map(opaTerm));
  const found = terms as OpaNode;
  if (found.symbols !== undefined) return form("some", ...nodes(found.symbols).map(opaTerm));
  if (found.domain !== undefined) {
    const { key, value, domain, body } = found;
    const name = key === null || key === undefined ? "" : opaTerm(key as OpaNode);
    return form("every", name, opaTerm(value as OpaNode), opaTerm(domain as OpaNode), opaBlock(body));
  }
  if (found.lhs !== undefined) {
    const braces = (flag: unknown): string => String(flag === true);
    return form(
      String(found.type),
      opaBlock(found.lhs),
      braces(found.explicit_lhs),
      opaBlock(found.rhs),
      braces(found.explicit_rhs),
    );
  }
  if (found.body !== undefined)
    return form("not", opaBlock(found.body), String(found.explicit_body === true));
  return opaTerm(found);
}

function opaTerm({ type, value }: OpaNode): string {
  const inner = value as OpaNode;
  switch (type) {
    case "null":
      return "null";
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "number":
      return String(Number(value));
    case "var":
      return String(value);
    case "ref":
      return form("ref", ...nodes(value).map(opaTerm));
    case "call":
      return form("call", ...nodes(value).map(opaTerm));
    case "array":
      return form("array", ...nodes(value).map(opaTerm));
    case "set":
      return form("set", ...distinct(nodes(value).map((item) => [opaTerm(item)])));
    case "object":
      return form(
        "object",
        ...distinct((value as [OpaNode, OpaNode][]).map(([key, member]) => [opaTerm(key), opaTerm(member)])),
      );
    case "arraycomprehension":
      return form("array-of", opaTerm(inner.term as OpaNode), opaBlock(inner.body));
    case "setcomprehension":
      return form("set-of", opaTerm(inner.term as OpaNode), opaBlock(inner.body));
    case "objectcomprehension":
      return form(
        "object-of",
        opaTerm(inner.key as OpaNode),
        opaTerm(inner.value as OpaNode),
        opaBlock(inner.body),
      );
    case "templatestring":
      return form(
        "template",
        ...nodes(inner.parts).map((part) => (part.terms === undefined ? opaTerm(part) : opaExpr(part))),
      );
    default:
      throw new Error(`unknown type of term: ${String(type)}`);
  }
}
