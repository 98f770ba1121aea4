// SPDX-License-Identifier: Apache-2.0
// SM2 (GB/T 32918-2016, ISO/IEC 14888-3:2018): signatures with a signer's user id, and public-key encryption.
// The curve arithmetic is @noble/curves: neither node:crypto nor WebCrypto speaks SM2.

import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { sm3 } from "#sm";
import { type Bytes, concat, equalConstantTime, fromHex, toHex } from "../bytes.ts";
import type { CryptoProvider } from "../crypto.ts";
import { CoreError, malformed } from "../errors.ts";

/** The recommended curve, GB/T 32918.5. */
const CURVE = {
  p: 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn,
  n: 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n,
  h: 1n,
  a: 0xfffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffcn,
  b: 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n,
  Gx: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  Gy: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
};
const Point = weierstrass(CURVE);
const SIZE = 32;
/** The user id of Chinese certificates unless agreed otherwise, GM/T 0009-2012 section 10. */
export const SM2_DEFAULT_ID: Bytes = fromHex("31323334353637383132333435363738");

type CurvePoint = typeof Point.BASE;

/**
 * True when the key x || y (64 bytes) of the signer known as `id` signed `message` with r || s (64 bytes).
 * A point off the curve, or r and s out of range, is false.
 */
export function sm2Verify(
  publicKey: Uint8Array,
  id: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = pointOf(publicKey);
  if (key === undefined || signature.length !== 2 * SIZE || id.length > 0x1fff) return false;
  const r = toBigInt(signature.subarray(0, SIZE));
  const s = toBigInt(signature.subarray(SIZE));
  if (r < 1n || r >= CURVE.n || s < 1n || s >= CURVE.n) return false;
  const t = (r + s) % CURVE.n;
  if (t === 0n) return false;
  // Verification has no secrets: the faster multiplication may be used.
  const sum = Point.BASE.multiplyUnsafe(s).add(key.multiplyUnsafe(t));
  if (sum.is0()) return false;
  return (digestOf(publicKey, id, message) + sum.toAffine().x) % CURVE.n === r;
}

/** r || s by the private scalar (32 bytes). Throws `INVALID_KEY`. */
export function sm2Sign(
  privateKey: Uint8Array,
  id: Uint8Array,
  message: Uint8Array,
  crypto: Pick<CryptoProvider, "randomBytes">,
): Bytes {
  const d = scalarOf(privateKey);
  const e = digestOf(sm2PublicKey(privateKey), id, message);
  for (;;) {
    const k = randomScalar(crypto);
    const r = (e + Point.BASE.multiply(k).toAffine().x) % CURVE.n;
    if (r === 0n || r + k === CURVE.n) continue;
    const s = Point.Fn.mul(Point.Fn.inv(d + 1n), Point.Fn.create(k - r * d));
    if (s !== 0n) return concat(toBytes(r), toBytes(s));
  }
}

/** x || y of a private scalar. Throws `INVALID_KEY`. */
export function sm2PublicKey(privateKey: Uint8Array): Bytes {
  return bytesOf(Point.BASE.multiply(scalarOf(privateKey)));
}

/** A fresh private scalar. */
export function sm2GenerateKey(crypto: Pick<CryptoProvider, "randomBytes">): Bytes {
  return toBytes(randomScalar(crypto));
}

/** C1 || C3 || C2 (GB/T 32918.4-2016 section 6.1): point x || y, SM3 tag, ciphertext. Throws `INVALID_KEY`. */
export function sm2Encrypt(
  publicKey: Uint8Array,
  plaintext: Uint8Array,
  crypto: Pick<CryptoProvider, "randomBytes">,
): Bytes {
  const key = pointOf(publicKey);
  if (key === undefined)
    throw malformed("INVALID_KEY", "Cannot encrypt with SM2: the public key is no point of the curve");
  for (;;) {
    const k = randomScalar(crypto);
    const shared = bytesOf(key.multiply(k));
    const mask = sm3Kdf(shared, plaintext.length);
    if (plaintext.length > 0 && mask.every((byte) => byte === 0)) continue;
    const tag = sm3(concat(shared.subarray(0, SIZE), plaintext, shared.subarray(SIZE)));
    return concat(
      bytesOf(Point.BASE.multiply(k)),
      tag,
      plaintext.map((byte, i) => byte ^ (mask[i] as number)),
    );
  }
}

