// SPDX-License-Identifier: Apache-2.0
// The forms in which a CSV report travels: bare, padded to a page, either followed by HSK and CEK (as RATS-TLS sends
// it), or in the JSON of Confidential Containers.

import { type Bytes, concat, padRight } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { type Endorsements, NO_ENDORSEMENTS } from "../bag.ts";
import { CSV_CA_SIZE, CSV_CERTIFICATE_SIZE, isCsvCa, isCsvCertificate } from "./certificates.ts";
import { CSV_CA_KIND, CSV_PLATFORM_KIND } from "./endorsements.ts";
import {
  CSV_REPORT_SIZE,
  type CsvReport,
  checkCsvPadding,
  csvVersionOf,
  parseCsvReport,
} from "./evidence.ts";
import { badField } from "./refusal.ts";

/** Bytes that a report is padded to. */
export const CSV_PAGE_SIZE = 4096;
/** HSK, then CEK. */
export const HSK_CEK_SIZE: number = CSV_CA_SIZE + CSV_CERTIFICATE_SIZE;
const WHAT = "CSV evidence";

export interface CsvEvidence {
  readonly report: CsvReport;
  /** HSK and CEK, where they came along. */
  readonly endorsements: Endorsements;
}

/** Whether bytes have one of the binary forms. Cheap; never throws. */
export function isCsvBinary(bytes: Uint8Array): boolean {
  const version = csvVersionOf(bytes);
  if (version === undefined) return false;
  return [CSV_REPORT_SIZE[version], CSV_PAGE_SIZE].some(
    (size) => bytes.length === size || tailLength(bytes, size) === bytes.length - size - 4,
  );
}

/**
 * Parses a binary form. Throws `UNSUPPORTED_REPORT_FORMAT`, `RESERVED_NOT_ZERO`, `TRAILING_BYTES`, `OUT_OF_BOUNDS` or
 * `INVALID_CSV_CERTIFICATE`.
 */
export function parseCsvBinary(bytes: Uint8Array): CsvEvidence {
  const version = csvVersionOf(bytes);
  if (version === undefined) return { report: parseCsvReport(bytes), endorsements: NO_ENDORSEMENTS };
  const bare = CSV_REPORT_SIZE[version];
  const padded = bytes.length >= CSV_PAGE_SIZE && tailLength(bytes, bare) !== bytes.length - bare - 4;
  if (padded) checkCsvPadding(bytes.subarray(0, CSV_PAGE_SIZE), version);
  const report = parseCsvReport(bytes.subarray(0, bare));
  return { report, endorsements: parseTail(bytes.subarray(padded ? CSV_PAGE_SIZE : bare)) };
}

/** A report, bare or padded, with HSK and CEK behind the page: the form of RATS-TLS. */
export function encodeCsvEvidence(report: Uint8Array, hskCek: Uint8Array): Bytes {
  const length = new Writer(4).u32le(hskCek.length).finish();
  return concat(padRight(report, CSV_PAGE_SIZE), length, hskCek);
}

/** Nothing, or a length and that many bytes: none, or HSK and CEK. */
function parseTail(tail: Uint8Array): Endorsements {
  if (tail.length === 0) return NO_ENDORSEMENTS;
  const reader = new Reader(tail, WHAT);
  const length = reader.u32le("length of HSK and CEK");
  if (length !== 0 && length !== HSK_CEK_SIZE)
    throw badTail("length of HSK and CEK", length, `0 or ${HSK_CEK_SIZE}`);
  const certificates = reader.bytes(length, "HSK and CEK");
  reader.end();
  if (length === 0) return NO_ENDORSEMENTS;
  const [hsk, cek] = [certificates.subarray(0, CSV_CA_SIZE), certificates.subarray(CSV_CA_SIZE)];
  if (!isCsvCa(hsk) || !isCsvCertificate(cek)) throw badTail("HSK and CEK", "others", "Hygon certificates");
  return {
    ...NO_ENDORSEMENTS,
    vendorCertificates: [
      { kind: CSV_CA_KIND, bytes: hsk },
      { kind: CSV_PLATFORM_KIND, bytes: cek },
    ],
  };
}

function badTail(field: string, found: unknown, expected: string): Error {
  return badField("UNSUPPORTED_REPORT_FORMAT", WHAT, field, 0, found, expected);
}

function tailLength(bytes: Uint8Array, at: number): number {
  if (bytes.length < at + 4) return -1;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}
