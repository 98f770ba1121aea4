// SPDX-License-Identifier: Apache-2.0
// How a guest's owner hands transport keys to a platform before its guest starts, after csv-rs (src/session): a random
// master secret, encrypted by SM2 to the platform's PDH, wraps them. SM2, SM3 and SM4 take the places that ECDH, SHA-256
// and AES have in AMD SEV.

import { type Bytes, concat, equalConstantTime, fromUtf8, isZero, padRight } from "@adyton/core/bytes";
import { type CryptoProvider, defaultCrypto, verifyingCrypto } from "@adyton/core/crypto";
import { Writer } from "@adyton/core/cursor";
import { AdytonError } from "@adyton/core/errors";
import {
  hmacSm3,
  sm2Decrypt,
  sm2Encrypt,
  sm2GenerateKey,
  sm2PublicKey,
  sm2Sign,
  sm3Kdf,
  sm4Ctr,
} from "@adyton/core/sm";
import { NO_ENDORSEMENTS } from "../bag.ts";
import { EvidenceError } from "../errors.ts";
import type { VerifyOptions } from "../scheme.ts";
import type { Trust } from "../verified.ts";
import {
  CSV_USAGE,
  type CsvCertificate,
  EMPTY_SLOT,
  encodeCsvCertificate,
  parseCsvCertificate,
} from "./certificates.ts";
import { hasSigned, isSignedBy, trustPek } from "./chain.ts";
import {
  type CsvGuestIdentity,
  type CsvSession,
  encodeCsvSession,
  encodeIdentity,
  parseCsvSession,
  SEALED_FIELD,
  SESSION_SIGNED,
} from "./session.ts";

/** The user id under which owners sign. */
const OWNER_ID = fromUtf8("GUEST_USER_ID");
const KEY = 16;
const SHARED_KEY = 16;
const MASTER = 32;
/** SM2 ciphertext of the master secret: point, tag, text. */
const SEALED_MASTER = 64 + 32 + MASTER;
const UNCOMPRESSED = 4;

/** Encrypts (TEK) and authenticates (TIK) what owner and firmware exchange during launch; 16 bytes each. Secret. */
export interface CsvTransportKeys {
  readonly tek: Uint8Array;
  readonly tik: Uint8Array;
}

/** A platform's PDH whose chain was verified: `verifyCsvPdh` alone makes it. */
export interface VerifiedCsvPdh {
  readonly certificate: CsvCertificate;
  readonly trust: Trust;
}

/** What the owner gives to the host for launch, and what he keeps. */
export interface CsvLaunchStart {
  /** The owner's certificate, 2084 bytes, for this launch alone. */
  readonly certificate: Bytes;
  /** 772 bytes. */
  readonly session: Bytes;
  /** Stay with the owner. */
  readonly keys: CsvTransportKeys;
}

const verified = new WeakSet<object>();

/**
 * Verifies a platform's PDH: signed by the PEK, whose chain leads to Hygon's root or a named one. Throws as `verifyCsv`
 * does about chains.
 */
export async function verifyCsvPdh(
  platform: { readonly pdh: Uint8Array; readonly pek: Uint8Array },
  options: Pick<VerifyOptions, "now" | "endorsements" | "anchors" | "cache" | "crypto">,
): Promise<VerifiedCsvPdh> {
  const { now, endorsements, anchors, cache, crypto = verifyingCrypto } = options;
  const pdh = parseCsvCertificate(Uint8Array.from(platform.pdh));
  const pek = parseCsvCertificate(platform.pek);
  if (pdh.role !== "PDH" || pek.role !== "PEK")
    throw refused(`it is for a ${pdh.role} signed by a ${pek.role}, expected PDH and PEK`);
  if (!hasSigned(pek, CSV_USAGE.PEK, pdh)) throw refused("the PEK did not sign the PDH");
  const sources = { own: NO_ENDORSEMENTS, endorsements, anchors, now, cache, crypto };
  const { trust } = await trustPek(pek, undefined, sources);
  const result = Object.freeze({ certificate: pdh, trust });
  verified.add(result);
  return result;
}

