// SPDX-License-Identifier: Apache-2.0
// Evidence of the software TEE: a JSON document in canonical form (RFC 8785), so that one meaning has one spelling.

import {
  type Bytes,
  concat,
  fromBase64,
  fromHex,
  fromUtf8,
  toBase64,
  toHex,
  toUtf8,
} from "@adyton/core/bytes";
import {
  canonicalJson,
  canonicalJsonBytes,
  isJsonObject,
  type JsonObject,
  parseJson,
} from "@adyton/core/json";
import { EvidenceError, unknownVersion } from "../errors.ts";

/** What the machine says about one launch. */
export interface SampleClaims {
  /** Security version of the software TEE, a decimal number as text: Trustee's sample TEE writes it so. */
  readonly svn: string;
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  /** Digest of the init-data document, cut or zero-padded to 64 bytes; null when there is none. */
  readonly initData: Uint8Array | null;
  /** SHA-384 of the launched program, 48 bytes. */
  readonly launchDigest: Uint8Array;
  readonly platformVersion: { readonly major: number; readonly minor: number };
  readonly debug: boolean;
}

export interface SampleEvidence {
  readonly claims: SampleClaims;
  /** DER, the platform's first, each followed by its issuer's, the root left out. */
  readonly certificates: readonly Uint8Array[];
  /** ECDSA over `signedPartOf(claims)`, r || s. */
  readonly signature: Uint8Array;
}

/** Version of the document. */
const VERSION = "1";
/** Largest document that is read, in bytes. */
const MAX_DOCUMENT = 64 * 1024;
/** Most certificates a document may carry: platform and two intermediates. */
const MAX_CERTIFICATES = 3;
const MAX_CERTIFICATE = 8 * 1024;
const REPORT_DATA = 64;
const INIT_DATA = 64;
const LAUNCH_DIGEST = 48;
/** Signatures of P-521, the longest curve of the house, take 132 bytes. */
const MAX_SIGNATURE = 132;
/** Keeps a signature over claims from meaning anything elsewhere. Ends in a zero byte, which JSON never holds. */
const DOMAIN: Bytes = fromUtf8("Adyton sample evidence v1\0");

/** The bytes that the platform key signs. */
export function signedPartOf(claims: SampleClaims): Bytes {
  return concat(DOMAIN, canonicalJsonBytes(claimsToJson(claims)));
}

/** The claims under the names that Confidential Containers' Trustee uses. */
export function claimsToJson(claims: SampleClaims): JsonObject {
  return {
    svn: claims.svn,
    report_data: toBase64(claims.reportData),
    init_data: claims.initData === null ? null : toBase64(claims.initData),
    launch_digest: toHex(claims.launchDigest),
    platform_version: { major: claims.platformVersion.major, minor: claims.platformVersion.minor },
    debug: claims.debug,
  };
}

/** The document's bytes. Throws `INVALID_SAMPLE_EVIDENCE` for fields that could not be read back. */
export function encodeSampleEvidence(evidence: SampleEvidence): Bytes {
  const bytes = canonicalJsonBytes({
    version: VERSION,
    claims: claimsToJson(evidence.claims),
    certificates: evidence.certificates.map((der) => toBase64(der)),
    signature: toBase64(evidence.signature),
  });
  parseSampleEvidence(bytes);
  return bytes;
}

/**
 * Reads the document. Throws `SAMPLE_UNSIGNED` for the bare claims that Trustee's sample attester sends,
 * `INVALID_SAMPLE_EVIDENCE` for anything else that is no such document, or an error of `@adyton/core` where the bytes
 * are no UTF-8, JSON, base64 or hex.
 */
export function parseSampleEvidence(bytes: Uint8Array): SampleEvidence {
  if (bytes.length > MAX_DOCUMENT) {
    throw invalid("document", `${bytes.length} bytes`, `at most ${MAX_DOCUMENT}`);
  }
  const text = toUtf8(bytes);
  const document = parseJson(text);
  if (isUnsigned(document)) {
    throw new EvidenceError(
      "SAMPLE_UNSIGNED",
      "not-authentic",
      "Cannot verify sample evidence: it is unsigned, anybody could have written it",
      { hint: "Collect the evidence with Adyton's sample attester, whose machine signs what it says." },
    );
  }
  const object = membersOf(document, "document", ["version", "claims", "certificates", "signature"]);
  if (text !== canonicalJson(object)) {
    throw invalid("document", "another spelling", "the canonical form of RFC 8785 with nothing around it");
  }
  if (object.version !== VERSION) {
    throw unknownVersion(
      "INVALID_SAMPLE_EVIDENCE",
      "parse sample evidence",
      "version",
      shown(object.version),
      `"${VERSION}"`,
    );
  }
  const { certificates } = object;
  if (!Array.isArray(certificates) || certificates.length < 1 || certificates.length > MAX_CERTIFICATES) {
    throw invalid("certificates", shown(certificates), `an array of 1 to ${MAX_CERTIFICATES}`);
  }
  return {
    claims: parseClaims(object.claims),
    certificates: certificates.map((item, i) => binary(item, `certificates[${i}]`, 1, MAX_CERTIFICATE)),
    signature: binary(object.signature, "signature", 1, MAX_SIGNATURE),
  };
}

