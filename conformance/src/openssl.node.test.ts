// SPDX-License-Identifier: Apache-2.0
// The simulator's certificates and revocation lists, read and verified by OpenSSL.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toPem } from "@adyton/core/pem";
import type { Certificate } from "@adyton/core/x509";
import { createAmdVendor, createIntelVendor, createNitroVendor, createNvidiaVendor } from "@adyton/simulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const AT = new Date("2026-01-15T00:00:00Z");
const present = spawnSync("openssl", ["version"]).status === 0;

describe.skipIf(!present)("openssl", () => {
  let folder = "";
  // Making RSA keys takes its time: once.
  const making = createAmdVendor({ at: AT, rsaBits: 2048 });
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "adyton-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const pem = (...certificates: readonly Certificate[]): string =>
    certificates.map(({ der }) => toPem("CERTIFICATE", der)).join("");
  /** openssl verify with the chain, from leaf to root, and lists. */
  const verify = (chain: readonly Certificate[], crls: readonly Uint8Array[]): string => {
    const [leaf, ...above] = chain;
    const root = above.pop();
    if (leaf === undefined || root === undefined) throw new Error("a chain has two certificates at least");
    const args = ["verify", "-x509_strict", "-attime", String(AT.getTime() / 1000)];
    args.push("-CAfile", file("root.pem", pem(root)));
    if (above.length > 0) args.push("-untrusted", file("above.pem", pem(...above)));
    if (crls.length > 0) {
      args.push("-crl_check_all");
      args.push("-CRLfile", file("crls.pem", crls.map((crl) => toPem("X509 CRL", crl)).join("")));
    }
    const { stdout, stderr } = spawnSync("openssl", [...args, file("leaf.pem", pem(leaf))]);
    return `${stdout.toString()}${stderr.toString()}`.trim();
  };

  it("verifies Intel's chain with both lists, and refuses what they revoke", async () => {
    const vendor = await createIntelVendor({ at: AT });
    const { chain, pck } = await vendor.platform();
    const rootCrl = await vendor.rootCrl();
    expect(verify(chain, [rootCrl, await vendor.pckCrl("platform")])).toMatch(/: OK$/);
    const revoked = await vendor.pckCrl("platform", { revoked: [pck.certificate] });
    expect(verify(chain, [rootCrl, revoked])).toContain("certificate revoked");
  });
  it("verifies the chains of AMD, AWS and NVIDIA", async () => {
    const amd = await making;
    const { vcek } = await amd.platform();
    expect(verify([vcek.certificate, amd.ask.certificate, amd.ark.certificate], [])).toMatch(/: OK$/);
    const nvidia = await (await createNvidiaVendor({ at: AT })).device();
    expect(verify(nvidia.chain, [])).toMatch(/: OK$/);
    const nitro = await createNitroVendor({ at: AT });
    const { leaf } = await nitro.enclave();
    const issuers = ["instance", "zonal", "regional", "root"] as const;
    const chain = [leaf.certificate, ...issuers.map((name) => nitro.issuers[name].certificate)];
    expect(verify(chain, [])).toMatch(/: OK$/);
  });
  it("reads revocation lists", async () => {
    const amd = await making;
    const crl = file("crl.pem", toPem("X509 CRL", await amd.crl({ revoked: [amd.ask.certificate] })));
    const root = file("ark.pem", pem(amd.ark.certificate));
    const text = execFileSync("openssl", ["crl", "-in", crl, "-CAfile", root, "-noout", "-text"], {
      stdio: ["ignore", "pipe", "pipe"],
    }).toString();
    expect(text.toLowerCase()).toContain(`serial number: ${amd.ask.certificate.serial}`);
  });
});
