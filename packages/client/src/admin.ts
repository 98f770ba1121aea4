// SPDX-License-Identifier: Apache-2.0
// What an operator calls: keep secrets and reference values in the broker.

import { fromBase64Url, fromUtf8, toBase64, toBase64Url, toUtf8 } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { type Administration, administration } from "./administration.ts";
import { ClientError, invalidAnswer } from "./errors.ts";
import { type KeyAdmin, keyAdmin } from "./keys.ts";
import { checkedReferenceId, type ReferenceAdmin, referenceAdmin } from "./references.ts";
import { resourcePath } from "./resource-path.ts";
import { type ResourceAdmin, resourceAdmin } from "./resources.ts";
import { type RootKeyAdmin, rootKeyAdmin } from "./root-key.ts";
import { type TokenKeyAdmin, tokenKeyAdmin } from "./token-key.ts";
import { type Call, isPrivate, jsonIn, objectIn, Wire, type WireOptions } from "./wire.ts";

export interface AdminOptions extends WireOptions {
  /** The broker's admin token. */
  readonly token: string;
  /** Send the token and secrets over plain HTTP to another machine. Default false. */
  readonly allowPlainHttpBeyondLoopback?: boolean;
}

/** Every method rejects with a `ClientError`: `ADMIN_REFUSED` when the token is not the administrator's. */
export interface Admin extends Administration {
  /** Resolves once the secret would survive a crash of the broker's machine. */
  putResource(name: string, secret: Uint8Array | string): Promise<void>;
  /** Names, sorted. */
  listResources(): Promise<readonly string[]>;
  deleteResource(name: string): Promise<void>;
  /** Registers values by reference id, replacing those under the same ids; other ids stay. */
  setReferenceValues(values: JsonObject): Promise<void>;
  listReferenceValues(): Promise<Readonly<Record<string, readonly JsonValue[]>>>;
  deleteReferenceValue(id: string): Promise<void>;
  /** More about reference values: documents, vouchers, revocation, expiry, groups. */
  readonly references: ReferenceAdmin;
  /** Versions of secrets, and those that were deleted. */
  readonly resources: ResourceAdmin;
  /** The keys of the plugin `transit`. */
  readonly keys: KeyAdmin;
  /** The keys that everything at rest is sealed under. */
  readonly rootKeys: RootKeyAdmin;
  /** The keys that sign attestation results. */
  readonly tokenKeys: TokenKeyAdmin;
  /**
   * Puts a policy in Rego in force, once it compiles and its tests pass. Otherwise it rejects with what is wrong, line by
   * line, and the old one stays.
   */
  setPolicy(name: PolicyName, text: string, tests?: string): Promise<void>;
  /** The policy's text, as it was set. */
  getPolicy(name: PolicyName): Promise<string>;
  /** Those that were set; the others are the broker's defaults. */
  listPolicies(): Promise<readonly PolicyFacts[]>;
  /** What was set under a name and is still kept, the newest first. */
  listPolicyVersions(name: PolicyName): Promise<readonly PolicyVersion[]>;
  /** Puts a version that is kept in force again, as a new one. */
  activatePolicy(name: PolicyName, version: number): Promise<PolicyFacts>;
  /** Why an attestation came out as it did, by the `jti` of its token: `{id, at, status, submods}`. */
  getExplanation(id: string): Promise<JsonObject>;
  /** The same, by the id of the session (its cookie's value) as long as it lives. */
  explainSession(session: string): Promise<JsonObject>;
  /** An entry of the audit log in words: `{seq, time, event, text, explanation}`, the last null when it is gone. */
  explainDecision(seq: number): Promise<JsonObject>;
  /** The newest attestations, newest first: `{id, at, status, tees}`. */
  listExplanations(limit?: number): Promise<readonly JsonObject[]>;
  /** Resolves when the broker answers. */
  health(): Promise<void>;
}

