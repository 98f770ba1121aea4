// SPDX-License-Identifier: Apache-2.0
// The broker beside Veraison's client (github.com/veraison/apiclient 0.3.0), built here where there is a Go toolchain
// that has or gets its modules.

import { execFile, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { EAR_PROFILES, type EarSigningKey, verifyEar } from "@adyton/appraisal";
import { createBroker, openBrokerState, type ServedBroker, serveBroker } from "@adyton/broker";
import { toHex } from "@adyton/core/bytes";
import { createSampleVendor, type SampleMachine } from "@adyton/simulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const TYPE = "application/vnd.adyton.evidence.sample+json";
const DIGEST = "ab".repeat(48);
/** This release reads the nonce as standard base64: bytes that base64url spells alike, three by three. */
const NONCE = new Uint8Array(48).fill(0x41);

const folder = mkdtempSync(join(tmpdir(), "adyton-veraison-"));
const env = { ...process.env, PATH: [process.env.PATH, "/usr/local/go/bin"].join(delimiter) };
const client = join(folder, "client");
const built = buildClient();
if (!built) console.warn("skipped: no Go toolchain that can build Veraison's client");

function buildClient(): boolean {
  const go = (...args: readonly string[]): boolean =>
    spawnSync("go", args, { cwd: folder, env, stdio: "ignore", timeout: 120_000 }).status === 0;
  if (!go("version")) return false;
  copyFileSync(new URL("veraison-client/main.go", import.meta.url), join(folder, "main.go"));
  return (
    go("mod", "init", "veraison-client") &&
    go("get", "github.com/veraison/apiclient/verification@v0.3.0") &&
    go("build", "-o", client, ".")
  );
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!built)("Veraison's client", () => {
  let served: ServedBroker;
  let machine: SampleMachine;
  let keys: readonly EarSigningKey["publicJwk"][];

  beforeAll(async () => {
    const vendor = await createSampleVendor();
    machine = await vendor.machine();
    const state = await openBrokerState(join(folder, "state"));
    const broker = createBroker({ ...state, roots: [vendor.root], allowSimulated: true });
    served = await serveBroker(broker, { port: 0 });
    keys = await state.tokenKeys.publicKeys();
  });

  afterAll(() => served.close());

  async function run(reportData: Uint8Array, wrap: string, type = TYPE): Promise<string> {
    const file = join(folder, "evidence");
    writeFileSync(file, await machine.evidence({ launchDigest: DIGEST, reportData }));
    const uri = `${served.url}/challenge-response/v1/newSession`;
    const { stdout } = await promisify(execFile)(client, [uri, toHex(NONCE), type, file, wrap]);
    return JSON.parse(stdout) as string;
  }

  const bound = new Uint8Array(64);
  bound.set(NONCE);

  it.each(["none", "json", "cbor"])("gets a result for evidence in wrapper %s", async (wrap) => {
    const claims = await verifyEar(await run(bound, wrap), {
      keys,
      now: new Date(),
      nonce: NONCE,
      maxAgeSeconds: 60,
    });
    expect(claims.eat_profile).toBe(EAR_PROFILES.veraison);
    expect(Object.keys(claims.submods)).toEqual(["SAMPLE"]);
  });

  it("is refused evidence for another nonce", async () => {
    await expect(run(new Uint8Array(64), "none")).rejects.toThrow(/403/);
  });

  it("is told which types there are", async () => {
    await expect(run(bound, "none", "application/psa-attestation-token")).rejects.toThrow(/not accepted/);
  });
});
