// SPDX-License-Identifier: Apache-2.0
// CoRIMs between us and cocli, Veraison's tool (github.com/veraison/corim v1.1.2): what it makes and signs we read, what we
// make it reads. `ADYTON_COCLI` names the program where it is not on the path.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { encodeCorim, readCorim, signCorim } from "@adyton/appraisal/reference";
import { fromBase64Url, toHex } from "@adyton/core/bytes";
import { defaultCrypto, type PrivateKey } from "@adyton/core/crypto";
import { codeOfAsync } from "@adyton/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const AT = new Date("2026-06-01T00:00:00Z");
const DIGEST = "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7";
const CLASS = {
  id: { type: "uuid", value: "31fb5abf-023e-4992-aa4e-95f9c1503bfa" },
  vendor: "ACME",
  model: "RoadRunner",
};
const COMID = {
  lang: "en-GB",
  "tag-identity": { id: "43BBE37F-2E61-4B33-AED3-53CFF1428B16", version: 0 },
  triples: {
    "reference-values": [
      {
        environment: { class: CLASS },
        measurements: [
          {
            key: { type: "uint", value: 7 },
            value: { digests: [`sha-256:${Buffer.from(DIGEST, "hex").toString("base64")}`] },
          },
          { key: { type: "uint", value: 8 }, value: { svn: { type: "min-value", value: 3 } } },
        ],
      },
    ],
  },
};
const VALIDITY = { "not-before": "2021-12-31T00:00:00Z", "not-after": "2035-12-31T00:00:00Z" };
const CORIM = { "corim-id": "5c57e8f4-46cd-421b-91c9-08cf93e13cfc", validity: VALIDITY };
const META = { signer: { name: "ACME signing", uri: "https://acme.example" }, validity: VALIDITY };

const program = [
  process.env.ADYTON_COCLI,
  ...(process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "cocli")),
  join(process.env.GOPATH ?? join(homedir(), "go"), "bin/cocli"),
].find((path) => path !== undefined && existsSync(path));

if (program === undefined) console.warn("skipped: cocli is neither on the path nor named by ADYTON_COCLI");

describe.skipIf(program === undefined)("cocli", () => {
  const folder = mkdtempSync(join(tmpdir(), "adyton-cocli-"));
  const path = (name: string): string => join(folder, name);
  const cocli = (...args: string[]): string =>
    execFileSync(program ?? "", args, { cwd: folder, encoding: "utf8", env: { HOME: folder } });
  let key: PrivateKey;

  beforeAll(async () => {
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
    const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
    key = await defaultCrypto.importPrivateKey(pkcs8);
    const jwk = await crypto.subtle.exportKey("jwk", pair.privateKey);
    expect(toHex(key.publicKey.spki)).toContain(toHex(fromBase64Url(jwk.x ?? "")));
    const files = { "comid.json": COMID, "corim.json": CORIM, "meta.json": META, "key.jwk": jwk };
    for (const [name, value] of Object.entries(files)) writeFileSync(path(name), JSON.stringify(value));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it("signs what we read", async () => {
    cocli("comid", "create", "--template", "comid.json");
    cocli("corim", "create", "--template", "corim.json", "--comid", "comid.cbor", "--output", "corim.cbor");
    cocli(
      "corim",
      "sign",
      "--file",
      "corim.cbor",
      "--key",
      "key.jwk",
      "--meta",
      "meta.json",
      "--output",
      "signed.cbor",
    );
    const signed = new Uint8Array(readFileSync(path("signed.cbor")));
    const values = await readCorim(signed, { at: AT, keys: [key.publicKey] });
    expect(values.map(({ id, value }) => [id, value])).toEqual([
      ["ACME/RoadRunner/claim7/digests", DIGEST],
      ["ACME/RoadRunner/claim8/min_svn", 3],
    ]);
    expect(values[0]).toMatchObject({
      voucher: { name: "ACME signing", verified: true },
      expires: new Date("2035-12-31T00:00:00Z"),
    });
    const stranger = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
    expect(await codeOfAsync(() => readCorim(signed, { at: AT, keys: [stranger.publicKey] }))).toBe(
      "REFERENCE_SIGNATURE",
    );
  });

  it("verifies what we sign", async () => {
    const measurements = [{ vendor: "ACME", key: 7, digests: [["sha-256", DIGEST]] }] as const;
    const corim = encodeCorim({ id: "corim:1", measurements });
    const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
    writeFileSync(path("ours.cbor"), await signCorim(corim, { key, algorithm, name: "ACME signing" }));
    expect(cocli("corim", "verify", "--file", "ours.cbor", "--key", "key.jwk")).toContain("verified");
  });
});
