// SPDX-License-Identifier: Apache-2.0
// The client of plugins against the broker: what attested workloads get, checked with the tools that would use it.

import { execFileSync } from "node:child_process";
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, type ClientAttester, createClient } from "@adyton/client";
import { fromUtf8, toHex, toUtf8 } from "@adyton/core/bytes";
import { codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DIGEST, jsonOf } from "../../test/harness.ts";
import { createPluginHarness, type PluginHarness } from "../../test/plugin-harness.ts";
import { caPlugin } from "./ca.ts";
import { nebulaPlugin } from "./nebula.ts";
import { provisionerPlugin } from "./provisioner.ts";
import { transitPlugin } from "./transit.ts";
import { wrapPlugin } from "./wrap.ts";

let harness: PluginHarness;
let folder: string;
let attestations: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "adyton-plugin-client-"));
  attestations = 0;
  const ca = caPlugin({ trustDomain: "example.org", dnsNames: ["api.example.org"] });
  const any = caPlugin({ name: "ca-any", trustDomain: "example.org", keys: "any" });
  harness = await createPluginHarness([
    ca,
    any,
    nebulaPlugin({ networks: ["10.9.0.0/16"] }),
    provisionerPlugin(),
    transitPlugin(),
    wrapPlugin(),
  ]);
});
afterEach(async () => {
  await harness.close();
  rmSync(folder, { recursive: true });
});

/** A workload, as the software TEE measures it. */
function client(initData?: string): Client {
  const attester: ClientAttester = {
    tee: "sample",
    collect: async (reportData) => {
      attestations += 1;
      const digest =
        initData === undefined ? undefined : new Uint8Array(createHash("sha384").update(initData).digest());
      const evidence = await harness.machine.evidence({
        launchDigest: DIGEST,
        reportData,
        ...(digest === undefined ? {} : { initData: digest }),
      });
      return { tee: "sample", evidence, ...(initData === undefined ? {} : { initData: fromUtf8(initData) }) };
    },
  };
  return createClient({
    url: "https://broker.test",
    attester,
    now: () => harness.clock.time,
    fetch: (url, init) => harness.broker.fetch(new Request(url, init)),
  });
}

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const setPolicy = async (rego: string): Promise<void> => {
  const answer = await harness.admin(
    "POST",
    "/kbs/v0/resource-policy",
    JSON.stringify({ policy: Buffer.from(rego).toString("base64url") }),
  );
  expect(answer.status).toBe(200);
};

