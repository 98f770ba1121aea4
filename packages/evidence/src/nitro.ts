// SPDX-License-Identifier: Apache-2.0
// AWS Nitro Enclaves alone, for small bundles: verify an attestation document, read and write its parts.

export { PINNED_ROOTS as NITRO_ROOTS } from "./aws/endorsements.ts";
export {
  encodeNitroClaims,
  encodeNitroDocument,
  NITRO_SIGNATURE,
  type NitroClaims,
  type NitroDocument,
  parseNitroDocument,
} from "./aws/evidence.ts";
export { nitro } from "./aws/scheme.ts";
export { verifyNitro } from "./aws/verify.ts";
