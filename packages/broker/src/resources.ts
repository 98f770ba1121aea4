// SPDX-License-Identifier: Apache-2.0
// The key broker: secrets at rest, and their release to the attested key. Every decision is in the audit log before
// its outcome leaves.

import type { EarClaims } from "@adyton/appraisal";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { type AuditEvent, auditChange } from "./audit.ts";
import { BrokerError } from "./errors.ts";
import { encryptTo, type Jwe, parseTeeKey } from "./jwe.ts";
import type { ResourceDecision, ResourcePolicy } from "./policy.ts";
import { type ResourcePath, resourceName } from "./resource-path.ts";
import type { Store } from "./store/types.ts";
import type { Vault } from "./vault.ts";

export interface ResourcesOptions {
  readonly store: Store;
  readonly vault: Vault;
  /** The policy that counts at this moment. */
  readonly policy: (now: Date) => Promise<ResourcePolicy>;
}

const MAX_REASONS = 8;

export class Resources {
  readonly #store: Store;
  readonly #vault: Vault;
  readonly #policy: ResourcesOptions["policy"];

  constructor({ store, vault, policy }: ResourcesOptions) {
    this.#store = store;
    this.#vault = vault;
    this.#policy = policy;
  }

  /** Resolves once the secret would survive a crash. */
  async put(path: ResourcePath, secret: Uint8Array, now: Date): Promise<void> {
    const key = resourceName(path);
    await this.#store.write([
      { kind: "put", space: "resource", key, value: this.#vault.seal("resource", key, secret) },
      auditChange(now, { type: "resource.put", resource: key, bytes: secret.length }),
    ]);
  }

  /** Rejects with `RESOURCE_NOT_FOUND` when there was nothing to delete. */
  async delete(path: ResourcePath, now: Date): Promise<void> {
    const key = resourceName(path);
    if ((await this.#store.get("resource", key)) === undefined) throw notFound(key);
    await this.#store.write([
      { kind: "delete", space: "resource", key },
      auditChange(now, { type: "resource.delete", resource: key }),
    ]);
  }

  /** Names, sorted. */
  list(): Promise<readonly string[]> {
    return this.#store.keys("resource");
  }

  /**
   * The secret, encrypted to the key in `claims`. Rejects with `POLICY_REFUSED`, `RESOURCE_NOT_FOUND` (which only
   * shows to whom the policy allows the name), `UNSUPPORTED_TEE_KEY` or `SECRET_CORRUPT`.
   */
  async release(path: ResourcePath, claims: EarClaims, now: Date): Promise<Jwe> {
    const name = resourceName(path);
    const policy = await this.#policy(now);
    const facts: AuditFacts = { resource: name, ...namesOf(policy), ...requesterOf(claims) };
    const decision = await policy.allow({ resource: path, claims, now });
    if (!decision.allow) {
      const reason = { reason: rulesOf(decision), because: decision.because ?? reasonsOf(decision) };
      await this.#record({ ...facts, decision: "deny", ...reason }, now);
      throw refused(name, decision);
    }
    const sealed = await this.#store.get("resource", name);
    if (sealed === undefined) {
      await this.#record({ ...facts, decision: "deny", reason: "no such resource" }, now);
      throw notFound(name);
    }
    const teeKey = parseTeeKey(teePubkeyOf(claims));
    const jwe = encryptTo(teeKey, this.#vault.open("resource", name, sealed));
    await this.#record({ ...facts, decision: "allow", reason: "policy", key: teeKey.thumbprint }, now);
    return jwe;
  }

  async #record(facts: AuditFacts, now: Date): Promise<void> {
    const event: AuditEvent = { type: "resource.release", ...facts };
    await this.#store.write([auditChange(now, event)]);
  }
}

type AuditFacts = { readonly [name: string]: JsonValue };

function namesOf({ id, sha384 }: ResourcePolicy): AuditFacts {
  return { policy: id, ...(sha384 === undefined ? {} : { policySha384: sha384 }) };
}

function requesterOf(claims: EarClaims): AuditFacts {
  const submods = Object.entries(claims.submods).map(([name, submod]) => {
    const evidence = submod["ear.veraison.annotated-evidence"] ?? {};
    const facts = {
      status: submod["ear.status"],
      policy: submod["ear.appraisal-policy-id"] ?? null,
      reportData: evidence.report_data ?? null,
    };
    return [name, facts] as const;
  });
  return { simulated: claims["adyton.simulated"] ?? true, submods: Object.fromEntries(submods) };
}

function rulesOf({ findings }: ResourceDecision): readonly string[] {
  return findings.filter(({ ok }) => !ok).map(({ rule }) => rule);
}

/** What did not hold as facts: a finding of a policy in Rego says in which file and line. */
function reasonsOf({ findings }: ResourceDecision): readonly JsonObject[] {
  return findings
    .filter(({ ok }) => !ok)
    .slice(0, MAX_REASONS)
    .map(
      (finding) => JSON.parse(JSON.stringify({ ...finding, ok: undefined, next: undefined })) as JsonObject,
    );
}

/** The attested key: of the first CPU, whose report data binds it. */
function teePubkeyOf(claims: EarClaims): JsonValue {
  const runtimeData = claims.submods.cpu0?.["ear.veraison.annotated-evidence"]?.runtime_data_claims;
  const key = isJsonObject(runtimeData) ? runtimeData["tee-pubkey"] : undefined;
  if (key === undefined) {
    throw new BrokerError(
      "TOKEN_REFUSED",
      "not-authentic",
      "Cannot release: the token names no TEE public key",
    );
  }
  return key;
}

function refused(name: string, decision: ResourceDecision): BrokerError {
  const failed = decision.findings.filter(({ ok }) => !ok);
  const reasons = failed.slice(0, MAX_REASONS).map(({ message }) => message);
  const more = failed.length > MAX_REASONS ? [`${failed.length - MAX_REASONS} more rules did not hold.`] : [];
  const next = [...new Set(failed.flatMap((finding) => finding.next ?? []))].slice(0, MAX_REASONS);
  return new BrokerError(
    "POLICY_REFUSED",
    "policy",
    [`Cannot release ${name}: refused by policy.`, ...reasons, ...more].join(" "),
    {
      detail: { resource: name, rules: failed.map(({ rule }) => rule) },
      ...(next.length === 0 ? {} : { hint: next.join(" ") }),
    },
  );
}

function notFound(name: string): BrokerError {
  return new BrokerError("RESOURCE_NOT_FOUND", "misuse", `Cannot find resource ${name}`, {
    hint: "List the resources as administrator to see what is there.",
  });
}
