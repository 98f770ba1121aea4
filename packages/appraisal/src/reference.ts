// SPDX-License-Identifier: Apache-2.0
// Reference values: what claims are compared with. Ids are Trustee's where Trustee has one.

import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { AppraisalError } from "./errors.ts";
import { type Finding, passed, refused } from "./finding.ts";

/** By reference id, every value that is acceptable. An absent or empty list accepts nothing. */
export type ReferenceValues = Readonly<Record<string, readonly JsonValue[]>>;

/** How a claim is compared with the values of one reference id. */
export interface ReferenceCheck {
  /** The reference id. */
  readonly id: string;
  /** Where the claim stands in the TEE's claims. */
  readonly path: readonly string[];
  /** `one-of`: equal to a value (hex in either case). `at-least`: a number not below the smallest value. */
  readonly compare: "one-of" | "at-least";
  /** `u16`: the claim is a number, or two little-endian bytes in hex as Trustee writes SGX's numbers. */
  readonly encoding?: "u16";
  /** What it is, for people: "the launch measurement". */
  readonly meaning: string;
}

const MAX_IDS = 1_000;
const MAX_VALUES = 10_000;
const MAX_TEXT = 4_096;
const HEX = /^(?:[0-9a-fA-F]{2})+$/;

/**
 * Reads reference values from JSON: an object of id to value or list of values, each a string, number or boolean
 * (Trustee's sample payload). Throws `INVALID_REFERENCE_VALUES`.
 */
export function parseReferenceValues(json: JsonValue): ReferenceValues {
  if (!isJsonObject(json)) throw invalid("the top level is no object");
  const entries = Object.entries(json);
  if (entries.length > MAX_IDS) throw invalid(`${entries.length} ids, at most ${MAX_IDS} are read`);
  return Object.fromEntries(
    entries.map(([id, value]) => {
      const values: readonly JsonValue[] = Array.isArray(value) ? value : [value];
      if (values.length > MAX_VALUES)
        throw invalid(`${id} has ${values.length} values, at most ${MAX_VALUES} are read`);
      values.forEach((item, i) => {
        if (!isReferenceValue(item)) throw invalid(`${id}[${i}] is no string, number or boolean`);
      });
      return [id, values];
    }),
  );
}

/** The values of `id`; none when it is absent. Throws `INVALID_REFERENCE_VALUES` when it holds no list. */
export function valuesOf(references: ReferenceValues, id: string): readonly JsonValue[] {
  if (!Object.hasOwn(references, id)) return [];
  const values: unknown = references[id];
  if (!Array.isArray(values)) throw invalid(`${id} holds no list`);
  return values;
}

/** Compares one claim with its reference values. */
export function judgeReference(
  check: ReferenceCheck,
  claims: JsonObject,
  references: ReferenceValues,
): Finding {
  const rule = `reference:${check.id}`;
  const found = claimAt(claims, check);
  const expected = valuesOf(references, check.id);
  const facts = { found, expected };
  if (expected.length === 0) {
    return refused(
      rule,
      `No reference value says which ${check.meaning} is good: ${check.id} is missing.`,
      found === undefined
        ? `Add reference values under ${check.id}.`
        : `If you know this ${check.meaning} to be good, add it as reference value ${check.id}: ${JSON.stringify(found)}.`,
      facts,
    );
  }
  if (found === undefined) {
    return refused(
      rule,
      `The evidence carries no ${check.meaning}, and reference value ${check.id} demands one.`,
      `Remove reference value ${check.id}, or attest with a TEE that carries it.`,
      facts,
    );
  }
  if (matches(check, found, expected)) {
    const how = check.compare === "one-of" ? "is a reference value" : "is not below the reference value";
    return passed(rule, `The ${check.meaning} ${how} of ${check.id}.`, facts);
  }
  return refused(
    rule,
    check.compare === "one-of"
      ? `The ${check.meaning} is not among the reference values of ${check.id}.`
      : `The ${check.meaning} is below every reference value of ${check.id}.`,
    `Run what was measured for the reference values, or, if this one is good, add it under ${check.id}.`,
    facts,
  );
}

/** The claim that a check looks at, decoded; undefined when absent or not of the check's encoding. */
export function claimAt(
  claims: JsonObject,
  check: Pick<ReferenceCheck, "path" | "encoding">,
): JsonValue | undefined {
  let value: JsonValue | undefined = claims;
  for (const key of check.path) {
    value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return check.encoding === "u16" ? u16Of(value) : value;
}

function matches(check: ReferenceCheck, found: JsonValue, expected: readonly JsonValue[]): boolean {
  if (check.compare === "one-of") return expected.some((value) => sameReference(found, value));
  return typeof found === "number" && expected.some((value) => typeof value === "number" && found >= value);
}

/** Equal scalars; hex strings also when only their case differs. Lists and objects equal nothing. */
export function sameReference(found: JsonValue, value: JsonValue): boolean {
  if (typeof found === "object" || typeof value === "object") return false;
  if (found === value) return true;
  return (
    typeof found === "string" &&
    typeof value === "string" &&
    HEX.test(found) &&
    found.toLowerCase() === value.toLowerCase()
  );
}

function u16Of(value: JsonValue | undefined): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || !/^[0-9a-fA-F]{4}$/.test(value)) return undefined;
  return Number.parseInt(value.slice(2, 4) + value.slice(0, 2), 16);
}

function isReferenceValue(value: JsonValue): boolean {
  if (typeof value === "string") return value.length <= MAX_TEXT;
  return typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}

function invalid(why: string): AppraisalError {
  return new AppraisalError("INVALID_REFERENCE_VALUES", "malformed", `Cannot use reference values: ${why}`, {
    hint: 'Write them like {"mr_td": ["705ee9…"], "xfam": ["e702060000000000"]}.',
  });
}
