// SPDX-License-Identifier: Apache-2.0
// Whether the broker can do its work: what load balancers and orchestrators ask.

import { builtinPolicy, type Policy } from "@adyton/appraisal";
import type { NoteKey } from "@adyton/core/note";
import { readHead } from "./audit/head.ts";
import type { Clock } from "./clock.ts";
import type { Logger } from "./log.ts";
import type { PolicyStore } from "./policy-store.ts";
import type { Store } from "./store/types.ts";
import type { Vault } from "./vault.ts";

/** What is looked at; the answer says no more than which of them hold. */
export type HealthCheck = "serving" | "store" | "rootKey" | "auditLog" | "policies";

export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<HealthCheck, "ok" | "failed">>;
}

export interface HealthOptions {
  readonly store: Store;
  readonly vault: Vault;
  readonly logKey: NoteKey;
  /** Of the house: a policy that decides and cannot be read is a broker that cannot. */
  readonly policies: PolicyStore;
  /** Whether it is on its way out. */
  readonly isRetired: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

const SPACE = "health";
const PROBE = "probe";
const FRESH_MS = 1000;
/** A name that no resource has. */
const NOBODY = "-/-/-";
/** Stands where no policy is set; nothing is judged by it. */
const UNASKED: Policy = builtinPolicy({ allowSimulated: false });

export class Health {
  readonly #options: HealthOptions;
  #at = Number.NEGATIVE_INFINITY;
  #looked: Promise<Readiness> | undefined;
  #failed = "";

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** Looks at most once a second, however often it is asked. Never rejects. */
  async look(): Promise<Readiness> {
    const now = this.#options.clock.now().getTime();
    if (this.#looked === undefined || Math.abs(now - this.#at) >= FRESH_MS) {
      this.#at = now;
      this.#looked = this.#look();
    }
    const found = await this.#looked;
    if (!this.#options.isRetired()) return found;
    return { ready: false, checks: { ...found.checks, serving: "failed" } };
  }

  async #look(): Promise<Readiness> {
    const { logKey, policies, store, vault } = this.#options;
    const failures: string[] = [];
    const check = async (name: HealthCheck, look: () => unknown): Promise<"ok" | "failed"> => {
      try {
        await look();
        return "ok";
      } catch (error) {
        failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        return "failed";
      }
    };
    const checks = {
      serving: "ok",
      store: await check("store", () => store.get(SPACE, PROBE)),
      rootKey: await check("rootKey", () =>
        vault.open(SPACE, PROBE, vault.seal(SPACE, PROBE, Uint8Array.of(1))),
      ),
      auditLog: await check("auditLog", () => readHead(store, logKey)),
      policies: await check("policies", async () => {
        await policies.resource(NOBODY);
        await policies.attestation(UNASKED);
      }),
    } as const;
    this.#tell(failures.join("; "));
    return { ready: failures.length === 0, checks };
  }

  /** Once when it begins, once when it ends. */
  #tell(failed: string): void {
    if (failed === this.#failed) return;
    this.#failed = failed;
    const { logger } = this.#options;
    if (failed === "") logger.info("ready again");
    else logger.error("not ready", { reason: failed });
  }
}
