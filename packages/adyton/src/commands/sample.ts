// SPDX-License-Identifier: Apache-2.0
// Pages of `adyton sample`: the software TEE of this machine.

import type { ArgumentSpec, Group, OptionSpec } from "../frame/command.ts";
import { DIR } from "./services.ts";

const PROGRAM: ArgumentSpec = {
  name: "PROGRAM",
  summary: "the program file; node runs .js, .mjs and .cjs, anything else is executed",
  file: true,
};
const URL_OPTION: OptionSpec = {
  name: "url",
  value: "URL",
  summary: "the trust services, handed to the program as ADYTON_URL; default as for the other commands",
};

export const sample: Group = {
  kind: "group",
  name: "sample",
  summary: "run programs in the software TEE of this machine, for development",
  description: [
    "The software TEE measures a program, starts it and signs evidence of that measurement, with keys in the state folder. It proves flows, not secrecy: whoever owns the machine can look into the program and the keys. Services accept it only after `adyton up --dev`.",
  ],
  commands: [
    {
      kind: "command",
      name: "measure",
      summary: "print the launch digest that a program would get",
      description: [
        "SHA-384 of the program file, in hex: the reference value launch_digest of that program.",
      ],
      arguments: [PROGRAM],
      options: [],
      exits: [],
      examples: [
        {
          line: "adyton reference set launch_digest $(adyton sample measure workload.mjs)",
          what: "Lets that workload, and no other, have secrets.",
        },
      ],
      next: "`adyton reference set launch_digest DIGEST`, then `adyton sample run PROGRAM`.",
      load: async () => (await import("../services/sample.ts")).measure,
    },
    {
      kind: "command",
      name: "run",
      summary: "run a program in the software TEE",
      description: [
        "Measures and starts the program. It finds its attester and the trust services in its environment; its input and output are this terminal's. Ends as the program ends: with its exit code, or 128 and the signal's number.",
      ],
      arguments: [PROGRAM, { name: "ARGUMENT", summary: "arguments of the program, after --", rest: true }],
      options: [URL_OPTION, DIR],
      exits: [6],
      examples: [{ line: "adyton sample run workload.mjs -- --verbose", what: "Runs it with one argument." }],
      next: "When it is refused a secret, the answer names the rule that failed.",
      load: async () => (await import("../services/sample.ts")).runProgram,
    },
  ],
};
