// SPDX-License-Identifier: Apache-2.0
// Intel's formats without any verification: quotes, reports and the PCK certificate's extension, parsed and encoded.
// For those who issue or inspect; to verify, use ./sgx or ./tdx.

export {
  ATTESTATION_KEY_ECDSA_P256,
  CERTIFICATION_TYPE,
  type CertificationData,
  encodeQuote,
  encodeSignedPart,
  INTEL_QE_VENDOR_ID,
  parseQuote,
  parseQuoteHeader,
  type Quote,
  type QuoteBody,
  type QuoteFields,
  type QuoteHeader,
  TEE_TYPE,
} from "./intel/evidence.ts";
export {
  encodePckExtension,
  type PckConfiguration,
  type PckExtension,
  parsePckExtension,
  pckExtensionOf,
  SGX_EXTENSION_OID,
  type SgxType,
} from "./intel/pck.ts";
export {
  ENCLAVE_FLAG,
  type EnclaveReport,
  encodeEnclaveReport,
  encodeTdReport,
  parseEnclaveReport,
  parseTdReport,
  TD_ATTRIBUTE,
  type TdReport,
} from "./intel/reports.ts";
