// SPDX-License-Identifier: Apache-2.0
// CSV evidence in the Confidential Containers protocol: report page, PEK with or without HSK and CEK, serial number and
// event log, as guest-components writes and Trustee reads them.

import { equal, fromBase64, fromUtf8, isZero, padRight, toBase64, toUtf8 } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { type Endorsements, NO_ENDORSEMENTS } from "../bag.ts";
import type { Envelope } from "../envelope.ts";
import { parseCsvCertificate } from "./certificates.ts";
import { issuersAtHand } from "./chain.ts";
import { CSV_CA_KIND, CSV_PLATFORM_KIND } from "./endorsements.ts";
import {
  CSV_REPORT_SIZE,
  type CsvReport,
  checkCsvPadding,
  csvVersionOf,
  parseCsvReport,
} from "./evidence.ts";
import { CSV_PAGE_SIZE, isCsvBinary, parseCsvBinary } from "./forms.ts";
import { bytesOf, integerOf, invalidMember, objectOf } from "./members.ts";
import { refusal } from "./refusal.ts";
import {
  csvCaFromStruct,
  csvCaToStruct,
  csvCertificateFromStruct,
  csvCertificateToStruct,
} from "./structs.ts";

/** Marks a request and a report that know of version 2. */
const MAGIC = fromUtf8("ATTESTATION_EXT\0");
/** Flag of version 2. */
const FLAG_V2 = 1;
const OPEN_BRACE = 0x7b;

type Parts = Pick<Envelope, "evidence" | "endorsements" | "eventLog">;

/** Report, endorsements and event log, whatever form the bytes have. */
export interface CsvParts {
  readonly report: CsvReport;
  readonly endorsements: Endorsements;
  readonly eventLog: Uint8Array | undefined;
}

/** Whether bytes are CSV evidence, binary or JSON. Cheap for what is not; never throws. */
export function isCsvEvidence(bytes: Uint8Array): boolean {
  if (isCsvBinary(bytes)) return true;
  if (bytes[0] !== OPEN_BRACE) return false;
  try {
    const value = parseJson(toUtf8(bytes));
    return isJsonObject(value) && isJsonObject(value.cert_chain) && "serial_number" in value;
  } catch {
    return false;
  }
}

/** Parses any form. Throws as `parseCsvBinary` and `csvFromKbs`, or `INVALID_JSON` and `INVALID_UTF8`. */
export function parseCsvEvidence(bytes: Uint8Array): CsvParts {
  if (bytes[0] !== OPEN_BRACE || csvVersionOf(bytes) !== undefined)
    return { ...parseCsvBinary(bytes), eventLog: undefined };
  const { evidence, endorsements = NO_ENDORSEMENTS, eventLog } = csvFromKbs(parseJson(toUtf8(bytes)));
  return { report: parseCsvBinary(evidence).report, endorsements, eventLog };
}

/**
 * The report's page, HSK and CEK where they came along, and the event log. The PEK and serial number beside the report
 * must be those inside it. Throws `INVALID_ENVELOPE`, `SERIAL_NUMBER_MISMATCH`, `INVALID_CSV_CERTIFICATE`,
 * `RESERVED_NOT_ZERO` or `UNSUPPORTED_REPORT_FORMAT`.
 */
export function csvFromKbs(value: JsonValue): Parts {
  const evidence = objectOf(value, "primary evidence");
  const { page, report } = reportFrom(objectOf(evidence.attestation_report, "attestation_report"));
  const chain = objectOf(evidence.cert_chain, "cert_chain");
  if (!equal(csvCertificateFromStruct(chain.pek, "pek"), report.signer.pek))
    throw invalidMember("cert_chain.pek", "another", "the PEK inside the report");
  const serial = bytesOf(evidence.serial_number, 64, "serial_number");
  if (!equal(serial, report.signer.serialNumber))
    throw refusal("SERIAL_NUMBER_MISMATCH", "the serial number beside it is not the one inside it");
  const endorsements = hskCekFrom(chain.hsk_cek ?? null);
  const eventLog = eventLogFrom(evidence.cc_eventlog ?? null);
  return {
    evidence: page,
    ...(endorsements === undefined ? {} : { endorsements }),
    ...(eventLog === undefined ? {} : { eventLog }),
  };
}

