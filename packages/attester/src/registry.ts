// SPDX-License-Identifier: Apache-2.0
// Every attester this package knows, one line each, and the choice among them.

import type { TeeName } from "@adyton/evidence";
import type { Attester, AttesterKind, AttesterOptions, Probe } from "./attester.ts";
import { AttesterError } from "./errors.ts";
import { sgxAttester } from "./gramine/sgx.ts";
import { csvAttester } from "./hygon/csv.ts";
import { nitroAttester } from "./nitro/attester.ts";
import { sampleAttester } from "./sample/attester.ts";
import { tpmAttester } from "./tpm/attester.ts";
import { ccaAttester } from "./tsm/cca.ts";
import { snpAttester } from "./tsm/snp.ts";
import { tdxAttester } from "./tsm/tdx.ts";

/**
 * In order of preference: hardware before software, and of hardware the innermost first, because an enclave inside a
 * confidential virtual machine says more about this program than the machine around it.
 */
export const ATTESTERS: readonly AttesterKind[] = [
  sgxAttester,
  tdxAttester,
  snpAttester,
  ccaAttester,
  csvAttester,
  nitroAttester,
  tpmAttester,
  sampleAttester,
];

/**
 * The first attester of `ATTESTERS` that works here and need not be named, or the one of `tee`.
 * Throws `NO_TEE_FOUND`, or for a named TEE `TEE_UNAVAILABLE`, with what each attester misses in `detail.tees`;
 * `NO_ATTESTER` when no attester of that name exists.
 */
export async function detectAttester(
  options: AttesterOptions & { readonly tee?: TeeName } = {},
): Promise<Attester> {
  const { tee } = options;
  const kinds = ATTESTERS.filter((kind) => (tee === undefined ? kind.byNameOnly !== true : kind.tee === tee));
  if (kinds.length === 0) {
    const known = ATTESTERS.map((kind) => kind.tee).join(", ");
    throw new AttesterError("NO_ATTESTER", "misuse", `Cannot attest as ${tee}: attesters are ${known}`, {
      detail: { tee, known },
    });
  }
  const tees: (Probe & { readonly tee: TeeName; readonly title: string })[] = [];
  for (const kind of kinds) {
    const attester = kind.create(options);
    const probe = await attester.probe();
    if (probe.available) return attester;
    tees.push({ tee: kind.tee, title: kind.title, ...probe });
  }
  const missing = tees.map((each) => `${each.tee} misses ${each.missing.join(" and ")}`).join("; ");
  // Of several, the one that is nearest to working is the one to help with; of none, the one that works anywhere.
  const nearest = tees.find((each) => each.found.length > 0) ?? tees.at(-1);
  throw new AttesterError(
    tee === undefined ? "NO_TEE_FOUND" : "TEE_UNAVAILABLE",
    "unavailable",
    `Cannot attest on this machine: ${missing}`,
    { detail: { tees }, ...(nearest?.next === undefined ? {} : { hint: nearest.next }) },
  );
}
