// SPDX-License-Identifier: Apache-2.0
// Why attestations came out as they did, for administrators: the whole tree with policy lines and reference values, which
// tokens do not carry. A number of the last, for a time, among the values that expire.

import { randomBytes } from "node:crypto";
import type { AttestationResult, Explanation, TrustTier } from "@adyton/appraisal";
import { fromUtf8, toHex, toUtf8 } from "@adyton/core/bytes";
import { BrokerError } from "./errors.ts";
import { invalid } from "./protocol.ts";
import type { Store } from "./store/types.ts";
import type { Vault } from "./vault.ts";

/** One attestation, explained. */
export interface KeptExplanation {
  /** The `jti` of its token. */
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
  readonly status: TrustTier;
  readonly submods: Readonly<Record<string, ExplainedSubmod>>;
}

export interface ExplainedSubmod {
  readonly tee: string;
  readonly status: TrustTier;
  readonly policy: string;
  /** Null for policies that tell none. */
  readonly reasons: Explanation | null;
}

/** How many explanations stay, and for how long. Who may read the audit log reads them. */
export interface ExplanationRetention {
  /** The last so many, 1 to 100,000. Default 1,000. */
  readonly kept?: number;
  /** Up to a year. Default a day. */
  readonly seconds?: number;
}

export interface ExplanationsOptions extends ExplanationRetention {
  readonly store: Store;
  readonly vault: Vault;
}

const SPACE = "explanation";
const COUNTER = new Map([["kept", 1]]);
const KEPT = 1000;
const MAX_KEPT = 100_000;
const SECONDS = 86_400;
const MAX_SECONDS = 365 * SECONDS;
const RANDOM_BYTES = 12;

export class Explanations {
  readonly #options: ExplanationsOptions;
  readonly #slots: number;
  readonly #lifetimeMs: number;

  /** Throws `INVALID_REQUEST` for a retention out of bounds. */
  constructor(options: ExplanationsOptions) {
    this.#options = options;
    this.#slots = wholeUpTo(MAX_KEPT, "kept", options.kept ?? KEPT);
    this.#lifetimeMs = 1000 * wholeUpTo(MAX_SECONDS, "seconds", options.seconds ?? SECONDS);
  }

  /** Answers the id by which it is found, until its time is over or too many others came since. */
  async keep(result: AttestationResult, now: Date): Promise<string> {
    const { store, vault } = this.#options;
    const expires = new Date(now.getTime() + this.#lifetimeMs);
    const count = (await store.ephemeral.add(SPACE, COUNTER, expires, now)).get("kept") ?? 0;
    const id = `${count % this.#slots}-${toHex(new Uint8Array(randomBytes(RANDOM_BYTES)))}`;
    const kept: KeptExplanation = {
      id,
      at: now.toISOString(),
      status: result.status,
      submods: Object.fromEntries(
        Object.entries(result.appraisals).map(([name, { tee, status, policyId, reasons }]) => [
          name,
          { tee, status, policy: policyId, reasons },
        ]),
      ),
    };
    const key = slotOf(id);
    const sealed = vault.seal(SPACE, key, fromUtf8(JSON.stringify(kept)));
    await store.ephemeral.put(SPACE, key, sealed, expires, now);
    return id;
  }

  /** Undefined once it is gone. */
  async peek(id: string, now: Date): Promise<KeptExplanation | undefined> {
    const found = /^\d{1,5}-[0-9a-f]{24}$/.test(id) ? await this.#at(slotOf(id), now) : undefined;
    return found?.id === id ? found : undefined;
  }

  /** Rejects with `EXPLANATION_NOT_FOUND`. */
  async find(id: string, now: Date): Promise<KeptExplanation> {
    const found = await this.peek(id, now);
    if (found !== undefined) return found;
    throw explanationMissing(
      `explanation ${JSON.stringify(id.slice(0, 80))}`,
      "it is unknown, or too long ago",
      "The id is the jti of the token. They are kept for a time (by default the last thousand of a day): attest again for a new one.",
    );
  }

  /** The newest, newest first. */
  async newest(limit: number, now: Date): Promise<readonly KeptExplanation[]> {
    const { ephemeral } = this.#options.store;
    const expires = new Date(now.getTime() + this.#lifetimeMs);
    const count = (await ephemeral.add(SPACE, new Map([["kept", 0]]), expires, now)).get("kept") ?? 0;
    const found: KeptExplanation[] = [];
    for (let n = count; n > 0 && n > count - Math.min(limit, this.#slots); n--) {
      const kept = await this.#at(`slot/${n % this.#slots}`, now);
      if (kept !== undefined) found.push(kept);
    }
    return found;
  }

  async #at(key: string, now: Date): Promise<KeptExplanation | undefined> {
    const { store, vault } = this.#options;
    const sealed = await store.ephemeral.get(SPACE, key, now);
    if (sealed === undefined) return undefined;
    // Sealed under this key by this broker: nobody else can have written it.
    return JSON.parse(toUtf8(vault.open(SPACE, key, sealed))) as KeptExplanation;
  }
}

/** `EXPLANATION_NOT_FOUND`. */
export function explanationMissing(what: string, why: string, hint: string): BrokerError {
  return new BrokerError("EXPLANATION_NOT_FOUND", "misuse", `Cannot find ${what}: ${why}`, { hint });
}

/** Where each rule that failed stands: file and line by the rule's name. */
export function placesIn({ submods }: KeptExplanation): ReadonlyMap<string, { file: string; line: number }> {
  const places = new Map<string, { file: string; line: number }>();
  const visit = ({ ok, rule, file, line, children }: Explanation): void => {
    if (!ok && rule !== undefined && file !== undefined && line !== undefined && !places.has(rule))
      places.set(rule, { file, line });
    children.forEach(visit);
  };
  for (const { reasons } of Object.values(submods)) if (reasons !== null) visit(reasons);
  return places;
}

function wholeUpTo(most: number, name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw invalid(`explanations.${name} is ${value}, expected a whole number from 1 to ${most}`);
}

function slotOf(id: string): string {
  return `slot/${id.split("-")[0]}`;
}
