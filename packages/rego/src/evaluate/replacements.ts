// SPDX-License-Identifier: Apache-2.0
// `with`: other documents and functions while one statement is evaluated, and not in what follows it.

import { type Callee, findNode, nodesBelow, type Replacement, type RuleNode } from "../compile/program.ts";
import type { Value } from "../value.ts";
import type { Coder, Part } from "./coder.ts";
import { replaced } from "./members.ts";
import type { Evaluation, Get, Mock, Step } from "./state.ts";

type Apply = (e: Evaluation) => boolean;

/** The part under its replacements. */
export function scoped(coder: Coder, replacements: readonly Replacement[], part: Part): Part {
  if (replacements.length === 0) return part;
  const gets = replacements.map(({ value }) =>
    value.kind === "builtin" || value.kind === "function" ? undefined : coder.get(value),
  );
  const enter = entering(coder, replacements, gets);
  if ("test" in part) {
    const { test } = part;
    return {
      test: (e) => {
        const before = e.documents();
        const holds = enter(e) && test(e);
        e.restore(before);
        return holds;
      },
    };
  }
  return {
    loop: (next) => {
      // What follows is evaluated under the documents around, and then these come back.
      const outside: Step = (e) => {
        const inside = e.documents();
        const before = e.outer.pop();
        if (before !== undefined) e.restore(before);
        const stop = next(e);
        if (before !== undefined) e.outer.push(before);
        e.restore(inside);
        return stop;
      };
      const run = part.loop(outside);
      return (e) => {
        const before = e.documents();
        e.outer.push(before);
        const stop = enter(e) && run(e);
        e.outer.pop();
        e.restore(before);
        return stop;
      };
    },
  };
}

/** Evaluates all values first, then replaces; false when one has no value. */
function entering(
  coder: Coder,
  replacements: readonly Replacement[],
  gets: readonly (Get | undefined)[],
): Apply {
  const { root } = coder.machine.program;
  const masked = replacements.map(({ target }) => {
    const node = target.kind === "data" ? findNode(root, target.path) : undefined;
    return node === undefined ? [] : [...nodesBelow(node)];
  });
  const onlyInput = replacements.every(({ target }) => target.kind === "input");
  return (e) => {
    const values: (Value | undefined)[] = [];
    for (const get of gets) {
      const value = get?.(e);
      if (get !== undefined && value === undefined) return false;
      values.push(value);
    }
    for (const [i, { target, value: standIn }] of replacements.entries()) {
      const value = values[i];
      if ("path" in target) {
        if (value === undefined) continue;
        if (target.kind === "input") e.input = replaced(e.input, target.path, value);
        else e.data = replaced(e.data, target.path, value);
        const nodes = masked[i] ?? [];
        if (nodes.length > 0) e.masks = new Set<RuleNode>([...(e.masks ?? []), ...nodes]);
        continue;
      }
      const mock: Mock | undefined =
        value !== undefined
          ? { value }
          : standIn.kind === "builtin" || standIn.kind === "function"
            ? { callee: standIn }
            : undefined;
      if (mock === undefined) continue;
      e.mocks = new Map([...(e.mocks ?? []), [mockKey(target), mock]]);
    }
    e.epoch = e.newEpoch();
    if (!onlyInput) e.stable = e.epoch;
    return true;
  };
}

function mockKey(callee: Callee): RuleNode | string {
  return callee.kind === "builtin" ? callee.builtin.name : callee.node;
}
