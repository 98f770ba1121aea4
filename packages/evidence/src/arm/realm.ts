// SPDX-License-Identifier: Apache-2.0
// Claims of the realm token. RMM specification (DEN0137) A7.2.3.1 and draft-ffm-rats-cca-token section 4.7.

import { type Bytes, concat } from "@adyton/core/bytes";
import { type CborKey, type CborValue, encodeCbor, isCborMap, parseCbor } from "@adyton/core/cbor";
import { coseKeyOfPoint, spkiOfCoseKey } from "@adyton/core/cose";
import { type CurveName, fieldSize, spkiOfPoint } from "@adyton/core/crypto";
import { bytesOf, describeCbor, MapReader } from "../cbor-map.ts";
import { type CcaHash, ccaHashOf, HASH_SIZE } from "./hash.ts";
import { instanceIdOf, present } from "./platform.ts";
import { invalidToken, unknownProfile } from "./refusal.ts";

/** In order of age. Tokens of the legacy profile have none. */
export const REALM_PROFILES = ["tag:arm.com,2023:realm#1.0.0", "tag:arm.com,2024:realm#2.0.0"] as const;
export type RealmProfile = (typeof REALM_PROFILES)[number];

export type MecPolicy = "shared" | "private";

export interface RealmClaims {
  /** Undefined in the legacy profile. */
  readonly profile: RealmProfile | undefined;
  /** 64 bytes chosen by what runs inside the realm. */
  readonly challenge: Uint8Array;
  /** 64 bytes chosen at the realm's creation, not measured: the field for an init-data digest. */
  readonly personalizationValue: Uint8Array;
  readonly hashAlgorithm: CcaHash;
  /** The realm's attestation key (RAK) as it stands: a point (legacy) or a COSE_Key. */
  readonly publicKey: Uint8Array;
  readonly publicKeyHashAlgorithm: CcaHash;
  /** RIM, of the hash algorithm's size. */
  readonly initialMeasurement: Uint8Array;
  /** REM 0 to 3. */
  readonly extensibleMeasurements: readonly Uint8Array[];
  /** Profile 2.0.0: whether the realm's memory has a key of its own. Text or number, as implementations differ. */
  readonly mecPolicy: MecPolicy | undefined;
  /** Profile 2.0.0: 33 bytes, the first 1. */
  readonly instanceId: Uint8Array | undefined;
}

const KEY = {
  profile: 265,
  challenge: 10,
  instanceId: 256,
  personalizationValue: 44235,
  hashAlgorithm: 44236,
  publicKey: 44237,
  initialMeasurement: 44238,
  extensibleMeasurements: 44239,
  publicKeyHashAlgorithm: 44240,
  mecPolicy: 44243,
  lfaPolicy: 44244,
  devicesTokenHash: 44257,
} as const;

const MAX_TEXT = 512;
const WIDE = [64];
const INSTANCE_ID = [33];
const REMS = 4;
const MAX_PUBLIC_KEY = { least: 1, most: 512 } as const;
/** First byte of an uncompressed point: SEC 1 section 2.3.3. */
const UNCOMPRESSED = 4;
const POINT_CURVES: readonly CurveName[] = ["P-256", "P-384", "P-521"];
/** RMM specification 2.0 A7.2.3.1.8. */
const MEC_POLICIES: readonly MecPolicy[] = ["shared", "private"];

