// SPDX-License-Identifier: Apache-2.0
// A backup of a whole broker: its store with the release log, the root keys, the signing keys and the admin token, as one
// encrypted stream. What an operator puts beside (roots, endorsements, policies in files) is not in it.

import { promises as fs } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fromBase64, fromUtf8, toBase64, toUtf8 } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { logSignerOf } from "../audit/log-key.ts";
import { merkleWriter } from "../audit/merkle-writer.ts";
import { verifyAuditLog } from "../audit/verify.ts";
import { BrokerError } from "../errors.ts";
import { createPrivateFile, ensurePrivateFolder, readPrivateFile } from "../private-file.ts";
import { type RootKeyAccess, rootKeyProvider } from "../root-key/access.ts";
import { RootKeys } from "../root-key/keeper.ts";
import type { Ring } from "../root-key/ring.ts";
import { ringFileIn } from "../root-key/ring-file.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import { notEmpty } from "../store/sqlite-snapshot.ts";
import type { SnapshotRow, WholeStore } from "../store/types.ts";
import { createVault, sealedUnder, vaultKeyOf } from "../vault.ts";
import { type BackupOpener, type BackupReaders, decryptBackup, encryptBackup, invalid } from "./envelope.ts";

/** What was found in a backup. */
export interface BackupFacts {
  readonly created: string;
  readonly values: number;
  /** Entries of the release log. */
  readonly entries: number;
}

interface Contents {
  readonly created: string;
  readonly files: ReadonlyMap<string, string>;
  readonly ring: Omit<Ring, "provider">;
}

const FILES = ["ear-signing.jwk", "log-signing.jwk", "admin.token"] as const;
const DATABASE = "broker.db";
/** Larger than any value that a request can bring, in base64. */
const MAX_LINE = 64 * 1024 * 1024;

/**
 * Everything in `folder` and its store as of one moment, encrypted to `readers`; the broker goes on meanwhile. Besides the
 * passphrase, whoever holds enough recovery shares can open it.
 */
export function createBackup(
  folder: string,
  store: WholeStore,
  keys: RootKeys,
  readers: Omit<BackupReaders, "recipients">,
  now: Date,
): AsyncGenerator<Uint8Array> {
  const recipients = keys.ring.recipients.map(({ publicKey }) => publicKey);
  return encryptBackup(linesOf(folder, store, keys, now), { ...readers, recipients }, now);
}

/** Opens every value and counts. Rejects with `BACKUP_INVALID`, `SHARE_INVALID`, `SECRET_CORRUPT`. */
export async function verifyBackup(
  source: AsyncIterable<Uint8Array>,
  opener: BackupOpener,
): Promise<BackupFacts> {
  const { contents, rows, facts } = await opened(source, opener);
  const [first, ...others] = contents.ring.generations.map(({ key }) => vaultKeyOf(key));
  if (first === undefined) throw invalid("it holds no root key");
  const vault = createVault({ current: () => [first, ...others] });
  for await (const row of rows) {
    if (row.kind === "value" && sealedUnder(row.value) !== undefined)
      vault.open(row.space, row.key, row.value);
  }
  return facts();
}

/**
 * Puts a backup into `folder`, which must not exist or be empty: it appears whole or not at all. The root keys go under the
 * provider that `access` names. Rejects with `STATE_NOT_EMPTY`, `BACKUP_INVALID`, `SHARE_INVALID`, `AUDIT_TAMPERED`, and
 * what the provider rejects with. A backup is a state of the past: witnesses of the log notice.
 */
