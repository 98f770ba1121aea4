// SPDX-License-Identifier: Apache-2.0
// The session that a guest's owner opens with a platform's firmware: two transport keys, wrapped for the PDH.
// SEV API (55766) sections 2.2 (keys, key derivation) and 6.2 (LAUNCH_START); files as sevctl names and writes them.

import { type Bytes, concat, equalConstantTime, fromUtf8, toBase64 } from "@adyton/core/bytes";
import { type CryptoProvider, defaultCrypto } from "@adyton/core/crypto";
import { Reader, Writer } from "@adyton/core/cursor";
import { sevSpkiOf } from "./keys.ts";
import { assertVerifiedSevPlatform, type VerifiedSevPlatform } from "./pdh.ts";
import { encodeSevPlatformCertificate } from "./platform.ts";
import { invalidField, refusal } from "./refusal.ts";

/** The transport keys of a session, 16 bytes each. Secret. */
export interface SevSessionKeys {
  /** Encrypts secrets. */
  readonly tek: Uint8Array;
  /** Authenticates the measurement and secrets. */
  readonly tik: Uint8Array;
}

/** The session blob that LAUNCH_START takes. */
export interface SevSessionBlob {
  /** 16 bytes. */
  readonly nonce: Uint8Array;
  /** 32 bytes: TEK and TIK, encrypted. */
  readonly wrappedKeys: Uint8Array;
  /** 16 bytes. */
  readonly iv: Uint8Array;
  /** 32 bytes over the wrapped keys. */
  readonly wrapMac: Uint8Array;
  /** 32 bytes over the policy. */
  readonly policyMac: Uint8Array;
}

/** What a guest's owner keeps (`keys`), and hands to the host (the rest). */
export interface SevSession {
  readonly policy: number;
  readonly keys: SevSessionKeys;
  /** The owner's Diffie-Hellman certificate, 2,084 bytes. */
  readonly godh: Bytes;
  /** 128 bytes. */
  readonly blob: Bytes;
  /** Overwrites the keys. JavaScript may keep copies elsewhere. */
  wipe(): void;
}

/** Bytes of a session blob. */
export const SEV_SESSION_SIZE = 128;
const KEY = 16;

/**
 * Opens a session with a verified platform for one launch under `policy`. Never use one for two launches: whoever
 * has seen the first could replay it. Throws `NOT_VERIFIED`.
 */
export async function createSevSession(
  platform: VerifiedSevPlatform,
  policy: number,
  crypto: CryptoProvider = defaultCrypto,
): Promise<SevSession> {
  assertVerifiedSevPlatform(platform);
  const { pdh } = platform;
  const { curve, algorithm } = pdh;
  const own = await crypto.generateKey({ name: "EC", curve });
  const shared = await crypto.agree(own, await crypto.importPublicKey(sevSpkiOf(pdh)));
  const keys = { tek: crypto.randomBytes(KEY), tik: crypto.randomBytes(KEY) };
  const blob = await wrapSevSession(
    shared,
    keys,
    policy,
    crypto.randomBytes(16),
    crypto.randomBytes(16),
    crypto,
  );
  shared.fill(0);
  const godh = encodeSevPlatformCertificate({
    apiMajor: 0,
    apiMinor: 0,
    usage: "PDH",
    algorithm,
    curve,
    // The point stands at the end of a SubjectPublicKeyInfo.
    point: own.publicKey.spki.subarray(-pdh.point.length),
    signatures: [undefined, undefined],
  });
  const wipe = (): void => {
    keys.tek.fill(0);
    keys.tik.fill(0);
  };
  return { policy, keys, godh, blob: encodeSevSession(blob), wipe };
}

/** The four files that `sevctl session` writes, by name. `_tik.bin` and `_tek.bin` are secret. */
export function sevSessionFiles(session: SevSession, prefix = "vm"): Record<string, Uint8Array> {
  return {
    [`${prefix}_tik.bin`]: Uint8Array.from(session.keys.tik),
    [`${prefix}_tek.bin`]: Uint8Array.from(session.keys.tek),
    [`${prefix}_godh.b64`]: fromUtf8(toBase64(session.godh)),
    [`${prefix}_session.b64`]: fromUtf8(toBase64(session.blob)),
  };
}

/** Wraps the keys under the secret that owner and platform share. Nonce and IV must be fresh. */
export async function wrapSevSession(
  shared: Uint8Array,
  keys: SevSessionKeys,
  policy: number,
  nonce: Uint8Array,
  iv: Uint8Array,
  crypto: CryptoProvider,
): Promise<SevSessionBlob> {
  checkSevKey("TEK", keys.tek);
  checkSevKey("TIK", keys.tik);
  const { kek, kik } = await wrappingKeys(shared, nonce, crypto);
  const plain = concat(keys.tek, keys.tik);
  const wrappedKeys = await crypto.aesCtr(kek, iv, plain);
  const wrapMac = await crypto.hmac("SHA-256", kik, wrappedKeys);
  for (const secret of [plain, kek, kik]) secret.fill(0);
  const policyMac = await crypto.hmac("SHA-256", keys.tik, word(policy));
  return { nonce, wrappedKeys, iv, wrapMac, policyMac };
}

