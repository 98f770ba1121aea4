// SPDX-License-Identifier: Apache-2.0
// A backup of a whole broker: its store with the signing keys and the release log, the root keys and the admin token, as one
// encrypted stream. What an operator puts beside (roots, endorsements, policies in files) is not in it.

import { promises as fs } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fromBase64, fromUtf8, toBase64, toUtf8 } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { logSignerOf } from "../audit/log-key.ts";
import { verifyAuditLog } from "../audit/verify.ts";
import type { LogWriter } from "../audit/writer.ts";
import { BrokerError } from "../errors.ts";
import { createPrivateFile, ensurePrivateFolder, readPrivateFile } from "../private-file.ts";
import { type RootKeyAccess, rootKeyProvider } from "../root-key/access.ts";
import { RootKeys } from "../root-key/keeper.ts";
import type { Generation, Ring } from "../root-key/ring.ts";
import { ringFileIn } from "../root-key/ring-file.ts";
import { isRing, ringRow } from "../root-key/ring-place.ts";
import { LOG_KEY, readSharedSecret } from "../shared-keys.ts";
import { openPostgresStore } from "../store/postgres.ts";
import type { PostgresOptions } from "../store/postgres-pool.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import { notEmpty } from "../store/sqlite-snapshot.ts";
import type { SnapshotRow, WholeStore } from "../store/types.ts";
import { createVault, sealedUnder, type Vault, type VaultKey, vaultKeyOf } from "../vault.ts";
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
  readonly ring: Omit<Ring, "provider" | "generations">;
  /** Each comes before the first value that is sealed under it. */
  readonly generations: Generation[];
}

const FILES = ["admin.token"] as const;
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
  const vault = vaultOf(contents);
  for await (const row of rows) {
    if (row.kind === "value" && sealedUnder(row.value) !== undefined)
      vault.open(row.space, row.key, row.value);
  }
  return facts();
}

/** Where a backup is brought back to, besides the folder. */
export interface RestoreOptions {
  /** Into this database, which must be empty. Default: `broker.db` in the folder. */
  readonly postgres?: PostgresOptions & { readonly url: string };
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
  { postgres }: RestoreOptions = {},
): Promise<BackupFacts> {
  await checkEmpty(folder);
  await fs.mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  const staging = await fs.mkdtemp(join(dirname(folder), `.${basename(folder)}-restoring-`));
  const target = postgres && (await openPostgresStore(postgres.url, NO_LOG, postgres));
  try {
    if (target !== undefined) await checkEmptyStore(target);
    await ensurePrivateFolder(staging);
    const { contents, rows, facts } = await opened(source, opener);
    for (const name of FILES) await createPrivateFile(join(staging, name), contents.files.get(name) ?? "");
    await (await fs.open(join(staging, DATABASE), "a", 0o600)).close();
    const store = await openSqliteStore(join(staging, DATABASE), NO_LOG);
    let ring: string;
    try {
      await store.load(rows);
      const log = await readSharedSecret(store, vaultOf(contents), LOG_KEY);
      if (log === undefined) throw invalid("it holds no key of the audit log");
      await verifyAuditLog(store, logSignerOf(log.text).key);
      ring = await RootKeys.wrapped(ringOf(contents), rootKeyProvider(undefined, staging, access));
      await checkEmpty(folder);
      if (target === undefined) await ringFileIn(staging).create(ring);
      else await moveInto(target, store, ring, staging, folder);
    } finally {
      await store.close();
    }
    // An empty folder gives way; a full one does not.
    if (target === undefined) await fs.rename(staging, folder);
    return facts();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === "ENOTEMPTY" || code === "EEXIST" ? notEmpty() : error;
  } finally {
    await target?.close();
    await fs.rm(staging, { recursive: true, force: true });
  }
}

/** The folder first, without the database: root keys in a database that nothing opens would be worse than none. */
async function moveInto(
  target: WholeStore,
  store: WholeStore,
  ring: string,
  staging: string,
  folder: string,
): Promise<void> {
  const files = await fs.mkdtemp(`${staging}-`);
  try {
    for (const name of await fs.readdir(staging)) {
      if (!name.startsWith(DATABASE)) await fs.rename(join(staging, name), join(files, name));
    }
    await fs.rename(files, folder);
  } catch (error) {
    await fs.rm(files, { recursive: true, force: true });
    throw error;
  }
  try {
    await target.load(withRing(store.snapshot(), ring));
  } catch (error) {
    await fs.rm(folder, { recursive: true });
    throw error;
  }
}

