// SPDX-License-Identifier: Apache-2.0
// What both Intel subpaths export: the quote's layout, Intel's documents, the PCK extension, the TCB algorithm.

export { INTEL_ROOTS } from "./authority.ts";
export { type Certification, parseCertification } from "./certification.ts";
export {
  type EnclaveIdentity,
  type IsvLevel,
  type Level,
  type LevelStatus,
  type ModuleIdentity,
  type ModuleSigner,
  parseEnclaveIdentity,
  parseTcbEvaluationDataNumbers,
  parseTcbInfo,
  type TcbEvaluationDataNumbers,
  type TcbInfo,
  type TcbLevel,
} from "./documents.ts";
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
} from "./evidence.ts";
export {
  encodePckExtension,
  type PckConfiguration,
  type PckExtension,
  parsePckExtension,
  pckExtensionOf,
  SGX_EXTENSION_OID,
  type SgxType,
} from "./pck.ts";
export {
  bitOf,
  ENCLAVE_FLAG,
  ENCLAVE_REPORT_SIZE,
  type EnclaveReport,
  encodeEnclaveReport,
  encodeTdReport,
  parseEnclaveReport,
  parseTdReport,
  TD_ATTRIBUTE,
  TD10_REPORT_SIZE,
  TD15_REPORT_SIZE,
  type TdReport,
} from "./reports.ts";
export {
  judgeTcb,
  type Shortfall,
  sortedLevels,
  type TcbAnswer,
  type TcbQuestion,
  type Verdict,
} from "./tcb.ts";
