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
  addToken(): Pkcs11Options;
}

const PIN = "test-pin-1234";
/** More than all test files use together. */
const POOL = 16;
let pool: string[] | undefined;

/**
 * A new token. The module reads its configuration and finds tokens once in a process, and test files may share one: so
 * all tokens of a process are made beforehand, in one folder, which goes with the process.
 */
export function createSoftHsm(): SoftHsm {
  return { options: nextToken(), addToken: nextToken };
}

function nextToken(): Pkcs11Options {
  if (MODULE === undefined) throw new Error("SoftHSM is not installed");
  pool ??= madeTokens();
  const tokenLabel = pool.shift();
  if (tokenLabel === undefined) throw new Error("there are no more tokens: raise POOL");
  return { module: MODULE, tokenLabel, pin: PIN };
}

function madeTokens(): string[] {
  const folder = mkdtempSync(join(tmpdir(), "adyton-softhsm-"));
  const tokens = join(folder, "tokens");
  mkdirSync(tokens);
  const configuration = join(folder, "softhsm2.conf");
  writeFileSync(
    configuration,
    `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  );
  process.env.SOFTHSM2_CONF = configuration;
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return Array.from({ length: POOL }, (_, i) => {
    // pkcs11-tool takes the first token whose label begins with what it was told.
    const label = `token-${i + POOL}`;
    const pins = ["--so-pin", "test-so-pin", "--pin", PIN];
    execFileSync("softhsm2-util", ["--init-token", "--free", "--label", label, ...pins], { stdio: "ignore" });
    return label;
  });
}
