// SPDX-License-Identifier: Apache-2.0
// A new key signs, tokens of the old ones still open secrets until they expire, and every replica knows all of them.

import { codeOfAsync } from "@adyton/testing";
import { decodeProtectedHeader } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarness, GOOD_VALUES, type Harness, jsonOf, refusalOf, secretOf } from "../../test/harness.ts";
import { hasPostgres, newSchema, useServer } from "../../test/postgres.ts";
import { auditEntryOf } from "../audit.ts";
import { readSharedSecret, TOKEN_KEYS } from "../shared-keys.ts";
import { fixedTokenKeys, storedTokenKeys } from "./token-keys.ts";

const SECRET = "/kbs/v0/resource/default/hello/secret";
const server = useServer();

let harness: Harness;

beforeEach(async () => {
  harness = await createHarness();
  await harness.setReferenceValues(GOOD_VALUES);
  await harness.admin("POST", SECRET, "open sesame");
});
afterEach(() => harness.close());

const later = (seconds: number): void => {
  harness.clock.time = new Date(harness.clock.time.getTime() + seconds * 1000);
};
const rotate = async (body = "{}", at: Harness = harness, base = ""): Promise<Response> =>
  at.admin("POST", `${base}/v1/token-keys/rotate`, body);
const kids = async (at: Harness = harness, base = ""): Promise<unknown[]> => {
  const { keys } = await jsonOf(await at.call("GET", `${base}/.well-known/jwks.json`));
  return Array.isArray(keys) ? keys.map((key) => Object(key).kid) : [];
};
const release = (token: string, at: Harness = harness): Promise<Response> =>
  at.call("GET", SECRET, { headers: { authorization: `Bearer ${token}` } });

describe("rotation of the key of tokens", () => {
  it("signs with the new key, and takes tokens of the old one until they have expired", async () => {
    const before = (await harness.attested()).token;
    const [old] = await kids();
    expect(decodeProtectedHeader(before).kid).toBe(old);
    expect((await rotate()).status).toBe(200);
    const [fresh, ...others] = await kids();
    expect(fresh).not.toBe(old);
    expect(others).toEqual([old]);
    const after = (await harness.attested()).token;
    expect(decodeProtectedHeader(after).kid).toBe(fresh);
    for (const token of [before, after]) expect(await secretOf(await release(token))).toBe("open sesame");
    later(421);
    expect(await kids()).toEqual([fresh]);
    expect((await refusalOf(await release(before))).code).toBe("TOKEN_REFUSED");
  });

  it("keeps no private half of a key that does not sign", async () => {
    await rotate();
    await rotate();
    const { text = "" } =
      (await readSharedSecret(harness.state.store, harness.state.vault, TOKEN_KEYS)) ?? {};
    expect(text.match(/"d":/g)).toHaveLength(1);
    expect(JSON.parse(text).keys).toHaveLength(3);
  });

  it.each([
    ["", "ES256"],
    ["{}", "ES256"],
    ['{"algorithm":"ES384"}', "ES384"],
    ['{"algorithm":"EdDSA"}', "EdDSA"],
  ])("asked with %j makes a key for %s", async (body, algorithm) => {
    const { keys } = await jsonOf(await rotate(body));
    expect(keys).toMatchObject([{ algorithm }, { algorithm: "ES256", retired: expect.any(String) }]);
    expect(decodeProtectedHeader((await harness.attested()).token).alg).toBe(algorithm);
  });

  it.each(['{"algorithm":"none"}', '{"algorithm":"RS256"}', '{"x":1}', "[]", "no JSON"])(
    "asked with %j is refused",
    async (body) => {
      const before = await kids();
      expect((await rotate(body)).status).toBe(400);
      expect(await kids()).toEqual(before);
    },
  );

  it("needs an administrator, and is in the audit log", async () => {
    for (const [method, path] of [
      ["GET", "/v1/token-keys"],
      ["POST", "/v1/token-keys/rotate"],
    ] as const)
      expect((await harness.call(method, path)).status).toBe(401);
    await rotate();
    const [kid] = await kids();
    const entries = await harness.state.store.log(0, 100);
    expect(entries.map((entry) => auditEntryOf(entry).event)).toContainEqual(
      expect.objectContaining({ type: "token-key.rotate", key: kid }),
    );
    const listed = await jsonOf(await harness.admin("GET", "/v1/token-keys"));
    expect(listed.keys).toMatchObject([{ id: kid }, { until: "2026-03-01T12:07:00.000Z" }]);
    expect(JSON.stringify(listed)).not.toContain('"d"');
  });

  it("outlives a restart", async () => {
    await rotate();
    const before = await kids();
    await harness.restart();
    expect(await kids()).toEqual(before);
  });

  it("of a tenant leaves all others alone", async () => {
    await harness.admin("POST", "/v1/tenants", JSON.stringify({ name: "alpha" }));
    const [house, alpha] = [await kids(), await kids(harness, "/tenants/alpha")];
    expect((await rotate("{}", harness, "/tenants/alpha")).status).toBe(200);
    expect(await kids()).toEqual(house);
    const [fresh, ...others] = await kids(harness, "/tenants/alpha");
    expect(others).toEqual(alpha);
    expect(house).not.toContain(fresh);
  });

  it("keeps at most 64 keys whose tokens hold", async () => {
    const options = { lifetimeSeconds: 300, by: "test" };
    const keys = storedTokenKeys({ ...harness.state, clock: harness.clock });
    for (let n = 0; n < 63; n++) await keys.rotate(options);
    expect(await codeOfAsync(() => keys.rotate(options))).toBe("KEY_REFUSED");
    later(421);
    expect(await keys.rotate(options)).toHaveLength(2);
  });

  it("is refused where the program keeps the key itself", async () => {
    const key = await harness.state.tokenKeys.signing();
    await harness.restart({ tokenKeys: fixedTokenKeys(key) });
    expect((await refusalOf(await rotate())).code).toBe("KEY_REFUSED");
    expect(await kids()).toEqual([key.publicJwk.kid]);
  });

  it("loses none of several at once", async () => {
    const { store, vault } = harness.state;
    const both = [0, 1].map(() => storedTokenKeys({ store, vault, clock: harness.clock }));
    await Promise.all(both.map((keys) => keys.rotate({ lifetimeSeconds: 300, by: "test" })));
    expect(await both[0]?.list()).toHaveLength(3);
  });
});

it.skipIf(!hasPostgres)("replicas take each other's new keys at once", async () => {
  const postgres = { url: server().url, schema: newSchema() };
  const a = await createHarness({}, { postgres });
  const b = await createHarness({}, { postgres, keysOf: a });
  await a.setReferenceValues(GOOD_VALUES);
  await a.admin("POST", SECRET, "open sesame");
  const { token: old } = await b.attested();
  expect((await rotate("{}", a)).status).toBe(200);
  const { token } = await a.attested();
  for (const one of [old, token]) expect(await secretOf(await release(one, b))).toBe("open sesame");
  expect(await kids(b)).toEqual(await kids(a));
  await a.close();
  await b.close();
});
