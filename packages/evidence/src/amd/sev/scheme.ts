// SPDX-License-Identifier: Apache-2.0
// SEV in the registry, and its form in the Confidential Containers protocol, which knows no SEV:
// `{"attestation_report": base64, "cert_chain": base64 | null}`, certificates one after the other.

import { concat, fromBase64, toBase64 } from "@adyton/core/bytes";
import { isJsonObject, type JsonValue } from "@adyton/core/json";
import { EvidenceError } from "../../errors.ts";
import type { Scheme } from "../../scheme.ts";
import { sevReportClaims } from "./claims.ts";
import { encodeSevCertificates, SEV_CA, SEV_PLATFORM } from "./endorsements.ts";
import { isSevEvidence, parseSevEvidence, parseSevReport, SEV_REPORT_SIZE } from "./evidence.ts";
import { verifySev } from "./verify.ts";

export const sev: Scheme = {
  tee: "sev",
  title: "AMD SEV report",
  detect: isSevEvidence,
  inspect: (evidence) => sevReportClaims(parseSevEvidence(evidence).report),
  verify: verifySev,
  fromKbs,
  toKbs: ({ evidence, endorsements }) => {
    const { certificates } = parseSevEvidence(evidence);
    const beside = (endorsements?.vendorCertificates ?? []).filter(
      ({ kind }) => kind === SEV_CA || kind === SEV_PLATFORM,
    );
    const chain = encodeSevCertificates([...certificates, ...beside]);
    return {
      attestation_report: toBase64(evidence.subarray(0, SEV_REPORT_SIZE)),
      cert_chain: chain.length === 0 ? null : toBase64(chain),
    };
  },
};

/** Throws `INVALID_ENVELOPE`, `INVALID_BASE64`, or why the report does not parse. */
function fromKbs(value: JsonValue): { evidence: Uint8Array } {
  const { attestation_report: report = null, cert_chain: chain = null } = isJsonObject(value) ? value : {};
  if (typeof report !== "string" || (chain !== null && typeof chain !== "string")) {
    throw new EvidenceError(
      "INVALID_ENVELOPE",
      "malformed",
      "Cannot read SEV evidence: attestation_report and cert_chain are not both base64, expected text, or null for the chain",
      { detail: { field: typeof report === "string" ? "cert_chain" : "attestation_report" } },
    );
  }
  const bytes = fromBase64(report);
  parseSevReport(bytes);
  return { evidence: concat(bytes, fromBase64(chain ?? "")) };
}
