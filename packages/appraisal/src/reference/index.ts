// SPDX-License-Identifier: Apache-2.0
// Reference values as others publish them, each with who vouches for it.

export { sameReference } from "../reference.ts";
export { type CorimOptions, type ReferenceTrust, readCorim } from "./corim.ts";
export {
  type CorimMeasurement,
  type CorimSigner,
  type CorimTemplate,
  encodeCorim,
  signCorim,
} from "./corim-encode.ts";
export type { DigestAlgorithm, FlagName } from "./corim-labels.ts";
export { type DocumentOptions, readReferenceDocument } from "./document.ts";
export { type PlainOptions, readPlainReferences } from "./plain.ts";
export { type RimReadOptions, readRim } from "./rim.ts";
export { referenceStep } from "./step.ts";
export {
  referenceValuesOf,
  sha256Of,
  type TakeOptions,
  VOUCHER_KINDS,
  type VouchedValue,
  type Voucher,
  type VoucherKind,
  voucherLookup,
  vouchersOf,
} from "./voucher.ts";
