// SPDX-License-Identifier: Apache-2.0
// Hygon CSV alone, for small bundles: verify a report, read and write its parts, open a launch session.

export {
  CSV_CA_SIZE,
  CSV_CERTIFICATE_SIZE,
  CSV_USAGE,
  type CsvCa,
  type CsvCaFields,
  type CsvCaRole,
  type CsvCertificate,
  type CsvCertificateFields,
  type CsvRole,
  type CsvSignatureSlot,
  EMPTY_SLOT,
  encodeCsvCa,
  encodeCsvCertificate,
  parseCsvCa,
  parseCsvCertificate,
  SM2_SA,
} from "./hygon/certificates.ts";
export { CSV_CA_KIND, CSV_PLATFORM_KIND } from "./hygon/endorsements.ts";
export {
  CSV_REPORT_SIZE,
  type CsvReport,
  type CsvReportFields,
  type CsvReportV1,
  type CsvReportV2,
  type CsvSigner,
  csvMacPartOf,
  csvSignedPartOf,
  encodeCsvReport,
  parseCsvReport,
} from "./hygon/evidence.ts";
export { CSV_PAGE_SIZE, encodeCsvEvidence, HSK_CEK_SIZE } from "./hygon/forms.ts";
export {
  acceptCsvLaunch,
  type CsvLaunchStart,
  type CsvTransportKeys,
  deriveCsvKey,
  startCsvLaunch,
  type VerifiedCsvPdh,
  verifyCsvPdh,
} from "./hygon/handshake.ts";
export { type CsvParts, parseCsvEvidence } from "./hygon/kbs.ts";
export {
  type CsvLaunchExpectation,
  type CsvLaunchSecret,
  checkCsvLaunchMeasure,
  csvLaunchMeasure,
  openCsvSecret,
  sealCsvSecret,
} from "./hygon/launch.ts";
export { type CsvPolicy, encodeCsvPolicy, parseCsvPolicy } from "./hygon/policy.ts";
export { csv } from "./hygon/scheme.ts";
export {
  CSV_SESSION_SIZE,
  type CsvGuestIdentity,
  type CsvSession,
  encodeCsvSession,
  parseCsvSession,
} from "./hygon/session.ts";
export { verifyCsv } from "./hygon/verify.ts";
