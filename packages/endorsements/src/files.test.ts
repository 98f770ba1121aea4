// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBase64, toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { issueCertificate, issueCrl } from "@adyton/core/issue";
import { toPem } from "@adyton/core/pem";
import { codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readEndorsementPaths } from "./files.ts";

const key = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
const issuer = { name: [["CN", "test root"]] as const, key };
const dates = { notBefore: new Date("2025-01-01T00:00:00Z"), notAfter: new Date("2026-01-01T00:00:00Z") };
const certificate = await issueCertificate(
  { subject: issuer.name, spki: key.publicKey.spki, serial: "01", ...dates },
  issuer,
);
const crl = await issueCrl({ thisUpdate: dates.notBefore, nextUpdate: dates.notAfter, number: 1 }, issuer);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "adyton-endorsements-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});
const put = async (name: string, content: string | Uint8Array): Promise<string> => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};

describe("a file", () => {
  it.each<[string, string | Uint8Array, number, number]>([
    ["a certificate in DER", certificate, 1, 0],
    ["a certificate in PEM", toPem("CERTIFICATE", certificate), 1, 0],
    ["a certificate in hex", toHex(certificate), 1, 0],
    [
      "a certificate in base64 with line breaks",
      (toBase64(certificate).match(/.{1,64}/g) ?? []).join("\n"),
      1,
      0,
    ],
    ["a CRL in DER", crl, 0, 1],
    ["a CRL in PEM", toPem("X509 CRL", crl), 0, 1],
    ["a CRL in hex", `${toHex(crl).toUpperCase()}\n`, 0, 1],
    [
      "two certificates and a CRL in PEM",
      toPem("CERTIFICATE", certificate).repeat(2) + toPem("X509 CRL", crl),
      2,
      1,
    ],
    [
      "collateral JSON",
      JSON.stringify({
        pck_crl: toHex(crl),
        root_ca_crl: toPem("X509 CRL", crl),
        pck_crl_issuer_chain: toPem("CERTIFICATE", certificate),
      }),
      1,
      2,
    ],
  ])("%s", async (_, content, certificates, crls) => {
    const found = await readEndorsementPaths([await put("file", content)]);
    expect(found.endorsements.certificates).toHaveLength(certificates);
    expect(found.endorsements.crls).toHaveLength(crls);
    expect(found.read).toEqual([join(folder, "file")]);
  });

  it("Intel's responses keep the signed text to the letter", async () => {
    const body = '{"id":"TDX",  "version":3}';
    const path = await put("tcb.json", `{ "tcbInfo": ${body} , "signature":"00ff"}`);
    const { documents } = (await readEndorsementPaths([path])).endorsements;
    expect(documents).toEqual([{ kind: "intel.tcbInfo", body, signature: Uint8Array.of(0, 0xff) }]);
  });

  it.each<[string, string | Uint8Array, string]>([
    ["empty", "", "UNKNOWN_ENDORSEMENT"],
    ["a note", "hello", "UNKNOWN_ENDORSEMENT"],
    ["other binary", Uint8Array.of(0xff, 0xfe, 0x00), "UNKNOWN_ENDORSEMENT"],
    ["broken DER", certificate.subarray(0, 50), "UNKNOWN_ENDORSEMENT"],
    ["broken PEM", toPem("CERTIFICATE", certificate).slice(0, 80), "INVALID_PEM"],
    ["other JSON", '{"hello":1}', "UNKNOWN_ENDORSEMENT"],
    ["a response without signature", '{"tcbInfo":{}}', "UNKNOWN_ENDORSEMENT"],
    ["a response with a broken signature", '{"tcbInfo":{},"signature":"0"}', "INVALID_HEX"],
    ["collateral with a broken member", '{"pck_crl":"zz"}', "UNKNOWN_ENDORSEMENT"],
    ["JSON with a key twice", '{"tcbInfo":{},"tcbInfo":{},"signature":"00"}', "INVALID_JSON"],
  ])("refuses %s", async (_, content, code) => {
    const path = await put("file", content);
    expect(await codeOfAsync(() => readEndorsementPaths([path]))).toBe(code);
  });

  it("says when it does not exist", async () => {
    expect(await codeOfAsync(() => readEndorsementPaths([join(folder, "missing")]))).toBe("PATH_NOT_FOUND");
  });
});

describe("a folder", () => {
  it("is read whole; what is no endorsement is listed", async () => {
    await mkdir(join(folder, "a/b"), { recursive: true });
    await put("a/b/root.der", certificate);
    await put("crl.pem", toPem("X509 CRL", crl));
    await put("quote.dat", new Uint8Array(100));
    const found = await readEndorsementPaths([folder]);
    expect(found.read).toEqual([join(folder, "a/b/root.der"), join(folder, "crl.pem")]);
    expect(found.ignored.map(({ path }) => path)).toEqual([join(folder, "quote.dat")]);
    expect(found.ignored[0]?.reason).toContain("Cannot read endorsement");
  });

  it("does not follow links", async () => {
    await symlink(folder, join(folder, "loop"));
    expect((await readEndorsementPaths([folder])).read).toEqual([]);
  });

  it("is bounded in depth and number", async () => {
    const deep = join(folder, "1/2/3/4/5/6/7");
    await mkdir(deep, { recursive: true });
    await writeFile(join(deep, "root.der"), certificate);
    expect((await readEndorsementPaths([folder])).read).toEqual([]);
    for (let i = 0; i <= 2_000; i++) await put(`n${i}`, "");
    expect(await codeOfAsync(() => readEndorsementPaths([folder]))).toBe("FOLDER_TOO_LARGE");
  });

  it("leaves out a file too large to be one", async () => {
    await put("large", new Uint8Array(8 * 1024 * 1024 + 1));
    expect((await readEndorsementPaths([folder])).ignored[0]?.reason).toContain("at most");
  });
});

it("a path that may not be read", async () => {
  const path = await put("file", "x");
  expect(await codeOfAsync(() => readEndorsementPaths([join(path, "below")]))).toBe("PATH_NOT_READABLE");
});
