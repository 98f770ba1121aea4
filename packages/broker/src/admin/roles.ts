// SPDX-License-Identifier: Apache-2.0
// Roles: names for sets of grants, those of the house and those of its owner.

import { BrokerError } from "../errors.ts";
import { type Grant, isGrant } from "./principal.ts";

export type Roles = Readonly<Record<string, readonly Grant[]>>;

const everywhere = (...actions: readonly string[]): readonly Grant[] => [{ actions, targets: ["**"] }];

/** What stands in no configuration. `owner` is what the admin token of the state folder is. */
export const BUILTIN_ROLES: Roles = {
  owner: everywhere("*"),
  // Runs the house day by day, and gives nobody the right to.
  operator: everywhere(
    "resource.*",
    "reference.*",
    "policy.*",
    "plugin.*",
    "audit.read",
    "status.read",
    "proposal.read",
    "tenant.read",
  ),
  // Keeps secrets, and decides nothing about who gets them.
  releaser: everywhere("resource.put", "resource.list", "resource.delete"),
  // Says what good workloads look like, and sees no secret.
  "policy-officer": everywhere("policy.*", "reference.*", "proposal.read"),
  // Takes the second look.
  approver: everywhere("proposal.*", "policy.read", "reference.read"),
  auditor: everywhere(
    "audit.read",
    "policy.read",
    "reference.read",
    "resource.list",
    "status.read",
    "proposal.read",
    "tenant.read",
    "admin.read",
  ),
};

/** The roles of the house with the owner's beside. Throws `STATE_INVALID` for one that means nothing. */
export function rolesWith(own: Roles): Roles {
  for (const [name, grants] of Object.entries(own)) {
    if (!grants.every(isGrant)) {
      throw new BrokerError(
        "STATE_INVALID",
        "misuse",
        `Cannot use role ${JSON.stringify(name.slice(0, 80))}: expected actions such as resource.put or resource.*, and targets such as team-a/**`,
      );
    }
  }
  return { ...BUILTIN_ROLES, ...own };
}

/** What roles of these names grant; names that are not known grant nothing. */
export function grantsOf(roles: Roles, names: readonly string[]): readonly Grant[] {
  return names.flatMap((name) => (Object.hasOwn(roles, name) ? (roles[name] ?? []) : []));
}
