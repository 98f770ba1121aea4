// SPDX-License-Identifier: Apache-2.0
// Administrators that TLS vouches for: what a client certificate says, and which principals that makes.

import { createHash } from "node:crypto";
import { toHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { extensionValue, parseCertificate } from "@adyton/core/x509";
import { BrokerError } from "../errors.ts";

/** What the TLS layer knows of a client that proved to hold a certificate's key. */
export interface PeerCertificate {
  readonly der: Uint8Array;
  /** Whether its chain leads to a CA that clients are checked against. */
  readonly trusted: boolean;
}

/** Which certificates make whom. All members that are given have to fit, one at least. */
export interface CertificateRule {
  /** Stands in the audit log as `cert:<name>`. */
  readonly name: string;
  /** SHA-256 of the certificate, hex. */
  readonly sha256?: string;
  /** SHA-256 of its SubjectPublicKeyInfo, hex. */
  readonly spkiSha256?: string;
  /** The subject in the form `C=DE, O=Example, CN=alice`, with a backslash before commas and backslashes in values. Only of certificates whose chain was checked. */
  readonly subject?: string;
  /** A DNS name, mail address or URI of subjectAltName. Only of certificates whose chain was checked. */
  readonly san?: string;
  readonly roles: readonly string[];
  /** In which tenants (`default` for none). Default: all. */
  readonly tenants?: readonly string[];
}

export interface PeerIdentity {
  readonly sha256: string;
  readonly spkiSha256: string;
  readonly trusted: boolean;
  readonly subject: string;
  readonly sans: readonly string[];
}

const SUBJECT_ALT_NAME = "2.5.29.17";
// RFC 5280 section 4.2.1.6: rfc822Name, dNSName, uniformResourceIdentifier, implicitly tagged.
const TEXT_NAMES: readonly number[] = [0x81, 0x82, 0x86];

/** Reads a client certificate. Throws `ADMIN_REFUSED` for one that cannot be read, or is not valid now. */
export function peerIdentity({ der, trusted }: PeerCertificate, now: Date): PeerIdentity {
  try {
    const certificate = parseCertificate(der);
    if (now < certificate.notBefore || now > certificate.notAfter) throw refused("it is not valid now");
    const names = extensionValue(certificate.extensions, SUBJECT_ALT_NAME)?.sequence() ?? [];
    return {
      sha256: sha256(certificate.der),
      spkiSha256: sha256(certificate.spki),
      trusted,
      subject: certificate.subject.text,
      sans: names
        .filter(({ tag }) => TEXT_NAMES.includes(tag))
        // IA5String, of any length.
        .map(({ contents }) => new TextDecoder("latin1").decode(contents)),
    };
  } catch (cause) {
    if (cause instanceof BrokerError || !(cause instanceof AdytonError)) throw cause;
    throw refused(cause.message, cause);
  }
}

/** The first rule that fits. */
export function ruleFor(rules: readonly CertificateRule[], peer: PeerIdentity): CertificateRule | undefined {
  return rules.find((rule) => {
    const conditions = [
      rule.sha256 === undefined ? undefined : rule.sha256 === peer.sha256,
      rule.spkiSha256 === undefined ? undefined : rule.spkiSha256 === peer.spkiSha256,
      rule.subject === undefined ? undefined : peer.trusted && rule.subject === peer.subject,
      rule.san === undefined ? undefined : peer.trusted && peer.sans.includes(rule.san),
    ].filter((condition) => condition !== undefined);
    return conditions.length > 0 && conditions.every((condition) => condition);
  });
}

function sha256(bytes: Uint8Array): string {
  return toHex(new Uint8Array(createHash("sha256").update(bytes).digest()));
}

function refused(why: string, cause?: unknown): BrokerError {
  return new BrokerError("ADMIN_REFUSED", "not-authentic", `Cannot accept the client certificate: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: "Use a certificate that an administrator registered.",
  });
}
