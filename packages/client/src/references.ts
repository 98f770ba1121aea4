// SPDX-License-Identifier: Apache-2.0
// What an operator calls about reference values beyond setting them: documents, vouchers, revocation, expiry, groups.

import { fromUtf8, toBase64 } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { ClientError, invalidAnswer } from "./errors.ts";
import { type Answer, type Call, jsonIn, objectIn } from "./wire.ts";

/** What a document of reference values is: plain JSON, a manifest (SWID), a CoRIM, provenance (a sigstore bundle). */
export type ReferenceDocumentType = "sample" | "swid" | "corim" | "provenance";

export interface AddReferencesOptions {
  /** A release, to be enabled and disabled as one. */
  readonly group?: string;
  /** The values end then, or with their document. Default: in twelve months. */
  readonly expires?: Date;
  /** Take the place of what the same voucher said under the same ids in the same group. Default false. */
  readonly replace?: boolean;
  /** Of provenance: which digest becomes the value of which id. Default: all, under names of their own. */
  readonly subjects?: readonly ReferenceSubject[];
}

export interface ReferenceSubject {
  /** The file's name in the provenance. */
  readonly subject: string;
  /** `sha256`, `sha384`, `sha512`. */
  readonly algorithm: string;
  /** The reference id. */
  readonly id: string;
}

/** What adding did. */
export interface AddedReferences {
  readonly ids: readonly string[];
  /** Values that were revoked before, and stay so. */
  readonly revoked: readonly { readonly id: string; readonly value: JsonValue }[];
}

/** One id, with everything that is kept under it. */
export interface ReferenceFacts {
  readonly id: string;
  readonly values: readonly ReferenceValueFacts[];
  readonly revoked: readonly RevokedFacts[];
}

export interface ReferenceValueFacts {
  readonly value: JsonValue;
  /** `live`, or why it does not count: `revoked`, `disabled`, `expired`, `pending`. */
  readonly status: string;
  /** Who vouches for it: `kind`, `name`, `keyId`, `verified`… */
  readonly voucher: JsonObject;
  /** Who registered it. */
  readonly by: string;
  /** RFC 3339. */
  readonly registered: string;
  /** RFC 3339. */
  readonly expires: string;
  readonly group?: string;
}

export interface RevokedFacts {
  readonly value: JsonValue;
  /** RFC 3339. */
  readonly at: string;
  readonly by: string;
  readonly reason?: string;
}

export interface ReferenceGroupFacts {
  readonly name: string;
  readonly values: number;
  readonly enabled: boolean;
}

/** Every method rejects with a `ClientError`; `INVALID_REFERENCE_ID` for an id or group that is none. */
export interface ReferenceAdmin {
  /** Registers a document's values. Signatures are checked against what the broker trusts. */
  add(
    document: Uint8Array | JsonObject,
    type: ReferenceDocumentType,
    options?: AddReferencesOptions,
  ): Promise<AddedReferences>;
  list(filter?: { readonly group?: string; readonly status?: string }): Promise<readonly ReferenceFacts[]>;
  show(id: string): Promise<ReferenceFacts>;
  /** One value, or all that an id has. They cannot come back by being registered again. */
  revoke(id: string, value?: JsonValue, reason?: string): Promise<void>;
  unrevoke(id: string, value: JsonValue): Promise<void>;
  /**
   * Revokes every value that a key vouched for, whoever else vouches for it: `keyId` is the voucher's, SHA-256 of the public key
   * in hex. Answers how many counted until then. The broker goes on trusting the key for other values, until it is taken from
   * those that it trusts.
   */
  revokeVoucher(keyId: string, reason?: string): Promise<number>;
  /** Lets one value, or all of an id, end at a time. */
  expire(id: string, expires: Date, value?: JsonValue): Promise<void>;
  groups(): Promise<readonly ReferenceGroupFacts[]>;
  setGroup(name: string, enabled: boolean): Promise<void>;
  /** Removes every value of a group. */
  deleteGroup(name: string): Promise<void>;
}

const ALL = "/v1/references";
const GROUPS = "/v1/reference-groups";

