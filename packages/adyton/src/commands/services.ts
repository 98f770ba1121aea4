// SPDX-License-Identifier: Apache-2.0
// Pages of the commands that talk to trust services or run them.

import { TEE_NAMES } from "@adyton/evidence";
import type { ArgumentSpec, Command, Group, OptionSpec } from "../frame/command.ts";
import { SETTINGS } from "./config.ts";
import { ROOT_KEY } from "./root-options.ts";

export const DIR: OptionSpec = {
  name: "dir",
  value: "DIR",
  summary: "the state folder; default $ADYTON_DIR, then .adyton in the working folder",
  file: true,
};
const URL_OPTION: OptionSpec = {
  name: "url",
  value: "URL",
  summary: "the trust services; default $ADYTON_URL, then what `adyton up` noted in the state folder",
};
const TOKEN_FILE: OptionSpec = {
  name: "token-file",
  value: "FILE",
  summary: "the admin token; default $ADYTON_TOKEN_FILE, then admin.token in the state folder",
  file: true,
};
export const ADMIN: readonly OptionSpec[] = [URL_OPTION, TOKEN_FILE, DIR];
const TEE: OptionSpec = {
  name: "tee",
  value: "T",
  summary: "attest with this TEE; default the first that works here, hardware first",
  choices: TEE_NAMES,
};
/** Of commands that attest on this machine to get something. */
export const ATTESTED: readonly OptionSpec[] = [URL_OPTION, DIR, TEE];
/** Of those that get a secret. */
export const SECRET_OUT: readonly OptionSpec[] = [
  { name: "out", value: "FILE", summary: "write the secret to this file, mode 0600", file: true },
  { name: "force", summary: "write it to stdout even when that is a terminal" },
];
const SECRET_NAME: ArgumentSpec = {
  name: "NAME",
  summary: "repository/type/tag, for example default/hello/secret",
};

export const up: Command = {
  kind: "command",
  name: "up",
  summary: "run the trust services on this machine",
  description: [
    "Starts the verifier, the reference values, the policy and the key broker in one server on 127.0.0.1, speaking the KBS protocol of Confidential Containers. State lives in a folder that only you can read: the encrypted store, its root key, the token-signing key and the admin token. Endorsements are read from its folder endorsements/, further roots from roots/.",
    "Settings come from flags, from variables ADYTON_BROKER__SECTION__NAME and from a file; `adyton config show` tells what counts. With a certificate it serves HTTPS, and takes a new one when the files change, or on SIGHUP.",
    "With --dev the services also trust this machine's software TEE, whose keys lie in the state folder, and release secrets to simulated evidence. That proves flows, not secrecy: never use it for secrets that matter.",
  ],
  arguments: [],
  options: [
    DIR,
    ...SETTINGS,
    { name: "dev", summary: "trust this machine's software TEE, and allow simulated evidence" },
    ...ROOT_KEY,
  ],
  exits: [2, 4, 6],
  examples: [
    { line: "adyton up --dev", what: "Services for a laptop, on http://127.0.0.1:8080, until Ctrl-C." },
    { line: "adyton up --dir /var/lib/adyton --port 8443", what: "Services with their state elsewhere." },
    { line: "adyton up --config /etc/adyton/broker.toml", what: "Services as a file says." },
  ],
  next: "In another terminal: `adyton secret put default/hello/secret FILE`.",
  load: async () => (await import("../services/up.ts")).up,
};

