// SPDX-License-Identifier: Apache-2.0
// The broker beside a guest that somebody else could have written: Python with requests, cryptography and jwcrypto, from
// the protocol's text alone. Nothing of ours runs on its side.

import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBroker, openBrokerState, type ServedBroker, serveBroker } from "@adyton/broker";
import { fromUtf8, toBase64 } from "@adyton/core/bytes";
import { type JsonObject, parseJson } from "@adyton/core/json";
import { createSampleVendor } from "@adyton/simulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Debian's, which has the modules; another on the path may not. */
const PYTHON = "/usr/bin/python3";
const SCRIPT = join(import.meta.dirname, "python/guest.py");
const DIGEST = "ab".repeat(48);
const NAME = "default/hello/secret";

const hasPython = spawnSync(PYTHON, ["-c", "import requests, cryptography, jwcrypto"]).status === 0;
if (!hasPython) console.warn("skipped: no Python with requests, cryptography and jwcrypto");

describe.skipIf(!hasPython)("a guest in Python", () => {
  const folder = mkdtempSync(join(tmpdir(), "adyton-python-"));
  const secret = new Uint8Array(randomBytes(1000));
  let served: ServedBroker;
  let machine: JsonObject;

  beforeAll(async () => {
    const vendor = await createSampleVendor();
    const { certificate, key } = await (await vendor.machine()).export();
    machine = { certificate: toBase64(certificate), key: toBase64(key) };
    const state = await openBrokerState(join(folder, "state"));
    const broker = createBroker({ ...state, roots: [vendor.root], allowSimulated: true });
    served = await serveBroker(broker, { port: 0 });
    const values = { launch_digest: [DIGEST], svn: ["1"], major_version: [1], minimum_minor_version: [0] };
    const payload = toBase64(fromUtf8(JSON.stringify(values)));
    for (const [path, body] of [
      [`resource/${NAME}`, secret],
      ["reference-value", JSON.stringify({ version: "0.1.0", type: "sample", payload })],
    ] as const) {
      const headers = { authorization: `Bearer ${state.adminToken}` };
      const answer = await fetch(`${served.url}/kbs/v0/${path}`, { method: "POST", headers, body });
      expect(answer.status).toBe(200);
    }
  });

  afterAll(async () => {
    await served.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function guest(changes: JsonObject = {}): Promise<JsonObject> {
    const order = {
      url: served.url,
      resource: NAME,
      key: "P-256",
      launch_digest: DIGEST,
      machine,
      ...changes,
    };
    const child = spawn(PYTHON, [SCRIPT], { stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.end(JSON.stringify(order));
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk) => (out += String(chunk)));
    child.stderr.on("data", (chunk) => (err += String(chunk)));
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect([code, err]).toEqual([0, ""]);
    return parseJson(out) as JsonObject;
  }

  it.each(["P-256", "P-384", "P-521", "RSA"])(
    "performs the whole flow and opens the answer with %s",
    async (key) => {
      const { claims, by_cookie, by_token } = await guest({ key });
      expect([by_cookie, by_token]).toEqual([toBase64(secret), toBase64(secret)]);
      expect(claims).toMatchObject({
        eat_profile: "tag:github.com,2024:confidential-containers/Trustee",
        submods: { cpu0: { "ear.status": "affirming" } },
      });
    },
  );

  it("is refused the secret when it runs something that nobody vouched for, or asks for another's name", async () => {
    const refused = { refused: "resource", status: 401, type: "PolicyDeny" };
    const told = await guest({ launch_digest: "cd".repeat(48) });
    expect(told).toMatchObject(refused);
    expect(told.detail).toContain("launch_digest");
    expect(await guest({ resource: "no/such/name" })).toMatchObject({ refused: "resource", status: 401 });
    expect(await guest({ resource: "no" })).toMatchObject({ status: 404, type: "InvalidRequestPath" });
  });

  it.each([{ nonce: toBase64(new Uint8Array(32)) }, { key: true }])(
    "is refused a token when its evidence binds something else: %j",
    async (bind) => {
      expect(await guest({ bind })).toMatchObject({
        refused: "attest",
        status: 401,
        type: "AttestationError",
      });
    },
  );
});
