// SPDX-License-Identifier: Apache-2.0
// The fake vendor, one folder per root of trust. What it issues is simulated: it proves flows, never secrecy.

export type { AmdPlatform, AmdPlatformOptions, ReportOptions } from "./amd/platform.ts";
export type {
  SevCaAuthority,
  SevCaChange,
  SevPlatformAuthority,
  SevPlatformChange,
  SevSigner,
} from "./amd/sev/keys.ts";
export type { SevGuest, SevMachine, SevMachineOptions, SevReportOptions } from "./amd/sev/machine.ts";
export { createSevVendor, type SevVendor, type SevVendorOptions, sevBag } from "./amd/sev/vendor.ts";
export { type AmdVendor, type AmdVendorOptions, createAmdVendor } from "./amd/vendor.ts";
export {
  type CcaGeneration,
  type CcaPlatform,
  type CcaPlatformOptions,
  type CcaTokenOptions,
  createCcaPlatform,
} from "./arm/platform.ts";
export {
  createNitroVendor,
  NITRO_ISSUERS,
  type NitroDocumentOptions,
  type NitroEnclave,
  type NitroIssuer,
  type NitroVendor,
  type NitroVendorOptions,
} from "./aws/vendor.ts";
export { type AzureEvidenceOptions, type AzureVm, type AzureVmOptions, createAzureVm } from "./azure/vm.ts";
export { type BootOptions, type SimulatedBoot, simulateBoot } from "./eventlog/log.ts";
export type {
  HygonAuthority,
  HygonCaChange,
  HygonCertificateChange,
  HygonKey,
  Sm2Signer,
} from "./hygon/keys.ts";
export {
  type CsvReportOptions,
  csvPage,
  type HygonGuest,
  type HygonPlatform,
  type HygonPlatformOptions,
} from "./hygon/platform.ts";
export {
  createHygonVendor,
  type HygonVendor,
  type HygonVendorOptions,
  hygonBag,
} from "./hygon/vendor.ts";
export type { SeAttestOptions, SeMachine } from "./ibm/machine.ts";
export { createIbmVendor, createSeHeader, type IbmVendor, type IbmVendorOptions } from "./ibm/vendor.ts";
export type { Authority, CertificateChange, CrlChange } from "./intel/authority.ts";
export {
  type IntelCollateral,
  type PcsResponse,
  responseText,
  toCollateralJson,
  toEndorsements,
  toPcsResponses,
} from "./intel/collateral.ts";
export { type EnclaveKind, svnBytes } from "./intel/defaults.ts";
export type {
  EnclaveIdentityTemplate,
  EvaluationNumbersTemplate,
  IsvLevelTemplate,
  ModuleIdentityTemplate,
  ModuleSignerTemplate,
  TcbInfoTemplate,
  TcbLevelTemplate,
} from "./intel/documents.ts";
export type { IntelPlatform, PlatformOptions, QuoteOptions } from "./intel/platform.ts";
export {
  createIntelVendor,
  type DocumentChange,
  type IntelVendor,
  type IntelVendorOptions,
} from "./intel/vendor.ts";
export type { OcspChange } from "./nvidia/ocsp.ts";
export type { RimMaker, RimOptions } from "./nvidia/rim.ts";
export {
  createNvidiaVendor,
  type NvidiaDevice,
  type NvidiaDeviceOptions,
  type NvidiaReportOptions,
  type NvidiaVendor,
  type NvidiaVendorOptions,
} from "./nvidia/vendor.ts";
export {
  createSampleVendor,
  type ExportedIdentity,
  importSampleMachine,
  importSampleVendor,
  type SampleLaunch,
  type SampleMachine,
  type SampleVendor,
  type SampleVendorOptions,
} from "./sample/vendor.ts";
export type { TpmDevice, TpmDeviceOptions, TpmKeyKind, TpmQuoteOptions } from "./tpm/device.ts";
export {
  createTpmVendor,
  type TpmEvidenceOptions,
  type TpmFormName,
  type TpmMachine,
  type TpmMachineOptions,
  type TpmVendor,
  type TpmVendorOptions,
} from "./tpm/vendor.ts";
