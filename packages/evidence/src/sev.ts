// SPDX-License-Identifier: Apache-2.0
// AMD SEV and SEV-ES alone, for small bundles: verify reports, platforms and launches; open sessions, pack secrets.

export {
  encodeSevCaBody,
  encodeSevCaCertificate,
  parseSevCaCertificate,
  type SevCaCertificate,
  type SevCaFields,
} from "./amd/sev/ca.ts";
export type { TrustedPek } from "./amd/sev/chain.ts";
export {
  encodeSevCertificates,
  readSevCertificates,
  SEV_CA,
  SEV_PLATFORM,
  type SevCertificate,
  splitSevCertificates,
} from "./amd/sev/endorsements.ts";
export {
  encodeSevEvidence,
  encodeSevReport,
  encodeSevReportBody,
  parseSevEvidence,
  parseSevReport,
  SEV_REPORT_SIGNED_SIZE,
  SEV_REPORT_SIZE,
  type SevEvidence,
  type SevReport,
  type SevReportFields,
} from "./amd/sev/evidence.ts";
export { SEV_GENERATIONS, type SevGeneration, sevGenerationOf } from "./amd/sev/generations.ts";
export { sevSpkiOf } from "./amd/sev/keys.ts";
export {
  measureSevLaunch,
  parseSevMeasurement,
  SEV_MEASUREMENT_SIZE,
  type SevLaunch,
  type SevMeasurement,
  type VerifySevLaunchOptions,
  verifyLaunchMeasurement,
  verifySevLaunch,
} from "./amd/sev/launch.ts";
export { type SevAlgorithm, type SevUsage, splitScalars } from "./amd/sev/numbers.ts";
export {
  assertVerifiedSevPlatform,
  type VerifiedSevPlatform,
  type VerifySevPlatformOptions,
  verifySevPlatform,
} from "./amd/sev/pdh.ts";
export {
  encodeSevPlatformBody,
  encodeSevPlatformCertificate,
  parseSevPlatformCertificate,
  SEV_PLATFORM_CERTIFICATE_SIZE,
  type SevCurve,
  type SevPlatformCertificate,
  type SevPlatformFields,
  type SevPlatformUsage,
  type SevSignature,
} from "./amd/sev/platform.ts";
export { encodeSevPolicy, parseSevPolicy, type SevPolicy } from "./amd/sev/policy.ts";
export { sev } from "./amd/sev/scheme.ts";
export {
  encodeSevSecretTable,
  packSevSecrets,
  parseSevSecretTable,
  SEV_SECRET_HEADER_SIZE,
  SEV_SECRET_MAX,
  type SevSecret,
  type SevSecretPacket,
  unpackSevSecrets,
} from "./amd/sev/secret.ts";
export {
  createSevSession,
  encodeSevSession,
  parseSevSession,
  SEV_SESSION_SIZE,
  type SevSession,
  type SevSessionBlob,
  type SevSessionKeys,
  sevSessionFiles,
  unwrapSevSession,
  wrapSevSession,
} from "./amd/sev/session.ts";
export { verifySev } from "./amd/sev/verify.ts";
