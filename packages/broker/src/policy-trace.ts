// SPDX-License-Identifier: Apache-2.0
// Why a policy in Rego did not allow: the conditions at which its rules stopped, from the evaluation's own trace.

import type { JsonObject, JsonValue } from "@adyton/core/json";
import type { EvaluateOptions, Rule } from "@adyton/rego";
import { type Query, RegoError, type TraceEvent, toJson } from "@adyton/rego";

const MAX_CONDITIONS = 8;
/** Characters of an expression or value in the audit log. */
const MAX_TEXT = 200;

interface Stop {
  readonly offset: number;
  readonly facts: JsonObject;
}

/**
 * For each rule that was tried in vain, the condition that it came furthest with: `{file, line, source, found}`, where
 * `found` holds the values in it by their text. `sources` holds the policies' texts by file.
 */
export function refusedConditions(
  query: Query,
  options: EvaluateOptions,
  sources: Readonly<Record<string, string>>,
): readonly JsonObject[] {
  const stack: (Rule | undefined)[] = [];
  const stops = new Map<Rule, Stop>();
  try {
    query.evaluate({
      ...options,
      trace: (event) => {
        if (event.kind === "note") return;
        const { node } = event;
        if (node !== undefined && "head" in node) {
          if (event.kind === "enter" || event.kind === "redo") stack.push(node);
          else {
            stack.pop();
            if (event.kind === "exit") stops.delete(node);
          }
          return;
        }
        const rule = stack.at(-1);
        if (event.kind === "fail" && node !== undefined && rule !== undefined)
          keep(stops, rule, event, sources);
      },
    });
  } catch (error) {
    // What was seen until then still tells; the decision itself was made without a trace.
    if (!(error instanceof RegoError)) throw error;
  }
  return [...stops.values()].slice(0, MAX_CONDITIONS).map(({ facts }) => facts);
}

function keep(
  stops: Map<Rule, Stop>,
  rule: Rule,
  event: Exclude<TraceEvent, { kind: "note" }>,
  sources: Readonly<Record<string, string>>,
): void {
  const { file, row, offset, end } = event.node?.location ?? event.location;
  const before = stops.get(rule);
  if (before !== undefined && before.offset > offset) return;
  const found: Record<string, JsonValue> = {};
  for (const { term, value } of event.operands?.() ?? []) {
    if (term.kind === "scalar" || value === undefined) continue;
    const text = sources[term.location.file]?.slice(term.location.offset, term.location.end) ?? term.kind;
    found[shortened(text)] = shortened(JSON.stringify(toJson(value)));
  }
  const source = shortened(sources[file]?.slice(offset, end) ?? "");
  stops.set(rule, { offset, facts: { file, line: row, source, found } });
}

function shortened(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
