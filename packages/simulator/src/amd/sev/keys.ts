// SPDX-License-Identifier: Apache-2.0
// Keys of the simulated SEV with their binary certificates. The format has no names: key ids spell the simulator's.

import { type Bytes, concat, fromUtf8, reversed } from "@adyton/core/bytes";
import type { CryptoProvider, PrivateKey } from "@adyton/core/crypto";
import { type DerValue, parseDer } from "@adyton/core/der";
import {
  encodeSevCaBody,
  encodeSevPlatformBody,
  encodeSevPlatformCertificate,
  type SevAlgorithm,
  type SevCaFields,
  type SevPlatformFields,
  type SevSignature,
  splitScalars,
} from "@adyton/evidence/sev";

/** An ARK or ASK: whoever holds this can sign as it. */
export interface SevCaAuthority {
  readonly key: PrivateKey;
  readonly keyId: Uint8Array;
  readonly certificate: Bytes;
}

/** A platform's key with its certificate. */
export interface SevPlatformAuthority {
  readonly key: PrivateKey;
  /** What the key signs with. */
  readonly algorithm: SevAlgorithm;
  readonly certificate: Bytes;
}

/** What an ARK's or ASK's certificate says otherwise than usual, and who signs it. */
export interface SevCaChange extends Partial<Omit<SevCaFields, "signature" | "modulus">> {
  readonly signer?: PrivateKey;
}

/** What a platform certificate says otherwise than usual, and who signs it. */
export interface SevPlatformChange extends Partial<Omit<SevPlatformFields, "signatures" | "point">> {
  readonly key?: PrivateKey;
  /** Replaces the usual signatures, in the order of the slots. */
  readonly signers?: readonly SevSigner[];
}

/** Who signs a slot, and as whom. */
export interface SevSigner {
  readonly usage: SevSignature["usage"];
  readonly algorithm: SevAlgorithm;
  readonly key: PrivateKey;
}

const RSA_FIELD = 512;

/** A key id that says who made it: exactly 16 characters. */
export function simulatorKeyId(text: "Adyton Simulator" | "Adyton Simul ASK"): Bytes {
  return fromUtf8(text);
}

/** Certifies an RSA key; without `issuer` it signs itself. */
export async function certifySevCa(
  usual: Omit<SevCaFields, "signature" | "modulus">,
  key: PrivateKey,
  issuer: PrivateKey,
  change: SevCaChange,
): Promise<SevCaAuthority> {
  const { signer = issuer, ...said } = change;
  const fields = { ...usual, ...said, modulus: modulusOf(key) };
  const body = encodeSevCaBody(fields);
  const signature = await signRsa(signer, body);
  return { key, keyId: fields.keyId, certificate: concat(body, reversed(signature)) };
}

/** Certifies an EC key. */
export async function certifySevPlatform(
  usual: Omit<SevPlatformFields, "signatures" | "point">,
  usualSigners: (own: PrivateKey) => readonly SevSigner[],
  change: SevPlatformChange,
  crypto: CryptoProvider,
): Promise<SevPlatformAuthority> {
  const { key: given, signers: named, ...said } = change;
  const { curve } = { ...usual, ...said };
  const key = given ?? (await crypto.generateKey({ name: "EC", curve }));
  const size = curve === "P-384" ? 96 : 64;
  const fields = { ...usual, ...said, point: key.publicKey.spki.subarray(-size) };
  const body = encodeSevPlatformBody(fields);
  const [first, second] = await Promise.all(
    (named ?? usualSigners(key)).map((signer) => signSlot(signer, body)),
  );
  const certificate = encodeSevPlatformCertificate({ ...fields, signatures: [first, second] });
  return { key, algorithm: fields.algorithm, certificate };
}

/** A signature as it stands in a slot. */
async function signSlot(signer: SevSigner, body: Uint8Array): Promise<SevSignature> {
  const { usage, algorithm, key } = signer;
  if (!algorithm.startsWith("RSA")) return { usage, algorithm, signature: await signEc(signer, body) };
  const signature = await signRsa(key, body);
  return { usage, algorithm, signature: concat(new Uint8Array(RSA_FIELD - signature.length), signature) };
}

/** r and s of 72 bytes each, big-endian. */
export async function signEc(
  { key, algorithm }: Pick<SevSigner, "key" | "algorithm">,
  body: Uint8Array,
): Promise<Bytes> {
  const hash = algorithm.endsWith("SHA256") ? "SHA-256" : "SHA-384";
  return splitScalars(await key.sign({ name: "ECDSA", hash }, body));
}

/** What an RSA key of this size signs slots with. */
export function rsaAlgorithmOf(key: PrivateKey): SevAlgorithm {
  return modulusOf(key).length === 256 ? "RSA-SHA256" : "RSA-SHA384";
}

async function signRsa(key: PrivateKey, body: Uint8Array): Promise<Bytes> {
  const [hash, saltLength] =
    rsaAlgorithmOf(key) === "RSA-SHA256" ? (["SHA-256", 32] as const) : (["SHA-384", 48] as const);
  return key.sign({ name: "RSA-PSS", hash, saltLength }, body);
}

function modulusOf(key: PrivateKey): Uint8Array {
  const [, bits] = parseDer(key.publicKey.spki, "SubjectPublicKeyInfo").sequence(2) as [DerValue, DerValue];
  const [modulus] = parseDer(bits.bitString(), "RSAPublicKey").sequence(2) as [DerValue, DerValue];
  return modulus.unsigned();
}
