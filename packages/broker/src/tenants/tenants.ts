// SPDX-License-Identifier: Apache-2.0
// The tenants of a broker: who they are, and what they may use.

import { equal, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { z } from "zod";
import { auditChange } from "../audit.ts";
import type { Clock } from "../clock.ts";
import { BrokerError } from "../errors.ts";
import { jsonOf, matching } from "../protocol.ts";
import type { Change, Store } from "../store/types.ts";
import type { Vault } from "../vault.ts";

/** Absent members mean the broker's own limits, or none. */
export interface Quota {
  /** Secrets; each kept version counts, and a deleted one until it is purged. */
  readonly maxResources?: number;
  /** Of all of them, as they are stored. */
  readonly maxBytes?: number;
  /** Challenges and sessions at the same time. */
  readonly maxSessions?: number;
  /** Of all clients together. */
  readonly requestsPerSecond?: number;
}

export type TenantState = "active" | "disabled" | "deleted";

export interface Tenant {
  readonly name: string;
  readonly state: TenantState;
  readonly quota: Quota;
  /** RFC 3339. */
  readonly created: string;
  readonly by: string;
}

const SPACE = "tenant";
const NAME = /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
/** What the tenant without a name is called where it needs one. */
export const DEFAULT_TENANT = "default";
const MAX_TENANTS = 10_000;
/** After which another process's change is seen. */
const KEPT_MS = 1_000;
const MAX_KEPT = 10_000;
const DELETED_AT_ONCE = 500;

const count = z.int().positive().max(Number.MAX_SAFE_INTEGER).exactOptional();
export const quotaForm: z.ZodType<Quota> = z.strictObject({
  maxResources: count,
  maxBytes: count,
  maxSessions: count,
  requestsPerSecond: count,
});

const form = z.strictObject({
  name: z.string(),
  state: z.enum(["active", "disabled", "deleted"]),
  quota: quotaForm,
  created: z.string(),
  by: z.string(),
});
type Row = z.infer<typeof form>;

interface Kept {
  readonly at: number;
  readonly sealed: Uint8Array | undefined;
  readonly tenant: Tenant | undefined;
}

export class Tenants {
  readonly #store: Store;
  readonly #vault: Vault;
  readonly #clock: Clock;
  readonly #kept: Map<string, Kept> = new Map();

  constructor(store: Store, vault: Vault, clock: Clock) {
    this.#store = store;
    this.#vault = vault;
    this.#clock = clock;
  }

  /** Rejects with `INVALID_REQUEST`, `TENANT_EXISTS` (names are never given twice) or `QUOTA_EXCEEDED`. */
  async create(name: string, quota: Quota, by: string): Promise<Tenant> {
    const now = this.#clock.now();
    if (!NAME.test(name) || name === DEFAULT_TENANT) throw unfit(name);
    const names = await this.#store.keys(SPACE);
    if (names.includes(name)) {
      throw new BrokerError(
        "TENANT_EXISTS",
        "misuse",
        `Cannot make tenant ${name}: one has or had this name`,
        {
          hint: "Choose another name.",
        },
      );
    }
    if (names.length >= MAX_TENANTS) {
      throw new BrokerError(
        "QUOTA_EXCEEDED",
        "policy",
        `Cannot make tenant ${name}: there are ${MAX_TENANTS}`,
      );
    }
    const row: Row = {
      name,
      state: "active",
      quota,
      created: now.toISOString(),
      by,
    };
    await this.#write(undefined, row, { type: "tenant.create", by, quota: { ...quota } });
    return row;
  }

  /** By name, those that were deleted too. */
  async list(): Promise<readonly Tenant[]> {
    return [...(await this.#store.entries(SPACE))].map(([name, sealed]) => this.#opened(name, sealed));
  }

  /** Rejects with `TENANT_UNKNOWN`. */
  async get(name: string): Promise<Tenant> {
    return (await this.#row(name)).row;
  }

  /** Switches a tenant off or on again, or gives it another quota. Rejects with `TENANT_UNKNOWN`. */
  async change(
    name: string,
    change: { readonly state?: "active" | "disabled"; readonly quota?: Quota },
    by: string,
  ): Promise<Tenant> {
    const { row, sealed } = await this.#row(name);
    if (row.state === "deleted") throw unknown(name);
    const next: Row = { ...row, ...change };
    await this.#write(sealed, next, {
      type: "tenant.change",
      by,
      state: next.state,
      quota: { ...next.quota },
    });
    return next;
  }

  /**
   * Deletes a tenant with everything it keeps, the key of its tokens too. Nobody is answered in its name from the start;
   * asked again after whatever cut it off, it goes on. The name stays taken, and the log keeps what happened.
   */
  async delete(name: string, by: string): Promise<void> {
    const { row, sealed } = await this.#row(name);
    if (row.state !== "deleted") {
      await this.#write(sealed, { ...row, state: "deleted" }, { type: "tenant.delete", by });
    }
    for (const space of await this.#store.spaces()) {
      if (!space.startsWith(`${name}/`)) continue;
      const keys = await this.#store.keys(space);
      for (let at = 0; at < keys.length; at += DELETED_AT_ONCE) {
        const some = keys.slice(at, at + DELETED_AT_ONCE);
        await this.#store.write(some.map((key): Change => ({ kind: "delete", space, key })));
      }
    }
  }

  /** The tenant that answers requests; undefined for every other. What other processes changed shows within a second. */
  async active(name: string): Promise<Tenant | undefined> {
    if (!NAME.test(name)) return undefined;
    const at = this.#clock.now().getTime();
    const kept = this.#kept.get(name);
    if (kept !== undefined && Math.abs(at - kept.at) < KEPT_MS) return kept.tenant;
    const sealed = await this.#store.get(SPACE, name);
    const known = kept?.sealed !== undefined && sealed !== undefined && equal(kept.sealed, sealed);
    const tenant = known ? kept.tenant : this.#activeIn(name, sealed);
    this.#kept.delete(name);
    if (this.#kept.size >= MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value ?? name);
    this.#kept.set(name, { at, sealed, tenant });
    return tenant;
  }

  #activeIn(name: string, sealed: Uint8Array | undefined): Tenant | undefined {
    const row = sealed === undefined ? undefined : this.#opened(name, sealed);
    return row?.state === "active" ? row : undefined;
  }

  async #row(name: string): Promise<{ readonly row: Row; readonly sealed: Uint8Array }> {
    const sealed = NAME.test(name) ? await this.#store.get(SPACE, name) : undefined;
    if (sealed === undefined) throw unknown(name);
    return { row: this.#opened(name, sealed), sealed };
  }

  async #write(
    before: Uint8Array | undefined,
    row: Row,
    event: {
      readonly type: string;
      readonly by: string;
      readonly [name: string]: string | { [name: string]: number };
    },
  ): Promise<void> {
    const { name } = row;
    const value = this.#vault.seal(SPACE, name, fromUtf8(JSON.stringify(row)));
    await this.#store.write([
      { kind: "check", space: SPACE, key: name, expect: before },
      { kind: "put", space: SPACE, key: name, value },
      auditChange(this.#clock.now(), { ...event, tenant: name }),
    ]);
    this.#kept.delete(name);
  }

  #opened(name: string, sealed: Uint8Array): Row {
    return matching(form, jsonOf(toUtf8(this.#vault.open(SPACE, name, sealed))));
  }
}

/** One answer for a tenant that never was, is switched off, or was deleted. */
export function unknown(name: string): BrokerError {
  const shown = JSON.stringify(name.slice(0, 80));
  return new BrokerError("TENANT_UNKNOWN", "misuse", `Cannot find tenant ${shown}`, {
    hint: "Check the name in the address.",
  });
}

function unfit(name: string): BrokerError {
  return new BrokerError(
    "INVALID_REQUEST",
    "malformed",
    `Cannot name a tenant ${JSON.stringify(name.slice(0, 80))}: expected up to 40 lower-case letters, digits and -, a letter first, and not ${DEFAULT_TENANT}`,
  );
}