async function* withRing(rows: AsyncIterable<SnapshotRow>, ring: string): AsyncGenerator<SnapshotRow> {
  yield { kind: "value", ...ringRow(ring) };
  yield* rows;
}

/** Nothing is logged while a backup is brought back. */
const NO_LOG: LogWriter = {
  append: () => {
    throw invalid("it cannot be written to");
  },
};

/** Of a backup that is being read: with the root keys that have come by then. */
function vaultOf({ generations }: Contents): Vault {
  let keys: readonly VaultKey[] = [];
  return createVault({
    current: () => {
      if (keys.length < generations.length) keys = generations.map(({ key }) => vaultKeyOf(key));
      const [first, ...others] = keys;
      if (first === undefined) throw invalid("it holds no root key");
      return [first, ...others];
    },
  });
}

function ringOf({ ring, generations }: Contents): Omit<Ring, "provider"> {
  if (!generations.some(({ id }) => id === ring.active)) throw invalid("its active root key is missing");
  return { ...ring, generations };
}

async function checkEmptyStore(store: WholeStore): Promise<void> {
  if ((await store.spaces()).length > 0 || (await store.logHead()) !== undefined) throw notEmpty();
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
  keys: RootKeys,
  now: Date,
): AsyncGenerator<Uint8Array> {
  const files: Record<string, string> = {};
  for (const name of FILES) {
    const text = await readPrivateFile(join(folder, name));
    if (text === undefined)
      throw new BrokerError("STATE_INVALID", "misuse", `Cannot back up ${folder}: it has no ${name}`);
    files[name] = text;
  }
  const told = new Set<string>();
  function* fresh(): Generator<Uint8Array> {
    for (const generation of keys.ring.generations) {
      if (told.has(generation.id)) continue;
      told.add(generation.id);
      yield lineOf({ kind: "root-key", ...generationJson(generation) });
    }
  }
  yield lineOf({ kind: "state", created: now.toISOString(), files, ring: ringJson(keys.ring) });
  yield* fresh();
  for await (const row of store.snapshot()) {
    if (row.kind === "value") {
      // It goes under another key when it is brought back.
      if (isRing(row)) continue;
      const under = sealedUnder(row.value);
      // Somebody rotated between our look at the root keys and the moment of the snapshot.
      if (under !== undefined && !told.has(under)) {
        await keys.refresh();
        yield* fresh();
      }
      yield lineOf({ ...row, value: toBase64(row.value) });
    } else if (row.kind === "node") yield lineOf({ ...row, hash: toBase64(row.hash) });
    else yield lineOf({ ...row });
  }
  yield lineOf({ kind: "end" });
}

function lineOf(value: JsonObject): Uint8Array {
  return fromUtf8(`${JSON.stringify(value)}\n`);
}

function ringJson({ version, active, recipients }: Ring): JsonObject {
  return {
    version,
    active,
    recipients: recipients.map(({ created, publicKey, ...facts }) => ({
      ...facts,
      ...{ created: created.toISOString(), publicKey: toBase64(publicKey) },
    })),
  };
}

function generationJson({ id, created, key, retired }: Generation): JsonObject {
  return {
    ...{ id, created: created.toISOString(), key: toBase64(key) },
    ...(retired === undefined ? {} : { retired: retired.toISOString() }),
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
      if (line.kind === "root-key") {
        contents.generations.push(understood(() => generationIn(line)));
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
      recipients: list("recipients").map(({ id, threshold, shares, created: made, publicKey }) => ({
        ...{ id: textIn(id), threshold: numberIn(threshold), shares: numberIn(shares) },
        ...{ created: dateIn(made), publicKey: fromBase64(textIn(publicKey)) },
      })),
    },
    generations: [],
  };
}

function generationIn({ id, created, retired, key }: JsonObject): Generation {
  return {
    ...{ id: textIn(id), created: dateIn(created), key: fromBase64(textIn(key)) },
    ...(retired === undefined ? {} : { retired: dateIn(retired) }),
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
