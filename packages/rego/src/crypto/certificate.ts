// SPDX-License-Identifier: Apache-2.0
// X.509 certificates (RFC 5280) of any version and algorithm, read as leniently as Go reads them: OPA's functions show
// what a certificate says. Whether it is to be believed is another question, which chain.ts answers.

import { equal } from "@adyton/core/bytes";
import type { SignatureAlgorithm } from "@adyton/core/crypto";
import type { DerValue } from "@adyton/core/der";
import { failure } from "../builtins/define.ts";
import type { Value } from "../value.ts";
import { bytesValue, integerOf, integerValue, nameValue } from "./asn1.ts";
import { type Extensions, parseExtensions } from "./extensions.ts";
import { guarded } from "./guard.ts";
import { pemOrDer, structuresIn } from "./input.ts";
import { shownKeyOf, signatureAlgorithmOf } from "./public-key.ts";

export interface ParsedCertificate {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  readonly version: number;
  readonly signature: Uint8Array;
  /** Undefined for an algorithm that chains may not use. */
  readonly algorithm: SignatureAlgorithm | undefined;
  /** Names as DER, to compare. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly spki: Uint8Array;
  /** False for kinds of keys that are not known. */
  readonly hasKnownKey: boolean;
  readonly extensions: Extensions;
  /** As OPA shows it: Go's `x509.Certificate` in JSON. */
  readonly value: { readonly [key: string]: Value };
}

/** The certificates in PEM, in base64 of PEM, or in base64 of DER, one after the other. */
export function parseCertificates(text: string): ParsedCertificate[] {
  return guarded(() => {
    const found = pemOrDer(text);
    if ("der" in found) return structuresIn(found.der, "certificates").map(parseOne);
    return found.blocks.map(({ label, der }) => {
      if (label !== "CERTIFICATE") throw failure(`PEM block type is '${label}', expected CERTIFICATE`);
      return parseCertificate(der);
    });
  });
}

/** The one certificate that fills `der`. */
export function parseCertificate(der: Uint8Array): ParsedCertificate {
  const [certificate, ...more] = structuresIn(der, "certificate");
  if (certificate === undefined || more.length > 0) throw failure("x509: trailing data");
  return parseOne(certificate);
}

function parseOne(certificate: DerValue): ParsedCertificate {
  const [tbs, outer, signatureBits] = certificate.sequence(3) as [DerValue, DerValue, DerValue];
  const fields = tbs.sequence();
  const explicitVersion = fields[0]?.is(0xa0) ? fields.shift()?.elements(0xa0, 1)[0]?.smallInteger() : 0;
  const version = 1 + (explicitVersion ?? 0);
  if (version > 3) throw failure("x509: invalid version");
  const [serial, inner, issuer, validity, subject, spki, ...rest] = fields;
  if (
    serial === undefined ||
    inner === undefined ||
    issuer === undefined ||
    validity === undefined ||
    subject === undefined ||
    spki === undefined
  ) {
    throw failure("x509: malformed tbs certificate");
  }
  if (!equal(inner.encoded, outer.encoded))
    throw failure("x509: inner and outer signature algorithm identifiers don't match");
  const [notBefore, notAfter] = (validity.sequence(2) as [DerValue, DerValue]).map((time) => time.time()) as [
    Date,
    Date,
  ];
  const { how, number } = signatureAlgorithmOf(outer);
  const key = shownKeyOf(spki.encoded);
  const signature = signatureBits.bitString();
  // Unique identifiers are obsolete and shown by nobody.
  const known = version === 1 ? [] : [0x81, 0x82, ...(version === 3 ? [0xa3] : [])];
  if (rest.some(({ tag }, i) => !known.includes(tag) || tag <= (rest[i - 1]?.tag ?? 0)))
    throw failure("x509: malformed tbs certificate");
  const wrapper = rest.at(-1);
  const extensions = parseExtensions(wrapper?.is(0xa3) ? wrapper.elements(0xa3, 1)[0] : undefined);
  return {
    der: certificate.encoded,
    tbs: tbs.encoded,
    version,
    signature,
    algorithm: how,
    issuer: issuer.encoded,
    subject: subject.encoded,
    notBefore,
    notAfter,
    spki: spki.encoded,
    hasKnownKey: key.kind !== 0,
    extensions,
    value: {
      Raw: bytesValue(certificate.encoded),
      RawTBSCertificate: bytesValue(tbs.encoded),
      RawSubjectPublicKeyInfo: bytesValue(spki.encoded),
      RawSubject: bytesValue(subject.encoded),
      RawIssuer: bytesValue(issuer.encoded),
      Signature: bytesValue(signature),
      SignatureAlgorithm: number,
      PublicKeyAlgorithm: key.kind,
      PublicKey: key.value,
      Version: version,
      SerialNumber: integerValue(integerOf(serial)),
      Issuer: nameValue(issuer),
      Subject: nameValue(subject),
      NotBefore: timeValue(notBefore),
      NotAfter: timeValue(notAfter),
      ...extensions.value,
    },
  };
}

function timeValue(date: Date): string {
  return date.toISOString().replace(".000Z", "Z");
}
