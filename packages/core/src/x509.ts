// SPDX-License-Identifier: Apache-2.0
// X.509 certificates (RFC 5280), parsed strictly, and the algorithm identifiers that certificates and CRLs share.

import { equal, toHex } from "./bytes.ts";
import {
  type CurveName,
  ecdsaFromDer,
  type HashName,
  type KeyAlgorithm,
  keyAlgorithmOf,
  type PublicKey,
  type SignatureAlgorithm,
  type VerifyingCrypto,
  verifyingCrypto,
} from "./crypto.ts";
import { type DerValue, parseDer, TAG } from "./der.ts";
import { CoreError, malformed } from "./errors.ts";
import { parsePem } from "./pem.ts";

/** A distinguished name: compared by its exact DER, shown as text. */
export interface DistinguishedName {
  readonly der: Uint8Array;
  readonly commonName: string | undefined;
  /** For messages: "CN=…, O=…". */
  readonly text: string;
}

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** Contents of the extnValue OCTET STRING. */
  readonly value: Uint8Array;
}

/** Bits of KeyUsage, RFC 5280 section 4.2.1.3. */
export const KEY_USAGE = { digitalSignature: 0, keyCertSign: 5, cRLSign: 6 } as const;

export interface Certificate {
  readonly der: Uint8Array;
  /** The signed part, as received. */
  readonly tbs: Uint8Array;
  /** Magnitude, lower-case hex without leading zero bytes. */
  readonly serial: string;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  readonly key: KeyAlgorithm;
  readonly signatureAlgorithm: SignatureAlgorithm;
  /** As it stands in the certificate: DER for ECDSA. */
  readonly signature: Uint8Array;
  readonly extensions: ReadonlyMap<string, Extension>;
  readonly isCa: boolean;
  readonly pathLength: number | undefined;
  /** Undefined when the extension is absent: then every use is allowed. */
  readonly keyUsage: ReadonlySet<number> | undefined;
  readonly subjectKeyId: Uint8Array | undefined;
  readonly authorityKeyId: Uint8Array | undefined;
}

/** Extensions this module understands; a critical one outside this set fails in chain verification. */
export const OID = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  basicConstraints: "2.5.29.19",
  cRLNumber: "2.5.29.20",
  reasonCode: "2.5.29.21",
  authorityKeyIdentifier: "2.5.29.35",
} as const;

const ATTRIBUTE: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.5": "SERIALNUMBER",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
};

const MAX_CERTIFICATE = 64 * 1024;
const MAX_EXTENSIONS = 64;
const MAX_SERIAL = 21;

/** Parses one certificate. Throws `INVALID_CERTIFICATE`, `INVALID_DER` or `UNSUPPORTED_ALGORITHM`. */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE) {
    throw malformed(
      "TOO_LARGE",
      `Cannot parse certificate: ${der.length} bytes, at most ${MAX_CERTIFICATE} are read`,
    );
  }
  const [tbs, outerAlgorithm, signature] = parseDer(der, "certificate").sequence(3) as [
    DerValue,
    DerValue,
    DerValue,
  ];
  const fields = tbs.sequence();
  const next = (field: string): DerValue => {
    const value = fields.shift();
    if (value === undefined)
      throw malformed("INVALID_CERTIFICATE", `Cannot parse certificate: ${field} is missing`, { field });
    return value;
  };
  const [version] = next("version").elements(0xa0, 1) as [DerValue];
  if (version.smallInteger() !== 2) {
    throw malformed(
      "INVALID_CERTIFICATE",
      `Cannot parse certificate: version ${version.smallInteger() + 1}, expected 3`,
    );
  }
  const serial = next("serialNumber").unsigned();
  if (serial.length > MAX_SERIAL)
    throw malformed(
      "INVALID_CERTIFICATE",
      `Cannot parse certificate: a serial number of ${serial.length} bytes`,
    );
  const innerAlgorithm = next("signature");
  if (!equal(innerAlgorithm.encoded, outerAlgorithm.encoded)) {
    throw malformed(
      "INVALID_CERTIFICATE",
      "Cannot parse certificate: the signed and the outer signature algorithm differ",
    );
  }
  const issuer = parseName(next("issuer"));
  const [notBefore, notAfter] = next("validity").sequence(2) as [DerValue, DerValue];
  const subject = parseName(next("subject"));
  const spki = next("subjectPublicKeyInfo").encoded;
  while (fields[0]?.is(0x81) || fields[0]?.is(0x82)) fields.shift(); // unique identifiers: obsolete, never used
  const extensions = fields[0]?.is(0xa3) ? parseExtensions(next("extensions")) : new Map<string, Extension>();
  if (fields.length > 0)
    throw malformed("INVALID_CERTIFICATE", "Cannot parse certificate: unknown fields follow the extensions");

  const basic = parseBasicConstraints(extensions);
  return {
    der,
    tbs: tbs.encoded,
    serial: toHex(serial),
    issuer,
    subject,
    notBefore: notBefore.time(),
    notAfter: notAfter.time(),
    spki,
    key: keyAlgorithmOf(spki),
    signatureAlgorithm: parseSignatureAlgorithm(outerAlgorithm),
    signature: signature.bitString(),
    extensions,
    isCa: basic.isCa,
    pathLength: basic.pathLength,
    keyUsage: extensionValue(extensions, OID.keyUsage)?.namedBits(),
    subjectKeyId: extensionValue(extensions, OID.subjectKeyIdentifier)?.octetString(),
    authorityKeyId: authorityKeyIdOf(extensions),
  };
}

