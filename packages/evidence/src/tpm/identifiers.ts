// SPDX-License-Identifier: Apache-2.0
// What credential activation says of a key that becomes an anchor.

/** The key's name, hex: name algorithm and digest of its public area. */
export const AK_NAME = "ak-name";
/** SHA-256 of the SubjectPublicKeyInfo of the endorsement key that it was activated with, hex. */
export const EK_DIGEST = "ek-sha256";
