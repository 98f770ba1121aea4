// SPDX-License-Identifier: Apache-2.0
// Secrets to the attested key: JSON Web Encryption (RFC 7516, RFC 7518) in the flattened form of the KBS protocol.
// The header is written here, member by member, because the Rust client serialises it again to authenticate it.

import {
  constants,
  createCipheriv,
  createECDH,
  createHash,
  createPublicKey,
  ECDH,
  type JsonWebKey,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { concat, fromBase64Url, fromUtf8, toBase64Url } from "@adyton/core/bytes";
import { spkiOfPoint } from "@adyton/core/crypto";
import { isJsonObject, type JsonValue } from "@adyton/core/json";
import { BrokerError } from "./errors.ts";

/** Flattened JSON serialisation (RFC 7516 section 7.2.2). */
export interface Jwe {
  readonly protected: string;
  readonly encrypted_key: string;
  readonly iv: string;
  readonly ciphertext: string;
  readonly tag: string;
}

/** A public key that a TEE asked its secrets to be encrypted to. */
export type TeeKey = EcTeeKey | RsaTeeKey;

interface EcTeeKey extends NamedKey {
  readonly alg: "ECDH-ES+A256KW";
  /** NIST curve. */
  readonly crv: "P-256" | "P-384" | "P-521";
  /** On that curve, uncompressed (SEC 1 section 2.3.3). */
  readonly point: Uint8Array;
}

interface RsaTeeKey extends NamedKey {
  readonly alg: "RSA-OAEP-256" | "RSA1_5";
  readonly crv?: undefined;
  readonly key: KeyObject;
}

interface NamedKey {
  /** JWK thumbprint (RFC 7638), base64url: names the key in logs. */
  readonly thumbprint: string;
}

const ENC = "A256GCM";
const KEK_BITS = 256;
const COORDINATE_BYTES = { "P-256": 32, "P-384": 48, "P-521": 66 } as const;
/** As OpenSSL calls them. */
const CURVES = { "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1" } as const;
const UNCOMPRESSED = 4;
const RSA_BITS = { min: 2048, max: 4096 };
// RFC 3394 section 2.2.3.1.
const KEY_WRAP_IV = new Uint8Array(8).fill(0xa6);
const PUBLIC_MEMBERS = new Set(["kty", "crv", "x", "y", "n", "e", "alg", "kid", "use", "key_ops", "ext"]);

export interface TeeKeyOptions {
  /** Take RSA1_5, too. Default false. */
  readonly rsa15?: boolean;
}

/**
 * Reads the `tee-pubkey` of an attestation: EC on P-256, P-384 or P-521 for ECDH-ES+A256KW, RSA of 2048 to 4096 bits
 * for RSA-OAEP-256, or for RSA1_5 where that is taken. Private members are refused. Throws `UNSUPPORTED_TEE_KEY`.
 */
export function parseTeeKey(jwk: JsonValue, options: TeeKeyOptions = {}): TeeKey {
  if (!isJsonObject(jwk)) throw unsupported("it is no JSON object");
  for (const name of Object.keys(jwk)) {
    if (!PUBLIC_MEMBERS.has(name))
      throw unsupported(`it holds the member ${JSON.stringify(name.slice(0, 40))}`);
  }
  switch (jwk.kty) {
    case "EC":
      return parseEc(jwk);
    case "RSA":
      return parseRsa(jwk, options);
    default:
      throw unsupported("its kty is neither EC nor RSA");
  }
}

/** SubjectPublicKeyInfo, DER. */
export function spkiOfTeeKey(key: TeeKey): Uint8Array {
  return key.crv === undefined
    ? new Uint8Array(key.key.export({ format: "der", type: "spki" }))
    : spkiOfPoint(key.crv, key.point.subarray(1));
}

/** Encrypts to `to` under a fresh content key. */
export function encryptTo(to: TeeKey, plaintext: Uint8Array): Jwe {
  const contentKey = randomBytes(32);
  const { header, encryptedKey } = wrap(to, contentKey);
  const protectedHeader = toBase64Url(fromUtf8(JSON.stringify(header)));
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", contentKey, iv);
  cipher.setAAD(fromUtf8(protectedHeader));
  const ciphertext = concat(cipher.update(plaintext), cipher.final());
  return {
    protected: protectedHeader,
    encrypted_key: toBase64Url(encryptedKey),
    iv: toBase64Url(iv),
    ciphertext: toBase64Url(ciphertext),
    tag: toBase64Url(cipher.getAuthTag()),
  };
}

/** Header members stand in the order alg, enc, then the others sorted; those of epk sorted: see the file's head. */
function wrap(to: TeeKey, contentKey: Uint8Array): { header: object; encryptedKey: Uint8Array } {
  if (to.crv === undefined) {
    const padding =
      to.alg === "RSA1_5"
        ? { padding: constants.RSA_PKCS1_PADDING }
        : { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
    return {
      header: { alg: to.alg, enc: ENC },
      encryptedKey: publicEncrypt({ key: to.key, ...padding }, contentKey),
    };
  }
  const { alg, crv, point } = to;
  // A third of the time that key objects take.
  const ephemeral = createECDH(CURVES[crv]);
  const own = ephemeral.generateKeys();
  const shared = ephemeral.computeSecret(point);
  const cipher = createCipheriv("id-aes256-wrap", concatKdf(shared, alg), KEY_WRAP_IV);
  const [x, y] = [own.subarray(1, 1 + COORDINATE_BYTES[crv]), own.subarray(1 + COORDINATE_BYTES[crv])];
  return {
    header: { alg, enc: ENC, epk: { crv, kty: "EC", x: toBase64Url(x), y: toBase64Url(y) } },
    encryptedKey: concat(cipher.update(contentKey), cipher.final()),
  };
}

/** RFC 7518 section 4.6.2 with empty PartyUInfo and PartyVInfo; one round of SHA-256 gives the 256 bits. */
function concatKdf(shared: Uint8Array, algorithm: string): Uint8Array {
  const id = fromUtf8(algorithm);
  return createHash("sha256")
    .update(u32(1))
    .update(shared)
    .update(u32(id.length))
    .update(id)
    .update(u32(0))
    .update(u32(0))
    .update(u32(KEK_BITS))
    .digest();
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function parseEc(jwk: Readonly<Record<string, JsonValue>>): TeeKey {
  const { crv, x, y, alg = "ECDH-ES+A256KW" } = jwk;
  if (crv !== "P-256" && crv !== "P-384" && crv !== "P-521")
    throw unsupported("its crv is none of P-256, P-384, P-521");
  if (alg !== "ECDH-ES+A256KW") throw unsupported("its alg is not ECDH-ES+A256KW");
  const width = Math.ceil((COORDINATE_BYTES[crv] * 4) / 3);
  if (typeof x !== "string" || typeof y !== "string" || x.length !== width || y.length !== width)
    throw unsupported(`its x and y are not ${width} digits of base64url each`);
  return {
    alg,
    crv,
    point: pointOf(crv, x, y),
    thumbprint: thumbprintOf({ crv, kty: "EC", x, y }),
  };
}

/** The library checks that the point lies on its curve. */
function pointOf(crv: EcTeeKey["crv"], x: string, y: string): Uint8Array {
  try {
    const point = concat(Uint8Array.of(UNCOMPRESSED), fromBase64Url(x), fromBase64Url(y));
    ECDH.convertKey(point, CURVES[crv]);
    return point;
  } catch {
    throw unsupported("it is no valid public key");
  }
}

function parseRsa(jwk: Readonly<Record<string, JsonValue>>, { rsa15 = false }: TeeKeyOptions): TeeKey {
  const { n, e, alg = "RSA-OAEP-256" } = jwk;
  if (alg !== "RSA-OAEP-256" && !(alg === "RSA1_5" && rsa15))
    throw unsupported("its alg is not RSA-OAEP-256");
  if (typeof n !== "string" || typeof e !== "string") throw unsupported("it lacks n or e");
  if (n.length > (RSA_BITS.max / 8) * 2) throw unsupported(`it has more than ${RSA_BITS.max} bits`);
  // A huge public exponent makes each encryption slow; 65537 and its few relatives fit four bytes.
  if (e.length > 6) throw unsupported("its public exponent is longer than 4 bytes");
  const key = importJwk({ kty: "RSA", n, e });
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < RSA_BITS.min || bits > RSA_BITS.max)
    throw unsupported(`it has ${bits} bits, expected ${RSA_BITS.min} to ${RSA_BITS.max}`);
  return { alg, key, thumbprint: thumbprintOf({ e, kty: "RSA", n }) };
}

function importJwk(key: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key, format: "jwk" });
  } catch {
    throw unsupported("it is no valid public key");
  }
}

/** `required` holds the members of RFC 7638 section 3.2 in their lexicographic order. */
function thumbprintOf(required: Readonly<Record<string, string>>): string {
  return toBase64Url(createHash("sha256").update(JSON.stringify(required)).digest());
}

function unsupported(why: string): BrokerError {
  return new BrokerError(
    "UNSUPPORTED_TEE_KEY",
    "malformed",
    `Cannot encrypt to the TEE's public key: ${why}`,
    {
      hint: "Send an EC key (P-256, P-384, P-521; ECDH-ES+A256KW) or an RSA key of 2048 to 4096 bits (RSA-OAEP-256).",
    },
  );
}
