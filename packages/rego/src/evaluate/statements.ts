// SPDX-License-Identifier: Apache-2.0
// Statements of a body: each becomes a test or a loop.

import type { Form, Local, Operand, Statement } from "../compile/program.ts";
import { showText } from "../show.ts";
import { keyOf, RegoSet, type Value } from "../value.ts";
import { callGet, callWalker, sidesOf } from "./calls.ts";
import { type Coder, chain, FOUND, type Part } from "./coder.ts";
import { constantOf } from "./constants.ts";
import { visit } from "./members.ts";
import { comparison, unification } from "./patterns.ts";
import { scoped } from "./replacements.ts";
import type { Evaluation, Get, Step } from "./state.ts";
import { traced } from "./traced.ts";

/** The parts of a body, in order. What the body binds is bound in the coder from then on. */
export function partsOf(coder: Coder, body: readonly Statement[]): Part[] {
  const parts: Part[] = [];
  const done = new Set<Statement>();
  let looped = coder.machine.isTraced;
  for (const [i, statement] of body.entries()) {
    if (done.has(statement) || defer(coder, statement)) continue;
    settle(coder, parts, (local) => isNeeded(coder, statement, local));
    const made = statementParts(coder, statement);
    if (!looped && made.some((part) => "loop" in part)) {
      looped = true;
      parts.push(...constantParts(coder, body.slice(i + 1), done));
    }
    parts.push(...made);
  }
  settle(coder, parts, () => false);
  return parts;
}

/** Parts of the documents that are the same in each round of a loop: looked up once, before it. */
function constantParts(coder: Coder, body: readonly Statement[], done: Set<Statement>): Part[] {
  const parts: Part[] = [];
  for (const statement of body) {
    const { form, generated, negated, with: replacements } = statement;
    // What is printed is printed, also before something that is undefined.
    if (form.kind === "print") break;
    if (form.kind !== "unify" || !generated || negated || replacements.length > 0) continue;
    if (form.left.kind !== "local" || !form.left.local.generated || !isDocumentPart(coder, form.right))
      continue;
    done.add(statement);
    parts.push(binding(form.left.local, coder.get(form.right)));
    coder.bound.add(form.left.local);
  }
  return parts;
}

/** A constant path in the input, or in the base documents where there are no rules. */
function isDocumentPart(coder: Coder, operand: Operand): boolean {
  if (operand.kind !== "ref" || typeof operand.head !== "string" || operand.path.length === 0) return false;
  let node = operand.head === "data" ? coder.machine.program.root : undefined;
  for (const part of operand.path) {
    const key = constantOf(part);
    if (key === undefined || (node !== undefined && node.clauses.length > 0)) return false;
    node = node?.children.get(keyOf(key));
  }
  return node === undefined;
}

/** Gives a local its value; false where there is none. */
function binding({ slot }: Local, get: Get): Part {
  return {
    test: (e) => {
      const value = get(e);
      e.slots[e.base + slot] = value;
      return value !== undefined;
    },
  };
}

/** Whether the body has a solution. */
function found(coder: Coder, body: readonly Statement[]): Step {
  return chain(coder.parts(body), FOUND);
}

/** What is made for one later place is evaluated there, if that is the next one. */
function defer(coder: Coder, { form, negated, with: replacements }: Statement): boolean {
  if (negated || coder.machine.isTraced) return false;
  const output = form.kind === "unify" ? form.left : form.kind === "call" ? form.output : undefined;
  if (output?.kind !== "local" || !output.local.generated || coder.counts.get(output.local) !== 2)
    return false;
  if (coder.isBound(output.local)) return false;
  // A relation has any number of results.
  if (form.kind === "call" && form.callee.kind === "builtin" && form.callee.builtin.each !== undefined)
    return false;
  const operands = form.kind === "unify" ? [form.right] : form.kind === "call" ? form.args : [];
  if (!operands.every((operand) => coder.isReady(operand)) || !sameScope(coder, operands, replacements))
    return false;
  const get =
    form.kind === "unify"
      ? coder.get(form.right)
      : form.kind === "call"
        ? callGet(coder, form.callee, form.args)
        : undefined;
  if (get === undefined) return false;
  const of = form.kind === "unify" ? form.right : undefined;
  coder.pending.set(output.local, { get, with: replacements, ...(of === undefined ? {} : { of }) });
  return true;
}

/** Whether all pending locals in the operands are evaluated under the same replacements. */
function sameScope(coder: Coder, operands: readonly Operand[], replacements: readonly unknown[]): boolean {
  for (const [local, pending] of coder.pending) {
    if (pending.with !== replacements && (pending.with.length > 0 || replacements.length > 0)) {
      if (operands.some((operand) => holds(operand, local))) return false;
    }
  }
  return true;
}

/** Evaluates what is pending and not wanted by the next part. */
function settle(coder: Coder, parts: Part[], wanted: (local: Parameters<typeof holds>[1]) => boolean): void {
  for (const [local, { get, with: replacements }] of [...coder.pending]) {
    if (wanted(local)) continue;
    coder.pending.delete(local);
    coder.bound.add(local);
    parts.push(scoped(coder, replacements as Statement["with"], binding(local, get)));
  }
}

