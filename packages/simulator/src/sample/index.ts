// SPDX-License-Identifier: Apache-2.0
export {
  createSampleVendor,
  type ExportedIdentity,
  importSampleMachine,
  importSampleVendor,
  type SampleLaunch,
  type SampleMachine,
  type SampleVendor,
  type SampleVendorOptions,
} from "./vendor.ts";
