// SPDX-License-Identifier: Apache-2.0
// References: a path is looked up while its keys are known, and iterated over where a variable is not bound yet. Below
// `data` the constant beginning is followed through the tree of rules beforehand.

import type { Operand, RefOperand, RuleNode } from "../compile/program.ts";
import { keyOf, type Value } from "../value.ts";
import type { Coder, Only } from "./coder.ts";
import { constantOf } from "./constants.ts";
import { member, stored, visit, visitOnly, visitValues } from "./members.ts";
import { below } from "./paths.ts";
import type { RuleCode } from "./rules.ts";
import type { Evaluation, Get, Sink, Step } from "./state.ts";
import { childOf, enumerate, extent, isLive, type TreeSink } from "./tree.ts";

/** How one key of a path is had. */
type Hop =
  | { readonly kind: "key"; readonly get: Get; readonly constant: Value | undefined }
  /** Each key in turn. */
  | { readonly kind: "each"; readonly match: Sink | undefined; readonly slot: number };

/** Where the constant beginning of a path below `data` leads. */
interface Start {
  /** Where the tree still goes on; with clauses it is a rule. */
  readonly node: RuleNode | undefined;
  /** How many keys lead there. */
  readonly length: number;
}

/** The value at a path below `data`, all of whose keys are known. */
export function dataGet(coder: Coder, { path }: RefOperand): Get {
  const { machine } = coder;
  const { node, length } = startOf(coder, path);
  if (node === undefined) return below(coder, data, path, stored);
  if (node.clauses.length > 0) {
    const rule = ruleGet(coder, machine.rule(node), path, length);
    const base = below(coder, data, path.slice(0, length), stored);
    // Only `with` hides rules.
    const get: Get = (e) => (e.masks !== undefined && !isLive(e, node) ? base(e) : rule.get(e));
    return below(coder, get, path.slice(rule.length));
  }
  const keys = path.slice(length).map((key) => coder.get(key));
  const base = below(coder, data, path.slice(0, length), stored);
  return (e) => {
    let at: RuleNode | undefined = node;
    let document = base(e);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]?.(e);
      if (key === undefined) return undefined;
      document = stored(document, key);
      at = childOf(e, at, key);
      if (at === undefined || at.clauses.length === 0) continue;
      let value = machine.rule(at).value(e);
      for (const rest of keys.slice(i + 1)) {
        const next = value === undefined ? undefined : rest(e);
        value = value === undefined || next === undefined ? undefined : member(value, next);
      }
      return value;
    }
    return extent(machine, e, at, document);
  };
}

/** Visits every value that a reference with unbound keys has; binds them. */
export function walker(
  coder: Coder,
  { head, path, location }: RefOperand,
): (sink: Sink, only?: Only) => Step {
  if (head !== "data") {
    const root: Get = head === "input" ? (e) => e.input : coder.get({ kind: "local", local: head, location });
    return walkBelow(coder, root, path);
  }
  const { machine } = coder;
  const { node, length } = startOf(coder, path);
  if (node === undefined) return walkBelow(coder, data, path, stored);
  if (node.clauses.length > 0) {
    const rule = ruleGet(coder, machine.rule(node), path, length);
    const base = below(coder, data, path.slice(0, length), stored);
    const get: Get = (e) => (e.masks !== undefined && !isLive(e, node) ? base(e) : rule.get(e));
    return walkBelow(coder, get, path.slice(rule.length));
  }
  const hops = path.slice(length).map((key) => hopOf(coder, key));
  const base = below(coder, data, path.slice(0, length), stored);
  return (sink) => {
    let inValue = sink;
    let inTree: TreeSink = (e, at, document) => {
      const value = extent(machine, e, at, document);
      return value !== undefined && sink(e, value);
    };
    for (const hop of [...hops].reverse()) {
      inTree = treeHop(coder, hop, inTree, inValue);
      inValue = valueHop(coder, hop, inValue);
    }
    return (e) => inTree(e, node, base(e));
  };
}

function data(e: Evaluation): Value {
  return e.data;
}

function startOf(coder: Coder, path: readonly Operand[]): Start {
  let node: RuleNode | undefined = coder.machine.program.root;
  let length = 0;
  for (const part of path) {
    if (node === undefined || node.clauses.length > 0) break;
    const key = constantOf(part);
    if (key === undefined) break;
    node = node.children.get(keyOf(key));
    length++;
  }
  return { node, length };
}

