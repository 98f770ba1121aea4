// SPDX-License-Identifier: Apache-2.0
// Administrators that are kept in the store, each with one way to prove who they are. Secrets are not kept: of a token
// only its digest.

import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { z } from "zod";
import { auditChange } from "../audit.ts";
import { BrokerError } from "../errors.ts";
import { jsonOf, matching } from "../protocol.ts";
import type { Store } from "../store/types.ts";
import type { Vault } from "../vault.ts";
import { type Grant, isGrant } from "./principal.ts";

const SPACE = "admin";
const MAX_ADMINS = 1_000;
const ADMIN_NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;
const SHA256 = /^[0-9a-f]{64}$/;

const credential: z.ZodType<Credential> = z.discriminatedUnion("kind", [
  // SHA-256 of the whole token, hex: it is made where it is used, and never sent before.
  z.strictObject({ kind: z.literal("token"), sha256: z.string().regex(SHA256) }),
  // A person whom a configured issuer of JWTs knows.
  z.strictObject({
    kind: z.literal("jwt"),
    issuer: z.string().min(1).max(512),
    subject: z.string().min(1).max(512),
  }),
  // SHA-256 of the client certificate's public key (SubjectPublicKeyInfo), hex: it survives renewal.
  z.strictObject({ kind: z.literal("certificate"), spkiSha256: z.string().regex(SHA256) }),
]);

const grant = z
  .strictObject({
    actions: z.array(z.string().max(128)).min(1).max(64),
    targets: z.array(z.string().max(256)).min(1).max(64),
  })
  .refine(isGrant, "expected actions such as resource.put or resource.*, and targets such as team-a/**");

/** What is asked for when an administrator is added. */
export const newAdminForm: z.ZodType<NewAdmin> = z.strictObject({
  name: z.string().regex(ADMIN_NAME),
  credential,
  roles: z.array(z.string().min(1).max(64)).max(16).default([]),
  grants: z.array(grant).max(64).default([]),
  tenants: z.array(z.string().max(64)).max(256).exactOptional(),
  expires: z.iso.datetime().exactOptional(),
});

const storedForm = z.strictObject({
  name: z.string(),
  credential,
  roles: z.array(z.string()),
  grants: z.array(grant),
  tenants: z.array(z.string()).exactOptional(),
  expires: z.string().exactOptional(),
  created: z.string(),
  by: z.string(),
});

export type Credential =
  | { readonly kind: "token"; readonly sha256: string }
  | { readonly kind: "jwt"; readonly issuer: string; readonly subject: string }
  | { readonly kind: "certificate"; readonly spkiSha256: string };

export interface NewAdmin {
  readonly name: string;
  readonly credential: Credential;
  readonly roles: readonly string[];
  /** Beside those of the roles. */
  readonly grants: readonly Grant[];
  /** Of an administrator of the whole house: in which tenants (`default` for none); absent for all. */
  readonly tenants?: readonly string[];
  /** RFC 3339. */
  readonly expires?: string;
}

export interface StoredAdmin extends NewAdmin {
  readonly created: string;
  /** Who added them. */
  readonly by: string;
}

/** The administrators of the whole house, or with a tenant's store and vault, that tenant's. */
export class Admins {
  readonly #store: Store;
  readonly #vault: Vault;

  constructor(store: Store, vault: Vault) {
    this.#store = store;
    this.#vault = vault;
  }

  /** Undefined when there is none of this name. Rejects with `SECRET_CORRUPT` when the row was tampered with. */
  async find(name: string): Promise<StoredAdmin | undefined> {
    const sealed = await this.#store.get(SPACE, name);
    return sealed === undefined ? undefined : this.#opened(name, sealed);
  }

  /** By name. */
  async list(): Promise<readonly StoredAdmin[]> {
    return [...(await this.#store.entries(SPACE))].map(([name, sealed]) => this.#opened(name, sealed));
  }

  /** Rejects with `ADMIN_EXISTS` or `QUOTA_EXCEEDED`. */
  async create(admin: NewAdmin, by: string, now: Date): Promise<StoredAdmin> {
    const stored = { ...admin, created: now.toISOString(), by };
    const { name } = admin;
    const names = await this.#store.keys(SPACE);
    if (names.includes(name)) throw exists(name);
    if (names.length >= MAX_ADMINS) {
      throw new BrokerError(
        "QUOTA_EXCEEDED",
        "policy",
        `Cannot add ${name}: there are ${MAX_ADMINS} administrators`,
      );
    }
    await this.#store.write([
      { kind: "check", space: SPACE, key: name, expect: undefined },
      {
        kind: "put",
        space: SPACE,
        key: name,
        value: this.#vault.seal(SPACE, name, fromUtf8(JSON.stringify(stored))),
      },
      auditChange(now, {
        type: "admin.create",
        by,
        admin: name,
        credential: admin.credential.kind,
        roles: admin.roles,
        grants: admin.grants.map(({ actions, targets }) => ({ actions, targets })),
      }),
    ]);
    return stored;
  }

  /** Rejects with `ADMIN_NOT_FOUND`. What they proposed and did stays. */
  async delete(name: string, by: string, now: Date): Promise<void> {
    if ((await this.#store.get(SPACE, name)) === undefined) {
      throw new BrokerError("ADMIN_NOT_FOUND", "misuse", `Cannot find administrator ${name}`, {
        hint: "List the administrators to see who is there.",
      });
    }
    await this.#store.write([
      { kind: "delete", space: SPACE, key: name },
      auditChange(now, { type: "admin.delete", by, admin: name }),
    ]);
  }

  #opened(name: string, sealed: Uint8Array): StoredAdmin {
    return matching(storedForm, jsonOf(toUtf8(this.#vault.open(SPACE, name, sealed))));
  }
}

function exists(name: string): BrokerError {
  return new BrokerError(
    "ADMIN_EXISTS",
    "misuse",
    `Cannot add ${name}: there is an administrator of this name`,
    {
      hint: "Delete it first, or choose another name.",
    },
  );
}
