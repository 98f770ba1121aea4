// SPDX-License-Identifier: Apache-2.0
// Challenges in flight and what became of them. Kept in memory: after a restart a client simply attests again.

import { randomBytes } from "node:crypto";
import { toBase64, toHex } from "@adyton/core/bytes";
import type { EvidenceRequest, TeeName } from "@adyton/evidence";
import { BrokerError } from "./errors.ts";

export interface Session {
  /** UUID version 4 in the simple form: 32 hex digits. */
  readonly id: string;
  /** Standard base64 of 32 random bytes, or the request that the TEE's evidence has to answer. */
  readonly nonce: string;
  /** What the answer to such a request is verified with. Secret. */
  readonly verifierKeys: readonly Uint8Array[];
  readonly tee: TeeName;
  readonly expires: Date;
  /** Set once attested. */
  token?: string;
}

export interface SessionOptions {
  readonly lifetimeSeconds: number;
  /** More at the same time are refused. */
  readonly capacity: number;
}

export class Sessions {
  readonly #options: SessionOptions;
  /** In order of opening, which is the order of expiry. */
  readonly #sessions: Map<string, Session> = new Map();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** With a random nonce, unless the TEE has a request in its place. Throws `SESSIONS_FULL`. */
  open(tee: TeeName, now: Date, request?: Pick<EvidenceRequest, "nonce" | "verifierKeys">): Session {
    this.#sweep(now);
    if (this.#sessions.size >= this.#options.capacity) {
      throw new BrokerError(
        "SESSIONS_FULL",
        "unavailable",
        `Cannot open a session: ${this.#options.capacity} are open`,
        { hint: "Try again in a moment." },
      );
    }
    const session: Session = {
      id: uuidV4(),
      nonce: request?.nonce ?? toBase64(randomBytes(32)),
      verifierKeys: request?.verifierKeys ?? [],
      tee,
      expires: new Date(now.getTime() + this.#options.lifetimeSeconds * 1000),
    };
    this.#sessions.set(session.id, session);
    return session;
  }

  /** The open session of this id, undefined when there is none or it has expired. */
  find(id: string, now: Date): Session | undefined {
    const session = this.#sessions.get(id);
    return session !== undefined && session.expires.getTime() > now.getTime() ? session : undefined;
  }

  #sweep(now: Date): void {
    for (const [id, session] of this.#sessions) {
      if (session.expires.getTime() > now.getTime()) return;
      this.#sessions.delete(id);
    }
  }
}

/** RFC 9562 section 5.4. */
function uuidV4(): string {
  const bytes = new Uint8Array(randomBytes(16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return toHex(bytes);
}
