// SPDX-License-Identifier: Apache-2.0
// Claims as rows for people: nested names joined by dots, and which of them identify what runs.

import type { JsonObject, JsonValue } from "@adyton/core/json";
import { isJsonObject } from "@adyton/core/json";
import { printable } from "../frame/style.ts";

const MAX_CELL = 160;

/** What was measured, and what it is bound to: last parts of claim names, in any TEE. */
const IDENTITIES: ReadonlySet<string> = new Set([
  // TDX
  "mr_td",
  "mr_seam",
  "rtmr_0",
  "rtmr_1",
  "rtmr_2",
  "rtmr_3",
  "mr_config_id",
  "mr_owner",
  "mr_owner_config",
  "mr_servicetd",
  // SGX
  "mr_enclave",
  "mr_signer",
  "isv_prod_id",
  "isv_svn",
  "config_id",
  // CCA
  "cca-realm-initial-measurement",
  "cca-platform-instance-id",
  "cca-platform-implementation-id",
  // Nitro
  "module_id",
  "pcr0",
  "pcr1",
  "pcr2",
  "pcr8",
  "user_data",
  // CSV
  "measure",
  "vm_id",
  "rtmr1",
  "rtmr2",
  "rtmr3",
  "rtmr4",
  "serial_number",
  // SEV
  "cek_spki_sha256",
  // SEV-SNP, sample
  "measurement",
  "launch_digest",
  "host_data",
  "id_key_digest",
  "author_key_digest",
  "chip_id",
  "init_data",
  "report_data",
]);

/** Every claim, in the order given. */
export function claimRows(claims: JsonObject): string[][] {
  return rowsOf(claims, "");
}

/** The claims that say what runs, each value once, without those that are all zero. */
export function identityRows(claims: JsonObject): string[][] {
  const seen = new Set<string>();
  return claimRows(claims)
    .map(([name = "", value = ""]) => [name.slice(name.lastIndexOf(".") + 1), value] as const)
    .filter(([name, value]) => {
      if (!IDENTITIES.has(name) || /^(0+|none|)$/.test(value) || seen.has(value)) return false;
      seen.add(value);
      return true;
    })
    .map((row) => [...row]);
}

function rowsOf(value: JsonValue, name: string): string[][] {
  if (isJsonObject(value)) {
    return Object.entries(value).flatMap(([key, child]) =>
      rowsOf(child, name === "" ? key : `${name}.${key}`),
    );
  }
  return [[name, textOf(value)]];
}

function textOf(value: JsonValue): string {
  if (value === null) return "none";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return printable(text.length > MAX_CELL ? `${text.slice(0, MAX_CELL)}… (${text.length} characters)` : text);
}
