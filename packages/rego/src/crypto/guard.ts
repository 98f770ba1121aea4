// SPDX-License-Identifier: Apache-2.0
// Refusals of the crypto floor as failures of a function, and what work costs.

import { CoreError } from "@adyton/core/errors";
import { BuiltinFailure } from "../builtin.ts";

/** Steps that a signature check counts: about the time of as many visited values. */
export const SIGNATURE_STEPS = 2_000;

/** A `CoreError` becomes a `BuiltinFailure` with its message; anything else passes. */
export function guarded<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof CoreError) throw new BuiltinFailure("builtin", error.message);
    throw error;
  }
}

/** Steps for work over this many bytes or characters. */
export function stepsFor(length: number): number {
  return 1 + Math.ceil(length / 16);
}