/** Whether the bytes look like sample evidence, signed or not. Never throws. */
export function isSampleEvidence(bytes: Uint8Array): boolean {
  if (bytes.length > MAX_DOCUMENT || bytes[0] !== 0x7b) return false;
  try {
    const document = parseJson(toUtf8(bytes));
    return (
      isUnsigned(document) || (isJsonObject(document) && "claims" in document && "certificates" in document)
    );
  } catch {
    return false;
  }
}

/** Trustee's sample attester sends `{svn, report_data, init_data}` and nothing that proves it. */
function isUnsigned(document: unknown): boolean {
  return (
    isJsonObject(document) && "svn" in document && "report_data" in document && !("signature" in document)
  );
}

function parseClaims(value: unknown): SampleClaims {
  const claims = membersOf(value, "claims", [
    "svn",
    "report_data",
    "init_data",
    "launch_digest",
    "platform_version",
    "debug",
  ]);
  const version = membersOf(claims.platform_version, "claims.platform_version", ["major", "minor"]);
  const { svn, launch_digest, debug } = claims;
  if (typeof svn !== "string" || !/^(0|[1-9][0-9]{0,4})$/.test(svn)) {
    throw invalid("claims.svn", shown(svn), "a decimal number of at most five digits, as text");
  }
  if (typeof launch_digest !== "string" || !/^[0-9a-f]{96}$/.test(launch_digest)) {
    throw invalid("claims.launch_digest", shown(launch_digest), `${2 * LAUNCH_DIGEST} lower-case hex digits`);
  }
  if (typeof debug !== "boolean") throw invalid("claims.debug", shown(debug), "true or false");
  return {
    svn,
    reportData: binary(claims.report_data, "claims.report_data", REPORT_DATA, REPORT_DATA),
    initData:
      claims.init_data === null ? null : binary(claims.init_data, "claims.init_data", INIT_DATA, INIT_DATA),
    launchDigest: fromHex(launch_digest),
    platformVersion: {
      major: byteOf(version.major, "claims.platform_version.major"),
      minor: byteOf(version.minor, "claims.platform_version.minor"),
    },
    debug,
  };
}

/** The object, which must have exactly these members. */
function membersOf(value: unknown, field: string, names: readonly string[]): JsonObject {
  if (!isJsonObject(value)) throw invalid(field, shown(value), "an object");
  const missing = names.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) throw invalid(field, `no member ${missing}`, `the members ${names.join(", ")}`);
  const extra = Object.keys(value).find((name) => !names.includes(name));
  if (extra !== undefined)
    throw invalid(field, `the member ${extra}`, `the members ${names.join(", ")} only`);
  return value;
}

function binary(value: unknown, field: string, least: number, most: number): Bytes {
  if (typeof value !== "string") throw invalid(field, shown(value), "base64 text");
  const bytes = fromBase64(value);
  if (bytes.length < least || bytes.length > most) {
    throw invalid(field, `${bytes.length} bytes`, least === most ? `${least}` : `${least} to ${most}`);
  }
  return bytes;
}

function byteOf(value: unknown, field: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 255) {
    throw invalid(field, shown(value), "an integer from 0 to 255");
  }
  return value;
}

/** A short account of a value for messages. */
function shown(value: unknown): string {
  if (typeof value === "string") return `text of ${value.length} characters`;
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return String(value);
}

function invalid(field: string, found: string, expected: string): EvidenceError {
  return new EvidenceError(
    "INVALID_SAMPLE_EVIDENCE",
    "malformed",
    `Cannot parse sample evidence: ${field} is ${found}, expected ${expected}`,
    { detail: { field, found, expected } },
  );
}
