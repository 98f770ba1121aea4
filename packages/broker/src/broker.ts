// SPDX-License-Identifier: Apache-2.0
// The trust services as one function from Request to Response: challenge, verification, appraisal, release.

import { builtinPolicy, type EarSigningKey, type Policy } from "@adyton/appraisal";
import type { NoteKey } from "@adyton/core/note";
import type { Certificate } from "@adyton/core/x509";
import type { Endorsements } from "@adyton/evidence/endorsements";
import { Verifier } from "./attestation.ts";
import { storeBackend } from "./backends/store-backend.ts";
import type { ResourceBackend } from "./backends/types.ts";
import { type Clock, systemClock } from "./clock.ts";
import { Explanations } from "./explanations.ts";
import { errorResponse } from "./http/answers.ts";
import { createApp } from "./http/app.ts";
import { adminCheck } from "./http/credentials.ts";
import type { App, Connection } from "./http/parts.ts";
import { type RateLimit, RateLimiter } from "./http/rate-limit.ts";
import { type Logger, redacting, silentLogger } from "./log.ts";
import type { Plugin } from "./plugins/types.ts";
import { affirmingPolicy, type ResourcePolicy } from "./policy.ts";
import { PolicyStore } from "./policy-store.ts";
import type { ReferenceSources } from "./reference/trust.ts";
import { ReleaseGate } from "./release-gate.ts";
import { Resources } from "./resources.ts";
import type { RootKeyService } from "./root-key/service.ts";
import { Sessions } from "./sessions.ts";
import type { Store } from "./store/types.ts";
import type { Vault } from "./vault.ts";
import { VeraisonSessions } from "./veraison-sessions.ts";

export interface BrokerOptions {
  /** Closed with the broker. */
  readonly store: Store;
  readonly vault: Vault;
  /** Lets administrators see and rotate the root keys behind `vault`. Closed with the broker. */
  readonly rootKeys?: RootKeyService;
  readonly signingKey: EarSigningKey;
  /** What the checkpoints of the audit log are checked with. */
  readonly logKey: NoteKey;
  /** What administrators present as bearer token. */
  readonly adminToken: string;
  /** Asked for each attestation; answers from memory or disk, never from a network. */
  readonly endorsements?: () => Promise<Endorsements>;
  /** Roots trusted besides the vendors' pinned ones. What they anchor counts as simulated. */
  readonly roots?: readonly Certificate[];
  /** Device keys and vendors' own certificates trusted in the same way. */
  readonly anchors?: Endorsements;
  /**
   * Development mode: results under a root that is no hardware vendor's may be good enough. Default false. Ignored by
   * policies given in `policy` and `resourcePolicy`, and by those that administrators set.
   */
  readonly allowSimulated?: boolean;
  /**
   * Judges evidence, and no other can be set. Default: the one that administrators set in Rego; before that, healthy,
   * non-debug platforms that run known measurements.
   */
  readonly policy?: Policy;
  /**
   * Judges releases, and no other can be set. Default: the one that administrators set in Rego; before that, every
   * submodule affirming.
   */
  readonly resourcePolicy?: ResourcePolicy;
  /** Policies in files (`resource.rego`, `attestation.rego`…), taken as soon as they change and hold. */
  readonly policyFolder?: string;
  /** Whose documents administrators can register. Default: nobody's but NVIDIA's, and none without a signature. */
  readonly referenceTrust?: ReferenceSources;
  /** Where secrets rest. Default: sealed in the store. Closed with the broker. */
  readonly backend?: ResourceBackend;
  /** Answer below `/kbs/v0/<name>/`. Closed with the broker. */
  readonly plugins?: readonly Plugin[];
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** For each client address; `false` switches it off. Default 100 a second, 1,000 at once. */
  readonly rateLimit?: RateLimit | false;
  /** Default 300, as in Trustee. */
  readonly sessionSeconds?: number;
  /** Challenges and sessions at the same time. Default 100,000. */
  readonly maxSessions?: number;
  /** Default 2 MB, as in Trustee. */
  readonly maxBodyBytes?: number;
}