/** The claims, and the names of members that this version does not know. Throws `INVALID_CCA_TOKEN`, `UNSUPPORTED_CCA_PROFILE`. */
export function parseRealmClaims(value: CborValue): { claims: RealmClaims; unknown: CborKey[] } {
  const reader = new MapReader(value, "realm claims", invalidToken);
  const field = (name: string): string => `realm ${name}`;
  const hash = (key: number, name: string): CcaHash =>
    ccaHashOf(reader.text(key, field(name), MAX_TEXT), field(name));
  const profile = reader.has(KEY.profile)
    ? profileOf(reader.text(KEY.profile, field("profile"), MAX_TEXT))
    : undefined;
  const hashAlgorithm = hash(KEY.hashAlgorithm, "hash algorithm");
  const size = [HASH_SIZE[hashAlgorithm]];
  const claims: RealmClaims = {
    profile,
    challenge: reader.bytes(KEY.challenge, field("challenge"), WIDE),
    personalizationValue: reader.bytes(KEY.personalizationValue, field("personalization value"), WIDE),
    hashAlgorithm,
    publicKey: reader.bytes(KEY.publicKey, field("public key"), MAX_PUBLIC_KEY),
    publicKeyHashAlgorithm: hash(KEY.publicKeyHashAlgorithm, "public key's hash algorithm"),
    initialMeasurement: reader.bytes(KEY.initialMeasurement, field("initial measurement"), size),
    extensibleMeasurements: reader
      .array(KEY.extensibleMeasurements, field("extensible measurements"), REMS, REMS)
      .map((item, i) => bytesOf(item, field(`extensible measurement ${i}`), size, invalidToken)),
    mecPolicy:
      reader.has(KEY.mecPolicy) || profile === "tag:arm.com,2024:realm#2.0.0"
        ? mecPolicyOf(reader.any(KEY.mecPolicy))
        : undefined,
    instanceId: reader.has(KEY.instanceId)
      ? instanceIdOf(reader.bytes(KEY.instanceId, field("instance id"), INSTANCE_ID), "realm")
      : undefined,
  };
  // Policies of firmware activation and assigned devices (profile 2.0.0): known to exist, not shown.
  for (const key of [KEY.lfaPolicy, KEY.devicesTokenHash]) reader.any(key);
  return { claims, unknown: reader.unknown() };
}

/** The claim map; claims that are undefined are left out. */
export function encodeRealmClaims(claims: RealmClaims): Bytes {
  return encodeCbor(
    present([
      [KEY.profile, claims.profile],
      [KEY.challenge, claims.challenge],
      [KEY.instanceId, claims.instanceId],
      [KEY.hashAlgorithm, claims.hashAlgorithm],
      [KEY.publicKeyHashAlgorithm, claims.publicKeyHashAlgorithm],
      [KEY.personalizationValue, claims.personalizationValue],
      [KEY.publicKey, claims.publicKey],
      [KEY.initialMeasurement, claims.initialMeasurement],
      [KEY.extensibleMeasurements, claims.extensibleMeasurements],
      [KEY.mecPolicy, claims.mecPolicy],
    ]),
  );
}

/** SubjectPublicKeyInfo of the realm's attestation key. Throws `INVALID_CCA_TOKEN`, or why a COSE_Key is none. */
export function realmKeyOf({ profile, publicKey }: RealmClaims): Bytes {
  if (profile === undefined && publicKey[0] === UNCOMPRESSED) {
    const curve = POINT_CURVES.find((candidate) => publicKey.length === 1 + 2 * fieldSize(candidate));
    if (curve !== undefined) return spkiOfPoint(curve, publicKey.subarray(1));
    throw invalidToken("realm public key", `a point of ${publicKey.length} bytes`, "97 (P-384)");
  }
  const key = parseCbor(publicKey, "realm public key");
  if (!isCborMap(key)) throw invalidToken("realm public key", describeCbor(key), "a COSE_Key");
  return spkiOfCoseKey(key);
}

/** The claim of a key whose point is `xy`: a COSE_Key, or the bare point of the legacy profile. */
export function encodeRealmKey(curve: CurveName, xy: Uint8Array, form: "cose" | "point"): Bytes {
  return form === "cose" ? encodeCbor(coseKeyOfPoint(curve, xy)) : concat(Uint8Array.of(UNCOMPRESSED), xy);
}

function profileOf(profile: string): RealmProfile {
  const known = REALM_PROFILES.find((candidate) => candidate === profile);
  if (known === undefined) throw unknownProfile("realm", profile, REALM_PROFILES);
  return known;
}

function mecPolicyOf(value: CborValue): MecPolicy {
  const policy =
    typeof value === "number" ? MEC_POLICIES[value] : MEC_POLICIES.find((name) => name === value);
  if (policy !== undefined) return policy;
  throw invalidToken("realm MEC policy", describeCbor(value), "shared (0) or private (1)");
}