/** The value of a rule, or that part of it for which keys are known; `length` says how much of the path that takes. */
function ruleGet(
  coder: Coder,
  code: RuleCode,
  path: readonly Operand[],
  from: number,
): { readonly get: Get; readonly length: number } {
  const keys: Get[] = [];
  while (keys.length < code.dynamic) {
    const part = path[from + keys.length];
    if (part === undefined || !coder.isReady(part)) break;
    keys.push(coder.get(part));
  }
  const [first, second] = keys;
  if (first === undefined) return { get: (e) => code.value(e), length: from };
  if (second === undefined) {
    const get: Get = (e) => {
      const key = first(e);
      return key === undefined ? undefined : code.at(e, [key]);
    };
    return { get, length: from + 1 };
  }
  const get: Get = (e) => {
    const values: Value[] = [];
    for (const key of keys) {
      const value = key(e);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return code.at(e, values);
  };
  return { get, length: from + keys.length };
}

function walkBelow(
  coder: Coder,
  root: Get,
  path: readonly Operand[],
  lookup: typeof member = member,
): (sink: Sink, only?: Only) => Step {
  let ready = 0;
  while (ready < path.length && coder.isReady(path[ready] as Operand)) ready++;
  const start = below(coder, root, path.slice(0, ready), lookup);
  const hops = path.slice(ready).map((key) => hopOf(coder, key));
  return (sink, only) => {
    let next = sink;
    // Of the last hop, or of the one before a last that is a name.
    let wanted = only;
    for (const hop of [...hops].reverse()) {
      next = valueHop(coder, hop, next, lookup, wanted);
      const name: Value | undefined =
        hop.kind === "key" && wanted?.name === undefined ? hop.constant : undefined;
      wanted = wanted !== undefined && typeof name === "string" ? { ...wanted, name } : undefined;
    }
    return (e) => {
      const value = start(e);
      return value !== undefined && next(e, value);
    };
  };
}

function hopOf(coder: Coder, part: Operand): Hop {
  if (coder.isReady(part)) return { kind: "key", get: coder.get(part), constant: constantOf(part) };
  if (part.kind !== "local") return { kind: "each", match: coder.match(part), slot: -1 };
  const slot = coder.isUnused(part) ? -1 : part.local.slot;
  coder.bound.add(part.local);
  return { kind: "each", match: undefined, slot };
}

function valueHop(coder: Coder, hop: Hop, next: Sink, lookup: typeof member = member, only?: Only): Sink {
  const { ordered } = coder;
  if (hop.kind === "key") {
    const { get } = hop;
    return (e, value) => {
      const key = get(e);
      const found = key === undefined ? undefined : lookup(value, key);
      return found !== undefined && next(e, found);
    };
  }
  const { match, slot } = hop;
  if (match !== undefined) {
    const each = (e: Evaluation, key: Value, value: Value) => match(e, key) && next(e, value);
    return (e, value) => visit(e, value, ordered, each);
  }
  if (slot < 0) {
    if (only !== undefined) return visitOnly(only, next, (e, value) => visitValues(e, value, ordered, next));
    return (e, value) => visitValues(e, value, ordered, next);
  }
  const each = (e: Evaluation, key: Value, value: Value) => {
    e.slots[e.base + slot] = key;
    return next(e, value);
  };
  if (only === undefined) return (e, value) => visit(e, value, ordered, each);
  return visitOnly(
    only,
    (e, value, key) => each(e, key, value),
    (e, value) => visit(e, value, ordered, each),
  );
}

function treeHop(coder: Coder, hop: Hop, next: TreeSink, inValue: Sink): TreeSink {
  const { machine } = coder;
  const enter: TreeSink = (e, node, document) => {
    if (node === undefined || node.clauses.length === 0) return next(e, node, document);
    const value = machine.rule(node).value(e);
    return value !== undefined && inValue(e, value);
  };
  if (hop.kind === "key") {
    const { get } = hop;
    return (e, node, document) => {
      const key = get(e);
      if (key === undefined) return false;
      return enter(e, childOf(e, node, key), stored(document, key));
    };
  }
  const { match, slot } = hop;
  return (e, node, document) =>
    enumerate(machine, e, node, document, (inner, key, child, value) => {
      if (match !== undefined && !match(inner, key)) return false;
      if (slot >= 0) inner.slots[inner.base + slot] = key;
      return enter(inner, child, value);
    });
}
