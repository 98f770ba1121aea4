// SPDX-License-Identifier: Apache-2.0
// The safety check (language reference, "Safety"): every variable is bound before it is used. Statements are put in an
// order in which that holds, as near to the written one as it can be.

import type { Location } from "../ast.ts";
import { addAll, boundByUnification, either, type Locals, outputsOf } from "./outputs.ts";
import type { Clause, Local, Operand, Report, Statement } from "./program.ts";
import { addLocals, addStatementLocals, closureLocals, comprehensionsIn, operandsOf } from "./variables.ts";

type Unsafe = Map<Statement, Set<Local>>;

/** Orders the body of a clause and all bodies in it; reports what is unsafe. */
export function checkClause(clause: Clause, report: Report): void {
  const args = new Set<Local>();
  for (const arg of clause.args ?? []) addLocals(arg, {}, args);
  const head = new Set<Local>();
  for (const operand of [...clause.ref, clause.contains, clause.value]) {
    if (operand !== undefined) addLocals(operand, {}, head);
  }
  for (const statement of clause.body) addVisible(statement, args);
  const unbound = [...head].filter((local) => !args.has(local) && local.name !== "");
  for (const local of unbound) reportVariable(local, local.location, report);

  const bound = new Set<Local>();
  for (const arg of clause.args ?? []) addLocals(arg, {}, bound);
  if (unbound.length === 0) clause.body = checkBody(clause.body, bound, report);
  if (clause.else !== undefined) checkClause(clause.else, report);
}

/** The body in an order that is safe; where there is none, what is unsafe is reported. */
export function checkBody(body: readonly Statement[], bound: Locals, report: Report): Statement[] {
  const unsafe: Unsafe = new Map();
  const ordered = order(body, bound, unsafe);
  if (unsafe.size === 0) return ordered;
  reportUnsafe(unsafe, report);
  return [...body];
}

function order(body: readonly Statement[], outer: Locals, unsafe: Unsafe): Statement[] {
  const visible = new Set<Local>();
  const open: Unsafe = new Map();
  const places = new Map<Local, number[]>();
  for (const [i, statement] of body.entries()) {
    const locals = new Set<Local>();
    addVisible(statement, locals);
    addAll(visible, locals);
    for (const local of [...locals, ...closureLocals(statement)]) {
      const known = places.get(local);
      if (known === undefined) places.set(local, [i]);
      else if (known.at(-1) !== i) known.push(i);
    }
    for (const local of locals) if (outer.has(local)) locals.delete(local);
    open.set(statement, locals);
  }

  const safe = new Set<Local>();
  const bound = either(safe, outer);
  const ordered: Statement[] = [];
  // What waits is looked at again when one of its locals is bound, always in the order in which it is written.
  const waits = body.map(() => true);
  const changed = body.map(() => true);
  for (let again = true; again; ) {
    again = false;
    for (let i = 0; i < body.length; i++) {
      const statement = body[i];
      if (statement === undefined || !waits[i] || !changed[i]) continue;
      changed[i] = false;
      const outputs = outputsOf(statement, bound);
      const missing = [...closureLocals(statement)].filter(
        (local) => visible.has(local) && !bound.has(local),
      );
      if (missing.length > 0) {
        // It would have to be evaluated before what it binds itself.
        if (missing.some((local) => outputs.has(local))) continue;
        open.set(statement, new Set(missing));
      }
      const lacks = open.get(statement) ?? new Set();
      for (const local of lacks) if (outputs.has(local) || bound.has(local)) lacks.delete(local);
      if (lacks.size > 0) continue;
      waits[i] = false;
      open.delete(statement);
      ordered.push(statement);
      for (const local of outputs) {
        safe.add(local);
        for (const place of places.get(local) ?? []) changed[place] = true;
      }
      again = true;
    }
  }
  for (const [statement, locals] of open) unsafe.set(statement, locals);

  const before = new Set<Local>();
  const around = either(before, outer);
  for (const statement of ordered) {
    orderClosures(statement, around, unsafe);
    addVisible(statement, before);
  }
  return ordered;
}