export interface Broker {
  /** Answers every request; never rejects. Without an address all requests share one rate limit. */
  fetch(request: Request, connection?: Connection): Promise<Response>;
  /** Writes what is queued and closes the store. */
  close(): Promise<void>;
}

// In the life of a session one address opens fewer sessions than there is room for.
const DEFAULT_RATE: RateLimit = { perSecond: 100, burst: 1000 };
const DEFAULT_SESSION_SECONDS = 300;
const DEFAULT_MAX_SESSIONS = 100_000;
const DEFAULT_MAX_BODY = 2 * 1024 * 1024;

export function createBroker(options: BrokerOptions): Broker {
  const { store, vault, signingKey, adminToken, allowSimulated = false, clock = systemClock } = options;
  const { sessionSeconds = DEFAULT_SESSION_SECONDS, rateLimit = DEFAULT_RATE } = options;
  const { maxSessions = DEFAULT_MAX_SESSIONS } = options;
  const logger = redacting(options.logger ?? silentLogger);
  const builtin = builtinPolicy({ allowSimulated });
  const affirming = affirmingPolicy({ allowSimulated });
  const { policyFolder, plugins = [], backend = storeBackend({ store, vault }) } = options;
  const policies = new PolicyStore({
    store,
    vault,
    clock,
    logger,
    ...(policyFolder === undefined ? {} : { folder: policyFolder }),
  });
  const explanations = new Explanations({ store, vault });
  const gate = new ReleaseGate({
    store,
    policy: async () => options.resourcePolicy ?? (await policies.resource()) ?? affirming,
  });
  const app = createApp({
    store,
    vault,
    ...(options.rootKeys === undefined ? {} : { rootKeys: options.rootKeys }),
    clock,
    logger,
    logKey: options.logKey,
    authorize: adminCheck(adminToken),
    publicKeys: [signingKey.publicJwk],
    maxBodyBytes: options.maxBodyBytes ?? DEFAULT_MAX_BODY,
    ...(rateLimit === false ? {} : { limiter: new RateLimiter(rateLimit, clock) }),
    sessions: new Sessions({
      ephemeral: store.ephemeral,
      vault,
      lifetimeSeconds: sessionSeconds,
      capacity: maxSessions,
    }),
    veraisonSessions: new VeraisonSessions({ ephemeral: store.ephemeral, vault, capacity: maxSessions }),
    verifier: new Verifier({
      signingKey,
      policy: async () => options.policy ?? (await policies.attestation(builtin)),
      roots: options.roots ?? [],
      ...(options.anchors === undefined ? {} : { anchors: options.anchors }),
      tokenLifetimeSeconds: sessionSeconds,
      explanations,
      ...(options.endorsements === undefined ? {} : { endorsements: options.endorsements }),
    }),
    explanations,
    policies,
    referenceTrust: options.referenceTrust ?? {},
    isFixed: (name) => (name === "resource" ? options.resourcePolicy : options.policy) !== undefined,
    gate,
    plugins,
    resources: new Resources({ store, gate, backend }),
  });
  return {
    fetch: async (request, connection = {}) => {
      const response = await answerOf(app, request, connection, logger);
      response.headers.set("cache-control", "no-store");
      response.headers.set("x-content-type-options", "nosniff");
      return response;
    },
    close: async () => {
      for (const plugin of plugins) await plugin.close?.();
      await backend.close?.();
      await options.rootKeys?.close();
      await store.close();
    },
  };
}

/** The app answers errors itself; what a policy throws without it being an Error gets past it. */
async function answerOf(
  app: App,
  request: Request,
  connection: Connection,
  logger: Logger,
): Promise<Response> {
  try {
    return await app.fetch(request, connection);
  } catch (error) {
    return errorResponse(error, logger);
  }
}