/** The plaintext of C1 || C3 || C2. Throws `INVALID_KEY` or `DECRYPTION_FAILED`. */
export function sm2Decrypt(privateKey: Uint8Array, sealed: Uint8Array): Bytes {
  const d = scalarOf(privateKey);
  const ephemeral = sealed.length < 3 * SIZE ? undefined : pointOf(sealed.subarray(0, 2 * SIZE));
  if (ephemeral === undefined) throw refused();
  const shared = bytesOf(ephemeral.multiply(d));
  const body = sealed.subarray(3 * SIZE);
  const mask = sm3Kdf(shared, body.length);
  const plaintext = Uint8Array.from(body, (byte, i) => byte ^ (mask[i] as number));
  const tag = sm3(concat(shared.subarray(0, SIZE), plaintext, shared.subarray(SIZE)));
  if (!equalConstantTime(tag, sealed.subarray(2 * SIZE, 3 * SIZE))) throw refused();
  return plaintext;
}

/** The key derivation of GB/T 32918.4-2016 section 5.4.3: SM3(secret || counter), counter from 1. */
export function sm3Kdf(secret: Uint8Array, length: number): Bytes {
  const out = new Uint8Array(length);
  for (let at = 0, counter = 1; at < length; at += 32, counter++) {
    const suffix = new Uint8Array(4);
    new DataView(suffix.buffer).setUint32(0, counter);
    out.set(sm3(concat(secret, suffix)).subarray(0, length - at), at);
  }
  return out;
}

/** e = SM3(Z || message), Z over the signer's id, curve and key (GB/T 32918.2-2016 section 5.5). */
function digestOf(publicKey: Uint8Array, id: Uint8Array, message: Uint8Array): bigint {
  const bits = 8 * id.length;
  const { a, b, Gx, Gy } = CURVE;
  const z = sm3(concat(Uint8Array.of(bits >> 8, bits & 0xff), id, ...[a, b, Gx, Gy].map(toBytes), publicKey));
  return toBigInt(sm3(concat(z, message)));
}

function pointOf(xy: Uint8Array): CurvePoint | undefined {
  if (xy.length !== 2 * SIZE) return undefined;
  try {
    const point = Point.fromAffine({ x: toBigInt(xy.subarray(0, SIZE)), y: toBigInt(xy.subarray(SIZE)) });
    point.assertValidity();
    return point;
  } catch {
    return undefined;
  }
}

function bytesOf(point: CurvePoint): Bytes {
  const { x, y } = point.toAffine();
  return concat(toBytes(x), toBytes(y));
}

function scalarOf(privateKey: Uint8Array): bigint {
  const d = privateKey.length === SIZE ? toBigInt(privateKey) : 0n;
  if (d < 1n || d >= CURVE.n - 1n)
    throw malformed("INVALID_KEY", "Cannot use SM2 private key: not 32 bytes in [1, n-2]");
  return d;
}

/** Uniform in [1, n-2] by rejection. */
function randomScalar(crypto: Pick<CryptoProvider, "randomBytes">): bigint {
  for (;;) {
    const k = toBigInt(crypto.randomBytes(SIZE));
    if (k >= 1n && k < CURVE.n - 1n) return k;
  }
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

function toBytes(value: bigint): Bytes {
  return fromHex(value.toString(16).padStart(2 * SIZE, "0"));
}

function refused(): CoreError {
  return new CoreError(
    "DECRYPTION_FAILED",
    "not-authentic",
    "Cannot decrypt with SM2: the ciphertext does not fit the key",
  );
}
