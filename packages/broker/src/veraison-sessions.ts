// SPDX-License-Identifier: Apache-2.0
// Sessions of Veraison's challenge-response API, in memory, bounded in time and number.

import { randomBytes, randomUUID } from "node:crypto";
import { BrokerError } from "./errors.ts";

export type VeraisonStatus = "waiting" | "processing" | "complete" | "failed";

export interface VeraisonSession {
  readonly id: string;
  readonly nonce: Uint8Array;
  readonly expires: Date;
  status: VeraisonStatus;
  /** Once complete. */
  result?: string;
}

/** Veraison's two and a half minutes. */
const LIFETIME_MS = 150_000;

export class VeraisonSessions {
  readonly #capacity: number;
  /** In order of opening, which is the order of expiry. */
  readonly #sessions: Map<string, VeraisonSession> = new Map();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** `nonce`: the client's own, or how many bytes to draw. Throws `SESSIONS_FULL`. */
  open(nonce: Uint8Array | number, now: Date): VeraisonSession {
    for (const [id, session] of this.#sessions) {
      if (session.expires.getTime() > now.getTime()) break;
      this.#sessions.delete(id);
    }
    if (this.#sessions.size >= this.#capacity) {
      throw new BrokerError(
        "SESSIONS_FULL",
        "unavailable",
        `Cannot open a session: ${this.#capacity} are open`,
        {
          hint: "Try again in a moment.",
        },
      );
    }
    const session: VeraisonSession = {
      id: randomUUID(),
      nonce: typeof nonce === "number" ? new Uint8Array(randomBytes(nonce)) : nonce,
      expires: new Date(now.getTime() + LIFETIME_MS),
      status: "waiting",
    };
    this.#sessions.set(session.id, session);
    return session;
  }

  /** Throws `SESSION_UNKNOWN`. */
  find(id: string, now: Date): VeraisonSession {
    const session = this.#sessions.get(id);
    if (session !== undefined && session.expires.getTime() > now.getTime()) return session;
    throw new BrokerError(
      "SESSION_UNKNOWN",
      "not-authentic",
      "Cannot find the session: it is unknown or has expired",
      {
        hint: "Open a new one (POST newSession).",
      },
    );
  }

  /** Throws `SESSION_UNKNOWN`. */
  delete(id: string, now: Date): void {
    this.find(id, now);
    this.#sessions.delete(id);
  }
}
