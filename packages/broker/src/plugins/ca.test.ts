// SPDX-License-Identifier: Apache-2.0
// The mesh CA: requests made and certificates checked with openssl.

import { execFileSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PAIR, refusalOf } from "../../test/harness.ts";
import { createPluginHarness, type PluginHarness } from "../../test/plugin-harness.ts";
import { type CaOptions, caPlugin } from "./ca.ts";

const BASE = "/kbs/v0/ca";
let harness: PluginHarness;
let folder: string;

const start = async (options: Partial<CaOptions> = {}): Promise<void> => {
  harness = await createPluginHarness([caPlugin({ trustDomain: "example.org", ...options })]);
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adyton-ca-"));
});
afterEach(async () => {
  await harness.close();
  rmSync(folder, { recursive: true });
});

/** A PKCS #10 request, made by openssl. */
function requestOf(key: KeyObject, format: "PEM" | "DER" = "PEM"): Uint8Array {
  const file = join(folder, "key.pem");
  writeFileSync(file, key.export({ format: "pem", type: "pkcs8" }), { mode: 0o600 });
  const subject = ["-subj", "/CN=spiffe:~~evil"];
  return new Uint8Array(
    execFileSync("openssl", ["req", "-new", "-key", file, "-outform", format, ...subject], { stdio: "pipe" }),
  );
}

const issue = (path: string, request: Uint8Array) => harness.guest("POST", `${BASE}/issue/${path}`, request);

describe("the mesh CA", () => {
  it("gives no identity that is longer than SPIFFE's may be", async () => {
    await start();
    const request = requestOf(PAIR.privateKey);
    const path = (parts: number) => Array(parts).fill("a".repeat(127)).join("/");
    expect((await issue(path(15), request)).status).toBe(200);
    expect((await refusalOf(await issue(path(16), request))).code).toBe("INVALID_REQUEST");
  });

  it("issues a short-lived certificate with the SPIFFE id, which openssl verifies up to the root", async () => {
    await start();
    const answer = await issue("payments/api", requestOf(PAIR.privateKey));
    expect([answer.status, answer.headers.get("content-type")]).toEqual([
      200,
      "application/pem-certificate-chain",
    ]);
    const pem = await answer.text();
    const chain = await (await harness.call("GET", `${BASE}/chain`)).text();
    writeFileSync(join(folder, "leaf.pem"), pem);
    writeFileSync(join(folder, "root.pem"), chain);
    const at = String(Math.floor(harness.clock.time.getTime() / 1000));
    const verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-attime", at, "-CAfile"];
    const said = execFileSync("openssl", [...verify, join(folder, "root.pem"), join(folder, "leaf.pem")]);
    expect(toUtf8(said)).toContain("OK");
    const text = toUtf8(
      execFileSync("openssl", ["x509", "-noout", "-text", "-in", join(folder, "leaf.pem")]),
    );
    expect(text).toMatch(/Subject Alternative Name: critical\s+URI:spiffe:\/\/example\.org\/payments\/api/);
    expect(text).not.toContain("evil");
    const certificate = new X509Certificate(pem);
    expect(certificate.ca).toBe(false);
    expect(Date.parse(certificate.validTo) - harness.clock.time.getTime()).toBe(3_600_000);
    expect(certificate.publicKey.export({ format: "jwk" })).toMatchObject({ x: PAIR.jwk.x, y: PAIR.jwk.y });
    expect((await harness.events())[0]).toMatchObject({
      type: "plugin.use",
      spiffeId: "spiffe://example.org/payments/api",
      serial: certificate.serialNumber.toLowerCase(),
    });
  });

  it("takes DER, keeps its root over a restart, and gives every replica the same", async () => {
    await start();
    expect((await issue("a", requestOf(PAIR.privateKey, "DER"))).status).toBe(200);
    const chains = await Promise.all([1, 2, 3].map(() => harness.call("GET", `${BASE}/chain`)));
    const texts = new Set(await Promise.all(chains.map((answer) => answer.text())));
    await harness.restart();
    texts.add(await (await harness.call("GET", `${BASE}/chain`)).text());
    expect(texts.size).toBe(1);
  });

  it("gives DNS names that were foreseen, and no others", async () => {
    await start({ dnsNames: ["*.mesh.example.org"] });
    const request = requestOf(PAIR.privateKey);
    const pem = await (await issue("a?dns=api.mesh.example.org", request)).text();
    expect(new X509Certificate(pem).subjectAltName).toContain("DNS:api.mesh.example.org");
    for (const dns of ["bank.example.com", "evil-mesh.example.org", "*.mesh.example.org", ""])
      expect((await refusalOf(await issue(`a?dns=${dns}`, request))).code).toBe("CSR_REFUSED");
    expect((await refusalOf(await issue("a?ip=1", request))).code).toBe("INVALID_REQUEST");
  });

  it("issues for the attested key and no other, unless it was told to", async () => {
    await start();
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    expect((await refusalOf(await issue("a", requestOf(other)))).code).toBe("CSR_REFUSED");
    await harness.restart({ plugins: [caPlugin({ trustDomain: "example.org", keys: "any" })] });
    for (const key of [other, generateKeyPairSync("ed25519").privateKey])
      expect((await issue("a", requestOf(key))).status).toBe(200);
  });

  it("refuses requests that are changed anywhere in what counts, cut, or none", async () => {
    await start();
    const der = requestOf(PAIR.privateKey, "DER");
    const inputs = [
      new Uint8Array(0),
      fromUtf8("hello"),
      fromUtf8("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"),
      new Uint8Array(20_000).fill(0x30),
      ...Array.from({ length: der.length }, (_, at) => der.with(at, (der[at] ?? 0) ^ 1)),
      ...[1, 10, 100].map((length) => der.subarray(0, length)),
    ];
    const codes = new Set<string>();
    for (const input of inputs) codes.add((await refusalOf(await issue("a", input))).code);
    expect([...codes]).toEqual(["CSR_REFUSED"]);
  });

  it.each(["issue", "issue/a%20b", "issue/a%3Ab", "other", "chain/x"])("has no path %s", async (path) => {
    await start();
    const { code } = await refusalOf(
      await harness.guest("POST", `${BASE}/${path}`, requestOf(PAIR.privateKey)),
    );
    expect(["INVALID_PATH", "INVALID_REQUEST"]).toContain(code);
  });

  it("refuses a trust domain that is none, and who is not attested", async () => {
    await start();
    expect(() => caPlugin({ trustDomain: "Not One" })).toThrow(
      expect.objectContaining({ code: "INVALID_REQUEST" }),
    );
    const answer = await harness.call("POST", `${BASE}/issue/a`, { body: requestOf(PAIR.privateKey) });
    expect((await refusalOf(answer)).code).toBe("TOKEN_MISSING");
  });
});