/** Orders the bodies inside of a statement. `around` holds what is bound where the statement stands. */
function orderClosures(statement: Statement, around: Locals, unsafe: Unsafe): void {
  const closed = (
    body: Statement[],
    terms: readonly (Operand | undefined)[],
    also: readonly Local[],
  ): Statement[] => {
    const bound = either(new Set(also), around);
    const visible = new Set<Local>();
    for (const inner of body) addVisible(inner, visible);
    for (const term of terms) {
      if (term === undefined) continue;
      const locals = new Set<Local>();
      addLocals(term, {}, locals);
      for (const local of locals)
        if (!visible.has(local) && !bound.has(local)) addTo(unsafe, statement, local);
    }
    const found: Unsafe = new Map();
    const ordered = order(body, bound, found);
    for (const [inner, locals] of found) for (const local of locals) addTo(unsafe, inner, local);
    return found.size === 0 ? ordered : body;
  };
  for (const operand of operandsOf(statement)) {
    for (const comprehension of comprehensionsIn(operand)) {
      comprehension.body = closed(comprehension.body, [comprehension.key, comprehension.value], []);
    }
  }
  const { form } = statement;
  switch (form.kind) {
    case "every":
      form.body = closed(form.body, [], form.key === undefined ? [form.value] : [form.key, form.value]);
      break;
    case "not":
      form.body = closed(form.body, [], []);
      break;
    case "and":
    case "or":
      form.left = closed(form.left, [], []);
      form.right = closed(form.right, [], []);
      break;
    default:
      break;
  }
}

/** Locals of a statement that the body around it sees: those of `not`, `and`, `or` without braces count. */
function addVisible(statement: Statement, into: Set<Local>): void {
  addStatementLocals(statement, { closures: true }, into);
  const { form } = statement;
  if (form.kind === "not" && !form.braces) addAll(into, openLocals(form.body));
  if (form.kind !== "and" && form.kind !== "or") return;
  if (!form.leftBraces) addAll(into, openLocals(form.left));
  if (!form.rightBraces) addAll(into, openLocals(form.right));
}

/**
 * What a body without braces must be given from outside: with one statement everything in it, with more whatever they do
 * not bind for each other.
 */
function openLocals(body: readonly Statement[]): Set<Local> {
  const occurrences = new Map<Local, number>();
  for (const statement of body) {
    const locals = new Set<Local>();
    addVisible(statement, locals);
    for (const local of locals) occurrences.set(local, (occurrences.get(local) ?? 0) + 1);
  }
  if (body.length === 1) return new Set(occurrences.keys());

  const known = new Set(occurrences.keys());
  const bound = new Set<Local>();
  for (const { form } of body) {
    if (form.kind !== "unify") continue;
    for (const side of [form.left, form.right]) if (side.kind === "local") known.delete(side.local);
  }
  for (let before = -1; before !== bound.size; ) {
    before = bound.size;
    for (const { form } of body) {
      if (form.kind !== "unify") continue;
      for (const local of boundByUnification(form.left, form.right, known)) {
        bound.add(local);
        known.add(local);
      }
    }
  }
  for (const { form } of body) {
    if (form.kind === "call" && form.output !== undefined) addLocals(form.output, { closures: true }, bound);
  }
  const open = new Set<Local>();
  for (const [local, count] of occurrences) if (!bound.has(local) || count === 1) open.add(local);
  return open;
}

function addTo(unsafe: Unsafe, statement: Statement, local: Local): void {
  const known = unsafe.get(statement);
  if (known === undefined) unsafe.set(statement, new Set([local]));
  else known.add(local);
}

/** Each variable once, where it first stands; those that only an unsafe one keeps unbound are left out. */
function reportUnsafe(unsafe: Unsafe, report: Report): void {
  const places = new Map<Local, Location>();
  const assigned = new Set<Local>();
  for (const [{ form, location }, locals] of unsafe) {
    for (const local of locals) {
      const known = places.get(local);
      if (known === undefined || location.offset < known.offset) places.set(local, location);
    }
    if (form.kind === "unify" && form.assign) addLocals(form.left, {}, assigned);
  }
  const named = [...places].filter(([local]) => local.name !== "");
  const causes = named.filter(([local]) => !assigned.has(local));
  for (const [local, location] of causes.length > 0 ? causes : named) reportVariable(local, location, report);
  if (named.length > 0) return;
  for (const { location } of unsafe.keys()) {
    report({ code: "REGO_UNSAFE_VARIABLE", message: "expression is unsafe", location, hint: BIND });
    break;
  }
}

const BIND = "bind it first, with `some … in`, `:=` or an expression that is not negated";

function reportVariable(local: Local, location: Location, report: Report): void {
  const name = local.generated ? "_" : local.name;
  const keyword = ["in", "every", "if", "contains"].includes(name);
  report({
    code: "REGO_UNSAFE_VARIABLE",
    message: `var ${name} is unsafe`,
    location,
    hint: keyword ? `\`import future.keywords.${name}\` to use the keyword` : BIND,
  });
}
