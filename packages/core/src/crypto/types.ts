// SPDX-License-Identifier: Apache-2.0
// The one interface over node:crypto and WebCrypto. Signatures are always IEEE P1363 (r || s) here.

import type { Bytes } from "../bytes.ts";

export type HashName = "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";
export type CurveName = "P-256" | "P-384" | "P-521";

/** How a signature was made; complete, so that nothing is taken from the signature itself. */
export type SignatureAlgorithm =
  | { readonly name: "ECDSA"; readonly hash: HashName }
  | { readonly name: "RSA-PSS"; readonly hash: HashName; readonly saltLength: number }
  | { readonly name: "RSASSA-PKCS1-v1_5"; readonly hash: HashName }
  | { readonly name: "Ed25519" };

/** What kind of key a SubjectPublicKeyInfo holds. */
export type KeyAlgorithm =
  | { readonly name: "EC"; readonly curve: CurveName }
  | { readonly name: "RSA" }
  | { readonly name: "Ed25519" };

/** Node answers at once, WebCrypto with a promise: `await` either. */
export type MaybePromise<T> = T | Promise<T>;

/** A public key prepared for repeated use. */
export interface PublicKey {
  readonly algorithm: KeyAlgorithm;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /**
   * True when `signature` over `data` is valid. A signature of the wrong length, out of range, or of an
   * algorithm that does not fit the key is false, not an error.
   */
  verify(algorithm: SignatureAlgorithm, signature: Uint8Array, data: Uint8Array): MaybePromise<boolean>;
}

/** A private key for signing: simulators, brokers, tests. */
export interface PrivateKey {
  readonly publicKey: PublicKey;
  sign(algorithm: SignatureAlgorithm, data: Uint8Array): MaybePromise<Bytes>;
  /** PKCS #8, DER. */
  export(): MaybePromise<Bytes>;
}

export type KeySpec = KeyAlgorithm | { readonly name: "RSA"; readonly bits: 2048 | 3072 | 4096 };

/** What verification needs of a provider. Bundles that only verify carry nothing else. */
export interface VerifyingCrypto {
  readonly name: "node" | "webcrypto";
  digest(hash: HashName, data: Uint8Array): MaybePromise<Bytes>;
  /** Throws `INVALID_KEY` or `UNSUPPORTED_ALGORITHM`. */
  importPublicKey(spki: Uint8Array): MaybePromise<PublicKey>;
}

export interface CryptoProvider extends VerifyingCrypto {
  hmac(hash: HashName, key: Uint8Array, data: Uint8Array): MaybePromise<Bytes>;
  randomBytes(length: number): Bytes;
  /** Throws `INVALID_KEY` or `UNSUPPORTED_ALGORITHM`. `pkcs8` is DER. */
  importPrivateKey(pkcs8: Uint8Array): MaybePromise<PrivateKey>;
  /** RSA without `bits` makes 4096. */
  generateKey(spec: KeySpec): Promise<PrivateKey>;
  /**
   * The x-coordinate that ECDH gives both sides (SP 800-56A section 5.7.1.2), as long as the curve's field.
   * Throws `INVALID_KEY` unless both keys are EC keys on one curve.
   */
  agree(privateKey: PrivateKey, peer: PublicKey): Promise<Bytes>;
  /**
   * AES in counter mode (SP 800-38A section 6.5), both ways. `key` has 16 or 32 bytes, `counter` 16: the first block,
   * big-endian, never to be used again under this key. Throws `INVALID_KEY`.
   */
  aesCtr(key: Uint8Array, counter: Uint8Array, data: Uint8Array): MaybePromise<Bytes>;
}

/** Hashes of the synchronous interface. MD5 is here for checksums alone: no signature is made or checked with it. */
export type DigestName = HashName | "MD5";

export interface SyncPublicKey extends PublicKey {
  verify(algorithm: SignatureAlgorithm, signature: Uint8Array, data: Uint8Array): boolean;
}

export interface SyncPrivateKey extends PrivateKey {
  readonly publicKey: SyncPublicKey;
  sign(algorithm: SignatureAlgorithm, data: Uint8Array): Bytes;
}

/** For code that cannot wait for a promise. Slower than `CryptoProvider` in browsers, where WebCrypto always waits. */
export interface SyncCrypto {
  /** `portable`: TypeScript alone. */
  readonly name: "node" | "portable";
  digest(hash: DigestName, data: Uint8Array): Bytes;
  hmac(hash: DigestName, key: Uint8Array, data: Uint8Array): Bytes;
  /** Throws `INVALID_KEY` or `UNSUPPORTED_ALGORITHM`. */
  importPublicKey(spki: Uint8Array): SyncPublicKey;
  /**
   * `pkcs8` is DER. Throws `INVALID_KEY` or `UNSUPPORTED_ALGORITHM`; the latter also for RSA where there is no Node,
   * because arithmetic on big integers in JavaScript tells the key by the time it takes.
   */
  importPrivateKey(pkcs8: Uint8Array): SyncPrivateKey;
}