/**
 * The firmware's side: the keys of a session. Throws `SEV_MAC_MISMATCH` when the blob was made for another platform
 * or policy, or changed.
 */
export async function unwrapSevSession(
  shared: Uint8Array,
  blob: SevSessionBlob,
  policy: number,
  crypto: CryptoProvider = defaultCrypto,
): Promise<SevSessionKeys> {
  const { kek, kik } = await wrappingKeys(shared, blob.nonce, crypto);
  const wrapMac = await crypto.hmac("SHA-256", kik, blob.wrappedKeys);
  if (!equalConstantTime(wrapMac, blob.wrapMac)) throw mismatch("the MAC over its wrapped keys");
  const plain = await crypto.aesCtr(kek, blob.iv, blob.wrappedKeys);
  const keys = { tek: plain.slice(0, KEY), tik: plain.slice(KEY) };
  for (const secret of [plain, kek, kik]) secret.fill(0);
  const policyMac = await crypto.hmac("SHA-256", keys.tik, word(policy));
  if (!equalConstantTime(policyMac, blob.policyMac)) throw mismatch("the MAC over its policy");
  return keys;
}

/** Throws `INVALID_SEV_SESSION`. */
export function parseSevSession(bytes: Uint8Array): SevSessionBlob {
  if (bytes.length !== SEV_SESSION_SIZE) {
    throw invalidField(
      "INVALID_SEV_SESSION",
      "session",
      "its size",
      bytes.length,
      `${SEV_SESSION_SIZE} bytes`,
    );
  }
  const reader = new Reader(bytes, "SEV session");
  return {
    nonce: reader.bytes(16, "nonce"),
    wrappedKeys: reader.bytes(32, "wrapped keys"),
    iv: reader.bytes(16, "IV"),
    wrapMac: reader.bytes(32, "MAC of the wrapped keys"),
    policyMac: reader.bytes(32, "MAC of the policy"),
  };
}

/** Throws `OUT_OF_BOUNDS` when a field has another size than it must. */
export function encodeSevSession(blob: SevSessionBlob): Bytes {
  return new Writer(SEV_SESSION_SIZE)
    .bytes(blob.nonce, 16, "nonce")
    .bytes(blob.wrappedKeys, 32, "wrapped keys")
    .bytes(blob.iv, 16, "IV")
    .bytes(blob.wrapMac, 32, "MAC of the wrapped keys")
    .bytes(blob.policyMac, 32, "MAC of the policy")
    .finish();
}

/** A transport key has 16 bytes. Throws `INVALID_SEV_SESSION`. */
export function checkSevKey(name: "TEK" | "TIK", key: Uint8Array): void {
  if (key.length === KEY) return;
  throw invalidField("INVALID_SEV_SESSION", "session", `the ${name}`, `${key.length} bytes`, `${KEY}`);
}

/**
 * SP 800-108 in counter mode with HMAC-SHA-256, one block: the firmware counts and measures little-endian, where the
 * standard leaves the choice.
 */
export async function deriveSevKey(
  key: Uint8Array,
  label: string,
  context: Uint8Array,
  crypto: Pick<CryptoProvider, "hmac">,
): Promise<Bytes> {
  const input = concat(word(1), fromUtf8(label), Uint8Array.of(0), context, word(8 * KEY));
  const block = await crypto.hmac("SHA-256", key, input);
  const derived = block.slice(0, KEY);
  block.fill(0);
  return derived;
}

async function wrappingKeys(
  shared: Uint8Array,
  nonce: Uint8Array,
  crypto: Pick<CryptoProvider, "hmac">,
): Promise<{ readonly kek: Bytes; readonly kik: Bytes }> {
  const master = await deriveSevKey(shared, "sev-master-secret", nonce, crypto);
  const none = new Uint8Array(0);
  const kek = await deriveSevKey(master, "sev-kek", none, crypto);
  const kik = await deriveSevKey(master, "sev-kik", none, crypto);
  master.fill(0);
  return { kek, kik };
}

function word(value: number): Bytes {
  return new Writer(4).u32le(value).finish();
}

function mismatch(which: string): Error {
  return refusal("SEV_MAC_MISMATCH", "session", `${which} does not fit`, {
    hint: "The session was made for another platform or policy, or changed on its way.",
  });
}
