// SPDX-License-Identifier: Apache-2.0
// Who attests for this program: the hardware it runs on, the software TEE that launched it, or, for development,
// the software TEE whose keys `adyton up --dev` left in the state folder.

import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Attester, AttesterError, detectAttester, openSoftwareTee } from "@adyton/attester";
import type { TeeName } from "@adyton/evidence";
import type { Io } from "../io.ts";

const SOFTWARE_TEE = "software-tee";

/** The folder of the software TEE's keys in a state folder. */
export function softwareTeeFolder(state: string): string {
  return join(state, SOFTWARE_TEE);
}

/** The attester of `tee`, or the first that works here. Throws as `detectAttester`. */
export async function localAttester(tee: TeeName | undefined, state: string, io: Io): Promise<Attester> {
  try {
    return await detectAttester({ env: io.env, ...(tee === undefined ? {} : { tee }) });
  } catch (error) {
    const simulated = tee === undefined || tee === "sample";
    const folder = softwareTeeFolder(state);
    if (!(error instanceof AttesterError) || !simulated || !existsSync(folder)) throw error;
    io.stderr.write(`No TEE runs this program: the software TEE in ${folder} speaks for it (simulated)\n`);
    return softwareAttester(folder);
  }
}

/** Evidence of this very program, by the software TEE in `folder`. */
async function softwareAttester(folder: string): Promise<Attester> {
  const tee = await openSoftwareTee({ dir: folder });
  const digest = await tee.measure(thisProgram());
  return {
    tee: "sample",
    title: "Adyton software TEE, for this program",
    probe: async () => ({ available: true, found: [folder], missing: [] }),
    collect: (reportData) => tee.evidenceFor(digest, reportData),
  };
}

/** The executable's file, as built or as source. */
export function thisProgram(): string {
  return fileURLToPath(new URL(`../bin${extname(import.meta.url)}`, import.meta.url));
}
