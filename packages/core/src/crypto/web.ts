// SPDX-License-Identifier: Apache-2.0
// WebCrypto: browsers, edge runtimes, Deno, Bun.

import type { Bytes } from "../bytes.ts";
import { CoreError } from "../errors.ts";
import {
  checkAesCtr,
  checkAgreement,
  fieldSize,
  fits,
  isPlausibleEcdsa,
  keyAlgorithmOf,
  privateKeyAlgorithmOf,
} from "./keys.ts";
import type {
  CryptoProvider,
  CurveName,
  KeyAlgorithm,
  PrivateKey,
  PublicKey,
  SignatureAlgorithm,
  VerifyingCrypto,
} from "./types.ts";

const subtle = globalThis.crypto.subtle;

const importPublicKey: VerifyingCrypto["importPublicKey"] = (spki) => wrapPublic(keyAlgorithmOf(spki), spki);
const digest: VerifyingCrypto["digest"] = async (hash, data) =>
  new Uint8Array(await subtle.digest(hash, plain(data)));

/** The part of `provider` that verification needs; an object of its own, so that bundles may drop the rest. */
export const verifier: VerifyingCrypto = { name: "webcrypto", digest, importPublicKey };

/** The provider of this runtime. */
export const provider: CryptoProvider = {
  name: "webcrypto",
  digest,
  hmac: async (hash, key, data) => {
    const imported = await subtle.importKey("raw", plain(key), { name: "HMAC", hash }, false, ["sign"]);
    return new Uint8Array(await subtle.sign("HMAC", imported, plain(data)));
  },
  randomBytes: (length) => globalThis.crypto.getRandomValues(new Uint8Array(length)),
  importPublicKey,
  importPrivateKey: async (pkcs8) => wrapPrivate(await publicHalf(pkcs8), pkcs8),
  generateKey: async (spec) => {
    const modulusLength = "bits" in spec ? spec.bits : 4096;
    const rsa = spec.name === "RSA" ? { modulusLength, publicExponent: Uint8Array.of(1, 0, 1) } : {};
    const pair = (await subtle.generateKey({ ...parameters(naturalUse(spec), spec), ...rsa }, true, [
      "sign",
      "verify",
    ])) as CryptoKeyPair;
    const spki = new Uint8Array(await subtle.exportKey("spki", pair.publicKey));
    const pkcs8 = new Uint8Array(await subtle.exportKey("pkcs8", pair.privateKey));
    return wrapPrivate(await wrapPublic(keyAlgorithmOf(spki), spki), pkcs8);
  },
  agree: async (privateKey, peer) => {
    const curve = checkAgreement(privateKey, peer);
    const dictionary = { name: "ECDH", namedCurve: curve };
    const pkcs8 = plain(await privateKey.export());
    const secret = await subtle.importKey("pkcs8", pkcs8, dictionary, false, ["deriveBits"]);
    const imported = await subtle.importKey("spki", plain(peer.spki), dictionary, true, []);
    const bits = 8 * fieldSize(curve);
    return new Uint8Array(await subtle.deriveBits({ name: "ECDH", public: imported }, secret, bits));
  },
  aesCtr: async (key, counter, data) => {
    checkAesCtr(key, counter);
    const imported = await subtle.importKey("raw", plain(key), "AES-CTR", false, ["encrypt"]);
    const how = { name: "AES-CTR", counter: plain(counter), length: 128 };
    return new Uint8Array(await subtle.encrypt(how, imported, plain(data)));
  },
};

/** WebCrypto ties a key to a hash when it is imported, so keys are kept per algorithm. */
async function wrapPublic(algorithm: KeyAlgorithm, spki: Uint8Array): Promise<PublicKey> {
  const prepared = new Map<string, Promise<CryptoKey>>();
  const keyFor = (how: SignatureAlgorithm): Promise<CryptoKey> => {
    const dictionary = parameters(how, algorithm);
    const id = JSON.stringify(dictionary);
    let key = prepared.get(id);
    if (key === undefined) {
      key = subtle.importKey("spki", plain(spki), dictionary, true, ["verify"]);
      prepared.set(id, key);
    }
    return key;
  };
  try {
    await keyFor(naturalUse(algorithm));
  } catch {
    throw new CoreError(
      "INVALID_KEY",
      "malformed",
      "Cannot import public key: the crypto library refused it",
    );
  }
  return {
    algorithm,
    spki,
    verify: async (how, signature, data) => {
      if (!fits(how, algorithm)) return false;
      if (algorithm.name === "EC" && !isPlausibleEcdsa(algorithm.curve, signature)) return false;
      return subtle.verify(how, await keyFor(how), plain(signature), plain(data));
    },
  };
}

function wrapPrivate(publicKey: PublicKey, pkcs8: Uint8Array): PrivateKey {
  return {
    publicKey,
    sign: async (how, data) => {
      if (!fits(how, publicKey.algorithm)) {
        throw new CoreError(
          "UNSUPPORTED_ALGORITHM",
          "misuse",
          `Cannot sign with ${how.name}: the key is ${publicKey.algorithm.name}`,
        );
      }
      const key = await subtle.importKey("pkcs8", plain(pkcs8), parameters(how, publicKey.algorithm), false, [
        "sign",
      ]);
      return new Uint8Array(await subtle.sign(how, key, plain(data)));
    },
    export: () => new Uint8Array(pkcs8),
  };
}

/** WebCrypto gives the public half of a private key only through JWK. */
async function publicHalf(pkcs8: Uint8Array): Promise<PublicKey> {
  try {
    const algorithm = privateKeyAlgorithmOf(pkcs8);
    const dictionary = parameters(naturalUse(algorithm), algorithm);
    const key = await subtle.importKey("pkcs8", plain(pkcs8), dictionary, true, ["sign"]);
    const { kty, crv, x, y, n, e } = await subtle.exportKey("jwk", key);
    // Through JSON: importKey takes no members that are undefined.
    const half = JSON.parse(JSON.stringify({ kty, crv, x, y, n, e })) as JsonWebKey;
    const publicKey = await subtle.importKey("jwk", half, dictionary, true, ["verify"]);
    return await wrapPublic(algorithm, new Uint8Array(await subtle.exportKey("spki", publicKey)));
  } catch {
    throw new CoreError(
      "INVALID_KEY",
      "malformed",
      "Cannot import private key: the crypto library refused it",
    );
  }
}

function naturalUse(key: KeyAlgorithm): SignatureAlgorithm {
  switch (key.name) {
    case "EC":
      return { name: "ECDSA", hash: "SHA-256" };
    case "RSA":
      return { name: "RSA-PSS", hash: "SHA-384", saltLength: 48 };
    case "Ed25519":
      return { name: "Ed25519" };
  }
}

/** One dictionary serves every call: WebCrypto ignores members that a call has no use for. */
function parameters(
  how: SignatureAlgorithm,
  key: KeyAlgorithm,
): SignatureAlgorithm & { readonly namedCurve?: CurveName } {
  return key.name === "EC" ? { ...how, namedCurve: key.curve } : how;
}

/** WebCrypto refuses views over shared memory; a plain view passes without a copy. */
function plain(bytes: Uint8Array): Bytes {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : new Uint8Array(bytes);
}
