// SPDX-License-Identifier: Apache-2.0
// The key broker: secrets at rest, and their release to the attested key. Every decision is in the audit log before
// its outcome leaves.

import { auditChange } from "./audit.ts";
import type { Beside, ResourceBackend, ResourceHistory } from "./backends/types.ts";
import { BrokerError } from "./errors.ts";
import { encryptTo, type Jwe } from "./jwe.ts";
import type { AttestedClaims } from "./policy.ts";
import type { AuditFacts, ReleaseGate } from "./release-gate.ts";
import { type ResourcePath, resourceName } from "./resource-path.ts";
import type { Store } from "./store/types.ts";
import { withSpan } from "./telemetry/spans.ts";

export interface ResourcesOptions {
  readonly store: Store;
  readonly backend: ResourceBackend;
  readonly gate: ReleaseGate;
}

/** A secret on its way out. */
export interface Released {
  readonly jwe: Jwe;
  /** Of the entry in the audit log. */
  readonly seq: number;
}

/** When, and on whose behalf (a principal's id). */
export interface Act {
  readonly now: Date;
  readonly by: string;
}

export class Resources {
  readonly #store: Store;
  readonly #backend: ResourceBackend;
  readonly #gate: ReleaseGate;

  constructor({ store, backend, gate }: ResourcesOptions) {
    this.#store = store;
    this.#backend = backend;
    this.#gate = gate;
  }

  /** Resolves with the new version's number once the secret would survive a crash. Rejects with `RESOURCE_DELETED`. */
  async put(path: ResourcePath, secret: Uint8Array, act: Act): Promise<number> {
    const name = resourceName(path);
    const beside = besideOf(act, "resource.put", name, { bytes: secret.length });
    const version = await this.#backend.put(name, secret, beside);
    await this.#afterwards(beside, version);
    return version;
  }

  /** Rejects with `RESOURCE_NOT_FOUND` when there was nothing to delete. */
  async delete(path: ResourcePath, act: Act): Promise<void> {
    await this.#change(path, act, "delete", this.#backend.delete.bind(this.#backend));
  }

  /** Brings a deleted secret back. Rejects with `RESOURCE_NOT_FOUND` or `BACKEND_READ_ONLY`. */
  async restore(path: ResourcePath, act: Act): Promise<void> {
    await this.#change(path, act, "restore", this.#backend.restore?.bind(this.#backend));
  }

  /** Removes a deleted secret for good. Rejects with `RESOURCE_NOT_FOUND` or `BACKEND_READ_ONLY`. */
  async purge(path: ResourcePath, act: Act): Promise<void> {
    await this.#change(path, act, "purge", this.#backend.purge?.bind(this.#backend));
  }

  /** Names that begin with `prefix`, sorted. */
  list(prefix: string = ""): Promise<readonly string[]> {
    return this.#backend.list(prefix);
  }

  /** Rejects with `RESOURCE_NOT_FOUND`. */
  async versions(path: ResourcePath): Promise<ResourceHistory> {
    const name = resourceName(path);
    const history = await this.#backend.versions(name);
    if (history === undefined) throw notFound(name);
    return history;
  }

  /**
   * The secret, encrypted to the key in `claims`: the newest version unless `version` names one. Rejects with
   * `POLICY_REFUSED`, `RESOURCE_NOT_FOUND` (which only shows to whom the policy allows the name),
   * `UNSUPPORTED_TEE_KEY`, or as the back end does.
   */
  release(path: ResourcePath, claims: AttestedClaims, now: Date, version?: number): Promise<Released> {
    return withSpan("release", {}, () => this.#release(path, claims, now, version));
  }

  async #release(
    path: ResourcePath,
    claims: AttestedClaims,
    now: Date,
    version: number | undefined,
  ): Promise<Released> {
    const name = resourceName(path);
    const asked = {
      plugin: "resource",
      path: [path.repository, path.type, path.tag],
      query: version === undefined ? {} : { version: String(version) },
    };
    const admission = await this.#gate.admit(asked, claims, now, {
      type: "resource.release",
      resource: name,
    });
    const stored = await this.#backend.get(name, version);
    if (stored === undefined) {
      await admission.record("deny", { reason: "no such resource" });
      throw notFound(name);
    }
    try {
      const teeKey = this.#gate.keyOf(claims);
      const jwe = encryptTo(teeKey, stored.secret);
      const facts = { reason: "policy", key: teeKey.thumbprint, version: stored.version };
      return { jwe, seq: await admission.record("allow", facts) };
    } finally {
      stored.secret.fill(0);
    }
  }

  async #change(
    path: ResourcePath,
    act: Act,
    what: "delete" | "restore" | "purge",
    change: ((name: string, beside: Beside) => Promise<boolean>) | undefined,
  ): Promise<void> {
    const name = resourceName(path);
    if (change === undefined) {
      throw new BrokerError(
        "BACKEND_READ_ONLY",
        "misuse",
        `Cannot ${what} ${name}: the back end ${this.#backend.kind} has no such operation`,
      );
    }
    const beside = besideOf(act, `resource.${what}`, name);
    if (!(await change(name, beside))) throw notFound(name);
    await this.#afterwards(beside);
  }

  async #afterwards(beside: Beside, version: number = 0): Promise<void> {
    if (!this.#backend.transactional) await this.#store.write(beside.changes(version));
  }
}

function besideOf({ now, by }: Act, type: string, resource: string, more: AuditFacts = {}): Beside {
  return {
    now,
    changes: (version) => [
      auditChange(now, { type, resource, by, ...more, ...(version > 0 ? { version } : {}) }),
    ],
  };
}

function notFound(name: string): BrokerError {
  return new BrokerError("RESOURCE_NOT_FOUND", "misuse", `Cannot find resource ${name}`, {
    hint: "List the resources as administrator to see what is there.",
  });
}
