// SPDX-License-Identifier: Apache-2.0
// Tokens as they come: a JWT as text, a CWT in bytes, hex or base64, or inside the JSON that a service answered.

import { fromBase64, fromBase64Url, fromHex, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, parseJson } from "@adyton/core/json";
import { CliError } from "../errors.ts";
import { readInput } from "../files.ts";
import type { Io } from "../io.ts";

/** Members under which services answer tokens: Trustee's, and Veraison's session. */
const MEMBERS = ["token", "result"] as const;

/** A JWT as text, a CWT as bytes. Throws `UNKNOWN_ENCODING`. */
export async function readToken(path: string, io: Io): Promise<string | Uint8Array> {
  const bytes = await readInput(path, io);
  // 0xd2: tag 18; 0x84: an array of four; 0xd8: a tag before either.
  if ([0xd2, 0x84, 0xd8].includes(bytes[0] ?? 0)) return bytes;
  const text = textOf(bytes);
  return text.startsWith("{") ? tokenIn(text) : tokenOf(text);
}

function tokenIn(text: string): string | Uint8Array {
  const value = parseJson(text);
  if (isJsonObject(value)) {
    for (const member of MEMBERS) {
      const token = value[member];
      if (typeof token === "string") return tokenOf(token);
    }
  }
  throw unknownForm(`its JSON has no member ${MEMBERS.join(" or ")} with a text`);
}

function tokenOf(text: string): string | Uint8Array {
  if (/^[\w-]+\.[\w-]*\.[\w-]*$/.test(text)) return text;
  const digits = text.replace(/\s+/g, "");
  if (/^(?:[0-9a-fA-F]{2})+$/.test(digits)) return fromHex(digits);
  const bare = digits.replace(/=+$/, "");
  try {
    return /[-_]/.test(bare)
      ? fromBase64Url(bare)
      : fromBase64(bare.padEnd(Math.ceil(bare.length / 4) * 4, "="));
  } catch (cause) {
    throw unknownForm("it is text, but neither JWT nor hex nor base64 nor JSON", cause);
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return toUtf8(bytes).trim();
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    throw unknownForm("it is neither text nor COSE_Sign1", cause);
  }
}

function unknownForm(why: string, cause?: unknown): CliError {
  return new CliError("UNKNOWN_ENCODING", "malformed", `Cannot read the token: ${why}`, {
    hint: "Give a JWT, a CWT, or the JSON answer that holds one.",
    ...(cause === undefined ? {} : { cause }),
  });
}
