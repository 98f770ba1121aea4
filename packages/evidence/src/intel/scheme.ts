// SPDX-License-Identifier: Apache-2.0
// SGX and TDX as the house's schemes: detection, inspection, and the JSON that carries quotes in the Confidential
// Containers protocol: `{quote}` for SGX, `{quote, cc_eventlog}` for TDX, both base64.

import { fromBase64, toBase64 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { EvidenceError } from "../errors.ts";
import type { Scheme } from "../scheme.ts";
import { hasRole } from "./authority.ts";
import { parseCertification } from "./certification.ts";
import { claimsOfPlatform, type Kind } from "./claims.ts";
import { ENCLAVE } from "./claims-sgx.ts";
import { TD } from "./claims-tdx.ts";
import {
  ATTESTATION_KEY_ECDSA_P256,
  CERTIFICATION_TYPE,
  parseQuote,
  type Quote,
  TEE_TYPE,
} from "./evidence.ts";
import { pckExtensionOf } from "./pck.ts";
import { verifyQuote } from "./verify.ts";

const HEADER_SIZE = 48;
/** Versions far beyond the newest are more likely something else. */
const HIGHEST_PLAUSIBLE_VERSION = 15;

/** Intel SGX quotes, version 3, and 4 and 5 with an enclave's body. */
export const sgx: Scheme = {
  tee: "sgx",
  title: "Intel SGX quote",
  detect: (evidence) => isQuoteOf("sgx", evidence),
  inspect: (evidence) => inspect(ENCLAVE, evidence),
  verify: (evidence, options) => verifyQuote(ENCLAVE, evidence, options),
  fromKbs: (value) => ({ evidence: bytesOf(membersOf(value, "SGX"), "quote", "SGX") }),
  toKbs: ({ evidence }) => ({ quote: toBase64(evidence) }),
};

/** Intel TDX quotes, version 4, and 5 with a TD 1.0 or TD 1.5 body. */
export const tdx: Scheme = {
  tee: "tdx",
  title: "Intel TDX quote",
  detect: (evidence) => isQuoteOf("tdx", evidence),
  inspect: (evidence) => inspect(TD, evidence),
  verify: (evidence, options) => verifyQuote(TD, evidence, options),
  fromKbs: (value) => {
    const members = membersOf(value, "TDX");
    const evidence = bytesOf(members, "quote", "TDX");
    const log = members.cc_eventlog;
    return log === undefined || log === null
      ? { evidence }
      : { evidence, eventLog: bytesOf(members, "cc_eventlog", "TDX") };
  },
  toKbs: ({ evidence, eventLog }) => ({
    quote: toBase64(evidence),
    cc_eventlog: eventLog === undefined ? null : toBase64(eventLog),
  }),
};

/** Version, key type and TEE type as in a quote's header. A version that is not known yet is refused by its number. */
function isQuoteOf(tee: "sgx" | "tdx", evidence: Uint8Array): boolean {
  if (evidence.length < HEADER_SIZE) return false;
  const view = new DataView(evidence.buffer, evidence.byteOffset);
  const version = view.getUint16(0, true);
  return (
    version >= (tee === "sgx" ? 3 : 4) &&
    version <= HIGHEST_PLAUSIBLE_VERSION &&
    view.getUint16(2, true) === ATTESTATION_KEY_ECDSA_P256 &&
    view.getUint32(4, true) === TEE_TYPE[tee]
  );
}

function inspect(kind: Kind, evidence: Uint8Array): JsonObject {
  const quote = parseQuote(evidence);
  return kind.describe(quote, platformOf(quote)).claims;
}

/** The platform by the PCK certificate in the quote: what to fetch TCB info with. Empty when the quote carries none. */
function platformOf({ certification }: Quote): JsonObject {
  if (certification.type === CERTIFICATION_TYPE.qeReport) return {};
  const parsed = parseCertification(certification);
  if (parsed.kind !== "certificates") return {};
  const leaf = parsed.certificates.find((certificate) => hasRole(certificate, "pck"));
  return leaf === undefined ? {} : claimsOfPlatform(pckExtensionOf(leaf));
}

function membersOf(value: JsonValue, title: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw invalid(`Cannot read ${title} evidence: no JSON object, expected one with a quote`);
}

function bytesOf(members: JsonObject, name: string, title: string): Uint8Array {
  const text = members[name];
  if (typeof text !== "string")
    throw invalid(`Cannot read ${title} evidence: ${name} is no string, expected base64`);
  try {
    return fromBase64(text);
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    throw invalid(`Cannot read ${title} evidence: ${name} is no base64`, cause);
  }
}

function invalid(message: string, cause?: unknown): EvidenceError {
  return new EvidenceError("INVALID_ENVELOPE", "malformed", message, cause === undefined ? {} : { cause });
}
