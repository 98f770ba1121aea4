// SPDX-License-Identifier: Apache-2.0
// Pages of the commands about recovery shares.

import type { Group } from "../frame/command.ts";
import { ROOT_KEY, ROOT_KEY_CHOICES, STORE } from "./root-options.ts";
import { DIR } from "./services.ts";

export const recovery: Group = {
  kind: "group",
  name: "recovery",
  summary: "shares among people that open a broker whose root-key holder is gone",
  description: [
    "M of N people together can open the root keys without passphrase, TPM, token or key service (Shamir's secret sharing); fewer know nothing. Shares also open backups.",
  ],
  commands: [
    {
      kind: "command",
      name: "split",
      summary: "make recovery shares",
      description: [
        "Prints one line for each share, nowhere kept: hand each to its holder, on paper for example. Earlier shares are void from then on, unless --keep. Works on the state itself; a running broker takes it over.",
      ],
      arguments: [],
      options: [
        DIR,
        { name: "threshold", value: "M", summary: "how many open; default 3" },
        { name: "shares", value: "N", summary: "how many there are; default 5" },
        { name: "keep", summary: "leave earlier shares good" },
        ...STORE,
        ...ROOT_KEY,
      ],
      exits: [2, 3, 6],
      examples: [{ line: "adyton recovery split --threshold 2 --shares 3", what: "Any two of three open." }],
      next: "Try them at a copy: `adyton backup verify FILE --shares-file SHARES`.",
      load: async () => (await import("../services/recovery.ts")).split,
    },
    {
      kind: "command",
      name: "open",
      summary: "open the root keys by shares, and give them to a new provider",
      description: [
        "Reads shares, one on each line, and puts the root keys under the provider KIND, which the options named root-… set up. The broker then starts with that.",
      ],
      arguments: [
        { name: "KIND", summary: "who keeps the root keys from now on", choices: ROOT_KEY_CHOICES },
        { name: "SHARES", summary: "a file of shares; - or none for stdin", optional: true, file: true },
      ],
      options: [DIR, ...STORE, ...ROOT_KEY.filter(({ name }) => name !== "root-key")],
      exits: [2, 3, 6],
      examples: [
        { line: "adyton recovery open file shares.txt", what: "Back to a file in the state folder." },
      ],
      next: "`adyton up` starts the broker; `adyton recovery split` makes fresh shares.",
      load: async () => (await import("../services/recovery.ts")).open,
    },
  ],
};
