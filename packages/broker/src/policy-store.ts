// SPDX-License-Identifier: Apache-2.0
// Policies that administrators set: compiled and tested first, then kept sealed with their versions. Each decision asks the
// store whether any has changed, so that every process on it follows at once.

import type { Policy } from "@adyton/appraisal";
import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { z } from "zod";
import { auditChange } from "./audit.ts";
import type { Clock } from "./clock.ts";
import { BrokerError } from "./errors.ts";
import type { Logger } from "./log.ts";
import { bySpecificity, fitsPath } from "./path-pattern.ts";
import type { ResourcePolicy } from "./policy.ts";
import { noPolicy, noSuchVersion, tooManyScoped, unusable } from "./policy-errors.ts";
import { type PolicyFile, readPolicyFile } from "./policy-files.ts";
import { PolicyMemory } from "./policy-memory.ts";
import {
  type AttestationPolicyName,
  buildAttestationPolicy,
  buildResourcePolicy,
  checkPolicy,
  isScoped,
  POLICY_NAMES,
  type PolicyName,
  policyFileOf,
  type ScopedPolicyName,
} from "./policy-names.ts";
import { type PolicyText, policyDigest } from "./policy-rego.ts";
import { jsonOf, matching } from "./protocol.ts";
import type { Change, Store } from "./store/types.ts";
import type { Vault } from "./vault.ts";

const stored = z.strictObject({
  version: z.int().positive(),
  sha384: z.string(),
  set: z.string(),
  source: z.enum(["api", "file"]),
  text: z.string(),
  tests: z.exactOptional(z.string()),
});

/** A policy in force, as it was set. */
export interface StoredPolicy {
  /** 1, 2, 3… for each name. */
  readonly version: number;
  /** Of the text, hex. */
  readonly sha384: string;
  /** When, RFC 3339. */
  readonly set: string;
  readonly source: "api" | "file";
  readonly text: string;
  readonly tests?: string;
}

export interface PolicyStoreOptions {
  readonly store: Store;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Looked into at most once a second, when a decision is due. */
  readonly folder?: string;
}

type Held<P> = Map<PolicyName, { readonly id: string; readonly sha384: string; readonly policy: P }>;

/** Older ones are deleted; the audit log keeps their digests. */
const KEPT_VERSIONS = 100;
const REREAD_MS = 1000;
/** Their patterns are compared at each release. */
const MAX_SCOPED = 1000;
/** Where current policies of patterns stand. */
const SCOPED = "current/resource:";

export class PolicyStore {
  readonly #options: PolicyStoreOptions;
  readonly #memory: PolicyMemory;
  readonly #resource: Held<ResourcePolicy> = new Map();
  readonly #attestation: Held<Policy> = new Map();
  /** Digests of files as last looked at, good or bad; "" for one that is not there. */
  readonly #seen: Map<PolicyName, string> = new Map();
  /** Files that are bad while nothing was ever set under their name. */
  readonly #unusable: Set<PolicyName> = new Set();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> = Promise.resolve();
  #setting: Promise<unknown> = Promise.resolve();

  constructor(options: PolicyStoreOptions) {
    this.#options = options;
    this.#memory = new PolicyMemory(options.store, options.vault);
  }

  /**
   * Sets a policy, once it compiles and its tests pass. Rejects with `POLICY_INVALID` or `POLICY_TESTS_FAILED`, which
   * leave the old one in force and an entry in the audit log.
   */
  set(name: PolicyName, text: string, tests: string | undefined, by?: string): Promise<StoredPolicy> {
    const policy = { text, ...(tests === undefined ? {} : { tests }) };
    return this.#inTurn(() => this.#set(name, policy, "api", [], by === undefined ? {} : { by }));
  }

