// SPDX-License-Identifier: Apache-2.0
// Who administers, and what they may do: actions on targets, granted by patterns, nothing else.

/** A dotted name: `resource.put`, `policy.set`, `plugin.transit.admin`… */
export type Action = `${string}.${string}`;

/** What an action is about, by name; `ANYTHING` where the caller then asks `may` for each thing itself. */
export type Target = string | typeof ANYTHING;

export const ANYTHING: unique symbol = Symbol("anything");

/** Actions (`resource.put`, `resource.*`, `*`) on targets (`team-a/**`, `*` within one part, `**`). */
export interface Grant {
  readonly actions: readonly string[];
  readonly targets: readonly string[];
}

/** Somebody who proved who they are. */
export interface Principal {
  /** Names one person or program for good; stands in the audit log. */
  readonly id: string;
  /** Names of roles, for people to read. */
  readonly roles: readonly string[];
  readonly grants: readonly Grant[];
}

/**
 * Whether a principal may do something. Without a target the action is about everything, which only a grant on `**` allows;
 * with `ANYTHING` a grant on any target will do.
 */
export function may({ grants }: Principal, action: Action, target?: Target): boolean {
  return grants.some(
    ({ actions, targets }) =>
      actions.some((pattern) => fitsAction(pattern, action)) &&
      (target === ANYTHING ? targets.length > 0 : targets.some((pattern) => fitsTarget(pattern, target))),
  );
}

/** `*` is every action, `resource.*` all that begin with `resource.`; anything else stands for itself. */
export function fitsAction(pattern: string, action: string): boolean {
  return (
    pattern === "*" ||
    pattern === action ||
    (pattern.endsWith(".*") && action.startsWith(pattern.slice(0, -1)))
  );
}

function fitsTarget(pattern: string, target: string | undefined): boolean {
  return pattern === "**" || (target !== undefined && pattern === target);
}
