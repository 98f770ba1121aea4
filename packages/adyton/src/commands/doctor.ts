// SPDX-License-Identifier: Apache-2.0
// Page of `adyton doctor`.

import { TEE_NAMES } from "@adyton/evidence";
import type { Command } from "../frame/command.ts";

export const doctor: Command = {
  kind: "command",
  name: "doctor",
  summary: "tell what this machine can do, what is missing and the next step",
  description: [
    "Looks at the version of Node, the clock, CPU flags, and the kernel's interfaces to trusted execution environments: configfs-tsm, /dev/tdx_guest, /dev/sev-guest, /dev/sgx_enclave, Gramine's /dev/attestation, the TPM. It reads only, and changes nothing.",
  ],
  arguments: [],
  options: [
    {
      name: "tee",
      value: "T",
      summary: "exit 6 unless evidence of this TEE can be collected here",
      choices: TEE_NAMES,
    },
    {
      name: "root",
      value: "DIR",
      summary: "look at the machine whose file system is mounted here",
      file: true,
    },
  ],
  exits: [6],
  examples: [
    { line: "adyton doctor", what: "Shows everything." },
    {
      line: "adyton doctor --tee tdx && ./start-workload",
      what: "Starts only where TDX evidence can be had.",
    },
  ],
  next: "`adyton attest` collects evidence on this machine.",
  load: async () => (await import("../doctor/run.ts")).doctor,
};
