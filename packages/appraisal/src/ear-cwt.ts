// SPDX-License-Identifier: Apache-2.0
// EAR as a CWT: the claims as CBOR under the integer labels of draft-ietf-rats-ear, in a COSE_Sign1 (RFC 9052).

import { type Bytes, fromBase64Url, toBase64Url } from "@adyton/core/bytes";
import {
  type CborKey,
  type CborMap,
  CborTag,
  type CborValue,
  encodeCbor,
  isCborMap,
  parseCbor,
} from "@adyton/core/cbor";
import { encodeSign1, parseSign1, protectedHeader, type Sign1, signedBytes } from "@adyton/core/cose";
import type { SignatureAlgorithm } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import type { JWK } from "jose";
import { checkEarClaims, type EarClaims } from "./ear-claims.ts";
import { type EarSigningKey, earAlgorithmOf, importEarPublicKey, SIGNATURES } from "./ear-key.ts";
import { AppraisalError, misuse } from "./errors.ts";
import { TRUST_CLAIMS, TRUST_TIERS, type TrustTier } from "./trust.ts";

/** How one claim is written in CBOR, and read again. */
interface Codec {
  readonly encode: (value: JsonValue) => CborValue;
  readonly decode: (value: CborValue) => JsonValue;
}

/** A member of a map: its label and its own form, where that is not the one of any JSON value. */
type Label = readonly [label: number, codec?: Codec];

/** AR4SI's tiers as numbers (draft-ietf-rats-ear, "Trust Tiers"). */
const TIERS: Readonly<Record<TrustTier, number>> = {
  none: 0,
  affirming: 2,
  warning: 32,
  contraindicated: 96,
};

/** RFC 9052 table 3. */
const KID = 4;

const bytes: Codec = {
  encode: (value) => fromBase64Url(String(value).replace(/={1,2}$/, "")),
  decode: (value) => (value instanceof Uint8Array ? toBase64Url(value) : notIn("a byte string", value)),
};
const tier: Codec = {
  encode: (value) => TIERS[value as TrustTier],
  decode: (value) => TRUST_TIERS.find((name) => TIERS[name] === value) ?? notIn("a tier", value),
};

/** A map with labels for these members, and text keys for others. */
function mapOf(labels: Readonly<Record<string, Label>>, others: Codec): Codec {
  const names = new Map<CborKey, string>(Object.entries(labels).map(([name, [label]]) => [label, name]));
  return {
    encode: (value) =>
      new Map(
        Object.entries(value as JsonObject).map(([name, member]): [CborKey, CborValue] => {
          const [label, codec = others] = (Object.hasOwn(labels, name) && labels[name]) || [name];
          return [label, codec.encode(member)];
        }),
      ),
    decode: (value) => {
      if (!isCborMap(value)) return notIn("a map", value);
      return objectOf(value, (key) => {
        // A member that has a label must not come under its name as well, or instead.
        const name = names.get(key) ?? (Object.hasOwn(labels, key) ? undefined : key);
        if (typeof name !== "string") return notIn("a known label", key);
        return [name, labels[name]?.[1] ?? others];
      });
    },
  };
}

/** JSON as CBOR (RFC 8949 section 6.2), of which no EAR needs fractions. */
const json: Codec = {
  encode: (value) => {
    if (Array.isArray(value)) return (value as readonly JsonValue[]).map(json.encode);
    if (typeof value === "object" && value !== null) {
      return new Map(Object.entries(value).map(([key, member]) => [key, json.encode(member)]));
    }
    if (typeof value === "number" && !Number.isSafeInteger(value)) {
      throw misuse(
        "INVALID_APPRAISAL_INPUT",
        `Cannot sign EAR: ${value} is no whole number, and CWTs hold no other`,
      );
    }
    return value as CborValue;
  },
  decode: (value) => {
    if (Array.isArray(value)) return (value as readonly CborValue[]).map(json.decode);
    if (isCborMap(value)) {
      return objectOf(value, (key) => [
        typeof key === "string" ? key : String(notIn("a text key", key)),
        json,
      ]);
    }
    if (value === null || typeof value === "boolean" || typeof value === "string") return value;
    if (typeof value === "number") return value;
    return notIn("a JSON value", value);
  },
};

const vector = mapOf(
  Object.fromEntries(TRUST_CLAIMS.map((claim, label): [string, Label] => [claim, [label]])),
  json,
);