/** Whether the statement takes the pending local as an operand that it evaluates once, before all else. */
function isNeeded(
  coder: Coder,
  { form, negated, with: replacements }: Statement,
  local: Parameters<typeof holds>[1],
): boolean {
  const pending = coder.pending.get(local);
  // What stands before a negated statement must have a value: inside, the negation would make a truth of its absence.
  if (pending === undefined || negated) return false;
  if (pending.with !== replacements && (pending.with.length > 0 || replacements.length > 0)) return false;
  const operands =
    form.kind === "test"
      ? [form.term]
      : form.kind === "unify"
        ? [form.left, form.right]
        : form.kind === "call"
          ? [...form.args, ...(form.output === undefined ? [] : [form.output])]
          : form.kind === "every"
            ? [form.domain]
            : [];
  return (
    operands.every((operand) => coder.isReady(operand) || !holds(operand, local)) &&
    operands.some((operand) => holds(operand, local))
  );
}

/** Whether the operand holds the local outside of closures. */
function holds(operand: Operand, local: (Operand & { readonly kind: "local" })["local"]): boolean {
  switch (operand.kind) {
    case "local":
      return operand.local === local;
    case "ref":
      return operand.head === local || operand.path.some((part) => holds(part, local));
    case "array":
    case "set":
      return operand.items.some((item) => holds(item, local));
    case "object":
      return operand.entries.some(([key, value]) => holds(key, local) || holds(value, local));
    default:
      return false;
  }
}

function statementParts(coder: Coder, statement: Statement): Part[] {
  const { negated, with: replacements } = statement;
  const note = coder.machine.isTraced ? traced(coder, statement) : undefined;
  const parts = formParts(coder, statement.form);
  const whole: Part[] = negated ? [negation(parts)] : parts;
  const replacing = replacements.length === 0 ? whole : [scoped(coder, replacements, joined(whole))];
  return note === undefined ? replacing : [note(joined(replacing))];
}

/** One part out of many. */
function joined(parts: readonly Part[]): Part {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  if (parts.every((part) => "test" in part)) return { test: chain(parts, FOUND) };
  return { loop: (next) => chain(parts, next) };
}

function negation(parts: readonly Part[]): Part {
  const run = chain(parts, FOUND);
  return { test: (e) => !run(e) };
}

function formParts(coder: Coder, form: Form): Part[] {
  switch (form.kind) {
    case "test":
      return [truth(coder, form.term)];
    case "unify":
      return unification(coder, form.left, form.right);
    case "call":
      return call(coder, form);
    case "print":
      return [printing(form.args.map((arg) => [coder.inner().get(arg), arg.location] as const))];
    case "every":
      return [every(coder, form)];
    case "not": {
      const run = found(coder.inner(), form.body);
      return [{ test: (e) => !run(e) }];
    }
    case "and":
    case "or": {
      const left = found(coder.inner(), form.left);
      const right = found(coder.inner(), form.right);
      return [{ test: form.kind === "and" ? (e) => left(e) && right(e) : (e) => left(e) || right(e) }];
    }
  }
}

function truth(coder: Coder, term: Operand): Part {
  if (!coder.isReady(term) && term.kind === "ref") {
    const walk = coder.walk(term);
    return { loop: (next) => walk((e, value) => value !== false && next(e)) };
  }
  const constant = constantOf(term);
  if (constant !== undefined) return { test: () => constant !== false };
  return { test: isTrue(coder.get(term)) };
}

function isTrue(get: Get): Step {
  return (e) => {
    const value = get(e);
    return value !== undefined && value !== false;
  };
}

function call(coder: Coder, form: Form & { readonly kind: "call" }): Part[] {
  const { callee, args, output } = form;
  if (callee.kind === "builtin" && callee.builtin.each !== undefined) {
    const walk = callWalker(coder, callee.builtin, args);
    const match = output === undefined ? undefined : coder.match(output);
    return [
      {
        loop: (next) =>
          walk((e, value) => (match === undefined ? value !== false : match(e, value)) && next(e)),
      },
    ];
  }
  const sides = output === undefined ? sidesOf(coder, callee, args) : undefined;
  if (sides !== undefined) return [comparison(coder, ...sides)];
  const get = callGet(coder, callee, args);
  if (output === undefined) return [{ test: isTrue(get) }];
  if (output.kind === "local" && !coder.isBound(output.local)) {
    coder.bound.add(output.local);
    return [binding(output.local, get)];
  }
  const match = coder.match(output);
  return [
    {
      test: (e) => {
        const value = get(e);
        return value !== undefined && match(e, value);
      },
    },
  ];
}

function every(coder: Coder, form: Form & { readonly kind: "every" }): Part {
  const domain = coder.get(form.domain);
  const inner = coder.inner();
  inner.bound.add(form.value);
  if (form.key !== undefined) inner.bound.add(form.key);
  const run = found(inner, form.body);
  const keySlot = form.key?.slot ?? -1;
  const { slot } = form.value;
  const fails = (e: Evaluation, key: Value, value: Value) => {
    if (keySlot >= 0) e.slots[e.base + keySlot] = key;
    e.slots[e.base + slot] = value;
    return !run(e);
  };
  return {
    test: (e) => {
      const collection = domain(e);
      if (typeof collection !== "object" || collection === null) return false;
      return !visit(e, collection, coder.ordered, fails);
    },
  };
}

/** `print`: one line for each combination of values of its operands. */
function printing(args: readonly (readonly [Get, Operand["location"]])[]): Part {
  const location = args[0]?.[1];
  return {
    test: (e) => {
      const { print } = e;
      if (print === undefined || location === undefined) return true;
      let lines = [[] as string[]];
      for (const [get] of args) {
        const values = get(e);
        const texts = values instanceof RegoSet ? values.sorted().map(showText) : [];
        const shown = texts.length === 0 ? ["<undefined>"] : texts;
        lines = lines.flatMap((line) => shown.map((text) => [...line, text]));
        e.spend(lines.length);
      }
      for (const line of lines) print(line.join(" "), location);
      return true;
    },
  };
}
