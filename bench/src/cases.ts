// SPDX-License-Identifier: Apache-2.0
// Real evidence to measure on: the same bytes for us and for the peers.

import type { TeeName } from "@adyton/evidence";
import { type Endorsements, mergeEndorsements, readEndorsement } from "@adyton/evidence/endorsements";
import { fixtureBytes } from "@adyton/testing";

export interface Case {
  readonly tee: TeeName;
  readonly evidence: Uint8Array;
  readonly now: Date;
  /** Files as received; parsing them is part of a cold verification. */
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

const CASES = [
  {
    tee: "sgx",
    evidence: "sgx/dcap-qvl/sgx_quote",
    now: "2025-07-01",
    files: ["sgx/dcap-qvl/sgx_quote_collateral.json"],
  },
  {
    tee: "tdx",
    evidence: "tdx/dcap-qvl/tdx_quote",
    now: "2025-07-01",
    files: ["tdx/dcap-qvl/tdx_quote_collateral.json"],
  },
  {
    tee: "snp",
    evidence: "sev-snp/microsoft/genoa_attestation_report.bin",
    now: "2026-06-01",
    files: [
      "sev-snp/microsoft/genoa_vcek.pem",
      "sev-snp/microsoft/genoa_ask.pem",
      "sev-snp/microsoft/genoa_ark.pem",
    ],
  },
] as const;

export async function loadCases(): Promise<Case[]> {
  return Promise.all(
    CASES.map(async ({ tee, evidence, now, files }) => ({
      tee,
      evidence: await fixtureBytes(evidence),
      now: new Date(`${now}T00:00:00Z`),
      files: await Promise.all(files.map(async (name) => ({ name, bytes: await fixtureBytes(name) }))),
    })),
  );
}

/** The case's endorsements, parsed anew. */
export function endorsementsOf(of: Case): Endorsements {
  return mergeEndorsements(...of.files.map(readEndorsement));
}
