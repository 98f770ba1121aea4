// SPDX-License-Identifier: Apache-2.0
// Certificates, CRLs and public keys out of whatever they are wrapped in: DER, PEM, hex or base64.

import { fromBase64, fromHex } from "@adyton/core/bytes";
import { parseCrl } from "@adyton/core/crl";
import { keyAlgorithmOf } from "@adyton/core/crypto";
import { type DerValue, parseDer, TAG } from "@adyton/core/der";
import { AdytonError } from "@adyton/core/errors";
import { looksLikePem, parsePem } from "@adyton/core/pem";
import { parseCertificate } from "@adyton/core/x509";
import { type Endorsements, mergeEndorsements, NO_ENDORSEMENTS } from "./bag.ts";
import { EvidenceError } from "./errors.ts";
import { isOcspResponse, OCSP_KIND } from "./ocsp.ts";

/** Of PEM, hex or base64 text; undefined when it is none of these. Throws `UNKNOWN_ENDORSEMENT` or `INVALID_PEM`. */
export function readArmoured(text: string, name: string): Endorsements | undefined {
  if (looksLikePem(text))
    return mergeEndorsements(...parsePem(text).map((block) => readDer(block.der, name)));
  const der = binaryOf(text);
  return der?.[0] === TAG.SEQUENCE ? readDer(der, name) : undefined;
}

/**
 * One certificate or CRL, told apart by how the signed part begins: [0] version, or INTEGER version; or a
 * SubjectPublicKeyInfo, which has two parts and not three.
 */
export function readDer(der: Uint8Array, name: string): Endorsements {
  if (isOcspResponse(der)) {
    return { ...NO_ENDORSEMENTS, vendorCertificates: [{ kind: OCSP_KIND, bytes: der }] };
  }
  try {
    const key = publicKeyIn(der);
    if (key !== undefined) return { ...NO_ENDORSEMENTS, keys: [{ spki: key, identifiers: {} }] };
    const [signed] = parseDer(der, "certificate or CRL").sequence(3) as [DerValue];
    return signed.contents[0] === TAG.INTEGER
      ? { ...NO_ENDORSEMENTS, crls: [parseCrl(der)] }
      : { ...NO_ENDORSEMENTS, certificates: [parseCertificate(der)] };
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    throw new EvidenceError(
      "UNKNOWN_ENDORSEMENT",
      "malformed",
      `Cannot read ${name}: neither a certificate nor a CRL nor a public key. ${cause.message}`,
      { detail: { name, why: cause.code }, cause },
    );
  }
}

/** `der` when it is a SubjectPublicKeyInfo of a known kind. Throws what is wrong with one that is broken. */
function publicKeyIn(der: Uint8Array): Uint8Array | undefined {
  const parts = parseDer(der, "certificate, CRL or public key").sequence();
  if (parts.length !== 2 || parts[1]?.tag !== TAG.BIT_STRING) return undefined;
  keyAlgorithmOf(der);
  return der;
}

/** Hex or base64 (white space ignored), or undefined. */
function binaryOf(text: string): Uint8Array | undefined {
  const digits = text.replace(/\s+/g, "");
  try {
    return /^[0-9a-fA-F]+$/.test(digits) ? fromHex(digits) : fromBase64(digits);
  } catch {
    return undefined;
  }
}
