// SPDX-License-Identifier: Apache-2.0
// Pages of `adyton config`, and the options that say how the services run.

import type { ArgumentSpec, Group, OptionSpec } from "../frame/command.ts";

const FILE: ArgumentSpec = { name: "FILE", summary: "TOML, YAML or JSON, by its ending", file: true };

/** Each is a setting, and counts before the environment and the file. */
export const SETTINGS: readonly OptionSpec[] = [
  { name: "config", value: "FILE", summary: "the configuration; default $ADYTON_CONFIG", file: true },
  { name: "set", value: "NAME=VALUE", multiple: true, summary: "a setting, such as limits.sessions=5000" },
  { name: "host", value: "ADDRESS", summary: "the address to listen on; default 127.0.0.1" },
  { name: "port", value: "N", summary: "the port; 0 takes a free one; default 8080" },
  { name: "tls-cert", value: "FILE", summary: "serve HTTPS with this certificate chain (PEM)", file: true },
  { name: "tls-key", value: "FILE", summary: "its key (PEM)", file: true },
  { name: "workers", value: "N", summary: "processes that serve together, over PostgreSQL; default 1" },
  { name: "metrics-listen", value: "HOST:PORT", summary: "serve /metrics there, without a token" },
  { name: "otlp", value: "URL", summary: "send traces to this OTLP/HTTP collector" },
  {
    name: "log-level",
    value: "LEVEL",
    summary: "what is told; default info",
    choices: ["debug", "info", "warn", "error", "off"],
  },
  {
    name: "log-format",
    value: "FORMAT",
    summary: "default auto: pretty on a terminal, else JSON",
    choices: ["auto", "json", "pretty"],
  },
];

export const config: Group = {
  kind: "group",
  name: "config",
  summary: "check, show and import the configuration of the trust services",
  description: [
    "What flags of `adyton up` say counts before the environment (ADYTON_BROKER__SECTION__NAME), that before the file, that before the default. Names that are not known are refused. Every setting is described in docs/configuration.md.",
  ],
  commands: [
    {
      kind: "command",
      name: "check",
      summary: "say whether a file is right",
      description: ["Names every place that is wrong. Files that it names are not opened."],
      arguments: [FILE],
      options: [],
      exits: [2],
      examples: [{ line: "adyton config check broker.toml", what: "Checks a file before a restart." }],
      next: "`adyton up --config FILE` runs with it.",
      load: async () => (await import("../services/config.ts")).check,
    },
    {
      kind: "command",
      name: "show",
      summary: "show what counts, and where it comes from",
      description: ["Prints each setting with its value and its origin: flag, env, file or default."],
      arguments: [],
      options: [...SETTINGS, { name: "changed", summary: "only what is set somewhere" }],
      exits: [2],
      examples: [
        { line: "adyton config show --config broker.toml --changed", what: "Shows what the file sets." },
      ],
      next: "`adyton config check FILE` checks a file alone.",
      load: async () => (await import("../services/config.ts")).show,
    },
    {
      kind: "command",
      name: "schema",
      summary: "print the schema of configuration files",
      description: ["JSON Schema (2020-12), for editors; or the page of docs/configuration.md."],
      arguments: [],
      options: [{ name: "markdown", summary: "print the page for people" }],
      exits: [],
      examples: [
        { line: "adyton config schema > broker.schema.json", what: "Writes the schema for an editor." },
      ],
      next: "`adyton config check FILE` checks a file.",
      load: async () => (await import("../services/config.ts")).schema,
    },
    {
      kind: "command",
      name: "import",
      summary: "say a configuration of Trustee's KBS in ours",
      description: [
        "Prints TOML. What is not taken over is named on stderr, with the reason; so is what remains to be done.",
      ],
      arguments: [FILE],
      options: [],
      exits: [2],
      examples: [
        { line: "adyton config import kbs-config.toml > broker.toml", what: "Begins with what is there." },
      ],
      next: "`adyton config check FILE` checks the result.",
      load: async () => (await import("../services/config.ts")).importConfig,
    },
  ],
};
