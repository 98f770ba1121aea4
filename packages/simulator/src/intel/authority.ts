// SPDX-License-Identifier: Apache-2.0
// Authorities of the simulated Intel: who may sign what. Every name says "Adyton Simulator" in O, while the CN keeps
// the role text that verifiers look for ("… SGX Root CA", "… SGX PCK Platform CA", …).

import { type Bytes, toHex } from "@adyton/core/bytes";
import type { CryptoProvider, PrivateKey, SignatureAlgorithm } from "@adyton/core/crypto";
import {
  type CertificateTemplate,
  type CrlTemplate,
  type Issuer,
  issueCertificate,
  issueCrl,
  type NameAttribute,
} from "@adyton/core/issue";
import { type Certificate, KEY_USAGE, parseCertificate } from "@adyton/core/x509";

/** A name, its private key and its certificate: whoever holds this can sign as that name. */
export interface Authority extends Issuer {
  readonly certificate: Certificate;
}

/** What a certificate says otherwise than usual, and who signs it. Each member replaces the usual one. */
export interface CertificateChange extends Partial<Omit<CertificateTemplate, "spki" | "ca">> {
  /** Undefined makes an end entity of a CA. */
  readonly ca?: CertificateTemplate["ca"] | undefined;
  /** How it is signed. */
  readonly algorithm?: SignatureAlgorithm;
  /** Signs instead of the usual issuer; its name becomes the issuer's name. */
  readonly issuer?: Issuer;
  /** Certified instead of a fresh P-256 key. */
  readonly key?: PrivateKey;
}

/** What a CRL says otherwise than usual, and who signs it. */
export interface CrlChange extends Partial<Omit<CrlTemplate, "revoked">> {
  /** Certificates or serial numbers (hex) that it revokes, as of `thisUpdate`. */
  readonly revoked?: readonly (Certificate | string)[];
  readonly issuer?: Issuer;
}

/** When something holds. */
export interface Period {
  readonly from: Date;
  readonly until: Date;
}

const P256 = { name: "EC", curve: "P-256" } as const;
const SERIAL_BYTES = 16;

/** A distinguished name of the simulated Intel. */
export function simulatorName(commonName: string): readonly NameAttribute[] {
  return [
    ["CN", commonName],
    ["O", "Adyton Simulator"],
    ["C", "XX"],
  ];
}

/** What makes a certificate an authority's (Intel: root with path length 1, PCK CAs with 0). */
export function caTemplate(pathLength: number): Pick<CertificateTemplate, "ca" | "keyUsage"> {
  return { ca: { pathLength }, keyUsage: [KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign] };
}

/** Issues a certificate over a fresh key and keeps both. Without `issuer` it signs itself. */
export async function createAuthority(
  usual: Pick<CertificateTemplate, "subject"> & Omit<CertificateChange, "issuer" | "key" | "algorithm">,
  period: Period,
  issuer: Issuer | undefined,
  change: CertificateChange,
  crypto: CryptoProvider,
): Promise<Authority> {
  const { issuer: otherIssuer, key: otherKey, algorithm, ...said } = change;
  const key = otherKey ?? (await crypto.generateKey(P256));
  const { ca, ...rest } = {
    serial: randomSerial(crypto),
    notBefore: period.from,
    notAfter: period.until,
    ...usual,
    ...said,
    spki: key.publicKey.spki,
  };
  const template: CertificateTemplate = ca === undefined ? rest : { ...rest, ca };
  const signer = otherIssuer ?? issuer ?? { name: template.subject, key };
  const der = await issueCertificate(template, signer, algorithm, crypto);
  return { name: template.subject, key, certificate: parseCertificate(der) };
}

/** A CRL by `issuer`, in DER. */
export async function createCrl(
  issuer: Issuer,
  period: Period,
  change: CrlChange,
  crypto: CryptoProvider,
): Promise<Bytes> {
  const { issuer: otherIssuer, revoked = [], ...said } = change;
  const template = { thisUpdate: period.from, nextUpdate: period.until, number: 1, ...said };
  const serials = revoked.map((item) => (typeof item === "string" ? item : item.serial));
  return issueCrl(
    { ...template, revoked: serials.map((serial) => [serial, template.thisUpdate]) },
    otherIssuer ?? issuer,
    undefined,
    crypto,
  );
}

/** A positive serial number without leading zeros. */
function randomSerial(crypto: CryptoProvider): string {
  const bytes = crypto.randomBytes(SERIAL_BYTES);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return toHex(bytes);
}
