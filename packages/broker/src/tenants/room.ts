// SPDX-License-Identifier: Apache-2.0
// What one tenant's requests meet: the routes over its own part of the store, its own key, policies, administrators and
// sessions. The default tenant's room is the house's own.

import { builtinPolicy } from "@adyton/appraisal";
import { Admins } from "../admin/admins.ts";
import { Authorizer } from "../admin/authorizer.ts";
import type { AdminPolicy } from "../admin/options.ts";
import { Proposals } from "../admin/proposals.ts";
import { Verifier } from "../attestation.ts";
import { ServiceChallenges } from "../attestation-service.ts";
import { storeBackend } from "../backends/store-backend.ts";
import type { ResourceBackend } from "../backends/types.ts";
import type { BrokerOptions } from "../broker.ts";
import type { Clock } from "../clock.ts";
import { Explanations } from "../explanations.ts";
import { Health } from "../health.ts";
import { createApp } from "../http/app.ts";
import type { App, AppParts, Connection } from "../http/parts.ts";
import { RateLimiter } from "../http/rate-limit.ts";
import type { Logger } from "../log.ts";
import { type Asked, affirmingPolicy } from "../policy.ts";
import { isAttestation } from "../policy-names.ts";
import { PolicyStore } from "../policy-store.ts";
import { PROTOCOL_LINES } from "../protocol.ts";
import { ReleaseGate } from "../release-gate.ts";
import { Resources } from "../resources.ts";
import { Sessions } from "../sessions.ts";
import { storedTokenKeys } from "../tokens/token-keys.ts";
import { TrustedVerifiers } from "../tokens/trusted-verifiers.ts";
import { VeraisonPolicies } from "../veraison-policies.ts";
import { VeraisonSessions } from "../veraison-sessions.ts";
import { countedStore } from "./quota.ts";
import { scopedStore, scopedVault } from "./scope.ts";
import { DEFAULT_TENANT, type Tenant, type Tenants } from "./tenants.ts";

/** The same for every tenant. */
export interface House {
  readonly options: BrokerOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly admin: AdminPolicy;
  readonly tenants: Tenants;
  readonly limiter: RateLimiter | undefined;
  readonly connectionOf: (request: Request) => Connection | undefined;
  /** Whether it is on its way out. */
  readonly isRetired: () => boolean;
}

export interface Room {
  readonly app: App;
  readonly backend: ResourceBackend;
}

const DEFAULT_SESSION_SECONDS = 300;
const DEFAULT_MAX_SESSIONS = 100_000;
const DEFAULT_MAX_BODY = 2 * 1024 * 1024;

