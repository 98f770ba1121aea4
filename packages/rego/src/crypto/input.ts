// SPDX-License-Identifier: Apache-2.0
// What the functions take: PEM, base64 of PEM, or base64 of DER.

import { type Bytes, fromBase64 } from "@adyton/core/bytes";
import { type DerValue, encodeDer, parseDer } from "@adyton/core/der";
import { looksLikePem, type PemBlock, parsePem } from "@adyton/core/pem";
import { failure } from "../builtins/define.ts";
import { textOf } from "../utf8.ts";

const PEM_START = "-----BEGIN ";
const MAX_INPUT = 1024 * 1024;

/** The blocks of a PEM text, or of base64 that holds one; undefined where the base64 holds DER, which is then `der`. */
export function pemOrDer(text: string): { readonly blocks: readonly PemBlock[] } | { readonly der: Bytes } {
  if (text.length > MAX_INPUT)
    throw failure(`input of ${text.length} characters, at most ${MAX_INPUT} are read`);
  if (text.startsWith(PEM_START)) return { blocks: parsePem(text) };
  const der = decodeBase64(text);
  const inner = textOf(der);
  return inner.startsWith(PEM_START) ? { blocks: parsePem(inner) } : { der };
}

/** Standard base64 over any number of lines. */
export function decodeBase64(text: string): Bytes {
  return fromBase64(text.replace(/[\r\n]/g, ""));
}

/** Structures that stand one after the other. */
export function structuresIn(der: Uint8Array, what: string): readonly DerValue[] {
  return parseDer(encodeDer.value(0x30, der), what).sequence();
}

/** The only block of a text that holds nothing else behind it; undefined for a text that is no PEM. */
export function singleBlock(text: string): PemBlock | undefined {
  if (text.length > MAX_INPUT || !looksLikePem(text)) return undefined;
  const [block, ...more] = parsePem(text);
  const end = text.slice(text.lastIndexOf("-----END ")).replace(/^-----END [A-Z0-9 ]+-----[ \t]*\r?\n?/, "");
  if (more.length > 0 || end !== "") throw failure("extra data after a PEM certificate block");
  return block;
}
