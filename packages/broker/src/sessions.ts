// SPDX-License-Identifier: Apache-2.0
// Challenges in flight and what became of them: with the values that expire, so that every replica that shares the store
// answers every session. The id opens the session and the token opens secrets, so the store sees neither: it is kept under
// the hash of its id, sealed.

import { createHash, randomBytes } from "node:crypto";
import { fromBase64, fromUtf8, toBase64, toHex, toUtf8 } from "@adyton/core/bytes";
import type { EvidenceRequest, TeeName } from "@adyton/evidence";
import { BrokerError } from "./errors.ts";
import type { ProtocolLine } from "./protocol.ts";
import type { Ephemeral } from "./store/ephemeral.ts";
import type { Vault } from "./vault.ts";

export interface Session {
  /** UUID version 4 in the simple form: 32 hex digits. */
  readonly id: string;
  /** Standard base64 of 32 random bytes, or the request that the TEE's evidence has to answer. */
  readonly nonce: string;
  /** What the answer to such a request is verified with. Secret. */
  readonly verifierKeys: readonly Uint8Array[];
  readonly tee: TeeName;
  /** Which version of the protocol its client speaks. */
  readonly line: ProtocolLine;
  readonly expires: Date;
  /** Once attested. */
  readonly token?: string;
  /** As it is kept: what a change has to find unchanged. */
  readonly sealed: Uint8Array;
}

export interface SessionOptions {
  readonly ephemeral: Ephemeral;
  readonly vault: Vault;
  readonly lifetimeSeconds: number;
  /** More at the same time are refused, but for those of requests that come at the same moment. */
  readonly capacity: number;
}

interface Kept {
  readonly nonce: string;
  readonly verifierKeys: readonly string[];
  readonly tee: TeeName;
  readonly line: ProtocolLine;
  /** Ms since 1970: sealed too, so that nobody prolongs it. */
  readonly expires: number;
  readonly token?: string;
}

const SPACE = "session";

/** Methods reject with `STORE_FAILED` and `STORE_CLOSED`, too. */
export class Sessions {
  readonly #options: SessionOptions;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** With a random nonce, unless the TEE has a request in its place. Rejects with `SESSIONS_FULL`. */
  async open(
    tee: TeeName,
    now: Date,
    request?: Pick<EvidenceRequest, "nonce" | "verifierKeys">,
    line: ProtocolLine = "0.4",
  ): Promise<Session> {
    const { capacity, ephemeral, lifetimeSeconds } = this.#options;
    if ((await ephemeral.count(SPACE, now)) >= capacity) throw sessionsFull(capacity);
    const kept: Kept = {
      nonce: request?.nonce ?? toBase64(randomBytes(32)),
      verifierKeys: (request?.verifierKeys ?? []).map(toBase64),
      tee,
      line,
      expires: now.getTime() + lifetimeSeconds * 1000,
    };
    const id = uuidV4();
    const session = sessionOf(id, kept, this.#seal(id, kept));
    await ephemeral.put(SPACE, hiddenKey(id), session.sealed, session.expires, now);
    return session;
  }

  /** The open session of this id, undefined when there is none or it has expired. */
  async find(id: string, now: Date): Promise<Session | undefined> {
    const { ephemeral, vault } = this.#options;
    const sealed = await ephemeral.get(SPACE, hiddenKey(id), now);
    if (sealed === undefined) return undefined;
    const kept = openKept<Kept>(vault, SPACE, id, sealed);
    return kept !== undefined && kept.expires > now.getTime() ? sessionOf(id, kept, sealed) : undefined;
  }

  /** Gives the session its token, unless it has one, and answers which it has: of two answers to one challenge the first counts. */
  async attested(session: Session, token: string, now: Date): Promise<string> {
    const { id, nonce, tee, line, expires } = session;
    const verifierKeys = session.verifierKeys.map(toBase64);
    const sealed = this.#seal(id, { nonce, verifierKeys, tee, line, expires: expires.getTime(), token });
    if (await this.#options.ephemeral.replace(SPACE, hiddenKey(id), session.sealed, sealed, now))
      return token;
    const other = (await this.find(id, now))?.token;
    if (other === undefined) throw sessionUnknown();
    return other;
  }

  #seal(id: string, kept: Kept): Uint8Array {
    return sealKept(this.#options.vault, SPACE, id, kept);
  }
}

/** What stands in the place of an id that is a credential. */
export function hiddenKey(id: string): string {
  return createHash("sha256").update(id).digest("hex");
}

/** A record of a session, for its place alone. */
export function sealKept(vault: Vault, space: string, id: string, kept: object): Uint8Array {
  return vault.seal(space, hiddenKey(id), fromUtf8(JSON.stringify(kept)));
}

/** What `sealKept` sealed. Undefined when it was changed, or its root key is gone: then it is as good as expired. */
export function openKept<T>(vault: Vault, space: string, id: string, sealed: Uint8Array): T | undefined {
  try {
    return JSON.parse(toUtf8(vault.open(space, hiddenKey(id), sealed))) as T;
  } catch (error) {
    if (error instanceof BrokerError && error.code === "SECRET_CORRUPT") return undefined;
    throw error;
  }
}

export function sessionsFull(capacity: number): BrokerError {
  return new BrokerError("SESSIONS_FULL", "unavailable", `Cannot open a session: ${capacity} are open`, {
    hint: "Try again in a moment.",
  });
}

/** For a request that names a session which is not there. */
export function sessionUnknown(): BrokerError {
  return new BrokerError(
    "SESSION_UNKNOWN",
    "not-authentic",
    "Cannot attest: the session is unknown or has expired",
    { hint: "Ask for a new challenge (POST auth)." },
  );
}

function sessionOf(id: string, kept: Kept, sealed: Uint8Array): Session {
  const { nonce, tee, line, token } = kept;
  return {
    id,
    nonce,
    tee,
    line,
    verifierKeys: kept.verifierKeys.map((key) => fromBase64(key)),
    expires: new Date(kept.expires),
    ...(token === undefined ? {} : { token }),
    sealed,
  };
}

/** RFC 9562 section 5.4. */
function uuidV4(): string {
  const bytes = new Uint8Array(randomBytes(16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return toHex(bytes);
}
