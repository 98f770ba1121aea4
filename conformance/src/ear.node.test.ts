// SPDX-License-Identifier: Apache-2.0
// EAR tokens beside Veraison's tool `arc` (github.com/veraison/ear/arc, version 1.1), where it is on the path or in Go's.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import {
  appraise,
  EAR_ALGORITHMS,
  EAR_PROFILES,
  generateEarKey,
  importEarKey,
  signEar,
  verifyEar,
} from "@adyton/appraisal";
import { verifyEvidence } from "@adyton/evidence";
import { createSampleVendor } from "@adyton/simulator";
import { codeOfAsync } from "@adyton/testing";
import { afterAll, describe, expect, it } from "vitest";

const env = { ...process.env, PATH: [process.env.PATH, join(homedir(), "go", "bin")].join(delimiter) };
const installed = spawnSync("arc", ["--version"], { env, stdio: "ignore" }).status === 0;
if (!installed) console.warn("skipped: Veraison's arc is not installed");

describe.skipIf(!installed)("Veraison's arc", async () => {
  const folder = mkdtempSync(join(tmpdir(), "adyton-arc-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const arc = (...args: readonly string[]): string =>
    execFileSync("arc", args, { cwd: folder, env, encoding: "utf8", stdio: "pipe" });
  const now = new Date();
  const vendor = await createSampleVendor();
  const machine = await vendor.machine();
  const bytes = await machine.evidence({ launchDigest: "e1".repeat(48), reportData: new Uint8Array(64) });
  const evidence = await verifyEvidence(bytes, { now, roots: [vendor.root] });
  const result = appraise(evidence, {
    policy: {
      id: "policy:SAMPLE",
      evaluate: () => ({ trustworthiness: { hardware: 2, executables: 33 }, findings: [] }),
    },
    referenceValues: {},
    now,
  });

  for (const algorithm of EAR_ALGORITHMS) {
    it.each(["trustee", "veraison"] as const)(
      `verifies what we sign with ${algorithm}, profile %s`,
      async (profile) => {
        const key = await importEarKey(await generateEarKey(algorithm));
        const other = await importEarKey(await generateEarKey(algorithm));
        const nonce = crypto.getRandomValues(new Uint8Array(32));
        const token = file(
          "ours.jwt",
          await signEar(result, { key, now, profile, nonce, rawEvidence: bytes }),
        );
        const { use: _, ...jwk } = key.publicJwk;
        const shown = arc(
          "verify",
          "-a",
          algorithm,
          "-p",
          file("ours.json", JSON.stringify(jwk)),
          "-v",
          token,
        );
        expect(shown).toContain("Hardware [affirming]");
        expect(shown).toContain("Executables [warning]");
        const { use: __, ...wrong } = other.publicJwk;
        const refuse = (): string =>
          arc("verify", "-a", algorithm, "-p", file("other.json", JSON.stringify(wrong)), token);
        expect(refuse).toThrow();
      },
    );
  }

  it.each(["ES256", "ES384", "EdDSA"] as const)("signs with %s what we verify", async (algorithm) => {
    const jwk = await generateEarKey(algorithm);
    const key = await importEarKey(jwk);
    const seconds = Math.floor(now.getTime() / 1000);
    const claims = {
      eat_profile: EAR_PROFILES.veraison,
      iat: seconds,
      exp: seconds + 300,
      eat_nonce: "AAECAwQFBgcICQoLDA0ODw",
      "ear.verifier-id": { developer: "Acme Inc.", build: "v1" },
      "ear.raw-evidence": "3q2-7w",
      submods: {
        PSA_IOT: { "ear.status": "warning", "ear.trustworthiness-vector": { hardware: 2, executables: 33 } },
      },
    };
    const signed = [
      "create",
      "-a",
      algorithm,
      "-s",
      file("key.json", JSON.stringify(jwk)),
      "-c",
      file("claims.json", JSON.stringify(claims)),
      "theirs.jwt",
    ];
    arc(...signed);
    const token = readFileSync(join(folder, "theirs.jwt"), "utf8").trim();
    const nonce = Uint8Array.from({ length: 16 }, (_, i) => i);
    const verified = await verifyEar(token, { keys: [key.publicJwk], now, nonce, maxAgeSeconds: 60 });
    expect(verified.submods.PSA_IOT).toMatchObject({ "ear.status": "warning" });
    const other = await importEarKey(await generateEarKey(algorithm));
    expect(await codeOfAsync(() => verifyEar(token, { keys: [other.publicJwk], now }))).toBe("EAR_SIGNATURE");
    // It carries no exp, and no end is no good end.
    expect(await codeOfAsync(() => verifyEar(token, { keys: [key.publicJwk], now }))).toBe("EAR_EXPIRED");
  });
});
