// SPDX-License-Identifier: Apache-2.0
// What a witness remembers: its key, and of each log the last checkpoint it saw. Written so that a kill at any moment
// leaves the old or the new, and never a cosignature that is not remembered.

import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { fromBase64, toBase64, toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, parseJson } from "@adyton/core/json";
import { type NoteSigner, noteKey } from "@adyton/core/note";
import { syncCrypto } from "@adyton/core/sync-crypto";
import { CliError } from "../errors.ts";

export interface SeenLog {
  /** The log's key, as text: pinned when the log was first seen. */
  readonly logKey: string;
  /** The last checkpoint seen, a signed note. */
  readonly note: string | undefined;
}

export interface WitnessState {
  readonly folder: string;
  readonly signer: NoteSigner;
  /** What was seen of the log at this URL. Throws `INVALID_DOCUMENT` for what cannot be read: it may hide a fork. */
  seen(url: string): Promise<SeenLog | undefined>;
  /** Resolves once it would survive a crash. */
  remember(url: string, seen: SeenLog): Promise<void>;
  /** Keeps a text beside, for people; answers its path. */
  keep(name: string, text: string): Promise<string>;
}

const KEY_FILE = "witness.key";
const NAME_PREFIX = "adyton-witness/";
const ID_DIGITS = 16;

/** Opens the folder, and makes it and the witness's key on first use. */
export async function openWitness(folder: string): Promise<WitnessState> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const signer = await signerIn(folder);
  const fileOf = (url: string): string => join(folder, `log-${digestOf(Buffer.from(url))}.json`);
  return {
    folder,
    signer,
    seen: async (url) => {
      const text = await textOf(fileOf(url));
      return text === undefined ? undefined : seenIn(fileOf(url), text);
    },
    remember: (url, { logKey, note }) =>
      replace(folder, fileOf(url), `${JSON.stringify({ url, logKey, note: note ?? null })}\n`),
    keep: async (name, text) => {
      const path = join(folder, name);
      await replace(folder, path, text);
      return path;
    },
  };
}

async function signerIn(folder: string): Promise<NoteSigner> {
  const file = join(folder, KEY_FILE);
  let text = await textOf(file);
  if (text === undefined) {
    const fresh = await defaultCrypto.generateKey({ name: "Ed25519" });
    text = toBase64(await fresh.export());
    await replace(folder, file, `${text}\n`);
  }
  try {
    const key = syncCrypto.importPrivateKey(fromBase64(text.trim()));
    if (key.publicKey.algorithm.name !== "Ed25519") throw invalid(file);
    const publicKey = key.publicKey.spki.slice(-32);
    return {
      key: noteKey(NAME_PREFIX + digestOf(publicKey), "witness", publicKey),
      sign: (data) => key.sign({ name: "Ed25519" }, data),
    };
  } catch (error) {
    throw error instanceof AdytonError ? invalid(file) : error;
  }
}

function seenIn(file: string, text: string): SeenLog {
  let value: JsonObject = {};
  try {
    const parsed = parseJson(text);
    if (isJsonObject(parsed)) value = parsed;
  } catch {
    throw invalid(file);
  }
  const { logKey, note } = value;
  if (typeof logKey !== "string" || (note !== null && typeof note !== "string")) throw invalid(file);
  return { logKey, note: note ?? undefined };
}

/** A new file in place of the old: whole, synced, then renamed, then the folder synced. */
async function replace(folder: string, file: string, text: string): Promise<void> {
  const draft = `${file}.draft`;
  try {
    await synced(draft, "w", text);
    await rename(draft, file);
    await synced(folder, "r");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new CliError("FILE_NOT_WRITABLE", "unavailable", `Cannot write ${file}: ${code}`, {
      cause,
      detail: { path: file },
    });
  }
}

async function synced(path: string, flags: "r" | "w", text?: string): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    if (text !== undefined) await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    if (code === "ENOENT") return undefined;
    throw new CliError("FILE_NOT_READABLE", "unavailable", `Cannot read ${file}: ${code}`, {
      cause,
      detail: { path: file },
    });
  }
}

function digestOf(bytes: Uint8Array): string {
  return toHex(createHash("sha256").update(bytes).digest()).slice(0, ID_DIGITS);
}

function invalid(path: string): CliError {
  return new CliError(
    "INVALID_DOCUMENT",
    "malformed",
    `Cannot use ${path}: it is not what a witness writes`,
    {
      detail: { path },
      hint: "Restore it from a backup. Without it this witness cannot tell whether a log was set back.",
    },
  );
}
