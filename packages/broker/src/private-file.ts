// SPDX-License-Identifier: Apache-2.0
// Small secret files: readable by their owner alone, complete or absent, and on disk before they are used.

import { createHash, randomBytes } from "node:crypto";
import { promises as fs } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BrokerError } from "./errors.ts";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const OTHERS = 0o077;
const MAX_BYTES = 64 * 1024;
const DIGITS = 16;

/** Makes `folder` for its owner alone, or checks that nobody else may write to it. Throws `STATE_INVALID`. */
export async function ensurePrivateFolder(folder: string): Promise<void> {
  try {
    await fs.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    const { mode } = await fs.stat(folder);
    if (isPosix && (mode & 0o022) !== 0)
      throw invalid(folder, "others may write to it", `Run chmod 700 ${folder}`);
  } catch (cause) {
    throw cause instanceof BrokerError ? cause : invalid(folder, reasonOf(cause));
  }
}

/**
 * The text of `file`, or what `make` makes, which is then on disk. Two processes that start at once get the same.
 * Throws `STATE_INVALID`, also when others may read the file.
 */
export async function readOrCreatePrivateFile(
  file: string,
  make: () => string | Promise<string>,
): Promise<string> {
  return (await readPrivateFile(file)) ?? createPrivateFile(file, await make());
}

/** The text that is in `file` afterwards: `text`, or what stood there before. Throws `STATE_INVALID`. */
export async function createPrivateFile(file: string, text: string): Promise<string> {
  try {
    const draft = await draftOf(file, text);
    try {
      // The name appears with the whole content or not at all, and never twice.
      await fs.link(draft, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      await fs.unlink(draft);
    }
    await syncFolder(dirname(file));
  } catch (cause) {
    throw invalid(file, reasonOf(cause));
  }
  const found = await readPrivateFile(file);
  if (found === undefined) throw invalid(file, "it vanished");
  return found;
}

/**
 * Puts `to` in the place of `from`, whole or not at all, and answers whether it did: of several processes that replace the
 * same text one is told so. What a process that was killed left half done is done first. Throws `STATE_INVALID`.
 */
export async function exchangePrivateFile(file: string, from: string, to: string): Promise<boolean> {
  // Named after what it replaces, so that whoever finds it knows whether it is still to be done.
  const digits = createHash("sha256").update(from).digest("hex").slice(0, DIGITS);
  const claim = join(dirname(file), `.${basename(file)}-${digits}`);
  try {
    const mine = await claimed(claim, await draftOf(file, to));
    if ((await readPrivateFile(file)) !== from) {
      if (mine) await fs.unlink(claim);
      return false;
    }
    await fs.rename(claim, file).catch((error: NodeJS.ErrnoException) => {
      // Another process did it for us.
      if (error.code !== "ENOENT") throw error;
    });
    await syncFolder(dirname(file));
    return mine;
  } catch (cause) {
    throw cause instanceof BrokerError ? cause : invalid(file, reasonOf(cause));
  }
}

/** The text of `file`, undefined when it does not exist. Throws `STATE_INVALID`. */
export async function readPrivateFile(file: string): Promise<string | undefined> {
  try {
    const { mode, size } = await fs.stat(file);
    if (isPosix && (mode & OTHERS) !== 0) throw invalid(file, "others may read it", `Run chmod 600 ${file}`);
    if (size > MAX_BYTES) throw invalid(file, `it has ${size} bytes, expected at most ${MAX_BYTES}`);
    return await fs.readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof BrokerError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw invalid(file, reasonOf(cause));
  }
}

/** Gives the draft this name, unless there is one already. */
async function claimed(claim: string, draft: string): Promise<boolean> {
  try {
    await fs.link(draft, claim);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    await fs.unlink(draft);
  }
}

const isPosix = process.platform !== "win32";

/** A file beside `file` with `text` in it, on disk. */
async function draftOf(file: string, text: string): Promise<string> {
  const draft = join(dirname(file), `.draft-${randomBytes(8).toString("hex")}`);
  const handle = await fs.open(draft, "wx", FILE_MODE);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await fs.unlink(draft);
    throw error;
  } finally {
    await handle.close();
  }
  return draft;
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders; its file system journals names itself.
  if (!isPosix) return;
  const handle = await fs.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function reasonOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException | null)?.code ?? "it cannot be used";
}

function invalid(path: string, why: string, hint?: string): BrokerError {
  return new BrokerError("STATE_INVALID", "misuse", `Cannot use ${path}: ${why}`, {
    detail: { path },
    ...(hint === undefined ? {} : { hint }),
  });
}
