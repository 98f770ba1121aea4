// SPDX-License-Identifier: Apache-2.0
// A simulated machine with Arm CCA: a platform attestation key of its own, and realms whose tokens it vouches for.
// Its implementation id reads "Adyton Simulator", and its key is never one that somebody vouches for as hardware.
//
// Faults need no switches: builders take changes, and tokens are plain bytes.

import { type Bytes, concat, fromUtf8, padRight, toBase64Url, toHex } from "@adyton/core/bytes";
import { type CborMap, type CborValue, encodeCbor, isCborMap, parseCbor } from "@adyton/core/cbor";
import { encodeSign1, protectedHeader, signedBytes } from "@adyton/core/cose";
import {
  type CryptoProvider,
  type CurveName,
  defaultCrypto,
  fieldSize,
  type PrivateKey,
  type SignatureAlgorithm,
} from "@adyton/core/crypto";
import type { JsonObject } from "@adyton/core/json";
import {
  type CcaForm,
  type CcaHash,
  encodeCcaToken,
  encodePlatformClaims,
  encodeRealmClaims,
  encodeRealmKey,
  type PlatformClaims,
  type PlatformProfile,
  type RealmClaims,
  type RealmProfile,
} from "@adyton/evidence/cca";
import { type Endorsements, NO_ENDORSEMENTS, type VendorKey } from "@adyton/evidence/endorsements";

/** Which generation of profiles a token follows, platform and realm alike. */
export type CcaGeneration = "legacy" | "2023" | "2024";

export interface CcaPlatformOptions {
  /** Of the platform's key. Default: P-384. */
  readonly curve?: CurveName;
  /** 33 bytes, the first 1. Default: random. */
  readonly instanceId?: Uint8Array;
  /** 32 bytes. */
  readonly implementationId?: Uint8Array;
  readonly crypto?: CryptoProvider;
}

type Edit = (claims: Map<number | string, CborValue>) => void;

/** What a token says otherwise than usual, and who signs it. */
export interface CcaTokenOptions {
  /** Default: the CMW collection. */
  readonly form?: CcaForm;
  /** Default: 2023. */
  readonly generation?: CcaGeneration;
  /** Of the realm's key. Default: P-384. */
  readonly realmCurve?: CurveName;
  /** The hash of the binding. Default: SHA-256. */
  readonly bindingHash?: CcaHash;
  /** At most 64 bytes, zero-padded on the right: the realm's challenge. */
  readonly reportData?: Uint8Array;
  /** At most 64 bytes, zero-padded on the right: the realm's personalization value. */
  readonly initData?: Uint8Array;
  readonly platform?: Partial<PlatformClaims>;
  readonly realm?: Partial<RealmClaims>;
  /** Sign instead of the platform's and the realm's key. */
  readonly platformKey?: PrivateKey;
  readonly realmKey?: PrivateKey;
  /** Named by the platform token's header, and how it is signed. */
  readonly platformAlgorithm?: SignatureAlgorithm;
  /** Change the claim sets before they are signed. */
  readonly editPlatform?: Edit;
  readonly editRealm?: Edit;
}

export interface CcaPlatform {
  readonly instanceId: Uint8Array;
  readonly implementationId: Uint8Array;
  /** The platform's attestation key. */
  readonly cpak: PrivateKey;
  /** Its public half with the platform's identifiers. */
  readonly key: VendorKey;
  /** Name this, and only in tests and demos, as `anchors`. */
  readonly anchors: Endorsements;
  /** The same as a Veraison trust-anchor store has it. */
  readonly trustAnchors: readonly JsonObject[];
  /** A token of a fresh realm. */
  token(options?: CcaTokenOptions): Promise<Bytes>;
}

const HASHES = { "sha-256": "SHA-256", "sha-384": "SHA-384", "sha-512": "SHA-512" } as const;
const HASH_OF_CURVE = { "P-256": "SHA-256", "P-384": "SHA-384", "P-521": "SHA-512" } as const;
const PROFILES: Readonly<Record<CcaGeneration, readonly [PlatformProfile, RealmProfile | undefined]>> = {
  legacy: ["http://arm.com/CCA-SSD/1.0.0", undefined],
  "2023": ["tag:arm.com,2023:cca_platform#1.0.0", "tag:arm.com,2023:realm#1.0.0"],
  "2024": ["tag:arm.com,2024:cca_platform#2.0.0", "tag:arm.com,2024:realm#2.0.0"],
};
const SECURED = 0x3000;
const COMPONENTS = ["BL2", "SCP_BL2", "BL31", "RMM"] as const;
const WIDE = 64;

