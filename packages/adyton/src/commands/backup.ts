// SPDX-License-Identifier: Apache-2.0
// Pages of the commands about backups.

import type { Group, OptionSpec } from "../frame/command.ts";
import { ROOT_KEY, STORE } from "./root-options.ts";
import { DIR } from "./services.ts";

const OPENERS: readonly OptionSpec[] = [
  {
    name: "passphrase-file",
    value: "FILE",
    summary: "the backup's passphrase; without it and shares, asked on the terminal",
    file: true,
  },
  { name: "shares-file", value: "FILE", summary: "recovery shares, one on each line", file: true },
];

export const backup: Group = {
  kind: "group",
  name: "backup",
  summary: "back up a whole broker into one encrypted file, and bring it back",
  description: [
    "A backup holds the store of all tenants with the signing keys and the release log, the root keys and the admin token, as of one moment, encrypted and authenticated. What you put into the state folder yourself (roots/, endorsements/, policies/) is not in it.",
    "A restored broker stands where it stood then. Its log is older than what witnesses have seen: `adyton audit watch` on another machine tells, and that is right.",
  ],
  commands: [
    {
      kind: "command",
      name: "create",
      summary: "write a backup, while the broker runs",
      description: [
        "Opens with the passphrase, and with recovery shares where they were split (`adyton recovery split`).",
      ],
      arguments: [{ name: "FILE", summary: "where to write it; it must not exist", file: true }],
      options: [
        DIR,
        { name: "passphrase-file", value: "FILE", summary: "a passphrase that opens it, too", file: true },
        ...STORE,
        ...ROOT_KEY,
      ],
      exits: [2, 3, 6],
      examples: [
        { line: "adyton backup create broker.bak --passphrase-file words.txt", what: "Writes a backup." },
      ],
      next: "`adyton backup verify FILE` reads all of it.",
      load: async () => (await import("../services/backup.ts")).create,
    },
    {
      kind: "command",
      name: "verify",
      summary: "read all of a backup and open every value in it",
      description: ["Writes nothing. Counts values and entries of the release log."],
      arguments: [{ name: "FILE", summary: "the backup", file: true }],
      options: OPENERS,
      exits: [2, 3, 6],
      examples: [
        { line: "adyton backup verify broker.bak --shares-file shares.txt", what: "Tries the shares." },
      ],
      next: "`adyton backup restore FILE --dir NEW` brings it back.",
      load: async () => (await import("../services/backup.ts")).verify,
    },
    {
      kind: "command",
      name: "restore",
      summary: "bring a broker back into an empty state folder",
      description: [
        "The state folder must be empty or absent: it appears whole or not at all. So must the database be, when one is named. The root keys go to the provider that --root-key names, a file by default.",
      ],
      arguments: [{ name: "FILE", summary: "the backup", file: true }],
      options: [DIR, ...STORE, ...OPENERS, ...ROOT_KEY],
      exits: [2, 3, 6],
      examples: [
        {
          line: "adyton backup restore broker.bak --dir new --passphrase-file words.txt",
          what: "Brings it back into new/.",
        },
      ],
      next: "`adyton up --dir DIR` starts it.",
      load: async () => (await import("../services/backup.ts")).restore,
    },
  ],
};
