// SPDX-License-Identifier: Apache-2.0
// Manifests beside XML Security Library (xmlsec1), where it is installed: it verifies what we sign, we what it signs.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toUtf8 } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { toPem } from "@adyton/core/pem";
import { verifyRim } from "@adyton/evidence/nvidia";
import { afterAll, describe, expect, it } from "vitest";
import { createNvidiaVendor } from "./vendor.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const installed = spawnSync("xmlsec1", ["--version"]).status === 0;
const folder = mkdtempSync(join(tmpdir(), "adyton-xmlsec-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe.skipIf(!installed)("signatures beside XML Security Library", async () => {
  const vendor = await createNvidiaVendor({ at: AT });
  const key = await defaultCrypto.generateKey({ name: "EC", curve: "P-384" });
  const values = ["ab".repeat(48), "00".repeat(48)];
  const measurements = [{ index: 1, active: true, name: "Measurement_1", values }];
  const signed = await vendor.rims.manifest({ measurements, signer: { key } });
  const roots = [vendor.rims.root.certificate];
  const root = file("root.pem", toPem("CERTIFICATE", vendor.rims.root.certificate.der));
  const verifies = (document: string): boolean => {
    const time = AT.toISOString().slice(0, 19).replace("T", " ");
    const path = file("manifest.xml", document);
    try {
      execFileSync("xmlsec1", ["--verify", "--trusted-pem", root, "--verification-time", time, path], {
        stdio: "ignore",
      });
      return true;
    } catch {
      return false;
    }
  };

  it("verifies what we sign, and not what was changed", () => {
    expect(verifies(signed)).toBe(true);
    expect(verifies(signed.replace('index="1"', 'index="2"'))).toBe(false);
  });

  it("signs what we verify, however it is written", async () => {
    const template = signed
      .replace(/<ds:DigestValue>.*?</, "<ds:DigestValue><")
      .replace(/<ds:SignatureValue>.*?</, "<ds:SignatureValue><")
      .replace("<Payload>", "<!-- what it measures -->\r\n\t<Payload >\n")
      .replace(
        /<Resource ([^>]*)><\/Resource>/,
        "<x:Resource xmlns:x='urn:x'/><Resource\n$1 note='a&#10;b &lt; \"c\"' /> a &gt; b",
      )
      .replace("<SoftwareIdentity ", '<SoftwareIdentity xmlns:unused="urn:unused" zeta="1"  Alpha="2" ');
    const pem = file("key.pem", toPem("PRIVATE KEY", await key.export()));
    const document = toUtf8(
      execFileSync("xmlsec1", ["--sign", "--privkey-pem", pem, file("template.xml", template)]),
    );
    expect(document).not.toContain("<ds:SignatureValue></");
    expect((await verifyRim(document, { now: AT, roots })).measurements).toEqual(measurements);
    const changed = document.replace("a &gt; b", "a &gt; c");
    await expect(verifyRim(changed, { now: AT, roots })).rejects.toMatchObject({
      code: "INVALID_RIM_SIGNATURE",
    });
  });
});