/** Every certificate in a PEM text, in order; other blocks are ignored. */
export function parseCertificates(pem: string): Certificate[] {
  return parsePem(pem)
    .filter((block) => block.label === "CERTIFICATE")
    .map((block) => parseCertificate(block.der));
}

/** SHA-256 over the whole certificate, lower-case hex. */
export async function fingerprintOf(
  certificate: Certificate,
  crypto: VerifyingCrypto = verifyingCrypto,
): Promise<string> {
  return toHex(await crypto.digest("SHA-256", certificate.der));
}

/** The certificate's key, prepared. Cached per certificate object. */
export async function publicKeyOf(
  certificate: Certificate,
  crypto: VerifyingCrypto = verifyingCrypto,
): Promise<PublicKey> {
  let key = prepared.get(certificate);
  if (key === undefined) {
    key = await crypto.importPublicKey(certificate.spki);
    prepared.set(certificate, key);
  }
  return key;
}
const prepared = new WeakMap<Certificate, PublicKey>();

/** True when `signer`'s key made the signature over `tbs` with exactly this algorithm. */
export async function isSignedBy(
  signed: Pick<Certificate, "tbs" | "signature" | "signatureAlgorithm">,
  signer: Certificate,
  crypto: VerifyingCrypto = verifyingCrypto,
): Promise<boolean> {
  const key = await publicKeyOf(signer, crypto);
  let signature: Uint8Array = signed.signature;
  if (signed.signatureAlgorithm.name === "ECDSA") {
    if (key.algorithm.name !== "EC") return false;
    signature = ecdsaFromDer(key.algorithm.curve satisfies CurveName, signature);
  }
  return key.verify(signed.signatureAlgorithm, signature, signed.tbs);
}

