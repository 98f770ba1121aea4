// SPDX-License-Identifier: Apache-2.0
// Pages of `adyton reference`.

import type { ArgumentSpec, Command, Group, OptionSpec } from "../frame/command.ts";
import { ADMIN } from "./services.ts";

const NAME: ArgumentSpec = {
  name: "ID",
  summary: "the reference value's id, for example launch_digest, snp_launch_measurement, mr_td",
};
const VALUE: ArgumentSpec = { name: "VALUE", summary: "one of its values; default all", optional: true };
const GROUP_NAME: ArgumentSpec = { name: "NAME", summary: "the group's name, for example v1.4" };
const GROUP: OptionSpec = { name: "group", value: "NAME", summary: "the release that the values belong to" };
const STATUSES: readonly string[] = ["live", "revoked", "disabled", "expired", "pending"];

const groupCommands: readonly Command[] = [
  {
    kind: "command",
    name: "list",
    summary: "list groups",
    description: ["Prints one group a line: its name, how many values it has, and whether they count."],
    arguments: [],
    options: ADMIN,
    exits: [3, 6],
    examples: [{ line: "adyton reference group list", what: "Shows all." }],
    next: "`adyton reference list --group NAME` shows the values of one.",
    load: async () => (await import("../services/reference-group.ts")).list,
  },
  {
    kind: "command",
    name: "enable",
    summary: "let the values of a group count again",
    description: ["What was revoked, or has expired, does not count all the same."],
    arguments: [GROUP_NAME],
    options: ADMIN,
    exits: [3, 6],
    examples: [{ line: "adyton reference group enable v1.4", what: "Accepts the release again." }],
    next: "`adyton reference list` shows what counts now.",
    load: async () => (await import("../services/reference-group.ts")).enable,
  },
  {
    kind: "command",
    name: "disable",
    summary: "let no value of a group count",
    description: ["Workloads of that release are refused from then on, until the group is enabled again."],
    arguments: [GROUP_NAME],
    options: ADMIN,
    exits: [3, 6],
    examples: [{ line: "adyton reference group disable v1.3", what: "Ends a release." }],
    next: "`adyton reference group enable NAME` takes it back.",
    load: async () => (await import("../services/reference-group.ts")).disable,
  },
  {
    kind: "command",
    name: "delete",
    summary: "delete every value of a group",
    description: ["Values that were revoked stay so."],
    arguments: [GROUP_NAME],
    options: ADMIN,
    exits: [3, 6],
    examples: [{ line: "adyton reference group delete v1.2", what: "Removes a release for good." }],
    next: "`adyton reference list` shows what is left.",
    load: async () => (await import("../services/reference-group.ts")).remove,
  },
];

