// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { issueCertificate } from "@adyton/core/issue";
import type { JsonValue } from "@adyton/core/json";
import { toPem } from "@adyton/core/pem";
import { codeOfAsync } from "@adyton/testing";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createFakeSigstore, type FakeSigstore } from "../../test/sigstore.ts";
import { silentLogger } from "../log.ts";
import { readReferenceTrust } from "./trust.ts";

const NAME = [["CN", "ACME root"]] as const;
const START = new Date("2026-01-01T00:00:00Z");
const END = new Date("2027-01-01T00:00:00Z");

let folder: string;
let spki: Uint8Array;
let root: Uint8Array;
let leaf: Uint8Array;
let sigstore: FakeSigstore;

beforeAll(async () => {
  const key = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
  ({ spki } = key.publicKey);
  const dates = { serial: "01", notBefore: START, notAfter: END };
  const template = { ...dates, subject: NAME, spki };
  root = await issueCertificate({ ...template, ca: {} }, { name: NAME, key });
  leaf = await issueCertificate({ ...template, subject: [["CN", "signer"]] }, { name: NAME, key });
  sigstore = await createFakeSigstore();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adyton-trust-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const put = (name: string, content: string | Uint8Array): void => writeFileSync(join(folder, name), content);
const settings = (value: JsonValue): void => put("references.json", JSON.stringify(value));
const read = (): ReturnType<typeof readReferenceTrust> => readReferenceTrust(folder, silentLogger);

describe("the folder trust/", () => {
  it("that is not there trusts nobody", async () => {
    expect(await readReferenceTrust(join(folder, "none"), silentLogger)).toEqual({});
  });

  it("names keys, roots, sigstore roots, builders and what else is accepted", async () => {
    put("acme.pem", toPem("PUBLIC KEY", spki) + toPem("CERTIFICATE", root));
    put("acme.der", root);
    put(".hidden", "left out");
    put("trusted_root.json", JSON.stringify(sigstore.rootJson));
    const keyId = createHash("sha256").update(spki).digest("hex");
    const by = { builder: "https://b.example/w.yml@*", source: "https://git.example/a" };
    settings({
      profiles: ["https://acme.example/profile"],
      allowUnsigned: true,
      builders: [
        { ...by, issuer: "https://i.example", identity: "https://b.example/*" },
        { ...by, keyId },
      ],
    });
    const { keys = [], roots = [], sigstoreRoots = [], ...more } = await read();
    expect(keys.map((key) => toHex(key.spki))).toEqual([toHex(spki)]);
    expect(roots.map(({ der }) => toHex(der))).toEqual([toHex(root), toHex(root)]);
    expect(sigstoreRoots).toEqual([sigstore.root]);
    const [identified, keyed] = more.builders ?? [];
    expect(identified).toEqual({
      ...by,
      identity: { issuer: "https://i.example", subject: "https://b.example/*" },
    });
    expect(toHex(keyed?.key ?? new Uint8Array())).toBe(toHex(spki));
    expect(more).toMatchObject({ profiles: ["https://acme.example/profile"], allowUnsigned: true });
  });

  it.each<readonly [string, () => void]>([
    ["a private key", () => put("a.pem", toPem("PRIVATE KEY", spki))],
    ["a certificate that is no root", () => put("a.pem", toPem("CERTIFICATE", leaf))],
    ["a file that is nothing", () => put("a.txt", "hello")],
    ["bytes", () => put("a.bin", Uint8Array.of(0xff, 0xfe))],
    ["another JSON", () => put("a.json", "{}")],
    ["a certificate that is none", () => put("a.der", "hello")],
    ["a large file", () => put("a.pem", new Uint8Array(1_048_577))],
    ["settings that are none", () => put("references.json", "[")],
    ["an unknown setting", () => settings({ trust: "everybody" })],
    ["a builder without signer", () => settings({ builders: [{ builder: "a", source: "b" }] })],
    [
      "a key that is not there",
      () => settings({ builders: [{ builder: "a", source: "b", keyId: "00".repeat(32) }] }),
    ],
    [
      "a star in the middle",
      () => settings({ builders: [{ builder: "https://*/a", source: "b", issuer: "i", identity: "j" }] }),
    ],
    [
      "a star after a name",
      () => settings({ builders: [{ builder: "a", source: "b", issuer: "i", identity: "https://acme*" }] }),
    ],
  ])("with %s stops the start", async (_what, make) => {
    make();
    expect(await codeOfAsync(read)).toBe("STATE_INVALID");
  });
});
