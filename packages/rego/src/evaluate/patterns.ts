// SPDX-License-Identifier: Apache-2.0
// Unification, decided beforehand: each side is either known by then or a pattern whose variables it binds.

import { isSameKey } from "../compile/outputs.ts";
import type { Operand } from "../compile/program.ts";
import { operandLocals } from "../compile/variables.ts";
import { isObject, type PlainObject, RegoObject, same, type Value } from "../value.ts";
import type { Coder, Only, Part } from "./coder.ts";
import { constantOf, isPlainConstant } from "./constants.ts";
import { member } from "./members.ts";
import type { Sink, Step } from "./state.ts";

/** Makes two operands equal. */
export function unification(coder: Coder, left: Operand, right: Operand): Part[] {
  const parts: Part[] = [];
  let waiting: (readonly [Operand, Operand])[] = [[left, right]];
  while (waiting.length > 0) {
    const still: (readonly [Operand, Operand])[] = [];
    for (const [a, b] of waiting) {
      const more = unifyOne(coder, a, b, parts);
      if (more !== undefined) still.push(...more);
    }
    // Two variables that nothing binds: the safety check lets none through.
    if (
      still.length === waiting.length &&
      still.every(([a, b], i) => a === waiting[i]?.[0] && b === waiting[i]?.[1])
    ) {
      throw coder.machine.broken(left.location);
    }
    waiting = still;
  }
  return parts;
}

/** What is left to be done; undefined when the two are done with. */
function unifyOne(
  coder: Coder,
  a: Operand,
  b: Operand,
  parts: Part[],
): (readonly [Operand, Operand])[] | undefined {
  const [aReady, bReady] = [coder.isReady(a), coder.isReady(b)];
  if (aReady && bReady) {
    parts.push(comparison(coder, a, b));
    return undefined;
  }
  if (aReady || bReady) {
    const [known, open] = aReady ? [a, b] : [b, a];
    if (open.kind === "ref") {
      parts.push(...against(coder, open, known));
      return undefined;
    }
    const get = coder.get(known);
    if (open.kind === "local") {
      const { slot } = open.local;
      coder.bound.add(open.local);
      parts.push({
        test: (e) => {
          const value = get(e);
          if (value === undefined) return false;
          e.slots[e.base + slot] = value;
          return true;
        },
      });
      return undefined;
    }
    const match = coder.match(open);
    parts.push({
      test: (e) => {
        const value = get(e);
        return value !== undefined && match(e, value);
      },
    });
    return undefined;
  }
  if (a.kind === "ref" || b.kind === "ref") {
    const [ref, other] = a.kind === "ref" ? [a, b] : [b, a];
    if (ref.kind !== "ref") return [[a, b]];
    const walk = coder.walk(ref);
    const direct = other.kind === "local" && !coder.isBound(other.local);
    const local = direct ? other.local : coder.temporary(ref.location);
    coder.bound.add(local);
    parts.push({
      loop: (next, only) =>
        walk((e, value) => {
          e.slots[e.base + local.slot] = value;
          return next(e);
        }, only),
      item: local,
      binds: operandLocals(ref),
    });
    return direct ? undefined : [[{ kind: "local", local, location: ref.location }, other]];
  }
  if (a.kind === "array" && b.kind === "array") {
    if (a.items.length !== b.items.length) {
      parts.push(NEVER);
      return undefined;
    }
    return a.items.map((item, i) => [item, b.items[i] ?? item] as const);
  }
  if (a.kind === "object" && b.kind === "object") {
    const pairs = a.entries.flatMap(([key, value]) => {
      const other = b.entries.find(([otherKey]) => isSameKey(key, otherKey));
      return other === undefined ? [] : [[value, other[1]] as const];
    });
    if (pairs.length === a.entries.length && pairs.length === b.entries.length) return pairs;
    parts.push(NEVER);
    return undefined;
  }
  if (a.kind !== "local" && b.kind !== "local") {
    parts.push(NEVER);
    return undefined;
  }
  return [[a, b]];
}

