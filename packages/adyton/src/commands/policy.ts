// SPDX-License-Identifier: Apache-2.0
// Pages of `adyton policy`.

import { TEE_NAMES } from "@adyton/evidence";
import type { ArgumentSpec, Group, OptionSpec } from "../frame/command.ts";
import { EXPLANATIONS } from "../policy/trace-text.ts";
import { ADMIN } from "./services.ts";

const PATHS: ArgumentSpec = {
  name: "PATH",
  summary: "files and folders: .rego policies, and .json or .yaml data at the path of its folder",
  rest: true,
  file: true,
};
const POLICY_NAME: ArgumentSpec = {
  name: "NAME",
  summary: "resource, or attestation, attestation_cpu, attestation_gpu, attestation_switch",
};
const PATTERN: OptionSpec = {
  name: "path",
  value: "PATTERN",
  summary: "with resource: only for names such as team-a/** or team-a/*/key",
};
const V0: OptionSpec = { name: "v0", summary: "read the policies as Rego v0, without `if` and `contains`" };
const NOW: OptionSpec = { name: "now", value: "TIME", summary: "what time.now_ns() gives; default now" };

export const policy: Group = {
  kind: "group",
  name: "policy",
  summary: "test, check, format and try policies in Rego, and put them in force",
  description: [
    "Policies decide who gets in: attestation policies judge evidence, resource policies release secrets. They are written in Rego, the language of Open Policy Agent. All commands but set, get, activate, delete, list, and show with --url work offline; nothing a policy does reaches the network or a file.",
  ],
  commands: [
    {
      kind: "command",
      name: "test",
      summary: "run the tests that stand beside policies",
      description: [
        "Runs every rule whose name begins with test_. A test passes when it is defined and not false; test_x[case] has a result for each of its cases; todo_test_ rules are skipped. Of a test that fails the condition at which it stopped is shown, with its values, and what it printed.",
        "Where several files are in package policy and each has a FILE_test.rego beside it, each is tested by itself: the trust services take them one by one, too. query_reference_value is undefined until a test says `with query_reference_value as …`.",
      ],
      arguments: [PATHS],
      options: [
        { name: "run", value: "REGEX", summary: "only tests whose name matches" },
        { name: "coverage", summary: "say which lines of the policies the tests came by" },
        { name: "threshold", value: "N", summary: "exit 5 when less than N percent are covered" },
        { name: "verbose", summary: "show the tests that pass, too" },
        NOW,
        V0,
      ],
      exits: [2, 5, 6],
      examples: [
        { line: "adyton policy test policies/", what: "Runs all tests of a folder." },
        { line: "adyton policy test policies/ --run allow --coverage", what: "Some of them, with coverage." },
      ],
      next: "`adyton policy eval` tries a policy on an input.",
      load: async () => {
        const { tellingAll } = await import("../policy/load.ts");
        return tellingAll((await import("../policy/test.ts")).test);
      },
    },
    {
      kind: "command",
      name: "eval",
      summary: "answer a query",
      description: [
        "Evaluates QUERY, a reference such as data.policy.allow or any body of a rule, and prints the value of its expressions, or of its variables where it has any, once for each solution. With --fail the exit code is the answer: 5 when the query is undefined or false.",
      ],
      arguments: [
        { name: "QUERY", summary: "for example data.policy.allow, or 'x := data.users[_]; x.admin'" },
      ],
      options: [
        {
          name: "data",
          value: "PATH",
          summary: "policies and data, as in `adyton policy test`",
          multiple: true,
          file: true,
        },
        {
          name: "input",
          value: "FILE",
          summary: "the document that the policies call input; - for stdin",
          file: true,
        },
        {
          name: "explain",
          value: "HOW",
          summary: "show the steps: all, those that failed, or what print wrote",
          choices: EXPLANATIONS,
        },
        { name: "fail", summary: "exit 5 unless the query is true" },
        { name: "strict-errors", summary: "end with an error where a function cannot use its arguments" },
        { name: "limit-steps", value: "N", summary: "give up after so many steps" },
        NOW,
        V0,
      ],
      exits: [2, 5, 6],
      examples: [
        {
          line: "adyton policy eval data.policy.allow --data policies/ --input claims.json",
          what: "Decides one case.",
        },
        { line: "adyton policy eval '1 + 1'", what: "Computes." },
      ],
      next: "--explain fails shows which conditions did not hold, and with which values.",
      load: async () => {
        const { tellingAll } = await import("../policy/load.ts");
        return tellingAll((await import("../policy/evaluate.ts")).evaluate);
      },
    },
    {
      kind: "command",
      name: "check",
      summary: "find what is wrong with policies, without running them",
      description: [
        "Parses and compiles the policies together and prints every finding with its line, a caret and a hint: syntax, unknown names and functions, variables that nothing binds, rules that need themselves, types that never fit.",
      ],
      arguments: [PATHS],
      options: [
        {
          name: "schema",
          value: "PATH",
          summary: "a JSON schema of the input, or a folder of schemas for METADATA annotations to name",
          file: true,
        },
        V0,
      ],
      exits: [2, 6],
      examples: [
        { line: "adyton policy check policies/", what: "Exits 1 and tells why, or 0." },
        {
          line: "adyton policy check policies/ --schema schemas/",
          what: "Also finds what no input of the schemas has: schemas/acl/list.json is schema.acl.list.",
        },
      ],
      next: "`adyton policy test PATH` runs their tests.",
      load: async () => (await import("../policy/check.ts")).check,
    },
    {
      kind: "command",
      name: "fmt",
      summary: "lay policies out in the one way",
      description: [
        "Prints the policies in the layout that every reader of Rego knows. With --write the files are changed in place; with --check their names are printed and the exit code is 5 where any would change.",
      ],
      arguments: [PATHS],
      options: [
        { name: "write", summary: "change the files" },
        { name: "check", summary: "only name the files that would change" },
        V0,
      ],
      exits: [2, 5, 6],
      examples: [
        { line: "adyton policy fmt --write policies/", what: "Formats a folder." },
        { line: "adyton policy fmt --check policies/", what: "Guards it in CI." },
      ],
      next: "`adyton policy check PATH` finds what layout does not show.",
      load: async () => {
        const { tellingAll } = await import("../policy/load.ts");
        return tellingAll((await import("../policy/format.ts")).format);
      },
    },
    {
      kind: "command",
      name: "show",
      summary: "print the policy that judges evidence of a TEE",
      description: [
        "Prints the default policy for a TEE, all files of it, and the reference values that it asks for; without a TEE the list of them. With --url or --dir the attestation policy that the trust services judge by, which is the default one until one was set.",
      ],
      arguments: [
        { name: "TEE", summary: "whose policy; all when not given", optional: true, choices: TEE_NAMES },
      ],
      options: ADMIN,
      exits: [3, 6],
      examples: [
        { line: "adyton policy show snp", what: "What is good evidence of AMD SEV-SNP, by default." },
        { line: "adyton policy show tdx --url https://broker.example", what: "And by a broker." },
      ],
      next: "`adyton policy set attestation FILE` puts one of your own in force.",
      load: async () => (await import("../policy/show.ts")).show,
    },
    {
      kind: "command",
      name: "set",
      summary: "put a policy of the trust services in force",
      description: [
        "Sends FILE to the trust services, which compile it, run its tests and only then let it decide. A file beside it whose name ends in _test.rego is sent along as its tests. What does not hold is refused with line and caret, and the old policy stays.",
      ],
      arguments: [
        POLICY_NAME,
        { name: "FILE", summary: "the policy, package policy; - for stdin", file: true },
      ],
      options: [...ADMIN, PATTERN],
      exits: [3, 6],
      examples: [
        { line: "adyton policy set resource resource.rego", what: "Decides what is released to whom." },
        {
          line: "adyton policy set resource team.rego --path 'team-a/**'",
          what: "Decides about one team's secrets; the most specific pattern counts.",
        },
        { line: "adyton policy set attestation_cpu cpu.rego", what: "Decides what good evidence is." },
      ],
      next: "`adyton policy list` shows what is in force.",
      load: async () => (await import("../services/policy.ts")).set,
    },
    {
      kind: "command",
      name: "get",
      summary: "print a policy of the trust services",
      description: [
        "Prints the text that was set. While none was, the default is in force and the command is refused.",
      ],
      arguments: [POLICY_NAME],
      options: [...ADMIN, PATTERN],
      exits: [3, 6],
      examples: [{ line: "adyton policy get resource > resource.rego", what: "Keeps a copy." }],
      next: "`adyton policy set NAME FILE` replaces it.",
      load: async () => (await import("../services/policy.ts")).get,
    },
    {
      kind: "command",
      name: "activate",
      summary: "put an older version of a policy in force again",
      description: [
        "Sets the text and the tests of a version that is still kept (the last hundred) as a new version, once they hold. Without VERSION it lists those that are kept.",
      ],
      arguments: [POLICY_NAME, { name: "VERSION", summary: "its number, for example @3", optional: true }],
      options: ADMIN,
      exits: [3, 6],
      examples: [
        { line: "adyton policy activate resource", what: "Lists the versions." },
        { line: "adyton policy activate resource @3", what: "Goes back to the third." },
      ],
      next: "`adyton policy get NAME` prints what is in force.",
      load: async () => (await import("../services/policy.ts")).activate,
    },
    {
      kind: "command",
      name: "delete",
      summary: "take the resource policy of a pattern away",
      description: ["From then on the next most specific one decides about those names."],
      arguments: [{ name: "PATTERN", summary: "as it was given to --path, for example team-a/**" }],
      options: ADMIN,
      exits: [3, 5, 6],
      examples: [{ line: "adyton policy delete 'team-a/**'", what: "Takes it away." }],
      next: "`adyton policy list` shows what is left.",
      load: async () => (await import("../services/policy.ts")).remove,
    },
    {
      kind: "command",
      name: "list",
      summary: "list the policies that the trust services decide by",
      description: [
        "Prints one line for each policy that was set: name, version, when, SHA-384 of its text.",
      ],
      arguments: [],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton policy list --json", what: "Shows all, for programs." }],
      next: "`adyton policy get NAME` prints one.",
      load: async () => (await import("../services/policy.ts")).list,
    },
  ],
};
