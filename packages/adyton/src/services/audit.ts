// SPDX-License-Identifier: Apache-2.0
// `adyton audit`: the audit log, listed, proven and verified.

import { type AuditLog, type AuditLogEntry, createAuditLog } from "@adyton/client";
import { fromUtf8, toHex, toUtf8 } from "@adyton/core/bytes";
import { parseJson } from "@adyton/core/json";
import { checkLogProof, parseLogProof } from "@adyton/core/log-proof";
import { encodeNoteKey, type NoteKey, type OpenedCheckpoint, openCheckpoint } from "@adyton/core/note";
import { CliError, misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { readInput, writePrivateFile } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, styleOf } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { integerOf, timeOf } from "../values.ts";
import { logKeyFor, namedLogKey, noteKeyIn } from "./log-key.ts";
import { adminToken, servicesUrl } from "./place.ts";

const PAGE = 1000;
const MAX_SEQ = 999_999_999_999_999;

/** JSON: `{entries: [{seq, time, event}]}`. */
export async function list(invocation: Invocation, io: Io): Promise<ExitCode> {
  const limit = integerOf("limit", invocation.value("limit") ?? "100", 1, 1_000_000);
  let after = integerOf("after", invocation.value("after") ?? "0", 0, MAX_SEQ);
  const wanted = filterOf(invocation);
  const { log } = await logOf(invocation, io);
  const found: AuditLogEntry[] = [];
  for (;;) {
    const page = await log.entries(after, PAGE);
    found.push(...page.filter(wanted));
    const last = page.at(-1);
    if (last === undefined || found.length >= limit) break;
    after = last.seq;
  }
  const entries = found.slice(0, limit);
  if (invocation.json) {
    writeJson(io.stdout, { entries: entries.map(({ seq, time, event }) => ({ seq, time, event })) });
    return EXIT.ok;
  }
  for (const { seq, time, event } of entries) io.stdout.write(`${printable(lineOf(seq, time, event))}\n`);
  return EXIT.ok;
}

/** A proof file in --out or on stdout. JSON: `{seq, proof, out}`. */
export async function prove(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [text = ""] = invocation.arguments;
  const seq = integerOf("seq", text, 1, MAX_SEQ);
  const { log } = await logOf(invocation, io);
  const name = invocation.value("witness");
  const proof = await log.prove(seq, name === undefined ? undefined : await witnessed(log, name));
  const out = invocation.value("out");
  if (out !== undefined) await writePrivateFile(out, fromUtf8(proof), io);
  if (invocation.json) writeJson(io.stdout, { seq, proof, ...(out === undefined ? {} : { out }) });
  else if (out === undefined) io.stdout.write(proof);
  else io.stderr.write(`Entry ${seq} is proven in ${out}\n`);
  return EXIT.ok;
}

/** A proof file without any network, or the whole log. */
export async function verify(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [path] = invocation.arguments;
  return path === undefined ? verifyLog(invocation, io) : verifyFile(path, invocation, io);
}

/** The key alone. JSON: `{logKey}`. */
export async function key(invocation: Invocation, io: Io): Promise<ExitCode> {
  const { logKey } = await logOf(invocation, io, false);
  if (invocation.json) writeJson(io.stdout, { logKey: encodeNoteKey(logKey) });
  else io.stdout.write(`${encodeNoteKey(logKey)}\n`);
  return EXIT.ok;
}

/** The log that the options name, with the key it is checked with. */
export async function logOf(
  invocation: Invocation,
  io: Io,
  asAdmin: boolean = true,
): Promise<{ readonly log: AuditLog; readonly logKey: NoteKey }> {
  const url = await servicesUrl(invocation, io);
  const logKey = await logKeyFor(url, invocation, io);
  const token = asAdmin ? { token: await adminToken(invocation, io) } : {};
  return { log: createAuditLog({ url, logKey, ...token }), logKey };
}

