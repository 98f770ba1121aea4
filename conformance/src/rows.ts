// SPDX-License-Identifier: Apache-2.0
// Real evidence that other verifiers understand too, and our verdict on it.

import { fromHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import type { TeeName } from "@adyton/evidence";
import { verifyEvidence } from "@adyton/evidence";
import { mergeEndorsements, readEndorsement } from "@adyton/evidence/endorsements";
import { fixtureBytes, fixtureText } from "@adyton/testing";

/** A status and its advisories, or why not. */
export type Verdict =
  | { readonly status: string | null; readonly advisories: readonly string[] }
  | { readonly refused: string };

/** The bytes of evidence, which some fixtures have in hex. */
export async function evidenceBytes(path: string): Promise<Uint8Array> {
  if (!path.endsWith(".hex")) return fixtureBytes(path);
  return fromHex((await fixtureText(path)).trim().replace(/^0x/, ""));
}

/** What we say. */
export async function ourVerdict(
  tee: TeeName,
  evidence: Uint8Array,
  files: readonly string[],
  now: Date,
): Promise<Verdict> {
  const read = await Promise.all(
    files.map(async (name) => readEndorsement({ name, bytes: await fixtureBytes(name) })),
  );
  try {
    const { tcb } = await verifyEvidence(evidence, { tee, now, endorsements: mergeEndorsements(...read) });
    return { status: tcb.status, advisories: [...tcb.advisoryIds].sort() };
  } catch (error) {
    if (!(error instanceof AdytonError)) throw error;
    return { refused: error.code };
  }
}
