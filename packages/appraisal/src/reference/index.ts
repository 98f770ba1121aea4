// SPDX-License-Identifier: Apache-2.0
// Reference values as others publish them, each with who vouches for it.

export { type CorimOptions, type ReferenceTrust, readCorim } from "./corim.ts";
export {
  type CorimMeasurement,
  type CorimSigner,
  type CorimTemplate,
  encodeCorim,
  signCorim,
} from "./corim-encode.ts";
export type { DigestAlgorithm, FlagName } from "./corim-labels.ts";
export { type PlainOptions, readPlainReferences } from "./plain.ts";
export {
  referenceValuesOf,
  type TakeOptions,
  type VouchedValue,
  type Voucher,
  vouchersOf,
} from "./voucher.ts";
