// SPDX-License-Identifier: Apache-2.0
// The key of an audit log: named on the line or in the environment, or else asked for where the log is.

import { fetchLogKey } from "@adyton/client";
import { toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { encodeNoteKey, type NoteKey, parseNoteKey } from "@adyton/core/note";
import { misuse } from "../errors.ts";
import { readInput } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import type { Io } from "../io.ts";

/** The key that was named, as text or in a file, or undefined. Throws `INVALID_VALUE`. */
export async function namedLogKey(invocation: Invocation, io: Io): Promise<NoteKey | undefined> {
  const named = invocation.value("log-key") ?? io.env.ADYTON_LOG_KEY;
  return named === undefined || named === "" ? undefined : noteKeyIn("log-key", named, io);
}

/** The key that was named, or with a word of caution the one that the services name themselves. */
export async function logKeyFor(url: string, invocation: Invocation, io: Io): Promise<NoteKey> {
  const named = await namedLogKey(invocation, io);
  if (named !== undefined) return named;
  const key = await fetchLogKey({ url });
  io.stderr.write(
    `The log's key comes from the services themselves. Compare it with what their operator says, then give --log-key ${encodeNoteKey(key)}\n`,
  );
  return key;
}

/** A key as text, or the path of a file that holds one. Throws `INVALID_VALUE`, or as `readInput`. */
export async function noteKeyIn(option: string, text: string, io: Io): Promise<NoteKey> {
  const isKey = /\+[0-9a-f]{8}\+/.test(text);
  try {
    return parseNoteKey(isKey ? text : toUtf8(await readInput(text, io)));
  } catch (error) {
    if (!(error instanceof AdytonError) || error.category !== "malformed") throw error;
    throw misuse("INVALID_VALUE", `Cannot use ${text} as --${option}: ${error.message}`);
  }
}
