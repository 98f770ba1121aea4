// SPDX-License-Identifier: Apache-2.0
// Exit codes: documented, distinct, stable.

import type { ErrorCategory } from "@adyton/core/errors";

export const EXIT = {
  ok: 0,
  misuse: 1,
  malformed: 2,
  notAuthentic: 3,
  endorsements: 4,
  policy: 5,
  unavailable: 6,
  /** A defect of ours (EX_SOFTWARE of sysexits.h). */
  internal: 70,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_CATEGORY: Readonly<Record<ErrorCategory, ExitCode>> = {
  misuse: EXIT.misuse,
  malformed: EXIT.malformed,
  "not-authentic": EXIT.notAuthentic,
  endorsements: EXIT.endorsements,
  policy: EXIT.policy,
  unavailable: EXIT.unavailable,
};

/** The exit code of a kind of refusal. */
export function exitCodeOf(category: ErrorCategory): ExitCode {
  return BY_CATEGORY[category];
}

/** For help pages. */
export const EXIT_MEANING: Readonly<Record<ExitCode, string>> = {
  0: "done",
  1: "misuse: an unknown command, option or value",
  2: "malformed: the input is not what it claims to be",
  3: "not authentic: a signature, chain, binding or the vendor's verdict says no",
  4: "endorsements missing, expired or not valid yet",
  5: "authentic, but refused by policy",
  6: "unavailable: a service, device or file could not be reached",
  70: "a defect in adyton itself; please report it",
};
