// SPDX-License-Identifier: Apache-2.0
// A token of SoftHSM in a temporary folder: a real PKCS #11 module without hardware.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pkcs11Options } from "../src/pkcs11/token.ts";

const MODULES = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so"];
const MODULE = MODULES.find((path) => existsSync(path));

/** Whether SoftHSM is installed. */
export const hasSoftHsm: boolean = MODULE !== undefined;
if (!hasSoftHsm) console.warn("SoftHSM was not found: tests of PKCS #11 are skipped.");
/** Whether OpenSC's tool is. */
export const hasPkcs11Tool: boolean = existsSync("/usr/bin/pkcs11-tool");
if (!hasPkcs11Tool) console.warn("pkcs11-tool was not found: what it sees is skipped.");

export interface SoftHsm {
  readonly options: Pkcs11Options;
  /** A further token in the same module. */
  addToken(label: string): Pkcs11Options;
  remove(): void;
}

/** The module reads its configuration once in a process: make one token store for each test file. */
export function createSoftHsm(label: string): SoftHsm {
  if (MODULE === undefined) throw new Error("SoftHSM is not installed");
  const module = MODULE;
  const folder = mkdtempSync(join(tmpdir(), "adyton-softhsm-"));
  const tokens = join(folder, "tokens");
  mkdirSync(tokens);
  const configuration = join(folder, "softhsm2.conf");
  writeFileSync(
    configuration,
    `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  );
  process.env.SOFTHSM2_CONF = configuration;
  const pin = "test-pin-1234";
  const addToken = (name: string): Pkcs11Options => {
    execFileSync(
      "softhsm2-util",
      ["--init-token", "--free", "--label", name, "--so-pin", "test-so-pin", "--pin", pin],
      { stdio: "ignore" },
    );
    return { module, tokenLabel: name, pin };
  };
  return { options: addToken(label), addToken, remove: () => rmSync(folder, { recursive: true }) };
}
