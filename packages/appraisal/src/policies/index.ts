// SPDX-License-Identifier: Apache-2.0
// The default policies as texts: the modules for each TEE, by the name that explanations show.

import type { TeeName } from "@adyton/evidence";
import { AZ_SNP_VTPM } from "./az-snp-vtpm.rego.ts";
import { AZ_TDX_VTPM } from "./az-tdx-vtpm.rego.ts";
import { CCA } from "./cca.rego.ts";
import { COMMON } from "./common.rego.ts";
import { CSV } from "./csv.rego.ts";
import { NITRO } from "./nitro.rego.ts";
import { NVIDIA } from "./nvidia.rego.ts";
import { SAMPLE } from "./sample.rego.ts";
import { SE } from "./se.rego.ts";
import { SEV } from "./sev.rego.ts";
import { SGX } from "./sgx.rego.ts";
import { SNP } from "./snp.rego.ts";
import { TCB_STATUS } from "./tcb-status.rego.ts";
import { TCB_VERSIONS } from "./tcb-versions.rego.ts";
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
const STATUS: ReadonlySet<TeeName> = new Set(["sgx", "tdx", "az-tdx-vtpm"]);
const VERSIONS: ReadonlySet<TeeName> = new Set(["snp", "az-snp-vtpm"]);

/** The modules of the default policy for one TEE, by file: what an auditor reads, and what `builtinPolicy` compiles. */
export function defaultPolicyFor(tee: TeeName): Readonly<Record<string, string>> {
  return {
    "adyton/common.rego": COMMON,
    ...(STATUS.has(tee) ? { "adyton/tcb-status.rego": TCB_STATUS } : {}),
    ...(VERSIONS.has(tee) ? { "adyton/tcb-versions.rego": TCB_VERSIONS } : {}),
    [`adyton/${tee}.rego`]: OWN[tee],
  };
}
