// SPDX-License-Identifier: Apache-2.0
// Every TEE at once. For one TEE in a small bundle import its subpath: ./sgx, ./tdx, ./snp, ./sample.

export {
  checkReportData,
  deviceReportDataOf,
  INIT_DATA_WIDTH,
  initDataField,
  type RuntimeData,
  reportDataOf,
} from "./binding.ts";
export { createCache, type VerificationCache } from "./cache.ts";
export {
  type CompositeEvidence,
  type CompositeOptions,
  encodeAdditionalEvidence,
  parseAdditionalEvidence,
  partNamesOf,
  type VerifiedComposite,
  verifyComposite,
} from "./composite.ts";
export { type Envelope, isTeeName, TEE_NAMES, type TeeName } from "./envelope.ts";
export { EvidenceError, type EvidenceErrorCode } from "./errors.ts";
export { type EventLogOptions, verifyEventLog } from "./eventlog/verify.ts";
export {
  detectTee,
  inspectEvidence,
  SCHEMES,
  schemeOf,
  type VerifyEvidenceOptions,
  verifyEvidence,
} from "./registry.ts";
export type { EvidenceRequest, EvidenceRequestOptions, Scheme, VerifyOptions } from "./scheme.ts";
export {
  assertVerified,
  type EndorsementsUsed,
  type MeasurementRegister,
  type Tcb,
  type TcbComponent,
  type TcbStatus,
  type Trust,
  type VerifiedEvidence,
  type Warning,
} from "./verified.ts";
