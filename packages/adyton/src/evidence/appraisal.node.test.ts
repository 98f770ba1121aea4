// SPDX-License-Identifier: Apache-2.0
// `adyton evidence verify --reference` and `--policy`: a refusal names file, line, claim and value.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeCorim, signCorim } from "@adyton/appraisal/reference";
import { defaultCrypto } from "@adyton/core/crypto";
import { toPem } from "@adyton/core/pem";
import { createSampleVendor } from "@adyton/simulator";
import { afterAll, describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";

const folder = mkdtempSync(join(tmpdir(), "adyton-appraisal-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const DIGEST = "e1".repeat(48);
const vendor = await createSampleVendor();
const machine = await vendor.machine();
const evidence = file(
  "evidence.json",
  await machine.evidence({ launchDigest: DIGEST, reportData: new Uint8Array(64) }),
);
const usual = ["--root", file("root.pem", toPem("CERTIFICATE", vendor.root.der)), "--at", "2026-07-01"];
const others = { svn: "1", major_version: 1, minimum_minor_version: 0 };
const known = file("known.json", JSON.stringify({ ...others, launch_digest: DIGEST }));
const unknown = file("unknown.json", JSON.stringify({ ...others, launch_digest: "00" }));
const policy = (name: string, least: number): string =>
  file(
    name,
    `package policy\n\ntrust_claims := {"executables": executables}\n\ndefault executables := 33\n\nexecutables := 3 if {\n\t# It is version ${least} or later.\n\tinput.sample.platform_version.major >= ${least}\n}\n`,
  );

async function verify(...more: string[]): Promise<{ exit: number; stdout: string; stderr: string }> {
  const io = createBufferIo();
  const exit = await run(["evidence", "verify", evidence, ...usual, ...more], io);
  return { exit, ...io.output() };
}

describe("--reference", () => {
  it("affirms what is known", async () => {
    const { exit, stdout } = await verify("--reference", known, "--json");
    const { code, findings, appraisal } = JSON.parse(stdout);
    expect(findings.filter((finding: { ok: boolean }) => !finding.ok)).toEqual([]);
    expect([exit, code, appraisal.status, appraisal.policy]).toEqual([
      0,
      "OK",
      "affirming",
      "adyton-default",
    ]);
  });

  it("refuses what is not, and says where", async () => {
    const { exit, stdout } = await verify("--reference", unknown);
    expect(exit).toBe(5);
    expect(stdout).toMatch(/Why\n✗ sample evidence is warning/);
    expect(stdout).toMatch(/adyton\/sample\.rego:\d+/);
    expect(stdout).toContain('reference value launch_digest = ["00"]');
    expect(stdout).toContain("input.sample.launch_digest");
  });
});

describe("--reference-trust", () => {
  const measurements = [{ vendor: "ACME", key: "kernel", digests: [["sha-384", DIGEST]] }] as const;
  const corim = encodeCorim({ id: "corim:1", measurements });
  const byCorim = file(
    "corim.rego",
    `package policy\n\ntrust_claims := {"executables": executables}\n\ndefault executables := 33\n\nexecutables := 3 if {\n\t# It is the supplier's kernel.\n\tinput.sample.launch_digest in query_reference_value("ACME/kernel/digests")\n}\n`,
  );

  it("takes a CoRIM of whom it names, and says who vouches", async () => {
    const key = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
    const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
    const path = file("kernel.corim", await signCorim(corim, { key, algorithm, name: "ACME signing" }));
    const trusted = file("acme.pem", toPem("PUBLIC KEY", key.publicKey.spki));
    const options = ["--policy", byCorim, "--reference", path, "--reference-trust", trusted];
    const { exit, stdout } = await verify(...options, "--json");
    expect(exit).toBe(0);
    expect(JSON.parse(stdout).findings.at(-1)).toMatchObject({
      rule: "reference:ACME/kernel/digests",
      ok: true,
      vouchers: [{ value: DIGEST, kind: "corim", name: "ACME signing", verified: true }],
    });
    expect((await verify(...options)).stdout).toContain("(vouched for by ACME signing)");
    expect((await verify(...options.slice(0, 4))).exit).toBe(4);
  });

  it("refuses one that nobody signed", async () => {
    const path = file("unsigned.corim", corim);
    expect((await verify("--policy", byCorim, "--reference", path)).exit).toBe(3);
  });

  it("is misuse without a key or a root", async () => {
    expect((await verify("--reference", known, "--reference-trust", known)).exit).toBe(1);
  });
});

describe("--policy", () => {
  it("accepts by a policy of one's own", async () => {
    expect((await verify("--policy", policy("v1.rego", 1))).exit).toBe(0);
  });

  it("refuses with its file, line and comment", async () => {
    const path = policy("v9.rego", 9);
    const { exit, stdout } = await verify("--policy", path, "--json");
    expect(exit).toBe(5);
    const { code, findings } = JSON.parse(stdout);
    expect(code).toBe("POLICY_REFUSED");
    expect(findings.at(-1)).toMatchObject({
      rule: "claim:platform_version.major",
      file: path,
      line: 9,
      expected: 9,
      message: expect.stringMatching(/^Not met: It is version 9 or later\./),
    });
  });

  it("tells what is wrong with a policy", async () => {
    const { exit, stderr } = await verify("--policy", file("bad.rego", "package policy\nallow := "));
    expect(stderr).toContain("bad.rego:2");
    expect(exit).toBe(1);
  });
});
