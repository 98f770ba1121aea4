// SPDX-License-Identifier: Apache-2.0
// From the record of an evaluation to the tree that explains it, and to the flat list of findings.

import type { JsonValue } from "@adyton/core/json";
import type { TeeName } from "@adyton/evidence";
import { TEE_NAMES } from "@adyton/evidence";
import type { Expr, Rule } from "@adyton/rego";
import { type Explanation, placeOf } from "../explanation.ts";
import type { Finding } from "../finding.ts";
import { type ReferenceValues, valuesOf } from "../reference.ts";
import { tierOf } from "../trust.ts";
import { claimOf, comparisonOf, computed, innermost, json } from "./operands.ts";
import type { ClauseRecord, ConditionRecord, OperandRecord, Recorder } from "./record.ts";
import { nextOf, sentenceOf, type What } from "./sentences.ts";
import type { Source } from "./source.ts";
import { nameOfRule, type Remark } from "./syntax.ts";

export interface ExplainContext {
  readonly source: Source;
  readonly recorder: Recorder;
  readonly tee: TeeName;
  readonly referenceValues: ReferenceValues;
  /** Evaluates one condition of a body that was left before it was reached; undefined where it cannot stand alone. */
  readonly replay: (expr: Expr) => ConditionRecord | undefined;
  readonly vouchersOf?: (id: string, value: JsonValue) => JsonValue | undefined;
}

interface Clause {
  readonly record: ClauseRecord;
  readonly conditions: readonly ConditionRecord[];
}

/** A tree whose leaves for the flat list are marked. */
export class Explainer {
  readonly #context: ExplainContext;
  readonly #leaves = new WeakSet<Explanation>();
  readonly #replayed = new Map<Expr, ConditionRecord | undefined>();

  constructor(context: ExplainContext) {
    this.#context = context;
  }

