// SPDX-License-Identifier: Apache-2.0
// What an evaluation did, from its trace: which clauses of which rules were tried, and what became of each condition.

import type { Expr, Rule, Term, TraceEvent, Value } from "@adyton/rego";
import { nameOfRule } from "./syntax.ts";

export interface OperandRecord {
  readonly term: Term;
  readonly value: Value | undefined;
}

/** A rule's body that was tried. */
export interface ClauseRecord {
  readonly rule: Rule;
  ok: boolean;
  value: Value | undefined;
  readonly conditions: ConditionRecord[];
}

/** An expression that was evaluated, as often as it was. */
export interface ConditionRecord {
  readonly expr: Expr;
  ok: boolean;
  /** Held while the whole body did. */
  held: boolean;
  /** By position in the text, as last seen. */
  readonly operands: Map<string, OperandRecord>;
  /** Ids of reference values that were asked for, itself or in what it called. */
  readonly references: string[];
  /** Of rules and functions that were evaluated for it. */
  readonly clauses: ClauseRecord[];
  /** Of bodies within it. */
  readonly inner: ConditionRecord[];
}

type Frame =
  | { readonly node: Rule; readonly clause: ClauseRecord; fresh: boolean }
  | { readonly node: Expr; readonly condition: ConditionRecord; fresh: boolean }
  | { readonly node: undefined; fresh: boolean };

/** More is not recorded: explanations are for people. */
const MAX_EVENTS = 20_000;

/** Listens to one evaluation. */
export class Recorder {
  /** Clauses of every rule that was tried, by name, in order. */
  readonly rules: Map<string, ClauseRecord[]> = new Map();
  readonly #stack: Frame[] = [];
  #events = 0;

  readonly trace = (event: TraceEvent): void => {
    if (event.kind === "note" || ++this.#events > MAX_EVENTS) return;
    if (event.kind === "enter" || event.kind === "redo") this.#open(event);
    else this.#close(event);
  };

  /** A reference value was asked for. */
  asked(id: string): void {
    for (const frame of this.#stack) {
      if ("condition" in frame && !frame.condition.references.includes(id))
        frame.condition.references.push(id);
    }
  }

  #open({ kind, node }: Extract<TraceEvent, { node: unknown }>): void {
    const fresh = kind === "enter";
    const top = this.#stack.at(-1);
    if (node === undefined) {
      this.#stack.push({ node, fresh });
    } else if ("form" in node) {
      const siblings =
        top !== undefined && "clause" in top
          ? top.clause.conditions
          : top !== undefined && "condition" in top
            ? top.condition.inner
            : [];
      this.#stack.push({ node, condition: conditionIn(siblings, node), fresh });
    } else {
      this.#stack.push({ node, clause: this.#clauseFor(node, top, fresh), fresh });
    }
  }

  #clauseFor(node: Rule, top: Frame | undefined, fresh: boolean): ClauseRecord {
    const name = nameOfRule(node);
    const known = this.rules.get(name) ?? [];
    this.rules.set(name, known);
    const last = fresh ? undefined : known.findLast(({ rule }) => rule === node);
    if (last !== undefined) return last;
    const clause: ClauseRecord = { rule: node, ok: false, value: undefined, conditions: [] };
    known.push(clause);
    if (top !== undefined && "condition" in top) top.condition.clauses.push(clause);
    return clause;
  }

  #close(event: Extract<TraceEvent, { node: unknown }>): void {
    let frame = this.#stack.pop();
    while (frame !== undefined && frame.node !== event.node) frame = this.#stack.pop();
    if (frame === undefined || frame.node === undefined) return;
    const holds = event.kind === "exit";
    if ("clause" in frame) {
      const { clause } = frame;
      if (!holds) return;
      clause.ok = true;
      clause.value = event.value;
      for (const condition of clause.conditions) if (condition.ok) condition.held = true;
      return;
    }
    const { condition } = frame;
    // To have no more solutions is no failure.
    if (!holds && !frame.fresh) return;
    condition.ok = holds;
    for (const { term, value } of event.operands?.() ?? []) {
      condition.operands.set(`${term.location.offset}-${term.location.end}`, { term, value });
    }
  }
}

function conditionIn(siblings: ConditionRecord[], expr: Expr): ConditionRecord {
  const known = siblings.findLast((sibling) => sibling.expr === expr);
  if (known !== undefined) return known;
  const condition: ConditionRecord = {
    expr,
    ok: false,
    held: false,
    operands: new Map(),
    references: [],
    clauses: [],
    inner: [],
  };
  siblings.push(condition);
  return condition;
}
