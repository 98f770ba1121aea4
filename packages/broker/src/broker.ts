// SPDX-License-Identifier: Apache-2.0
// The trust services as one function from Request to Response: challenge, verification, appraisal, release.

import type { Policy } from "@adyton/appraisal";
import type { NoteKey } from "@adyton/core/note";
import type { Certificate } from "@adyton/core/x509";
import type { Endorsements } from "@adyton/evidence/endorsements";
import { type AdministratorOptions, adminPolicy } from "./admin/options.ts";
import type { ResourceBackend } from "./backends/types.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { ExplanationRetention } from "./explanations.ts";
import { errorResponse } from "./http/answers.ts";
import type { Connection } from "./http/parts.ts";
import { type RateLimit, RateLimiter } from "./http/rate-limit.ts";
import { type Logger, redacting, silentLogger } from "./log.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { watchState } from "./metrics/watch.ts";
import type { Plugin } from "./plugins/types.ts";
import type { ResourcePolicy } from "./policy.ts";
import type { ProtocolLine } from "./protocol.ts";
import type { ReferenceSources } from "./reference/trust.ts";
import type { RootKeyService } from "./root-key/service.ts";
import type { Store } from "./store/types.ts";
import { observedStore, observedVault } from "./telemetry/observed-store.ts";
import { createObserver } from "./telemetry/observer.ts";
import { Rooms } from "./tenants/rooms.ts";
import { Tenants } from "./tenants/tenants.ts";
import type { TokenKeys } from "./tokens/token-keys.ts";
import type { TrustedTokens } from "./tokens/trusted-verifiers.ts";
import type { Vault } from "./vault.ts";

export interface BrokerOptions {
  /** Closed with the broker. */
  readonly store: Store;
  readonly vault: Vault;
  /** Lets administrators see and rotate the root keys behind `vault`. Closed with the broker. */
  readonly rootKeys?: RootKeyService;
  /** Sign attestation results. Default: keys that are kept in the store. */
  readonly tokenKeys?: TokenKeys;
  /** What the checkpoints of the audit log are checked with. */
  readonly logKey: NoteKey;
  /** What the owner presents as bearer token: may do everything, everywhere. */
  readonly adminToken: string;
  /** Who else may administer, and what takes more than one. */
  readonly admin?: AdministratorOptions;
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
  /** How long it can be said why attestations came out as they did. */
  readonly explanations?: ExplanationRetention;
  /** Where secrets rest. Default: sealed in the store. Closed with the broker. */
  readonly backend?: ResourceBackend;
  /** Where a tenant's rest: a part of its own. Default: sealed in the store. Closed with the broker. */
  readonly tenantBackend?: (tenant: string) => ResourceBackend;
  /** Answer below `/kbs/v0/<name>/`. Closed with the broker. */
  readonly plugins?: readonly Plugin[];
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Tell the logger of each answer. Default false. */
  readonly logRequests?: boolean;
  /** Counts and measures; administrators who may `status.read` get it at `/metrics`. One for each broker. */
  readonly metrics?: Metrics;
  /** For each client address; `false` switches it off. Default 100 a second, 1,000 at once. */
  readonly rateLimit?: RateLimit | false;
  /** Versions of the KBS protocol that are spoken. Default all; clients before 0.4 attest no init-data. */
  readonly protocols?: readonly ProtocolLine[];
  /**
   * Encrypt to RSA keys with PKCS #1 v1.5, too, for clients that know nothing better. Default false: whoever can watch how
   * such a client fails can decrypt with its key.
   */
  readonly allowRsa15?: boolean;
  /** Origins (`https://console.example`) whose web pages may ask from browsers. Default: none. */
  readonly corsOrigins?: readonly string[];
  /** Other verifiers whose tokens open secrets, not those of tenants. Default: none. */
  readonly trustedTokens?: TrustedTokens;
  /** Default 300, as in Trustee. */
  readonly sessionSeconds?: number;
  /** Challenges and sessions at the same time. Default 100,000. */
  readonly maxSessions?: number;
  /** Default 2 MB, as in Trustee. */
  readonly maxBodyBytes?: number;
}

export interface Broker {
  /**
   * Answers every request; never rejects. Without an address all requests share one rate limit. A server of your own has
   * to hold each body to the length it announces, as Node's does: such a body is read whole before it is measured.
   */
  fetch(request: Request, connection?: Connection): Promise<Response>;
  /** From now on `/readyz` says no; everything is answered as before. */
  retire(): void;
  /** Writes what is queued and closes the store. */
  close(): Promise<void>;
}

// In the life of a session one address opens fewer sessions than there is room for.
const DEFAULT_RATE: RateLimit = { perSecond: 100, burst: 1000 };

export function createBroker(given: BrokerOptions): Broker {
  const { clock = systemClock, metrics, plugins = [], rateLimit = DEFAULT_RATE } = given;
  const logger = redacting(given.logger ?? silentLogger);
  const store = observedStore(given.store, metrics);
  const vault = observedVault(given.vault, metrics);
  const options: BrokerOptions = { ...given, store, vault };
  if (metrics !== undefined) watchState(metrics, options, clock);
  const observe = createObserver({ metrics, logger, plugins, logRequests: given.logRequests === true });
  let retired = false;
  const connections = new WeakMap<Request, Connection>();
  const rooms = new Rooms({
    options,
    clock,
    logger,
    admin: adminPolicy(options.admin ?? {}, options.adminToken, () => clock.now()),
    tenants: new Tenants(store, vault, clock),
    limiter: rateLimit === false ? undefined : new RateLimiter(rateLimit, clock, store.ephemeral),
    connectionOf: (request) => connections.get(request),
    isRetired: () => retired,
  });
  /** The app answers errors itself; what a policy throws without it being an Error gets past it. */
  const answer = async (request: Request, connection: Connection): Promise<Response> => {
    try {
      const addressed = await rooms.find(request);
      connections.set(addressed.request, connection);
      return await addressed.app.fetch(addressed.request, connection);
    } catch (error) {
      return errorResponse(error, logger);
    }
  };
  return {
    fetch: async (request, connection = {}) => {
      const response = await observe(request, () => answer(request, connection));
      response.headers.set("cache-control", "no-store");
      response.headers.set("x-content-type-options", "nosniff");
      return response;
    },
    retire: () => {
      retired = true;
    },
    close: async () => {
      for (const plugin of plugins) await plugin.close?.();
      await rooms.close();
      await options.rootKeys?.close();
      await store.close();
    },
  };
}
