// SPDX-License-Identifier: Apache-2.0
// Pages of the commands about the root keys, under which everything at rest is sealed.

import type { Group } from "../frame/command.ts";
import { ROOT_KEY, ROOT_KEY_CHOICES, STORE } from "./root-options.ts";
import { ADMIN, DIR } from "./services.ts";

export const rootKey: Group = {
  kind: "group",
  name: "root-key",
  summary: "the keys that secrets are sealed under at rest: show, rotate, move",
  description: [
    "Everything in the store is sealed under a root key. The root keys lie in root-keys.json in the state folder, or in the database that replicas share, wrapped under one key that a provider keeps: a file, a passphrase, a TPM, a PKCS #11 token, or the transit engine of Vault or OpenBao.",
  ],
  commands: [
    {
      kind: "command",
      name: "show",
      summary: "show which root keys there are, and how far a rotation is",
      description: ["Shows ids and dates, never a key."],
      arguments: [],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton root-key show --json", what: "Shows all, for programs." }],
      next: "`adyton root-key rotate` makes a new one.",
      load: async () => (await import("../services/root-key.ts")).show,
    },
    {
      kind: "command",
      name: "rotate",
      summary: "make a new root key, and seal everything anew under it",
      description: [
        "The broker goes on answering meanwhile. The old root key is kept until nothing is sealed under it, and an hour longer. A rotation that is cut off goes on at the next start.",
      ],
      arguments: [],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton root-key rotate", what: "Rotates." }],
      next: "`adyton root-key show` tells how far it is. Make a new backup when it is done.",
      load: async () => (await import("../services/root-key.ts")).rotate,
    },
    {
      kind: "command",
      name: "retire",
      summary: "destroy at once the root keys that nothing is sealed under any more",
      description: [
        "What is still sealed under an older root key is sealed anew first. Sessions that are sealed under one that goes end: their workloads attest again. Without this, a root key goes an hour after nothing used it.",
      ],
      arguments: [],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton root-key retire", what: "Leaves the one that seals." }],
      next: "`adyton root-key show` shows what is left. Make a new backup.",
      load: async () => (await import("../services/root-key.ts")).retire,
    },
    {
      kind: "command",
      name: "move",
      summary: "give the root keys to another provider",
      description: [
        "Works on the state itself. The options named root-… open the present provider and set up the new one; over PostgreSQL --root-key names the present one. The root keys themselves stay, and the old provider's key opens nothing any more. A running broker goes on; it says so in its log when it has to be restarted with other options.",
      ],
      arguments: [{ name: "KIND", summary: "who keeps them from now on", choices: ROOT_KEY_CHOICES }],
      options: [DIR, ...STORE, ...ROOT_KEY],
      exits: [2, 3, 6],
      examples: [
        {
          line: "adyton root-key move passphrase --root-passphrase-file words.txt",
          what: "From a file to a passphrase.",
        },
        { line: "adyton root-key move tpm --root-pcrs 0,2,4,7", what: "Bound to this machine's boot." },
      ],
      next: "`adyton recovery split` makes shares for the day when the provider is gone.",
      load: async () => (await import("../services/root-key.ts")).move,
    },
  ],
};
