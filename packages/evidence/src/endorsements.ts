// SPDX-License-Identifier: Apache-2.0
// Endorsements out of files of any sort the field uses, into one bag.

import { toUtf8 } from "@adyton/core/bytes";
import { TAG } from "@adyton/core/der";
import { readSevCertificates } from "./amd/sev/endorsements.ts";
import { readArmoured, readDer } from "./armour.ts";
import type { Endorsements } from "./bag.ts";
import { EvidenceError } from "./errors.ts";
import { readHygonCertificates } from "./hygon/endorsements.ts";
import { readSeHeader } from "./ibm/header.ts";
import { readIntelJson } from "./intel/endorsements.ts";
import { readCoseKey, readKeyJson } from "./keys.ts";

export {
  type Endorsements,
  mergeEndorsements,
  NO_ENDORSEMENTS,
  type SignedDocument,
  type VendorCertificate,
  type VendorKey,
} from "./bag.ts";

export interface EndorsementFile {
  /** For messages: a file name or URL. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const MAX_FILE = 8 * 1024 * 1024;
/** Vendors' own binary certificates: each reader knows its own and answers undefined to all else. */
const VENDOR_READERS: readonly ((bytes: Uint8Array) => Endorsements | undefined)[] = [
  readHygonCertificates,
  readSevCertificates,
  readSeHeader,
];

/**
 * Reads one file of any sort the field uses: certificates and CRLs in PEM, DER, hex or base64; Intel API responses;
 * PCCS-style collateral JSON; public keys in PEM, DER, as JWK, COSE_Key or a list of devices' keys. Throws `UNKNOWN_ENDORSEMENT` when it is none of these, or a parse error when it is one
 * of these but broken.
 */
export function readEndorsement(file: EndorsementFile): Endorsements {
  if (file.bytes.length > MAX_FILE)
    throw unknown(file, `${file.bytes.length} bytes, at most ${MAX_FILE} are read`);
  if (file.bytes.length === 0) throw unknown(file, "it is empty");
  if (file.bytes[0] === TAG.SEQUENCE) return readDer(file.bytes, file.name);
  for (const read of VENDOR_READERS) {
    const bag = read(file.bytes);
    if (bag !== undefined) return bag;
  }
  const text = textOf(file.bytes);
  if (text === undefined) {
    const keys = readCoseKey(file.bytes, file.name);
    if (keys === undefined) throw unknown(file, "it is neither DER nor text");
    return keys;
  }
  const trimmed = text.trim();
  const keys = readKeyJson(trimmed, file.name);
  if (keys !== undefined) return keys;
  // JSON first: collateral carries PEM in its strings.
  if (trimmed.startsWith("{")) return readIntelJson(trimmed, file.name);
  const read = readArmoured(trimmed, file.name);
  if (read === undefined)
    throw unknown(file, "it is no PEM, DER, JSON, hex or base64 of a certificate, CRL or public key");
  return read;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return toUtf8(bytes);
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
      hint: "Give certificates, CRLs, public keys, Intel API responses or a PCCS collateral file.",
    },
  );
}