/** Makes a platform with a fresh key. */
export async function createCcaPlatform(options: CcaPlatformOptions = {}): Promise<CcaPlatform> {
  const { crypto = defaultCrypto, curve = "P-384" } = options;
  const cpak = await crypto.generateKey({ name: "EC", curve });
  const instanceId = options.instanceId ?? concat(Uint8Array.of(1), crypto.randomBytes(32));
  const implementationId = options.implementationId ?? padRight(fromUtf8("Adyton Simulator"), 32);
  const identifiers = { "instance-id": toHex(instanceId), "implementation-id": toHex(implementationId) };
  const key: VendorKey = { spki: cpak.publicKey.spki, identifiers };
  return {
    instanceId,
    implementationId,
    cpak,
    key,
    anchors: { ...NO_ENDORSEMENTS, keys: [key] },
    trustAnchors: [{ ...identifiers, pkey: jwkOf(curve, pointOf(cpak, curve)) }],
    token: (request = {}) => makeToken({ cpak, curve, instanceId, implementationId }, request, crypto),
  };
}

interface Maker {
  readonly cpak: PrivateKey;
  readonly curve: CurveName;
  readonly instanceId: Uint8Array;
  readonly implementationId: Uint8Array;
}

async function makeToken(maker: Maker, options: CcaTokenOptions, crypto: CryptoProvider): Promise<Bytes> {
  const { form = "cmw", generation = "2023", realmCurve = "P-384", bindingHash = "sha-256" } = options;
  const [platformProfile, realmProfile] = PROFILES[generation];
  const rak = await crypto.generateKey({ name: "EC", curve: realmCurve });
  const publicKey =
    options.realm?.publicKey ??
    encodeRealmKey(realmCurve, pointOf(rak, realmCurve), generation === "legacy" ? "point" : "cose");
  const realm: RealmClaims = {
    profile: realmProfile,
    challenge: padRight(options.reportData ?? new Uint8Array(), WIDE),
    personalizationValue: padRight(options.initData ?? new Uint8Array(), WIDE),
    hashAlgorithm: "sha-256",
    publicKeyHashAlgorithm: bindingHash,
    initialMeasurement: new Uint8Array(32).fill(0x71),
    extensibleMeasurements: Array.from({ length: 4 }, () => new Uint8Array(32)),
    mecPolicy: generation === "2024" ? "private" : undefined,
    instanceId: generation === "2024" ? concat(Uint8Array.of(1), crypto.randomBytes(32)) : undefined,
    ...options.realm,
    publicKey,
  };
  const platform: PlatformClaims = {
    profile: platformProfile,
    challenge: await crypto.digest(HASHES[bindingHash], publicKey),
    implementationId: maker.implementationId,
    instanceId: maker.instanceId,
    config: Uint8Array.of(0xcf, 0xcf, 0xcf, 0xcf),
    lifecycle: SECURED,
    softwareComponents: COMPONENTS.map((type, i) => ({
      type,
      measurement: new Uint8Array(32).fill(0x10 + i),
      version: "1.0.0",
      signerId: new Uint8Array(32).fill(0x20),
      hashAlgorithm: "sha-256",
    })),
    verificationService: "https://simulator.adyton.invalid/verification",
    hashAlgorithm: "sha-256",
    clientId: generation === "2024" ? 1 : undefined,
    manufacturingConfig: undefined,
    peerSigners: undefined,
    ...options.platform,
  };
  const platformAlgorithm = options.platformAlgorithm ?? algorithmOf(maker.curve);
  return encodeCcaToken(
    form,
    await sign(
      edited(encodePlatformClaims(platform), options.editPlatform),
      options.platformKey ?? maker.cpak,
      platformAlgorithm,
    ),
    await sign(
      edited(encodeRealmClaims(realm), options.editRealm),
      options.realmKey ?? rak,
      algorithmOf(realmCurve),
    ),
  );
}

async function sign(
  payload: Uint8Array,
  key: Pick<PrivateKey, "sign">,
  algorithm: SignatureAlgorithm,
): Promise<Bytes> {
  const header = protectedHeader(algorithm);
  return encodeSign1(header, payload, await key.sign(algorithm, signedBytes(header, payload)));
}

function edited(payload: Bytes, edit: Edit | undefined): Bytes {
  if (edit === undefined) return payload;
  const claims = parseCbor(payload, "CCA claims");
  if (!isCborMap(claims)) throw new TypeError("createCcaPlatform: the claims are no map");
  const copy = new Map<number | string, CborValue>(claims as CborMap);
  edit(copy);
  return encodeCbor(copy);
}

function algorithmOf(curve: CurveName): SignatureAlgorithm {
  return { name: "ECDSA", hash: HASH_OF_CURVE[curve] };
}

/** x || y: what a SubjectPublicKeyInfo of an uncompressed point ends in. */
function pointOf(key: PrivateKey, curve: CurveName): Uint8Array {
  return key.publicKey.spki.subarray(-2 * fieldSize(curve));
}

function jwkOf(curve: CurveName, xy: Uint8Array): JsonObject {
  const size = fieldSize(curve);
  return { kty: "EC", crv: curve, x: toBase64Url(xy.subarray(0, size)), y: toBase64Url(xy.subarray(size)) };
}
