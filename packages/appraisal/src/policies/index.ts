// SPDX-License-Identifier: Apache-2.0
// The default policies as texts: the modules for each TEE, by the name that explanations show.

import type { TeeName } from "@adyton/evidence";
import { AZ_SNP_VTPM } from "./az-snp-vtpm.rego.ts";
import { AZ_TDX_VTPM } from "./az-tdx-vtpm.rego.ts";
import { CCA } from "./cca.rego.ts";
import { COMMON } from "./common.rego.ts";
import { CSV } from "./csv.rego.ts";
import { GENUINE } from "./genuine.rego.ts";
import { MINIMUM_STATUS, MINIMUM_VERSIONS } from "./minimum.rego.ts";
import { NITRO } from "./nitro.rego.ts";
import { NVIDIA } from "./nvidia.rego.ts";
import { SAMPLE } from "./sample.rego.ts";
import { SE } from "./se.rego.ts";
import { SEV } from "./sev.rego.ts";
import { SGX } from "./sgx.rego.ts";
import { SNP } from "./snp.rego.ts";
import { SNP_REPORT } from "./snp-report.rego.ts";
import { TCB_STATUS } from "./tcb-status.rego.ts";
import { TCB_VERSIONS } from "./tcb-versions.rego.ts";
import { TD_REPORT } from "./td-report.rego.ts";
import { TDX } from "./tdx.rego.ts";
import { TPM } from "./tpm.rego.ts";

const OWN: Readonly<Record<TeeName, string>> = {
  sgx: SGX,
  tdx: TDX,
  snp: SNP,
  csv: CSV,
  cca: CCA,
  tpm: TPM,
  "az-snp-vtpm": AZ_SNP_VTPM,
  "az-tdx-vtpm": AZ_TDX_VTPM,
  nvidia: NVIDIA,
  se: SE,
  sample: SAMPLE,
  sev: SEV,
  nitro: NITRO,
};
/** What a TEE's policy stands on besides what all share. */
const SHARED: Readonly<Partial<Record<TeeName, Readonly<Record<string, string>>>>> = {
  sgx: { "adyton/tcb-status.rego": TCB_STATUS },
  tdx: { "adyton/tcb-status.rego": TCB_STATUS, "adyton/td-report.rego": TD_REPORT },
  "az-tdx-vtpm": { "adyton/tcb-status.rego": TCB_STATUS, "adyton/td-report.rego": TD_REPORT },
  snp: { "adyton/tcb-versions.rego": TCB_VERSIONS, "adyton/snp-report.rego": SNP_REPORT },
  "az-snp-vtpm": { "adyton/tcb-versions.rego": TCB_VERSIONS, "adyton/snp-report.rego": SNP_REPORT },
};

/** The modules of the default policy for one TEE, by file: what an auditor reads, and what `builtinPolicy` compiles. */
export function defaultPolicyFor(tee: TeeName): Readonly<Record<string, string>> {
  return {
    "adyton/genuine.rego": GENUINE,
    "adyton/common.rego": COMMON,
    ...SHARED[tee],
    [`adyton/${tee}.rego`]: OWN[tee],
  };
}

/** The modules of the minimum rules: for vendors that publish a status of each TCB, or version numbers alone. */
export function minimumPolicyFor(published: boolean): Readonly<Record<string, string>> {
  return {
    "adyton/genuine.rego": GENUINE,
    ...(published
      ? { "adyton/tcb-status.rego": TCB_STATUS, "adyton/minimum-status.rego": MINIMUM_STATUS }
      : { "adyton/tcb-versions.rego": TCB_VERSIONS, "adyton/minimum-versions.rego": MINIMUM_VERSIONS }),
  };
}
