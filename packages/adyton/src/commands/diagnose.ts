// SPDX-License-Identifier: Apache-2.0
// The page of `adyton diagnose`.

import { TEE_NAMES } from "@adyton/evidence";
import type { Command } from "../frame/command.ts";
import { DIR } from "./services.ts";

export const diagnose: Command = {
  kind: "command",
  name: "diagnose",
  summary: "tell why a guest does not get its secret, step by step",
  description: [
    "Goes the way of a guest: does the attester give evidence, do the services answer, do the clocks agree, is the protocol's version taken, is the evidence accepted, are its endorsements there, does policy affirm it, and, when one is named, is the secret released. What failed comes with what to do; what comes after it is not tried.",
    "A named secret is really asked for, which stands in the audit log; it is not shown.",
  ],
  arguments: [{ name: "NAME", summary: "a secret to ask for: repository/type/tag", optional: true }],
  options: [
    {
      name: "url",
      value: "URL",
      summary: "the trust services; default $ADYTON_URL, then what `adyton up` noted in the state folder",
    },
    {
      name: "tee",
      value: "T",
      summary: "attest with this TEE; default the first that works here, hardware first",
      choices: TEE_NAMES,
    },
    DIR,
  ],
  exits: [2, 3, 4, 5, 6],
  examples: [
    {
      line: "adyton diagnose --url https://broker.example",
      what: "Says where it fails from inside a guest.",
    },
    { line: "adyton diagnose default/hello/secret --json", what: "Asks for a secret, too; for programs." },
  ],
  next: "`adyton explain last`, where the services are administered, says more than a guest may hear.",
  load: async () => (await import("../services/diagnose.ts")).diagnose,
};
