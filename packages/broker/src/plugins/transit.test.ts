// SPDX-License-Identifier: Apache-2.0
// Transit: Vault's shapes, versions, contexts, and who may do what.

import { fromUtf8, toBase64, toUtf8 } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { jsonOf, openedOf, refusalOf } from "../../test/harness.ts";
import { createPluginHarness, type PluginHarness } from "../../test/plugin-harness.ts";
import { createSoftHsm, hasSoftHsm, type SoftHsm } from "../../test/softhsm.ts";
import { openPkcs11Token, type Pkcs11Token } from "../pkcs11/token.ts";
import { transitPlugin } from "./transit.ts";

const BASE = "/kbs/v0/transit";
const PLAINTEXT = toBase64(fromUtf8("attack at dawn"));
let harness: PluginHarness;

const dataOf = async (answer: Response): Promise<JsonObject> => {
  expect(answer.status).toBe(200);
  return (await jsonOf(answer)).data as JsonObject;
};
const openedData = async (answer: Response): Promise<JsonObject> =>
  JSON.parse(toUtf8(await openedOf(answer))).data as JsonObject;
const post = (path: string, body: JsonObject = {}) =>
  harness.admin("POST", `${BASE}/${path}`, JSON.stringify(body));
const guestPost = (path: string, body: JsonObject = {}) =>
  harness.guest("POST", `${BASE}/${path}`, JSON.stringify(body));
const encrypted = async (more: JsonObject = {}, key = "orders"): Promise<string> =>
  String((await dataOf(await post(`encrypt/${key}`, { plaintext: PLAINTEXT, ...more }))).ciphertext);

