// SPDX-License-Identifier: Apache-2.0
// What an evaluation tells of itself: enough for coverage, for a log of all steps, and to explain a refusal.

import type { Expr, Location, Rule, Term } from "../ast.ts";
import type { Value } from "../value.ts";

/** A part of an expression and its value at that moment; undefined where it has none. */
export interface TracedOperand {
  readonly term: Term;
  readonly value: Value | undefined;
}

export type TraceEvent =
  | {
      /**
       * Of a rule: its body is tried, has a solution, has none (more), is tried for more. Of an expression: it is
       * evaluated, is true, is not true (or has nothing more), is evaluated for more.
       */
      readonly kind: "enter" | "exit" | "fail" | "redo";
      /** Absent for what stands in a head. An expression may be evaluated in parts, each with events of its own. */
      readonly node: Rule | Expr | undefined;
      /** Of the part. */
      readonly location: Location;
      /** How many rules are around. */
      readonly depth: number;
      /** Looks up the values when it is called, which makes sense only before the tracer returns. */
      readonly operands?: () => readonly TracedOperand[];
      /** Of a rule on exit. */
      readonly value?: Value;
    }
  | {
      readonly kind: "note";
      readonly message: string;
      readonly location?: Location;
      readonly depth: number;
    };

/** Called with each event, in order. What it keeps of values is its own affair: they may be secret. */
export type Tracer = (event: TraceEvent) => void;
