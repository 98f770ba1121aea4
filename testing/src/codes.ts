// SPDX-License-Identifier: Apache-2.0
// What refused, by its code.

import { AdytonError } from "@adyton/core/errors";

/** The code of the AdytonError that `act` throws; "nothing" when it returns. Anything else is thrown on. */
export function codeOf(act: () => unknown): string {
  try {
    act();
    return "nothing";
  } catch (error) {
    if (error instanceof AdytonError) return error.code;
    throw error;
  }
}

/** `codeOf` for promises. */
export async function codeOfAsync(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
    return "nothing";
  } catch (error) {
    if (error instanceof AdytonError) return error.code;
    throw error;
  }
}
