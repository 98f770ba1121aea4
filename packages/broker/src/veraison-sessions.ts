// SPDX-License-Identifier: Apache-2.0
// Sessions of Veraison's challenge-response API, bounded in time and number, kept as those of the KBS protocol are.

import { randomBytes, randomUUID } from "node:crypto";
import { fromBase64, toBase64 } from "@adyton/core/bytes";
import { BrokerError } from "./errors.ts";
import { hiddenKey, openKept, type SessionOptions, sealKept, sessionsFull } from "./sessions.ts";

export type VeraisonStatus = "waiting" | "processing" | "complete" | "failed";

export interface VeraisonSession {
  readonly id: string;
  readonly nonce: Uint8Array;
  readonly expires: Date;
  readonly status: VeraisonStatus;
  /** Once complete. */
  readonly result?: string;
  /** As it is kept: what a change has to find unchanged. */
  readonly sealed: Uint8Array;
}

interface Kept {
  readonly nonce: string;
  readonly expires: number;
  readonly status: VeraisonStatus;
  readonly result?: string;
}

/** Veraison's two and a half minutes. */
const LIFETIME_MS = 150_000;
const SPACE = "veraison-session";

/** Methods reject with `STORE_FAILED` and `STORE_CLOSED`, too. */
export class VeraisonSessions {
  readonly #options: Omit<SessionOptions, "lifetimeSeconds">;

  constructor(options: Omit<SessionOptions, "lifetimeSeconds">) {
    this.#options = options;
  }

  /** `nonce`: the client's own, or how many bytes to draw. Rejects with `SESSIONS_FULL`. */
  async open(nonce: Uint8Array | number, now: Date): Promise<VeraisonSession> {
    const { capacity, ephemeral } = this.#options;
    if ((await ephemeral.count(SPACE, now)) >= capacity) throw sessionsFull(capacity);
    const session = this.#sealed(randomUUID(), {
      nonce: toBase64(typeof nonce === "number" ? randomBytes(nonce) : nonce),
      expires: now.getTime() + LIFETIME_MS,
      status: "waiting",
    });
    await ephemeral.put(SPACE, hiddenKey(session.id), session.sealed, session.expires, now);
    return session;
  }

  /** Rejects with `SESSION_UNKNOWN`. */
  async find(id: string, now: Date): Promise<VeraisonSession> {
    const { ephemeral, vault } = this.#options;
    const sealed = await ephemeral.get(SPACE, hiddenKey(id), now);
    const kept = sealed && openKept<Kept>(vault, SPACE, id, sealed);
    if (sealed === undefined || kept === undefined || kept.expires <= now.getTime()) throw unknown();
    return sessionOf(id, kept, sealed);
  }

  /** Of several that change the same session one succeeds. Rejects with `SESSION_ANSWERED` for the others. */
  async change(
    session: VeraisonSession,
    { status, result }: Pick<VeraisonSession, "status" | "result">,
    now: Date,
  ): Promise<VeraisonSession> {
    const changed = this.#sealed(session.id, {
      nonce: toBase64(session.nonce),
      expires: session.expires.getTime(),
      status,
      ...(result === undefined ? {} : { result }),
    });
    const key = hiddenKey(session.id);
    if (await this.#options.ephemeral.replace(SPACE, key, session.sealed, changed.sealed, now))
      return changed;
    throw sessionAnswered("answered already");
  }

  /** Rejects with `SESSION_UNKNOWN`. */
  async delete(id: string, now: Date): Promise<void> {
    if (!(await this.#options.ephemeral.delete(SPACE, hiddenKey(id), now))) throw unknown();
  }

  #sealed(id: string, kept: Kept): VeraisonSession {
    return sessionOf(id, kept, sealKept(this.#options.vault, SPACE, id, kept));
  }
}

/** `how` the session stands. */
export function sessionAnswered(how: string): BrokerError {
  return new BrokerError("SESSION_ANSWERED", "misuse", `Cannot take evidence: the session is ${how}`, {
    hint: "Open a new session for further evidence.",
  });
}

function sessionOf(id: string, kept: Kept, sealed: Uint8Array): VeraisonSession {
  const { nonce, expires, status, result } = kept;
  return {
    id,
    nonce: fromBase64(nonce),
    expires: new Date(expires),
    status,
    ...(result === undefined ? {} : { result }),
    sealed,
  };
}

function unknown(): BrokerError {
  return new BrokerError(
    "SESSION_UNKNOWN",
    "not-authentic",
    "Cannot find the session: it is unknown or has expired",
    { hint: "Open a new one (POST newSession)." },
  );
}
