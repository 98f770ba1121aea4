// SPDX-License-Identifier: Apache-2.0
// The outside of a backup: who can open it, and its bytes in chunks of AES-256-GCM that can be neither changed, swapped,
// dropped nor cut off at the end. The key of the chunks covers the header.

import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { concat, equal, fromBase64Url, fromUtf8, toBase64Url, toUtf8 } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, parseJson } from "@adyton/core/json";
import { BrokerError } from "../errors.ts";
import {
  deriveKey,
  KEY_BYTES,
  newPassphraseKey,
  openAs,
  openUnder,
  passphraseKey,
  type ScryptCost,
  sealTo,
  sealUnder,
} from "../root-key/seal.ts";
import { recipientOfShares } from "../root-key/shares.ts";

/** Who can open a backup: at least one. */
export interface BackupReaders {
  /** Holders of recovery shares. */
  readonly recipients: readonly Uint8Array[];
  readonly passphrase?: string;
  readonly cost?: ScryptCost;
}

/** What opens a backup. */
export type BackupOpener = { readonly passphrase: string } | { readonly shares: readonly string[] };

const MAGIC: Uint8Array = fromUtf8("adyton backup 1\n");
const PURPOSE = "backup";
const LENGTH_BYTES = 4;
const MAX_HEADER = 64 * 1024;
/** Each passphrase's may take a second. */
const MAX_SLOTS = 32;
const CHUNK = 64 * 1024;
const TAG_BYTES = 16;
const IV_BYTES = 12;
const LAST = 1;

/** Encrypts a stream. Throws `BACKUP_INVALID` when nobody could open it. */
export async function* encryptBackup(
  source: AsyncIterable<Uint8Array>,
  readers: BackupReaders,
  created: Date,
): AsyncGenerator<Uint8Array> {
  const key = randomBytes(KEY_BYTES);
  const slots: JsonObject[] = readers.recipients.map((publicKey) => ({
    kind: "recipient",
    publicKey: toBase64Url(publicKey),
    sealed: toBase64Url(sealTo(publicKey, PURPOSE, key)),
  }));
  if (readers.passphrase !== undefined) {
    const { key: under, record } = await newPassphraseKey(readers.passphrase, readers.cost);
    slots.push({ kind: "passphrase", ...record, wrapped: toBase64Url(sealUnder(under, PURPOSE, key)) });
  }
  if (slots.length === 0)
    throw new BrokerError("BACKUP_INVALID", "misuse", "Cannot make a backup that nobody can open", {
      hint: "Name a passphrase, or split recovery shares first (adyton recovery split).",
    });
  const header = fromUtf8(JSON.stringify({ created: created.toISOString(), slots }));
  yield concat(MAGIC, u32(header.length), header);
  const payload = payloadKey(key, header);
  let counter = 0;
  for await (const { bytes, last } of chunked(source)) {
    const cipher = createCipheriv("aes-256-gcm", payload, nonceOf(counter, last));
    const body = concat(cipher.update(bytes), cipher.final(), cipher.getAuthTag());
    yield concat(u32(body.length), body);
    counter += 1;
  }
}

/** What `encryptBackup` encrypted. Throws `BACKUP_INVALID` for what was changed, cut off or is for others, `SHARE_INVALID`. */
export async function* decryptBackup(
  source: AsyncIterable<Uint8Array>,
  opener: BackupOpener,
): AsyncGenerator<Uint8Array> {
  const input = new Input(source);
  if (!equal(await input.take(MAGIC.length, "magic"), MAGIC)) throw invalid("it is none");
  const size = readU32(await input.take(LENGTH_BYTES, "header's length"));
  if (size > MAX_HEADER) throw invalid("its header is too long");
  const header = await input.take(size, "header");
  const payload = payloadKey(await keyIn(header, opener), header);
  for (let counter = 0, last = false; !last; counter++) {
    const length = readU32(await input.take(LENGTH_BYTES, "chunk's length"));
    if (length < TAG_BYTES || length > CHUNK + TAG_BYTES)
      throw invalid(`chunk ${counter} has ${length} bytes`);
    const body = await input.take(length, "chunk");
    last = await input.ended();
    const decipher = createDecipheriv("aes-256-gcm", payload, nonceOf(counter, last));
    decipher.setAuthTag(body.subarray(length - TAG_BYTES));
    let bytes: Uint8Array;
    try {
      bytes = concat(decipher.update(body.subarray(0, length - TAG_BYTES)), decipher.final());
    } catch {
      throw invalid(
        last ? `it ends too early, or chunk ${counter} was changed` : `chunk ${counter} was changed`,
      );
    }
    yield bytes;
  }
}

