// SPDX-License-Identifier: Apache-2.0
// `adyton token`: JWT and CWT, keys out of files and from addresses, every refusal with its code and exit.

import { createPublicKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  appraise,
  builtinPolicy,
  generateEarKey,
  importEarKey,
  referenceValuesFrom,
  signEar,
  signEarCwt,
} from "@adyton/appraisal";
import { toBase64, toHex } from "@adyton/core/bytes";
import { verifyEvidence } from "@adyton/evidence";
import { createSampleVendor } from "@adyton/simulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";

const NOW = new Date("2026-07-01T00:00:00Z");
const folder = mkdtempSync(join(tmpdir(), "adyton-token-"));
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const vendor = await createSampleVendor();
const machine = await vendor.machine();
const evidence = await verifyEvidence(
  await machine.evidence({ launchDigest: "e1".repeat(48), reportData: new Uint8Array(64) }),
  { now: NOW, roots: [vendor.root] },
);
const key = await importEarKey(await generateEarKey());
const other = await importEarKey(await generateEarKey("EdDSA"));
const resultWith = (referenceValues: object) =>
  appraise(evidence, {
    policy: builtinPolicy({ allowSimulated: true }),
    referenceValues: { ...referenceValues },
    now: NOW,
  });
const good = resultWith(referenceValuesFrom(evidence));
const nonce = new Uint8Array(16).fill(9);
const sign = { key, now: NOW, nonce };
const jwt = file("good.jwt", `${await signEar(good, sign)}\n`);
const cwtBytes = await signEarCwt(good, sign);
const cwt = file("good.cwt", cwtBytes);
const goodToken = await signEar(good, sign);
const bad = file("bad.jwt", await signEar(resultWith({}), sign));
const veraisons = file("veraison.jwt", await signEar(good, { ...sign, profile: "veraison" }));
const set = file("jwks.json", JSON.stringify({ keys: [other.publicJwk, key.publicJwk] }));
const pem = file(
  "key.pem",
  createPublicKey({ key: { ...key.publicJwk } as never, format: "jwk" }).export({
    format: "pem",
    type: "spki",
  }) as string,
);
const foreign = file("foreign.json", JSON.stringify(other.publicJwk));

let server: Server;
let address = "";
beforeAll(async () => {
  server = createServer((request, answer) => {
    const found = request.url === "/.well-known/jwks.json";
    answer.writeHead(found ? 200 : 404);
    answer.end(found ? JSON.stringify({ keys: [key.publicJwk] }) : "");
  });
  await new Promise<void>((ready) => {
    server.listen(0, "127.0.0.1", ready);
  });
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

async function token(...words: string[]): Promise<{ exit: number; stdout: string; stderr: string }> {
  const io = createBufferIo({ env: {} });
  const exit = await run(["token", ...words], io);
  return { exit, ...io.output() };
}
const verify = (path: string, ...words: string[]) =>
  token("verify", path, "--at", NOW.toISOString(), ...words);

describe("inspect", () => {
  it.each([
    ["a JWT", jwt, "JWT, ES256"],
    ["a CWT", cwt, "CWT, ECDSA with SHA-256"],
    ["a CWT in hex", file("cwt.hex", toHex(cwtBytes)), "CWT"],
    ["a CWT in base64", file("cwt.b64", toBase64(cwtBytes)), "CWT"],
    ["Trustee's answer", file("kbs.json", JSON.stringify({ token: goodToken })), "JWT"],
    ["Veraison's session", file("session.json", JSON.stringify({ result: goodToken })), "JWT"],
  ])("tells what %s says, in words, and that nothing was verified", async (_name, path, form) => {
    const { exit, stdout } = await token("inspect", path);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^UNVERIFIED/);
    expect(stdout).toContain(form);
    expect(stdout).toMatch(/cpu0: affirming, SIMULATED/);
    expect(stdout).toMatch(/hardware +2 +affirming +genuine hardware and firmware of an accepted version/);
    expect(stdout).toContain("2026-07-01T00:00:00.000Z");
  });

  it("answers JSON", async () => {
    const { stdout } = await token("inspect", jwt, "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      verified: false,
      form: "JWT",
      header: { alg: "ES256" },
      claims: { submods: { cpu0: { "ear.status": "affirming" } } },
    });
  });

  it.each([
    ["no token", "hello", "UNKNOWN_ENCODING"],
    ["JSON without one", '{"a": 1}', "UNKNOWN_ENCODING"],
    ["two parts of nothing", "e30.e30.", "INVALID_EAR"],
    ["bytes", new Uint8Array([0xff, 0xfe]), "UNKNOWN_ENCODING"],
    ["no CWT", new Uint8Array([0xd2, 0x80]), "INVALID_EAR"],
    ["a header that is no object", "W10.e30.AA", "INVALID_EAR"],
  ])("refuses %s", async (_name, content, code) => {
    const { exit, stdout } = await token("inspect", file("no", content), "--json");
    expect([exit, JSON.parse(stdout).error.code]).toEqual([2, code]);
  });
});

