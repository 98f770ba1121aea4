// SPDX-License-Identifier: Apache-2.0
// Graphs: an object from each node to the array or set of its neighbours.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { ANY, dictionaryOf, setOf } from "../types.ts";
import { memberOf, RegoSet, type Value } from "../value.ts";
import { ANY_ARRAY, ANY_LIST, ANY_SET, define, listAt, objectAt } from "./define.ts";

const ARGUMENTS = [dictionaryOf(ANY, ANY_LIST), ANY_LIST] as const;

export const graph: readonly Builtin[] = [
  define("graph.reachable", ARGUMENTS, ANY_SET, (nodes: Value, from: Value, context: BuiltinContext) => {
    objectAt(nodes, 1);
    const queue = [...listAt(from, 2)];
    const reached = new RegoSet();
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      const edges = memberOf(nodes, node);
      context.spend(1);
      // A node that the graph does not list is not reached, only pointed at.
      if (edges === undefined || reached.has(node)) continue;
      reached.add(node);
      for (const next of neighbours(edges)) queue.push(next);
    }
    return reached;
  }),
  define(
    "graph.reachable_paths",
    ARGUMENTS,
    setOf(ANY_ARRAY),
    (nodes: Value, from: Value, context: BuiltinContext) => {
      objectAt(nodes, 1);
      const paths = new RegoSet();
      for (const start of listAt(from, 2)) {
        if (memberOf(nodes, start) !== undefined) follow(nodes, start, paths, context);
      }
      return paths;
    },
  ),
];

/** Adds every way on from a node, up to a node without edges, one not listed, or one already on the path. */
function follow(nodes: Value, start: Value, paths: RegoSet, context: BuiltinContext): void {
  // A stack of its own: paths may be longer than calls nest.
  const stack: (readonly Value[])[] = [[start]];
  for (let path = stack.pop(); path !== undefined; path = stack.pop()) {
    const edges = neighbours(memberOf(nodes, path.at(-1) as Value) ?? null);
    context.spend(path.length * (1 + edges.length));
    if (edges.length === 0) paths.add(path);
    const visited = RegoSet.of(path);
    for (const next of edges) {
      // The reference takes an edge from the start to itself once.
      const onPath = path.length > 1 && visited.has(next);
      if (onPath || memberOf(nodes, next) === undefined) paths.add(path);
      else stack.push([...path, next]);
    }
  }
}

function neighbours(edges: Value): readonly Value[] {
  if (edges instanceof RegoSet) return edges.sorted();
  return Array.isArray(edges) ? edges : [];
}