/** Private labels are Veraison's from -70000, Trustee's -18, and ours from -71000 (RFC 8392 section 9.1). */
const submod = mapOf(
  {
    "ear.status": [1000, tier],
    "ear.trustworthiness-vector": [1001, vector],
    "ear.appraisal-policy-id": [1003],
    "ear.veraison.annotated-evidence": [-70_000],
    "ear.veraison.policy-claims": [-70_001],
    "ear.veraison.key-attestation": [-70_002],
    "ear.trustee.identifiers": [-18],
    "adyton.simulated": [-71_000],
    "adyton.explanation": [-71_001],
  },
  json,
);

const claims = mapOf(
  {
    iss: [1],
    exp: [4],
    iat: [6],
    eat_nonce: [10, bytes],
    eat_profile: [265],
    submods: [266, mapOf({}, submod)],
    "ear.raw-evidence": [1002, bytes],
    "ear.verifier-id": [1004, mapOf({ developer: [0], build: [1] }, json)],
    "adyton.simulated": [-71_000],
  },
  json,
);

/** A tagged COSE_Sign1 over the claims. Throws `INVALID_APPRAISAL_INPUT` for numbers that are not whole. */
export async function signCwt(earClaims: EarClaims, key: EarSigningKey): Promise<Bytes> {
  const algorithm = SIGNATURES[key.algorithm];
  const header = protectedHeader(algorithm);
  const payload = encodeCbor(claims.encode(earClaims as JsonObject));
  const signature = await crypto.subtle.sign(subtle(algorithm), key.privateKey, signedBytes(header, payload));
  return encodeSign1(header, payload, new Uint8Array(signature));
}

/** The claims of a CWT that one of the keys signed. Throws `INVALID_EAR`, `EAR_SIGNATURE`, `INVALID_EAR_KEY`. */
export async function verifyCwt(token: Uint8Array, keys: readonly JWK[]): Promise<EarClaims> {
  const sign1 = reading(() => parseSign1(token, "EAR"));
  for (const jwk of keys) {
    if (await isSignedBy(sign1, jwk)) {
      return checkEarClaims(reading(() => claims.decode(parseCbor(sign1.payload, "EAR"))));
    }
  }
  throw new AppraisalError(
    "EAR_SIGNATURE",
    "not-authentic",
    `Cannot accept EAR: none of the ${keys.length} trusted keys made its signature`,
    { hint: "Attest again to get a fresh token, and trust the keys of the verifier that issues it." },
  );
}

/** What a CWT says, whoever signed it. Throws `INVALID_EAR`. */
export function readCwtUnverified(token: Uint8Array): {
  readonly algorithm: SignatureAlgorithm;
  readonly kid: Uint8Array | undefined;
  readonly claims: EarClaims;
} {
  const { algorithm, unprotected, payload } = reading(() => parseSign1(token, "EAR"));
  const kid = unprotected.get(KID);
  return {
    algorithm,
    kid: kid instanceof Uint8Array ? kid : undefined,
    claims: checkEarClaims(reading(() => claims.decode(parseCbor(payload, "EAR")))),
  };
}

async function isSignedBy(sign1: Sign1, jwk: JWK): Promise<boolean> {
  const key = await importEarPublicKey(jwk);
  const algorithm = SIGNATURES[earAlgorithmOf(jwk)];
  if (JSON.stringify(algorithm) !== JSON.stringify(sign1.algorithm)) return false;
  return key.verify(algorithm, sign1.signature, signedBytes(sign1.protectedBytes, sign1.payload));
}

function subtle(algorithm: SignatureAlgorithm): AlgorithmIdentifier | EcdsaParams {
  return algorithm.name === "ECDSA" ? { name: "ECDSA", hash: algorithm.hash } : { name: algorithm.name };
}

/** `work`, whose refusals of CBOR and COSE are those of a token. */
function reading<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof AppraisalError || !(cause instanceof AdytonError)) throw cause;
    throw new AppraisalError("INVALID_EAR", "malformed", `Cannot verify EAR: ${cause.message}`, { cause });
  }
}

function objectOf(map: CborMap, member: (key: CborKey) => readonly [name: string, codec: Codec]): JsonObject {
  const object: Record<string, JsonValue> = {};
  for (const [key, value] of map) {
    const [name, codec] = member(key);
    // Defined, not assigned: the name may be one that assignment treats otherwise.
    Object.defineProperty(object, name, {
      value: codec.decode(value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return object;
}

function notIn(expected: string, found: CborValue): never {
  const shown =
    found instanceof CborTag
      ? `a tag ${found.tag}`
      : typeof found === "object"
        ? "another value"
        : String(found);
  throw new AppraisalError(
    "INVALID_EAR",
    "malformed",
    `Cannot read EAR: found ${shown.slice(0, 60)}, expected ${expected}`,
  );
}
