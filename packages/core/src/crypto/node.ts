// SPDX-License-Identifier: Apache-2.0
// node:crypto with prepared key objects: several times faster per call than WebCrypto.

import {
  constants,
  createCipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPair,
  hash,
  type JsonWebKeyInput,
  type KeyObject,
  type PublicKeyInput,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { promisify } from "node:util";
import { type Bytes, toBase64Url } from "../bytes.ts";
import { CoreError } from "../errors.ts";
import {
  checkAesCtr,
  checkAgreement,
  fits,
  isPlausibleEcdsa,
  keyAlgorithmOf,
  pointOfSpki,
  privateKeyAlgorithmOf,
  scalarOfPkcs8,
} from "./keys.ts";
import { rsaPublicKeyOf } from "./rsa.ts";
import type {
  CryptoProvider,
  DigestName,
  KeyAlgorithm,
  KeySpec,
  SignatureAlgorithm,
  SyncCrypto,
  SyncPrivateKey,
  SyncPublicKey,
  VerifyingCrypto,
} from "./types.ts";

const NODE_HASH: Readonly<Record<DigestName, string>> = {
  MD5: "md5",
  "SHA-1": "sha1",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
};

const generate = promisify(generateKeyPair) as (
  type: string,
  options: object,
) => Promise<{ publicKey: KeyObject; privateKey: KeyObject }>;

/** What needs no promise. */
export const syncCrypto: SyncCrypto = {
  name: "node",
  digest: (name, data) => copy(hash(NODE_HASH[name], data, "buffer")),
  hmac: (hash, key, data) => copy(createHmac(NODE_HASH[hash], key).update(data).digest()),
  importPublicKey: (spki) => {
    // The same bounds as without OpenSSL, so that one key is good everywhere or nowhere.
    if (keyAlgorithmOf(spki).name === "RSA") rsaPublicKeyOf(spki);
    return importPublicKey(spki);
  },
  importPrivateKey: (pkcs8) => {
    // OpenSSL takes zero.
    const algorithm = privateKeyAlgorithmOf(pkcs8);
    if (algorithm.name === "EC") scalarOfPkcs8(algorithm.curve, pkcs8);
    return importPrivateKey(pkcs8);
  },
};

/** The provider of this runtime. */
export const provider: CryptoProvider = {
  ...syncCrypto,
  name: "node",
  randomBytes: (length) => copy(randomBytes(length)),
  importPublicKey,
  importPrivateKey,
  generateKey: async (spec) => wrapPrivate((await generate(...generateArguments(spec))).privateKey),
  agree: async (privateKey, peer) => {
    checkAgreement(privateKey, peer);
    const pkcs8 = await privateKey.export();
    return guarded("private", () =>
      copy(
        diffieHellman({
          privateKey: createPrivateKey({ key: pkcs8 as never, format: "der", type: "pkcs8" }),
          publicKey: createPublicKey(keyInput(peer.spki, peer.algorithm)),
        }),
      ),
    );
  },
  aesCtr: (key, counter, data) => {
    checkAesCtr(key, counter);
    const cipher = createCipheriv(key.length === 16 ? "aes-128-ctr" : "aes-256-ctr", key, counter);
    return copy(cipher.update(data));
  },
};

/** Node loads the whole library anyway: verification uses the same object. */
export const verifier: VerifyingCrypto = provider;

function importPublicKey(spki: Uint8Array): SyncPublicKey {
  const algorithm = keyAlgorithmOf(spki);
  return guarded("public", () => wrapPublic(createPublicKey(keyInput(spki, algorithm)), algorithm, spki));
}

function importPrivateKey(pkcs8: Uint8Array): SyncPrivateKey {
  return guarded("private", () =>
    wrapPrivate(createPrivateKey({ key: pkcs8 as never, format: "der", type: "pkcs8" })),
  );
}

/** EC points go through JWK: OpenSSL 3 takes three times as long to decode a SubjectPublicKeyInfo. */
function keyInput(spki: Uint8Array, algorithm: KeyAlgorithm): JsonWebKeyInput | PublicKeyInput {
  const xy = algorithm.name === "EC" ? pointOfSpki(algorithm.curve, spki) : undefined;
  if (algorithm.name !== "EC" || xy === undefined)
    return { key: spki as Buffer, format: "der", type: "spki" };
  const half = xy.length / 2;
  const [x, y] = [toBase64Url(xy.subarray(0, half)), toBase64Url(xy.subarray(half))];
  return { key: { kty: "EC", crv: algorithm.curve, x, y }, format: "jwk" };
}

function wrapPublic(key: KeyObject, algorithm: KeyAlgorithm, spki: Uint8Array): SyncPublicKey {
  // OpenSSL takes a PSS signature whose leading zeros are left out (RFC 8017 section 8.1.2, step 1, does not).
  const bits = algorithm.name === "RSA" ? key.asymmetricKeyDetails?.modulusLength : undefined;
  const size = bits === undefined ? undefined : Math.ceil(bits / 8);
  return {
    algorithm,
    spki,
    verify: (how, signature, data) => {
      if (!fits(how, algorithm)) return false;
      if (size !== undefined && signature.length !== size) return false;
      if (algorithm.name === "EC" && !isPlausibleEcdsa(algorithm.curve, signature)) return false;
      return verify(hashOf(how), data, { key, ...parameters(how) }, signature);
    },
  };
}

function wrapPrivate(key: KeyObject): SyncPrivateKey {
  const spki = copy(createPublicKey(key).export({ format: "der", type: "spki" }));
  const publicKey = wrapPublic(createPublicKey(key), keyAlgorithmOf(spki), spki);
  return {
    publicKey,
    sign: (how, data) => {
      if (!fits(how, publicKey.algorithm)) {
        throw new CoreError(
          "UNSUPPORTED_ALGORITHM",
          "misuse",
          `Cannot sign with ${how.name}: the key is ${publicKey.algorithm.name}`,
        );
      }
      return copy(sign(hashOf(how), data, { key, ...parameters(how) }));
    },
    export: () => copy(key.export({ format: "der", type: "pkcs8" })),
  };
}

function hashOf(how: SignatureAlgorithm): string | null {
  return how.name === "Ed25519" ? null : NODE_HASH[how.hash];
}

function parameters(how: SignatureAlgorithm): object {
  switch (how.name) {
    case "ECDSA":
      return { dsaEncoding: "ieee-p1363" };
    case "RSA-PSS":
      return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: how.saltLength };
    case "RSASSA-PKCS1-v1_5":
      return { padding: constants.RSA_PKCS1_PADDING };
    case "Ed25519":
      return {};
  }
}

function generateArguments(spec: KeySpec): [string, object] {
  switch (spec.name) {
    case "EC":
      return ["ec", { namedCurve: spec.curve }];
    case "RSA":
      return ["rsa", { modulusLength: "bits" in spec ? spec.bits : 4096 }];
    case "Ed25519":
      return ["ed25519", {}];
  }
}

function guarded<T>(kind: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof CoreError) throw cause;
    // The library's message may quote key material: it is kept out of ours.
    throw new CoreError(
      "INVALID_KEY",
      "malformed",
      `Cannot import ${kind} key: the crypto library refused it`,
    );
  }
}

function copy(buffer: Uint8Array): Bytes {
  return new Uint8Array(buffer);
}
