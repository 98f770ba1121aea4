// SPDX-License-Identifier: Apache-2.0
// Evidence of the machine, or the enclave, that this program runs in; and the software TEE for machines without one.

export type { Attester, AttesterKind, AttesterOptions, Probe } from "./attester.ts";
export { AttesterError, type AttesterErrorCode } from "./errors.ts";
export type { FileSystem } from "./lib/filesystem.ts";
export type { DeviceCalls, IoctlWord } from "./lib/ioctl.ts";
export { ATTESTERS, detectAttester } from "./registry.ts";
export { SAMPLE_TEE_VARIABLE } from "./sample/protocol.ts";
export { measureProgram } from "./software/program.ts";
export {
  type Exit,
  type LaunchedProgram,
  type LaunchOptions,
  openSoftwareTee,
  type SoftwareTee,
  type SoftwareTeeOptions,
} from "./software/tee.ts";
