// SPDX-License-Identifier: Apache-2.0
// SNP evidence in the Confidential Containers protocol: `{attestation_report, cert_chain}`, as guest-components'
// SnpEvidence writes it, and plain base64 besides.

import { equal, fromBase64 } from "@adyton/core/bytes";
import { type CertificateRevocationList, parseCrl } from "@adyton/core/crl";
import { isJsonObject, type JsonValue } from "@adyton/core/json";
import { type Certificate, parseCertificate } from "@adyton/core/x509";
import type { Envelope } from "../envelope.ts";
import { EvidenceError } from "../errors.ts";
import { signerKindOf } from "./endorsements.ts";
import { encodeReport } from "./evidence.ts";
import { bytesMember, invalidMember, objectMember, reportFromStruct, reportToStruct } from "./struct.ts";
import { parseSnpEvidence } from "./table.ts";

type Carried = Pick<Envelope, "evidence" | "endorsements" | "eventLog">;

const MAX_CHAIN = 16;
const MAX_ENTRY = 256 * 1024;

/**
 * Reads `{attestation_report, cert_chain}`, where the report is the `sev` crate's struct or the report's bytes in
 * base64; or a base64 string of a bare or extended report. Throws `INVALID_ENVELOPE`, or why a part does not parse.
 */
export function snpFromKbs(value: JsonValue): Carried {
  if (typeof value === "string") return { evidence: fromBase64(value) };
  const fields = objectMember(value, "SNP evidence");
  const { attestation_report: report = null, cert_chain: chain = null } = fields;
  const evidence =
    typeof report === "string"
      ? fromBase64(report)
      : encodeReport(reportFromStruct(objectMember(report, "attestation_report")));
  if (chain === null) return { evidence };
  if (!Array.isArray(chain) || chain.length > MAX_CHAIN) {
    throw invalidMember("cert_chain", "no such list", `a list of at most ${MAX_CHAIN} entries`);
  }
  const certificates: Certificate[] = [];
  const crls: CertificateRevocationList[] = [];
  for (const [index, entry] of chain.entries()) {
    const { cert_type: type = null, data = null } = objectMember(entry, `cert_chain[${index}]`);
    // {"OTHER": guid} and "Empty" are the crate's names for what it does not know.
    if (isJsonObject(type) || type === "Empty") continue;
    const der =
      typeof data === "string"
        ? fromBase64(data)
        : bytesMember(data, undefined, `cert_chain[${index}].data`, MAX_ENTRY);
    if (type === "CRL") crls.push(parseCrl(der));
    else if (type === "VCEK" || type === "VLEK" || type === "ASK" || type === "ARK")
      certificates.push(parseCertificate(der));
    else
      throw invalidMember(
        `cert_chain[${index}].cert_type`,
        JSON.stringify(type),
        "VCEK, VLEK, ASK, ARK or CRL",
      );
  }
  return { evidence, endorsements: { certificates, crls, documents: [] } };
}

/**
 * Writes `{attestation_report, cert_chain}` with what the table and the endorsements hold of AMD's certificates and
 * all CRLs. Throws `UNSUPPORTED_REPORT_FORMAT` for a report that the struct cannot carry whole.
 */
export function snpToKbs(envelope: Carried): JsonValue {
  const { report, table } = parseSnpEvidence(envelope.evidence);
  const struct = reportToStruct(report);
  const again = encodeReport(reportFromStruct(struct));
  if (!equal(again, envelope.evidence.subarray(0, again.length))) {
    throw new EvidenceError(
      "UNSUPPORTED_REPORT_FORMAT",
      "malformed",
      `Cannot write SNP report of version ${report.version} as JSON: it has bytes that the format has no place for`,
    );
  }
  const chain: { cert_type: string; data: number[] }[] = table.flatMap(({ kind, data }) =>
    kind === undefined ? [] : [{ cert_type: kind, data: [...data] }],
  );
  for (const certificate of envelope.endorsements?.certificates ?? []) {
    const type = certTypeOf(certificate);
    if (type !== undefined) chain.push({ cert_type: type, data: [...certificate.der] });
  }
  for (const crl of envelope.endorsements?.crls ?? []) chain.push({ cert_type: "CRL", data: [...crl.der] });
  return { attestation_report: struct, cert_chain: chain.length === 0 ? null : chain };
}

/** The crate's CertType of one of AMD's certificates; an ASVK goes by ASK. */
function certTypeOf(certificate: Certificate): string | undefined {
  const kind = signerKindOf(certificate);
  if (kind !== undefined) return kind;
  const { commonName = "" } = certificate.subject;
  return commonName.startsWith("ARK-") ? "ARK" : commonName.startsWith("SEV-") ? "ASK" : undefined;
}
