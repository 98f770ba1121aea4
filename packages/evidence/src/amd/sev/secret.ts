// SPDX-License-Identifier: Apache-2.0
// Secrets for a launched guest: a table by GUID, encrypted and authenticated for one session and one measurement.
// SEV API (55766) section 6.6 (LAUNCH_SECRET); the table is OVMF's (ConfidentialComputingSecret).

import { type Bytes, concat, equalConstantTime, isZero } from "@adyton/core/bytes";
import { type CryptoProvider, defaultCrypto } from "@adyton/core/crypto";
import { Reader, Writer } from "@adyton/core/cursor";
import { AdytonError } from "@adyton/core/errors";
import { EvidenceError } from "../../errors.ts";
import { guidBytes, guidText } from "../table.ts";
import { parseSevMeasurement } from "./launch.ts";
import { refusal } from "./refusal.ts";
import { checkSevKey, type SevSessionKeys } from "./session.ts";

export interface SevSecret {
  /** For example "736869e5-84f0-4973-92ec-06879ce3da0b": by this the guest finds it. */
  readonly guid: string;
  readonly data: Uint8Array;
}

/** What LAUNCH_SECRET takes. */
export interface SevSecretPacket {
  /** 52 bytes. */
  readonly header: Bytes;
  /** A multiple of 16 bytes, at most 16 KiB. */
  readonly payload: Bytes;
}

/** The most that the firmware takes in one packet, and OVMF in its table. */
export const SEV_SECRET_MAX = 16384;
/** Bytes of a packet's header. */
export const SEV_SECRET_HEADER_SIZE = 52;

const TABLE_GUID = "1e74f542-71dd-4d66-963e-ef4287ff173b";
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** GUID and length, of the table and of each entry; lengths include it. */
const ENTRY = 20;
const BLOCK = 16;
const CONTEXT = 0x01;

/** The table of one or more secrets, zero-padded to 16 bytes. Throws `INVALID_SEV_SECRET`. */
export function encodeSevSecretTable(secrets: readonly SevSecret[]): Bytes {
  if (secrets.length === 0) throw invalid("misuse", "it has no entry");
  const guids = new Set(secrets.map(({ guid }) => guid.toLowerCase()));
  if (guids.size !== secrets.length) throw invalid("misuse", "two entries have the same GUID");
  for (const { guid } of secrets) {
    if (!GUID.test(guid)) throw invalid("misuse", `${JSON.stringify(guid)} is no GUID`);
  }
  const total = secrets.reduce((sum, { data }) => sum + ENTRY + data.length, ENTRY);
  const padded = Math.ceil(total / BLOCK) * BLOCK;
  if (padded > SEV_SECRET_MAX)
    throw invalid("misuse", `it takes ${padded} bytes, expected at most ${SEV_SECRET_MAX}`);
  const writer = new Writer(padded).bytes(guidBytes(TABLE_GUID), 16, "GUID").u32le(total);
  for (const { guid, data } of secrets) {
    writer
      .bytes(guidBytes(guid), 16, "GUID")
      .u32le(ENTRY + data.length)
      .bytes(data, data.length, "data");
  }
  return writer.zeros(padded - total).finish();
}

/** The secrets of a table. Throws `INVALID_SEV_SECRET`. */
export function parseSevSecretTable(bytes: Uint8Array): SevSecret[] {
  if (bytes.length > SEV_SECRET_MAX)
    throw invalid("malformed", `${bytes.length} bytes, expected at most ${SEV_SECRET_MAX}`);
  try {
    const reader = new Reader(bytes, "SEV secret table");
    const guid = guidText(reader.bytes(16, "GUID"));
    if (guid !== TABLE_GUID) throw invalid("malformed", `its GUID is ${guid}, expected ${TABLE_GUID}`);
    const total = reader.u32le("length");
    const entries = reader.sub(Math.max(0, total - ENTRY), "SEV secret table");
    if (total < ENTRY) throw invalid("malformed", `its length is ${total}, expected at least ${ENTRY}`);
    const padding = reader.rest();
    if (padding.length >= BLOCK || !isZero(padding)) throw invalid("malformed", "something follows it");
    const secrets: SevSecret[] = [];
    while (entries.remaining > 0) {
      const entry = guidText(entries.bytes(16, "GUID of an entry"));
      const length = entries.u32le("length of an entry");
      if (length < ENTRY)
        throw invalid("malformed", `an entry has length ${length}, expected at least ${ENTRY}`);
      secrets.push({ guid: entry, data: Uint8Array.from(entries.bytes(length - ENTRY, "an entry")) });
    }
    return secrets;
  } catch (cause) {
    if (!(cause instanceof AdytonError) || cause instanceof EvidenceError) throw cause;
    throw invalid("malformed", cause.message, cause);
  }
}

