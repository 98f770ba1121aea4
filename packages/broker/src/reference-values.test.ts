// SPDX-License-Identifier: Apache-2.0
import { encodeCorim, type ReferenceTrust, signCorim } from "@adyton/appraisal/reference";
import { fromUtf8, toBase64, toHex } from "@adyton/core/bytes";
import { defaultCrypto, type PrivateKey } from "@adyton/core/crypto";
import type { JsonValue } from "@adyton/core/json";
import { codeOf } from "@adyton/testing";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createHarness, type Harness, referenceMessage, refusalOf } from "../test/harness.ts";
import { checkReferenceId, readReferenceRows } from "./reference-values.ts";

const PATH = "/kbs/v0/reference-value";
const ID = "ACME%20Ltd./Road/kernel/digests";
const DIGEST = "a3".repeat(32);
const TEMPLATE = {
  id: "corim:1",
  measurements: [{ vendor: "ACME Ltd.", model: "Road", key: "kernel", digests: [["sha-256", DIGEST]] }],
} as const;

let key: PrivateKey;
let stranger: PrivateKey;
let harness: Harness;
let closing: (() => Promise<void>)[];

beforeAll(async () => {
  key = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
  stranger = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
});

beforeEach(() => {
  closing = [];
});

afterEach(async () => {
  for (const close of closing) await close();
});

describe("CoRIMs", () => {
  it("are registered with who signed them", async () => {
    await start({ keys: [key.publicKey] });
    expect((await register(await signed())).status).toBe(200);
    const answer = await harness.admin("GET", `${PATH}/${ID}`);
    expect(await answer.json()).toEqual([DIGEST]);
    expect((await rows()).get(ID)).toEqual({
      value: [DIGEST],
      expiration: new Date("2027-03-01T12:00:00Z"),
      voucher: {
        kind: "corim",
        name: "ACME signing",
        keyId: toHex(await defaultCrypto.digest("SHA-256", key.publicKey.spki)),
        document: expect.stringMatching(/^[0-9a-f]{64}$/),
        verified: true,
      },
    });
    expect((await harness.admin("DELETE", `${PATH}/${ID}`)).status).toBe(200);
    expect((await rows()).has(ID)).toBe(false);
  });

  it("hold no longer than they say", async () => {
    await start({ keys: [key.publicKey] });
    const expires = new Date("2026-03-02T00:00:00Z");
    await register(await signed(key, { expires }));
    expect((await rows()).get(ID)?.expiration).toEqual(expires);
    harness.clock.time = expires;
    expect((await rows()).has(ID)).toBe(false);
  });

  it("without a signature are registered only where that was allowed, and say so", async () => {
    await start({ allowUnsigned: true });
    expect((await register(encodeCorim(TEMPLATE))).status).toBe(200);
    expect((await rows()).get(ID)?.voucher).toMatchObject({ kind: "corim", verified: false });
  });

  it.each<readonly [string, () => ReferenceTrust, () => Promise<Uint8Array>, string]>([
    ["without a signature", withKey, async () => encodeCorim(TEMPLATE), "REFERENCE_UNSIGNED"],
    ["where no key is trusted", () => ({}), () => signed(), "REFERENCE_KEY_MISSING"],
    ["of a stranger", withKey, () => signed(stranger), "REFERENCE_SIGNATURE"],
    ["that ended", withKey, () => signed(key, { expires: new Date("2026-01-01") }), "REFERENCE_EXPIRED"],
    ["that are none", withKey, async () => fromUtf8("{}"), "INVALID_CBOR"],
  ])("%s are refused, and nothing is kept", async (_what, trust, make, code) => {
    await start(trust());
    expect(await refusalOf(await register(await make()))).toMatchObject({ code });
    expect((await rows()).size).toBe(0);
  });

  it("in a payload that is no base64 are refused", async () => {
    await start({});
    const body = referenceMessage({}, { type: "corim", payload: "!" });
    expect(await refusalOf(await harness.admin("POST", PATH, body))).toMatchObject({
      code: "INVALID_REQUEST",
    });
  });
});

describe("rows", () => {
  it("of before vouchers are read", async () => {
    await start({});
    const { store, vault } = harness.state;
    const old = (value: JsonValue) => vault.seal("reference-value", "svn", fromUtf8(JSON.stringify(value)));
    const value = old({ expiration: "2027-01-01T00:00:00.000Z", value: [3] });
    await store.write([{ kind: "put", space: "reference-value", key: "svn", value }]);
    expect([...(await rows())]).toEqual([
      ["svn", { value: [3], expiration: new Date("2027-01-01T00:00:00Z") }],
    ]);
  });

  it("of values that the administrator names have no voucher", async () => {
    await start({ allowUnsigned: true });
    await harness.admin("POST", PATH, referenceMessage({ svn: 3 }));
    expect((await rows()).get("svn")).toEqual({
      value: [3],
      expiration: new Date("2027-03-01T12:00:00Z"),
    });
  });
});

describe("checkReferenceId", () => {
  it.each(["svn", "a/b.c:d-e", "%20a/%C3%A9", "a".repeat(256)])("accepts %s", (id) => {
    expect(() => checkReferenceId(id)).not.toThrow();
  });

  it.each(["", "a b", "a%", "a%2g", "a%c3", "a/%2E%2E/b", "a/../b", "a//b", "/a", "a/", "a".repeat(257)])(
    "refuses %j",
    (id) => {
      expect(codeOf(() => checkReferenceId(id))).toBe("INVALID_REQUEST");
    },
  );
});

async function start(referenceTrust: ReferenceTrust): Promise<void> {
  harness = await createHarness({ referenceTrust });
  const { broker } = harness;
  closing.push(() => broker.close());
}

function withKey(): ReferenceTrust {
  return { keys: [key.publicKey] };
}

function rows() {
  const { state, clock } = harness;
  return readReferenceRows(state.store, state.vault, clock.now());
}

function signed(by: PrivateKey = key, more: { expires?: Date } = {}): Promise<Uint8Array> {
  const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
  return signCorim(encodeCorim({ ...TEMPLATE, ...more }), { key: by, algorithm, name: "ACME signing" });
}

function register(corim: Uint8Array): Promise<Response> {
  return harness.admin("POST", PATH, referenceMessage({}, { type: "corim", payload: toBase64(corim) }));
}
