// SPDX-License-Identifier: Apache-2.0
// What it takes to open the root keys of a state folder, as options. Secrets come in files, never on the line.

import type { OptionSpec } from "../frame/command.ts";

export const ROOT_KEY_CHOICES = ["file", "passphrase", "tpm", "pkcs11", "vault-transit"] as const;

/** What opens them. */
export const ROOT_KEY: readonly OptionSpec[] = [
  {
    name: "root-key",
    value: "KIND",
    summary:
      "who keeps the root keys of a new state, or of one in PostgreSQL; default $ADYTON_ROOT_KEY, then file",
    choices: ROOT_KEY_CHOICES,
  },
  {
    name: "root-passphrase-file",
    value: "FILE",
    summary:
      "their passphrase; - for stdin; default $ADYTON_ROOT_PASSPHRASE_FILE, then asked on the terminal",
    file: true,
  },
  {
    name: "root-tpm",
    value: "ADDRESS",
    summary: "their TPM, device:PATH or swtpm:…; default $ADYTON_TPM, then device:/dev/tpmrm0",
  },
  {
    name: "root-pcrs",
    value: "N,N",
    summary: "PCRs of SHA-256 that have to stay as they are; default 0,2,4,7",
  },
  {
    name: "root-pkcs11-module",
    value: "FILE",
    summary: "the library of their token; default $ADYTON_PKCS11_MODULE",
    file: true,
  },
  { name: "root-pkcs11-token", value: "LABEL", summary: "the token for new root keys; default the first" },
  {
    name: "root-pin-file",
    value: "FILE",
    summary: "the token's PIN; default $ADYTON_ROOT_PIN_FILE",
    file: true,
  },
  { name: "root-vault-url", value: "URL", summary: "Vault or OpenBao, for new root keys" },
  { name: "root-vault-key", value: "NAME", summary: "its transit key, for new root keys; default adyton" },
  {
    name: "root-vault-token-file",
    value: "FILE",
    summary: "the token for it; default $ADYTON_ROOT_VAULT_TOKEN_FILE",
    file: true,
  },
];

/** Where the state is, when it is not in its folder. */
export const STORE: readonly OptionSpec[] = [
  {
    name: "config",
    value: "FILE",
    summary:
      "the services' configuration, which may name folder, database and root key; default $ADYTON_CONFIG",
    file: true,
  },
  {
    name: "postgres",
    value: "URL",
    summary: "the database of a state in PostgreSQL; with a password rather in $ADYTON_POSTGRES",
  },
  { name: "postgres-schema", value: "NAME", summary: "its schema; default adyton" },
  { name: "postgres-ca", value: "FILE", summary: "who vouches for its server (PEM)", file: true },
];