  /** Takes a scoped policy away: what it decided, the next one does. Rejects with `POLICY_NOT_FOUND`. */
  remove(name: ScopedPolicyName, by: string): Promise<void> {
    return this.#inTurn(async () => {
      const { store, clock } = this.#options;
      const key = currentKey(name);
      const sealed = await store.get("policy", key);
      if (sealed === undefined) throw noPolicy(name);
      await store.write([
        { kind: "check", space: "policy", key, expect: sealed },
        { kind: "delete", space: "policy", key },
        this.#memory.changed(),
        auditChange(clock.now(), { type: "policy.remove", policy: name, by }),
      ]);
    });
  }

  /** The scoped policies in force, the most specific first. */
  async scoped(): Promise<readonly ScopedPolicyName[]> {
    const keys = await this.#options.store.keys("policy", SCOPED);
    const patterns = keys.map((key) => decodeURIComponent(key.slice(SCOPED.length)));
    return patterns.sort(bySpecificity).map((pattern): ScopedPolicyName => `resource:${pattern}`);
  }

  /** What was set under a name and is still kept (the last hundred), the newest first. */
  async versions(name: PolicyName): Promise<readonly StoredPolicy[]> {
    await this.#look();
    const { store } = this.#options;
    const found = await Promise.all(
      (await store.keys("policy", versionKey(name, ""))).map((key) => this.#open(key)),
    );
    return found.flatMap((policy) => policy ?? []).sort((a, b) => b.version - a.version);
  }

  /**
   * Puts a version that is still kept in force again: its text and tests as a new version, so that the record says what
   * counted when. Rejects with `POLICY_NOT_FOUND`, or as `set` when it no longer holds.
   */
  activate(name: PolicyName, version: number, by?: string): Promise<StoredPolicy> {
    return this.#inTurn(async () => {
      const policy = await this.#open(versionKey(name, version));
      if (policy === undefined) throw noSuchVersion(name, version);
      const { text, tests } = policy;
      return this.#set(name, { text, ...(tests === undefined ? {} : { tests }) }, "api", [], {
        again: version,
        ...(by === undefined ? {} : { by }),
      });
    });
  }

  /** The policy in force as text; undefined for the default. Looks at the files first. */
  async get(name: PolicyName): Promise<StoredPolicy | undefined> {
    await this.#look();
    return this.#read(name);
  }

  /**
   * The policy for a resource: the most specific of those that are set for a pattern which its name fits; undefined when
   * none was set. Rejects with `STATE_INVALID` or `SECRET_CORRUPT`.
   */
  async resource(resource: string): Promise<ResourcePolicy | undefined> {
    await this.#look();
    const known = await this.#memory.current();
    for (const name of await known(SCOPED, () => this.scoped())) {
      if (!fitsPath(name.slice("resource:".length), resource)) continue;
      const policy = await this.#policy(known, name, this.#resource, buildResourcePolicy);
      if (policy !== undefined) return policy;
    }
    return this.#policy(known, "resource", this.#resource, buildResourcePolicy);
  }

  /** Judges each piece of evidence by the policy of its kind, or by that of all kinds, or by `fallback`. Rejects as `resource`. */
  async attestation(fallback: Policy): Promise<Policy> {
    const found = new Map<AttestationPolicyName, Policy>();
    await this.#look();
    const known = await this.#memory.current();
    for (const name of POLICY_NAMES) {
      if (name === "resource") continue;
      const policy = await this.#policy(known, name, this.#attestation, buildAttestationPolicy);
      if (policy !== undefined) found.set(name, policy);
    }
    const general = found.get("attestation");
    const special = POLICY_NAMES.flatMap((name) => (name === "resource" ? [] : (found.get(name) ?? [])));
    if (special.length === 0) return fallback;
    const policyFor = (kind: string): Policy =>
      found.get(`attestation_${kind}` as AttestationPolicyName) ?? general ?? fallback;
    return {
      id: special.map(({ id }) => id).join(", "),
      evaluate: (input) => policyFor(input.facts.kind ?? "cpu").evaluate(input),
    };
  }

  async #policy<P>(
    known: Awaited<ReturnType<PolicyMemory["current"]>>,
    name: PolicyName,
    held: Held<P>,
    build: (id: string, policy: PolicyText) => P,
  ): Promise<P | undefined> {
    const current = await known(name, () => this.#read(name));
    if (current === undefined) {
      if (this.#unusable.has(name)) throw unusable(name);
      return undefined;
    }
    const { text, sha384, version } = current;
    const id = `${name}@${version}`;
    const before = held.get(name);
    if (before?.id === id && before.sha384 === sha384) return before.policy;
    const policy = build(id, { file: policyFileOf(name), text });
    held.set(name, { id, sha384, policy });
    return policy;
  }

  /** Of a policy that was taken away: versions are never counted twice. */
  async #lastVersion(name: PolicyName): Promise<number> {
    const prefix = versionKey(name, "");
    const keys = await this.#options.store.keys("policy", prefix);
    return Math.max(0, ...keys.map((key) => Number(key.slice(prefix.length))));
  }

  #read(name: PolicyName): Promise<StoredPolicy | undefined> {
    return this.#open(currentKey(name));
  }

  async #open(key: string): Promise<StoredPolicy | undefined> {
    const { store, vault } = this.#options;
    const sealed = await store.get("policy", key);
    return sealed === undefined
      ? undefined
      : matching(stored, jsonOf(toUtf8(vault.open("policy", key, sealed))));
  }

  async #set(
    name: PolicyName,
    { text, tests }: PolicyFile,
    source: StoredPolicy["source"],
    beside: readonly Change[] = [],
    facts: { readonly by?: string; readonly again?: number } = {},
  ): Promise<StoredPolicy> {
    const { store, vault, clock, logger } = this.#options;
    const now = clock.now();
    const sha384 = policyDigest(text);
    const whole = { file: policyFileOf(name), text, ...(tests === undefined ? {} : { tests }) };
    let passed: number;
    try {
      passed = checkPolicy(name, whole, now);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      logger.error("policy not set", { policy: name, source, code: error.code, reason: error.message });
      const { diagnostics = [], tests: failed = [] } = error.detail as { diagnostics?: []; tests?: [] };
      const event = {
        type: "policy.refused",
        policy: name,
        source,
        sha384,
        ...facts,
        code: error.code,
        diagnostics,
        failed,
      };
      await store.write([auditChange(now, event)]);
      throw error;
    }
    const before = await store.get("policy", currentKey(name));
    if (before === undefined && isScoped(name) && (await this.scoped()).length >= MAX_SCOPED)
      throw tooManyScoped(MAX_SCOPED);
    const version = ((await this.#read(name))?.version ?? (await this.#lastVersion(name))) + 1;
    const policy: StoredPolicy = {
      version,
      sha384,
      set: now.toISOString(),
      source,
      text,
      ...(tests === undefined ? {} : { tests }),
    };
    const kept = (key: string): Change => ({
      kind: "put",
      space: "policy",
      key,
      value: vault.seal("policy", key, fromUtf8(JSON.stringify(policy))),
    });
    await store.write([
      // Another process may be setting one, too.
      { kind: "check", space: "policy", key: currentKey(name), expect: before },
      kept(currentKey(name)),
      kept(versionKey(name, version)),
      { kind: "delete", space: "policy", key: versionKey(name, version - KEPT_VERSIONS) },
      this.#memory.changed(),
      ...beside,
      auditChange(now, {
        type: "policy.set",
        policy: name,
        version,
        sha384,
        source,
        tests: passed,
        ...facts,
      }),
    ]);
    logger.info("policy set", { policy: name, version, source, sha384 });
    return policy;
  }

  /** Takes what has changed in the folder. Those who ask meanwhile wait, so that nobody is judged by what was. */
  #look(): Promise<void> {
    const { clock, folder } = this.#options;
    const now = clock.now().getTime();
    if (folder !== undefined && Math.abs(now - this.#lookedAt) >= REREAD_MS) {
      this.#lookedAt = now;
      this.#looking = this.#inTurn(() => this.#lookInto(folder));
    }
    return this.#looking;
  }

  async #lookInto(folder: string): Promise<void> {
    for (const name of POLICY_NAMES) await this.#lookAt(name, folder);
  }

  async #lookAt(name: PolicyName, folder: string): Promise<void> {
    const { store, vault, logger } = this.#options;
    const file = policyFileOf(name);
    let found: PolicyFile | undefined;
    try {
      found = await readPolicyFile(folder, file);
    } catch (error) {
      if (!(error instanceof AdytonError)) throw error;
      if (this.#seen.get(name) !== error.message)
        logger.error("policy not read", { policy: name, file, reason: error.message });
      this.#seen.set(name, error.message);
      this.#unusable.add(name);
      return;
    }
    const digest = found === undefined ? "" : policyDigest(JSON.stringify([found.text, found.tests]));
    const before = this.#seen.get(name);
    if (before === digest) return;
    if (found === undefined) {
      this.#seen.set(name, digest);
      this.#unusable.delete(name);
      if (before !== undefined) logger.warn("policy file is gone; what it set stays", { policy: name, file });
      return;
    }
    const key = `file/${name}`;
    const taken = await store.get("policy", key);
    // Taken before a restart: what was set over the API since then stays.
    const known = taken !== undefined && toUtf8(vault.open("policy", key, taken)) === digest;
    if (!known) {
      const value = vault.seal("policy", key, fromUtf8(digest));
      try {
        await this.#set(name, found, "file", [{ kind: "put", space: "policy", key, value }]);
      } catch (error) {
        if (!(error instanceof BrokerError && error.category === "misuse")) throw error;
        // Told in log and audit log. The same bad file is not tried again.
        this.#seen.set(name, digest);
        this.#unusable.add(name);
        return;
      }
    }
    this.#seen.set(name, digest);
    this.#unusable.delete(name);
  }

  /** One change after the other: versions count up, and the audit log has them in their order. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#setting.then(change, change);
    this.#setting = done.catch(() => undefined);
    return done;
  }
}

function currentKey(name: PolicyName): string {
  return `current/${keyOf(name)}`;
}

function versionKey(name: PolicyName, version: number | ""): string {
  return `version/${keyOf(name)}/${version}`;
}

/** No pattern's key begins with that of another and a slash. */
function keyOf(name: PolicyName): string {
  return isScoped(name) ? `resource:${encodeURIComponent(name.slice("resource:".length))}` : name;
}
