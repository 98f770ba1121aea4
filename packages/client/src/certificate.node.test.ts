// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { expect, it } from "vitest";
import { certificateKey, certificateRequest } from "./certificate.ts";
import { newTeeKeyPair } from "./tee-key.ts";

it("makes requests that openssl verifies, by the key that it hands out", async () => {
  const { key, pem } = await certificateKey(await newTeeKeyPair(true));
  const input = await certificateRequest(key);
  const args = ["req", "-inform", "DER", "-verify", "-noout", "-text"];
  expect(execFileSync("openssl", args, { input, encoding: "utf8", stdio: "pipe" })).toContain("prime256v1");
  expect(createPrivateKey(pem).asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
});