const NEVER: Part = { test: () => false };

/** Each value that a reference iterates over, compared with one that is known. */
function against(coder: Coder, ref: Operand & { readonly kind: "ref" }, known: Operand): Part[] {
  const constant = constantOf(known);
  if (constant !== undefined) {
    const check = isConstant(constant);
    const walk = coder.walk(ref);
    const only: Only = { wanted: () => constant };
    return [{ loop: (next) => walk((e, value) => check(e, value) && next(e), only) }];
  }
  // Known before the loop begins, and evaluated once.
  const get = coder.get(known);
  const kept = coder.slot();
  const walk = coder.walk(ref);
  const only: Only = { wanted: (e) => e.slots[e.base + kept] };
  return [
    {
      test: (e) => {
        const value = get(e);
        e.slots[e.base + kept] = value;
        return value !== undefined;
      },
    },
    { loop: (next) => walk((e, value) => same(value, e.slots[e.base + kept] as Value) && next(e), only) },
  ];
}

/** The test whether two operands that are ready have one value. */
export function comparison(coder: Coder, a: Operand, b: Operand): Part {
  const [left, right] = [meant(coder, a), meant(coder, b)];
  const test = equality(coder, a, b);
  return left === undefined || right === undefined ? { test } : { test, sides: [left, right] };
}

/** What a pending local stands for; undefined for a call. */
function meant(coder: Coder, operand: Operand): Operand | undefined {
  let at: Operand | undefined = operand;
  while (at?.kind === "local" && coder.pending.has(at.local)) at = coder.pending.get(at.local)?.of;
  return at;
}

function equality(coder: Coder, a: Operand, b: Operand): Step {
  const constant = constantOf(b) ?? constantOf(a);
  if (constant !== undefined) {
    const get = coder.get(constantOf(b) === undefined ? b : a);
    if (isPlainConstant(constant)) return (e) => get(e) === constant;
    return (e) => {
      const value = get(e);
      return value !== undefined && same(value, constant);
    };
  }
  const [left, right] = [coder.get(a), coder.get(b)];
  return (e) => {
    const x = left(e);
    if (x === undefined) return false;
    const y = right(e);
    return y !== undefined && same(x, y);
  };
}

function isConstant(constant: Value): Sink {
  return isPlainConstant(constant) ? (_e, value) => value === constant : (_e, value) => same(value, constant);
}

/** Compares a value with a pattern and binds what is not bound in it. */
export function matcher(coder: Coder, pattern: Operand): Sink {
  const constant = constantOf(pattern);
  if (constant !== undefined) return isConstant(constant);
  if (pattern.kind === "local" && !coder.isBound(pattern.local)) {
    const { local } = pattern;
    coder.bound.add(local);
    const { slot } = local;
    if (coder.isUnused(pattern)) return () => true;
    return (e, value) => {
      e.slots[e.base + slot] = value;
      return true;
    };
  }
  if (coder.isReady(pattern)) {
    const get = coder.get(pattern);
    return (e, value) => {
      const known = get(e);
      return known !== undefined && same(known, value);
    };
  }
  switch (pattern.kind) {
    case "array": {
      const items = pattern.items.map((item) => coder.match(item));
      return (e, value) =>
        Array.isArray(value) && value.length === items.length && items.every((item, i) => item(e, value[i]));
    }
    case "object": {
      const entries = pattern.entries.map(([key, value]) => {
        if (!coder.isReady(key)) throw coder.machine.broken(key.location);
        return [coder.get(key), coder.match(value)] as const;
      });
      return (e, value) => {
        if (!isObject(value) || sizeOf(value) !== entries.length) return false;
        return entries.every(([keyGet, match]) => {
          const key = keyGet(e);
          const found = key === undefined ? undefined : member(value, key);
          return found !== undefined && match(e, found);
        });
      };
    }
    default:
      throw coder.machine.broken(pattern.location);
  }
}

function sizeOf(value: PlainObject | RegoObject): number {
  return value instanceof RegoObject ? value.size : Object.keys(value).length;
}
