// SPDX-License-Identifier: Apache-2.0
// Pages of `adyton tenant`.

import type { ArgumentSpec, Group, OptionSpec } from "../frame/command.ts";
import { ADMIN } from "./services.ts";

const NAME: ArgumentSpec = {
  name: "NAME",
  summary: "up to 40 lower-case letters, digits and -, a letter first",
};
const QUOTA: readonly OptionSpec[] = [
  { name: "max-secrets", value: "N", summary: "secrets it may keep; each kept version counts" },
  { name: "max-bytes", value: "N", summary: "bytes of all of them" },
  { name: "max-sessions", value: "N", summary: "workloads that attest at the same time" },
  { name: "max-requests", value: "N", summary: "requests a second, of all clients together" },
];

export const tenant: Group = {
  kind: "group",
  name: "tenant",
  summary: "tenants: each with secrets, reference values, policies and administrators of its own",
  description: [
    "What one tenant keeps, sets and signs is nothing to another: its tokens are signed with a key of its own, and its values are sealed to it. Its clients find it at URL/tenants/NAME; give that address with --url, or set ADYTON_TENANT, and every other command acts in it.",
  ],
  commands: [
    {
      kind: "command",
      name: "list",
      summary: "list tenants with what they keep",
      description: ["Prints one a line: name, state, secrets and bytes. Deleted ones stay in the list."],
      arguments: [],
      options: ADMIN,
      exits: [3, 5, 6],
      examples: [{ line: "adyton tenant list --json", what: "Shows all, for programs." }],
      next: "`adyton tenant create NAME` makes one.",
      load: async () => (await import("../services/tenant.ts")).list,
    },
    {
      kind: "command",
      name: "create",
      summary: "make a tenant",
      description: ["Without a limit it may use what the trust services have."],
      arguments: [NAME],
      options: [...ADMIN, ...QUOTA],
      exits: [3, 5, 6],
      examples: [
        { line: "adyton tenant create alpha", what: "Makes one." },
        {
          line: "adyton tenant create beta --max-secrets 100 --max-bytes 1000000",
          what: "Makes a small one.",
        },
      ],
      next: "`ADYTON_TENANT=alpha adyton admin add NAME --role owner --out FILE` gives it an owner.",
      load: async () => (await import("../services/tenant.ts")).create,
    },
    {
      kind: "command",
      name: "change",
      summary: "switch a tenant off or on, or give it other limits",
      description: [
        "A tenant that is switched off answers nobody and keeps everything. Limits that are given replace all that were set.",
      ],
      arguments: [NAME],
      options: [
        ...ADMIN,
        { name: "state", value: "STATE", summary: "whether it answers", choices: ["active", "disabled"] },
        ...QUOTA,
      ],
      exits: [3, 5, 6],
      examples: [{ line: "adyton tenant change alpha --state disabled", what: "Switches it off." }],
      next: "`adyton tenant list` shows the result.",
      load: async () => (await import("../services/tenant.ts")).change,
    },
    {
      kind: "command",
      name: "delete",
      summary: "delete a tenant with everything it keeps",
      description: [
        "There is no way back but a backup. The name is never given again, and the audit log keeps what happened.",
      ],
      arguments: [NAME],
      options: [...ADMIN, { name: "force", summary: "yes, all of its secrets" }],
      exits: [3, 5, 6],
      examples: [{ line: "adyton tenant delete alpha --force", what: "Deletes it." }],
      next: "`adyton tenant list` shows it as deleted.",
      load: async () => (await import("../services/tenant.ts")).remove,
    },
  ],
};
