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
  | "INVALID_COMPOSITE"
  | "DUPLICATE_DEVICE"
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
  // AMD SEV and SEV-ES
  | "INVALID_SEV_CERTIFICATE"
  | "SEV_CERTIFICATE_MISSING"
  | "INVALID_SEV_SESSION"
  | "SEV_MEASUREMENT_MISMATCH"
  | "SEV_MAC_MISMATCH"
  | "INVALID_SEV_SECRET"
  // Hygon CSV
  | "INVALID_CSV_CERTIFICATE"
  | "HSK_CEK_MISSING"
  | "ANONCE_MISMATCH"
  | "SIGNER_MAC_MISMATCH"
  | "SERIAL_NUMBER_MISMATCH"
  | "INVALID_CSV_SESSION"
  | "CSV_MEASURE_MISMATCH"
  // Arm CCA
  | "INVALID_CCA_TOKEN"
  | "UNSUPPORTED_CCA_PROFILE"
  | "CPAK_MISSING"
  | "INVALID_CCA_PLATFORM_SIGNATURE"
  | "INVALID_CCA_REALM_SIGNATURE"
  | "CCA_BINDING_MISMATCH"
  // AWS Nitro
  | "INVALID_NITRO_DOCUMENT"
  | "INVALID_NITRO_CERTIFICATE"
  | "INVALID_NITRO_SIGNATURE"
  // event logs
  | "INVALID_EVENT_LOG"
  | "EVENT_LOG_MISMATCH"
  | "EVENT_LOG_UNBOUND"
  // TPM
  | "INVALID_TPM_STRUCTURE"
  | "INVALID_TPM_QUOTE_SIGNATURE"
  | "PCR_DIGEST_MISMATCH"
  | "AK_NOT_TRUSTED"
  | "INVALID_AK"
  | "INVALID_AK_CERTIFICATE"
  | "INVALID_EK_CERTIFICATE"
  | "CREDENTIAL_ACTIVATION_FAILED"
  // Azure vTPM
  | "INVALID_HCL_REPORT"
  | "HCL_BINDING_MISMATCH"
  | "HCL_PRIVILEGE_LEVEL"
  // NVIDIA
  | "INVALID_NVIDIA_REPORT"
  | "NVIDIA_CERTIFICATE_MISSING"
  | "INVALID_NVIDIA_CERTIFICATE"
  | "NVIDIA_FWID_MISMATCH"
  | "INVALID_NVIDIA_SIGNATURE"
  | "INVALID_OCSP_RESPONSE"
  | "INVALID_RIM"
  | "INVALID_RIM_SIGNATURE"
  // IBM
  | "INVALID_SE_EVIDENCE"
  | "INVALID_SE_HOST_KEY"
  | "SE_VERIFIER_KEY_MISSING"
  | "SE_REQUEST_MISMATCH"
  | "SE_HOST_KEY_MISSING"
  | "SE_HOST_KEY_MISMATCH"
  | "SE_HEADER_MISSING"
  | "INVALID_SE_MEASUREMENT"
  // sample
  | "SAMPLE_ROOT_NOT_NAMED"
  | "SAMPLE_UNSIGNED"
  | "INVALID_SAMPLE_EVIDENCE"
  | "INVALID_SAMPLE_CERTIFICATE"
  | "INVALID_SAMPLE_SIGNATURE";

/** Thrown by `@adyton/evidence`. `detail.tcb` holds the TCB judgement when one was reached before the refusal. */
export class EvidenceError extends AdytonError<EvidenceErrorCode> {}

/**
 * The refusal of a version that is not handled: a newer layout is never read as if it were an older one. `action` is
 * "parse SNP report", `known` says which versions are handled and ends with the newest: "2 to 5".
 */
export function unknownVersion(
  code: EvidenceErrorCode,
  action: string,
  field: string,
  found: number | string,
  known: string,
): EvidenceError {
  const expected = `${known}, the newest known`;
  return new EvidenceError(
    code,
    "malformed",
    `Cannot ${action}: ${field} is ${found}, expected ${expected}`,
    {
      detail: { field, found, expected },
      hint: "If this is newer than the newest known, update Adyton.",
    },
  );
}
