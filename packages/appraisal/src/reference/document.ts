// SPDX-License-Identifier: Apache-2.0
// A document of reference values in whichever of the formats it is. What it is shows in its first byte.

import { type CorimOptions, readCorim } from "./corim.ts";
import { readPlainReferences } from "./plain.ts";
import { readRim } from "./rim.ts";
import type { VouchedValue } from "./voucher.ts";

export interface DocumentOptions extends CorimOptions {
  /** What to call whoever wrote plain values. */
  readonly name?: string;
  /** Take plain JSON, which carries no signature, as the caller's own word. Default: `allowUnsigned`. */
  readonly allowPlain?: boolean;
}

const WHITE_SPACE: readonly number[] = [0x20, 0x09, 0x0a, 0x0d];
const BYTE_ORDER_MARK = "\uFEFF";

/** Plain JSON, an integrity manifest in XML, or a CoRIM. Rejects with the errors of their readers. */
export async function readReferenceDocument(
  bytes: Uint8Array,
  options: DocumentOptions,
): Promise<VouchedValue[]> {
  const { at, roots, allowUnsigned, allowPlain = allowUnsigned === true, name } = options;
  const trusted = {
    ...(roots === undefined ? {} : { roots }),
    ...(allowUnsigned === undefined ? {} : { allowUnsigned }),
  };
  switch (firstCharacter(bytes)) {
    case "{":
    case "[":
    case "":
      return readPlainReferences(bytes, {
        allowUnsigned: allowPlain,
        ...(name === undefined ? {} : { name }),
      });
    case "<":
      return readRim(bytes, { at, ...trusted });
    default:
      return readCorim(bytes, options);
  }
}

function firstCharacter(bytes: Uint8Array): string {
  const start = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, 3));
  const from = start === BYTE_ORDER_MARK ? 3 : 0;
  const first = bytes.subarray(from).find((byte) => !WHITE_SPACE.includes(byte));
  return first === undefined ? "" : String.fromCharCode(first);
}
