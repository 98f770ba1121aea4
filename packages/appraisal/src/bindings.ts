// SPDX-License-Identifier: Apache-2.0
// What came along with evidence and is bound by it: init-data and runtime data, checked before they are believed.

import { concat, equal, toHex } from "@adyton/core/bytes";
import { type CryptoProvider, defaultCrypto } from "@adyton/core/crypto";
import type { JsonObject } from "@adyton/core/json";
import {
  assertVerified,
  checkReportData,
  EvidenceError,
  initDataField,
  type RuntimeData,
  reportDataOf,
  type VerifiedEvidence,
} from "@adyton/evidence";
import { misuse } from "./errors.ts";

export interface InitData {
  /** The document as it was sent, byte for byte. */
  readonly document: Uint8Array;
  /** The hash that the document's `algorithm` names. */
  readonly hash: "SHA-256" | "SHA-384" | "SHA-512";
  /** What the caller read from the document: `init_data_claims` of policies. */
  readonly claims?: JsonObject;
}

/** An init-data document that one piece of evidence binds. Only `checkInitData` makes it. */
export interface CheckedInitData {
  readonly hash: InitData["hash"];
  /** Hex, as long as the TEE's field. */
  readonly digest: string;
  /** What the caller read from the document. */
  readonly claims?: JsonObject;
}

const HASHES: readonly string[] = ["SHA-256", "SHA-384", "SHA-512"];
const checkedFor = new WeakMap<CheckedInitData, VerifiedEvidence>();

/**
 * Establishes that `evidence` binds the init-data document. Throws `INIT_DATA_MISMATCH` when it binds another or none,
 * `INVALID_APPRAISAL_INPUT` for another hash, `NOT_VERIFIED` for anything but verified evidence.
 */
export async function checkInitData(
  evidence: VerifiedEvidence,
  { document, hash, claims }: InitData,
  crypto: CryptoProvider = defaultCrypto,
): Promise<CheckedInitData> {
  assertVerified(evidence);
  if (!HASHES.includes(hash)) {
    throw misuse(
      "INVALID_APPRAISAL_INPUT",
      `Cannot check init-data: the hash is ${JSON.stringify(hash)}, expected any of ${HASHES.join(", ")}`,
    );
  }
  const field = evidence.initDataField;
  const digest = field === null ? undefined : await initDataField(document, hash, field.length, crypto);
  const expected = evidence.initDataForm === "extended" ? await extended(digest, crypto) : digest;
  if (field === null || expected === undefined || !equal(field, expected)) {
    throw new EvidenceError(
      "INIT_DATA_MISMATCH",
      "not-authentic",
      field === null
        ? "Cannot accept init-data: the evidence binds none"
        : "Cannot accept init-data: the evidence binds another document",
      {
        detail: {
          found: field === null ? null : toHex(field),
          expected: expected === undefined ? null : toHex(expected),
          hash,
        },
        hint: "Send the document exactly as it was given at launch, and name the hash of its algorithm line.",
      },
    );
  }
  const checked: CheckedInitData = Object.freeze({
    hash,
    digest: toHex(field),
    ...(claims === undefined ? {} : { claims }),
  });
  checkedFor.set(checked, evidence);
  return checked;
}

/** A PCR of the SHA-256 bank that a digest was extended into, and nothing else. */
async function extended(
  digest: Uint8Array | undefined,
  crypto: CryptoProvider,
): Promise<Uint8Array | undefined> {
  if (digest === undefined) return undefined;
  return crypto.digest("SHA-256", concat(new Uint8Array(digest.length), digest));
}

/** The evidence that a checked document belongs to, or undefined when `checkInitData` did not make it. */
export function evidenceOf(checked: CheckedInitData): VerifiedEvidence | undefined {
  return checkedFor.get(checked);
}

/**
 * Establishes that the report data of `evidence` binds nonce and key of the Confidential Containers protocol, and
 * returns them as `runtimeData` for `appraise`. Throws `REPORT_DATA_MISMATCH`.
 */
export async function checkRuntimeData(
  evidence: VerifiedEvidence,
  data: RuntimeData,
  crypto: CryptoProvider = defaultCrypto,
): Promise<JsonObject> {
  assertVerified(evidence);
  checkReportData(evidence.reportData, await reportDataOf(data, crypto));
  return {
    "additional-evidence": data.additionalEvidence,
    nonce: data.nonce,
    "tee-pubkey": data.teePubkey,
  };
}
