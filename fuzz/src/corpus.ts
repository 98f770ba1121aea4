// SPDX-License-Identifier: Apache-2.0
// The committed corpus: corpus/<target>/<first digits of the SHA-256>.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "./target.ts";

/** The folder of this package, from src/ as from dist/. */
const HOME = join(import.meta.dirname, "..");

/** The names of all targets. */
export const TARGETS: readonly string[] = readdirSync(join(HOME, "src/targets"))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -3))
  .sort();

/** The module of a target. */
export async function loadTarget(name: string): Promise<Target> {
  const extension = import.meta.filename.endsWith(".ts") ? "ts" : "js";
  return import(`./targets/${name}.${extension}`) as Promise<Target>;
}

/** What is committed for a target, in a stable order. */
export function readCorpus(target: string): Uint8Array[] {
  const folder = join(HOME, "corpus", target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((file) => new Uint8Array(readFileSync(join(folder, file))));
}

/** Replaces a target's corpus. */
export function writeCorpus(target: string, entries: readonly Uint8Array[]): void {
  const folder = join(HOME, "corpus", target);
  rmSync(folder, { recursive: true, force: true });
  for (const entry of entries) writeEntry(folder, entry);
}

/** Keeps what broke a target, outside of version control; gives the file. */
export function writeFinding(target: string, input: Uint8Array): string {
  return writeEntry(join(HOME, "findings", target), input);
}

/** Real evidence by paths below the fixtures folder, small files only; nothing where it is not at hand. */
export function readFixtures(paths: readonly string[], most: number): Uint8Array[] {
  const root = process.env.ADYTON_FIXTURES ?? join(HOME, "../../shared/fixtures");
  return paths.flatMap((path) => {
    const found = join(root, path);
    if (!existsSync(found)) return [];
    const files = statSync(found).isDirectory()
      ? readdirSync(found, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
      : [found];
    return files
      .filter((file) => statSync(file).size <= most)
      .map((file) => new Uint8Array(readFileSync(file)));
  });
}

function writeEntry(folder: string, entry: Uint8Array): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, createHash("sha256").update(entry).digest("hex").slice(0, 16));
  writeFileSync(file, entry);
  return file;
}
