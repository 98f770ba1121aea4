// SPDX-License-Identifier: Apache-2.0
// Numbers of PKCS #11 (OASIS, Base Specification 3.0 appendix B; Cryptographic Token Interface header).

export const CKF = { rwSession: 2n, serialSession: 4n, osLocking: 2n } as const;
export const CKU_USER = 1n;
export const CKO = { data: 0n, publicKey: 2n, privateKey: 3n, secretKey: 4n } as const;
export const CKK = { rsa: 0n, genericSecret: 0x10n, aes: 0x1fn } as const;
export const CKA = {
  class: 0x0n,
  token: 0x1n,
  private: 0x2n,
  label: 0x3n,
  application: 0x10n,
  value: 0x11n,
  objectId: 0x12n,
  keyType: 0x100n,
  sensitive: 0x103n,
  encrypt: 0x104n,
  decrypt: 0x105n,
  wrap: 0x106n,
  unwrap: 0x107n,
  sign: 0x108n,
  modulusBits: 0x121n,
  publicExponent: 0x122n,
  valueLen: 0x161n,
  extractable: 0x162n,
  modifiable: 0x170n,
} as const;
export const CKM = {
  rsaKeyPairGen: 0x0n,
  rsaOaep: 0x9n,
  sha1: 0x220n,
  sha256: 0x250n,
  aesKeyGen: 0x1080n,
  aesGcm: 0x1087n,
} as const;
export const CKG_MGF1 = { sha1: 1n, sha256: 2n } as const;
export const CKZ_DATA_SPECIFIED = 1n;

/** Return values that are told apart; the others are shown as numbers. */
export const CKR = {
  ok: 0n,
  tokenNotPresent: 0xe0n,
  sessionHandleInvalid: 0xb3n,
  pinIncorrect: 0xa0n,
  pinLocked: 0xa4n,
  userAlreadyLoggedIn: 0x100n,
  alreadyInitialized: 0x191n,
} as const;
/** "This attribute cannot be read" in place of a length. */
export const UNAVAILABLE: bigint = 0xffffffffffffffffn;
