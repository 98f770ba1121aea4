// SPDX-License-Identifier: Apache-2.0
// Configurations of brokers: files of ours in every format, and Trustee's.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importTrustee, parsedFile, settingsOf } from "@adyton/broker/config";
import { isJsonObject, parseJson } from "@adyton/core/json";
import { bytesOf, textOf, tolerant, tolerantAsync } from "../tolerant.ts";

export async function fuzz(data: Uint8Array): Promise<void> {
  tolerant(() => {
    const value = parseJson(textOf(data));
    tolerant(
      () => settingsOf(value),
      () => {
        if (isJsonObject(value)) settingsOf(importTrustee(value).settings);
      },
    );
  });
  const folder = mkdtempSync(join(tmpdir(), "adyton-fuzz-"));
  try {
    for (const ending of ["toml", "yaml"]) {
      const file = join(folder, `broker.${ending}`);
      writeFileSync(file, data);
      await tolerantAsync(async () => settingsOf(await parsedFile(file)));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function seeds(): Promise<Uint8Array[]> {
  const trustee = {
    http_server: { sockets: ["127.0.0.1:8080"], insecure_http: true, payload_request_size: 2 },
    attestation_token: { insecure_key: true, trusted_certs_paths: ["/ca.pem"] },
    admin: { type: "Simple", personas: [{ id: "a", public_key_path: "/a.pub" }] },
    plugins: [{ name: "resource", type: "LocalFs", dir_path: "/repository" }],
  };
  return [
    JSON.stringify({ server: { host: "127.0.0.1", port: 8080, allow_plain_http: true } }),
    '[server]\nhost = "::1"\nport = 8080\n[limits]\nbody_bytes = 2097152\n',
    "server:\n  host: localhost\n  tls: {key: a, certificate: b}\nlimits: &a\n  body_bytes: 1\n",
    JSON.stringify(trustee),
  ].map(bytesOf);
}
