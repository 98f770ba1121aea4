// SPDX-License-Identifier: Apache-2.0
// Pages of `adyton admin` and `adyton proposal`.

import type { ArgumentSpec, Group } from "../frame/command.ts";
import { ADMIN } from "./services.ts";

const NAME: ArgumentSpec = { name: "NAME", summary: "lower-case letters, digits, . _ -" };
const ID: ArgumentSpec = { name: "ID", summary: "the proposal's id, 32 hex digits" };

export const admin: Group = {
  kind: "group",
  name: "admin",
  summary: "administrators, and what each of them may do",
  description: [
    "An administrator proves who they are by a token, by a JWT of an identity provider that the trust services know, or by a client certificate. What they may do is granted by roles and by grants: actions on targets. The owner's token in the state folder may do everything.",
    "Roles: owner, operator (everything but administrators, tenants and root keys), releaser (puts and lists secrets), policy-officer (policies and reference values), approver (decides about proposals), auditor (reads).",
  ],
  commands: [
    {
      kind: "command",
      name: "add",
      summary: "add an administrator",
      description: [
        "Makes a token here, writes it to --out and sends the trust services its digest alone. With --jwt or --certificate they are known by that instead. Nobody grants more than they may do themselves.",
        "A grant is ACTIONS=TARGETS, both separated by commas: resource.put,resource.list=team-a/**. Targets are names of what the action is about; * stands for the rest of a part, ** for all parts that are left.",
      ],
      arguments: [NAME],
      options: [
        ...ADMIN,
        { name: "role", value: "ROLE", summary: "a role", multiple: true },
        { name: "grant", value: "GRANT", summary: "actions=targets", multiple: true },
        { name: "in", value: "TENANTS", summary: "only in these tenants, by commas; default for none" },
        { name: "expires", value: "TIME", summary: "until when (RFC 3339, or a date)" },
        { name: "out", value: "FILE", summary: "where the token is written, mode 0600", file: true },
        { name: "jwt", value: "ISSUER#SUBJECT", summary: "known by JWTs of this issuer and subject" },
        {
          name: "certificate",
          value: "FILE",
          summary: "known by the key of this certificate (PEM)",
          file: true,
        },
      ],
      exits: [2, 3, 5, 6],
      examples: [
        { line: "adyton admin add alice --role owner --out alice.token", what: "Another owner." },
        {
          line: "adyton admin add ci --grant 'resource.put=team-a/**' --out ci.token",
          what: "A program that puts secrets of one team.",
        },
        {
          line: "adyton admin add bob --role auditor --jwt https://id.example#bob",
          what: "A person whom an identity provider knows.",
        },
      ],
      next: "They use it with --token-file FILE, or ADYTON_TOKEN_FILE.",
      load: async () => (await import("../services/admin.ts")).add,
    },
    {
      kind: "command",
      name: "list",
      summary: "list administrators with what they may do",
      description: ["Prints one a line. The owner of the state folder's token is not among them."],
      arguments: [],
      options: ADMIN,
      exits: [3, 5, 6],
      examples: [{ line: "adyton admin list --json", what: "Shows all, for programs." }],
      next: "`adyton admin delete NAME` takes one away.",
      load: async () => (await import("../services/admin.ts")).list,
    },
    {
      kind: "command",
      name: "delete",
      summary: "take an administrator away",
      description: ["From that moment they are nobody. What they proposed can be approved no longer."],
      arguments: [NAME],
      options: ADMIN,
      exits: [3, 5, 6],
      examples: [{ line: "adyton admin delete ci", what: "Takes one away." }],
      next: "`adyton admin list` shows who is left.",
      load: async () => (await import("../services/admin.ts")).remove,
    },
    {
      kind: "command",
      name: "whoami",
      summary: "show whose token this is",
      description: ["Prints the id that stands in the audit log, and the roles."],
      arguments: [],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton admin whoami --token-file ci.token", what: "Shows who that is." }],
      next: "`adyton audit list` shows what they did.",
      load: async () => (await import("../services/admin.ts")).whoami,
    },
  ],
};

export const proposal: Group = {
  kind: "group",
  name: "proposal",
  summary: "what waits for a second administrator: look, approve, reject",
  description: [
    "For actions that the trust services were told to ask more than one for, a request is kept sealed and carried out as it is once others have approved it. Nobody approves what they proposed.",
  ],
  commands: [
    {
      kind: "command",
      name: "list",
      summary: "list proposals, the newest first",
      description: ["Prints one a line: id, state, action, target, who proposed it, until when."],
      arguments: [],
      options: [...ADMIN, { name: "all", summary: "also those that are decided" }],
      exits: [3, 5, 6],
      examples: [{ line: "adyton proposal list", what: "Shows what waits." }],
      next: "`adyton proposal show ID` shows what is asked.",
      load: async () => (await import("../services/proposal.ts")).list,
    },
    {
      kind: "command",
      name: "show",
      summary: "show what a proposal asks for",
      description: [
        "A policy is compared with the one in force, line by line. Reference values, tenants and administrators are shown as they would be; of a secret only its size.",
      ],
      arguments: [ID],
      options: ADMIN,
      exits: [3, 5, 6],
      examples: [{ line: "adyton proposal show 00112233445566778899aabbccddeeff", what: "Shows one." }],
      next: "`adyton proposal approve ID --digest DIGEST` approves exactly what was shown.",
      load: async () => (await import("../services/proposal.ts")).show,
    },
    {
      kind: "command",
      name: "approve",
      summary: "approve a proposal; the last approval that is needed carries it out",
      description: [
        "With --digest it approves what that digest stands for and nothing else. Exit code 5 says that it was carried out and refused.",
      ],
      arguments: [ID],
      options: [
        ...ADMIN,
        { name: "digest", value: "HEX", summary: "the digest that was shown; default what stands there now" },
      ],
      exits: [3, 5, 6],
      examples: [{ line: "adyton proposal approve 00112233445566778899aabbccddeeff", what: "Approves one." }],
      next: "`adyton audit list` shows what happened.",
      load: async () => (await import("../services/proposal.ts")).approve,
    },
    {
      kind: "command",
      name: "reject",
      summary: "reject a proposal for good",
      description: ["Whoever proposed it may do that, too."],
      arguments: [ID],
      options: ADMIN,
      exits: [3, 5, 6],
      examples: [{ line: "adyton proposal reject 00112233445566778899aabbccddeeff", what: "Rejects one." }],
      next: "`adyton proposal list` shows what is left.",
      load: async () => (await import("../services/proposal.ts")).reject,
    },
  ],
};
