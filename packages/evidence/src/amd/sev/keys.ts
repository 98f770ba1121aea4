// SPDX-License-Identifier: Apache-2.0
// Public keys out of binary certificates, and the signatures that they verify: RSASSA-PSS with a salt as long as the
// hash, ECDSA. SEV API (55766) section C.3.

import { type Bytes, isZero } from "@adyton/core/bytes";
import {
  fieldSize,
  type MaybePromise,
  type PublicKey,
  type SignatureAlgorithm,
  spkiOfPoint,
  type VerifyingCrypto,
} from "@adyton/core/crypto";
import { encodeDer } from "@adyton/core/der";
import type { SevCaCertificate } from "./ca.ts";
import type { SevCertificate } from "./endorsements.ts";
import { hashOf, joinScalars } from "./numbers.ts";
import type { SevPlatformCertificate, SevSignature } from "./platform.ts";

const OID_RSA = "1.2.840.113549.1.1.1";
const SALT = { "SHA-256": 32, "SHA-384": 48 } as const;
/** Naples signs with 2048 bits and SHA-256, every later generation with 4096 and SHA-384. */
const SMALL_MODULUS = 256;

/** SubjectPublicKeyInfo of a certificate's key. */
export function sevSpkiOf(certificate: SevCertificate): Bytes {
  if ("point" in certificate) return spkiOfPoint(certificate.curve, certificate.point);
  return encodeDer.sequence(
    encodeDer.sequence(encodeDer.oid(OID_RSA), encodeDer.null()),
    encodeDer.bitString(
      encodeDer.sequence(encodeDer.unsigned(certificate.modulus), encodeDer.integer(certificate.exponent)),
    ),
  );
}

/** Whether `signer` made the signature of an ARK or ASK. */
export async function caSigned(
  certificate: SevCaCertificate,
  signer: SevCaCertificate,
  crypto: VerifyingCrypto,
): Promise<boolean> {
  const { signature, signedPart } = certificate;
  if (signature.length !== signer.modulus.length) return false;
  const key = await publicKeyOf(signer, crypto);
  return key.verify(pss(signer), signature, signedPart);
}

/** Whether the ASK made the signature in a slot over `data`. */
export async function caSignedSlot(
  slot: SevSignature,
  signer: SevCaCertificate,
  data: Uint8Array,
  crypto: VerifyingCrypto,
): Promise<boolean> {
  const { algorithm, signature } = slot;
  const how = pss(signer);
  const above = signature.length - signer.modulus.length;
  if (!algorithm.startsWith("RSA") || hashOf(algorithm) !== how.hash) return false;
  if (!isZero(signature.subarray(0, above))) return false;
  const key = await publicKeyOf(signer, crypto);
  return key.verify(how, signature.subarray(above), data);
}

/** Whether a platform's key signed `data` with r and s of 72 bytes each, with the algorithm it is made for. */
export async function platformSigned(
  { algorithm, signature }: Pick<SevSignature, "algorithm" | "signature">,
  signer: SevPlatformCertificate,
  data: Uint8Array,
  crypto: VerifyingCrypto,
): Promise<boolean> {
  if (!algorithm.startsWith("ECDSA") || algorithm !== signer.algorithm) return false;
  const joined = joinScalars(signature, fieldSize(signer.curve));
  if (joined === undefined) return false;
  const key = await publicKeyOf(signer, crypto);
  return key.verify({ name: "ECDSA", hash: hashOf(algorithm) }, joined, data);
}

function pss(signer: SevCaCertificate): Extract<SignatureAlgorithm, { name: "RSA-PSS" }> & {
  readonly hash: keyof typeof SALT;
} {
  const hash = signer.modulus.length === SMALL_MODULUS ? "SHA-256" : "SHA-384";
  return { name: "RSA-PSS", hash, saltLength: SALT[hash] };
}

/** Imported once per certificate object and crypto provider. Throws `INVALID_KEY` for a point off its curve. */
function publicKeyOf(certificate: SevCertificate, crypto: VerifyingCrypto): MaybePromise<PublicKey> {
  let keys = imported.get(crypto);
  if (keys === undefined) {
    keys = new WeakMap();
    imported.set(crypto, keys);
  }
  let key = keys.get(certificate);
  if (key === undefined) {
    key = crypto.importPublicKey(sevSpkiOf(certificate));
    keys.set(certificate, key);
  }
  return key;
}
const imported = new WeakMap<VerifyingCrypto, WeakMap<SevCertificate, MaybePromise<PublicKey>>>();
