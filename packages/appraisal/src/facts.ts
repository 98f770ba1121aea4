// SPDX-License-Identifier: Apache-2.0
// What rules and policies see of verified evidence: plain data without the seal, so that each can be tried on tables.

import type { VerifiedEvidence } from "@adyton/evidence";

/** The members of verified evidence that are judged. Results are only ever made from the sealed value itself. */
export type Facts = Pick<
  VerifiedEvidence,
  | "tee"
  | "kind"
  | "at"
  | "trust"
  | "tcb"
  | "debug"
  | "confidential"
  | "reportData"
  | "initDataField"
  | "claims"
  | "endorsements"
>;
