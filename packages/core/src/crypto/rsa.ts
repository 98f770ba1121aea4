// SPDX-License-Identifier: Apache-2.0
// RSA signature verification (RFC 8017 section 8) over BigInt: nothing in it is secret, so its timing tells nothing.

import { type Bytes, concat, equal, fromHex, toHex } from "../bytes.ts";
import { type DerValue, encodeDer, parseDer } from "../der.ts";
import { malformed } from "../errors.ts";
import type { HashName, SignatureAlgorithm } from "./types.ts";

export interface RsaPublicKey {
  readonly n: bigint;
  readonly e: bigint;
  /** Bytes of the modulus. */
  readonly size: number;
}

type RsaAlgorithm = Extract<SignatureAlgorithm, { readonly name: "RSA-PSS" | "RSASSA-PKCS1-v1_5" }>;
type Digest = (hash: HashName, data: Uint8Array) => Bytes;

/** Smaller moduli can be factored, larger ones cost more than any use needs. */
const MIN_BITS = 1024;
const MAX_BITS = 8192;
const MAX_EXPONENT = 0x7fffffffn;
/** AlgorithmIdentifier up to the digest in a DigestInfo, RFC 8017 section 9.2 note 1. */
const HASH_OID: Readonly<Record<HashName, string>> = {
  "SHA-1": "1.3.14.3.2.26",
  "SHA-256": "2.16.840.1.101.3.4.2.1",
  "SHA-384": "2.16.840.1.101.3.4.2.2",
  "SHA-512": "2.16.840.1.101.3.4.2.3",
};

/** The key in a SubjectPublicKeyInfo. Throws `INVALID_DER`, or `INVALID_KEY` for a modulus or exponent out of bounds. */
export function rsaPublicKeyOf(spki: Uint8Array): RsaPublicKey {
  const [, key] = parseDer(spki, "SubjectPublicKeyInfo").sequence(2) as [DerValue, DerValue];
  const [modulus, exponent] = parseDer(key.bitString(), "RSA public key").sequence(2) as [DerValue, DerValue];
  const [n, e] = [toBigInt(modulus.unsigned()), toBigInt(exponent.unsigned())];
  const bits = n.toString(2).length;
  if (bits < MIN_BITS || bits > MAX_BITS || n % 2n === 0n)
    throw malformed(
      "INVALID_KEY",
      `Cannot use RSA key: a modulus of ${bits} bits, expected ${MIN_BITS} to ${MAX_BITS}`,
    );
  if (e < 3n || e > MAX_EXPONENT || e % 2n === 0n)
    throw malformed(
      "INVALID_KEY",
      "Cannot use RSA key: the public exponent is even, below 3 or above 2^31 - 1",
    );
  return { n, e, size: Math.ceil(bits / 8) };
}

/** True when `signature` over `data` is valid; a wrong length or a value out of range is false. */
export function rsaVerify(
  key: RsaPublicKey,
  how: RsaAlgorithm,
  signature: Uint8Array,
  data: Uint8Array,
  digest: Digest,
): boolean {
  if (signature.length !== key.size) return false;
  const s = toBigInt(signature);
  if (s >= key.n) return false;
  const message = toBytes(power(s, key.e, key.n), key.size);
  const hash = digest(how.hash, data);
  return how.name === "RSA-PSS"
    ? isPss(message, key, how.hash, how.saltLength, hash, digest)
    : isPkcs1(message, how.hash, hash);
}

/** EMSA-PKCS1-v1_5, section 9.2: the one encoding is made and compared, so that nothing is parsed. */
function isPkcs1(message: Uint8Array, name: HashName, hash: Uint8Array): boolean {
  const info = encodeDer.sequence(
    encodeDer.sequence(encodeDer.oid(HASH_OID[name]), encodeDer.null()),
    encodeDer.octetString(hash),
  );
  const padding = message.length - info.length - 3;
  if (padding < 8) return false;
  const expected = concat(Uint8Array.of(0, 1), new Uint8Array(padding).fill(0xff), Uint8Array.of(0), info);
  return equal(message, expected);
}

/** EMSA-PSS-VERIFY, section 9.1.2, with MGF1 over the same hash. */
function isPss(
  encoded: Uint8Array,
  key: RsaPublicKey,
  name: HashName,
  saltLength: number,
  hash: Uint8Array,
  digest: Digest,
): boolean {
  const bits = key.n.toString(2).length - 1;
  const size = Math.ceil(bits / 8);
  // With a modulus of 8k + 1 bits the encoded message is one byte shorter than the modulus.
  if (encoded.length > size && encoded[0] !== 0) return false;
  const message = encoded.subarray(encoded.length - size);
  const hashLength = hash.length;
  const start = size - hashLength - 1;
  if (start < saltLength + 1 || message[size - 1] !== 0xbc) return false;
  const unused = 8 * size - bits;
  if (unused > 0 && (message[0] as number) >> (8 - unused) !== 0) return false;
  const h = message.subarray(start, size - 1);
  const block = Uint8Array.from(message.subarray(0, start));
  const mask = mgf1(h, start, name, digest);
  for (let i = 0; i < start; i++) block[i] = (block[i] as number) ^ (mask[i] as number);
  block[0] = (block[0] as number) & (0xff >> unused);
  const one = start - saltLength - 1;
  for (let i = 0; i < one; i++) if (block[i] !== 0) return false;
  if (block[one] !== 1) return false;
  return equal(h, digest(name, concat(new Uint8Array(8), hash, block.subarray(one + 1))));
}

/** Section B.2.1. */
function mgf1(seed: Uint8Array, length: number, name: HashName, digest: Digest): Bytes {
  const parts: Uint8Array[] = [];
  for (let counter = 0, made = 0; made < length; counter++) {
    const part = digest(
      name,
      concat(seed, Uint8Array.of(counter >>> 24, counter >>> 16, counter >>> 8, counter)),
    );
    parts.push(part);
    made += part.length;
  }
  return concat(...parts).subarray(0, length) as Bytes;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === "1") result = (result * base) % modulus;
  }
  return result;
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x0${toHex(bytes)}`);
}

function toBytes(value: bigint, size: number): Bytes {
  return fromHex(value.toString(16).padStart(2 * size, "0"));
}