/**
 * Packs secrets for the guest with this measurement (48 bytes, verified before: what is packed for a wrong one reaches
 * a wrong guest). `iv` is for tests: one that repeats under a TEK gives both secrets away.
 * Throws `INVALID_SEV_SECRET` or `INVALID_SEV_SESSION`.
 */
export async function packSevSecrets(
  secrets: readonly SevSecret[],
  keys: SevSessionKeys,
  measurement: Uint8Array,
  crypto: CryptoProvider = defaultCrypto,
  iv: Uint8Array = crypto.randomBytes(16),
): Promise<SevSecretPacket> {
  const table = encodeSevSecretTable(secrets);
  const { measure } = parseSevMeasurement(measurement);
  checkSevKey("TEK", keys.tek);
  checkSevKey("TIK", keys.tik);
  const payload = await crypto.aesCtr(keys.tek, iv, table);
  table.fill(0);
  const flags = 0;
  const mac = await secretMac(flags, iv, payload, measure, keys.tik, crypto);
  return { header: concat(new Writer(4).u32le(flags).finish(), iv, mac), payload };
}

/**
 * The firmware's side: the secrets of a packet. Throws `SEV_MAC_MISMATCH` when it was packed in another session or for
 * another measurement, or changed; `INVALID_SEV_SECRET` when what is inside is no table or is compressed.
 */
export async function unpackSevSecrets(
  packet: SevSecretPacket,
  keys: SevSessionKeys,
  measurement: Uint8Array,
  crypto: CryptoProvider = defaultCrypto,
): Promise<SevSecret[]> {
  const { header, payload } = packet;
  if (header.length !== SEV_SECRET_HEADER_SIZE) {
    throw invalid("malformed", `its header has ${header.length} bytes, expected ${SEV_SECRET_HEADER_SIZE}`);
  }
  const reader = new Reader(header, "SEV secret header");
  const flags = reader.u32le("flags");
  const iv = reader.bytes(16, "IV");
  const mac = reader.bytes(32, "MAC");
  const { measure } = parseSevMeasurement(measurement);
  checkSevKey("TEK", keys.tek);
  checkSevKey("TIK", keys.tik);
  if (!equalConstantTime(mac, await secretMac(flags, iv, payload, measure, keys.tik, crypto))) {
    throw refusal("SEV_MAC_MISMATCH", "secret", "its MAC does not fit", {
      hint: "It was packed in another session or for another measurement, or changed on its way.",
    });
  }
  if (flags !== 0) throw invalid("malformed", `its flags are ${flags}, expected 0 (not compressed)`);
  return parseSevSecretTable(await crypto.aesCtr(keys.tek, iv, payload));
}

/** Guest length and transport length are the same: nothing is compressed. */
function secretMac(
  flags: number,
  iv: Uint8Array,
  payload: Uint8Array,
  measure: Uint8Array,
  tik: Uint8Array,
  crypto: Pick<CryptoProvider, "hmac">,
): Bytes | Promise<Bytes> {
  const text = new Writer(1 + 4 + 16 + 8 + payload.length + 32)
    .u8(CONTEXT)
    .u32le(flags)
    .bytes(iv, 16, "IV")
    .u32le(payload.length)
    .u32le(payload.length)
    .bytes(payload, payload.length, "payload")
    .bytes(measure, 32, "measure")
    .finish();
  return crypto.hmac("SHA-256", tik, text);
}

function invalid(category: "misuse" | "malformed", why: string, cause?: unknown): EvidenceError {
  return new EvidenceError("INVALID_SEV_SECRET", category, `Cannot handle SEV secret table: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
  });
}