async function keyIn(header: Uint8Array, opener: BackupOpener): Promise<Uint8Array> {
  let slots: readonly JsonObject[] = [];
  try {
    const parsed = parseJson(toUtf8(header));
    if (isJsonObject(parsed) && Array.isArray(parsed.slots)) slots = parsed.slots.filter(isJsonObject);
  } catch {
    throw invalid("its header cannot be read");
  }
  if (slots.length > MAX_SLOTS) throw invalid("its header names too many who can open it");
  const pair = "shares" in opener ? recipientOfShares(opener.shares) : undefined;
  for (const slot of slots) {
    if (slot.kind === "recipient" && pair !== undefined) {
      const opened = equal(bytesOf(slot.publicKey), pair.publicKey)
        ? openAs(pair, PURPOSE, bytesOf(slot.sealed))
        : undefined;
      if (opened !== undefined) return opened;
    }
    if (slot.kind === "passphrase" && "passphrase" in opener) {
      const under = await passphraseKey(opener.passphrase, slot);
      const opened = openUnder(under, PURPOSE, bytesOf(slot.wrapped));
      if (opened !== undefined) return opened;
    }
  }
  throw invalid(
    "shares" in opener ? "it is not for these shares" : "the passphrase is not its own, or it has none",
  );
}

function payloadKey(key: Uint8Array, header: Uint8Array): Uint8Array {
  return deriveKey(key, "backup payload", createHash("sha256").update(header).digest());
}

/** The number of the chunk and whether it is the last: none can stand in another's place. */
function nonceOf(counter: number, last: boolean): Uint8Array {
  const nonce = new Uint8Array(IV_BYTES);
  new DataView(nonce.buffer).setBigUint64(3, BigInt(counter));
  nonce[IV_BYTES - 1] = last ? LAST : 0;
  return nonce;
}

/** Chunks of one size, the last of them known: there is always one. */
async function* chunked(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly last: boolean }> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const part of source) {
    held.push(part);
    length += part.length;
    if (length <= CHUNK) continue;
    const whole = concat(...held);
    let at = 0;
    for (; whole.length - at > CHUNK; at += CHUNK)
      yield { bytes: whole.subarray(at, at + CHUNK), last: false };
    held = [whole.subarray(at)];
    length = whole.length - at;
  }
  yield { bytes: concat(...held), last: true };
}

/** Bytes of a stream, so many at a time. */
class Input {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array();
  #done = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async take(count: number, what: string): Promise<Uint8Array> {
    while (this.#held.length < count && (await this.#more()));
    if (this.#held.length < count) throw invalid(`it ends in the ${what}`);
    const taken = this.#held.slice(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  async ended(): Promise<boolean> {
    while (this.#held.length === 0 && (await this.#more()));
    return this.#held.length === 0;
  }

  async #more(): Promise<boolean> {
    if (this.#done) return false;
    const { done, value } = await this.#source.next();
    if (done === true) this.#done = true;
    else this.#held = concat(this.#held, value);
    return !this.#done;
  }
}

function bytesOf(value: unknown): Uint8Array {
  try {
    if (typeof value === "string") return fromBase64Url(value);
  } catch {
    // Said below.
  }
  throw invalid("its header cannot be read");
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(LENGTH_BYTES);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function readU32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getUint32(0);
}

export function invalid(why: string): BrokerError {
  return new BrokerError("BACKUP_INVALID", "not-authentic", `Cannot open the backup: ${why}`, {
    hint: "Check that it is whole, and that passphrase or shares belong to it.",
  });
}
