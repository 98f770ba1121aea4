// SPDX-License-Identifier: Apache-2.0
// Issuing certificates and CRLs: for simulators, brokers and attested TLS. What is issued here parses with x509.ts.

import { type Bytes, fromHex } from "./bytes.ts";
import {
  type CryptoProvider,
  defaultCrypto,
  ecdsaToDer,
  type HashName,
  type PrivateKey,
  type SignatureAlgorithm,
} from "./crypto.ts";
import { encodeDer, TAG } from "./der.ts";
import { CoreError } from "./errors.ts";
import { OID } from "./x509.ts";

/** An attribute of a distinguished name: [short name, text]. */
export type NameAttribute = readonly [kind: "CN" | "O" | "OU" | "L" | "ST" | "C", text: string];

export interface IssuedExtension {
  readonly oid: string;
  readonly critical?: boolean;
  /** DER (or, where a vendor breaks the rule, raw bytes) inside the OCTET STRING. */
  readonly value: Uint8Array;
}

export interface Issuer {
  readonly name: readonly NameAttribute[];
  readonly key: PrivateKey;
}

export interface CertificateTemplate {
  readonly subject: readonly NameAttribute[];
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** Positive; hex without prefix. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Absent: an end entity. */
  readonly ca?: { readonly pathLength?: number };
  /** Bits of KeyUsage; absent: no extension. */
  readonly keyUsage?: readonly number[];
  readonly extensions?: readonly IssuedExtension[];
}

export interface CrlTemplate {
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly number: number;
  /** Serial numbers in hex, with their revocation dates. */
  readonly revoked?: readonly (readonly [serial: string, date: Date])[];
  readonly extensions?: readonly IssuedExtension[];
}

const ATTRIBUTE_OID = {
  CN: "2.5.4.3",
  O: "2.5.4.10",
  OU: "2.5.4.11",
  L: "2.5.4.7",
  ST: "2.5.4.8",
  C: "2.5.4.6",
} as const;

/** A certificate for `template`, signed by `issuer`. The authority and subject key identifiers are added. */
export async function issueCertificate(
  template: CertificateTemplate,
  issuer: Issuer,
  algorithm: SignatureAlgorithm = naturalAlgorithm(issuer.key),
  crypto: CryptoProvider = defaultCrypto,
): Promise<Bytes> {
  const extensions: IssuedExtension[] = [];
  if (template.ca !== undefined) {
    const { pathLength } = template.ca;
    const parts = [
      encodeDer.boolean(true),
      ...(pathLength === undefined ? [] : [encodeDer.integer(pathLength)]),
    ];
    extensions.push({ oid: OID.basicConstraints, critical: true, value: encodeDer.sequence(...parts) });
  }
  if (template.keyUsage !== undefined) {
    extensions.push({ oid: OID.keyUsage, critical: true, value: encodeDer.namedBits(...template.keyUsage) });
  }
  extensions.push(
    { oid: OID.subjectKeyIdentifier, value: encodeDer.octetString(await keyId(template.spki, crypto)) },
    await authorityKeyId(issuer, crypto),
    ...(template.extensions ?? []),
  );
  const identifier = encodeSignatureAlgorithm(algorithm);
  const tbs = encodeDer.sequence(
    encodeDer.explicit(0, encodeDer.integer(2)),
    encodeDer.unsigned(fromHex(template.serial)),
    identifier,
    encodeName(issuer.name),
    encodeDer.sequence(encodeDer.time(template.notBefore), encodeDer.time(template.notAfter)),
    encodeName(template.subject),
    template.spki,
    encodeDer.explicit(3, encodeExtensions(extensions)),
  );
  return sealed(tbs, identifier, issuer.key, algorithm);
}

/** A full CRL (version 2), signed by `issuer`. */
export async function issueCrl(
  template: CrlTemplate,
  issuer: Issuer,
  algorithm: SignatureAlgorithm = naturalAlgorithm(issuer.key),
  crypto: CryptoProvider = defaultCrypto,
): Promise<Bytes> {
  const identifier = encodeSignatureAlgorithm(algorithm);
  const revoked = (template.revoked ?? []).map(([serial, date]) =>
    encodeDer.sequence(encodeDer.unsigned(fromHex(serial)), encodeDer.time(date)),
  );
  const extensions = [
    { oid: OID.cRLNumber, value: encodeDer.integer(template.number) },
    await authorityKeyId(issuer, crypto),
    ...(template.extensions ?? []),
  ];
  const tbs = encodeDer.sequence(
    encodeDer.integer(1),
    identifier,
    encodeName(issuer.name),
    encodeDer.time(template.thisUpdate),
    encodeDer.time(template.nextUpdate),
    ...(revoked.length === 0 ? [] : [encodeDer.sequence(...revoked)]),
    encodeDer.explicit(0, encodeExtensions(extensions)),
  );
  return sealed(tbs, identifier, issuer.key, algorithm);
}

