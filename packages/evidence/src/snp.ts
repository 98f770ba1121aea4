// SPDX-License-Identifier: Apache-2.0
// AMD SEV-SNP alone, for small bundles: verify a report, read and write its parts.

export {
  type EndorsementKey,
  encodeEndorsementExtensions,
  issuerNameOf,
  parseEndorsementKey,
  rootNameOf,
  type SignerKind,
} from "./amd/endorsements.ts";
export {
  type Cpuid,
  encodeReport,
  encodeReportSignature,
  type FirmwareVersion,
  type KeyInfo,
  parseReport,
  REPORT_SIZE,
  type Report,
  type ReportFields,
  SIGNED_SIZE,
  VMPL_HOST,
} from "./amd/evidence.ts";
export {
  encodePlatformInfo,
  encodePolicy,
  type GuestPolicy,
  type PlatformInfo,
  parsePlatformInfo,
  parsePolicy,
} from "./amd/policy.ts";
export { PRODUCTS, type Product, type ProductName, productNamed, productOfCpuid } from "./amd/products.ts";
export {
  encodeCertificateTable,
  parseCertificateTable,
  parseSnpEvidence,
  type SnpEvidence,
  TABLE_GUID,
  type TableEntry,
  type TableKind,
} from "./amd/table.ts";
export { encodeTcbVersion, parseTcbVersion, type TcbLayout, type TcbVersion } from "./amd/tcb.ts";
export { verifySnp } from "./amd/verify.ts";
