// SPDX-License-Identifier: Apache-2.0
// Certificate revocation lists (RFC 5280 section 5): parsed strictly, verified against the issuer that must have signed.

import { equal, toHex } from "./bytes.ts";
import { type SignatureAlgorithm, type VerifyingCrypto, verifyingCrypto } from "./crypto.ts";
import { type DerValue, parseDer, TAG } from "./der.ts";
import { CoreError, malformed } from "./errors.ts";
import {
  authorityKeyIdOf,
  type Certificate,
  type DistinguishedName,
  type Extension,
  extensionValue,
  isSignedBy,
  KEY_USAGE,
  OID,
  parseExtensionList,
  parseExtensions,
  parseName,
  parseSignatureAlgorithm,
} from "./x509.ts";

export interface CertificateRevocationList {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Serial numbers as in `Certificate.serial`, with the revocation date. */
  readonly revoked: ReadonlyMap<string, Date>;
  readonly extensions: ReadonlyMap<string, Extension>;
  /** CRLNumber, as hex. */
  readonly number: string | undefined;
  readonly authorityKeyId: Uint8Array | undefined;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

const MAX_CRL = 8 * 1024 * 1024;
/** Critical extensions that change nothing for full CRLs; any other one (delta, issuing point) is refused. */
const KNOWN_CRITICAL: ReadonlySet<string> = new Set([OID.cRLNumber, OID.authorityKeyIdentifier]);

/** Parses one CRL, version 2 with a nextUpdate. Throws `INVALID_CRL`, `INVALID_DER`, `UNSUPPORTED_ALGORITHM`. */
export function parseCrl(der: Uint8Array): CertificateRevocationList {
  if (der.length > MAX_CRL)
    throw malformed("TOO_LARGE", `Cannot parse CRL: ${der.length} bytes, at most ${MAX_CRL} are read`);
  const [tbs, outerAlgorithm, signature] = parseDer(der, "CRL").sequence(3) as [DerValue, DerValue, DerValue];
  const fields = tbs.sequence();
  const next = (field: string): DerValue => {
    const value = fields.shift();
    if (value === undefined)
      throw malformed("INVALID_CRL", `Cannot parse CRL: ${field} is missing`, { field });
    return value;
  };
  const version = next("version").smallInteger();
  if (version !== 1) throw malformed("INVALID_CRL", `Cannot parse CRL: version ${version + 1}, expected 2`);
  const innerAlgorithm = next("signature");
  if (!equal(innerAlgorithm.encoded, outerAlgorithm.encoded)) {
    throw malformed("INVALID_CRL", "Cannot parse CRL: the signed and the outer signature algorithm differ");
  }
  const issuer = parseName(next("issuer"));
  const thisUpdate = next("thisUpdate").time();
  const nextUpdate = next("nextUpdate").time();
  const revoked = fields[0]?.is(TAG.SEQUENCE)
    ? parseRevoked(next("revokedCertificates"))
    : new Map<string, Date>();
  const extensions = fields[0]?.is(0xa0)
    ? parseExtensions(next("crlExtensions"))
    : new Map<string, Extension>();
  if (fields.length > 0)
    throw malformed("INVALID_CRL", "Cannot parse CRL: unknown fields follow the extensions");
  const number = extensionValue(extensions, OID.cRLNumber)?.unsigned();
  return {
    der,
    tbs: tbs.encoded,
    issuer,
    thisUpdate,
    nextUpdate,
    revoked,
    extensions,
    number: number === undefined ? undefined : toHex(number),
    authorityKeyId: authorityKeyIdOf(extensions),
    signatureAlgorithm: parseSignatureAlgorithm(outerAlgorithm),
    signature: signature.bitString(),
  };
}

/**
 * Checks that `crl` was issued and signed by `issuer` and is current at `at`.
 * Throws `CRL_UNKNOWN_ISSUER`, `UNKNOWN_CRITICAL_EXTENSION`, `CRL_SIGNATURE`, `CRL_NOT_YET_VALID`, `CRL_EXPIRED`.
 */
export async function verifyCrl(
  crl: CertificateRevocationList,
  issuer: Certificate,
  at: Date,
  crypto: VerifyingCrypto = verifyingCrypto,
): Promise<void> {
  const detail = { crl: crl.issuer.text, issuer: issuer.subject.text };
  const sameKey =
    crl.authorityKeyId === undefined ||
    issuer.subjectKeyId === undefined ||
    equal(crl.authorityKeyId, issuer.subjectKeyId);
  if (!equal(crl.issuer.der, issuer.subject.der) || !sameKey) {
    throw new CoreError(
      "CRL_UNKNOWN_ISSUER",
      "not-authentic",
      `Cannot use CRL: issued by ${crl.issuer.text}, expected ${issuer.subject.text}`,
      { detail },
    );
  }
  if (issuer.keyUsage !== undefined && !issuer.keyUsage.has(KEY_USAGE.cRLSign)) {
    throw new CoreError(
      "KEY_USAGE",
      "not-authentic",
      `Cannot use CRL: ${issuer.subject.text} may not sign CRLs`,
      { detail },
    );
  }
  for (const extension of crl.extensions.values()) {
    if (extension.critical && !KNOWN_CRITICAL.has(extension.oid)) {
      throw new CoreError(
        "UNKNOWN_CRITICAL_EXTENSION",
        "not-authentic",
        `Cannot use CRL: critical extension ${extension.oid} is unknown`,
        { detail },
      );
    }
  }
  if (!(await isSignedBy(crl, issuer, crypto))) {
    throw new CoreError(
      "CRL_SIGNATURE",
      "not-authentic",
      `Cannot use CRL of ${crl.issuer.text}: its signature is invalid`,
      { detail },
    );
  }
  if (at < crl.thisUpdate) {
    throw new CoreError(
      "CRL_NOT_YET_VALID",
      "endorsements",
      `Cannot use CRL of ${crl.issuer.text}: issued ${iso(crl.thisUpdate)}, after ${iso(at)}`,
      { detail },
    );
  }
  if (at > crl.nextUpdate) {
    throw new CoreError(
      "CRL_EXPIRED",
      "endorsements",
      `Cannot use CRL of ${crl.issuer.text}: its next update was due ${iso(crl.nextUpdate)}, now is ${iso(at)}`,
      {
        detail,
        hint: "Fetch the current CRL, or appraise for an earlier time.",
      },
    );
  }
}

function parseRevoked(list: DerValue): Map<string, Date> {
  const revoked = new Map<string, Date>();
  for (const entry of list.sequence()) {
    const [serial, date, extensions, ...more] = entry.sequence() as [DerValue?, DerValue?, DerValue?];
    if (serial === undefined || date === undefined || more.length > 0) {
      throw malformed("INVALID_CRL", "Cannot parse CRL: an entry is not {serial, date, extensions}");
    }
    if (extensions !== undefined) {
      for (const extension of parseExtensionList(extensions).values()) {
        if (extension.critical)
          throw malformed(
            "INVALID_CRL",
            `Cannot parse CRL: an entry has critical extension ${extension.oid}`,
          );
      }
    }
    revoked.set(toHex(serial.unsigned()), date.time());
  }
  return revoked;
}

function iso(date: Date): string {
  return date.toISOString();
}