export const reference: Group = {
  kind: "group",
  name: "reference",
  summary: "say, show and take back reference values: what a good workload looks like",
  description: [
    "A reference value is what a claim of good evidence may be, for example the launch digest of a workload you trust. Without one for its measurement, no workload gets a secret. Every value carries who vouches for it: you, or whoever signed the document that it is from.",
  ],
  commands: [
    {
      kind: "command",
      name: "set",
      summary: "set the values a claim may have",
      description: [
        "Replaces what administrators set under ID; what signed documents say stays. A claim passes when it equals one of the values.",
      ],
      arguments: [NAME, { name: "VALUES", summary: "the values, separated by commas" }],
      options: ADMIN,
      exits: [3, 5, 6],
      examples: [
        {
          line: "adyton reference set launch_digest $(sha384sum workload.mjs | cut -d' ' -f1)",
          what: "Accepts one program of the software TEE.",
        },
        { line: "adyton reference set snp_bootloader 3,4", what: "Accepts two versions." },
      ],
      next: "`adyton reference list` shows all.",
      load: async () => (await import("../services/reference.ts")).set,
    },
    {
      kind: "command",
      name: "add",
      summary: "add the values of a document",
      description: [
        "Takes plain JSON (id to value or values), a CoRIM, an integrity manifest (NVIDIA's SWID tags), or SLSA provenance in a sigstore bundle; which, shows in the file. Signatures are checked by the services, offline, against the keys, roots and builders in the folder trust/ of their state folder, and NVIDIA's root.",
        "Provenance names files and their digests: --subject says which digest becomes the value of which id.",
      ],
      arguments: [{ name: "FILE", summary: "the document; - or none for stdin", optional: true, file: true }],
      options: [
        ...ADMIN,
        GROUP,
        { name: "expires", value: "TIME", summary: "let the values end then (RFC 3339, or a date)" },
        { name: "replace", summary: "take the place of what the same voucher said under the same ids" },
        {
          name: "subject",
          value: "FILE:ALGORITHM=ID",
          multiple: true,
          summary: "of provenance: the digest of this file is the value of this id",
        },
      ],
      exits: [2, 3, 4, 5, 6],
      examples: [
        { line: "adyton reference add vendor.corim --group v1.4", what: "Adds a release of a supplier." },
        {
          line: "adyton reference add build.sigstore.json --subject workload.mjs:sha384=launch_digest",
          what: "Accepts what a trusted builder built.",
        },
      ],
      next: "`adyton reference show ID` says who vouches for a value.",
      load: async () => (await import("../services/reference.ts")).add,
    },
    {
      kind: "command",
      name: "list",
      summary: "list reference values",
      description: ["Prints one id a line with the values that count; with --status or --group, others too."],
      arguments: [],
      options: [
        ...ADMIN,
        GROUP,
        { name: "status", value: "S", choices: STATUSES, summary: "list values of this status" },
      ],
      exits: [3, 6],
      examples: [
        { line: "adyton reference list --json", what: "Shows all, for programs." },
        { line: "adyton reference list --status expired", what: "Shows what has to be renewed." },
      ],
      next: "`adyton reference show ID` says who vouches for a value.",
      load: async () => (await import("../services/reference.ts")).list,
    },
    {
      kind: "command",
      name: "show",
      summary: "show who vouches for the values of an id, and until when",
      description: ["Prints one value a line, also those that do not count, and what was revoked."],
      arguments: [NAME],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton reference show launch_digest", what: "Shows the vouchers." }],
      next: "`adyton reference revoke ID VALUE` takes a value back.",
      load: async () => (await import("../services/reference.ts")).show,
    },
    {
      kind: "command",
      name: "revoke",
      summary: "take a value back for good",
      description: [
        "No policy sees the value from then on, whoever vouches for it, and registering it again does not bring it back. --undo does.",
        "With --voucher every value that a supplier's key vouched for is taken back at once, all or none. Take the key out of the folder trust/ of the services, too, or it goes on vouching for new ones.",
      ],
      arguments: [{ ...NAME, optional: true }, VALUE],
      options: [
        ...ADMIN,
        {
          name: "voucher",
          value: "KEYID",
          summary: "instead of ID: everything that this key vouched for (keyId, as show --json tells it)",
        },
        { name: "reason", value: "TEXT", summary: "why, for the audit log" },
        { name: "undo", summary: "let the value count again" },
      ],
      exits: [3, 6],
      examples: [
        {
          line: "adyton reference revoke launch_digest 9f2c… --reason CVE-2026-1234",
          what: "Takes one build back.",
        },
        { line: "adyton reference revoke launch_digest 9f2c… --undo", what: "Was a mistake." },
        { line: "adyton reference revoke --voucher 5a1b…", what: "A supplier lost its key." },
      ],
      next: "`adyton reference show ID` shows what was revoked.",
      load: async () => (await import("../services/reference.ts")).revoke,
    },
    {
      kind: "command",
      name: "expire",
      summary: "let values end at a time",
      description: [
        "Without --at they end now. What a signed document says does not hold for longer than it says itself.",
      ],
      arguments: [NAME, VALUE],
      options: [...ADMIN, { name: "at", value: "TIME", summary: "when (RFC 3339, or a date); default now" }],
      exits: [2, 3, 6],
      examples: [
        { line: "adyton reference expire launch_digest --at 2027-01-01", what: "Ends an id's values." },
      ],
      next: "`adyton reference list --status expired` shows what has ended.",
      load: async () => (await import("../services/reference.ts")).expire,
    },
    {
      kind: "group",
      name: "group",
      summary: "enable, disable and delete the values of a release as one",
      description: ["Values are put into a group with `adyton reference add FILE --group NAME`."],
      commands: groupCommands,
    },
    {
      kind: "command",
      name: "delete",
      summary: "delete a reference value",
      description: [
        "Workloads that were accepted by it are refused from then on. Unlike what was revoked, it can be registered again.",
      ],
      arguments: [NAME],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton reference delete launch_digest", what: "Removes it." }],
      next: "`adyton reference list` shows what is left.",
      load: async () => (await import("../services/reference.ts")).remove,
    },
  ],
};
