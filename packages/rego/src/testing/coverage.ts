// SPDX-License-Identifier: Apache-2.0
// Which lines of policies an evaluation came by, told from its trace.

import type { Body, Expr, Location, Module, Rule, Term } from "../ast.ts";
import type { TraceEvent } from "../evaluate/trace.ts";

/** Rows count from 1. Only rows on which a rule or a condition begins count at all. */
export interface FileCoverage {
  readonly covered: readonly number[];
  readonly notCovered: readonly number[];
  /** Percent of the rows, 100 of none. */
  readonly percent: number;
}

export interface PolicyCoverage {
  readonly files: Readonly<Record<string, FileCoverage>>;
  readonly percent: number;
}

/** Counts what events say of these modules. */
export class CoverageCounter {
  readonly #modules: readonly Module[];
  readonly #seen = new Map<string, Set<number>>();

  constructor(modules: readonly Module[]) {
    this.#modules = modules;
    for (const { file } of modules) this.#seen.set(file, new Set());
  }

  /** A rule is covered when it had a solution, a condition when it was looked at. */
  count({ kind, ...event }: TraceEvent): void {
    if (kind === "note" || !("node" in event) || event.node === undefined) return;
    const isRule = "head" in event.node;
    if (isRule ? kind === "exit" : kind === "enter")
      this.#seen.get(event.location.file)?.add(event.location.row);
  }

  coverage(): PolicyCoverage {
    const files = this.#modules.map(({ file, rules }): [string, FileCoverage] => {
      const seen = this.#seen.get(file) ?? new Set();
      const rows = [...new Set(rules.flatMap(placesOfRule).map(({ row }) => row))].sort((a, b) => a - b);
      const covered = rows.filter((row) => seen.has(row));
      return [
        file,
        {
          covered,
          notCovered: rows.filter((row) => !seen.has(row)),
          percent: percentOf(covered.length, rows.length),
        },
      ];
    });
    const total = files.reduce((sum, [, each]) => sum + each.covered.length + each.notCovered.length, 0);
    const covered = files.reduce((sum, [, each]) => sum + each.covered.length, 0);
    return { files: Object.fromEntries(files), percent: percentOf(covered, total) };
  }
}

function percentOf(part: number, whole: number): number {
  return whole === 0 ? 100 : Math.round((part / whole) * 10_000) / 100;
}

function placesOfRule(rule: Rule): readonly Location[] {
  return [
    rule.location,
    ...(rule.implicitBody ? [] : placesOfBody(rule.body)),
    ...(rule.else === undefined ? [] : placesOfRule(rule.else)),
  ];
}

function placesOfBody(body: Body): readonly Location[] {
  return body.flatMap(placesOfExpr);
}

/** `some x` alone is no condition, and nothing is evaluated there. */
function placesOfExpr({ form, location }: Expr): readonly Location[] {
  switch (form.kind) {
    case "some":
      return [];
    case "every":
      return [location, ...placesOfBody(form.body)];
    case "term":
      return [location, ...placesOfTerm(form.term)];
    case "unify":
    case "assign":
      return [location, ...placesOfTerm(form.left), ...placesOfTerm(form.right)];
    default:
      return [location];
  }
}

/** The bodies of comprehensions. */
function placesOfTerm(term: Term): readonly Location[] {
  switch (term.kind) {
    case "array-comprehension":
    case "set-comprehension":
    case "object-comprehension":
      return placesOfBody(term.body);
    case "array":
    case "set":
      return term.items.flatMap(placesOfTerm);
    case "call":
      return term.args.flatMap(placesOfTerm);
    case "object":
      return term.entries.flatMap(([key, value]) => [...placesOfTerm(key), ...placesOfTerm(value)]);
    default:
      return [];
  }
}
