// SPDX-License-Identifier: Apache-2.0
// The workload of the tour: where it is, a tampered copy of it, and running either in the software TEE.

import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SoftwareTee } from "@adyton/attester";
import { CliError } from "../errors.ts";

const EXAMPLE = join("examples", "hello-secret", "workload.mjs");
const MAX_OUTPUT = 64 * 1024;

export interface Workload {
  readonly program: string;
  /** The checkout it belongs to. */
  readonly checkout: string;
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly launchDigest: string;
}

/** The workload of examples/hello-secret, looked for from this file upwards. Throws `FILE_NOT_FOUND`. */
export function findWorkload(): Workload {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, EXAMPLE))) {
    const above = dirname(folder);
    if (above === folder) {
      throw new CliError("FILE_NOT_FOUND", "misuse", `Cannot find the tour's workload: no ${EXAMPLE}`, {
        hint: "Run the tour from a checkout of the repository: npm start.",
      });
    }
    folder = above;
  }
  return { program: join(folder, EXAMPLE), checkout: folder };
}

/** A copy with a line appended, in a folder from which it finds the same packages. */
export async function tamper(workload: Workload, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await symlink(join(workload.checkout, "node_modules"), join(folder, "node_modules"), "junction");
  const program = join(folder, "workload.mjs");
  const source = await readFile(workload.program, "utf8");
  await writeFile(program, `${source}// A line that nobody vouched for.\n`);
  return program;
}

/** Runs a program in the software TEE to its end, with its output kept. */
export async function runInside(tee: SoftwareTee, program: string, url: string): Promise<Outcome> {
  const launched = await tee.launch({ program, env: { ADYTON_URL: url }, stdio: ["ignore", "pipe", "pipe"] });
  const { stdout, stderr } = launched.process;
  const [out, err, { code }] = await Promise.all([textOf(stdout), textOf(stderr), launched.exited]);
  return { code, stdout: out, stderr: err, launchDigest: launched.launchDigest };
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = "";
  if (stream === null) return text;
  for await (const chunk of stream) if (text.length < MAX_OUTPUT) text += String(chunk);
  return text;
}