/** The calls, over an administrator's `call`. */
export function referenceAdmin(call: (request: Call) => Promise<Answer>): ReferenceAdmin {
  const post = async (path: string, what: string, body: JsonObject): Promise<JsonObject> => {
    const headers = { "content-type": "application/json" };
    const answer = await call({ method: "POST", path, what, headers, body: JSON.stringify(body) });
    return objectIn(answer, "answer");
  };
  return {
    add: async (document, type, { expires, subjects, ...how } = {}) => {
      const bytes = document instanceof Uint8Array ? document : fromUtf8(JSON.stringify(document));
      const answer = await post(ALL, "add reference values", {
        type,
        payload: toBase64(bytes),
        ...how,
        ...(expires === undefined ? {} : { expires: expires.toISOString() }),
        ...(subjects === undefined ? {} : { subjects: subjects.map((each) => ({ ...each })) }),
      });
      return addedIn(answer);
    },
    list: async ({ group, status } = {}) => {
      const query = new URLSearchParams();
      if (group !== undefined) query.set("group", checkedGroup(group));
      if (status !== undefined) query.set("status", status);
      const path = query.size === 0 ? ALL : `${ALL}?${query}`;
      const answer = objectIn(await call({ method: "GET", path, what: "list reference values" }), "list");
      return listOf(answer.references, "list").map(factsIn);
    },
    show: async (id) => {
      const path = `${ALL}/${checkedReferenceId(id)}`;
      return factsIn(
        jsonIn(await call({ method: "GET", path, what: `show reference value ${id}` }), "answer"),
      );
    },
    revoke: async (id, value, reason) => {
      await post(`${ALL}/revoke`, `revoke reference value ${id}`, {
        id: checkedReferenceId(id),
        ...(value === undefined ? {} : { value }),
        ...(reason === undefined ? {} : { reason }),
      });
    },
    revokeVoucher: async (keyId, reason) => {
      const { revoked } = await post(`${ALL}/revoke`, `revoke what key ${keyId} vouched for`, {
        voucher: checkedKeyId(keyId),
        ...(reason === undefined ? {} : { reason }),
      });
      if (typeof revoked !== "number") throw unexpected();
      return revoked;
    },
    unrevoke: async (id, value) => {
      await post(`${ALL}/unrevoke`, `un-revoke reference value ${id}`, { id: checkedReferenceId(id), value });
    },
    expire: async (id, expires, value) => {
      await post(`${ALL}/expire`, `expire reference value ${id}`, {
        id: checkedReferenceId(id),
        expires: expires.toISOString(),
        ...(value === undefined ? {} : { value }),
      });
    },
    groups: async () => {
      const answer = await call({ method: "GET", path: GROUPS, what: "list groups of reference values" });
      return listOf(objectIn(answer, "list").groups, "list").map(groupIn);
    },
    setGroup: async (name, enabled) => {
      const what = `${enabled ? "enable" : "disable"} group ${name}`;
      await post(`${GROUPS}/${checkedGroup(name)}`, what, { enabled });
    },
    deleteGroup: async (name) => {
      const path = `${GROUPS}/${checkedGroup(name)}`;
      await call({ method: "DELETE", path, what: `delete group ${name}` });
    },
  };
}

/** An id that stands in a path as it is: `a/../b` would name another. Throws `INVALID_REFERENCE_ID`. */
export function checkedReferenceId(id: string): string {
  const climbs = id.split("/").some((part) => ["", ".", ".."].includes(part));
  if (climbs || !/^(?:[A-Za-z0-9_.:/-]|%(?!2E)[0-9A-F]{2})+$/.test(id)) {
    throw invalidId(id, "reference value id: expected letters, digits, _ . : / -, and %XX for others");
  }
  return id;
}

function checkedKeyId(keyId: string): string {
  if (!/^[0-9a-f]{64}$/.test(keyId)) throw invalidId(keyId, "key: expected SHA-256 in lower-case hex");
  return keyId;
}

function checkedGroup(name: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$/.test(name))
    throw invalidId(name, "group: expected at most 128 letters, digits, _ . : -");
  return name;
}

function invalidId(text: string, expected: string): ClientError {
  return new ClientError(
    "INVALID_REFERENCE_ID",
    "misuse",
    `Cannot use ${JSON.stringify(text.slice(0, 200))} as ${expected}`,
  );
}

function addedIn({ ids, revoked }: JsonObject): AddedReferences {
  return {
    ids: listOf(ids, "answer").map((id) => textOf(id)),
    revoked: listOf(revoked, "answer").map((each) => {
      const { id, value } = objectOf(each);
      if (value === undefined) throw unexpected();
      return { id: textOf(id), value };
    }),
  };
}

function factsIn(value: JsonValue): ReferenceFacts {
  const { id, values, revoked } = objectOf(value);
  return {
    id: textOf(id),
    values: listOf(values, "answer").map(valueIn),
    revoked: listOf(revoked, "answer").map(revokedIn),
  };
}

function valueIn(json: JsonValue): ReferenceValueFacts {
  const { value, status, voucher, by, registered, expires, group } = objectOf(json);
  if (value === undefined) throw unexpected();
  return {
    value,
    status: textOf(status),
    voucher: objectOf(voucher),
    by: textOf(by),
    registered: textOf(registered),
    expires: textOf(expires),
    ...(group === undefined ? {} : { group: textOf(group) }),
  };
}

function revokedIn(json: JsonValue): RevokedFacts {
  const { value, at, by, reason } = objectOf(json);
  if (value === undefined) throw unexpected();
  return {
    value,
    at: textOf(at),
    by: textOf(by),
    ...(reason === undefined ? {} : { reason: textOf(reason) }),
  };
}

function groupIn(json: JsonValue): ReferenceGroupFacts {
  const { name, values, enabled } = objectOf(json);
  if (typeof values !== "number" || typeof enabled !== "boolean") throw unexpected();
  return { name: textOf(name), values, enabled };
}

function listOf(value: JsonValue | undefined, what: string): readonly JsonValue[] {
  if (!Array.isArray(value)) throw invalidAnswer(what, "it holds no array");
  return value as readonly JsonValue[];
}

function objectOf(value: JsonValue | undefined): JsonObject {
  if (value === undefined || !isJsonObject(value)) throw unexpected();
  return value;
}

function textOf(value: JsonValue | undefined): string {
  if (typeof value !== "string") throw unexpected();
  return value;
}

function unexpected(): ClientError {
  return invalidAnswer("reference values", "a member is missing or of another type");
}
