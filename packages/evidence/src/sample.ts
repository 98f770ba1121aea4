// SPDX-License-Identifier: Apache-2.0
// The software TEE alone, for small bundles.

export {
  encodeSampleEvidence,
  parseSampleEvidence,
  type SampleClaims,
  type SampleEvidence,
  signedPartOf,
} from "./sample/evidence.ts";
export { sample } from "./sample/scheme.ts";
export { SAMPLE_PLATFORM_NAME, verifySample } from "./sample/verify.ts";