/** The room of a tenant, or of the house itself. */
export function openRoom(house: House, tenant?: Tenant): Room {
  const { admin, clock, connectionOf, limiter, logger, options } = house;
  const trusted = tenant === undefined ? options.trustedTokens : undefined;
  const keyOptions = { rsa15: options.allowRsa15 === true, paths: trusted?.teeKeyPaths ?? [] };
  const name = tenant?.name;
  const store =
    name === undefined ? options.store : countedStore(scopedStore(options.store, name), tenant?.quota ?? {});
  const vault = name === undefined ? options.vault : scopedVault(options.vault, name);
  const tokenKeys =
    (name === undefined ? options.tokenKeys : undefined) ?? storedTokenKeys({ store, vault, clock });
  const { allowSimulated = false, sessionSeconds = DEFAULT_SESSION_SECONDS } = options;
  const { maxBodyBytes = DEFAULT_MAX_BODY, maxSessions = DEFAULT_MAX_SESSIONS, plugins = [] } = options;
  const capacity = Math.min(maxSessions, tenant?.quota.maxSessions ?? maxSessions);
  const backend = backendOf(house, { store, vault }, name);
  // The files are the house's own.
  const folder = name === undefined ? options.policyFolder : undefined;
  const policies = new PolicyStore({
    store,
    vault,
    clock,
    logger,
    ...(folder === undefined ? {} : { folder }),
  });
  const builtin = builtinPolicy({ allowSimulated });
  const affirming = affirmingPolicy({ allowSimulated });
  const explanations = new Explanations({ ...options.explanations, store, vault });
  const veraisonPolicies = new VeraisonPolicies({ store, vault });
  const gate = new ReleaseGate({
    store,
    undecided: () => options.metrics?.policyFailed(),
    explanations,
    keyOptions,
    policy: async (_now, asked) =>
      options.resourcePolicy ?? (await policies.resource(policyTarget(asked))) ?? affirming,
  });
  const houseAdmins = new Admins(options.store, options.vault);
  const ownAdmins = name === undefined ? undefined : new Admins(store, vault);
  const proposals = new Proposals(store, vault);
  const base = name === undefined ? "" : `/tenants/${name}`;
  const authorizer = new Authorizer({
    identifier: admin.identifier(houseAdmins, ownAdmins, name ?? DEFAULT_TENANT),
    proposals,
    approvals: admin.approvals,
    store,
    clock,
    maxBodyBytes,
    base,
    certificateOf: (request) => connectionOf(request)?.peerCertificate,
  });
  const verifier = new Verifier({
    tokenKeys,
    policy: async () => options.policy ?? (await policies.attestation(builtin)),
    roots: options.roots ?? [],
    ...(options.anchors === undefined ? {} : { anchors: options.anchors }),
    tokenLifetimeSeconds: sessionSeconds,
    overlay: (base, scheme) => veraisonPolicies.overlay(base, scheme),
    explanations,
    keyOptions,
    ...(options.endorsements === undefined ? {} : { endorsements: options.endorsements }),
  });
  const perSecond = tenant?.quota.requestsPerSecond;
  const app = createApp({
    tenant: name,
    base,
    store,
    vault,
    ...(name === undefined && options.rootKeys !== undefined ? { rootKeys: options.rootKeys } : {}),
    clock,
    logger,
    identify: (request) => authorizer.identify(request),
    authorize: (request, action, target) => authorizer.authorize(request, action, target),
    carry: (request, proposer) => authorizer.carry(request, proposer),
    admins: ownAdmins ?? houseAdmins,
    proposals,
    roles: admin.roles,
    tenants: name === undefined ? house.tenants : undefined,
    ...(name === undefined ? ownRoutes(house, policies) : {}),
    tokenKeys,
    tokenLifetimeSeconds: sessionSeconds,
    logKey: options.logKey,
    ...(trusted === undefined ? {} : { trustedVerifiers: new TrustedVerifiers(trusted, () => clock.now()) }),
    protocols: options.protocols ?? PROTOCOL_LINES,
    maxBodyBytes,
    ...(limiter === undefined ? {} : { limiter }),
    ...(perSecond === undefined
      ? {}
      : { tenantLimiter: new RateLimiter({ perSecond, burst: perSecond }, clock, store.ephemeral) }),
    sessions: new Sessions({ ephemeral: store.ephemeral, vault, lifetimeSeconds: sessionSeconds, capacity }),
    veraisonSessions: new VeraisonSessions({ ephemeral: store.ephemeral, vault, capacity }),
    veraisonPolicies,
    verifier,
    challenges: new ServiceChallenges({
      ephemeral: store.ephemeral,
      vault,
      verifier,
      lifetimeSeconds: sessionSeconds,
      capacity,
    }),
    corsOrigins: options.corsOrigins ?? [],
    explanations,
    policies,
    referenceTrust: options.referenceTrust ?? {},
    isFixed: (policy) => (isAttestation(policy) ? options.policy : options.resourcePolicy) !== undefined,
    gate,
    plugins,
    resources: new Resources({ store, gate, backend }),
  });
  return { app, backend };
}

/** Of the whole process, and so of no tenant's. */
function ownRoutes(house: House, policies: PolicyStore): Pick<AppParts, "health" | "metrics"> {
  const { clock, isRetired, logger, options } = house;
  const { logKey, metrics, store, vault } = options;
  return {
    health: new Health({ store, vault, logKey, policies, isRetired, clock, logger }),
    ...(metrics === undefined ? {} : { metrics }),
  };
}

/** What patterns of resource policies are compared with; no repository has a colon in its name. */
function policyTarget({ path, plugin }: Asked): string {
  return plugin === "resource" ? path.join("/") : [`plugin:${plugin}`, ...path].join("/");
}

/** A back end elsewhere is the house's alone, unless it was given with a part for each tenant. */
function backendOf(
  { options }: House,
  place: Parameters<typeof storeBackend>[0],
  tenant: string | undefined,
): ResourceBackend {
  const given = tenant === undefined ? options.backend : options.tenantBackend?.(tenant);
  return given ?? storeBackend(place);
}
