// SPDX-License-Identifier: Apache-2.0
// What the default policy compares, one entry per TEE. The numbers are Trustee's (default CPU policy): hardware 2,
// executables 3 (4 where less is known of what ran), configuration 2 (3 where only its dangers were ruled out).

import type { JsonValue } from "@adyton/core/json";
import type { TeeName } from "@adyton/evidence";
import type { ReferenceCheck } from "./reference.ts";
import type { TrustClaim } from "./trust.ts";

/** The trust claims that the default policy makes. */
export type JudgedClaim = Extract<TrustClaim, "hardware" | "executables" | "configuration">;

/** One way to reach a trust value: all of these reference ids have values and match. */
export interface Way {
  readonly value: number;
  readonly ids: readonly string[];
}

/** A claim that must have one value whatever the reference values say. */
export interface FixedCheck {
  readonly path: readonly string[];
  readonly equals: JsonValue;
  /** What it means when it does not hold. */
  readonly danger: string;
  readonly next: string;
}

export interface ClaimPlan {
  /**
   * Best first: the first way whose ids all have values decides. An id of the plan that has values must match, on the
   * way or not, so that a stated reference value is never ignored.
   */
  readonly ways: readonly Way[];
  /** Ids that only need to match when they have values. */
  readonly optional?: readonly string[];
  readonly fixed?: readonly FixedCheck[];
}

export interface Platform {
  readonly references: readonly ReferenceCheck[];
  readonly plans: Readonly<Record<JudgedClaim, ClaimPlan>>;
  /** How the TCB is judged: by its status, by version numbers (`minTcb` or the ways of hardware), or by ways alone. */
  readonly tcb: "status" | "versions" | "references";
  /** Claims that name the workload, for `ear.trustee.identifiers`: [name, path]. */
  readonly identifiers: readonly (readonly [name: string, path: readonly string[]])[];
}

const sgx: Platform = {
  references: [
    one("sgx_mrenclave", ["body", "mr_enclave"], "enclave measurement (MRENCLAVE)"),
    one("sgx_mrsigner", ["body", "mr_signer"], "enclave signer (MRSIGNER)"),
    { ...one("sgx_isv_prod_id", ["body", "isv_prod_id"], "product id of the enclave"), encoding: "u16" },
    { ...least("sgx_isv_svn", ["body", "isv_svn"], "security version of the enclave"), encoding: "u16" },
  ],
  plans: {
    hardware: { ways: [{ value: 2, ids: [] }] },
    executables: {
      ways: [
        { value: 3, ids: ["sgx_mrenclave"] },
        { value: 4, ids: ["sgx_mrsigner", "sgx_isv_prod_id", "sgx_isv_svn"] },
      ],
    },
    configuration: { ways: [{ value: 2, ids: [] }] },
  },
  tcb: "status",
  identifiers: [
    ["mr_enclave", ["body", "mr_enclave"]],
    ["mr_signer", ["body", "mr_signer"]],
  ],
};

const tdx: Platform = {
  references: [
    one("mr_td", ["quote", "body", "mr_td"], "measurement of the virtual firmware (MRTD)"),
    one("mr_seam", ["quote", "body", "mr_seam"], "measurement of the TDX module (MRSEAM)"),
    one("rtmr_0", ["quote", "body", "rtmr_0"], "measurement of the firmware's configuration (RTMR 0)"),
    one("rtmr_1", ["quote", "body", "rtmr_1"], "measurement of the boot loader and kernel (RTMR 1)"),
    one("rtmr_2", ["quote", "body", "rtmr_2"], "measurement of the command line and initrd (RTMR 2)"),
    one("rtmr_3", ["quote", "body", "rtmr_3"], "measurement of the running workload (RTMR 3)"),
    one("xfam", ["quote", "body", "xfam"], "set of enabled CPU features (XFAM)"),
  ],
  plans: {
    hardware: { ways: [{ value: 2, ids: ["mr_td"] }], optional: ["mr_seam", "rtmr_0"] },
    // Trustee gives 3 when the event log also names the kernel and its command line; 4 is for the registers alone.
    executables: { ways: [{ value: 4, ids: ["rtmr_1", "rtmr_2"] }], optional: ["rtmr_3"] },
    configuration: {
      ways: [{ value: 2, ids: ["xfam"] }],
      fixed: [
        {
          path: ["td_attributes", "migratable"],
          equals: false,
          danger: "The TD is migratable: a migration TD of the host's choice can take its memory elsewhere.",
          next: "Launch the TD without the migratable attribute, or judge its migration TD with a policy of your own.",
        },
      ],
    },
  },
  tcb: "status",
  identifiers: [
    ["mr_td", ["quote", "body", "mr_td"]],
    ["rtmr_1", ["quote", "body", "rtmr_1"]],
    ["rtmr_2", ["quote", "body", "rtmr_2"]],
  ],
};

