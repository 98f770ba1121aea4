// SPDX-License-Identifier: Apache-2.0
// Evidence that only whoever asked for it can verify: with the key in a file, raw and in hex, and without.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "@adyton/core/bytes";
import { verifyingCrypto } from "@adyton/core/crypto";
import { toPem } from "@adyton/core/pem";
import { createSeRequest, encodeSeExchangeRequest, verifyHostKeyDocument } from "@adyton/evidence/se";
import { createIbmVendor, createSeHeader } from "@adyton/simulator";
import { afterAll, describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";

const folder = mkdtempSync(join(tmpdir(), "adyton-se-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const AT = new Date("2026-06-01T12:00:00Z");
const vendor = await createIbmVendor({ at: AT });
const machine = await vendor.machine();
const { certificates, crls } = await vendor.endorsements();
const roots = [vendor.root.certificate];
const options = { now: AT, certificates, crls, roots, crypto: verifyingCrypto };
const made = await createSeRequest({ hostKeys: [await verifyHostKeyDocument(machine.document, options)] });
const header = createSeHeader();
const evidence = file("answer.bin", await machine.exchange(encodeSeExchangeRequest(made), header));
const given = [
  ...[machine.document, ...certificates].map(({ der }, i) => file(`${i}.crt`, toPem("CERTIFICATE", der))),
  ...crls.map(({ der }, i) => file(`${i}.crl`, der)),
  file("image.hdr", header),
].flatMap((path) => ["--endorsements", path]);
const usual = [
  ...given,
  "--root",
  file("root.pem", toPem("CERTIFICATE", vendor.root.certificate.der)),
  "--at",
  AT.toISOString(),
  "--json",
];

describe("--verifier-key", () => {
  it.each([
    ["raw", file("raw.key", made.protectionKey), 0, "OK"],
    ["in hex", file("hex.key", `${toHex(made.protectionKey)}\n`), 0, "OK"],
    ["another", file("other.key", new Uint8Array(32)), 3, "SE_REQUEST_MISMATCH"],
    ["too short", file("short.key", new Uint8Array(16)), 4, "SE_VERIFIER_KEY_MISSING"],
  ])("%s", async (_name, key, exit, code) => {
    const io = createBufferIo();
    expect(await run(["evidence", "verify", evidence, ...usual, "--verifier-key", key], io)).toBe(exit);
    const { stdout, stderr } = io.output();
    expect(JSON.parse(stdout)).toMatchObject({ code, tee: "se" });
    expect(stdout + stderr).not.toContain(toHex(made.protectionKey));
  });

  it.each([
    ["empty", file("empty.key", "")],
    ["no key at all", file("large.key", new Uint8Array(1000))],
  ])("%s is misuse", async (_name, key) => {
    const io = createBufferIo();
    expect(await run(["evidence", "verify", evidence, ...usual, "--verifier-key", key], io)).toBe(1);
    expect(JSON.parse(io.output().stdout).error.code).toBe("INVALID_VALUE");
  });
});
