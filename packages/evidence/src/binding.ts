// SPDX-License-Identifier: Apache-2.0
// What report data binds, written once: the nonce and key of the Confidential Containers protocol, and init-data.

import { equal, padRight, toHex } from "@adyton/core/bytes";
import type { HashName, VerifyingCrypto } from "@adyton/core/crypto";
import { canonicalJsonBytes, type JsonObject } from "@adyton/core/json";
import type { TeeName } from "./envelope.ts";
import { EvidenceError } from "./errors.ts";

/** Bytes of the init-data field by TEE; null where there is none. */
export const INIT_DATA_WIDTH: Readonly<Partial<Record<TeeName, number>>> = {
  tdx: 48,
  snp: 32,
  cca: 64,
  sgx: 64,
  se: 256,
  sample: 64,
};

/** Members that a workload's report data commits to (KBS protocol 0.4.0). */
export interface RuntimeData {
  readonly nonce: string;
  /** JWK. */
  readonly teePubkey: JsonObject;
  /** The `additional_evidence` string exactly as sent, "" when there is none. */
  readonly additionalEvidence: string;
}

/**
 * The hash over the RFC 8785 form of `{"additional-evidence", "nonce", "tee-pubkey"}`, zero-padded to 64 bytes: what a
 * workload's own evidence binds. The hash is the scheme's `runtimeDataHash`.
 */
export async function reportDataOf(
  data: RuntimeData,
  crypto: VerifyingCrypto,
  hash: HashName = "SHA-384",
): Promise<Uint8Array> {
  const bytes = canonicalJsonBytes({
    "additional-evidence": data.additionalEvidence,
    nonce: data.nonce,
    "tee-pubkey": data.teePubkey,
  });
  return padRight(await crypto.digest(hash, bytes), 64);
}

/**
 * The hash over the RFC 8785 form of `{"nonce", "tee-pubkey"}`, cut or zero-padded to `width` bytes: what the evidence of
 * a further device binds, which cannot bind a text that it is itself part of.
 */
export async function deviceReportDataOf(
  data: Pick<RuntimeData, "nonce" | "teePubkey">,
  crypto: VerifyingCrypto,
  width = 64,
  hash: HashName = "SHA-384",
): Promise<Uint8Array> {
  const bytes = canonicalJsonBytes({ nonce: data.nonce, "tee-pubkey": data.teePubkey });
  const digest = await crypto.digest(hash, bytes);
  return digest.length >= width ? digest.subarray(0, width) : padRight(digest, width);
}

/** Throws `REPORT_DATA_MISMATCH` unless `found` is `expected`, zero-padded on the right to its width. */
export function checkReportData(found: Uint8Array, expected: Uint8Array): void {
  if (expected.length > found.length || !equal(found, padRight(expected, found.length))) {
    throw new EvidenceError(
      "REPORT_DATA_MISMATCH",
      "not-authentic",
      "Cannot accept evidence: its report data is not the expected one",
      {
        detail: { found: toHex(found), expected: toHex(expected) },
        hint: "The evidence answers another challenge or binds another key: ask for fresh evidence.",
      },
    );
  }
}

/** The digest of an init-data document as it stands in the TEE's field: cut or zero-padded to `width` bytes. */
export async function initDataField(
  document: Uint8Array,
  hash: HashName,
  width: number,
  crypto: VerifyingCrypto,
): Promise<Uint8Array> {
  const digest = await crypto.digest(hash, document);
  return digest.length >= width ? digest.subarray(0, width) : padRight(digest, width);
}