describe("transit", () => {
  beforeEach(async () => {
    harness = await createPluginHarness([transitPlugin({ vaultPaths: true })]);
    await post("keys/orders");
  });
  afterEach(() => harness.close());

  it("encrypts for the administrator, decrypts for the attested, encrypted to the attested key", async () => {
    const ciphertext = await encrypted();
    expect(ciphertext).toMatch(/^vault:v1:[A-Za-z0-9+/=]+$/);
    expect(await encrypted()).not.toBe(ciphertext);
    expect(await openedData(await guestPost("decrypt/orders", { ciphertext }))).toEqual({
      plaintext: PLAINTEXT,
    });
    expect((await harness.events())[0]).toMatchObject({ type: "plugin.use", keyName: "orders", items: 1 });
  });

  it("keeps so many keys, and no more", async () => {
    const rows = Array.from({ length: 9_999 }, (_, n) => ({
      kind: "put" as const,
      space: "key",
      key: `transit/k${n}`,
      value: new Uint8Array(1),
    }));
    await harness.state.store.write(rows);
    expect((await refusalOf(await post("keys/more"))).code).toBe("QUOTA_EXCEEDED");
    expect((await post("keys/orders")).status).toBe(200);
  });

  it("rotates: old ciphertexts open until their version is shut out, and rewrap brings them up", async () => {
    const old = await encrypted();
    expect((await post("keys/orders/rotate")).status).toBe(204);
    const { ciphertext } = await dataOf(await guestPost("rewrap/orders", { ciphertext: old }));
    expect(ciphertext).toMatch(/^vault:v2:/);
    expect((await guestPost("decrypt/orders", { ciphertext: old })).status).toBe(200);
    expect((await post("keys/orders/config", { min_decryption_version: 2 })).status).toBe(204);
    expect((await refusalOf(await guestPost("decrypt/orders", { ciphertext: old }))).code).toBe(
      "KEY_REFUSED",
    );
    expect(await openedData(await guestPost("decrypt/orders", { ciphertext: String(ciphertext) }))).toEqual({
      plaintext: PLAINTEXT,
    });
    const facts = await dataOf(await harness.admin("GET", `${BASE}/keys/orders`));
    expect(facts).toMatchObject({ latest_version: 2, min_decryption_version: 2, exportable: false });
    expect(Object.keys(facts.keys as JsonObject)).toEqual(["1", "2"]);
  });

  it("rotates once for each of many at once", async () => {
    await Promise.all(Array.from({ length: 5 }, () => post("keys/orders/rotate")));
    expect(await dataOf(await harness.admin("GET", `${BASE}/keys/orders`))).toMatchObject({
      latest_version: 6,
    });
  });

  it("binds associated data and, where the key is derived, the context", async () => {
    await post("keys/derived", { derived: true });
    const context = toBase64(fromUtf8("customer 7"));
    const bound = await encrypted({ context }, "derived");
    expect(await openedData(await guestPost("decrypt/derived", { ciphertext: bound, context }))).toEqual({
      plaintext: PLAINTEXT,
    });
    const wrong = { ciphertext: bound, context: toBase64(fromUtf8("customer 8")) };
    expect((await refusalOf(await guestPost("decrypt/derived", wrong))).code).toBe("CIPHERTEXT_REFUSED");
    expect((await refusalOf(await guestPost("decrypt/derived", { ciphertext: bound }))).code).toBe(
      "KEY_REFUSED",
    );
    const associated_data = toBase64(fromUtf8("row 1"));
    const ciphertext = await encrypted({ associated_data });
    expect((await refusalOf(await guestPost("decrypt/orders", { ciphertext }))).code).toBe(
      "CIPHERTEXT_REFUSED",
    );
    expect((await guestPost("decrypt/orders", { ciphertext, associated_data })).status).toBe(200);
  });

  it("takes batches, with an error for each item of its own", async () => {
    const batch_input = [{ plaintext: PLAINTEXT }, { plaintext: "no base64!" }];
    const { batch_results } = (await dataOf(await post("encrypt/orders", { batch_input }))) as {
      batch_results: readonly JsonObject[];
    };
    expect(batch_results).toMatchObject([{ key_version: 1 }, { error: expect.stringContaining("base64") }]);
  });

  it("makes data keys, plain for the attested alone", async () => {
    const { ciphertext, plaintext } = await openedData(
      await guestPost("datakey/plaintext/orders", { bits: 512 }),
    );
    expect(Buffer.from(String(plaintext), "base64").length).toBe(64);
    expect(await openedData(await guestPost("decrypt/orders", { ciphertext: String(ciphertext) }))).toEqual({
      plaintext,
    });
    expect(await dataOf(await guestPost("datakey/wrapped/orders"))).not.toHaveProperty("plaintext");
  });

  it("changes ciphertexts: every byte counts", async () => {
    const ciphertext = await encrypted();
    const body = Buffer.from(ciphertext.slice("vault:v1:".length), "base64");
    for (let at = 0; at < body.length; at += 7) {
      const changed = Buffer.from(body);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const answer = await guestPost("decrypt/orders", {
        ciphertext: `vault:v1:${changed.toString("base64")}`,
      });
      expect((await refusalOf(answer)).code).toBe("CIPHERTEXT_REFUSED");
    }
  });

  it.each([
    ["another key's ciphertext", "decrypt/orders", "KEY", "CIPHERTEXT_REFUSED"],
    ["a version that never was", "decrypt/orders", "vault:v9:AAAA", "CIPHERTEXT_REFUSED"],
    ["no ciphertext of Vault's form", "decrypt/orders", "hello", "CIPHERTEXT_REFUSED"],
    ["a short one", "decrypt/orders", "vault:v1:AAAA", "CIPHERTEXT_REFUSED"],
    ["a key that is not there", "decrypt/none", "vault:v1:AAAA", "KEY_NOT_FOUND"],
    ["a key that cannot be", "decrypt/..%2F", "vault:v1:AAAA", "INVALID_PATH"],
  ])("refuses %s", async (_name, path, given, code) => {
    await post("keys/other");
    const ciphertext = given === "KEY" ? await encrypted({}, "other") : given;
    expect((await refusalOf(await guestPost(path, { ciphertext }))).code).toBe(code);
  });

  it("keeps keys for administrators: the attested neither see, make, rotate nor delete them", async () => {
    for (const [method, path] of [
      ["GET", "keys"],
      ["GET", "keys/orders"],
      ["POST", "keys/mine"],
      ["POST", "keys/orders/rotate"],
      ["DELETE", "keys/orders"],
    ] as const)
      expect((await refusalOf(await harness.guest(method, `${BASE}/${path}`))).code).toBe("ADMIN_REFUSED");
  });

  it("deletes a key only after that was allowed", async () => {
    expect((await refusalOf(await harness.admin("DELETE", `${BASE}/keys/orders`))).code).toBe("KEY_REFUSED");
    await post("keys/orders/config", { deletion_allowed: true });
    expect((await harness.admin("DELETE", `${BASE}/keys/orders`)).status).toBe(204);
    expect(await dataOf(await harness.admin("GET", `${BASE}/keys`))).toEqual({ keys: [] });
    expect((await harness.events()).map(({ type }) => type)).toContain("key.delete");
  });

  it("finds its keys again after a restart", async () => {
    const ciphertext = await encrypted();
    await harness.restart({ plugins: [transitPlugin()] });
    expect(await openedData(await guestPost("decrypt/orders", { ciphertext }))).toEqual({
      plaintext: PLAINTEXT,
    });
  });

  it("answers Vault's own clients at Vault's own path", async () => {
    const headers = { "x-vault-token": harness.state.adminToken };
    const call = (method: string, path: string, body?: JsonObject) =>
      harness.call(method, `/v1/transit/${path}`, {
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const { ciphertext } = await dataOf(await call("PUT", "encrypt/orders", { plaintext: PLAINTEXT }));
    expect(await dataOf(await call("PUT", "decrypt/orders", { ciphertext: String(ciphertext) }))).toEqual({
      plaintext: PLAINTEXT,
    });
    expect(await dataOf(await call("GET", "keys?list=true"))).toEqual({ keys: ["orders"] });
    const denied = await harness.call("GET", "/v1/transit/keys", {
      headers: { "x-vault-token": "x".repeat(32) },
    });
    expect([denied.status, await jsonOf(denied)]).toEqual([
      403,
      { errors: [expect.stringContaining("Cannot")] },
    ]);
  });
});

describe.skipIf(!hasSoftHsm)("transit with an HSM", () => {
  let hsm: SoftHsm;
  let token: Pkcs11Token;

  beforeAll(async () => {
    hsm = createSoftHsm();
    token = await openPkcs11Token(hsm.options);
  });
  afterAll(() => {
    token.close();
  });
  afterEach(() => harness.close());

  it("keeps keys that only the token opens", async () => {
    harness = await createPluginHarness([transitPlugin({ token })]);
    await post("keys/orders");
    const ciphertext = await encrypted();
    expect((await guestPost("decrypt/orders", { ciphertext })).status).toBe(200);
    await harness.restart({ plugins: [transitPlugin()] });
    await harness.attestAgain();
    const answer = await harness.call("POST", `${BASE}/decrypt/orders`, {
      headers: { authorization: `Bearer ${harness.state.adminToken}` },
      body: JSON.stringify({ ciphertext }),
    });
    expect(await refusalOf(answer)).toMatchObject({ status: 500, code: "SECRET_CORRUPT" });
  });
});
