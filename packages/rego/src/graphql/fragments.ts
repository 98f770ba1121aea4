// SPDX-License-Identifier: Apache-2.0
// What fragments must not do: spread themselves (GraphQL specification, October 2021, section 5.5.2.2), or nest
// introspection without end, a limit of the reference.

import { failure } from "../builtins/define.ts";
import { isField, isInline, type QueryDocument, type Selection } from "./tree.ts";

/** Fields of introspection that give lists, each within another. */
const MAX_LISTS = 3;
const LISTS = new Set(["fields", "interfaces", "possibleTypes", "inputFields"]);

/** Throws `BuiltinFailure`. */
export function checkFragments(document: QueryDocument, spend: (steps: number) => void): void {
  const sets = new Map(document.Fragments.map(({ Name: name, SelectionSet: set }) => [name, set]));
  /** How many lists of introspection stand in each other below, at most. */
  const known = new Map<string, number | "open">();
  const listsIn = (set: readonly Selection[]): number => {
    let most = 0;
    for (const each of set) {
      spend(1);
      const below = isField(each) || isInline(each) ? listsIn(each.SelectionSet) : listsOf(each.Name);
      most = Math.max(most, below + (isField(each) && LISTS.has(each.Name) ? 1 : 0));
    }
    return most;
  };
  const listsOf = (name: string): number => {
    const before = known.get(name);
    if (before === "open") throw failure(`fragment ${name} spreads itself`);
    if (before !== undefined) return before;
    known.set(name, "open");
    const lists = listsIn(sets.get(name) ?? []);
    known.set(name, lists);
    return lists;
  };
  const visit = (set: readonly Selection[]): void => {
    for (const each of set) {
      if (!isField(each) && !isInline(each)) continue;
      const isIntrospection = isField(each) && (each.Name === "__schema" || each.Name === "__type");
      if (isIntrospection && listsIn(each.SelectionSet) >= MAX_LISTS)
        throw failure("introspection is nested too deeply");
      visit(each.SelectionSet);
    }
  };
  for (const name of sets.keys()) listsOf(name);
  for (const { SelectionSet: set } of [...document.Operations, ...document.Fragments]) visit(set);
}