/** `resource` judges releases, the others judge evidence: of any kind, or of the kind that is named. */
export type PolicyName = (typeof POLICY_NAMES)[number];

/** A policy in force. */
export interface PolicyFacts {
  readonly name: string;
  readonly version: number;
  /** Of the text, hex. */
  readonly sha384: string;
  /** When it was set, RFC 3339. */
  readonly set: string;
}

/** A policy that was set, with its text. */
export interface PolicyVersion extends PolicyFacts {
  readonly active: boolean;
  readonly text: string;
}

export const POLICY_NAMES = [
  "resource",
  "attestation",
  "attestation_cpu",
  "attestation_gpu",
  "attestation_switch",
] as const;

const PREFIX = "/kbs/v0";
const REFERENCE_VALUE = `${PREFIX}/reference-value`;
const MESSAGE_VERSION = "0.1.0";

/** Throws `INVALID_URL`. */
export function createAdmin(options: AdminOptions): Admin {
  const wire = new Wire(options);
  if (options.allowPlainHttpBeyondLoopback !== true && !isPrivate(wire.url)) {
    throw new ClientError(
      "INVALID_URL",
      "misuse",
      `Cannot administer ${wire.url}: plain HTTP would show the token and the secrets on the way`,
      { hint: "Use https://, or a tunnel to the broker's loopback interface." },
    );
  }
  const call = (request: Call) =>
    wire.call({ ...request, headers: { authorization: `Bearer ${options.token}`, ...request.headers } });
  return {
    putResource: async (name, secret) => {
      const path = resourcePath(name);
      const body = typeof secret === "string" ? fromUtf8(secret) : secret;
      const headers = { "content-type": "application/octet-stream" };
      await call({ method: "POST", path: `${PREFIX}/resource/${path}`, what: `put ${path}`, body, headers });
    },
    listResources: async () => {
      const answer = await call({ method: "GET", path: `${PREFIX}/resources`, what: "list resources" });
      const names = jsonIn(answer, "list");
      if (!isTextList(names)) throw invalidAnswer("list", "it is no array of names");
      return names;
    },
    deleteResource: async (name) => {
      const path = resourcePath(name);
      await call({ method: "DELETE", path: `${PREFIX}/resource/${path}`, what: `delete ${path}` });
    },
    setReferenceValues: async (values) => {
      const payload = toBase64(fromUtf8(JSON.stringify(values)));
      await call({
        method: "POST",
        path: REFERENCE_VALUE,
        what: "set reference values",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ version: MESSAGE_VERSION, type: "sample", payload }),
      });
    },
    listReferenceValues: async () => {
      const answer = await call({ method: "GET", path: REFERENCE_VALUE, what: "list reference values" });
      return referenceValuesIn(objectIn(answer, "reference values"));
    },
    deleteReferenceValue: async (id) => {
      const path = `${REFERENCE_VALUE}/${checkedReferenceId(id)}`;
      await call({ method: "DELETE", path, what: `delete reference value ${id}` });
    },
    references: referenceAdmin(call),
    rootKeys: rootKeyAdmin(call),
    tokenKeys: tokenKeyAdmin(call),
    resources: resourceAdmin(call),
    keys: keyAdmin(call),
    ...administration(call),
    setPolicy: async (name, text, tests) => {
      const policy = encoded(text);
      const more = tests === undefined ? {} : { tests: encoded(tests) };
      const id = policyIdOf(name);
      await call({
        method: "POST",
        path: `${PREFIX}/${id === undefined ? "resource" : "attestation"}-policy`,
        what: `set policy ${name}`,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          ...(id === undefined ? {} : { type: "rego", policy_id: id }),
          policy,
          ...more,
        }),
      });
    },
    getPolicy: async (name) => {
      const id = policyIdOf(name);
      const path = id === undefined ? "/resource-policy" : `/attestation-policy/${id}`;
      const answer = await call({ method: "GET", path: PREFIX + path, what: `get policy ${name}` });
      const { policy } = objectIn(answer, "policy");
      if (typeof policy !== "string") throw invalidAnswer("policy", "it holds no text");
      try {
        return toUtf8(fromBase64Url(policy));
      } catch {
        throw invalidAnswer("policy", "it is no base64url of text");
      }
    },
    listPolicies: async () => {
      const answer = await call({ method: "GET", path: `${PREFIX}/policies`, what: "list policies" });
      const list = jsonIn(answer, "list");
      if (!Array.isArray(list)) throw invalidAnswer("list", "it is no array of policies");
      return list.map(policyFactsIn);
    },
    listPolicyVersions: async (name) => {
      const path = `/v1/policies/${name}/versions`;
      const { versions } = objectIn(await call({ method: "GET", path, what: `list policy ${name}` }), "list");
      if (!Array.isArray(versions)) throw invalidAnswer("list", "it is no array of versions");
      return versions.map((each: JsonValue): PolicyVersion => {
        const facts = policyFactsIn(isJsonObject(each) ? { ...each, name } : each);
        if (!isJsonObject(each) || typeof each.text !== "string" || typeof each.active !== "boolean")
          throw invalidAnswer("list", "one of its members is no version");
        return { ...facts, active: each.active, text: each.text };
      });
    },
    activatePolicy: async (name, version) => {
      const answer = await call({
        method: "POST",
        path: `/v1/policies/${name}/activate`,
        what: `activate policy ${name}`,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ version }),
      });
      return policyFactsIn(objectIn(answer, "policy"));
    },
    getExplanation: async (id) => {
      const path = `/v1/explanations/${encodeURIComponent(id)}`;
      return objectIn(await call({ method: "GET", path, what: "get the explanation" }), "explanation");
    },
    explainSession: async (session) => {
      const path = "/v1/explanations/session";
      const body = JSON.stringify({ session });
      return objectIn(await call({ method: "POST", path, body, what: "explain the session" }), "explanation");
    },
    explainDecision: async (seq) => {
      const path = `/v1/explanations/decisions/${seq}`;
      return objectIn(await call({ method: "GET", path, what: `explain entry ${seq}` }), "explanation");
    },
    listExplanations: async (limit) => {
      const path = `/v1/explanations${limit === undefined ? "" : `?limit=${limit}`}`;
      const answer = objectIn(await call({ method: "GET", path, what: "list explanations" }), "list");
      const { explanations } = answer;
      if (!Array.isArray(explanations)) throw invalidAnswer("list", "it holds no explanations");
      return explanations.filter(isJsonObject);
    },
    health: async () => {
      await wire.call({ method: "GET", path: "/healthz", what: "ask for the broker's health" });
    },
  };
}

function encoded(text: string): string {
  return toBase64Url(fromUtf8(text));
}

/** Trustee's id of an attestation policy, undefined for the resource policy. */
function policyIdOf(name: PolicyName): string | undefined {
  return name === "resource" ? undefined : name.replace("attestation", "default");
}

function policyFactsIn(value: JsonValue): PolicyFacts {
  if (isJsonObject(value)) {
    const { name, version, sha384, set } = value;
    if (
      typeof name === "string" &&
      typeof version === "number" &&
      typeof sha384 === "string" &&
      typeof set === "string"
    )
      return { name, version, sha384, set };
  }
  throw invalidAnswer("list", "one of its members is no policy");
}

function referenceValuesIn(answer: JsonObject): Readonly<Record<string, readonly JsonValue[]>> {
  return Object.fromEntries(
    Object.entries(answer).map(([id, values]) => {
      if (!Array.isArray(values)) throw invalidAnswer("reference values", `${id} is no list`);
      return [id, values as readonly JsonValue[]];
    }),
  );
}

function isTextList(value: JsonValue): value is readonly string[] {
  return Array.isArray(value) && value.every((item: JsonValue) => typeof item === "string");
}
