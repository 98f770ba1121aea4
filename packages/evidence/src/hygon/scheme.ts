// SPDX-License-Identifier: Apache-2.0
// CSV in the registry.

import type { Scheme } from "../scheme.ts";
import { claimsOf } from "./claims.ts";
import { csvFromKbs, csvToKbs, isCsvEvidence, parseCsvEvidence } from "./kbs.ts";
import { verifyCsv } from "./verify.ts";

export const csv: Scheme = {
  tee: "csv",
  title: "Hygon CSV report",
  detect: isCsvEvidence,
  inspect: (evidence) => claimsOf(parseCsvEvidence(evidence).report),
  verify: verifyCsv,
  fromKbs: csvFromKbs,
  toKbs: csvToKbs,
};
