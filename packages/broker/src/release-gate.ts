// SPDX-License-Identifier: Apache-2.0
// The gate that everything passes which an attested workload asks for: the policy decides, the audit log hears of it
// first.

import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { auditChange } from "./audit.ts";
import { BrokerError } from "./errors.ts";
import { type Explanations, placesIn } from "./explanations.ts";
import { parseTeeKey, type TeeKey, type TeeKeyOptions } from "./jwe.ts";
import type { Asked, AttestedClaims, ResourceDecision, ResourcePolicy } from "./policy.ts";
import { matchedReferences } from "./reference/matched.ts";
import type { Store } from "./store/types.ts";
import { withSpan } from "./telemetry/spans.ts";

export interface ReleaseGateOptions {
  readonly store: Store;
  /** The policy that counts for what is asked, at this moment. */
  readonly policy: (now: Date, asked: Asked) => Promise<ResourcePolicy>;
  /** Where the attestation policy's lines are, which tokens do not carry. */
  readonly explanations?: Explanations;
  /** Which keys secrets are encrypted to, and where tokens name them. */
  readonly keyOptions?: AttestedKeyOptions;
  /** Told when a policy cannot decide. */
  readonly undecided?: () => void;
}

export interface AttestedKeyOptions extends TeeKeyOptions {
  /** JSON pointers (RFC 6901) into tokens, looked at before the usual ones. */
  readonly paths?: readonly string[];
}

/** Names the key of another verifier that signed a token; tokens of ours have no such claim. */
export const VERIFIER_CLAIM = "adyton.verifier";

export type AuditFacts = { readonly [name: string]: JsonValue };

/** A request that policy allows; its outcome is still to be recorded. */
export interface Admission {
  /** Appends the outcome to the audit log: call it before the answer leaves. Answers the number of its entry. */
  record(decision: "allow" | "deny", more: AuditFacts): Promise<number>;
}

const MAX_REASONS = 8;
/** Where verifiers name the attested key, in Trustee's order: Intel Trust Authority (twice), CoCo's old token, EAR, none. */
const KEY_PATHS: readonly string[] = [
  "/tdx/attester_runtime_data/tee-pubkey",
  "/tdx/attester_user_data/tee-pubkey",
  "/customized_claims/runtime_data/tee-pubkey",
  "/submods/cpu0/ear.veraison.annotated-evidence/runtime_data_claims/tee-pubkey",
  "/tee-pubkey",
];

export class ReleaseGate {
  readonly #store: Store;
  readonly #policy: ReleaseGateOptions["policy"];
  readonly #explanations: Explanations | undefined;
  readonly #keyOptions: AttestedKeyOptions | undefined;
  readonly #undecided: (() => void) | undefined;

  constructor({ store, policy, explanations, keyOptions, undecided }: ReleaseGateOptions) {
    this.#undecided = undecided;
    this.#store = store;
    this.#policy = policy;
    this.#explanations = explanations;
    this.#keyOptions = keyOptions;
  }

  /** Asks the policy. Rejects with `POLICY_REFUSED`, which is in the log then. `event` says what it is about. */
  async admit(
    asked: Asked,
    claims: AttestedClaims,
    now: Date,
    event: AuditFacts & { readonly type: string },
  ): Promise<Admission> {
    const { policy, decision } = await withSpan("policy", { "adyton.plugin": asked.plugin }, () =>
      this.#decide(asked, claims, now),
    );
    const facts = { ...event, ...namesOf(policy), ...requesterOf(claims) };
    const record: Admission["record"] = async (decision, more) => {
      const [seq = 0] = await this.#store.write([auditChange(now, { ...facts, decision, ...more })]);
      return seq;
    };
    if (!decision.allow) {
      await record("deny", {
        reason: rulesOf(decision),
        because: decision.because ?? reasonsOf(decision, await this.#placesOf(claims, now)),
      });
      throw refused(asked, decision);
    }
    return { record };
  }

  async #decide(
    asked: Asked,
    claims: AttestedClaims,
    now: Date,
  ): Promise<{ readonly policy: ResourcePolicy; readonly decision: ResourceDecision }> {
    try {
      const policy = await this.#policy(now, asked);
      return { policy, decision: await policy.allow({ ...asked, claims, now }) };
    } catch (error) {
      this.#undecided?.();
      throw error;
    }
  }

