// SPDX-License-Identifier: Apache-2.0
// Heads of rules: their constant keys, and the first places in their frames.

import type { Head } from "../ast.ts";
import type { Operand } from "./program.ts";

/** In the frame of a rule: its value, whether a clause with `else` had a solution, and the first of what is given. */
export const RESULT_SLOT = 0;
export const FLAG_SLOT = 1;
export const GIVEN_SLOT = 2;

/** The constant keys at the beginning of a head, which say below which node its rule stands. */
export function groundKeys(head: Head): Operand[] {
  const keys: Operand[] = [];
  for (const term of head.ref) {
    if (term.kind !== "scalar") break;
    keys.push({ kind: "value", value: term.value, location: term.location });
  }
  return keys;
}
