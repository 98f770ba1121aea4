// SPDX-License-Identifier: Apache-2.0
// Who administers, and what they may do: actions on targets, granted by patterns, nothing else.

import { coversPath, isPathPattern } from "../path-pattern.ts";

/** A dotted name: `resource.put`, `policy.set`, `plugin.transit.admin`… */
export type Action = `${string}.${string}`;

/** What an action is about, by name; `ANYTHING` where the caller then asks `may` for each thing itself. */
export type Target = string | typeof ANYTHING;

export const ANYTHING: unique symbol = Symbol("anything");

/** Actions (`resource.put`, `resource.*`, `*`) on targets, which are path patterns (`team-a/**`, `**`). */
export interface Grant {
  readonly actions: readonly string[];
  readonly targets: readonly string[];
}

/** A grant as somebody has it. */
export interface HeldGrant extends Grant {
  /** In which tenants (`default` for none); absent for all. */
  readonly tenants?: readonly string[];
}

/** Somebody who proved who they are. */
export interface Principal {
  /** Names one person or program for good; stands in the audit log. */
  readonly id: string;
  /** Names of roles, for people to read. */
  readonly roles: readonly string[];
  readonly grants: readonly HeldGrant[];
}

const ACTION_PATTERN = /^(?:\*|[a-z0-9-]+(?:\.[a-z0-9-]+)*(?:\.[a-z0-9-]+|\.\*))$/;

/**
 * Whether a principal may do something. Without a target the action is about everything, which only a grant on `**` allows;
 * with `ANYTHING` a grant on any target will do. A target may be a pattern itself (of a policy): all of it has to be granted.
 */
export function may({ grants }: Pick<Principal, "grants">, action: Action, target?: Target): boolean {
  return grants.some(
    ({ actions, targets }) =>
      actions.some((pattern) => fitsAction(pattern, action)) &&
      targets.some(
        (pattern) =>
          target === ANYTHING || pattern === "**" || (target !== undefined && coversPath(pattern, target)),
      ),
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

/**
 * Whether all that `asked` allows in `tenants` (absent: in all) is allowed there by `held` alone: nobody passes on more
 * than they have.
 */
export function coversGrant(
  held: readonly HeldGrant[],
  asked: Grant,
  tenants?: readonly string[] | undefined,
): boolean {
  const here = held.filter(
    (grant) =>
      grant.tenants === undefined || tenants?.every((name) => grant.tenants?.includes(name)) === true,
  );
  return asked.actions.every((action) =>
    asked.targets.every((target) =>
      here.some(
        ({ actions, targets }) =>
          actions.some((pattern) => fitsAction(pattern, action)) &&
          targets.some((pattern) => coversPath(pattern, target)),
      ),
    ),
  );
}

/** Whether a grant says nothing that cannot be read. */
export function isGrant({ actions, targets }: Grant): boolean {
  return actions.every((pattern) => ACTION_PATTERN.test(pattern)) && targets.every(isPathPattern);
}
