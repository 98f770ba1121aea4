// SPDX-License-Identifier: Apache-2.0
// The page of `adyton explain`.

import type { Command } from "../frame/command.ts";
import { ADMIN } from "./services.ts";

export const explain: Command = {
  kind: "command",
  name: "explain",
  summary: "say why an attestation or a decision came out as it did",
  description: [
    "Asks the trust services for the reasons behind an attestation result: from the decision down to the claim, the file and line of the policy, the reference value, and what would make it pass. Tokens do not carry these, since guests hold them. Without ID the newest attestations are listed.",
    "The number of an entry of the audit log tells that decision: the policy, each condition that did not hold with its file, line and values, and what had been attested. A session is named by the value of its cookie, as long as it lives.",
  ],
  arguments: [
    {
      name: "ID",
      summary: "the jti of its token, its session, an entry's number, or last for the newest",
      optional: true,
    },
  ],
  options: [
    { name: "token", value: "FILE", file: true, summary: "the token itself, in place of ID; - for stdin" },
    { name: "all", summary: "show what holds, too" },
    ...ADMIN,
  ],
  exits: [2, 3, 6],
  examples: [
    { line: "adyton explain", what: "Lists the newest attestations." },
    { line: "adyton explain last", what: "Explains the newest." },
    { line: "adyton explain 17", what: "Explains the decision in entry 17 of the audit log." },
    { line: "adyton explain --token token.jwt", what: "Explains the one that a guest shows." },
  ],
  next: "`adyton reference set ID VALUE` states a value that you know to be good.",
  load: async () => (await import("../services/explain.ts")).explain,
};