/** JSON: `{verified, seq, entry, checkpoint, witnesses}`. */
async function verifyFile(path: string, invocation: Invocation, io: Io): Promise<ExitCode> {
  const logKey = await namedLogKey(invocation, io);
  if (logKey === undefined) {
    throw misuse(
      "MISSING_VALUE",
      "Cannot verify a proof without the log's key: expected --log-key",
      "Have the key from the operator of the log: `adyton audit key` shows it.",
    );
  }
  const witnesses = await Promise.all(
    invocation.values("witness").map((text) => noteKeyIn("witness", text, io)),
  );
  const proven = checkLogProof(parseLogProof(toUtf8(await readInput(path, io))), logKey, witnesses);
  const { checkpoint, index } = proven;
  const missing = witnesses.find((one) => !checkpoint.witnesses.some((seen) => seen.key === one));
  if (missing !== undefined) {
    throw new CliError(
      "WITNESS_MISSING",
      "not-authentic",
      `Cannot accept the proof: ${missing.name} has not cosigned it`,
      {
        hint: "Prove the entry by a checkpoint of that witness: adyton audit prove SEQ --witness NAME.",
      },
    );
  }
  const entry = parseJson(toUtf8(proven.entry));
  const seen = checkpoint.witnesses.map(({ key: { name }, time }) => ({ name, time: time.toISOString() }));
  if (invocation.json) {
    writeJson(io.stdout, {
      verified: true,
      seq: index + 1,
      entry,
      checkpoint: factsOf(checkpoint),
      witnesses: seen,
    });
    return EXIT.ok;
  }
  const by = seen.length === 0 ? "" : `, cosigned by ${seen.map(({ name }) => name).join(", ")}`;
  io.stdout.write(
    `${styleOf(io.stdout, io.env).good("PROVEN")}  entry ${index + 1} of ${checkpoint.size} in ${printable(checkpoint.origin + by)}\n${printable(JSON.stringify(entry, null, 2))}\n`,
  );
  return EXIT.ok;
}

/** JSON: `{verified, checkpoint}`. */
async function verifyLog(invocation: Invocation, io: Io): Promise<ExitCode> {
  const { log, logKey } = await logOf(invocation, io);
  const file = invocation.value("noted");
  const noted = file === undefined ? undefined : await notedIn(file, logKey, io);
  const end = await log.verify(noted);
  if (file !== undefined && end !== undefined) await writePrivateFile(file, fromUtf8(end.note), io);
  if (invocation.json) {
    writeJson(io.stdout, { verified: true, checkpoint: end === undefined ? null : factsOf(end) });
    return EXIT.ok;
  }
  const style = styleOf(io.stdout, io.env);
  const what = end === undefined ? "the log is empty" : `${end.size} entries, root ${toHex(end.root)}`;
  const since = noted === undefined ? "" : `, ${(end?.size ?? 0) - noted.size} since the noted checkpoint`;
  io.stdout.write(`${style.good("VERIFIED")}  ${what}${since}\n`);
  if (file === undefined)
    io.stderr.write(
      "Next: give --noted FILE, kept on another machine, to notice later that the log was set back.\n",
    );
  return EXIT.ok;
}

/** The checkpoint in a file that an earlier run wrote; undefined before the first. */
async function notedIn(file: string, logKey: NoteKey, io: Io): Promise<OpenedCheckpoint | undefined> {
  try {
    return openCheckpoint(toUtf8(await readInput(file, io)), logKey);
  } catch (error) {
    if (error instanceof CliError && error.code === "FILE_NOT_FOUND") return undefined;
    throw error;
  }
}

async function witnessed(log: AuditLog, name: string): Promise<string> {
  const note = (await log.witnesses()).find(({ key: { name: known } }) => known === name)?.checkpoint;
  if (note !== undefined) return note;
  throw misuse("INVALID_VALUE", `Cannot prove by a checkpoint of ${name}: the services have none`);
}

function filterOf(invocation: Invocation): (entry: AuditLogEntry) => boolean {
  const types = invocation.values("type");
  const decision = invocation.value("decision");
  const tenant = invocation.value("tenant");
  const since = invocation.value("since");
  const from = since === undefined ? undefined : timeOf("since", since).getTime();
  return ({ event, time }) =>
    event !== undefined &&
    time !== undefined &&
    (types.length === 0 ||
      types.some((type) => event.type === type || `${event.type}`.startsWith(`${type}.`))) &&
    (decision === undefined || event.decision === decision) &&
    (tenant === undefined || event.tenant === tenant) &&
    (from === undefined || new Date(time).getTime() >= from);
}

function lineOf(seq: number, time: AuditLogEntry["time"], event: AuditLogEntry["event"]): string {
  const { type, ...facts } = event ?? {};
  const told = Object.entries(facts).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  return `${seq} ${time} ${String(type)}${told.join("")}`;
}

function factsOf({ origin, size, root }: OpenedCheckpoint): { origin: string; size: number; root: string } {
  return { origin, size, root: toHex(root) };
}
