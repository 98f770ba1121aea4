// SPDX-License-Identifier: Apache-2.0
// NVIDIA GPUs and switches alone, for small bundles: verify a report, read and write its parts.

export { compareRims, type RimComparison, type RimMismatch } from "./nvidia/compare.ts";
export { DICE_TCB_INFO, type NvidiaChip, type NvidiaDeviceKind } from "./nvidia/endorsements.ts";
export {
  encodeNvidiaReport,
  encodeNvidiaSignedPart,
  type NvidiaMeasurement,
  type NvidiaReport,
  type ParsedNvidiaReport,
  parseNvidiaReport,
} from "./nvidia/evidence.ts";
export { NVIDIA_OPAQUE, type NvidiaOpaqueField } from "./nvidia/opaque.ts";
export {
  parseRim,
  type Rim,
  type RimMeasurement,
  rimReferenceValues,
  type VerifiedRim,
  verifyRim,
} from "./nvidia/rim.ts";
export { verifyNvidia } from "./nvidia/verify.ts";
export { OCSP_KIND } from "./ocsp.ts";
