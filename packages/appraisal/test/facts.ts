// SPDX-License-Identifier: Apache-2.0
// Healthy platforms as plain data, for tests of what judges them.

import type { JsonObject } from "@adyton/core/json";
import type { TeeName } from "@adyton/evidence";
import type { Facts } from "../src/facts.ts";
import type { ReferenceValues } from "../src/reference.ts";

/** The TEEs that the default policy judges. */
export type Judged = "sgx" | "tdx" | "snp" | "sample";

/** 48 equal bytes in hex. */
export const digest = (byte: string): string => byte.repeat(48);

/** Claims of a healthy launch, under the names that verification gives them. */
export const CLAIMS: Readonly<Record<Judged, JsonObject>> = {
  sgx: {
    body: { mr_enclave: "a1".repeat(32), mr_signer: "a2".repeat(32), isv_prod_id: "0100", isv_svn: "0500" },
  },
  tdx: {
    quote: {
      body: {
        mr_td: digest("b1"),
        mr_seam: digest("b2"),
        rtmr_0: digest("c0"),
        rtmr_1: digest("c1"),
        rtmr_2: digest("c2"),
        rtmr_3: digest("00"),
        xfam: "e702060000000000",
      },
    },
    td_attributes: { migratable: false },
  },
  snp: {
    measurement: digest("d1"),
    reported_tcb_bootloader: 4,
    reported_tcb_tee: 0,
    reported_tcb_snp: 24,
    reported_tcb_microcode: 219,
    platform_smt_enabled: true,
    platform_tsme_enabled: false,
    policy_abi_major: 1,
    policy_abi_minor: 55,
    policy_single_socket: false,
    policy_smt_allowed: true,
    policy_migrate_ma: false,
    vmpl: 0,
  },
  sample: {
    svn: "1",
    launch_digest: digest("e1"),
    platform_version: { major: 1, minor: 4 },
    debug: false,
  },
};

/** What an operator registers, id by id; each must be needed or be compared. */
export const REFERENCES: Readonly<Record<Judged, ReferenceValues>> = {
  sgx: { sgx_mrenclave: ["a1".repeat(32)] },
  tdx: { mr_td: [digest("b1")], rtmr_1: [digest("c1")], rtmr_2: [digest("c2")], xfam: ["e702060000000000"] },
  snp: {
    snp_launch_measurement: [digest("d1")],
    snp_bootloader: [4],
    snp_microcode: [219],
    snp_snp_svn: [24],
    snp_tee_svn: [0],
  },
  sample: { launch_digest: [digest("e1")], svn: ["1"], major_version: [1], minimum_minor_version: [3] },
};

export const TEES: readonly Judged[] = ["sgx", "tdx", "snp", "sample"];

/** A healthy platform; `change` says what is different. */
export function factsOf(tee: TeeName, change: Partial<Facts> = {}): Facts {
  const simulated = tee === "sample";
  const judged = tee === "sgx" || tee === "tdx";
  return {
    tee,
    at: new Date("2025-07-01T00:00:00Z"),
    trust: { root: "CN=Root", rootSha256: "ab".repeat(32), simulated },
    tcb: {
      status: judged ? "UpToDate" : null,
      evaluationNumber: judged ? 18 : null,
      date: judged ? "2025-05-14T00:00:00Z" : null,
      advisoryIds: [],
      components:
        tee === "snp" ? { reported: { svn: { bootloader: 4, tee: 0, snp: 24, microcode: 219 } } } : {},
    },
    debug: false,
    reportData: new Uint8Array(64),
    initDataField: tee === "sample" ? null : new Uint8Array(32),
    claims: CLAIMS[tee as Judged] ?? {},
    endorsements: { earliestIssue: null, earliestExpiry: null, revocation: "unchecked", items: [] },
    ...change,
  };
}
