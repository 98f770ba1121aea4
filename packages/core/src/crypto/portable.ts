// SPDX-License-Identifier: Apache-2.0
// Synchronous crypto where there is no Node: curves and hashes of the noble libraries, RSA verification of our own.

import type { ECDSA } from "@noble/curves/abstract/weierstrass.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { hmac } from "@noble/hashes/hmac.js";
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../bytes.ts";
import { concat } from "../bytes.ts";
import { type DerValue, encodeDer, parseDer } from "../der.ts";
import { CoreError, malformed } from "../errors.ts";
import {
  fits,
  isPlausibleEcdsa,
  keyAlgorithmOf,
  privateKeyAlgorithmOf,
  scalarOfPkcs8,
  spkiOfPoint,
} from "./keys.ts";
import { rsaPublicKeyOf, rsaVerify } from "./rsa.ts";
import type {
  CurveName,
  DigestName,
  KeyAlgorithm,
  SignatureAlgorithm,
  SyncCrypto,
  SyncPrivateKey,
  SyncPublicKey,
} from "./types.ts";

const HASHES = { MD5: md5, "SHA-1": sha1, "SHA-256": sha256, "SHA-384": sha384, "SHA-512": sha512 } as const;
const CURVES: Readonly<Record<CurveName, ECDSA>> = { "P-256": p256, "P-384": p384, "P-521": p521 };
const OID_ED25519 = "1.3.101.112";

type Verify = (how: SignatureAlgorithm, signature: Uint8Array, data: Uint8Array) => boolean;

export const syncCrypto: SyncCrypto = {
  name: "portable",
  digest,
  hmac: (hash, key, data) => Uint8Array.from(hmac(HASHES[hash], key, data)),
  importPublicKey: (spki) => {
    const algorithm = keyAlgorithmOf(spki);
    return publicKeyOf(algorithm, spki, verifierOf(algorithm, spki));
  },
  importPrivateKey,
};

function digest(hash: DigestName, data: Uint8Array): Bytes {
  return Uint8Array.from(HASHES[hash](data));
}

function publicKeyOf(algorithm: KeyAlgorithm, spki: Uint8Array, verify: Verify): SyncPublicKey {
  return {
    algorithm,
    spki,
    verify: (how, signature, data) => fits(how, algorithm) && verify(how, signature, data),
  };
}

function verifierOf(algorithm: KeyAlgorithm, spki: Uint8Array): Verify {
  switch (algorithm.name) {
    case "EC": {
      const { curve } = algorithm;
      const point = rawKeyOf(spki);
      if (!CURVES[curve].utils.isValidPublicKey(point)) throw offTheCurve(curve);
      return (how, signature, data) =>
        how.name === "ECDSA" &&
        isPlausibleEcdsa(curve, signature) &&
        CURVES[curve].verify(signature, digest(how.hash, data), point, { prehash: false, lowS: false });
    }
    case "RSA": {
      const key = rsaPublicKeyOf(spki);
      return (how, signature, data) =>
        (how.name === "RSA-PSS" || how.name === "RSASSA-PKCS1-v1_5") &&
        rsaVerify(key, how, signature, data, digest);
    }
    case "Ed25519": {
      const key = rawKeyOf(spki);
      if (key.length !== 32) throw offTheCurve("Ed25519");
      // Strictly RFC 8032: no encodings that only ZIP 215 takes.
      return (_how, signature, data) =>
        signature.length === 64 && ed25519.verify(signature, data, key, { zip215: false });
    }
  }
}

function importPrivateKey(pkcs8: Uint8Array): SyncPrivateKey {
  const algorithm = privateKeyAlgorithmOf(pkcs8);
  const [, , octets] = parseDer(pkcs8, "PrivateKeyInfo").sequence() as [DerValue, DerValue, DerValue?];
  if (octets === undefined) throw malformed("INVALID_KEY", "Cannot import private key: it has no key");
  switch (algorithm.name) {
    case "RSA":
      throw new CoreError(
        "UNSUPPORTED_ALGORITHM",
        "misuse",
        "Cannot import RSA private key: nothing in this runtime signs with RSA at once",
        { hint: "Sign with ECDSA or Ed25519, or in Node." },
      );
    case "EC": {
      const { curve } = algorithm;
      const scalar = scalarOfPkcs8(curve, pkcs8);
      const library = CURVES[curve];
      const spki = spkiOfPoint(curve, library.getPublicKey(scalar, false).subarray(1));
      return privateKeyOf(algorithm, spki, pkcs8, (how, data) =>
        how.name === "ECDSA"
          ? Uint8Array.from(library.sign(digest(how.hash, data), scalar, { prehash: false, lowS: false }))
          : undefined,
      );
    }
    case "Ed25519": {
      const seed = parseDer(octets.octetString(), "Ed25519 private key").octetString();
      if (seed.length !== 32)
        throw malformed("INVALID_KEY", "Cannot import private key: it is no seed of Ed25519");
      const point = Uint8Array.of(0, ...ed25519.getPublicKey(seed));
      const spki = encodeDer.sequence(
        encodeDer.sequence(encodeDer.oid(OID_ED25519)),
        encodeDer.value(3, point),
      );
      return privateKeyOf(algorithm, spki, pkcs8, (_how, data) => Uint8Array.from(ed25519.sign(data, seed)));
    }
  }
}

function privateKeyOf(
  algorithm: KeyAlgorithm,
  spki: Uint8Array,
  pkcs8: Uint8Array,
  sign: (how: SignatureAlgorithm, data: Uint8Array) => Bytes | undefined,
): SyncPrivateKey {
  return {
    publicKey: publicKeyOf(algorithm, spki, verifierOf(algorithm, spki)),
    sign: (how, data) => {
      const signature = fits(how, algorithm) ? sign(how, data) : undefined;
      if (signature !== undefined) return signature;
      throw new CoreError(
        "UNSUPPORTED_ALGORITHM",
        "misuse",
        `Cannot sign with ${how.name}: the key is ${algorithm.name}`,
      );
    },
    export: () => concat(pkcs8),
  };
}

/** The contents of the key's BIT STRING. */
function rawKeyOf(spki: Uint8Array): Uint8Array {
  const [, key] = parseDer(spki, "SubjectPublicKeyInfo").sequence(2) as [DerValue, DerValue];
  return key.bitString();
}

function offTheCurve(curve: string): CoreError {
  return malformed("INVALID_KEY", `Cannot import public key: it is no point of ${curve}`);
}
