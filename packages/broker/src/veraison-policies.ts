// SPDX-License-Identifier: Apache-2.0
// Policies as Veraison's management API keeps them: overlays in Veraison's form, per attestation scheme, of which at most
// one is active. They refine what the broker's own attestation policy found.

import { randomUUID } from "node:crypto";
import { AppraisalError, type Policy, regoPolicy } from "@adyton/appraisal";
import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { RegoError } from "@adyton/rego";
import { z } from "zod";
import { auditChange } from "./audit.ts";
import { BrokerError } from "./errors.ts";
import { POLICY_BUILTINS, POLICY_LIMITS, policyDigest, invalid as unusable, wrapped } from "./policy-rego.ts";
import { invalid, jsonOf, matching } from "./protocol.ts";
import type { Store } from "./store/types.ts";
import type { Vault } from "./vault.ts";

const stored = z.strictObject({
  uuid: z.string(),
  ctime: z.string(),
  name: z.string(),
  type: z.literal("opa"),
  rules: z.string(),
});

interface Stored {
  readonly uuid: string;
  /** RFC 3339. */
  readonly ctime: string;
  readonly name: string;
  readonly type: "opa";
  /** In Rego. */
  readonly rules: string;
}

/** As Veraison shows a policy. */
export interface VeraisonPolicy extends Stored {
  readonly active: boolean;
}

export interface VeraisonPoliciesOptions {
  readonly store: Store;
  readonly vault: Vault;
}

interface Compiled {
  readonly policy: Policy;
  base: Policy;
}

const SPACE = "veraison-policy";
const MAX_PER_SCHEME = 1000;
const NAME = /^[\w .:-]{1,64}$/;
const MAX_HELD = 64;

export class VeraisonPolicies {
  readonly #options: VeraisonPoliciesOptions;
  /** By key: what is behind a key never changes. */
  readonly #compiled: Map<string, Compiled> = new Map();

  constructor(options: VeraisonPoliciesOptions) {
    this.#options = options;
  }

