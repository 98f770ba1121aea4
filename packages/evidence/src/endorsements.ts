// SPDX-License-Identifier: Apache-2.0
// Endorsements in one bag: certificates, CRLs and signed documents, whatever they came in. Nothing in a bag is
// trusted: each scheme verifies what it takes out.

import { fromBase64, fromHex, toUtf8 } from "@adyton/core/bytes";
import { type CertificateRevocationList, parseCrl } from "@adyton/core/crl";
import { type DerValue, parseDer, TAG } from "@adyton/core/der";
import { AdytonError } from "@adyton/core/errors";
import { looksLikePem, parsePem } from "@adyton/core/pem";
import { type Certificate, parseCertificate } from "@adyton/core/x509";
import { EvidenceError } from "./errors.ts";
import { readIntelJson } from "./intel/endorsements.ts";

/** A document that its vendor signs as text. */
export interface SignedDocument {
  readonly kind: "intel.tcbInfo" | "intel.enclaveIdentity" | "intel.tcbEvaluationDataNumbers";
  /** The exact signed text. */
  readonly body: string;
  readonly signature: Uint8Array;
}

export interface Endorsements {
  readonly certificates: readonly Certificate[];
  readonly crls: readonly CertificateRevocationList[];
  readonly documents: readonly SignedDocument[];
}

export interface EndorsementFile {
  /** For messages: a file name or URL. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export const NO_ENDORSEMENTS: Endorsements = Object.freeze({ certificates: [], crls: [], documents: [] });

const MAX_FILE = 8 * 1024 * 1024;

/** One bag from several. */
export function mergeEndorsements(...bags: readonly Endorsements[]): Endorsements {
  return {
    certificates: bags.flatMap((bag) => bag.certificates),
    crls: bags.flatMap((bag) => bag.crls),
    documents: bags.flatMap((bag) => bag.documents),
  };
}

/**
 * Reads one file of any sort the field uses: certificates and CRLs in PEM, DER, hex or base64; Intel API responses;
 * PCCS-style collateral JSON. Throws `UNKNOWN_ENDORSEMENT` when it is none of these, or a parse error when it is one
 * of these but broken.
 */
export function readEndorsement(file: EndorsementFile): Endorsements {
  if (file.bytes.length > MAX_FILE)
    throw unknown(file, `${file.bytes.length} bytes, at most ${MAX_FILE} are read`);
  if (file.bytes.length === 0) throw unknown(file, "it is empty");
  if (file.bytes[0] === 0x30) return readDer(file.bytes, file.name);
  const text = textOf(file.bytes);
  if (text === undefined) throw unknown(file, "it is neither DER nor text");
  return readText(text, file.name);
}

/** PEM, JSON, hex or base64 text; used for whole files and for members of collateral JSON. */
export function readText(text: string, name: string): Endorsements {
  const trimmed = text.trim();
  // JSON first: collateral carries PEM in its strings.
  if (trimmed.startsWith("{")) return readIntelJson(trimmed, name);
  if (looksLikePem(trimmed)) {
    return mergeEndorsements(...parsePem(trimmed).map((block) => readDer(block.der, name)));
  }
  const der = binaryOf(trimmed);
  if (der?.[0] === 0x30) return readDer(der, name);
  throw unknown({ name }, "it is no PEM, DER, JSON, hex or base64 of a certificate or CRL");
}

/** One certificate or CRL, told apart by how the signed part begins: [0] version, or INTEGER version. */
function readDer(der: Uint8Array, name: string): Endorsements {
  try {
    const [signed] = parseDer(der, "certificate or CRL").sequence(3) as [DerValue];
    return signed.contents[0] === TAG.INTEGER
      ? { ...NO_ENDORSEMENTS, crls: [parseCrl(der)] }
      : { ...NO_ENDORSEMENTS, certificates: [parseCertificate(der)] };
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    throw new EvidenceError(
      "UNKNOWN_ENDORSEMENT",
      "malformed",
      `Cannot read ${name}: neither a certificate nor a CRL. ${cause.message}`,
      { detail: { name, why: cause.code }, cause },
    );
  }
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return toUtf8(bytes);
  } catch {
    return undefined;
  }
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

function unknown(file: { readonly name: string }, why: string): EvidenceError {
  return new EvidenceError(
    "UNKNOWN_ENDORSEMENT",
    "malformed",
    `Cannot read endorsement ${file.name}: ${why}`,
    {
      detail: { name: file.name },
      hint: "Give certificates, CRLs, Intel API responses or a PCCS collateral file.",
    },
  );
}
