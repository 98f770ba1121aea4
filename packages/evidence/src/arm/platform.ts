// SPDX-License-Identifier: Apache-2.0
// Claims of the platform token. RMM specification (DEN0137) A7.2.3.2 and draft-ffm-rats-cca-token section 4.6; the
// claims from 2394 on beyond 2402 are those of profile 2.0.0.

import type { Bytes } from "@adyton/core/bytes";
import { type CborKey, type CborValue, encodeCbor } from "@adyton/core/cbor";
import { bytesOf, MapReader } from "../cbor-map.ts";
import { type CcaHash, ccaHashOf, HASH_SIZES } from "./hash.ts";
import { lifecycleStateOf } from "./lifecycle.ts";
import { invalidToken, unknownProfile } from "./refusal.ts";

/** In order of age. The last is how some implementations spell the one before it. */
export const PLATFORM_PROFILES = [
  "http://arm.com/CCA-SSD/1.0.0",
  "tag:arm.com,2023:cca_platform#1.0.0",
  "tag:arm.com,2024:platform#2.0.0",
  "tag:arm.com,2024:cca_platform#2.0.0",
] as const;
export type PlatformProfile = (typeof PLATFORM_PROFILES)[number];

/** One measured piece of the platform's firmware. */
export interface SoftwareComponent {
  /** "BL2", "RMM"… */
  readonly type: string | undefined;
  readonly measurement: Uint8Array;
  readonly version: string | undefined;
  /** Hash of the key that signed the component. */
  readonly signerId: Uint8Array;
  /** As it stands; undefined: the platform's hash algorithm. */
  readonly hashAlgorithm: string | undefined;
}

export interface PlatformClaims {
  readonly profile: PlatformProfile;
  /** Hash of the realm's attestation key: what binds the two tokens. */
  readonly challenge: Uint8Array;
  /** 32 bytes: the model of the platform. */
  readonly implementationId: Uint8Array;
  /** 33 bytes, the first 1: this very platform, and so its key. */
  readonly instanceId: Uint8Array;
  readonly config: Uint8Array;
  /** See lifecycle.ts. */
  readonly lifecycle: number;
  readonly softwareComponents: readonly SoftwareComponent[];
  readonly verificationService: string | undefined;
  readonly hashAlgorithm: CcaHash;
  /** Profile 2.0.0 only. */
  readonly clientId: number | undefined;
  readonly manufacturingConfig: Uint8Array | undefined;
  readonly peerSigners: Uint8Array | undefined;
}

const KEY = {
  profile: 265,
  challenge: 10,
  implementationId: 2396,
  instanceId: 256,
  config: 2401,
  lifecycle: 2395,
  softwareComponents: 2399,
  verificationService: 2400,
  hashAlgorithm: 2402,
  clientId: 2394,
  manufacturingConfig: 2403,
  extension: 2404,
  rotpk: 2405,
  peerSigners: 2406,
} as const;
const COMPONENT_KEY = { type: 1, measurement: 2, version: 4, signerId: 5, hashAlgorithm: 6 } as const;

const MAX_TEXT = 512;
const MAX_COMPONENTS = 64;
const IMPLEMENTATION_ID = [32];
const INSTANCE_ID = [33];
/** EAT UEID of type RAND (RFC 9711 section 4.2.1). */
const UEID_RAND = 1;
const OPAQUE = { least: 1, most: 4096 } as const;
const MAX_LIFECYCLE = 0xffff;