/** The protocol's JSON of evidence in any form. HSK and CEK come along when they are at hand and fit the PEK. */
export function csvToKbs(parts: Parts): JsonValue {
  const { report, endorsements: own, eventLog } = parseCsvEvidence(parts.evidence);
  const page = padRight(reportBytesOf(parts.evidence, report), CSV_PAGE_SIZE);
  const pek = parseCsvCertificate(report.signer.pek);
  const found = issuersAtHand(pek, own) ?? issuersAtHand(pek, parts.endorsements);
  const log = parts.eventLog ?? eventLog;
  return {
    attestation_report: {
      magic: report.version === 2 ? [...MAGIC] : new Array<number>(MAGIC.length).fill(0),
      flags: report.version === 2 ? FLAG_V2 : 0,
      data: [...page],
    },
    cert_chain: {
      ...(found === undefined
        ? {}
        : { hsk_cek: { hsk: csvCaToStruct(found.hsk.bytes), cek: csvCertificateToStruct(found.cek.bytes) } }),
      pek: csvCertificateToStruct(report.signer.pek),
    },
    serial_number: [...report.signer.serialNumber],
    cc_eventlog: log === undefined ? null : toBase64(log),
  };
}

/** The report as it stands in `evidence`, which parses as `report`. */
function reportBytesOf(evidence: Uint8Array, report: CsvReport): Uint8Array {
  const binary =
    csvVersionOf(evidence) === undefined ? csvFromKbs(parseJson(toUtf8(evidence))).evidence : evidence;
  return binary.subarray(0, CSV_REPORT_SIZE[report.version]);
}

function reportFrom(wrapper: JsonObject): { readonly page: Uint8Array; readonly report: CsvReport } {
  const magic = bytesOf(wrapper.magic, MAGIC.length, "attestation_report.magic");
  const flags = integerOf(wrapper.flags, 0xffffffff, "attestation_report.flags");
  const page = bytesOf(wrapper.data, CSV_PAGE_SIZE, "attestation_report.data");
  const extended = equal(magic, MAGIC);
  if (!extended && !isZero(magic))
    throw invalidMember("attestation_report.magic", "another", "ATTESTATION_EXT or zeros");
  if (extended && flags > FLAG_V2) throw invalidMember("attestation_report.flags", flags, "0 or 1");
  const expected = extended && flags === FLAG_V2 ? 2 : 1;
  const version = csvVersionOf(page);
  if (version !== undefined && version !== expected)
    throw invalidMember("attestation_report.data", `a report of version ${version}`, `version ${expected}`);
  const report = parseCsvReport(page.subarray(0, CSV_REPORT_SIZE[version ?? expected]));
  checkCsvPadding(page, report.version);
  return { page, report };
}

function hskCekFrom(value: JsonValue): Endorsements | undefined {
  if (value === null) return undefined;
  const pair = objectOf(value, "cert_chain.hsk_cek");
  return {
    ...NO_ENDORSEMENTS,
    vendorCertificates: [
      { kind: CSV_CA_KIND, bytes: csvCaFromStruct(pair.hsk, "hsk") },
      { kind: CSV_PLATFORM_KIND, bytes: csvCertificateFromStruct(pair.cek, "cek") },
    ],
  };
}

function eventLogFrom(value: JsonValue): Uint8Array | undefined {
  if (value === null) return undefined;
  if (typeof value !== "string")
    throw invalidMember("cc_eventlog", `of type ${typeof value}`, "base64 or null");
  return fromBase64(value);
}
