// SPDX-License-Identifier: Apache-2.0
// Certificates for tests: a root, an intermediate authority and a leaf, each open to being made wrong.

import { fromUtf8 } from "@adyton/core/bytes";
import { defaultCrypto, type PrivateKey, type SignatureAlgorithm } from "@adyton/core/crypto";
import { encodeDer } from "@adyton/core/der";
import {
  type CertificateTemplate,
  type IssuedExtension,
  type Issuer,
  issueCertificate,
  type NameAttribute,
} from "@adyton/core/issue";
import { toPem } from "@adyton/core/pem";
import { KEY_USAGE } from "@adyton/core/x509";

export const AT = new Date("2026-01-15T00:00:00Z");
export const YEAR = 365 * 86_400_000;

export interface Authority extends Issuer {
  readonly certificate: Uint8Array;
}

const CA: Pick<CertificateTemplate, "ca" | "keyUsage"> = { ca: {}, keyUsage: [KEY_USAGE.keyCertSign] };

export async function newKey(): Promise<PrivateKey> {
  return defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
}

/** A certificate of `key` (a new one by default) by `issuer`, by itself without one. */
export async function issue(
  commonName: string,
  issuer: Issuer | undefined,
  more: Partial<CertificateTemplate> = {},
  key?: PrivateKey,
  algorithm?: SignatureAlgorithm,
): Promise<Authority> {
  const name: readonly NameAttribute[] = [["CN", commonName]];
  const own = { name, key: key ?? (await newKey()) };
  const template = {
    subject: name,
    spki: own.key.publicKey.spki,
    serial: "0102",
    notBefore: new Date(AT.getTime() - YEAR),
    notAfter: new Date(AT.getTime() + YEAR),
    ...more,
  };
  return { ...own, certificate: await issueCertificate(template, issuer ?? own, algorithm) };
}

export function authority(
  commonName: string,
  issuer?: Issuer,
  more: Partial<CertificateTemplate> = {},
  key?: PrivateKey,
): Promise<Authority> {
  return issue(commonName, issuer, { ...CA, ...more }, key);
}

export function pemOf(...certificates: readonly Authority[]): string {
  return certificates.map(({ certificate }) => toPem("CERTIFICATE", certificate)).join("");
}

export interface GeneralNames {
  readonly dns?: readonly string[];
  readonly email?: readonly string[];
  readonly uri?: readonly string[];
  readonly ip?: readonly (readonly number[])[];
}

export function alternativeNames(names: GeneralNames, critical: boolean = false): IssuedExtension {
  return { oid: "2.5.29.17", critical, value: encodeDer.sequence(...generalNames(names)) };
}

/** RFC 5280 section 4.2.1.10. Addresses come with their masks. */
export function nameConstraints(permitted: GeneralNames, excluded: GeneralNames = {}): IssuedExtension {
  const side = (tag: number, names: GeneralNames): Uint8Array[] => {
    const trees = generalNames(names).map((name) => encodeDer.sequence(name));
    return trees.length === 0 ? [] : [encodeDer.explicit(tag, ...trees)];
  };
  return {
    oid: "2.5.29.30",
    critical: true,
    value: encodeDer.sequence(...side(0, permitted), ...side(1, excluded)),
  };
}

export function purposes(...oids: readonly string[]): IssuedExtension {
  return { oid: "2.5.29.37", value: encodeDer.sequence(...oids.map(encodeDer.oid)) };
}

function generalNames({ dns = [], email = [], uri = [], ip = [] }: GeneralNames): Uint8Array[] {
  return [
    ...email.map((text) => encodeDer.value(0x81, fromUtf8(text))),
    ...dns.map((text) => encodeDer.value(0x82, fromUtf8(text))),
    ...uri.map((text) => encodeDer.value(0x86, fromUtf8(text))),
    ...ip.map((bytes) => encodeDer.value(0x87, Uint8Array.from(bytes))),
  ];
}