/** Makes transport keys and wraps them for one platform. Throws `NOT_VERIFIED` for a PDH that `verifyCsvPdh` did not make. */
export function startCsvLaunch(
  pdh: VerifiedCsvPdh,
  policy: number,
  identity: Partial<CsvGuestIdentity> = {},
  crypto: Pick<CryptoProvider, "randomBytes"> = defaultCrypto,
): CsvLaunchStart {
  if (!verified.has(pdh))
    throw new EvidenceError(
      "NOT_VERIFIED",
      "misuse",
      "Cannot start launch: the PDH did not come from verifyCsvPdh",
    );
  const random = (length: number): Bytes => crypto.randomBytes(length);
  const keys = { tek: random(KEY), tik: random(KEY) };
  const [nonce, wrapIv] = [random(16), random(16)];
  const master = deriveCsvKey(random(SHARED_KEY), MASTER, "csv-master-secret", nonce);
  const { kek, kik } = wrappingKeys(master);
  const wrapTk = sm4Ctr(kek, wrapIv, concat(keys.tek, keys.tik));
  const sealed = sm2Encrypt(pdh.certificate.publicKey, master, crypto);
  const unsigned = {
    ...identityOf(identity),
    nonce,
    wrapTk,
    wrapIv,
    wrapMac: hmacSm3(kik, concat(wrapIv, wrapTk)),
    sealedMaster: padRight(concat(Uint8Array.of(UNCOMPRESSED), sealed), SEALED_FIELD),
    sessionMac: new Uint8Array(32),
    signature: new Uint8Array(64),
  };
  const session = { ...unsigned, sessionMac: sessionMacOf(keys.tik, policy, unsigned) };
  const owner = sm2GenerateKey(crypto);
  const signature = sm2Sign(owner, OWNER_ID, encodeCsvSession(session).subarray(0, SESSION_SIGNED), crypto);
  const certificate = encodeCsvCertificate({
    role: "PDH",
    version: 1,
    firmware: { major: 0, minor: 0 },
    publicKey: sm2PublicKey(owner),
    userId: OWNER_ID,
    signingKeyId: new Uint8Array(16),
    slots: [EMPTY_SLOT, EMPTY_SLOT],
  });
  return { certificate, session: encodeCsvSession({ ...session, signature }), keys };
}

/**
 * The transport keys of a session, as the platform's firmware gets them with the PDH's private key (32 bytes). Throws
 * `INVALID_CSV_SESSION` when owner, platform, policy or session do not belong together.
 */
export function acceptCsvLaunch(
  start: Pick<CsvLaunchStart, "certificate" | "session">,
  policy: number,
  pdhPrivateKey: Uint8Array,
): CsvTransportKeys {
  const owner = parseCsvCertificate(start.certificate);
  const session = parseCsvSession(start.session);
  if (!isSignedBy(owner, session.signature, start.session.subarray(0, SESSION_SIGNED)))
    throw refused("the owner did not sign it");
  const master = openMaster(session.sealedMaster, pdhPrivateKey);
  const { kek, kik } = wrappingKeys(master);
  if (!equalConstantTime(hmacSm3(kik, concat(session.wrapIv, session.wrapTk)), session.wrapMac))
    throw refused("the MAC over its wrapped keys does not hold");
  const unwrapped = sm4Ctr(kek, session.wrapIv, session.wrapTk);
  const keys = { tek: unwrapped.subarray(0, KEY), tik: unwrapped.subarray(KEY) };
  if (!equalConstantTime(sessionMacOf(keys.tik, policy, session), session.sessionMac))
    throw refused("the MAC over policy and guest does not hold");
  return keys;
}

/** Hygon's key derivation: X9.63 with SM3 over secret, label, zero and context, then once more with the result behind. */
export function deriveCsvKey(secret: Uint8Array, size: number, label: string, context: Uint8Array): Bytes {
  const input = concat(secret, fromUtf8(label), Uint8Array.of(0), context);
  const whole = Math.ceil(size / 32) * 32;
  return sm3Kdf(concat(input, sm3Kdf(input, whole)), whole).slice(0, size);
}

/** The KEK is the first half of what is derived for it. */
function wrappingKeys(master: Uint8Array): { readonly kek: Bytes; readonly kik: Bytes } {
  const none = new Uint8Array(0);
  return {
    kek: deriveCsvKey(master, 32, "csv-kek", none).slice(0, KEY),
    kik: deriveCsvKey(master, 32, "csv-kik", none),
  };
}

function openMaster(field: Uint8Array, pdhPrivateKey: Uint8Array): Bytes {
  if (field[0] !== UNCOMPRESSED || !isZero(field.subarray(1 + SEALED_MASTER)))
    throw refused("its master secret is not laid out as SM2 ciphertext");
  try {
    return sm2Decrypt(pdhPrivateKey, field.subarray(1, 1 + SEALED_MASTER));
  } catch (cause) {
    if (!(cause instanceof AdytonError) || cause.code !== "DECRYPTION_FAILED") throw cause;
    throw refused("its master secret is encrypted to another PDH", cause);
  }
}

function sessionMacOf(
  tik: Uint8Array,
  policy: number,
  session: CsvGuestIdentity & Pick<CsvSession, "sealedMaster">,
): Bytes {
  const word = new Writer(4).u32le(policy).finish();
  return hmacSm3(tik, concat(word, session.sealedMaster, encodeIdentity(session)));
}

function identityOf(given: Partial<CsvGuestIdentity>): CsvGuestIdentity {
  return {
    vmDigest: new Uint8Array(32),
    pubkeyDigest: new Uint8Array(32),
    vmId: new Uint8Array(16),
    vmVersion: new Uint8Array(16),
    userData: new Uint8Array(64),
    ...given,
  };
}

function refused(why: string, cause?: unknown): EvidenceError {
  return new EvidenceError(
    "INVALID_CSV_SESSION",
    "not-authentic",
    `Cannot accept CSV launch session: ${why}`,
    cause === undefined ? {} : { cause },
  );
}
