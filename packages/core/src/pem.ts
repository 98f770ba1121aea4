// SPDX-License-Identifier: Apache-2.0
// PEM text (RFC 7468): strict inside the armour, indifferent to what stands between blocks.

import { type Bytes, fromBase64, toBase64 } from "./bytes.ts";
import { malformed } from "./errors.ts";

export interface PemBlock {
  /** For example "CERTIFICATE" or "X509 CRL". */
  readonly label: string;
  readonly der: Bytes;
}

const MAX_BLOCKS = 64;
const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]*)-----END ([A-Z0-9 ]{1,40})-----/g;

/** The text holds at least one PEM armour. */
export function looksLikePem(text: string): boolean {
  return text.includes("-----BEGIN ");
}

/**
 * Every block of `text`, in order. Text between blocks (comments, a trailing NUL) is ignored.
 * Throws `INVALID_PEM` when a block does not close, is empty or is no base64.
 */
export function parsePem(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  for (const match of text.matchAll(BLOCK)) {
    const [, label = "", body = "", end = ""] = match;
    if (label !== end)
      throw malformed("INVALID_PEM", `Cannot parse PEM: BEGIN ${label} is closed by END ${end}`);
    if (blocks.length === MAX_BLOCKS)
      throw malformed("INVALID_PEM", `Cannot parse PEM: more than ${MAX_BLOCKS} blocks`);
    const digits = body.replace(/\s+/g, "");
    if (digits === "") throw malformed("INVALID_PEM", `Cannot parse PEM: ${label} is empty`);
    blocks.push({ label, der: fromBase64(digits) });
  }
  const begun = text.split("-----BEGIN ").length - 1;
  if (begun !== blocks.length) {
    throw malformed(
      "INVALID_PEM",
      `Cannot parse PEM: ${begun} blocks begin, ${blocks.length} are well formed`,
    );
  }
  return blocks;
}

/** One block, 64 digits a line. */
export function toPem(label: string, der: Uint8Array): string {
  const lines = toBase64(der).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