export const secret: Group = {
  kind: "group",
  name: "secret",
  summary: "put, get, list and delete the secrets that the trust services release",
  description: [
    "Secrets are named repository/type/tag. Putting, listing and deleting takes the admin token; getting takes evidence that the policy accepts, from the machine the command runs on.",
  ],
  commands: [
    {
      kind: "command",
      name: "put",
      summary: "store a secret",
      description: [
        "Sends the bytes of FILE, or of stdin, as they are: a line break at the end is kept. An existing secret of that name is replaced.",
      ],
      arguments: [
        SECRET_NAME,
        { name: "FILE", summary: "the secret; - or none for stdin", optional: true, file: true },
      ],
      options: ADMIN,
      exits: [2, 3, 6],
      examples: [
        { line: "adyton secret put default/hello/secret key.bin", what: "Stores a file." },
        { line: "openssl rand 32 | adyton secret put default/disk/key", what: "Stores fresh random bytes." },
      ],
      next: "`adyton reference set` says which workloads may have it.",
      load: async () => (await import("../services/secret.ts")).put,
    },
    {
      kind: "command",
      name: "get",
      summary: "get a secret by attesting on this machine",
      description: [
        "Collects evidence here, bound to a fresh key and nonce, sends it to the trust services and decrypts what they release. The secret goes to stdout as raw bytes, or to a file that only you can read. It is never shown on a terminal unless you force it.",
        "With --tee sample outside a workload, the software TEE in the state folder speaks for this program; the services must run with --dev.",
      ],
      arguments: [SECRET_NAME],
      options: [
        ...ATTESTED,
        { name: "version", value: "N", summary: "an older version; default the newest" },
        ...SECRET_OUT,
      ],
      exits: [3, 4, 5, 6],
      examples: [
        { line: "adyton secret get default/hello/secret --out key.bin", what: "Writes it to a file." },
        { line: "adyton secret get default/disk/key | cryptsetup open …", what: "Hands it to a program." },
      ],
      next: "When it is refused, the answer names the rule that failed and what would change that.",
      load: async () => (await import("../services/secret.ts")).get,
    },
    {
      kind: "command",
      name: "list",
      summary: "list the names of secrets",
      description: ["Prints one name a line. Secrets themselves are never listed."],
      arguments: [],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton secret list", what: "Shows every name." }],
      next: "`adyton secret delete NAME` removes one.",
      load: async () => (await import("../services/secret.ts")).list,
    },
    {
      kind: "command",
      name: "delete",
      summary: "delete a secret",
      description: [
        "No workload gets it any more. Its name is kept: restore brings it back with its versions, purge removes it for good. Deleting one that is not there is refused.",
      ],
      arguments: [SECRET_NAME],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton secret delete default/hello/secret", what: "Deletes one." }],
      next: "`adyton secret restore NAME` brings it back, `adyton secret purge NAME` removes it for good.",
      load: async () => (await import("../services/secret.ts")).remove,
    },
    {
      kind: "command",
      name: "versions",
      summary: "show the versions of a secret",
      description: [
        "Each put makes a version. A workload gets the newest, or the one it names with ?version=. Deleted secrets are shown, too.",
      ],
      arguments: [SECRET_NAME],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton secret versions default/hello/secret", what: "Newest first." }],
      next: "`adyton secret put NAME` adds one.",
      load: async () => (await import("../services/secret.ts")).versions,
    },
    {
      kind: "command",
      name: "restore",
      summary: "bring a deleted secret back",
      description: ["With all its versions, under the name that was kept for it."],
      arguments: [SECRET_NAME],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton secret restore default/hello/secret", what: "Undoes a delete." }],
      next: "`adyton secret versions NAME` shows what is there.",
      load: async () => (await import("../services/secret.ts")).restore,
    },
    {
      kind: "command",
      name: "purge",
      summary: "remove a deleted secret for good",
      description: [
        "With all its versions; the name is free again. Only what was deleted before can be purged.",
      ],
      arguments: [SECRET_NAME],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton secret purge default/hello/secret", what: "Nothing brings it back." }],
      next: "`adyton secret list` shows what is left.",
      load: async () => (await import("../services/secret.ts")).purge,
    },
  ],
};

export const attest: Command = {
  kind: "command",
  name: "attest",
  summary: "collect evidence on this machine, and get a token for it",
  description: [
    "Asks this machine's TEE for evidence. With trust services (--url or $ADYTON_URL) it attests to them and prints the claims of the token they issue; without, it writes the evidence.",
    "Alone, --report-data chooses what the evidence binds; with trust services the protocol chooses it.",
  ],
  arguments: [],
  options: [
    TEE,
    URL_OPTION,
    DIR,
    { name: "report-data", value: "HEX", summary: "bind these bytes, at most 64; default zeros" },
    { name: "out", value: "FILE", summary: "write the raw evidence, or the token, to this file", file: true },
  ],
  exits: [3, 4, 5, 6],
  examples: [
    { line: "adyton attest --report-data 00ff --out quote.dat", what: "Writes evidence to a file." },
    {
      line: "adyton attest --url http://127.0.0.1:8080 --json",
      what: "Shows what the services say of this machine.",
    },
  ],
  next: "`adyton evidence verify FILE` verifies evidence; `adyton secret get NAME` gets a secret.",
  load: async () => (await import("../services/attest.ts")).attest,
};

export const tour: Command = {
  kind: "command",
  name: "tour",
  summary: "see everything work in a few seconds",
  description: [
    "Starts trust services for development on a free port, verifies real evidence where it finds some, puts a secret, runs a workload that attests and gets it, then changes one line of the workload and shows the refusal, why, a policy for some names, and the proof that all of it stands in the audit log. Every step is checked: the tour fails when something does not behave as promised.",
    "The workload runs in the software TEE: that proves the flow, not secrecy. The services stay up until Ctrl-C.",
  ],
  arguments: [],
  options: [
    { name: "once", summary: "end after the last step instead of staying up" },
    {
      name: "fixtures",
      value: "DIR",
      summary: "where real evidence lies; default $ADYTON_FIXTURES, then ../shared/fixtures",
      file: true,
    },
  ],
  exits: [6],
  examples: [
    { line: "adyton tour", what: "Shows all, then keeps the services up to play with." },
    { line: "adyton tour --once", what: "Exits 0 when every step did what it promises." },
  ],
  next: "`adyton up --dev` runs services that keep their state.",
  load: async () => (await import("../tour/run.ts")).tour,
};
