// SPDX-License-Identifier: Apache-2.0
// The crypto of this runtime: node:crypto in Node, WebCrypto elsewhere, chosen when the module is resolved.

export { provider as defaultCrypto, verifier as verifyingCrypto } from "#provider";
export {
  ecdsaFromDer,
  ecdsaToDer,
  fieldSize,
  keyAlgorithmOf,
  pointOfSpki,
  spkiOfPoint,
} from "./crypto/keys.ts";
export type {
  CryptoProvider,
  CurveName,
  HashName,
  KeyAlgorithm,
  KeySpec,
  MaybePromise,
  PrivateKey,
  PublicKey,
  SignatureAlgorithm,
  VerifyingCrypto,
} from "./crypto/types.ts";
