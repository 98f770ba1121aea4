// SPDX-License-Identifier: Apache-2.0
// What policies are told to demand of a platform, as `data.rules`. The judgement is Rego's, in policies/.

import type { TcbStatus } from "@adyton/evidence";
import { misuse } from "./errors.ts";
import { parseTime } from "./time.ts";

/**
 * What a relying party demands of a platform. A TEE's vendor either publishes a judgement of each TCB (Intel: status,
 * date, evaluation number, advisories) or only version numbers (AMD: `minTcb`). Rules for both kinds may stand side by
 * side: each piece of evidence meets those of its kind, and refuses when there are only rules of the other kind.
 */
export interface Rules {
  /** Statuses that pass, where the vendor publishes one. */
  readonly acceptedTcbStatuses?: readonly TcbStatus[];
  /** RFC 3339; every component's TCB date must be this or later. */
  readonly minTcbDate?: string;
  /** The least TCB evaluation data number of the vendor's documents. */
  readonly minEvaluationNumber?: number;
  /** Advisories that may stand open on any component; any other refuses. */
  readonly acceptedAdvisories?: readonly string[];
  /** Least version numbers by name (AMD: bootloader, tee, snp, microcode, fmc) of the reported, current and committed TCB. */
  readonly minTcb?: Readonly<Record<string, number>>;
  /** Accept a TEE whose owner can look inside. Default false. */
  readonly allowDebug?: boolean;
  /** Accept evidence under a root that is no hardware vendor's. Default false. */
  readonly allowSimulated?: boolean;
  /** Demand that the vendor's revocation list was checked. Default false. */
  readonly requireRevocation?: boolean;
}

const STATUSES: readonly TcbStatus[] = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "TdRelaunchAdvised",
  "TdRelaunchAdvisedConfigurationNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
];

/** `rules` again, when they make sense. Throws `INVALID_RULES`. */
export function checkRules(rules: Rules): Rules {
  const { acceptedTcbStatuses, minTcbDate, minEvaluationNumber, minTcb } = rules;
  const unknown = acceptedTcbStatuses?.find((status) => !STATUSES.includes(status));
  if (unknown !== undefined) {
    throw misuse(
      "INVALID_RULES",
      `Cannot use rules: acceptedTcbStatuses holds ${JSON.stringify(unknown)}, expected any of ${STATUSES.join(", ")}`,
      "Revoked and NotSupported can never be accepted.",
    );
  }
  if (minTcbDate !== undefined && parseTime(minTcbDate) === undefined) {
    throw misuse(
      "INVALID_RULES",
      `Cannot use rules: minTcbDate is ${JSON.stringify(minTcbDate)}, expected an RFC 3339 date`,
      "Write it like 2025-05-14T00:00:00Z or 2025-05-14.",
    );
  }
  const numbers = [
    ...(minEvaluationNumber === undefined ? [] : [["minEvaluationNumber", minEvaluationNumber] as const]),
    ...Object.entries(minTcb ?? {}).map(([name, value]) => [`minTcb.${name}`, value] as const),
  ];
  for (const [name, value] of numbers) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw misuse("INVALID_RULES", `Cannot use rules: ${name} is ${value}, expected a whole number from 0`);
    }
  }
  if (minTcb !== undefined && Object.keys(minTcb).length === 0) {
    throw misuse("INVALID_RULES", "Cannot use rules: minTcb is empty, expected at least one version number");
  }
  return rules;
}
