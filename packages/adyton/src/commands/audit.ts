// SPDX-License-Identifier: Apache-2.0
// Pages of `adyton audit`: the log of everything that the trust services decided.

import type { Group, OptionSpec } from "../frame/command.ts";
import { ADMIN, DIR } from "./services.ts";

const URL_OPTION: OptionSpec = {
  name: "url",
  value: "URL",
  summary: "the trust services; default $ADYTON_URL, then what `adyton up` noted in the state folder",
};
const LOG_KEY: OptionSpec = {
  name: "log-key",
  value: "KEY",
  summary:
    "the log's key or a file that holds it; default $ADYTON_LOG_KEY, then what the services say themselves",
  file: true,
};
const WITNESS_DIR: OptionSpec = {
  name: "witness-dir",
  value: "DIR",
  summary: "where the witness keeps its key and its memory; default witness in the state folder",
  file: true,
};
const READER: readonly OptionSpec[] = [...ADMIN, LOG_KEY];

export const audit: Group = {
  kind: "group",
  name: "audit",
  summary: "read, prove, verify and watch the log of everything that the trust services decided",
  description: [
    "Releases, refusals and every change are entries of a Merkle tree (RFC 6962), whose size and root the services sign. Who has the log's key can check a single entry offline, and that the log only ever grew; who also remembers what he saw notices when it was set back or shown differently to others.",
  ],
  commands: [
    {
      kind: "command",
      name: "list",
      summary: "list entries",
      description: [
        "Prints one entry a line, oldest first: number, time, type and facts. Secrets never stand in the log. Other tenants' entries are left out.",
      ],
      arguments: [],
      options: [
        ...READER,
        { name: "after", value: "SEQ", summary: "entries after this number" },
        { name: "limit", value: "N", summary: "at most so many; default 100" },
        {
          name: "type",
          value: "TYPE",
          summary: "of this type, such as resource.release, or resource for all that begin so",
          multiple: true,
        },
        { name: "decision", value: "D", summary: "with this decision", choices: ["allow", "deny"] },
        { name: "tenant", value: "NAME", summary: "of this tenant" },
        { name: "since", value: "TIME", summary: "from this time on, RFC 3339" },
      ],
      exits: [2, 3, 6],
      examples: [
        {
          line: "adyton audit list --type resource.release --decision deny",
          what: "Shows refused releases and why.",
        },
        {
          line: "adyton audit list --since 2026-03-01 --json",
          what: "Gives everything since then to a program.",
        },
      ],
      next: "`adyton audit prove SEQ` makes a file that proves an entry.",
      load: async () => (await import("../services/audit.ts")).list,
    },
    {
      kind: "command",
      name: "prove",
      summary: "make a file that proves an entry to others",
      description: [
        "Writes a proof in the field's format (C2SP tlog-proof): the entry, its place in the tree, and a checkpoint that the log's key signed. With --witness the checkpoint is the last one that this witness cosigned.",
      ],
      arguments: [{ name: "SEQ", summary: "the entry's number" }],
      options: [
        ...READER,
        { name: "witness", value: "NAME", summary: "prove by what this witness has cosigned" },
        { name: "out", value: "FILE", summary: "write the proof to this file, mode 0600", file: true },
      ],
      exits: [2, 3, 6],
      examples: [
        { line: "adyton audit prove 17 --out release.tlog-proof", what: "Writes the proof of entry 17." },
      ],
      next: "`adyton audit verify FILE --log-key KEY` checks it, anywhere.",
      load: async () => (await import("../services/audit.ts")).prove,
    },
    {
      kind: "command",
      name: "verify",
      summary: "check a proof offline, or the whole log",
      description: [
        "With a FILE: checks the proof with the log's key alone, without any network, and shows the entry.",
        "Without: reads every entry and checks that they are what the newest checkpoint covers. With --noted FILE also that the log still holds all that it held when the file was written; then the new checkpoint takes its place. Keep that file on another machine.",
      ],
      arguments: [{ name: "FILE", summary: "a proof; - for stdin", optional: true, file: true }],
      options: [
        ...READER,
        {
          name: "witness",
          value: "KEY",
          summary: "demand that this witness has cosigned; its key or a file that holds it",
          multiple: true,
          file: true,
        },
        { name: "noted", value: "FILE", summary: "a checkpoint kept from before; written anew", file: true },
      ],
      exits: [2, 3, 6],
      examples: [
        {
          line: "adyton audit verify release.tlog-proof --log-key log.key",
          what: "Checks one entry offline.",
        },
        {
          line: "adyton audit verify --noted /media/usb/log.checkpoint",
          what: "Checks the whole log, and that it was not set back.",
        },
      ],
      next: "`adyton audit watch` does this on a second machine, all the time.",
      load: async () => (await import("../services/audit.ts")).verify,
    },
    {
      kind: "command",
      name: "key",
      summary: "print the log's key",
      description: [
        "Prints the key that the services say their log has. Hand it to auditors and witnesses by a way that you trust.",
      ],
      arguments: [],
      options: [URL_OPTION, DIR, LOG_KEY],
      exits: [2, 6],
      examples: [{ line: "adyton audit key > log.key", what: "Keeps it in a file." }],
      next: "Give it to the other commands with --log-key.",
      load: async () => (await import("../services/audit.ts")).key,
    },
    {
      kind: "command",
      name: "watch",
      summary: "follow the log on another machine, cosign it, and alarm when it was changed",
      description: [
        "Looks at the log again and again. Each checkpoint must go on from the last one that was seen; then it is remembered, cosigned and handed to the services. The log's key is pinned at the first look. Takes no admin token. One watcher a folder.",
        "Ends with exit code 3 when the log was set back, forked or signed by another key, and keeps both checkpoints in the witness's folder: they prove it to others. Services that do not answer are asked again.",
      ],
      arguments: [],
      options: [
        URL_OPTION,
        DIR,
        LOG_KEY,
        WITNESS_DIR,
        { name: "interval", value: "SECONDS", summary: "between two looks; default 60" },
        { name: "once", summary: "look once, then end" },
      ],
      exits: [2, 3, 6],
      examples: [
        {
          line: "adyton audit watch --url https://broker.example --log-key log.key",
          what: "Follows a log until Ctrl-C.",
        },
        { line: "adyton audit watch --once --json", what: "One look, for a timer." },
      ],
      next: "`adyton audit witness add KEY` lets the services take the cosignatures.",
      load: async () => (await import("../services/watch.ts")).watch,
    },
    {
      kind: "group",
      name: "witness",
      summary: "the machines that watch the log",
      description: [
        "A witness cosigns what `adyton audit watch` saw. The services show to everybody what witnesses they know cosigned last.",
      ],
      commands: [
        {
          kind: "command",
          name: "key",
          summary: "print the key of this machine's witness",
          description: ["Makes the key on first use."],
          arguments: [],
          options: [DIR, WITNESS_DIR],
          exits: [2, 6],
          examples: [{ line: "adyton audit witness key", what: "Shows what the services need to know." }],
          next: "`adyton audit witness add KEY`, as administrator of the services.",
          load: async () => (await import("../services/watch.ts")).witnessKey,
        },
        {
          kind: "command",
          name: "list",
          summary: "list witnesses, and what they cosigned last",
          description: ["Prints one witness a line."],
          arguments: [],
          options: [URL_OPTION, DIR, LOG_KEY],
          exits: [2, 3, 6],
          examples: [{ line: "adyton audit witness list", what: "Shows who watches." }],
          next: "A witness that has stopped is worth a look.",
          load: async () => (await import("../services/watch.ts")).witnessList,
        },
        {
          kind: "command",
          name: "add",
          summary: "take cosignatures of a witness from now on",
          description: ["A key of the same name is replaced."],
          arguments: [{ name: "KEY", summary: "the witness's key, or a file that holds it", file: true }],
          options: READER,
          exits: [2, 3, 6],
          examples: [
            { line: "adyton audit witness add witness.key", what: "Adds the one whose key is in the file." },
          ],
          next: "`adyton audit watch` on the witness's machine.",
          load: async () => (await import("../services/watch.ts")).witnessAdd,
        },
        {
          kind: "command",
          name: "remove",
          summary: "take no more cosignatures of a witness",
          description: ["What it cosigned last is forgotten too."],
          arguments: [{ name: "NAME", summary: "the witness's name, as listed" }],
          options: READER,
          exits: [2, 3, 6],
          examples: [
            { line: "adyton audit witness remove adyton-witness/0011223344556677", what: "Removes one." },
          ],
          next: "`adyton audit witness list` shows who is left.",
          load: async () => (await import("../services/watch.ts")).witnessRemove,
        },
      ],
    },
  ],
};
