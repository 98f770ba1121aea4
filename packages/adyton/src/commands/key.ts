// SPDX-License-Identifier: Apache-2.0
// Pages of the commands about keys that never leave the trust services.

import type { ArgumentSpec, Group } from "../frame/command.ts";
import { ADMIN, ATTESTED, SECRET_OUT } from "./services.ts";

const NAME: ArgumentSpec = { name: "KEY", summary: "the key's name, for example orders" };

export const key: Group = {
  kind: "group",
  name: "key",
  summary: "keys that never leave the trust services: make, rotate, encrypt, decrypt",
  description: [
    "Workloads that attest and whom the resource policy allows it encrypt and decrypt with these keys, in the shapes of Vault's transit engine; nobody gets the keys themselves. The services have to run the plugin transit.",
  ],
  commands: [
    {
      kind: "command",
      name: "create",
      summary: "make a key",
      description: ["AES-256-GCM. Making one that is there changes nothing."],
      arguments: [NAME],
      options: [...ADMIN, { name: "derived", summary: "derive a key for each context" }],
      exits: [3, 6],
      examples: [{ line: "adyton key create orders", what: "Makes version 1." }],
      next: "`adyton key encrypt KEY FILE` encrypts something for workloads.",
      load: async () => (await import("../services/key.ts")).create,
    },
    {
      kind: "command",
      name: "list",
      summary: "list the names of keys",
      description: ["Prints one name a line."],
      arguments: [],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton key list", what: "Shows every name." }],
      next: "`adyton key show KEY` shows one.",
      load: async () => (await import("../services/key.ts")).list,
    },
    {
      kind: "command",
      name: "show",
      summary: "show a key's versions and settings",
      description: ["Never the key itself."],
      arguments: [NAME],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton key show orders --json", what: "Shows all, for programs." }],
      next: "`adyton key rotate KEY` adds a version.",
      load: async () => (await import("../services/key.ts")).show,
    },
    {
      kind: "command",
      name: "rotate",
      summary: "add a version, which encrypts from now on",
      description: ["Older versions still decrypt, until --min-version shuts them out."],
      arguments: [NAME],
      options: [
        ...ADMIN,
        { name: "min-version", value: "N", summary: "versions before N decrypt no more from now on" },
      ],
      exits: [3, 6],
      examples: [{ line: "adyton key rotate orders", what: "Adds a version." }],
      next: "Let workloads rewrap what older versions encrypted.",
      load: async () => (await import("../services/key.ts")).rotate,
    },
    {
      kind: "command",
      name: "delete",
      summary: "delete a key for good",
      description: ["What it encrypted is lost with it, so --force has to say that this is meant."],
      arguments: [NAME],
      options: [...ADMIN, { name: "force", summary: "delete it, with everything it encrypted" }],
      exits: [3, 6],
      examples: [{ line: "adyton key delete orders --force", what: "Nothing brings it back." }],
      next: "`adyton key list` shows what is left.",
      load: async () => (await import("../services/key.ts")).remove,
    },
    {
      kind: "command",
      name: "encrypt",
      summary: "encrypt something that workloads can decrypt",
      description: [
        "Reads FILE or stdin, and prints the ciphertext: one line that begins with vault:v and a version.",
      ],
      arguments: [
        NAME,
        { name: "FILE", summary: "the plaintext; - or none for stdin", optional: true, file: true },
      ],
      options: ADMIN,
      exits: [2, 3, 6],
      examples: [{ line: "adyton key encrypt orders order.json", what: "Prints the ciphertext." }],
      next: "Give the ciphertext to a workload: `adyton key decrypt KEY FILE` there.",
      load: async () => (await import("../services/key.ts")).encrypt,
    },
    {
      kind: "command",
      name: "decrypt",
      summary: "decrypt something by attesting on this machine",
      description: [
        "Collects evidence here, sends the ciphertext to the trust services, and decrypts what they answer. The plaintext goes to stdout as raw bytes, or to a file that only you can read.",
      ],
      arguments: [
        NAME,
        { name: "FILE", summary: "the ciphertext; - or none for stdin", optional: true, file: true },
      ],
      options: [...ATTESTED, ...SECRET_OUT],
      exits: [2, 3, 4, 5, 6],
      examples: [{ line: "adyton key decrypt orders order.enc --out order.json", what: "Writes a file." }],
      next: "When it is refused, the answer names the rule that failed and what would change that.",
      load: async () => (await import("../services/key.ts")).decrypt,
    },
    {
      kind: "command",
      name: "datakey",
      summary: "get a fresh key under this one by attesting on this machine",
      description: [
        "For data too large to send. The new key goes to the file that --out names, as raw bytes; its ciphertext is printed: keep that beside what you encrypt, and `adyton key decrypt` gives the key again.",
      ],
      arguments: [NAME],
      options: [
        ...ATTESTED,
        { name: "bits", value: "N", summary: "its size; default 256", choices: ["128", "256", "512"] },
        { name: "out", value: "FILE", summary: "write the new key to this file, mode 0600", file: true },
      ],
      exits: [3, 4, 5, 6],
      examples: [
        { line: "adyton key datakey orders --out data.key > data.key.enc", what: "Keeps both halves." },
      ],
      next: "Encrypt with the key, keep its ciphertext, and delete the file.",
      load: async () => (await import("../services/key.ts")).dataKey,
    },
  ],
};