const HASH_OF_OID: Readonly<Record<string, HashName>> = {
  "1.3.14.3.2.26": "SHA-1",
  "2.16.840.1.101.3.4.2.1": "SHA-256",
  "2.16.840.1.101.3.4.2.2": "SHA-384",
  "2.16.840.1.101.3.4.2.3": "SHA-512",
};
const OID_RSASSA_PSS = "1.2.840.113549.1.1.10";
const OID_MGF1 = "1.2.840.113549.1.1.8";
const SIGNATURE_OF_OID: Readonly<Record<string, SignatureAlgorithm>> = {
  "1.2.840.10045.4.3.2": { name: "ECDSA", hash: "SHA-256" },
  "1.2.840.10045.4.3.3": { name: "ECDSA", hash: "SHA-384" },
  "1.2.840.10045.4.3.4": { name: "ECDSA", hash: "SHA-512" },
  "1.2.840.113549.1.1.11": { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  "1.2.840.113549.1.1.12": { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
  "1.2.840.113549.1.1.13": { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" },
  "1.3.101.112": { name: "Ed25519" },
};

/** An AlgorithmIdentifier for signatures. SHA-1 and anything unknown is `UNSUPPORTED_ALGORITHM`. */
export function parseSignatureAlgorithm(identifier: DerValue): SignatureAlgorithm {
  const [oid, parameters, ...more] = identifier.nonEmptySequence();
  const name = oid.oid();
  const unsupported = (why: string): never => {
    throw new CoreError(
      "UNSUPPORTED_ALGORITHM",
      "malformed",
      `Cannot use signature algorithm ${name}: ${why}`,
      { detail: { oid: name } },
    );
  };
  if (more.length > 0) unsupported("more than one parameter");
  if (name === OID_RSASSA_PSS) return parsePss(parameters, unsupported);
  const algorithm =
    SIGNATURE_OF_OID[name] ?? unsupported("not one of ECDSA, RSA-PSS, RSA PKCS #1 or Ed25519 with SHA-2");
  if (algorithm.name === "RSASSA-PKCS1-v1_5") parameters?.null();
  else if (parameters !== undefined) unsupported("parameters where none are allowed");
  return algorithm;
}

/** RSASSA-PSS-params (RFC 4055 section 3.1): explicit, MGF1 with the same hash, trailer 1. */
function parsePss(parameters: DerValue | undefined, unsupported: (why: string) => never): SignatureAlgorithm {
  let hash: HashName | undefined;
  let mask: HashName | undefined;
  let saltLength = 20;
  for (const field of parameters?.sequence() ?? []) {
    switch (field.tag) {
      case 0xa0:
        hash = hashOf(field.elements(0xa0, 1)[0] as DerValue);
        break;
      case 0xa1: {
        const [generator] = field.elements(0xa1, 1) as [DerValue];
        const [oid, inner] = generator.sequence(2) as [DerValue, DerValue];
        if (oid.oid() !== OID_MGF1) unsupported("a mask generation function other than MGF1");
        mask = hashOf(inner);
        break;
      }
      case 0xa2:
        saltLength = (field.elements(0xa2, 1)[0] as DerValue).smallInteger();
        break;
      case 0xa3:
        if ((field.elements(0xa3, 1)[0] as DerValue).smallInteger() !== 1)
          unsupported("a trailer field other than 1");
        break;
      default:
        unsupported("an unknown PSS parameter");
    }
  }
  if (hash === undefined || mask === undefined || hash === "SHA-1")
    return unsupported("SHA-1, or no hash named");
  if (hash !== mask) unsupported(`hash ${hash} with mask hash ${mask}`);
  return { name: "RSA-PSS", hash, saltLength };
}

function hashOf(identifier: DerValue): HashName | undefined {
  const [oid, parameters] = identifier.nonEmptySequence();
  parameters?.null();
  return HASH_OF_OID[oid.oid()];
}

export function parseName(name: DerValue): DistinguishedName {
  const parts: string[] = [];
  let commonName: string | undefined;
  for (const set of name.sequence()) {
    for (const pair of set.elements(TAG.SET)) {
      const [type, value] = pair.sequence(2) as [DerValue, DerValue];
      const oid = type.oid();
      const text = value.string();
      if (oid === "2.5.4.3") commonName = text;
      // RFC 4514 section 2.4: no value reads like a further attribute.
      parts.push(`${ATTRIBUTE[oid] ?? oid}=${text.replace(/[\\,]/g, "\\$&")}`);
    }
  }
  return { der: name.encoded, commonName, text: parts.join(", ") };
}

/** The explicit [n] wrapper around Extensions, of a certificate or a CRL. */
export function parseExtensions(wrapper: DerValue): Map<string, Extension> {
  const [list] = wrapper.elements(wrapper.tag, 1) as [DerValue];
  return parseExtensionList(list);
}

export function parseExtensionList(list: DerValue): Map<string, Extension> {
  const extensions = new Map<string, Extension>();
  for (const item of list.sequence()) {
    const parts = item.sequence();
    const oid = (parts[0] ?? item).oid();
    const critical = parts.length === 3 ? (parts[1] as DerValue).boolean() : false;
    const value = parts.at(-1) as DerValue;
    if (parts.length < 2 || parts.length > 3 || (parts.length === 3 && !critical)) {
      throw malformed("INVALID_DER", `Cannot parse extension ${oid}: not {OID, critical TRUE, value}`, {
        oid,
      });
    }
    if (extensions.has(oid))
      throw malformed("INVALID_DER", `Cannot parse extensions: ${oid} occurs twice`, { oid });
    if (extensions.size === MAX_EXTENSIONS)
      throw malformed("INVALID_DER", `Cannot parse extensions: more than ${MAX_EXTENSIONS}`);
    extensions.set(oid, { oid, critical, value: value.octetString() });
  }
  return extensions;
}

/** An extension's value as DER. */
export function extensionValue(
  extensions: ReadonlyMap<string, Extension>,
  oid: string,
): DerValue | undefined {
  const extension = extensions.get(oid);
  return extension === undefined ? undefined : parseDer(extension.value, `extension ${oid}`);
}

export function authorityKeyIdOf(extensions: ReadonlyMap<string, Extension>): Uint8Array | undefined {
  return extensionValue(extensions, OID.authorityKeyIdentifier)
    ?.sequence()
    .find((part) => part.is(0x80))?.contents;
}

function parseBasicConstraints(extensions: ReadonlyMap<string, Extension>): {
  isCa: boolean;
  pathLength: number | undefined;
} {
  const parts = extensionValue(extensions, OID.basicConstraints)?.sequence() ?? [];
  const isCa = parts[0]?.is(TAG.BOOLEAN) ? (parts.shift() as DerValue).boolean() : false;
  const pathLength = parts.shift()?.smallInteger();
  if (parts.length > 0 || (pathLength !== undefined && !isCa)) {
    throw malformed("INVALID_CERTIFICATE", "Cannot parse certificate: malformed basic constraints");
  }
  return { isCa, pathLength };
}