describe("requestCertificate", () => {
  it("answers a certificate of a fresh attested key, which openssl verifies up to the root", async () => {
    const workload = client();
    const got = await workload.requestCertificate({ identity: "payments/api", dns: "api.example.org" });
    expect(got.spiffeId).toBe("spiffe://example.org/payments/api");
    expect(got.notAfter.getTime() - harness.clock.time.getTime()).toBe(3_600_000);
    const [leaf, root] = [written("leaf.pem", got.certificate), written("root.pem", got.roots)];
    const at = String(Math.floor(harness.clock.time.getTime() / 1000));
    const flags = ["-x509_strict", "-purpose", "sslserver", "-verify_hostname", "api.example.org"];
    const said = execFileSync("openssl", ["verify", ...flags, "-attime", at, "-CAfile", root, leaf]);
    expect(toUtf8(said)).toContain("OK");
    const certificate = new X509Certificate(got.certificate);
    expect(certificate.checkPrivateKey(createPrivateKey(got.privateKey ?? ""))).toBe(true);
    const again = await workload.requestCertificate({ identity: "payments/api" });
    expect(again.privateKey).not.toBe(got.privateKey);
    expect(attestations).toBe(2);
  });

  it("sends a request of one's own where the broker takes any key", async () => {
    const key = join(folder, "own.pem");
    execFileSync("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key]);
    const csr = toUtf8(execFileSync("openssl", ["req", "-new", "-key", key, "-subj", "/CN=own"]));
    const got = await client().requestCertificate({ identity: "own", plugin: "ca-any", csr });
    expect(got).not.toHaveProperty("privateKey");
    expect(new X509Certificate(got.certificate).subjectAltName).toBe("URI:spiffe://example.org/own");
    const refused = client().requestCertificate({ identity: "own", csr });
    await expect(refused).rejects.toMatchObject({
      code: "REQUEST_REFUSED",
      detail: { broker: { code: "CSR_REFUSED" } },
    });
  });

  it("is refused where the policy says no, and attests no second time for it", async () => {
    await setPolicy(`package policy
allow if {
	data.plugin == "ca"
	data["resource-path"] == ["issue", "payments"]
}`);
    const workload = client();
    await workload.requestCertificate({ identity: "payments" });
    expect(await codeOfAsync(() => workload.requestCertificate({ identity: "admin" }))).toBe(
      "RELEASE_REFUSED",
    );
    expect(attestations).toBe(2);
  });

  it.each(["", "a/../b", "a//b", "/a", "a b", "ä"])("does not ask for the identity %j", async (identity) => {
    expect(await codeOfAsync(() => client().requestCertificate({ identity }))).toBe("INVALID_NAME");
    expect(attestations).toBe(0);
  });

  it("says where there is no such CA", async () => {
    const asked = () => client().requestCertificate({ identity: "a", plugin: "none" });
    expect(await codeOfAsync(asked)).toBe("RESOURCE_MISSING");
  });
});

describe("transit", () => {
  it("encrypts, decrypts, rewraps and makes data keys with one attestation", async () => {
    expect((await harness.admin("POST", "/kbs/v0/transit/keys/orders", "{}")).status).toBe(200);
    const { transit } = client();
    const ciphertext = await transit.encrypt("orders", "hello");
    expect(ciphertext).toMatch(/^vault:v1:/);
    expect(toUtf8(await transit.decrypt("orders", ciphertext))).toBe("hello");
    expect((await harness.admin("POST", "/kbs/v0/transit/keys/orders/rotate")).status).toBe(204);
    const newer = await transit.rewrap("orders", ciphertext);
    expect(newer).toMatch(/^vault:v2:/);
    expect(toUtf8(await transit.decrypt("orders", newer))).toBe("hello");
    for (const bits of [128, 256, 512] as const) {
      const key = await transit.dataKey("orders", { bits });
      expect(key.plaintext.length * 8).toBe(bits);
      expect(await transit.decrypt("orders", key.ciphertext)).toEqual(key.plaintext);
    }
    expect(attestations).toBe(1);
  });

  it("binds contexts and associated data", async () => {
    await harness.admin("POST", "/kbs/v0/transit/keys/derived", JSON.stringify({ derived: true }));
    const { transit } = client();
    const how = { context: fromUtf8("tenant 1"), associatedData: fromUtf8("row 7") };
    const ciphertext = await transit.encrypt("derived", new Uint8Array([0, 255]), how);
    expect([...(await transit.decrypt("derived", ciphertext, how))]).toEqual([0, 255]);
    for (const other of [{ ...how, context: fromUtf8("tenant 2") }, { context: how.context }])
      await expect(transit.decrypt("derived", ciphertext, other)).rejects.toMatchObject({
        code: "REQUEST_REFUSED",
      });
  });

  it("says which key is not there, and what is no name", async () => {
    const { transit } = client();
    expect(await codeOfAsync(() => transit.encrypt("nothing", "x"))).toBe("RESOURCE_MISSING");
    for (const name of ["", "..", "a/b", "a?b"])
      expect(await codeOfAsync(() => transit.decrypt(name, "vault:v1:AA=="))).toBe("INVALID_NAME");
  });

  it("takes no plaintext that came in the clear", async () => {
    await harness.close();
    harness = await createPluginHarness([transitPlugin({ plainAnswers: true })]);
    await harness.admin("POST", "/kbs/v0/transit/keys/orders", "{}");
    const { transit } = client();
    const ciphertext = await transit.encrypt("orders", "hello");
    expect(await codeOfAsync(() => transit.decrypt("orders", ciphertext))).toBe("INVALID_ANSWER");
  });

  it("attests anew when the broker does not know its token any more", async () => {
    await harness.admin("POST", "/kbs/v0/transit/keys/orders", "{}");
    const workload = client();
    const ciphertext = await workload.transit.encrypt("orders", "hello");
    harness.clock.time = new Date(harness.clock.time.getTime() + 24 * 3_600_000);
    expect(toUtf8(await workload.transit.decrypt("orders", ciphertext))).toBe("hello");
    expect(attestations).toBe(2);
  });
});

describe("the other plugins", () => {
  it("unwraps what an administrator wrapped", async () => {
    await harness.admin("PUT", "/kbs/v0/wrap/disks");
    const wrapped = await (await harness.admin("POST", "/kbs/v0/wrap/disks/wrap", "a key")).arrayBuffer();
    expect(toUtf8(await client().unwrapKey("disks", new Uint8Array(wrapped)))).toBe("a key");
    await expect(client().unwrapKey("disks", fromUtf8("other"))).rejects.toMatchObject({
      code: "REQUEST_REFUSED",
    });
  });

  it("gets a disk key for the machine whose init-data names it, and no other", async () => {
    const body = JSON.stringify({ vm_name: "vm-1" });
    const { resource_path } = await jsonOf(
      await harness.admin("POST", "/kbs/v0/provisioner/provision", body),
    );
    const name = `kbs+provisioner:///${resource_path}`;
    const initData = `version = "0.1.0"\nalgorithm = "sha384"\n\n[data]\n"trustee.kbs.resource" = "${name}"\n`;
    const digest = toHex(new Uint8Array(createHash("sha384").update(initData).digest())).padEnd(128, "0");
    await harness.setReferenceValues({ init_data: [digest] });
    expect(toUtf8(await client(initData).diskKey(name))).toContain('"io.cryptsetup.key.text.root" = "');
    expect(await codeOfAsync(() => client().diskKey(String(resource_path)))).toBe("RELEASE_REFUSED");
  });

  it("gets a credential of the overlay network", async () => {
    const asked = { name: "node-1", ip: "10.9.0.7/16", duration: "1h", groups: ["web", "db"] };
    const { certificate, privateKey, authority } = await client().nebulaCredential(asked);
    for (const pem of [certificate, authority]) expect(pem).toMatch(/^-----BEGIN NEBULA CERTIFICATE-----\n/);
    expect(privateKey).toMatch(/^-----BEGIN NEBULA X25519 PRIVATE KEY-----\n/);
    await expect(client().nebulaCredential({ name: "n", ip: "192.0.2.1/24" })).rejects.toMatchObject({
      code: "REQUEST_REFUSED",
    });
  });

  it.skipIf(!existsSync("/usr/bin/nebula-cert"))("whose certificate nebula-cert reads", async () => {
    const { certificate } = await client().nebulaCredential({ name: "node-1", ip: "10.9.0.7/16" });
    const path = written("node.crt", certificate);
    const said = toUtf8(execFileSync("/usr/bin/nebula-cert", ["print", "-json", "-path", path]));
    expect(JSON.parse(said).details).toMatchObject({ name: "node-1", ips: ["10.9.0.7/16"] });
  });
});
