// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where fixtures are looked for. */
export const fixturesRoot: string =
  process.env.ADYTON_FIXTURES ?? fileURLToPath(new URL("../../../shared/fixtures", import.meta.url));

/** Whether real evidence is at hand. */
export const hasFixtures: boolean = existsSync(join(fixturesRoot, "README.md"));

/** The bytes of a fixture, by its path below the fixtures folder. */
export async function fixtureBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(join(fixturesRoot, path)));
}
