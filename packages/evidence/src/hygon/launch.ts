// SPDX-License-Identifier: Apache-2.0
// After LAUNCH_START of CSV and CSV2: what the platform launched, and secrets for it. As AMD SEV's LAUNCH_MEASURE and
// LAUNCH_SECRET (55766, sections 6.5.1 and 6.6), with SM3 and SM4.

import { type Bytes, concat, equalConstantTime } from "@adyton/core/bytes";
import { type CryptoProvider, defaultCrypto } from "@adyton/core/crypto";
import { Reader, Writer } from "@adyton/core/cursor";
import { hmacSm3, sm4Ctr } from "@adyton/core/sm";
import { EvidenceError } from "../errors.ts";
import type { CsvTransportKeys } from "./handshake.ts";

/** First byte of what each MAC covers, so that none stands for the other. */
const MEASURE_CONTEXT = 0x04;
const SECRET_CONTEXT = 0x01;
/** Bytes of the firmware's answer: measure and mnonce. */
const BLOB = 48;
const HEADER = 52;
const MAX_SECRET = 16 * 1024;

/** What the owner expects that was launched. */
export interface CsvLaunchExpectation {
  readonly firmware: { readonly major: number; readonly minor: number; readonly build: number };
  readonly policy: number;
  /** 32 bytes: SM3 over everything that was loaded. */
  readonly digest: Uint8Array;
}

/** A secret for a launched guest, as LAUNCH_SECRET takes it. */
export interface CsvLaunchSecret {
  /** 52 bytes: flags, IV, MAC. */
  readonly header: Bytes;
  readonly ciphertext: Bytes;
}

/** The firmware's answer to LAUNCH_MEASURE: 32 bytes of MAC and the mnonce, 16 bytes. */
export function csvLaunchMeasure(
  keys: Pick<CsvTransportKeys, "tik">,
  expected: CsvLaunchExpectation,
  mnonce: Uint8Array,
): Bytes {
  const { major, minor, build } = expected.firmware;
  const message = new Writer(4 + 4 + 32 + 16)
    .u8(MEASURE_CONTEXT)
    .u8(major)
    .u8(minor)
    .u8(build)
    .u32le(expected.policy)
    .bytes(expected.digest, 32, "launch digest")
    .bytes(mnonce, 16, "mnonce")
    .finish();
  return concat(hmacSm3(keys.tik, message), mnonce);
}

/** Throws `CSV_MEASURE_MISMATCH` unless the platform launched exactly what is expected. */
export function checkCsvLaunchMeasure(
  blob: Uint8Array,
  keys: Pick<CsvTransportKeys, "tik">,
  expected: CsvLaunchExpectation,
): void {
  const fits =
    blob.length === BLOB && equalConstantTime(csvLaunchMeasure(keys, expected, blob.subarray(32)), blob);
  if (fits) return;
  throw new EvidenceError(
    "CSV_MEASURE_MISMATCH",
    "not-authentic",
    "Cannot accept CSV launch: the measure is not that of the expected guest",
    { hint: "Another firmware, policy, build or guest was launched, or another session's keys measure it." },
  );
}

/**
 * Encrypts a secret for the guest whose measure was checked: `measure` is the firmware's answer. Each call takes a
 * fresh IV. At most 16 KiB.
 */
export function sealCsvSecret(
  keys: CsvTransportKeys,
  measure: Uint8Array,
  secret: Uint8Array,
  crypto: Pick<CryptoProvider, "randomBytes"> = defaultCrypto,
): CsvLaunchSecret {
  if (secret.length === 0 || secret.length > MAX_SECRET)
    throw invalid("malformed", `it has ${secret.length} bytes, expected 1 to ${MAX_SECRET}`);
  const iv = crypto.randomBytes(16);
  const ciphertext = sm4Ctr(keys.tek, iv, secret);
  const mac = secretMac(keys, 0, iv, ciphertext, measure);
  return {
    header: new Writer(HEADER).u32le(0).bytes(iv, 16, "iv").bytes(mac, 32, "mac").finish(),
    ciphertext,
  };
}

/** The secret, as the firmware opens it. Throws `INVALID_CSV_SESSION` when it is for another launch or was changed. */
export function openCsvSecret(keys: CsvTransportKeys, measure: Uint8Array, sealed: CsvLaunchSecret): Bytes {
  if (sealed.header.length !== HEADER)
    throw invalid("malformed", `its header has ${sealed.header.length} bytes, expected ${HEADER}`);
  const reader = new Reader(sealed.header, "CSV launch secret");
  const [flags, iv, mac] = [reader.u32le("flags"), reader.bytes(16, "iv"), reader.bytes(32, "mac")];
  if (!equalConstantTime(secretMac(keys, flags, iv, sealed.ciphertext, measure), mac))
    throw invalid("not-authentic", "its MAC does not hold");
  if (flags !== 0)
    throw invalid("malformed", `its flags are ${flags}, expected 0: compression is not supported`);
  return sm4Ctr(keys.tek, iv, sealed.ciphertext);
}

function secretMac(
  { tik }: Pick<CsvTransportKeys, "tik">,
  flags: number,
  iv: Uint8Array,
  ciphertext: Uint8Array,
  measure: Uint8Array,
): Bytes {
  const message = new Writer(1 + 4 + 16 + 4 + 4 + ciphertext.length + 32)
    .u8(SECRET_CONTEXT)
    .u32le(flags)
    .bytes(iv, 16, "iv")
    .u32le(ciphertext.length)
    .u32le(ciphertext.length)
    .bytes(ciphertext, ciphertext.length, "ciphertext")
    .bytes(measure.subarray(0, 32), 32, "measure")
    .finish();
  return hmacSm3(tik, message);
}

function invalid(category: "malformed" | "not-authentic", why: string): EvidenceError {
  return new EvidenceError("INVALID_CSV_SESSION", category, `Cannot use CSV launch secret: ${why}`);
}
