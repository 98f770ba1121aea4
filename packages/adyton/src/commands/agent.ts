// SPDX-License-Identifier: Apache-2.0
// The page of the guest-side agent.

import { AGENT_FEATURES, MEASURE_CHOICES } from "../agent/choices.ts";
import type { Command } from "../frame/command.ts";
import { attest, DIR } from "./services.ts";

export const agent: Command = {
  kind: "command",
  name: "agent",
  summary: "serve the guest API on this machine, so that containers get secrets with curl",
  description: [
    "Serves the REST API of Confidential Containers' guest components on 127.0.0.1: GET /cdh/resource/REPOSITORY/TYPE/TAG, GET /aa/token?token_type=kbs, GET /aa/evidence?runtime_data=…, GET /aa/additional-evidence, POST /aa/aael, GET /info; and POST /cdh/unseal for sealed secrets. It attests when it is first asked, and again when its token expires.",
    "Whoever runs on this machine can ask: run it inside the TEE, one for each workload that trusts itself.",
  ],
  arguments: [],
  options: [
    ...attest.options.filter(({ name }) => name === "tee" || name === "url"),
    DIR,
    { name: "port", value: "N", summary: "the port; 0 takes a free one; default 8006" },
    { name: "features", value: "F", summary: "what is served; default all", choices: AGENT_FEATURES },
    {
      name: "measure",
      value: "R",
      summary: "where events of /aa/aael are measured: a PCR or RTMR 3; default nowhere",
      choices: MEASURE_CHOICES,
    },
    { name: "measure-pcr", value: "N", summary: "the PCR; default 13" },
    { name: "measure-log", value: "FILE", summary: "the log of these events; default aael.log", file: true },
    {
      name: "sealing-keys",
      value: "DIR",
      summary: "public keys (JWK) of whoever signs sealed secrets, named by key id",
      file: true,
    },
  ],
  exits: [3, 4, 5, 6],
  examples: [
    { line: "adyton agent --url https://broker.example", what: "Serves until Ctrl-C." },
    {
      line: "adyton agent --features resource --port 0 --json",
      what: "Secrets only, on a free port, which is printed.",
    },
  ],
  next: "In a container: `curl http://127.0.0.1:8006/cdh/resource/default/hello/secret`.",
  load: async () => (await import("../services/agent.ts")).agent,
};