/** The algorithm a key signs certificates with unless told otherwise; RSA as AMD does: PSS, SHA-384, salt 48. */
export function naturalAlgorithm(key: PrivateKey): SignatureAlgorithm {
  const { algorithm } = key.publicKey;
  switch (algorithm.name) {
    case "EC":
      return {
        name: "ECDSA",
        hash: algorithm.curve === "P-256" ? "SHA-256" : algorithm.curve === "P-384" ? "SHA-384" : "SHA-512",
      };
    case "RSA":
      return { name: "RSA-PSS", hash: "SHA-384", saltLength: 48 };
    case "Ed25519":
      return { name: "Ed25519" };
  }
}

async function sealed(
  tbs: Bytes,
  identifier: Bytes,
  key: PrivateKey,
  algorithm: SignatureAlgorithm,
): Promise<Bytes> {
  const signature = await key.sign(algorithm, tbs);
  return encodeDer.sequence(
    tbs,
    identifier,
    encodeDer.bitString(algorithm.name === "ECDSA" ? ecdsaToDer(signature) : signature),
  );
}

function encodeName(attributes: readonly NameAttribute[]): Bytes {
  return encodeDer.sequence(
    ...attributes.map(([kind, text]) =>
      encodeDer.set(
        encodeDer.sequence(
          encodeDer.oid(ATTRIBUTE_OID[kind]),
          kind === "C"
            ? encodeDer.value(TAG.PRINTABLE_STRING, new TextEncoder().encode(text))
            : encodeDer.utf8String(text),
        ),
      ),
    ),
  );
}

function encodeExtensions(extensions: readonly IssuedExtension[]): Bytes {
  return encodeDer.sequence(
    ...extensions.map(({ oid, critical, value }) =>
      encodeDer.sequence(
        encodeDer.oid(oid),
        ...(critical ? [encodeDer.boolean(true)] : []),
        encodeDer.octetString(value),
      ),
    ),
  );
}

async function authorityKeyId(issuer: Issuer, crypto: CryptoProvider): Promise<IssuedExtension> {
  const id = await keyId(issuer.key.publicKey.spki, crypto);
  return { oid: OID.authorityKeyIdentifier, value: encodeDer.sequence(encodeDer.value(0x80, id)) };
}

/** The first 20 bytes of SHA-256 over the SubjectPublicKeyInfo (RFC 7093 section 2, method 1 over the whole key). */
async function keyId(spki: Uint8Array, crypto: CryptoProvider): Promise<Uint8Array> {
  return (await crypto.digest("SHA-256", spki)).subarray(0, 20);
}

const HASH_OID = {
  "SHA-256": "2.16.840.1.101.3.4.2.1",
  "SHA-384": "2.16.840.1.101.3.4.2.2",
  "SHA-512": "2.16.840.1.101.3.4.2.3",
} as const;
const ECDSA_OID = {
  "SHA-256": "1.2.840.10045.4.3.2",
  "SHA-384": "1.2.840.10045.4.3.3",
  "SHA-512": "1.2.840.10045.4.3.4",
} as const;
const PKCS1_OID = {
  "SHA-256": "1.2.840.113549.1.1.11",
  "SHA-384": "1.2.840.113549.1.1.12",
  "SHA-512": "1.2.840.113549.1.1.13",
} as const;

function encodeSignatureAlgorithm(algorithm: SignatureAlgorithm): Bytes {
  switch (algorithm.name) {
    case "Ed25519":
      return encodeDer.sequence(encodeDer.oid("1.3.101.112"));
    case "ECDSA":
      return encodeDer.sequence(encodeDer.oid(ECDSA_OID[modern(algorithm.hash)]));
    case "RSASSA-PKCS1-v1_5":
      return encodeDer.sequence(encodeDer.oid(PKCS1_OID[modern(algorithm.hash)]), encodeDer.null());
    case "RSA-PSS": {
      const digest = encodeDer.sequence(encodeDer.oid(HASH_OID[modern(algorithm.hash)]), encodeDer.null());
      const mask = encodeDer.sequence(encodeDer.oid("1.2.840.113549.1.1.8"), digest);
      return encodeDer.sequence(
        encodeDer.oid("1.2.840.113549.1.1.10"),
        encodeDer.sequence(
          encodeDer.explicit(0, digest),
          encodeDer.explicit(1, mask),
          encodeDer.explicit(2, encodeDer.integer(algorithm.saltLength)),
        ),
      );
    }
  }
}

function modern(hash: HashName): keyof typeof HASH_OID {
  if (hash === "SHA-1") {
    throw new CoreError("UNSUPPORTED_ALGORITHM", "misuse", "Cannot issue certificate: SHA-1 is not used");
  }
  return hash;
}
