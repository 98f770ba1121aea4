// SPDX-License-Identifier: Apache-2.0
// Statements that tell the tracer what becomes of them.

import type { Operand, RefOperand, Statement } from "../compile/program.ts";
import { operandsOf } from "../compile/variables.ts";
import type { Coder, Part } from "./coder.ts";
import { constantOf } from "./constants.ts";
import type { Evaluation, Get, Step } from "./state.ts";
import type { TracedOperand, TraceEvent } from "./trace.ts";

interface Reader {
  readonly term: TracedOperand["term"];
  readonly get: Get;
}

/** Wraps the part that the statement becomes. To be called before the part is made: it looks at what is bound then. */
export function traced(coder: Coder, statement: Statement): (part: Part) => Part {
  const { origin: node, location } = statement;
  const before = readersOf(coder, statement);
  const tell = (
    e: Evaluation,
    kind: "enter" | "exit" | "fail" | "redo",
    readers: readonly Reader[],
  ): void => {
    const event: TraceEvent = {
      kind,
      node,
      location,
      depth: e.depth,
      operands: () => readers.map(({ term, get }) => ({ term, value: get(e) })),
    };
    e.event(event);
  };
  return (part) => {
    // The same once more, with what the statement itself binds.
    const after = readersOf(coder, statement);
    if ("test" in part) {
      const { test } = part;
      return {
        test: (e) => {
          tell(e, "enter", before);
          const holds = test(e);
          tell(e, holds ? "exit" : "fail", holds ? after : before);
          return holds;
        },
      };
    }
    return {
      loop: (next) => {
        const run = part.loop((e) => {
          tell(e, "exit", after);
          const stop = next(e);
          if (!stop) tell(e, "redo", before);
          return stop;
        });
        const step: Step = (e) => {
          tell(e, "enter", before);
          const stop = run(e);
          if (!stop) tell(e, "fail", before);
          return stop;
        };
        return step;
      },
    };
  };
}

/** What can be looked up of a statement: its references, calls and variables, or as much of each as is bound. */
function readersOf(coder: Coder, statement: Statement): Reader[] {
  const readers: Reader[] = [];
  const read = (operand: Operand): void => {
    switch (operand.kind) {
      case "local": {
        const term = operand.local.term ?? operand.term;
        if (
          term !== undefined &&
          coder.isBound(operand.local) &&
          !(operand.local.generated && operand.local.term === undefined)
        ) {
          readers.push({ term, get: coder.get(operand) });
        }
        break;
      }
      case "ref":
        reference(operand);
        break;
      case "array":
      case "set":
        operand.items.forEach(read);
        break;
      case "object":
        for (const [, value] of operand.entries) read(value);
        break;
      default:
        break;
    }
  };
  const reference = (operand: RefOperand): void => {
    if (typeof operand.head !== "string" && !coder.isBound(operand.head)) return;
    let ready = 0;
    while (ready < operand.path.length && coder.isReady(operand.path[ready] as Operand)) ready++;
    if (operand.term === undefined) return;
    if (ready === operand.path.length) {
      readers.push({ term: operand.term, get: coder.get(operand) });
      return;
    }
    if (typeof operand.head === "string" && ready === 0) return;
    const prefix: RefOperand = { ...operand, path: operand.path.slice(0, ready) };
    const { term } = operand;
    const shown =
      term.kind === "ref"
        ? { ...term, path: term.path.slice(0, Math.max(0, term.path.length - (operand.path.length - ready))) }
        : term;
    readers.push({
      term: shown.kind === "ref" && shown.path.length === 0 ? shown.head : shown,
      get: coder.get(prefix),
    });
  };
  for (const operand of operandsOf(statement)) if (constantOf(operand) === undefined) read(operand);
  return readers;
}
