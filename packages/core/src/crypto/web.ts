// SPDX-License-Identifier: Apache-2.0
// WebCrypto: browsers, edge runtimes, Deno, Bun.

import type { Bytes } from "../bytes.ts";
import { CoreError } from "../errors.ts";
import { fits, isPlausibleEcdsa, keyAlgorithmOf } from "./keys.ts";
import type {
  CryptoProvider,
  HashName,
  KeyAlgorithm,
  KeySpec,
  PrivateKey,
  PublicKey,
  SignatureAlgorithm,
} from "./types.ts";

const subtle = globalThis.crypto.subtle;
const RSA_EXPONENT = Uint8Array.of(1, 0, 1);

/** The provider of this runtime. */
export const provider: CryptoProvider = {
  name: "webcrypto",
  digest: async (hash, data) => new Uint8Array(await subtle.digest(hash, plain(data))),
  hmac: async (hash, key, data) => {
    const imported = await subtle.importKey("raw", plain(key), { name: "HMAC", hash }, false, ["sign"]);
    return new Uint8Array(await subtle.sign("HMAC", imported, plain(data)));
  },
  randomBytes: (length) => globalThis.crypto.getRandomValues(new Uint8Array(length)),
  importPublicKey: (spki) => wrapPublic(keyAlgorithmOf(spki), spki),
  importPrivateKey: async (pkcs8) => wrapPrivate(await importAny(pkcs8), pkcs8),
  generateKey: async (spec) => {
    const pair = (await subtle.generateKey(generateParameters(spec), true, [
      "sign",
      "verify",
    ])) as CryptoKeyPair;
    const spki = new Uint8Array(await subtle.exportKey("spki", pair.publicKey));
    const pkcs8 = new Uint8Array(await subtle.exportKey("pkcs8", pair.privateKey));
    return wrapPrivate(await wrapPublic(keyAlgorithmOf(spki), spki), pkcs8);
  },
};

/** WebCrypto ties a key to a hash when it is imported, so keys are kept per algorithm. */
async function wrapPublic(algorithm: KeyAlgorithm, spki: Uint8Array): Promise<PublicKey> {
  const prepared = new Map<string, Promise<CryptoKey>>();
  const keyFor = (how: SignatureAlgorithm): Promise<CryptoKey> => {
    const parameters = importParameters(how, algorithm);
    const id = JSON.stringify(parameters);
    let key = prepared.get(id);
    if (key === undefined) {
      key = subtle.importKey("spki", plain(spki), parameters, true, ["verify"]);
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
      return subtle.verify(useParameters(how), await keyFor(how), plain(signature), plain(data));
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
      const key = await subtle.importKey(
        "pkcs8",
        plain(pkcs8),
        importParameters(how, publicKey.algorithm),
        false,
        ["sign"],
      );
      return new Uint8Array(await subtle.sign(useParameters(how), key, plain(data)));
    },
    export: () => new Uint8Array(pkcs8),
  };
}

/** WebCrypto cannot say what a PKCS #8 blob holds: try each kind, then go through JWK to the public half. */
async function importAny(pkcs8: Uint8Array): Promise<PublicKey> {
  const kinds: KeyAlgorithm[] = [
    { name: "EC", curve: "P-256" },
    { name: "EC", curve: "P-384" },
    { name: "EC", curve: "P-521" },
    { name: "RSA" },
    { name: "Ed25519" },
  ];
  for (const kind of kinds) {
    const parameters = importParameters(naturalUse(kind), kind);
    const key = await subtle
      .importKey("pkcs8", plain(pkcs8), parameters, true, ["sign"])
      .catch(() => undefined);
    if (key === undefined) continue;
    const { kty, crv, x, y, n, e } = await subtle.exportKey("jwk", key);
    const half = Object.fromEntries(
      Object.entries({ kty, crv, x, y, n, e }).filter(([, v]) => v !== undefined),
    );
    const publicKey = await subtle.importKey("jwk", half, parameters, true, ["verify"]);
    const spki = new Uint8Array(await subtle.exportKey("spki", publicKey));
    return wrapPublic(keyAlgorithmOf(spki), spki);
  }
  throw new CoreError("INVALID_KEY", "malformed", "Cannot import private key: the crypto library refused it");
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

type ImportParameters = RsaHashedImportParams | EcKeyImportParams | { name: "Ed25519" };

function importParameters(how: SignatureAlgorithm, key: KeyAlgorithm): ImportParameters {
  switch (how.name) {
    case "ECDSA":
      return { name: "ECDSA", namedCurve: key.name === "EC" ? key.curve : "" };
    case "RSA-PSS":
    case "RSASSA-PKCS1-v1_5":
      return { name: how.name, hash: how.hash };
    case "Ed25519":
      return { name: "Ed25519" };
  }
}

function useParameters(how: SignatureAlgorithm): EcdsaParams | RsaPssParams | { name: string } {
  switch (how.name) {
    case "ECDSA":
      return { name: "ECDSA", hash: how.hash };
    case "RSA-PSS":
      return { name: "RSA-PSS", saltLength: how.saltLength };
    case "RSASSA-PKCS1-v1_5":
    case "Ed25519":
      return { name: how.name };
  }
}

function generateParameters(spec: KeySpec): RsaHashedKeyGenParams | EcKeyGenParams | { name: "Ed25519" } {
  switch (spec.name) {
    case "EC":
      return { name: "ECDSA", namedCurve: spec.curve };
    case "RSA":
      return {
        name: "RSA-PSS",
        hash: "SHA-384" satisfies HashName,
        modulusLength: "bits" in spec ? spec.bits : 4096,
        publicExponent: RSA_EXPONENT,
      };
    case "Ed25519":
      return { name: "Ed25519" };
  }
}

/** WebCrypto refuses views over shared memory; a plain view passes without a copy. */
function plain(bytes: Uint8Array): Bytes {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : new Uint8Array(bytes);
}
