// SPDX-License-Identifier: Apache-2.0
// NVIDIA's evidence in the Confidential Containers protocol: `{device_evidence_list: [{arch, uuid, evidence,
// certificate}]}`, the report in base64 or hex, the chain as PEM in base64.

import { fromBase64, fromHex, fromUtf8, toBase64, toUtf8 } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { toPem } from "@adyton/core/pem";
import { parseCertificates } from "@adyton/core/x509";
import type { Envelope } from "../envelope.ts";
import { EvidenceError } from "../errors.ts";
import { chipOf, isFirmwareCertificate } from "./endorsements.ts";

type Carried = Pick<Envelope, "evidence" | "endorsements" | "eventLog">;

/** Eight GPUs and four switches make the largest system there is; twice that. */
const MAX_DEVICES = 24;
const MAX_TEXT = 256 * 1024;

/** One list of one device each. Throws `INVALID_ENVELOPE`. */
export function splitNvidia(value: JsonValue): JsonValue[] {
  return devicesOf(value).map((device) => ({ device_evidence_list: [device] }));
}

/**
 * Reads the list of exactly one device. `arch` and `uuid` are not read: nothing vouches for them. Throws
 * `INVALID_ENVELOPE`, or why a part does not parse.
 */
export function nvidiaFromKbs(value: JsonValue): Carried {
  const [device, ...more] = devicesOf(value);
  if (device === undefined || more.length > 0) {
    throw invalid("device_evidence_list", `a list of ${more.length + 1} devices`, "one device");
  }
  const evidence = textMember(device, "evidence");
  const certificate = textMember(device, "certificate");
  const certificates = parseCertificates(toUtf8(fromBase64(certificate)));
  return {
    evidence: isHex(evidence) ? fromHex(evidence) : fromBase64(evidence),
    endorsements: { certificates, crls: [], documents: [] },
  };
}

/** Writes a list of one device, with the chain that the endorsements hold. Throws as `chipOf` where it names no chip. */
export function nvidiaToKbs({ evidence, endorsements }: Carried): JsonValue {
  const certificates = endorsements?.certificates ?? [];
  const { arch } = chipOf(certificates.filter(isFirmwareCertificate));
  const pem = certificates.map(({ der }) => toPem("CERTIFICATE", der)).join("");
  return {
    device_evidence_list: [
      { arch: arch.toUpperCase(), evidence: toBase64(evidence), certificate: toBase64(fromUtf8(pem)) },
    ],
  };
}

function devicesOf(value: JsonValue): JsonObject[] {
  const list = isJsonObject(value) ? value.device_evidence_list : undefined;
  if (!Array.isArray(list) || list.length < 1 || list.length > MAX_DEVICES) {
    throw invalid("device_evidence_list", "no such list", `a list of 1 to ${MAX_DEVICES} devices`);
  }
  return list.map((item: JsonValue, i) => {
    if (!isJsonObject(item)) throw invalid(`device_evidence_list[${i}]`, "no object", "an object");
    return item;
  });
}

function textMember(device: JsonObject, name: string): string {
  const text = device[name];
  if (typeof text !== "string") throw invalid(name, typeof text, "text");
  if (text.length > MAX_TEXT) throw invalid(name, `${text.length} characters`, `at most ${MAX_TEXT}`);
  return text;
}

/** Thousands of base64 digits that all happen to be hex digits do not occur. */
function isHex(text: string): boolean {
  return text.length % 2 === 0 && /^[0-9a-fA-F]+$/.test(text);
}

function invalid(field: string, found: string, expected: string): EvidenceError {
  return new EvidenceError(
    "INVALID_ENVELOPE",
    "malformed",
    `Cannot read NVIDIA evidence: ${field} is ${found}, expected ${expected}`,
    {
      detail: { field, found, expected },
      hint: "Several devices are several pieces of evidence: verify them together as composite evidence.",
    },
  );
}