  /** Why a rule has its value; `good` says whether that is what one wants. */
  value(name: string, good: boolean, text: string): Explanation {
    const { recorder } = this.#context;
    const clauses = (recorder.rules.get(name) ?? []).filter(({ rule }) => !rule.default);
    const winning = clauses.findLast(({ ok }) => ok);
    const children =
      winning !== undefined && (good || !isWanted(winning.rule))
        ? this.#conditionsOf(winning).map((record) =>
            good ? this.#condition(record) : this.#inverted(record),
          )
        : this.#alternatives(clauses.filter(({ rule, ok }) => !ok && isWanted(rule)));
    const fallback =
      good || children.some(({ ok }) => !ok)
        ? []
        : [
            this.#leaf(
              this.#nothing(
                name,
                clauses.map(({ rule }) => rule),
              ),
            ),
          ];
    return {
      kind: "claim",
      ok: good,
      text,
      ...this.#placeOfRule(name),
      children: [...children, ...fallback],
    };
  }

  /** The leaves of a tree as findings, in order, each once. */
  findings(tree: Explanation): Finding[] {
    const found = new Map<string, Finding>();
    const visit = (node: Explanation): void => {
      if (this.#leaves.has(node)) {
        const finding = findingOf(node);
        const key = `${finding.rule} ${finding.ok} ${finding.message}`;
        if (!found.has(key)) found.set(key, finding);
        return;
      }
      // Of several ways the first is the nearest: what fails on the others need not be mended.
      const ways = node.children.filter(({ kind, ok }) => kind === "rule" && !ok);
      for (const child of node.children) if (!ways.includes(child) || child === ways[0]) visit(child);
    };
    visit(tree);
    return [...found.values()];
  }

  /** Clauses that failed, the nearest to success first, each as a way; the conditions alone where there is but one. */
  #alternatives(failed: readonly ClauseRecord[]): Explanation[] {
    const ranked = failed
      .map((record) => ({ record, conditions: this.#conditionsOf(record) }))
      .filter((clause) => !this.#isForOther(clause))
      .map((clause) => ({ clause, score: this.#score(clause) }))
      .sort((a, b) => a.score.missing - b.score.missing || a.score.failing - b.score.failing);
    const [first, ...more] = ranked;
    if (first === undefined) return [];
    if (more.length === 0) return first.clause.conditions.map((record) => this.#condition(record));
    return ranked.map(({ clause }): Explanation => {
      const { rule } = clause.record;
      return {
        kind: "rule",
        ok: false,
        text:
          this.#context.source.remarkAt(rule.location)?.meaning ||
          `${headText(rule)}: one of its conditions fails.`,
        file: rule.location.file,
        line: rule.location.row,
        children: clause.conditions.map((record) => this.#condition(record)),
      };
    });
  }

  /** What was tried of a body, and what can be tried of the rest. */
  #conditionsOf({ rule, conditions, ok }: ClauseRecord): readonly ConditionRecord[] {
    if (ok) return conditions;
    const tried = new Set(conditions.map(({ expr }) => expr));
    const rest = rule.body
      .filter((expr) => !tried.has(expr))
      .flatMap((expr) => {
        if (!this.#replayed.has(expr)) this.#replayed.set(expr, this.#context.replay(expr));
        return this.#replayed.get(expr) ?? [];
      });
    return [...conditions, ...rest];
  }

  #score({ conditions }: Clause): { missing: number; failing: number } {
    const failing = conditions.filter((record) => !holds(record));
    const missing = failing.filter(({ references }) =>
      references.some((id) => this.#valuesOf(id).length === 0),
    );
    return { missing: missing.length, failing: failing.length };
  }

  /** A clause about another TEE: it fails because that one's claims are not there. */
  #isForOther({ conditions }: Clause): boolean {
    const first = conditions.find((record) => !holds(record));
    if (first === undefined) return false;
    return [...first.operands.values()].some(({ term, value }) => {
      if (value !== undefined) return false;
      const name = /^input(?:\.|\[")([\w-]+)/
        .exec(this.#context.source.claimPath(term) ?? "")?.[1]
        ?.replaceAll("_", "-");
      return (
        name !== undefined && name !== this.#context.tee && (TEE_NAMES as readonly string[]).includes(name)
      );
    });
  }

  #condition(record: ConditionRecord): Explanation {
    const ok = holds(record);
    const { source } = this.#context;
    const use = source.use(record.expr);
    const remark =
      source.remarkAt(record.expr.location) ?? (use === undefined ? undefined : source.remarkOf(use));
    const groups = record.expr.negated ? [] : this.#groups(record);
    if (ok && remark !== undefined) {
      // Of several ways to hold, the one that was taken says what is true.
      const taken = source.remarkAt(record.expr.location) === undefined ? groups[0] : undefined;
      const clause = taken?.findLast((each) => each.ok);
      const own = clause === undefined ? undefined : source.remarkAt(clause.rule.location);
      return this.#leaf(this.#described(record, own ?? remark, []));
    }
    const children = ok
      ? groups.flatMap(
          (clauses) =>
            clauses.findLast((clause) => clause.ok)?.conditions.map((each) => this.#condition(each)) ?? [],
        )
      : [
          ...groups
            .filter((clauses) => !clauses.some((clause) => clause.ok))
            .flatMap((clauses) => this.#alternatives(clauses.filter(({ rule }) => !rule.default))),
          ...record.inner.filter((inner) => !holds(inner)).map((inner) => this.#condition(inner)),
        ];
    if (remark !== undefined || children.length === 0)
      return this.#leaf(this.#described(record, remark, children));
    const { location } = record.expr;
    const text = source.textOf(location);
    const { file, row: line } = location;
    return { kind: "condition", ok, text: ok ? text : `Not met: ${text}`, file, line, children };
  }

  /** A condition that held and should not have. */
  #inverted(record: ConditionRecord): Explanation {
    const { source } = this.#context;
    const [name] = source.called(record.expr);
    if (record.expr.negated && name !== undefined) {
      const remark = source.remarkOf(name);
      const clauses = (this.#context.recorder.rules.get(name) ?? []).filter(
        ({ rule, ok }) => !rule.default && !ok,
      );
      const failing = { ...record, ok: false, held: false, clauses: [...clauses] };
      const node = this.#described(failing, remark, this.#alternatives(clauses));
      return this.#leaf(node);
    }
    const remark = source.remarkAt(record.expr.location);
    const node = this.#described({ ...record, ok: false, held: false }, remark, []);
    return this.#leaf({
      ...node,
      text: `Holds, and speaks against it: ${remark?.meaning ?? node.source ?? ""}`,
    });
  }

  /** The clauses that were tried for a condition, by rule. */
  #groups({ expr, clauses }: ConditionRecord): readonly (readonly ClauseRecord[])[] {
    const byName = new Map<string, ClauseRecord[]>();
    for (const clause of clauses) {
      const name = nameOfRule(clause.rule);
      byName.set(name, [...(byName.get(name) ?? []), clause]);
    }
    for (const name of this.#context.source.called(expr)) {
      if (byName.has(name)) continue;
      // Evaluated before, and remembered since.
      const known =
        this.#context.recorder.rules.get(name)?.filter(({ rule }) => rule.head.args === undefined) ?? [];
      if (known.length > 0) byName.set(name, known);
    }
    return [...byName.values()];
  }

  #described(
    record: ConditionRecord,
    remark: Remark | undefined,
    children: readonly Explanation[],
  ): Explanation {
    const { source } = this.#context;
    const ok = holds(record);
    const { expr } = record;
    const decisive = this.#decisive(record);
    const { path } = decisive;
    const leaf = path.at(-1) ?? record;
    const reference = leaf.references[0] ?? record.references.at(-1);
    const claim = decisive.claim === undefined ? undefined : source.claimPath(decisive.claim.term);
    const comparison = comparisonOf(leaf);
    const compared = comparison?.found?.value;
    const inner = path.slice(1).map((each) => innermost(each, reference));
    const found = json(
      innermost(leaf, reference) ??
        inner.findLast((value) => value !== undefined) ??
        (compared === reference ? undefined : compared) ??
        (reference === undefined ? undefined : computed(record)) ??
        decisive.claim?.value,
    );
    const expected = reference === undefined ? json(comparison?.expected) : [...this.#valuesOf(reference)];
    const text = source.textOf(expr.location);
    const meaning = remark?.meaning || text;
    const absent = [...leaf.operands.values()].find(({ value }) => value === undefined);
    const missing = absent === undefined ? undefined : source.claimPath(absent.term);
    const what: What = { reference, claim, found, expected, meaning, leaf, missing, source: text };
    const vouchers =
      ok && reference !== undefined && found !== undefined
        ? this.#context.vouchersOf?.(reference, found)
        : undefined;
    return {
      kind: "condition",
      ok,
      text: ok ? meaning : sentenceOf(what),
      file: expr.location.file,
      line: expr.location.row,
      source: text,
      rule: this.#ruleOf(expr, reference, claim),
      ...(claim === undefined ? {} : { claim }),
      ...(found === undefined ? {} : { found }),
      ...(expected === undefined ? {} : { expected }),
      ...(reference === undefined ? {} : { reference }),
      ...(vouchers === undefined ? {} : { vouchers }),
      ...(ok
        ? {}
        : { next: remark?.next ?? (source.remarkOf(source.use(expr) ?? "")?.next || nextOf(what)) }),
      children,
    };
  }

  /** The way from a condition to the one that decided it, and the claim that was looked at on it. */
  #decisive(record: ConditionRecord): {
    path: readonly ConditionRecord[];
    claim: OperandRecord | undefined;
  } {
    const claim = claimOf(record, this.#context.source);
    const candidates = holds(record)
      ? record.clauses.filter(({ ok }) => ok).flatMap(({ conditions }) => conditions)
      : [
          ...this.#groups(record)
            .filter((clauses) => !clauses.some(({ ok }) => ok))
            .flatMap((clauses) =>
              clauses.flatMap(({ conditions }) => conditions.filter((each) => !holds(each))),
            ),
          ...record.inner.filter((inner) => !holds(inner)),
        ];
    const next =
      candidates.find(({ references }) => references.length > 0) ??
      candidates.find((each) => claimOf(each, this.#context.source) !== undefined) ??
      candidates[0];
    if (next === undefined || (record.expr.negated && !holds(record) && record.clauses.length === 0)) {
      return { path: [record], claim };
    }
    const deeper = this.#decisive(next);
    return { path: [record, ...deeper.path], claim: deeper.claim ?? claim };
  }

  #ruleOf(expr: Expr, reference: string | undefined, claim: string | undefined): string {
    if (reference !== undefined) return `reference:${reference}`;
    const demand = this.#context.source.demandOf(expr);
    if (demand !== undefined) return demand;
    const own = claim === undefined ? undefined : /^input(?:\.|\[")[\w-]+(?:"\])?\.(.+)$/.exec(claim)?.[1];
    if (own !== undefined && !claim?.startsWith("input.adyton")) return `claim:${own}`;
    if (claim !== undefined) return `claim:${claim}`;
    return `policy:${this.#context.source.use(expr) ?? placeOf({ file: expr.location.file, line: expr.location.row })}`;
  }

  #nothing(name: string, rules: readonly Rule[]): Explanation {
    const { tee } = this.#context;
    const about = rules.length === 0;
    return {
      kind: "condition",
      ok: false,
      text: about
        ? `The policy gives ${name} no value.`
        : `No rule of the policy gives ${name} a good value for ${tee}.`,
      rule: `policy:${name}`,
      ...this.#placeOfRule(name),
      next: `Write a rule for ${name} that says when ${tee} evidence is good.`,
      children: [],
    };
  }

  #placeOfRule(name: string): { file?: string; line?: number } {
    const [rule] = this.#context.source.rules(name);
    return rule === undefined ? {} : { file: rule.location.file, line: rule.location.row };
  }

  #valuesOf(id: string): readonly JsonValue[] {
    return valuesOf(this.#context.referenceValues, id);
  }

  #leaf(node: Explanation): Explanation {
    this.#leaves.add(node);
    return node;
  }
}

function findingOf(node: Explanation): Finding {
  const { rule, ok, text, found, expected, vouchers, next, file, line } = node;
  return Object.freeze({
    rule: rule ?? "policy",
    ok,
    message: text,
    ...(found === undefined ? {} : { found }),
    ...(expected === undefined ? {} : { expected }),
    ...(vouchers === undefined ? {} : { vouchers }),
    ...(next === undefined ? {} : { next }),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  });
}

function holds({ ok, held }: ConditionRecord): boolean {
  return ok || held;
}

/** Whether a clause, when it holds, gives what one wants: no number that is bad news, not false. */
function isWanted({ head }: Rule): boolean {
  const { value } = head;
  if (value?.kind !== "scalar") return true;
  if (typeof value.value === "number") return tierOf(value.value) === "affirming";
  return value.value !== false;
}

function headText(rule: Rule): string {
  const { value } = rule.head;
  return `${nameOfRule(rule)}${value?.kind === "scalar" ? ` := ${String(value.value)}` : ""}`;
}