  /** Keeps a policy, not active yet, once it compiles. Rejects with `POLICY_INVALID` or `INVALID_REQUEST`. */
  async create(scheme: string, name: string, rules: string, now: Date, by: string): Promise<VeraisonPolicy> {
    if (!NAME.test(name)) throw invalid("name is not 1 to 64 letters, digits, spaces, _ . : or -");
    const { store, vault } = this.#options;
    if ((await this.#keys(scheme)).length >= MAX_PER_SCHEME)
      throw invalid(`there are ${MAX_PER_SCHEME} policies for ${scheme}, and no more are kept`);
    const policy: Stored = { uuid: randomUUID(), ctime: now.toISOString(), name, type: "opa", rules };
    compiledOf(keyOf(scheme, policy.uuid), policy);
    const key = keyOf(scheme, policy.uuid);
    const value = vault.seal(SPACE, key, fromUtf8(JSON.stringify(policy)));
    await store.write([
      { kind: "put", space: SPACE, key, value },
      auditChange(now, { type: "veraison-policy.created", ...namesOf(scheme, policy), by }),
    ]);
    return { ...policy, active: false };
  }

  /** Rejects with `POLICY_NOT_FOUND`. */
  async get(scheme: string, uuid: string): Promise<VeraisonPolicy> {
    const policy = await this.#read(keyOf(scheme, uuid));
    if (policy === undefined) throw notFound(scheme);
    return { ...policy, active: (await this.#activeUuid(scheme)) === uuid };
  }

  /** The active one. Rejects with `POLICY_NOT_FOUND`. */
  async active(scheme: string): Promise<VeraisonPolicy> {
    const uuid = await this.#activeUuid(scheme);
    if (uuid === undefined) throw notFound(scheme);
    return this.get(scheme, uuid);
  }

  /** In order of creation; of one name alone, where it is given. */
  async list(scheme: string, name?: string): Promise<readonly VeraisonPolicy[]> {
    const active = await this.#activeUuid(scheme);
    const found = await Promise.all((await this.#keys(scheme)).map((key) => this.#read(key)));
    return found
      .flatMap((policy) =>
        policy === undefined || (name !== undefined && policy.name !== name) ? [] : [policy],
      )
      .sort((a, b) => (a.ctime < b.ctime ? -1 : a.ctime > b.ctime ? 1 : 0))
      .map((policy) => ({ ...policy, active: policy.uuid === active }));
  }

  /** From now on this one judges, and no other of the scheme. Rejects with `POLICY_NOT_FOUND`. */
  async activate(scheme: string, uuid: string, now: Date, by: string): Promise<void> {
    const { store, vault } = this.#options;
    const policy = await this.get(scheme, uuid);
    const key = activeKey(scheme);
    await store.write([
      { kind: "put", space: SPACE, key, value: vault.seal(SPACE, key, fromUtf8(uuid)) },
      auditChange(now, { type: "veraison-policy.activated", ...namesOf(scheme, policy), by }),
    ]);
  }

  /** From now on none does. */
  async deactivate(scheme: string, now: Date, by: string): Promise<void> {
    await this.#options.store.write([
      { kind: "delete", space: SPACE, key: activeKey(scheme) },
      auditChange(now, { type: "veraison-policy.deactivated", scheme, by }),
    ]);
  }

  /** `base`, refined by the active policy of the scheme where there is one. */
  async overlay(base: Policy, scheme: string): Promise<Policy> {
    const uuid = await this.#activeUuid(scheme);
    if (uuid === undefined) return base;
    const key = keyOf(scheme, uuid);
    let compiled = this.#compiled.get(key);
    if (compiled === undefined) {
      const policy = await this.#read(key);
      if (policy === undefined) throw notFound(scheme);
      compiled = compiledOf(key, policy);
      if (this.#compiled.size >= MAX_HELD) this.#compiled.clear();
      this.#compiled.set(key, compiled);
    }
    const { policy } = compiled;
    const held = compiled;
    return {
      id: `policy:${key}`,
      evaluate: (input) => {
        // Evaluation is synchronous: nobody else comes between.
        held.base = base;
        try {
          return policy.evaluate(input);
        } catch (cause) {
          if (!(cause instanceof RegoError || cause instanceof AppraisalError)) throw cause;
          throw new BrokerError(
            "STATE_INVALID",
            "misuse",
            `Cannot appraise: policy ${key} came to no result: ${cause.message}`,
            { cause, hint: "Mend the policy, or deactivate it." },
          );
        }
      },
    };
  }

  async #keys(scheme: string): Promise<readonly string[]> {
    return this.#options.store.keys(SPACE, keyOf(scheme, ""));
  }

  async #read(key: string): Promise<Stored | undefined> {
    const { store, vault } = this.#options;
    const sealed = await store.get(SPACE, key);
    return sealed === undefined
      ? undefined
      : matching(stored, jsonOf(toUtf8(vault.open(SPACE, key, sealed))));
  }

  async #activeUuid(scheme: string): Promise<string | undefined> {
    const { store, vault } = this.#options;
    const key = activeKey(scheme);
    const sealed = await store.get(SPACE, key);
    return sealed === undefined ? undefined : toUtf8(vault.open(SPACE, key, sealed));
  }
}

function compiledOf(key: string, { name, rules }: Stored): Compiled {
  const file = `${name}.rego`;
  const held = { base: NOTHING };
  const base: Policy = {
    get id() {
      return held.base.id;
    },
    evaluate: (input) => held.base.evaluate(input),
  };
  const policy = wrapped({ file, text: rules }, () => {
    try {
      return regoPolicy({
        id: `policy:${key}`,
        modules: { [file]: rules },
        form: "veraison",
        base,
        limits: POLICY_LIMITS,
        builtins: POLICY_BUILTINS,
      });
    } catch (error) {
      if (error instanceof AppraisalError) throw unusable(`${file}: ${error.message}`, [], error.hint);
      throw error;
    }
  });
  return Object.assign(held, { policy });
}

const NOTHING: Policy = { id: "none", evaluate: () => ({ trustworthiness: {}, findings: [] }) };

function namesOf(scheme: string, { uuid, name, rules }: Stored): Record<string, string> {
  return { scheme, uuid, name, sha384: policyDigest(rules) };
}

function keyOf(scheme: string, uuid: string): string {
  return `${scheme}/${uuid}`;
}

function activeKey(scheme: string): string {
  return `active ${scheme}`;
}

function notFound(scheme: string): BrokerError {
  return new BrokerError("POLICY_NOT_FOUND", "misuse", `Cannot find the policy for ${scheme}`, {
    hint: "List those that there are: GET policies/SCHEME.",
  });
}
