// SPDX-License-Identifier: Apache-2.0
// Names in documents as steps of reference ids.

import { fromUtf8 } from "@adyton/core/bytes";

/**
 * One step of a reference id. Letters, digits and `_ . : -` stand for themselves, other bytes of the text as `%XX`,
 * so that different names stay different and no name reaches into another step.
 */
export function referenceStep(name: string): string {
  return [...fromUtf8(name)].map(encoded).join("");
}

function encoded(byte: number): string {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9_.:-]/.test(character)
    ? character
    : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
