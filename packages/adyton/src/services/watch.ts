// SPDX-License-Identifier: Apache-2.0
// `adyton audit watch` and `adyton audit witness`: a second machine that remembers what it saw of the log, cosigns that,
// and alarms when the log is no longer the same.

import { join } from "node:path";
import { type AuditLog, ClientError, createAuditLog } from "@adyton/client";
import { toHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject } from "@adyton/core/json";
import { cosignatureOf, encodeNoteKey, type NoteKey, openCheckpoint, parseNoteKey } from "@adyton/core/note";
import { misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { integerOf } from "../values.ts";
import { logOf } from "./audit.ts";
import { logKeyFor, namedLogKey, noteKeyIn } from "./log-key.ts";
import { servicesUrl, stateFolder } from "./place.ts";
import { openWitness, type WitnessState } from "./witness-state.ts";

const FOLDER = "witness";

interface Watched {
  readonly url: string;
  readonly logKey: NoteKey;
  readonly log: AuditLog;
  readonly witness: WitnessState;
}

/** JSON, for each look: `{time, size, root, cosigned}`. Ends with exit code 3 when the log is no longer the same. */
export async function watch(invocation: Invocation, io: Io): Promise<ExitCode> {
  const seconds = integerOf("interval", invocation.value("interval") ?? "60", 1, 86_400);
  const once = invocation.flag("once");
  const watched = await watchedBy(invocation, io);
  const interrupted = once ? new Promise<void>(() => {}) : io.interruption();
  let stopped = false;
  void interrupted.then(() => {
    stopped = true;
  });
  while (!stopped) {
    try {
      await look(watched, invocation.json, io);
    } catch (error) {
      await raiseAlarm(error, watched.witness, io);
      // Services that are away come back; a log that was changed does not.
      if (once || !(error instanceof AdytonError) || error.category !== "unavailable") throw error;
      io.stderr.write(`${io.now().toISOString()} ${printable(error.message)}\n`);
    }
    if (once) break;
    await pause(seconds, interrupted);
  }
  return EXIT.ok;
}

/** JSON: `{witnessKey}`. */
export async function witnessKey(invocation: Invocation, io: Io): Promise<ExitCode> {
  const { signer } = await openWitness(witnessFolder(invocation, io));
  const text = encodeNoteKey(signer.key);
  if (invocation.json) writeJson(io.stdout, { witnessKey: text });
  else io.stdout.write(`${text}\n`);
  return EXIT.ok;
}

/** JSON: `{witnesses: [{name, key, size, time}]}`. */
export async function witnessList(invocation: Invocation, io: Io): Promise<ExitCode> {
  const { log, logKey } = await logOf(invocation, io, false);
  const witnesses = (await log.witnesses()).map(({ key, checkpoint }) => {
    const opened = checkpoint === undefined ? undefined : openCheckpoint(checkpoint, logKey, [key]);
    const time = opened?.witnesses[0]?.time.toISOString();
    return { name: key.name, key: encodeNoteKey(key), size: opened?.size ?? null, time: time ?? null };
  });
  if (invocation.json) {
    writeJson(io.stdout, { witnesses });
    return EXIT.ok;
  }
  const rows = witnesses.map(({ name, size, time }) => [
    printable(name),
    size === null ? "has not cosigned yet" : `${size} entries, ${time ?? ""}`,
  ]);
  if (rows.length > 0) io.stdout.write(`${table(rows, 0)}\n`);
  return EXIT.ok;
}

/** JSON: `{name}`. */
export async function witnessAdd(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [text = ""] = invocation.arguments;
  const key = await noteKeyIn("witness", text, io);
  const { log } = await logOf(invocation, io);
  await log.addWitness(encodeNoteKey(key));
  if (invocation.json) writeJson(io.stdout, { name: key.name });
  else io.stderr.write(`Cosignatures of ${printable(key.name)} are taken from now on\n`);
  return EXIT.ok;
}

/** JSON: `{name, removed}`. */
export async function witnessRemove(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  const { log } = await logOf(invocation, io);
  await log.removeWitness(name);
  if (invocation.json) writeJson(io.stdout, { name, removed: true });
  else io.stderr.write(`Removed ${printable(name)}\n`);
  return EXIT.ok;
}

/** The log's key is pinned at the first look: who changes it later changes the log. */
async function watchedBy(invocation: Invocation, io: Io): Promise<Watched> {
  const url = await servicesUrl(invocation, io);
  const witness = await openWitness(witnessFolder(invocation, io));
  const pinned = (await witness.seen(url))?.logKey;
  const named = await namedLogKey(invocation, io);
  if (pinned !== undefined && named !== undefined && encodeNoteKey(named) !== pinned) {
    throw misuse(
      "INVALID_VALUE",
      `Cannot watch ${url} with this --log-key: its log had the key ${pinned} before`,
      "A log does not change its key. For another log begin a new --witness-dir.",
    );
  }
  const logKey = pinned === undefined ? await logKeyFor(url, invocation, io) : parseNoteKey(pinned);
  return { url, logKey, log: createAuditLog({ url, logKey }), witness };
}

async function look({ url, logKey, log, witness }: Watched, json: boolean, io: Io): Promise<void> {
  const seen = await witness.seen(url);
  const noted = seen?.note === undefined ? undefined : openCheckpoint(seen.note, logKey);
  const newest = await log.follow(noted);
  const time = io.now();
  const text = encodeNoteKey(logKey);
  // Remembered before it is cosigned: a kill in between loses a cosignature, never a memory.
  if (newest === undefined || newest.size !== noted?.size)
    await witness.remember(url, { logKey: text, note: newest?.note });
  const cosigned =
    newest !== undefined &&
    (await submitted(log, newest.note + cosignatureOf(newest.note, witness.signer, time)));
  const size = newest?.size ?? 0;
  const root = newest === undefined ? null : toHex(newest.root);
  if (json) writeJson(io.stdout, { time: time.toISOString(), size, root, cosigned });
  else
    io.stdout.write(
      `${time.toISOString()} ${size} entries${root === null ? "" : `, root ${root}`}${cosigned ? ", cosigned" : ""}\n`,
    );
  if (newest !== undefined && !cosigned)
    io.stderr.write(
      `The services do not take cosignatures of this witness. Next: adyton audit witness add ${encodeNoteKey(witness.signer.key)}\n`,
    );
}

/** Whether the services took it: they take it of witnesses that they know. */
async function submitted(log: AuditLog, note: string): Promise<boolean> {
  try {
    await log.submit(note);
    return true;
  } catch (error) {
    const broker = error instanceof ClientError ? error.detail.broker : undefined;
    if (isJsonObject(broker) && (broker.code === "WITNESS_UNKNOWN" || broker.code === "NOTE_SIGNATURE"))
      return false;
    throw error;
  }
}

/** Keeps both checkpoints of a log that is no longer the same: each is signed, together they prove it. */
async function raiseAlarm(error: unknown, witness: WitnessState, io: Io): Promise<void> {
  if (!(error instanceof ClientError) || error.code !== "LOG_TAMPERED") return;
  const { noted, newest } = error.detail;
  const text = `${error.message}\n\nnoted:\n${String(noted)}\nfound:\n${String(newest)}\n`;
  const path = await witness.keep(`alarm-${io.now().getTime()}.txt`, text);
  io.stderr.write(`ALARM: the audit log is not the one that was seen before. Evidence is in ${path}\n`);
}

function witnessFolder(invocation: Invocation, io: Io): string {
  return invocation.value("witness-dir") ?? join(stateFolder(invocation, io), FOLDER);
}

async function pause(seconds: number, interrupted: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000);
  });
  await Promise.race([passed, interrupted]);
  clearTimeout(timer);
}
