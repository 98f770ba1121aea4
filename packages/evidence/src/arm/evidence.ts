// SPDX-License-Identifier: Apache-2.0
// The CCA token: a platform token and a realm token, each a COSE_Sign1, in one of two envelopes.
// RMM specification (DEN0137) A7.2.3 and draft-ffm-rats-cca-token section 4; CMW collections: draft-ietf-rats-msg-wrap.

import type { Bytes } from "@adyton/core/bytes";
import { type CborKey, CborTag, type CborValue, encodeCbor, isCborMap, parseCbor } from "@adyton/core/cbor";
import { parseSign1, type Sign1 } from "@adyton/core/cose";
import { describeCbor, MapReader } from "../cbor-map.ts";
import { type PlatformClaims, parsePlatformClaims } from "./platform.ts";
import { parseRealmClaims, type RealmClaims } from "./realm.ts";
import { invalidToken } from "./refusal.ts";

/** `legacy`: tag 399, the tokens themselves. `cmw`: tag 907, each token with its content format. */
export type CcaForm = "legacy" | "cmw";

/** One signed half of a token. */
export interface CcaPart<Claims> {
  /** The COSE_Sign1 as received. */
  readonly bytes: Uint8Array;
  readonly sign1: Sign1;
  readonly claims: Claims;
  /** Members of the claim set that this version does not know. */
  readonly unknown: readonly CborKey[];
}

export interface CcaToken {
  readonly form: CcaForm;
  readonly platform: CcaPart<PlatformClaims>;
  readonly realm: CcaPart<RealmClaims>;
}

const TAG: Readonly<Record<CcaForm, number>> = { legacy: 399, cmw: 907 };
const KEY = { platform: 44234, realm: 44241 } as const;
/** CoAP content format of application/eat+cwt (IANA CoAP Content-Formats). */
const EAT_CWT = 263;
const MAX_TOKEN = 64 * 1024;
/** Heads of tags 399 and 907. */
const LEADS: readonly (readonly number[])[] = [
  [0xd9, 0x01, 0x8f],
  [0xd9, 0x03, 0x8b],
];

/** Parses a token whole, claims included. Throws `INVALID_CCA_TOKEN`, `UNSUPPORTED_CCA_PROFILE`, or an error of `@adyton/core` about its encoding. */
export function parseCcaToken(bytes: Uint8Array): CcaToken {
  const { form, platform, realm } = parseEnvelope(bytes);
  return {
    form,
    platform: partOf(platform, "platform", parsePlatformClaims),
    realm: partOf(realm, "realm", parseRealmClaims),
  };
}

/** The token of two COSE_Sign1. */
export function encodeCcaToken(form: CcaForm, platform: Uint8Array, realm: Uint8Array): Bytes {
  const wrapped = (token: Uint8Array): CborValue => (form === "cmw" ? [EAT_CWT, token] : token);
  return encodeCbor(
    new CborTag(
      TAG[form],
      new Map([
        [KEY.platform, wrapped(platform)],
        [KEY.realm, wrapped(realm)],
      ]),
    ),
  );
}

/** Whether the bytes look like a token. Never throws. */
export function isCcaToken(bytes: Uint8Array): boolean {
  if (bytes.length > MAX_TOKEN || !LEADS.some((lead) => lead.every((byte, i) => bytes[i] === byte)))
    return false;
  try {
    const value = parseCbor(bytes, "CCA token");
    return value instanceof CborTag && isCborMap(value.value) && value.value.has(KEY.platform);
  } catch {
    return false;
  }
}

function parseEnvelope(bytes: Uint8Array): { form: CcaForm; platform: Uint8Array; realm: Uint8Array } {
  if (bytes.length > MAX_TOKEN) throw invalidToken("token", `${bytes.length} bytes`, `at most ${MAX_TOKEN}`);
  const value = parseCbor(bytes, "CCA token");
  const form = value instanceof CborTag ? formOf(value.tag) : undefined;
  if (!(value instanceof CborTag) || form === undefined) {
    throw invalidToken("token", describeCbor(value), `tag ${TAG.legacy} or ${TAG.cmw}`);
  }
  const reader = new MapReader(value.value, "token", invalidToken);
  const tokenOf = (key: number, name: string): Uint8Array =>
    form === "legacy" ? sign1Of(reader.any(key), name) : wrappedOf(reader.array(key, name, 2, 2), name);
  const parts = {
    platform: tokenOf(KEY.platform, "platform token"),
    realm: tokenOf(KEY.realm, "realm token"),
  };
  const unknown = reader.unknown();
  if (unknown.length > 0)
    throw invalidToken("token", `a member ${String(unknown[0])}`, "platform and realm alone");
  return { form, ...parts };
}

function formOf(tag: number): CcaForm | undefined {
  return tag === TAG.legacy ? "legacy" : tag === TAG.cmw ? "cmw" : undefined;
}

function wrappedOf([type, token]: readonly CborValue[], field: string): Uint8Array {
  if (type !== EAT_CWT) {
    throw invalidToken(field, `of content format ${describeCbor(type)}`, `${EAT_CWT} (application/eat+cwt)`);
  }
  return sign1Of(token, field);
}

function sign1Of(value: CborValue, field: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw invalidToken(field, describeCbor(value), "a byte string");
}

function partOf<Claims>(
  bytes: Uint8Array,
  part: "platform" | "realm",
  parse: (value: CborValue) => { claims: Claims; unknown: CborKey[] },
): CcaPart<Claims> {
  const sign1 = parseSign1(bytes, `CCA ${part} token`);
  if (sign1.algorithm.name !== "ECDSA")
    throw invalidToken(`${part} algorithm`, sign1.algorithm.name, "ECDSA");
  return { bytes, sign1, ...parse(parseCbor(sign1.payload, `CCA ${part} claims`)) };
}
