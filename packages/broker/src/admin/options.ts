// SPDX-License-Identifier: Apache-2.0
// Who may administer, as the program that runs the broker says it.

import type { AclRule } from "./acl.ts";
import { compileAcl } from "./acl.ts";
import type { Admins } from "./admins.ts";
import type { CertificateRule } from "./certificate.ts";
import { Identifier } from "./identify.ts";
import { type FetchKeys, type JwtIssuer, JwtIssuers } from "./jwt.ts";
import { type ApprovalOptions, checkApprovals } from "./proposals.ts";
import { type Roles, rolesWith } from "./roles.ts";

export interface AdministratorOptions {
  /** Whether the owner's token counts (`adminToken`). Default true. Switch it off once others can administer. */
  readonly ownerToken?: boolean;
  /** Identity providers whose JWTs count. */
  readonly issuers?: readonly JwtIssuer[];
  /** Client certificates that count, where the TLS layer passes them on. */
  readonly certificates?: readonly CertificateRule[];
  /** Roles besides those of the house. */
  readonly roles?: Roles;
  /** As Trustee has it: what roles of JWTs may ask for, by address. Then those roles grant nothing else. */
  readonly acl?: readonly AclRule[];
  /** Actions that take more than one administrator. */
  readonly approvals?: ApprovalOptions;
  /** Fetches the keys of identity providers. Default: the global `fetch`. */
  readonly fetchKeys?: FetchKeys;
}

/** The same for all tenants. */
export interface AdminPolicy {
  readonly roles: Roles;
  readonly approvals: ApprovalOptions | undefined;
  identifier(house: Admins, own: Admins | undefined, tenant: string): Identifier;
}

/** Throws `STATE_INVALID` for what cannot be meant. */
export function adminPolicy(options: AdministratorOptions, ownerToken: string, now: () => Date): AdminPolicy {
  const { approvals, acl, certificates = [], issuers = [] } = options;
  if (approvals !== undefined) checkApprovals(approvals);
  const roles = rolesWith(options.roles ?? {});
  const jwt = new JwtIssuers(issuers, now, options.fetchKeys);
  const compiled = acl === undefined ? undefined : compileAcl(acl);
  return {
    roles,
    approvals,
    identifier: (house, own, tenant) =>
      new Identifier({
        ownerToken: options.ownerToken === false ? undefined : ownerToken,
        issuers,
        jwt,
        certificates,
        roles,
        acl: compiled,
        house,
        own,
        tenant,
      }),
  };
}
