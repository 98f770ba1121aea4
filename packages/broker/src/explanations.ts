// SPDX-License-Identifier: Apache-2.0
// Why attestations came out as they did, for administrators: the whole tree with policy lines and reference values, which
// tokens do not carry. The last thousand of a day, among the values that expire.

import { randomBytes } from "node:crypto";
import type { AttestationResult, Explanation, TrustTier } from "@adyton/appraisal";
import { fromUtf8, toHex, toUtf8 } from "@adyton/core/bytes";
import { BrokerError } from "./errors.ts";
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

export interface ExplanationsOptions {
  readonly store: Store;
  readonly vault: Vault;
}

const SPACE = "explanation";
const COUNTER = new Map([["kept", 1]]);
const SLOTS = 1000;
const LIFETIME_MS = 86_400_000;
const RANDOM_BYTES = 12;

export class Explanations {
  readonly #options: ExplanationsOptions;

  constructor(options: ExplanationsOptions) {
    this.#options = options;
  }

  /** Answers the id by which it is found for a day, unless a thousand others came since. */
  async keep(result: AttestationResult, now: Date): Promise<string> {
    const { store, vault } = this.#options;
    const expires = new Date(now.getTime() + LIFETIME_MS);
    const count = (await store.ephemeral.add(SPACE, COUNTER, expires, now)).get("kept") ?? 0;
    const id = `${count % SLOTS}-${toHex(new Uint8Array(randomBytes(RANDOM_BYTES)))}`;
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
    const found = /^\d{1,3}-[0-9a-f]{24}$/.test(id) ? await this.#at(slotOf(id), now) : undefined;
    return found?.id === id ? found : undefined;
  }

  /** Rejects with `EXPLANATION_NOT_FOUND`. */
  async find(id: string, now: Date): Promise<KeptExplanation> {
    const found = await this.peek(id, now);
    if (found !== undefined) return found;
    throw new BrokerError(
      "EXPLANATION_NOT_FOUND",
      "misuse",
      `Cannot find explanation ${JSON.stringify(id.slice(0, 80))}: it is unknown, or too long ago`,
      {
        hint: "The id is the jti of the token. The last thousand of a day are kept: attest again for a new one.",
      },
    );
  }

  /** The newest, newest first. */
  async newest(limit: number, now: Date): Promise<readonly KeptExplanation[]> {
    const { ephemeral } = this.#options.store;
    const expires = new Date(now.getTime() + LIFETIME_MS);
    const count = (await ephemeral.add(SPACE, new Map([["kept", 0]]), expires, now)).get("kept") ?? 0;
    const found: KeptExplanation[] = [];
    for (let n = count; n > 0 && n > count - Math.min(limit, SLOTS); n--) {
      const kept = await this.#at(`slot/${n % SLOTS}`, now);
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

function slotOf(id: string): string {
  return `slot/${id.split("-")[0]}`;
}
