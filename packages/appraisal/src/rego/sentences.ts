// SPDX-License-Identifier: Apache-2.0
// The words of explanations.

import type { JsonValue } from "@adyton/core/json";
import type { Expr } from "@adyton/rego";
import { shortValue } from "../explanation.ts";
import type { ConditionRecord } from "./record.ts";

/** What is known of a condition. */
export interface What {
  readonly reference: string | undefined;
  readonly claim: string | undefined;
  readonly found: JsonValue | undefined;
  readonly expected: JsonValue | undefined;
  readonly meaning: string;
  readonly leaf: ConditionRecord;
  /** Path of what was looked at and is not there. */
  readonly missing: string | undefined;
  readonly source: string;
}

/** Why a condition is not met, for people. */
export function sentenceOf({ reference, claim, found, expected, meaning, leaf, missing }: What): string {
  const head = `Not met: ${/[.:!?]$/.test(meaning) ? meaning : `${meaning}.`}`;
  if (reference !== undefined) {
    if (Array.isArray(expected) && expected.length === 0)
      return `${head} Reference value ${reference} is missing.`;
    if (found === undefined) return `${head} The evidence does not say ${claim ?? "it"}.`;
    const against = isMembership(leaf.expr)
      ? `which is not among the reference values of ${reference}`
      : `which does not meet reference value ${reference}`;
    return `${head} Found ${shortValue(found)}, ${against}.`;
  }
  if (found === undefined) {
    const path = missing ?? claim;
    return path === undefined
      ? head
      : `${head} ${path.startsWith("input") ? `The evidence does not say ${path}` : `${path} is not there`}.`;
  }
  const wanted = expected === undefined ? "" : `, expected ${shortValue(expected)}`;
  return `${head} Found ${claim === undefined ? "" : `${claim} = `}${shortValue(found)}${wanted}.`;
}

function isMembership({ form }: Expr): boolean {
  return form.kind === "term" && form.term.kind === "call" && form.term.infix === "in";
}

/** What would make it met. */
export function nextOf({ reference, claim, found, expected, source }: What): string {
  if (reference !== undefined) {
    if (found === undefined)
      return `Attest with evidence that says ${claim ?? "it"}, and add it under ${reference}.`;
    const value = JSON.stringify(found);
    return Array.isArray(expected) && expected.length === 0
      ? `If you know this value to be good, add it as reference value ${reference}: ${value}.`
      : `Run what was measured for the reference values, or, if you know this value to be good, add it as reference value ${reference}: ${value}.`;
  }
  return `Change the platform or the policy so that this holds: ${source}`;
}
