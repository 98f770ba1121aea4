// SPDX-License-Identifier: Apache-2.0
// Nebula certificates, version 1: a small protobuf message signed with Ed25519 (github.com/slackhq/nebula, cert.proto).

import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { concat, fromUtf8, toBase64 } from "@adyton/core/bytes";

export interface NebulaDetails {
  readonly name: string;
  /** Address and prefix length. */
  readonly ips: readonly Ipv4Network[];
  readonly subnets: readonly Ipv4Network[];
  readonly groups: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** X25519 of a node, Ed25519 of a CA, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly isCa: boolean;
  /** SHA-256 over the issuer's certificate; of a CA empty. */
  readonly issuer: Uint8Array;
}

export interface Ipv4Network {
  /** Host order. */
  readonly address: number;
  readonly prefix: number;
}

const FIELD = {
  name: 1,
  ips: 2,
  subnets: 3,
  groups: 4,
  notBefore: 5,
  notAfter: 6,
  publicKey: 7,
  isCa: 8,
  issuer: 9,
};
const WIRE = { varint: 0, bytes: 2 } as const;
const KEY_BYTES = 32;
const CIDR = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/;

/** Reads `10.1.2.3/24`, undefined when it is none. */
export function parseIpv4Network(text: string): Ipv4Network | undefined {
  const match = CIDR.exec(text);
  if (match === null) return undefined;
  const [a = 256, b = 256, c = 256, d = 256, prefix = 33] = match.slice(1).map(Number);
  if (Math.max(a, b, c, d) > 255 || prefix > 32) return undefined;
  return { address: ((a << 24) | (b << 16) | (c << 8) | d) >>> 0, prefix };
}

/** Whether all of `inner` lies in `outer`. */
export function contains(outer: Ipv4Network, inner: Ipv4Network): boolean {
  const mask = maskOf(outer.prefix);
  return inner.prefix >= outer.prefix && (inner.address & mask) >>> 0 === (outer.address & mask) >>> 0;
}

/** The signed certificate's bytes. */
export function signNebulaCertificate(details: NebulaDetails, seed: Uint8Array): Uint8Array {
  const message = encodeDetails(details);
  const signature = new Uint8Array(sign(null, message, ed25519Key(seed)));
  return concat(field(1, message), field(2, signature));
}

/** By this a node's certificate names its issuer. */
export function nebulaFingerprint(certificate: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(certificate).digest());
}

export function nebulaPem(label: string, bytes: Uint8Array): string {
  const lines = toBase64(bytes).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN NEBULA ${label}-----`, ...lines, `-----END NEBULA ${label}-----`, ""].join("\n");
}

/** Raw private and public key. */
export function newNebulaKey(kind: "ed25519" | "x25519"): { privateKey: Uint8Array; publicKey: Uint8Array } {
  const { privateKey } = kind === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("x25519");
  const { d = "", x = "" } = privateKey.export({ format: "jwk" });
  return { privateKey: rawOf(d), publicKey: rawOf(x) };
}

function rawOf(base64Url: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64Url, "base64url"));
}

/** PKCS #8 around the seed (RFC 8410 section 7). */
function ed25519Key(seed: Uint8Array): KeyObject {
  const prefix = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, KEY_BYTES);
  const der = concat(prefix, seed);
  const key = createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
  der.fill(0);
  return key;
}

/** Fields in order of number; empty ones are left out, as the reference encoder does. */
function encodeDetails(details: NebulaDetails): Uint8Array {
  const { name, ips, subnets, groups, notBefore, notAfter, publicKey, isCa, issuer } = details;
  return concat(
    field(FIELD.name, fromUtf8(name)),
    ...networks(FIELD.ips, ips),
    ...networks(FIELD.subnets, subnets),
    ...groups.map((group) => field(FIELD.groups, fromUtf8(group))),
    number(FIELD.notBefore, seconds(notBefore)),
    number(FIELD.notAfter, seconds(notAfter)),
    field(FIELD.publicKey, publicKey),
    ...(isCa ? [number(FIELD.isCa, 1)] : []),
    ...(issuer.length === 0 ? [] : [field(FIELD.issuer, issuer)]),
  );
}

/** Packed: address, mask, address, mask… */
function networks(tag: number, list: readonly Ipv4Network[]): readonly Uint8Array[] {
  if (list.length === 0) return [];
  return [
    field(tag, concat(...list.flatMap(({ address, prefix }) => [varint(address), varint(maskOf(prefix))]))),
  ];
}

function maskOf(prefix: number): number {
  return prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function field(tag: number, bytes: Uint8Array): Uint8Array {
  return concat(varint(tag * 8 + WIRE.bytes), varint(bytes.length), bytes);
}

function number(tag: number, value: number): Uint8Array {
  return concat(varint(tag * 8 + WIRE.varint), varint(value));
}

/** Non-negative, below 2^53. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  return Uint8Array.of(...bytes, left);
}