export async function restoreBackup(
  source: AsyncIterable<Uint8Array>,
  opener: BackupOpener,
  folder: string,
  access: RootKeyAccess = {},
): Promise<BackupFacts> {
  await checkEmpty(folder);
  await fs.mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  const staging = await fs.mkdtemp(join(dirname(folder), `.${basename(folder)}-restoring-`));
  try {
    await ensurePrivateFolder(staging);
    const { contents, rows, facts } = await opened(source, opener);
    for (const name of FILES) await createPrivateFile(join(staging, name), contents.files.get(name) ?? "");
    const signer = logSignerOf(contents.files.get("log-signing.jwk") ?? "");
    await (await fs.open(join(staging, DATABASE), "a", 0o600)).close();
    const store = await openSqliteStore(join(staging, DATABASE), merkleWriter(signer));
    try {
      await store.load(rows);
      await verifyAuditLog(store, signer.key);
    } finally {
      await store.close();
    }
    await RootKeys.adopt(ringFileIn(staging), contents.ring, rootKeyProvider(undefined, staging, access));
    await checkEmpty(folder);
    // An empty folder gives way; a full one does not.
    await fs.rename(staging, folder);
    return facts();
  } catch (error) {
    await fs.rm(staging, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    throw code === "ENOTEMPTY" || code === "EEXIST" ? notEmpty() : error;
  }
}

async function checkEmpty(folder: string): Promise<void> {
  try {
    if ((await fs.readdir(folder)).length > 0) throw notEmpty();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR") throw notEmpty();
    if (code !== "ENOENT") throw error;
  }
}

async function* linesOf(
  folder: string,
  store: WholeStore,
  { ring }: RootKeys,
  now: Date,
): AsyncGenerator<Uint8Array> {
  const files: Record<string, string> = {};
  for (const name of FILES) {
    const text = await readPrivateFile(join(folder, name));
    if (text === undefined)
      throw new BrokerError("STATE_INVALID", "misuse", `Cannot back up ${folder}: it has no ${name}`);
    files[name] = text;
  }
  yield lineOf({ kind: "state", created: now.toISOString(), files, ring: ringJson(ring) });
  for await (const row of store.snapshot()) {
    if (row.kind === "value") yield lineOf({ ...row, value: toBase64(row.value) });
    else if (row.kind === "node") yield lineOf({ ...row, hash: toBase64(row.hash) });
    else yield lineOf({ ...row });
  }
  yield lineOf({ kind: "end" });
}

function lineOf(value: JsonObject): Uint8Array {
  return fromUtf8(`${JSON.stringify(value)}\n`);
}

function ringJson({ version, active, generations, recipients }: Ring): JsonObject {
  return {
    version,
    active,
    generations: generations.map(({ id, created, key, retired }) => ({
      ...{ id, created: created.toISOString(), key: toBase64(key) },
      ...(retired === undefined ? {} : { retired: retired.toISOString() }),
    })),
    recipients: recipients.map(({ created, publicKey, ...facts }) => ({
      ...facts,
      ...{ created: created.toISOString(), publicKey: toBase64(publicKey) },
    })),
  };
}

async function opened(
  source: AsyncIterable<Uint8Array>,
  opener: BackupOpener,
): Promise<{ contents: Contents; rows: AsyncGenerator<SnapshotRow>; facts: () => BackupFacts }> {
  const lines = linesIn(decryptBackup(source, opener));
  const first = await lines.next();
  if (first.done === true) throw invalid("it is empty");
  const contents = understood(() => contentsIn(first.value));
  let values = 0;
  let entries = 0;
  async function* rows(): AsyncGenerator<SnapshotRow> {
    let ended = false;
    for await (const line of lines) {
      if (ended) throw invalid("something follows its end");
      if (line.kind === "end") {
        ended = true;
        continue;
      }
      const row = understood(() => rowIn(line));
      if (row.kind === "value") values += 1;
      if (row.kind === "entry") entries += 1;
      yield row;
    }
    if (!ended) throw invalid("it has no end");
  }
  return { contents, rows: rows(), facts: () => ({ created: contents.created, values, entries }) };
}

async function* linesIn(source: AsyncIterable<Uint8Array>): AsyncGenerator<JsonObject> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    let from = 0;
    for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
      yield lineIn([...held, chunk.subarray(from, to)]);
      held = [];
      length = 0;
      from = to + 1;
    }
    held.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > MAX_LINE) throw invalid("a line is too long");
  }
  if (length > 0) throw invalid("its last line is not whole");
}

function lineIn(parts: readonly Uint8Array[]): JsonObject {
  return understood(() => {
    const text = toUtf8(Buffer.concat(parts));
    // Values are longer than the bound of the strict parser; we wrote the line ourselves, and it is authenticated.
    const value = (text.length < 1024 * 1024 ? parseJson(text) : JSON.parse(text)) as JsonValue;
    if (!isJsonObject(value)) throw invalid("a line is no object");
    return value;
  });
}

function contentsIn(line: JsonObject): Contents {
  const { kind, created, files, ring } = line;
  if (kind !== "state" || !isJsonObject(files) || !isJsonObject(ring))
    throw invalid("it begins with no state");
  const list = (name: string): readonly JsonObject[] => {
    const value = ring[name];
    return Array.isArray(value) ? value.filter(isJsonObject) : [];
  };
  return {
    created: textIn(created),
    files: new Map(FILES.map((name) => [name, textIn(files[name])])),
    ring: {
      version: numberIn(ring.version),
      active: textIn(ring.active),
      generations: list("generations").map(({ id, created: made, retired, key }) => ({
        ...{ id: textIn(id), created: dateIn(made), key: fromBase64(textIn(key)) },
        ...(retired === undefined ? {} : { retired: dateIn(retired) }),
      })),
      recipients: list("recipients").map(({ id, threshold, shares, created: made, publicKey }) => ({
        ...{ id: textIn(id), threshold: numberIn(threshold), shares: numberIn(shares) },
        ...{ created: dateIn(made), publicKey: fromBase64(textIn(publicKey)) },
      })),
    },
  };
}

function rowIn(line: JsonObject): SnapshotRow {
  switch (line.kind) {
    case "value":
      return {
        ...{ kind: "value", space: textIn(line.space), key: textIn(line.key) },
        value: fromBase64(textIn(line.value)),
      };
    case "entry":
      return { kind: "entry", seq: numberIn(line.seq), leaf: textIn(line.leaf) };
    case "node":
      return {
        ...{ kind: "node", level: numberIn(line.level), index: numberIn(line.index) },
        hash: fromBase64(textIn(line.hash)),
      };
    case "head":
      return { kind: "head", head: textIn(line.head) };
    default:
      throw invalid("a line is of no known kind");
  }
}

function textIn(value: JsonValue | undefined): string {
  if (typeof value !== "string") throw invalid("a text is missing");
  return value;
}

function numberIn(value: JsonValue | undefined): number {
  if (!Number.isSafeInteger(value)) throw invalid("a number is missing");
  return Number(value);
}

function dateIn(value: JsonValue | undefined): Date {
  const date = new Date(textIn(value));
  if (Number.isNaN(date.getTime())) throw invalid("a time is none");
  return date;
}

/** What cannot be read in an authentic backup was written by a release that this one does not know. */
function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof BrokerError ? error : invalid("a line cannot be read");
  }
}
