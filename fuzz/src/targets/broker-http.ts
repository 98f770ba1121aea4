// SPDX-License-Identifier: Apache-2.0
// Requests to a broker with plugins, by its owner and by an attested workload: method and path in the first line, then the body.

import { createHash, generateKeyPairSync } from "node:crypto";
import { caPlugin, nebulaPlugin, provisionerPlugin, transitPlugin, wrapPlugin } from "@adyton/broker/plugins";
import { createClient } from "@adyton/client";
import { toBase64, toBase64Url } from "@adyton/core/bytes";
import { checkForeseen, type FuzzedBroker, NOW, openFleetingBroker } from "../broker.ts";
import { sample } from "../simulated.ts";
import { bytesOf } from "../tolerant.ts";

interface Doors extends FuzzedBroker {
  /** Bearer tokens. */
  readonly tokens: readonly string[];
}

const URL_BASE = "http://broker.test";
const METHODS: readonly string[] = ["GET", "POST", "PUT", "DELETE"];
/** What takes as long as it has to: everything is sealed anew. */
const SLOW = /root-key/;
let opened: Promise<Doors> | undefined;

export async function fuzz(data: Uint8Array): Promise<void> {
  const end = data.indexOf(10);
  const line = new TextDecoder("latin1").decode(data.subarray(0, end === -1 ? data.length : end));
  const [method = "", path = ""] = line.split(" ");
  const url = `${URL_BASE}/${path.replace(/^\//, "")}`;
  if (!METHODS.includes(method) || !URL.canParse(url) || SLOW.test(path)) return;
  const body = end === -1 || method === "GET" ? null : data.slice(end + 1);
  opened ??= open();
  const { broker, tokens } = await opened;
  for (const token of tokens) {
    const headers = { authorization: `Bearer ${token}` };
    checkForeseen(await broker.fetch(new Request(url, { method, headers, body })), `${method} ${path}`);
  }
}

export async function seeds(): Promise<Uint8Array[]> {
  const text = (value: string): string => toBase64Url(bytesOf(value));
  const json = JSON.stringify;
  const values = {
    launch_digest: ["ab".repeat(48)],
    svn: ["1"],
    major_version: [1],
    minimum_minor_version: [0],
  };
  const policy = "package policy\n\ndefault allow := false\n";
  const sha256 = createHash("sha256").update("adyton~op~token").digest("hex");
  const { publicKey } = generateKeyPairSync("ed25519");
  const csr = publicKey.export({ format: "der", type: "spki" });
  return [
    `POST /kbs/v0/reference-value\n${json({ version: "0.1.0", type: "sample", payload: toBase64(bytesOf(json(values))) })}`,
    `POST /v1/references\n${json({ type: "sample", payload: toBase64(bytesOf(json(values))), group: "g", expires: NOW.toISOString() })}`,
    `POST /v1/references/revoke\n${json({ id: "svn", value: "1", reason: "old" })}`,
    "GET /v1/references?group=g&status=live",
    `POST /kbs/v0/resource-policy\n${json({ policy: text(policy) })}`,
    `POST /kbs/v0/attestation-policy\n${json({ type: "rego", policy_id: "default_cpu", policy: text(policy) })}`,
    `PUT /v1/resource-policies/team-a/**\n${json({ policy })}`,
    "POST /kbs/v0/resource/default/hello/secret\nopen sesame",
    "GET /kbs/v0/resource/default/hello/secret?version=1",
    `POST /v1/admins\n${json({ name: "op", credential: { kind: "token", sha256 }, grants: [{ actions: ["resource.*"], targets: ["team-a/**"] }], expires: NOW.toISOString() })}`,
    `POST /v1/tenants\n${json({ name: "alpha", quota: { maxBytes: 9 } })}`,
    `POST /tenants/alpha/kbs/v0/auth\n${json({ version: "0.4.0", tee: "sample", "extra-params": "" })}`,
    "GET /v1/audit/entries?after=1&limit=2",
    "GET /v1/audit/proof/consistency?from=1&to=2",
    "POST /v1/audit/witness\nexample.com/log\n1\nAAAA\n\n— example.com/log AAAA\n",
    "POST /challenge-response/v1/newSession?nonceSize=32\n",
    "POST /management/v1/policy/PSA_IOT?name=a\npackage policy\n",
    "POST /kbs/v0/transit/keys/orders\n{}",
    `POST /kbs/v0/transit/encrypt/orders\n${json({ batch_input: [{ plaintext: "AAAA", context: "AA==" }] })}`,
    `POST /kbs/v0/transit/decrypt/orders\n${json({ ciphertext: "vault:v1:AAAA" })}`,
    "POST /kbs/v0/wrap/disks/unwrap\nAW1\0\0\0\0\x01sealed",
    `POST /kbs/v0/ca/issue/payments/api?dns=a.example\n${csr.toString("latin1")}`,
    "GET /kbs/v0/nebula-ca/credential?name=pod&ip=10.1.2.3/24&groups=a,b&subnets=10.0.0.0/8&duration=1h30m",
    `POST /kbs/v0/provisioner/provision\n${json({ vm_name: "vm", namespace: "n" })}`,
  ].map((line) => Uint8Array.from(line, (letter) => letter.charCodeAt(0)));
}

async function open(): Promise<Doors> {
  const found = await openFleetingBroker({
    plugins: [
      caPlugin({ trustDomain: "example.org", keys: "any", dnsNames: ["*.example"] }),
      nebulaPlugin(),
      provisionerPlugin(),
      transitPlugin({ vaultPaths: true }),
      wrapPlugin(),
    ],
  });
  const machine = await (await sample()).machine();
  const client = createClient({
    url: URL_BASE,
    now: () => NOW,
    fetch: (url, init) => found.broker.fetch(new Request(url, init)),
    attester: {
      tee: "sample",
      collect: async (reportData) => ({
        tee: "sample",
        evidence: await machine.evidence({ launchDigest: "ab".repeat(48), reportData }),
      }),
    },
  });
  const { token } = await client.getToken();
  return { ...found, tokens: [found.state.adminToken, token] };
}
