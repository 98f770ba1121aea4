// SPDX-License-Identifier: Apache-2.0
// Tenants, administrators, what waits for approval, and resource policies for patterns of names.

import { toBase64Url, toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { ClientError, invalidAnswer } from "./errors.ts";
import { type Answer, type Call, jsonIn, objectIn } from "./wire.ts";

/** Absent members mean the broker's own limits, or none. */
export interface TenantQuota {
  /** Secrets; each kept version counts, and a deleted one until it is purged. */
  readonly maxResources?: number;
  /** Of all of them, as they are stored. */
  readonly maxBytes?: number;
  readonly maxSessions?: number;
  readonly requestsPerSecond?: number;
}

export interface TenantFacts {
  readonly name: string;
  readonly state: "active" | "disabled" | "deleted";
  readonly quota: TenantQuota;
  readonly usage: { readonly resources: number; readonly bytes: number };
  /** RFC 3339. */
  readonly created: string;
}

export interface TenantAdmin {
  list(): Promise<readonly TenantFacts[]>;
  create(name: string, quota?: TenantQuota): Promise<TenantFacts>;
  get(name: string): Promise<TenantFacts>;
  change(
    name: string,
    change: { readonly state?: "active" | "disabled"; readonly quota?: TenantQuota },
  ): Promise<TenantFacts>;
  /** Deletes everything that the tenant keeps. Its name is never given again. */
  delete(name: string): Promise<void>;
}

/** Actions (`resource.put`, `resource.*`, `*`) on targets (`team-a/**`, `**`). */
export interface AdminGrant {
  readonly actions: readonly string[];
  readonly targets: readonly string[];
}

/** How an administrator proves who they are. */
export type AdminCredential =
  | { readonly kind: "token"; readonly sha256: string }
  | { readonly kind: "jwt"; readonly issuer: string; readonly subject: string }
  | { readonly kind: "certificate"; readonly spkiSha256: string };

export interface AdminRights {
  readonly roles?: readonly string[];
  readonly grants?: readonly AdminGrant[];
  /** In which tenants, `default` for none; absent for all. */
  readonly tenants?: readonly string[];
  /** RFC 3339. */
  readonly expires?: string;
}

export interface AdminFacts {
  readonly name: string;
  /** `token`, `jwt` or `certificate`. */
  readonly credential: string;
  readonly roles: readonly string[];
  readonly grants: readonly AdminGrant[];
  readonly tenants?: readonly string[];
  readonly created: string;
  readonly expires?: string;
}

export interface AdminRegister {
  list(): Promise<readonly AdminFacts[]>;
  create(name: string, credential: AdminCredential, rights: AdminRights): Promise<AdminFacts>;
  delete(name: string): Promise<void>;
  /** Who the token is. */
  whoami(): Promise<{ readonly id: string; readonly roles: readonly string[] }>;
}

/** A request that waits for others. */
export interface ProposalFacts {
  readonly id: string;
  readonly action: string;
  /** "" for everything. */
  readonly target: string;
  readonly by: string;
  readonly method: string;
  readonly path: string;
  /** Of the request's body. */
  readonly bytes: number;
  /** What an approval has to repeat. */
  readonly digest: string;
  readonly needed: number;
  readonly approvals: readonly string[];
  readonly state: string;
  readonly created: string;
  readonly expires: string;
  /** The body, where it is no secret. */
  readonly content?: JsonObject;
  /** Of the answer, once it was carried out, and the broker's code where it failed. */
  readonly status?: number;
  readonly code?: string;
}

export interface ProposalAdmin {
  list(): Promise<readonly ProposalFacts[]>;
  get(id: string): Promise<ProposalFacts>;
  /** `digest` is that of what was looked at. The last approval that is needed carries it out. */
  approve(id: string, digest: string): Promise<ProposalFacts>;
  reject(id: string): Promise<ProposalFacts>;
}

export interface ScopedPolicyFacts {
  /** The pattern; `**` for all names that no other fits. */
  readonly path: string;
  readonly version: number;
  readonly sha384: string;
  readonly set: string;
}

export interface ScopedPolicyAdmin {
  /** The most specific first. */
  list(): Promise<readonly ScopedPolicyFacts[]>;
  /** The policy's text. */
  get(path: string): Promise<string>;
  /** Once it compiles and its tests pass. */
  set(path: string, policy: string, tests?: string): Promise<ScopedPolicyFacts>;
  delete(path: string): Promise<void>;
}

export interface Administration {
  readonly tenants: TenantAdmin;
  readonly admins: AdminRegister;
  readonly proposals: ProposalAdmin;
  readonly resourcePolicies: ScopedPolicyAdmin;
}

const NAME = /^[A-Za-z0-9._-]{1,128}$/;
const TOKEN_BYTES = 32;

/** A token for a new administrator: keep it where they are, and send the broker its digest alone. */
export async function newAdminToken(
  name: string,
): Promise<{ readonly token: string; readonly sha256: string }> {
  const random = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
  const token = `adyton~${checked(name)}~${toBase64Url(random)}`;
  return { token, sha256: toHex(await defaultCrypto.digest("SHA-256", new TextEncoder().encode(token))) };
}

/** The calls over a wire that carries the administrator's credentials. */
export function administration(call: (request: Call) => Promise<Answer>): Administration {
  const ask = async (
    method: Call["method"],
    path: string,
    what: string,
    body?: JsonObject,
  ): Promise<Answer> =>
    call({
      method,
      path,
      what,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
  const all = async <T>(
    path: string,
    what: string,
    read: (value: JsonObject) => T,
  ): Promise<readonly T[]> => {
    const list = jsonIn(await ask("GET", path, what), "list");
    if (!Array.isArray(list)) throw invalidAnswer("list", "it is no array");
    return list.map((value: JsonValue) => {
      if (!isJsonObject(value)) throw invalidAnswer("list", "one of its members is no object");
      return read(value);
    });
  };
  const tenant = (name: string): string => `/v1/tenants/${checked(name)}`;
  const proposal = (id: string): string => `/v1/proposals/${checked(id)}`;
  const policy = (path: string): string => `/v1/resource-policies/${encodeURIComponent(path)}`;
  return {
    tenants: {
      list: () => all("/v1/tenants", "list tenants", tenantIn),
      create: async (name, quota = {}) => {
        const body = { name, quota: { ...quota } };
        return tenantIn(objectIn(await ask("POST", "/v1/tenants", `make tenant ${name}`, body), "tenant"));
      },
      get: async (name) =>
        tenantIn(objectIn(await ask("GET", tenant(name), `show tenant ${name}`), "tenant")),
      change: async (name, { quota, state }) => {
        const body = {
          ...(quota === undefined ? {} : { quota: { ...quota } }),
          ...(state === undefined ? {} : { state }),
        };
        return tenantIn(objectIn(await ask("PUT", tenant(name), `change tenant ${name}`, body), "tenant"));
      },
      delete: async (name) => void (await ask("DELETE", tenant(name), `delete tenant ${name}`)),
    },
    admins: {
      list: () => all("/v1/admins", "list administrators", adminIn),
      create: async (name, credential, { grants = [], roles = [], tenants, expires }) => {
        const body = {
          name,
          credential: { ...credential },
          roles,
          grants: grants.map(({ actions, targets }) => ({ actions, targets })),
          ...(tenants === undefined ? {} : { tenants }),
          ...(expires === undefined ? {} : { expires }),
        };
        const answer = await ask("POST", "/v1/admins", `add administrator ${name}`, body);
        return adminIn(objectIn(answer, "administrator"));
      },
      delete: async (name) =>
        void (await ask("DELETE", `/v1/admins/${checked(name)}`, `delete administrator ${name}`)),
      whoami: async () => {
        const { id, roles } = objectIn(await ask("GET", "/v1/whoami", "ask who this is"), "answer");
        return { id: text(id, "answer"), roles: texts(roles, "answer") };
      },
    },
    proposals: {
      list: () => all("/v1/proposals", "list proposals", proposalIn),
      get: async (id) =>
        proposalIn(objectIn(await ask("GET", proposal(id), "show the proposal"), "proposal")),
      approve: async (id, digest) => {
        const answer = await ask("POST", `${proposal(id)}/approve`, "approve the proposal", { digest });
        return proposalIn(objectIn(answer, "proposal"));
      },
      reject: async (id) =>
        proposalIn(objectIn(await ask("POST", `${proposal(id)}/reject`, "reject the proposal"), "proposal")),
    },
    resourcePolicies: {
      list: () => all("/v1/resource-policies", "list resource policies", scopedIn),
      get: async (path) =>
        text(
          objectIn(await ask("GET", policy(path), `get the policy of ${path}`), "policy").policy,
          "policy",
        ),
      set: async (path, source, tests) => {
        const body = { policy: source, ...(tests === undefined ? {} : { tests }) };
        return scopedIn(
          objectIn(await ask("PUT", policy(path), `set the policy of ${path}`, body), "policy"),
        );
      },
      delete: async (path) => void (await ask("DELETE", policy(path), `delete the policy of ${path}`)),
    },
  };
}

function tenantIn({ name, state, quota, usage, created }: JsonObject): TenantFacts {
  if ((state !== "active" && state !== "disabled" && state !== "deleted") || !isJsonObject(quota))
    throw invalidAnswer("tenant", "its state or quota is none");
  const { resources, bytes } = isJsonObject(usage) ? usage : {};
  return {
    name: text(name, "tenant"),
    state,
    quota: Object.fromEntries(Object.entries(quota).map(([limit, value]) => [limit, Number(value)])),
    usage: { resources: Number(resources ?? 0), bytes: Number(bytes ?? 0) },
    created: text(created, "tenant"),
  };
}

function adminIn({ name, credential, roles, grants, tenants, created, expires }: JsonObject): AdminFacts {
  const what = "administrator";
  if (!Array.isArray(grants)) throw invalidAnswer(what, "its grants are no list");
  return {
    name: text(name, what),
    credential: text(isJsonObject(credential) ? credential.kind : undefined, what),
    roles: texts(roles, what),
    grants: grants.map((grant: JsonValue) => {
      if (!isJsonObject(grant)) throw invalidAnswer(what, "one of its grants is no object");
      return { actions: texts(grant.actions, what), targets: texts(grant.targets, what) };
    }),
    ...(tenants === undefined ? {} : { tenants: texts(tenants, what) }),
    created: text(created, what),
    ...(expires === undefined ? {} : { expires: text(expires, what) }),
  };
}

function proposalIn(value: JsonObject): ProposalFacts {
  const { approvals, bytes, code, content, needed, status } = value;
  const member = (name: string): string => text(value[name], "proposal");
  if (!Array.isArray(approvals)) throw invalidAnswer("proposal", "its approvals are no list");
  return {
    id: member("id"),
    action: member("action"),
    target: member("target"),
    by: member("by"),
    method: member("method"),
    path: member("path"),
    bytes: Number(bytes),
    digest: member("digest"),
    needed: Number(needed),
    approvals: approvals.map((each: JsonValue) => text(isJsonObject(each) ? each.by : undefined, "proposal")),
    state: member("state"),
    created: member("created"),
    expires: member("expires"),
    ...(isJsonObject(content) ? { content } : {}),
    ...(typeof status === "number" ? { status } : {}),
    ...(typeof code === "string" ? { code } : {}),
  };
}

function scopedIn({ path, version, sha384, set }: JsonObject): ScopedPolicyFacts {
  return {
    path: text(path, "policy"),
    version: Number(version),
    sha384: text(sha384, "policy"),
    set: text(set, "policy"),
  };
}

function text(value: JsonValue | undefined, what: string): string {
  if (typeof value !== "string") throw invalidAnswer(what, "a member that should be text is none");
  return value;
}

function texts(value: JsonValue | undefined, what: string): readonly string[] {
  if (!Array.isArray(value)) throw invalidAnswer(what, "a member that should be a list is none");
  return value.map((each: JsonValue) => text(each, what));
}

/** A name that stands in a path as it is. Throws `INVALID_NAME`. */
function checked(name: string): string {
  if (!NAME.test(name) || name === "." || name === "..") {
    throw new ClientError(
      "INVALID_NAME",
      "misuse",
      `Cannot use ${JSON.stringify(name.slice(0, 80))} as name: expected letters, digits, . _ -`,
    );
  }
  return name;
}
