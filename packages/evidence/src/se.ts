// SPDX-License-Identifier: Apache-2.0
// IBM Secure Execution alone, for small bundles: ask for evidence, verify it, read and write its parts.

export {
  createSeChallenge,
  createSeRequest,
  type MadeSeRequest,
  type SeRequestOptions,
  unwrapProtectionKey,
} from "./ibm/challenge.ts";
export {
  type HostKeyOptions,
  phkhOf,
  type VerifiedHostKey,
  verifyHostKeyDocument,
} from "./ibm/endorsements.ts";
export {
  encodeSeEvidence,
  encodeSeExchangeRequest,
  parseSeEvidence,
  parseSeExchangeRequest,
  type SeEvidence,
  type SeExchange,
  type SeExchangeRequest,
  type SeResponse,
} from "./ibm/evidence.ts";
export { parseSeHeader, parseSeTags, SE_HEADER_KIND, type SeHeaderTags } from "./ibm/header.ts";
export {
  hasSeFlag,
  parseAdditionalData,
  SE_FLAGS,
  type SeAdditionalData,
  type SeMeasured,
  seFlags,
  seMeasurement,
} from "./ibm/measurement.ts";
export {
  encodeSeRequest,
  openSeRequest,
  parseSeRequest,
  type SeKeySlot,
  type SeRequest,
  type SeSecrets,
  sealSeRequest,
} from "./ibm/request.ts";
export { type SealableSeSecrets, sealSeSecrets } from "./ibm/secrets.ts";
export { verifySe } from "./ibm/verify.ts";
