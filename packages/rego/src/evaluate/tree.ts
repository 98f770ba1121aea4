// SPDX-License-Identifier: Apache-2.0
// The tree of rules beside the base documents: its members, and the document that both make together.

import type { RuleNode } from "../compile/program.ts";
import { compare, entriesOf, isObject, keyOf, objectOf, type Value } from "../value.ts";
import type { Machine } from "./machine.ts";
import { member, visit } from "./members.ts";
import type { Evaluation } from "./state.ts";

/** Goes on at a place of the tree, of the base documents, or of both. */
export type TreeSink = (e: Evaluation, node: RuleNode | undefined, document: Value | undefined) => boolean;

/** OPA keeps its own policies here; they do not show in the document of all. */
const HIDDEN = "system";

/** Whether no `with` put a document in the place of the rules. */
export function isLive(e: Evaluation, node: RuleNode): boolean {
  return e.masks === undefined || !e.masks.has(node);
}

export function childOf(e: Evaluation, node: RuleNode | undefined, key: Value): RuleNode | undefined {
  const child = node?.children.get(keyOf(key));
  return child !== undefined && isLive(e, child) ? child : undefined;
}

/** Visits every key of the base document, and of the tree those that are not in it. */
export function enumerate(
  machine: Machine,
  e: Evaluation,
  node: RuleNode | undefined,
  document: Value | undefined,
  each: (e: Evaluation, key: Value, child: RuleNode | undefined, value: Value | undefined) => boolean,
): boolean {
  if (
    document !== undefined &&
    visit(e, document, true, (inner, key, value) => each(inner, key, childOf(inner, node, key), value))
  ) {
    return true;
  }
  for (const child of sortedChildren(node)) {
    if (isHidden(machine, node, child) || !isLive(e, child)) continue;
    if (document !== undefined && member(document, child.key) !== undefined) continue;
    if (each(e, child.key, child, undefined)) return true;
  }
  return false;
}

/** The document at a place that is no rule: that of all rules below, merged into the base document. */
export function extent(
  machine: Machine,
  e: Evaluation,
  node: RuleNode | undefined,
  document: Value | undefined,
): Value | undefined {
  if (node === undefined) return document;
  const virtual = leaves(machine, e, node);
  return document === undefined ? virtual : merge(document, virtual);
}

function leaves(machine: Machine, e: Evaluation, node: RuleNode): Value {
  const entries: (readonly [Value, Value])[] = [];
  for (const child of sortedChildren(node)) {
    if (isHidden(machine, node, child) || !isLive(e, child)) continue;
    const value = child.clauses.length > 0 ? machine.rule(child).value(e) : leaves(machine, e, child);
    if (value !== undefined) entries.push([child.key, value]);
  }
  e.grow(entries.length);
  return objectOf(entries);
}

/** Objects are merged member by member; of anything else the first wins. */
function merge(a: Value, b: Value): Value {
  if (!isObject(a) || !isObject(b)) return a;
  const entries = entriesOf(a).map(([key, value]) => {
    const other = member(b, key);
    return [key, other === undefined ? value : merge(value, other)] as const;
  });
  for (const [key, value] of entriesOf(b)) if (member(a, key) === undefined) entries.push([key, value]);
  return objectOf(entries);
}

function isHidden(machine: Machine, node: RuleNode | undefined, child: RuleNode): boolean {
  return node === machine.program.root && child.key === HIDDEN;
}

function sortedChildren(node: RuleNode | undefined): RuleNode[] {
  return node === undefined ? [] : [...node.children.values()].sort((a, b) => compare(a.key, b.key));
}
