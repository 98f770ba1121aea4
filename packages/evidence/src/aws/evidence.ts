// SPDX-License-Identifier: Apache-2.0
// The Nitro attestation document: a COSE_Sign1 over a CBOR map. AWS Nitro Enclaves user guide, "Verifying the root of
// trust", and the NSM API's attestation process (sections 2.2 and 3.1), which name members and limits.

import type { Bytes } from "@adyton/core/bytes";
import { type CborValue, encodeCbor, isCborMap, parseCbor } from "@adyton/core/cbor";
import { encodeSign1, parseSign1, protectedHeader, type Sign1 } from "@adyton/core/cose";
import type { SignatureAlgorithm } from "@adyton/core/crypto";
import { bytesOf, describeCbor, MapReader } from "../cbor-map.ts";
import { EvidenceError } from "../errors.ts";

/** The members of a document's payload. */
export interface NitroClaims {
  /** Instance and enclave: "i-01721714461f7afa6-enc01953e42450be060". */
  readonly moduleId: string;
  /** When the Nitro hypervisor made the document. */
  readonly timestamp: Date;
  /** Platform configuration registers by index, 0 to 31. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** DER of the certificate whose key signs. */
  readonly certificate: Uint8Array;
  /** DER of the issuers, the root first. */
  readonly cabundle: readonly Uint8Array[];
  /** What the enclave asked to have in the document; at most 1,024, 512 and 512 bytes. */
  readonly publicKey: Uint8Array | null;
  readonly userData: Uint8Array | null;
  readonly nonce: Uint8Array | null;
}

export interface NitroDocument {
  readonly claims: NitroClaims;
  readonly sign1: Sign1;
  /** Members of the payload that this version does not know. */
  readonly unknown: readonly string[];
}

/** ECDSA 384: the only algorithm that the Nitro hypervisor signs with. */
export const NITRO_SIGNATURE: SignatureAlgorithm = { name: "ECDSA", hash: "SHA-384" };

const MAX_DOCUMENT = 32 * 1024;
const MAX_MODULE_ID = 256;
const MAX_PCRS = 32;
const PCR_LENGTHS = [32, 48, 64];
const CERTIFICATE = { least: 1, most: 1024 } as const;
const MAX_BUNDLE = 8;
const PUBLIC_KEY = { least: 1, most: 1024 } as const;
const USER_DATA = { least: 0, most: 512 } as const;
const NONCE = { least: 0, most: 512 } as const;
const DIGEST = "SHA384";
/** The end of JavaScript's calendar, in milliseconds. */
const MAX_TIME = 8.64e15;
const P384_SIGNATURE = 96;
/** Tag 18 or none, an array of four, and a protected header of a few bytes. */
const LEADS: readonly (readonly number[])[] = [
  [0xd2, 0x84],
  [0x84, 0x44],
];

/** Reads a document, tagged (18) or not. Throws `INVALID_NITRO_DOCUMENT`, or an error of `@adyton/core` about its encoding. */
export function parseNitroDocument(bytes: Uint8Array): NitroDocument {
  if (bytes.length > MAX_DOCUMENT)
    throw invalid("document", `${bytes.length} bytes`, `at most ${MAX_DOCUMENT}`);
  const sign1 = parseSign1(bytes, "Nitro document");
  const { algorithm, unprotected, payload, signature } = sign1;
  if (algorithm.name !== "ECDSA" || algorithm.hash !== "SHA-384") {
    throw invalid("algorithm", JSON.stringify(algorithm), "ES384");
  }
  if (unprotected.size > 0) throw invalid("unprotected header", `${unprotected.size} parameters`, "none");
  if (signature.length !== P384_SIGNATURE) {
    throw invalid("signature", `${signature.length} bytes`, `${P384_SIGNATURE}`);
  }
  const reader = new MapReader(parseCbor(payload, "Nitro document's payload"), "payload", invalid);
  const digest = reader.text("digest", "digest", 16);
  if (digest !== DIGEST) throw invalid("digest", digest, DIGEST);
  const optional = (key: string, size: typeof NONCE | typeof PUBLIC_KEY): Uint8Array | null =>
    reader.has(key) ? reader.bytes(key, key, size) : null;
  const claims: NitroClaims = {
    moduleId: reader.text("module_id", "module_id", MAX_MODULE_ID),
    timestamp: new Date(reader.integer("timestamp", "timestamp", 1, MAX_TIME)),
    pcrs: pcrsOf(reader.map("pcrs", "pcrs")),
    certificate: reader.bytes("certificate", "certificate", CERTIFICATE),
    cabundle: reader
      .array("cabundle", "cabundle", 1, MAX_BUNDLE)
      .map((item, i) => bytesOf(item, `cabundle[${i}]`, CERTIFICATE, invalid)),
    publicKey: optional("public_key", PUBLIC_KEY),
    userData: optional("user_data", USER_DATA),
    nonce: optional("nonce", NONCE),
  };
  return { claims, sign1, unknown: reader.unknown().map(String) };
}

/** The payload of a document, in the order that the hypervisor writes. */
export function encodeNitroClaims(claims: NitroClaims): Bytes {
  return encodeCbor(
    new Map<string, CborValue>([
      ["module_id", claims.moduleId],
      ["digest", DIGEST],
      ["timestamp", claims.timestamp.getTime()],
      ["pcrs", new Map(claims.pcrs)],
      ["certificate", claims.certificate],
      ["cabundle", claims.cabundle],
      ["public_key", claims.publicKey],
      ["user_data", claims.userData],
      ["nonce", claims.nonce],
    ]),
  );
}

/** A document of its signed parts, untagged as the hypervisor writes it. */
export function encodeNitroDocument(payload: Uint8Array, signature: Uint8Array): Bytes {
  return encodeSign1(protectedHeader(NITRO_SIGNATURE), payload, signature, false);
}

/** Whether the bytes look like a document. Never throws. */
export function isNitroDocument(bytes: Uint8Array): boolean {
  if (bytes.length > MAX_DOCUMENT || !LEADS.some((lead) => lead.every((byte, i) => bytes[i] === byte)))
    return false;
  try {
    const { payload } = parseSign1(bytes, "Nitro document");
    const map = parseCbor(payload, "Nitro document's payload");
    return isCborMap(map) && map.has("module_id") && map.has("pcrs") && map.has("cabundle");
  } catch {
    return false;
  }
}

function pcrsOf(map: ReadonlyMap<string | number, CborValue>): ReadonlyMap<number, Uint8Array> {
  if (map.size < 1 || map.size > MAX_PCRS) throw invalid("pcrs", `${map.size} registers`, `1 to ${MAX_PCRS}`);
  const pcrs = new Map<number, Uint8Array>();
  for (const [index, value] of map) {
    if (typeof index !== "number" || index < 0 || index >= MAX_PCRS) {
      throw invalid("pcrs", `an index that is ${describeCbor(index)}`, `0 to ${MAX_PCRS - 1}`);
    }
    pcrs.set(index, bytesOf(value, `pcrs[${index}]`, PCR_LENGTHS, invalid));
  }
  if (!pcrs.has(0)) throw invalid("pcrs", "no PCR 0", "the measurement of the enclave image in PCR 0");
  return pcrs;
}

function invalid(field: string, found: string, expected: string): EvidenceError {
  return new EvidenceError(
    "INVALID_NITRO_DOCUMENT",
    "malformed",
    `Cannot parse Nitro document: ${field} is ${found}, expected ${expected}`,
    { detail: { field, found, expected } },
  );
}
