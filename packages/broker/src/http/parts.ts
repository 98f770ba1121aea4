// SPDX-License-Identifier: Apache-2.0
// What the routes are made of, and what they share.

import type { NoteKey } from "@adyton/core/note";
import type { Hono } from "hono";
import type { Admins } from "../admin/admins.ts";
import type { PeerCertificate } from "../admin/certificate.ts";
import type { Source } from "../admin/identify.ts";
import type { Action, Principal, Target } from "../admin/principal.ts";
import type { Proposals } from "../admin/proposals.ts";
import type { Roles } from "../admin/roles.ts";
import type { Verifier } from "../attestation.ts";
import type { ServiceChallenges } from "../attestation-service.ts";
import type { Clock } from "../clock.ts";
import { BrokerError } from "../errors.ts";
import type { Explanations } from "../explanations.ts";
import type { Health } from "../health.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Plugin } from "../plugins/types.ts";
import type { PolicyName } from "../policy-names.ts";
import type { PolicyStore } from "../policy-store.ts";
import type { ProtocolLine } from "../protocol.ts";
import type { ReferenceSources } from "../reference/trust.ts";
import type { ReleaseGate } from "../release-gate.ts";
import type { Resources } from "../resources.ts";
import type { RootKeyService } from "../root-key/service.ts";
import type { Sessions } from "../sessions.ts";
import type { Store } from "../store/types.ts";
import type { Tenants } from "../tenants/tenants.ts";
import type { TokenKeys } from "../tokens/token-keys.ts";
import type { TrustedVerifiers } from "../tokens/trusted-verifiers.ts";
import type { Vault } from "../vault.ts";
import type { VeraisonPolicies } from "../veraison-policies.ts";
import type { VeraisonSessions } from "../veraison-sessions.ts";
import type { RateLimiter } from "./rate-limit.ts";

/** What the socket knows of a client. */
export interface Connection {
  readonly remoteAddress?: string;
  /** The client's certificate, whose key it proved to hold. */
  readonly peerCertificate?: PeerCertificate;
}

export type App = Hono<{ Bindings: Connection }>;

export interface AppParts {
  readonly store: Store;
  readonly vault: Vault;
  /** The root keys of the whole broker; absent for tenants. */
  readonly rootKeys?: RootKeyService;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the checkpoints of the audit log are checked with. */
  readonly logKey: NoteKey;
  /** Whose part of the state this is; undefined: the whole broker's, which sees all of the audit log. */
  readonly tenant: string | undefined;
  /** What clients have before the paths of the routes: `/tenants/<name>`, or nothing. */
  readonly base: string;
  /** Sign attestation results, whose tokens hold this long. */
  readonly tokenKeys: TokenKeys;
  readonly tokenLifetimeSeconds: number;
  /** Which versions of the KBS protocol are spoken. */
  readonly protocols: readonly ProtocolLine[];
  /** Whose tokens open secrets besides our own. */
  readonly trustedVerifiers?: TrustedVerifiers;
  readonly maxBodyBytes: number;
  /** For each client. */
  readonly limiter?: RateLimiter;
  /** For all clients of the tenant together. */
  readonly tenantLimiter?: RateLimiter;
  readonly sessions: Sessions;
  readonly veraisonSessions: VeraisonSessions;
  readonly veraisonPolicies: VeraisonPolicies;
  readonly verifier: Verifier;
  /** Of the attestation service. */
  readonly challenges: ServiceChallenges;
  /** Of web pages that may ask from a browser. */
  readonly corsOrigins: readonly string[];
  readonly explanations: Explanations;
  readonly resources: Resources;
  /** What attested workloads ask for passes it. */
  readonly gate: ReleaseGate;
  readonly plugins: readonly Plugin[];
  readonly policies: PolicyStore;
  /** Whose documents of reference values are taken. */
  readonly referenceTrust: ReferenceSources;
  /** Whether the program that runs the broker gave this policy itself. */
  readonly isFixed: (name: PolicyName) => boolean;
  /**
   * Who sent the request, once they may do `action` to `target`: call it first. Rejects with `ADMIN_REFUSED`,
   * `ADMIN_FORBIDDEN`, or `APPROVAL_NEEDED` where others have to approve it before. Name the principal's id as `by` in the audit event of what is done.
   */
  readonly authorize: (request: Request, action: Action, target?: Target) => Promise<Principal>;
  /** Who sent the request, whatever they may do. Rejects with `ADMIN_REFUSED`. */
  readonly identify: (request: Request) => Promise<Principal>;
  /** Marks a request as approved: it is whose proposal it was. */
  readonly carry: (request: Request, proposer: Source) => void;
  /** Administrators of this tenant, or of the whole house where there is none. */
  readonly admins: Admins;
  readonly proposals: Proposals;
  /** What can be granted by name. */
  readonly roles: Roles;
  /** Of the whole process; absent for tenants. */
  readonly health?: Health;
  readonly metrics?: Metrics;
  /** Of the whole house; undefined where a tenant is asked. */
  readonly tenants: Tenants | undefined;
}

export const PREFIX = "/kbs/v0";
const PLUGINS: readonly string[] = ["resource", "reference-value", "attestation-policy"];

/** The rest of a URL's path, as it stands: an encoded character fits no name. Throws `INVALID_PATH`. */
export function pathBelow(prefix: string, url: string): string {
  const { pathname, search } = new URL(url);
  if (search !== "") throw noSuchPath("a query on", pathname);
  if (!pathname.startsWith(prefix)) throw noSuchPath("an encoded path", pathname);
  return pathname.slice(prefix.length);
}

/** `UNKNOWN_PLUGIN` for a path below a plugin that is not here, `INVALID_PATH` for any other. */
export function noSuchPath(method: string, path: string): BrokerError {
  const plugin = path.startsWith(`${PREFIX}/`)
    ? /^([^/]+)\//.exec(path.slice(PREFIX.length + 1))?.[1]
    : undefined;
  const shown = `${method} ${path.slice(0, 200)}`;
  return plugin === undefined || PLUGINS.includes(plugin)
    ? new BrokerError("INVALID_PATH", "misuse", `Cannot answer ${shown}: there is no such path`)
    : new BrokerError("UNKNOWN_PLUGIN", "misuse", `Cannot answer ${shown}: there is no such plugin`);
}