const snp: Platform = {
  references: [
    one("snp_launch_measurement", ["measurement"], "launch measurement"),
    one("snp_bootloader", ["reported_tcb_bootloader"], "reported version of the boot loader"),
    one("snp_microcode", ["reported_tcb_microcode"], "reported version of the microcode"),
    one("snp_snp_svn", ["reported_tcb_snp"], "reported version of the SNP firmware"),
    one("snp_tee_svn", ["reported_tcb_tee"], "reported version of the secure processor's system"),
    one("snp_smt_enabled", ["platform_smt_enabled"], "state of simultaneous multithreading"),
    one("snp_tsme_enabled", ["platform_tsme_enabled"], "state of transparent memory encryption"),
    one("snp_guest_abi_major", ["policy_abi_major"], "guest policy's least ABI, major"),
    one("snp_guest_abi_minor", ["policy_abi_minor"], "guest policy's least ABI, minor"),
    one("snp_single_socket", ["policy_single_socket"], "guest policy on a single socket"),
    one("snp_smt_allowed", ["policy_smt_allowed"], "guest policy on simultaneous multithreading"),
  ],
  plans: {
    hardware: {
      ways: [{ value: 2, ids: ["snp_bootloader", "snp_microcode", "snp_snp_svn", "snp_tee_svn"] }],
    },
    executables: { ways: [{ value: 3, ids: ["snp_launch_measurement"] }] },
    configuration: {
      ways: [
        {
          value: 2,
          ids: [
            "snp_smt_enabled",
            "snp_tsme_enabled",
            "snp_guest_abi_major",
            "snp_guest_abi_minor",
            "snp_single_socket",
            "snp_smt_allowed",
          ],
        },
        { value: 3, ids: [] },
      ],
      fixed: [
        {
          path: ["policy_migrate_ma"],
          equals: false,
          danger: "The guest policy lets a migration agent take the guest's memory elsewhere.",
          next: "Launch the guest with a policy that allows no migration agent.",
        },
        {
          path: ["vmpl"],
          equals: 0,
          danger: "The report was asked for below the guest's highest privilege level (VMPL 0).",
          next: "Ask for the report at VMPL 0, or judge what runs at VMPL 0 with a policy of your own.",
        },
      ],
    },
  },
  tcb: "versions",
  identifiers: [["measurement", ["measurement"]]],
};

const sample: Platform = {
  references: [
    one("launch_digest", ["launch_digest"], "launch digest"),
    one("svn", ["svn"], "security version of the software TEE"),
    one("major_version", ["platform_version", "major"], "major version of the software TEE"),
    least("minimum_minor_version", ["platform_version", "minor"], "minor version of the software TEE"),
  ],
  plans: {
    hardware: { ways: [{ value: 2, ids: ["svn", "major_version", "minimum_minor_version"] }] },
    executables: { ways: [{ value: 3, ids: ["launch_digest"] }] },
    configuration: { ways: [{ value: 2, ids: [] }] },
  },
  tcb: "references",
  identifiers: [["launch_digest", ["launch_digest"]]],
};

/** The TEEs that the default policy can judge. */
export const PLATFORMS: Readonly<Partial<Record<TeeName, Platform>>> = { sgx, tdx, snp, sample };

function one(id: string, path: readonly string[], meaning: string): ReferenceCheck {
  return { id, path, compare: "one-of", meaning };
}

function least(id: string, path: readonly string[], meaning: string): ReferenceCheck {
  return { id, path, compare: "at-least", meaning };
}
