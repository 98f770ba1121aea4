// SPDX-License-Identifier: Apache-2.0
// Patterns of names whose parts are set apart by slashes: `team-a/**`, `default/*/key`, `team-*/disk/**`.

/**
 * `*` at the end of a part stands for the rest of that part, `**` as the last part for all parts that are left, at least
 * one; anything else stands for itself. So of two patterns that fit the same name one is always more specific.
 */
export type PathPattern = string;

const PART = /^[A-Za-z0-9_.:%@#~=+-]*\*?$/;
const MAX_LENGTH = 256;

/** Whether `pattern` can be used as one. */
export function isPathPattern(pattern: string): boolean {
  const parts = pattern.split("/");
  return (
    pattern.length <= MAX_LENGTH &&
    parts.every((part, i) => (part === "**" ? i === parts.length - 1 : part !== "" && PART.test(part)))
  );
}

/** Whether `name` is one of those that `pattern` stands for. */
export function fitsPath(pattern: PathPattern, name: string): boolean {
  const wanted = pattern.split("/");
  const parts = name.split("/");
  const open = wanted.at(-1) === "**";
  if (open ? parts.length < wanted.length : parts.length !== wanted.length) return false;
  return wanted.every((part, i) => part === "**" || fitsPart(part, parts[i] ?? ""));
}

/** Whether all that `inner` stands for is among what `outer` stands for. */
export function coversPath(outer: PathPattern, inner: PathPattern): boolean {
  if (inner.split("/").at(-1) === "**" && outer.split("/").at(-1) !== "**") return false;
  // Read as a name, a pattern is the strangest of those that it stands for.
  return fitsPath(outer, inner);
}

/** Sorts more specific patterns first; 0 only for equal ones, where both fit a common name. */
export function bySpecificity(a: PathPattern, b: PathPattern): number {
  const left = a.split("/");
  const right = b.split("/");
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = weightOf(right[i]) - weightOf(left[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function fitsPart(pattern: string, part: string): boolean {
  return pattern.endsWith("*") ? part.startsWith(pattern.slice(0, -1)) : pattern === part;
}

/** A whole text before a beginning, a longer beginning before a shorter one, `**` last. */
function weightOf(part: string | undefined): number {
  if (part === undefined) return -2;
  if (part === "**") return -1;
  return part.endsWith("*") ? part.length : MAX_LENGTH + 1;
}