  /** As `teeKeyOf`, by this broker's options. */
  keyOf(claims: AttestedClaims): TeeKey {
    return teeKeyOf(claims, this.#keyOptions);
  }

  /** File and line by rule, as long as the explanation of the token is kept. */
  async #placesOf({ jti }: AttestedClaims, now: Date): Promise<ReadonlyMap<string, AuditFacts>> {
    const kept = typeof jti === "string" ? await this.#explanations?.peek(jti, now) : undefined;
    return kept === undefined ? new Map() : placesIn(kept);
  }
}

/** The attested key that answers are encrypted to. Throws `TOKEN_REFUSED` or `UNSUPPORTED_TEE_KEY`. */
export function teeKeyOf(claims: AttestedClaims, options: AttestedKeyOptions = {}): TeeKey {
  return parseTeeKey(teePubkeyOf(claims, options.paths ?? []), options);
}

/** What a request is called in messages and in the log. */
function nameOf({ plugin, path }: Asked): string {
  return plugin === "resource" ? path.join("/") : [plugin, ...path].join("/");
}

function namesOf({ id, sha384 }: ResourcePolicy): AuditFacts {
  return { policy: id, ...(sha384 === undefined ? {} : { policySha384: sha384 }) };
}

function requesterOf(claims: AttestedClaims): AuditFacts {
  const submods = Object.entries(claims.submods).map(([name, submod]) => {
    const evidence = submod["ear.veraison.annotated-evidence"] ?? {};
    const references = matchedReferences(submod);
    const facts = {
      status: submod["ear.status"],
      policy: submod["ear.appraisal-policy-id"] ?? null,
      reportData: evidence.report_data ?? null,
      ...(references === undefined ? {} : { references }),
    };
    return [name, facts] as const;
  });
  const verifier = claims[VERIFIER_CLAIM];
  return {
    simulated: claims["adyton.simulated"] ?? true,
    ...(typeof verifier === "string" ? { verifier } : {}),
    submods: Object.fromEntries(submods),
    // What it stands on is found by it: the attestation's own entry, and its explanation.
    ...(typeof verifier !== "string" && typeof claims.jti === "string" ? { attestation: claims.jti } : {}),
  };
}

function rulesOf({ findings }: ResourceDecision): readonly string[] {
  return findings.filter(({ ok }) => !ok).map(({ rule }) => rule);
}

/** What did not hold as facts: a finding of a policy in Rego says in which file and line. */
function reasonsOf(
  { findings }: ResourceDecision,
  places: ReadonlyMap<string, AuditFacts>,
): readonly JsonObject[] {
  return findings
    .filter(({ ok }) => !ok)
    .slice(0, MAX_REASONS)
    .map(
      (finding) =>
        JSON.parse(
          JSON.stringify({ ...finding, ...places.get(finding.rule), ok: undefined, next: undefined }),
        ) as JsonObject,
    );
}

/** The attested key, at the first place where a token has one. */
function teePubkeyOf(claims: AttestedClaims, paths: readonly string[]): JsonValue {
  for (const path of [...paths, ...KEY_PATHS]) {
    const found = pointedAt(claims, path);
    if (found !== undefined) return found;
  }
  throw new BrokerError(
    "TOKEN_REFUSED",
    "not-authentic",
    "Cannot release: the token names no TEE public key",
  );
}

/** RFC 6901 section 4, through objects alone. */
function pointedAt(claims: object, pointer: string): JsonValue | undefined {
  let value: unknown = claims;
  for (const step of pointer.split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value as JsonValue;
}

function refused(asked: Asked, decision: ResourceDecision): BrokerError {
  const name = nameOf(asked);
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
