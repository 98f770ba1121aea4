// SPDX-License-Identifier: Apache-2.0
// What others answer to a broker: identity providers their keys, Vault its secrets.

import { vaultKvBackend } from "@adyton/broker/plugins";
import { toBase64Url } from "@adyton/core/bytes";
import { checkForeseen, type FuzzedBroker, NOW, openFleetingBroker } from "../broker.ts";
import { bytesOf, tolerantAsync } from "../tolerant.ts";

const ISSUER = "https://id.test";
const HOUR_MS = 3_600_000;
const JWT = [
  { alg: "ES256", kid: "1" },
  { iss: ISSUER, aud: "adyton", sub: "bob", exp: 4_000_000_000, role: "auditor" },
]
  .map((part) => toBase64Url(bytesOf(JSON.stringify(part))))
  .join(".");
const BEARER = `Bearer ${JWT}.${toBase64Url(new Uint8Array(64))}`;

let answer = new Uint8Array(0);
let time = NOW;
let opened: Promise<FuzzedBroker> | undefined;
const reply = async (): Promise<Response> => new Response(answer.slice());
const vaults = ([1, 2] as const).map((version) =>
  vaultKvBackend({ url: "https://vault.test", version, login: { token: "t" }, fetch: reply }),
);

export async function fuzz(data: Uint8Array): Promise<void> {
  answer = data.slice();
  // Keys that were fetched are kept for a while.
  time = new Date(time.getTime() + HOUR_MS);
  opened ??= openFleetingBroker({
    clock: { now: () => time },
    admin: {
      issuers: [{ issuer: ISSUER, audience: "adyton", keys: { url: `${ISSUER}/keys` } }],
      fetchKeys: reply,
    },
  });
  const { broker } = await opened;
  const request = new Request("http://broker.test/v1/whoami", { headers: { authorization: BEARER } });
  const response = await broker.fetch(request);
  checkForeseen(response, "a set of keys");
  if (response.status === 200) throw new Error("a token that nobody signed is accepted");
  for (const vault of vaults) {
    await tolerantAsync(
      () => vault.get("a/b/c"),
      () => vault.versions("a/b/c"),
      () => vault.list(""),
    );
  }
}

export async function seeds(): Promise<Uint8Array[]> {
  const key = { kty: "EC", crv: "P-256", kid: "1", alg: "ES256", x: "A".repeat(43), y: "A".repeat(43) };
  return [
    { keys: [key] },
    { keys: [key, { ...key, kty: "RSA", n: "AQAB", e: "AQAB" }, { kty: "oct", k: "AAAA" }] },
    { data: { data: "secret" } },
    { data: { data: { data: [1, 2, 255] }, metadata: { version: 3 } } },
    { data: { versions: { 1: { created_time: NOW.toISOString(), deletion_time: "", destroyed: false } } } },
    { data: { keys: ["a/", "b"] } },
    { errors: ["permission denied"] },
  ].map((value) => bytesOf(JSON.stringify(value)));
}
