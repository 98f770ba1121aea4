// SPDX-License-Identifier: Apache-2.0
// Semantic versions (semver.org, 2.0.0); a leading `v` is taken.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { ANY, BOOLEAN, NUMBER, STRING } from "../types.ts";
import type { Value } from "../value.ts";
import { define, failure, stringAt } from "./define.ts";

interface Version {
  readonly numbers: readonly bigint[];
  readonly preRelease: readonly string[];
}

const IDENTIFIERS = /^[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*$/;
const NUMBERS = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/;
const DIGITS = /^\d+$/;
const MAX_INT64 = 2n ** 63n - 1n;

export const semver: readonly Builtin[] = [
  define("semver.is_valid", [ANY], BOOLEAN, (version: Value, context: BuiltinContext) => {
    return typeof version === "string" && parseVersion(version, context) !== undefined;
  }),
  define("semver.compare", [STRING, STRING], NUMBER, (a: Value, b: Value, context: BuiltinContext) =>
    compareVersions(versionAt(a, 1, context), versionAt(b, 2, context)),
  ),
];

function versionAt(value: Value, position: number, context: BuiltinContext): Version {
  const version = parseVersion(stringAt(value, position), context);
  if (version !== undefined) return version;
  throw failure(`operand ${position} is not a semantic version`);
}

function parseVersion(text: string, context: BuiltinContext): Version | undefined {
  context.spend(text.length >> 4);
  const [release = "", build] = cut(text.replace(/^v/, ""), "+");
  const [core, pre] = cut(release, "-");
  if ((build !== undefined && !IDENTIFIERS.test(build)) || (pre !== undefined && !IDENTIFIERS.test(pre))) {
    return undefined;
  }
  const numbers = NUMBERS.exec(core)?.slice(1).map(BigInt);
  const preRelease = pre?.split(".") ?? [];
  if (numbers === undefined || numbers.some((number) => number > MAX_INT64)) return undefined;
  return preRelease.some((part) => part.length > 1 && part.startsWith("0") && DIGITS.test(part))
    ? undefined
    : { numbers, preRelease };
}

function compareVersions(a: Version, b: Version): number {
  for (const [i, number] of a.numbers.entries()) {
    const other = b.numbers[i] ?? 0n;
    if (number !== other) return number > other ? 1 : -1;
  }
  if (a.preRelease.length === 0 || b.preRelease.length === 0) {
    // A release comes after its pre-releases.
    return Math.sign(b.preRelease.length - a.preRelease.length);
  }
  for (let i = 0; i < Math.min(a.preRelease.length, b.preRelease.length); i++) {
    const order = compareIdentifiers(a.preRelease[i] ?? "", b.preRelease[i] ?? "");
    if (order !== 0) return order;
  }
  return Math.sign(a.preRelease.length - b.preRelease.length);
}

/** Numbers by value and before words; words by character (section 11.4). */
function compareIdentifiers(a: string, b: string): number {
  const numeric = DIGITS.test(a);
  if (numeric !== DIGITS.test(b)) return numeric ? -1 : 1;
  if (!numeric) return a < b ? -1 : a > b ? 1 : 0;
  return a.length === b.length ? (a < b ? -1 : a > b ? 1 : 0) : a.length - b.length > 0 ? 1 : -1;
}

function cut(text: string, separator: string): [before: string, after: string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