/** The claims, and the names of members that this version does not know. Throws `INVALID_CCA_TOKEN`, `UNSUPPORTED_CCA_PROFILE`. */
export function parsePlatformClaims(value: CborValue): { claims: PlatformClaims; unknown: CborKey[] } {
  const reader = new MapReader(value, "platform claims", invalidToken);
  const field = (name: string): string => `platform ${name}`;
  const profile = profileOf(reader.text(KEY.profile, field("profile"), MAX_TEXT));
  const unknown: CborKey[] = [];
  const opaque = (key: number, name: string): Uint8Array | undefined =>
    reader.has(key) ? reader.bytes(key, field(name), OPAQUE) : undefined;
  const claims: PlatformClaims = {
    profile,
    challenge: reader.bytes(KEY.challenge, field("challenge"), HASH_SIZES),
    implementationId: reader.bytes(KEY.implementationId, field("implementation id"), IMPLEMENTATION_ID),
    instanceId: instanceIdOf(reader.bytes(KEY.instanceId, field("instance id"), INSTANCE_ID), "platform"),
    config: reader.bytes(KEY.config, field("config"), OPAQUE),
    lifecycle: lifecycleOf(reader.integer(KEY.lifecycle, field("lifecycle"), 0, MAX_LIFECYCLE)),
    softwareComponents: reader
      .array(KEY.softwareComponents, field("software components"), 1, MAX_COMPONENTS)
      .map((item, i) => componentOf(item, field(`software component ${i}`), unknown)),
    verificationService: reader.has(KEY.verificationService)
      ? reader.text(KEY.verificationService, field("verification service"), MAX_TEXT)
      : undefined,
    hashAlgorithm: ccaHashOf(
      reader.text(KEY.hashAlgorithm, field("hash algorithm"), MAX_TEXT),
      field("hash algorithm"),
    ),
    clientId: reader.has(KEY.clientId)
      ? reader.integer(KEY.clientId, field("client id"), -0x8000_0000, 0x7fff_ffff)
      : undefined,
    manufacturingConfig: opaque(KEY.manufacturingConfig, "manufacturing config"),
    peerSigners: opaque(KEY.peerSigners, "peer signers"),
  };
  // Lists of devices and boot keys (profile 2.0.0): known to exist, not shown.
  for (const key of [KEY.extension, KEY.rotpk]) reader.any(key);
  return { claims, unknown: [...reader.unknown(), ...unknown] };
}

/** The claim map; claims that are undefined are left out. */
export function encodePlatformClaims(claims: PlatformClaims): Bytes {
  const components = claims.softwareComponents.map((component) =>
    present([
      [COMPONENT_KEY.type, component.type],
      [COMPONENT_KEY.signerId, component.signerId],
      [COMPONENT_KEY.version, component.version],
      [COMPONENT_KEY.measurement, component.measurement],
      [COMPONENT_KEY.hashAlgorithm, component.hashAlgorithm],
    ]),
  );
  return encodeCbor(
    present([
      [KEY.profile, claims.profile],
      [KEY.challenge, claims.challenge],
      [KEY.implementationId, claims.implementationId],
      [KEY.instanceId, claims.instanceId],
      [KEY.config, claims.config],
      [KEY.lifecycle, claims.lifecycle],
      [KEY.hashAlgorithm, claims.hashAlgorithm],
      [KEY.softwareComponents, components],
      [KEY.verificationService, claims.verificationService],
      [KEY.clientId, claims.clientId],
      [KEY.manufacturingConfig, claims.manufacturingConfig],
      [KEY.peerSigners, claims.peerSigners],
    ]),
  );
}

/** 33 bytes of UEID type RAND. Throws `INVALID_CCA_TOKEN`. */
export function instanceIdOf(id: Uint8Array, part: "platform" | "realm"): Uint8Array {
  if (id[0] === UEID_RAND) return id;
  throw invalidToken(`${part} instance id`, `of type ${id[0]}`, `type ${UEID_RAND} (random)`);
}

/** A map of the members that have a value. */
export function present(members: readonly (readonly [number, CborValue])[]): Map<number, CborValue> {
  return new Map(members.filter(([, value]) => value !== undefined));
}

function profileOf(profile: string): PlatformProfile {
  const known = PLATFORM_PROFILES.find((candidate) => candidate === profile);
  if (known === undefined) throw unknownProfile("platform", profile, PLATFORM_PROFILES);
  return known;
}

function lifecycleOf(lifecycle: number): number {
  if (lifecycleStateOf(lifecycle) !== undefined) return lifecycle;
  throw invalidToken("platform lifecycle", `${lifecycle}`, "a state of the specification");
}

function componentOf(value: CborValue, field: string, unknown: CborKey[]): SoftwareComponent {
  const reader = new MapReader(value, field, invalidToken);
  const text = (key: number, name: string): string | undefined =>
    reader.has(key) ? reader.text(key, `${field}, ${name}`, MAX_TEXT) : undefined;
  const component: SoftwareComponent = {
    type: text(COMPONENT_KEY.type, "type"),
    measurement: bytesOf(
      reader.any(COMPONENT_KEY.measurement),
      `${field}, measurement`,
      HASH_SIZES,
      invalidToken,
    ),
    version: text(COMPONENT_KEY.version, "version"),
    signerId: bytesOf(reader.any(COMPONENT_KEY.signerId), `${field}, signer id`, HASH_SIZES, invalidToken),
    hashAlgorithm: text(COMPONENT_KEY.hashAlgorithm, "hash algorithm"),
  };
  unknown.push(...reader.unknown());
  return component;
}
