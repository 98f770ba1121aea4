// SPDX-License-Identifier: Apache-2.0
// Event logs alone, for small bundles: check a log against verified evidence; parse, write and replay one.

export { type BootFacts, bootClaims, bootFacts, type CheckedEvent, type Measured } from "./eventlog/boot.ts";
export { type Coverage, coverageOf } from "./eventlog/cover.ts";
export { eventDetails, parseUefiVariable, type UefiVariable } from "./eventlog/details.ts";
export { devicePathTexts } from "./eventlog/device-path.ts";
export {
  type EventDigest,
  type EventLog,
  encodeEventLog,
  type LogEvent,
  parseEventLog,
} from "./eventlog/log.ts";
export { initialValues, isExtending, replay } from "./eventlog/replay.ts";
export { EVENT_TYPE, eventTypeName } from "./eventlog/types.ts";
export { type EventLogOptions, verifyEventLog } from "./eventlog/verify.ts";
export { digestOf, digestSize, type TpmHash } from "./tpm/algorithms.ts";
export type { MeasurementRegister, VerifiedEvidence } from "./verified.ts";