describe("verify", () => {
  it.each([
    ["a JWT under a set", jwt, () => ["--jwks", set]],
    ["a CWT under a set", cwt, () => ["--jwks", set]],
    ["under one key in PEM", jwt, () => ["--key", pem]],
    ["under the keys of services", jwt, () => ["--url", address]],
    ["under the keys at an address", cwt, () => ["--jwks", `${address}/.well-known/jwks.json`]],
    ["with the nonce and issuer", jwt, () => ["--jwks", set, "--nonce", toHex(nonce), "--issuer", "Adyton"]],
    ["Veraison's profile", veraisons, () => ["--jwks", set, "--max-age", "60"]],
  ])("accepts %s, and names the key", async (_name, path, options) => {
    const { exit, stdout } = await verify(path, ...options());
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^VERIFIED {2}affirming, SIMULATED\n\nsigned by a key of /);
    if (!options().includes(pem)) expect(stdout).toContain(`(${key.publicJwk.kid})`);
  });

  it("answers JSON with the key that signed", async () => {
    const { stdout } = await verify(jwt, "--jwks", set, "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      verified: true,
      affirming: true,
      code: "OK",
      key: { from: set, kid: key.publicJwk.kid },
    });
  });

  it("refuses what is authentic and not affirming, with what to do", async () => {
    const { exit, stdout, stderr } = await verify(bad, "--jwks", set);
    expect(exit).toBe(5);
    expect(stdout).toMatch(/^REFUSED {2}authentic, but cpu0 is contraindicated/);
    expect(stderr).toMatch(/^Next: .*reference value/);
    const { stdout: json } = await verify(bad, "--jwks", set, "--json");
    expect(JSON.parse(json)).toMatchObject({ affirming: false, code: "POLICY_REFUSED" });
  });

  const refused: readonly (readonly [string, string, () => string[], number, string])[] = [
    ["another's signature", jwt, () => ["--key", foreign], 3, "EAR_SIGNATURE"],
    ["another's signature on a CWT", cwt, () => ["--key", foreign], 3, "EAR_SIGNATURE"],
    ["another nonce", jwt, () => ["--jwks", set, "--nonce", "00".repeat(16)], 3, "EAR_NONCE"],
    ["another issuer", jwt, () => ["--jwks", set, "--issuer", "Mallory"], 3, "EAR_ISSUER"],
    ["no key at all", jwt, () => [], 1, "MISSING_VALUE"],
    ["a set without keys", jwt, () => ["--jwks", file("empty.json", '{"keys": []}')], 1, "INVALID_VALUE"],
    ["what is no key", jwt, () => ["--key", file("no.pem", "no key")], 1, "INVALID_VALUE"],
    ["an address that answers 404", jwt, () => ["--jwks", `${address}/other`], 6, "KEYS_UNAVAILABLE"],
    ["keys over plain HTTP", jwt, () => ["--jwks", "http://keys.example/jwks.json"], 1, "INVALID_VALUE"],
  ];
  it.each(refused)("refuses %s", async (_name, path, options, exit, code) => {
    const answer = await verify(path, ...options(), "--json");
    expect([answer.exit, JSON.parse(answer.stdout).error.code]).toEqual([exit, code]);
  });

  it("refuses a private key where a public one is asked for", async () => {
    const path = file("private.pem", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n");
    const { exit, stderr } = await verify(jwt, "--key", path);
    expect(exit).toBe(1);
    expect(stderr).toContain("it is a private key");
  });

  it.each([
    ["after its end", "2026-07-01T01:00:00Z", [], "EAR_EXPIRED"],
    ["before it was issued", "2026-06-30T00:00:00Z", [], "EAR_NOT_YET_VALID"],
    ["when it is older than is accepted", "2026-07-01T00:01:00Z", ["--max-age", "30"], "EAR_EXPIRED"],
  ])("refuses a token %s", async (_name, at, more, code) => {
    const { exit, stdout } = await token("verify", jwt, "--jwks", set, "--at", at, ...more, "--json");
    expect([exit, JSON.parse(stdout).error.code]).toEqual([3, code]);
  });
});
