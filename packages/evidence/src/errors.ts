// SPDX-License-Identifier: Apache-2.0
// Why evidence was refused. Intel's and AMD's own names where they exist. Codes are stable API, listed in
// docs/error-codes.md; a test keeps list and page equal.

import { AdytonError } from "@adyton/core/errors";

/** Codes of `@adyton/evidence`; those of `@adyton/core` pass through where bytes or certificates are at fault. */
export type EvidenceErrorCode =
  // any TEE
  | "UNKNOWN_EVIDENCE"
  | "UNSUPPORTED_TEE"
  | "INVALID_ENVELOPE"
  | "UNKNOWN_ENDORSEMENT"
  | "REPORT_DATA_MISMATCH"
  | "INIT_DATA_MISMATCH"
  | "NOT_VERIFIED"
  | "INVALID_TIME"
  // Intel (names of the DCAP quote verification library)
  | "UNSUPPORTED_QUOTE_FORMAT"
  | "UNSUPPORTED_CERT_FORMAT"
  | "INVALID_PCK_CERT"
  | "SGX_ROOT_CA_MISSING"
  | "INTERMEDIATE_CA_MISSING"
  | "PCK_MISSING"
  | "PCK_CERT_CHAIN_UNTRUSTED"
  | "PCK_CERT_CHAIN_EXPIRED"
  | "PCK_CERT_CHAIN_NOT_YET_VALID"
  | "INTERMEDIATE_CA_REVOKED"
  | "PCK_REVOKED"
  | "PCK_CRL_MISSING"
  | "ROOT_CA_CRL_MISSING"
  | "CRL_UNKNOWN_ISSUER"
  | "CRL_INVALID_EXTENSIONS"
  | "CRL_INVALID_SIGNATURE"
  | "CRL_EXPIRED"
  | "CRL_NOT_YET_VALID"
  | "TCB_SIGNING_CERT_MISSING"
  | "TCB_SIGNING_CERT_CHAIN_UNTRUSTED"
  | "TCB_SIGNING_CERT_EXPIRED"
  | "TCB_SIGNING_CERT_NOT_YET_VALID"
  | "TCB_SIGNING_CERT_REVOKED"
  | "TCB_INFO_MISSING"
  | "TCB_INFO_INVALID"
  | "TCB_INFO_INVALID_SIGNATURE"
  | "TCB_INFO_EXPIRED"
  | "TCB_INFO_NOT_YET_VALID"
  | "TCB_INFO_MISMATCH"
  | "QE_IDENTITY_MISSING"
  | "QE_IDENTITY_INVALID"
  | "QE_IDENTITY_INVALID_SIGNATURE"
  | "QE_IDENTITY_EXPIRED"
  | "QE_IDENTITY_NOT_YET_VALID"
  | "QE_IDENTITY_MISMATCH"
  | "TCB_EVALUATION_DATA_NUMBERS_INVALID"
  | "TDX_MODULE_MISMATCH"
  | "INVALID_QE_REPORT_SIGNATURE"
  | "INVALID_QE_REPORT_DATA"
  | "INVALID_QUOTE_SIGNATURE"
  | "TCB_NOT_SUPPORTED"
  | "TCB_REVOKED"
  | "TCB_UNRECOGNIZED_STATUS"
  // AMD
  | "UNSUPPORTED_REPORT_FORMAT"
  | "RESERVED_NOT_ZERO"
  | "UNKNOWN_PRODUCT"
  | "PRODUCT_MISMATCH"
  | "SIGNER_KEY_MISMATCH"
  | "VCEK_MISSING"
  | "VLEK_MISSING"
  | "INVALID_VCEK"
  | "VCEK_TCB_MISMATCH"
  | "VCEK_CHIP_ID_MISMATCH"
  | "INVALID_REPORT_SIGNATURE"
  | "ASK_REVOKED"
  // sample
  | "SAMPLE_ROOT_NOT_NAMED"
  | "SAMPLE_UNSIGNED"
  | "INVALID_SAMPLE_EVIDENCE"
  | "INVALID_SAMPLE_CERTIFICATE"
  | "INVALID_SAMPLE_SIGNATURE";

/** Thrown by `@adyton/evidence`. `detail.tcb` holds the TCB judgement when one was reached before the refusal. */
export class EvidenceError extends AdytonError<EvidenceErrorCode> {}
