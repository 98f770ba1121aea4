// SPDX-License-Identifier: Apache-2.0
// Recovery shares as people keep them: one line each that can be printed, read aloud and typed again.

import { createHash, randomBytes } from "node:crypto";
import { concat, equal, toHex } from "@adyton/core/bytes";
import { BrokerError } from "../errors.ts";
import { KEY_BYTES, type RecipientPair, recipientOf } from "./seal.ts";
import { combineShares, splitSecret } from "./shamir.ts";

const PREFIX = "adyton-share";
const VERSION = 1;
const SET_BYTES = 4;
const CHECK_BYTES = 4;
const HEAD_BYTES = 1 + SET_BYTES + 1 + 1;
const GROUP = 5;
/** Base32 without letters that look like others (Crockford). */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

interface ParsedShare {
  readonly set: string;
  readonly threshold: number;
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** Lines, any `threshold` of which give the key of 32 bytes back. Throws `INVALID_REQUEST` for numbers that cannot be. */
export function sharesOf(secret: Uint8Array, threshold: number, count: number): string[] {
  if (!(threshold >= 2 && threshold <= count && count <= 255)) {
    throw new BrokerError(
      "SHARE_INVALID",
      "misuse",
      `Cannot make ${count} shares of which ${threshold} suffice: expected 2 of 2 up to 255 of 255`,
      { hint: "One share alone would be the key itself." },
    );
  }
  const set = randomBytes(SET_BYTES);
  return splitSecret(secret, threshold, count).map(({ index, bytes }) => {
    const body = concat(Uint8Array.of(VERSION), set, Uint8Array.of(threshold, index), bytes);
    const groups = encode32(concat(body, checkOf(body))).match(new RegExp(`.{1,${GROUP}}`, "g")) ?? [];
    return `${PREFIX}-${index} ${groups.join("-")}`;
  });
}

/**
 * The recipient whose private key the shares hold. Upper and lower case, spaces, hyphens, and the look-alikes o, i and l
 * do not matter. Throws `SHARE_INVALID`: a share that was mistyped, comes twice, or is of another set, and too few.
 */
export function recipientOfShares(lines: readonly string[]): RecipientPair {
  const shares = lines.map(parseShare);
  const [first] = shares;
  if (first === undefined) throw invalid("there is none");
  const stranger = shares.findIndex(({ set }) => set !== first.set);
  if (stranger > 0)
    throw invalid(`share ${stranger + 1} belongs to set ${shares[stranger]?.set}, the first to ${first.set}`);
  const different = new Map(shares.map((share) => [share.index, share]));
  if (different.size < first.threshold) {
    throw invalid(`there are ${different.size} of set ${first.set}, expected ${first.threshold}`);
  }
  const used = [...different.values()].slice(0, first.threshold);
  return recipientOf(combineShares(used));
}

function parseShare(line: string, at: number): ParsedShare {
  const which = `share ${at + 1}`;
  const text = line
    .trim()
    .toLowerCase()
    .replace(/^adyton-share-\d{1,3}\s/, "")
    .replace(/[\s-]+/g, "")
    .replace(/o/g, "0")
    .replace(/[il]/g, "1");
  const bytes = decode32(text);
  const body = bytes?.subarray(0, -CHECK_BYTES);
  if (bytes === undefined || body === undefined || bytes.length !== HEAD_BYTES + KEY_BYTES + CHECK_BYTES)
    throw invalid(`${which} is no share`);
  if (!equal(checkOf(body), bytes.subarray(-CHECK_BYTES))) throw invalid(`${which} has a mistake in it`);
  const [version, threshold = 0, index = 0] = [body[0], body[1 + SET_BYTES], body[2 + SET_BYTES]];
  if (version !== VERSION) throw invalid(`${which} has version ${version}, expected ${VERSION}`);
  if (threshold < 2 || index < 1) throw invalid(`${which} cannot be`);
  return { set: toHex(body.subarray(1, 1 + SET_BYTES)), threshold, index, bytes: body.subarray(HEAD_BYTES) };
}

function checkOf(body: Uint8Array): Uint8Array {
  const hash = createHash("sha256").update("adyton share\0").update(body).digest();
  return new Uint8Array(hash.subarray(0, CHECK_BYTES));
}

function encode32(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET[(held << (5 - bits)) & 31];
}

/** Undefined for other letters, and for bits at the end that are not zero. */
function decode32(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const letter of text) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) return undefined;
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push(held >> bits);
      held &= (1 << bits) - 1;
    }
  }
  return held === 0 && bits < 5 ? Uint8Array.from(bytes) : undefined;
}

function invalid(why: string): BrokerError {
  return new BrokerError("SHARE_INVALID", "malformed", `Cannot use the shares: ${why}`, {
    hint: "Check them against the printed lines: each begins with adyton-share and its number.",
  });
}
