// SPDX-License-Identifier: Apache-2.0
import { encodeCorim, signCorim } from "@adyton/appraisal/reference";
import { fromUtf8, toBase64, toHex } from "@adyton/core/bytes";
import { defaultCrypto, type PrivateKey } from "@adyton/core/crypto";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { createNvidiaVendor } from "@adyton/simulator";
import { codeOf } from "@adyton/testing";
import { decodeJwt } from "jose";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  createHarness,
  DIGEST,
  GOOD_VALUES,
  type Harness,
  jsonOf,
  referenceMessage,
  refusalOf,
} from "../../test/harness.ts";
import {
  BUILDER,
  BUILT_DIGEST,
  createFakeSigstore,
  type FakeSigstore,
  ISSUER,
  SOURCE,
} from "../../test/sigstore.ts";
import { readAuditLog } from "../audit.ts";
import { checkReferenceGroup, checkReferenceId } from "./id.ts";
import { referencesOf } from "./references.ts";
import type { ReferenceSources } from "./trust.ts";

const PATH = "/kbs/v0/reference-value";
const OWN = "/v1/references";
const ID = "ACME%20Ltd./Road/kernel/digests";
const BUILT = "a3".repeat(32);
const TEMPLATE = {
  id: "corim:1",
  measurements: [{ vendor: "ACME Ltd.", model: "Road", key: "kernel", digests: [["sha-256", BUILT]] }],
} as const;

let key: PrivateKey;
let stranger: PrivateKey;
let sigstore: FakeSigstore;
let harness: Harness;
let opened = false;

beforeAll(async () => {
  key = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
  stranger = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
  sigstore = await createFakeSigstore();
});

afterEach(async () => {
  if (opened) await harness.close();
  opened = false;
});

it("there are ten thousand ids at most", async () => {
  await start({});
  const { store } = harness.state;
  const rows = Array.from({ length: 9_999 }, (_, n) => ({
    kind: "put" as const,
    space: "reference-value",
    key: `x${n}`,
    value: new Uint8Array(1),
  }));
  await store.write(rows);
  const answers = [];
  for (const values of [{ a: ["1"] }, { b: ["1"] }, { a: ["2"] }]) {
    const answer = await harness.setReferenceValues(values);
    answers.push(answer.status === 200 ? "ok" : (await refusalOf(answer)).code);
  }
  expect(answers).toEqual(["ok", "QUOTA_EXCEEDED", "ok"]);
});

describe("CoRIMs", () => {
  it("are registered with who signed them", async () => {
    await start({ keys: [key.publicKey] });
    expect((await register(await signed())).status).toBe(200);
    expect(await (await harness.admin("GET", `${PATH}/${ID}`)).json()).toEqual([BUILT]);
    const { values } = await shown(ID);
    expect(values).toEqual([
      {
        value: BUILT,
        voucher: {
          kind: "corim",
          name: "ACME signing",
          keyId: toHex(await defaultCrypto.digest("SHA-256", key.publicKey.spki)),
          document: expect.stringMatching(/^[0-9a-f]{64}$/),
          verified: true,
        },
        registered: "2026-03-01T12:00:00.000Z",
        by: expect.any(String),
        expires: "2027-03-01T12:00:00.000Z",
        status: "live",
      },
    ]);
    expect((await harness.admin("DELETE", `${PATH}/${ID}`)).status).toBe(200);
    expect(await live(ID)).toBeUndefined();
  });

  it("hold no longer than they say", async () => {
    await start({ keys: [key.publicKey] });
    const expires = new Date("2026-03-02T00:00:00Z");
    await register(await signed(key, { expires }));
    expect(await live(ID)).toEqual([BUILT]);
    harness.clock.time = expires;
    expect(await live(ID)).toBeUndefined();
    expect((await shown(ID)).values).toMatchObject([{ status: "expired" }]);
  });

  it("without a signature are registered only where that was allowed, and say so", async () => {
    await start({ allowUnsigned: true });
    expect((await register(encodeCorim(TEMPLATE))).status).toBe(200);
    expect((await shown(ID)).values).toMatchObject([{ voucher: { kind: "corim", verified: false } }]);
  });

  it.each<readonly [string, () => ReferenceSources, () => Promise<Uint8Array>, string]>([
    ["without a signature", withKey, async () => encodeCorim(TEMPLATE), "REFERENCE_UNSIGNED"],
    ["where no key is trusted", () => ({}), () => signed(), "REFERENCE_KEY_MISSING"],
    ["of a stranger", withKey, () => signed(stranger), "REFERENCE_SIGNATURE"],
    ["that ended", withKey, () => signed(key, { expires: new Date("2026-01-01") }), "REFERENCE_EXPIRED"],
    ["that are none", withKey, async () => fromUtf8("{}"), "INVALID_CBOR"],
  ])("%s are refused, and nothing is kept", async (_what, trust, make, code) => {
    await start(trust());
    expect(await refusalOf(await register(await make()))).toMatchObject({ code });
    expect(await references()).toEqual([]);
  });
});

describe("a key that vouches no more", () => {
  const keyIdOf = async ({ publicKey }: PrivateKey) =>
    toHex(await defaultCrypto.digest("SHA-256", publicKey.spki));
  const OTHER = "b7".repeat(32);
  const signedAs = (by: PrivateKey, measured: string, digest: string) => {
    const [measurement] = TEMPLATE.measurements;
    const measurements = [{ ...measurement, key: measured, digests: [["sha-256", digest]] as const }];
    const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
    return signCorim(encodeCorim({ id: `corim:${measured}`, measurements }), {
      key: by,
      algorithm,
      name: "ACME signing",
    });
  };

  it("takes all its values back at once, with one line in the log, and nobody else's", async () => {
    await start({ keys: [key.publicKey, stranger.publicKey] });
    for (const [measured, digest] of [
      ["kernel", BUILT],
      ["initrd", BUILT],
    ] as const)
      expect((await register(await signedAs(key, measured, digest))).status).toBe(200);
    expect((await register(await signedAs(stranger, "kernel", OTHER))).status).toBe(200);
    const voucher = await keyIdOf(key);
    const answer = await accepted(own("POST", "/revoke", { voucher, reason: "stolen" }));
    expect(answer).toEqual({ voucher, revoked: 2 });
    expect(await live(ID)).toEqual([OTHER]);
    expect(await live(ID.replace("kernel", "initrd"))).toBeUndefined();
    const events = (await readAuditLog(harness.state.store)).map(({ event }) => event);
    const told = events.filter(({ type }) => type === "reference-value.revoke");
    expect(told).toMatchObject([{ voucher: { keyId: voucher }, count: 2, reason: "stolen" }]);
    expect(told[0]?.ids).toEqual([ID.replace("kernel", "initrd"), ID]);
    const again = await accepted(own("POST", "/revoke", { voucher }));
    expect(again).toEqual({ voucher, revoked: 0 });
  });

  it("also where administrators work on its ids at the same time", async () => {
    await start({ keys: [key.publicKey] });
    await register(await signedAs(key, "kernel", BUILT));
    const voucher = await keyIdOf(key);
    const answers = await Promise.all([
      own("POST", "/revoke", { voucher }),
      ...Array.from({ length: 4 }, (_, n) => own("POST", "/revoke", { id: ID, value: `c${n}` })),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const { revoked } = await shown(ID);
    expect(revoked.map(({ value }) => value).sort()).toEqual([BUILT, "c0", "c1", "c2", "c3"]);
  });

  it.each<readonly [what: string, body: JsonObject, code: string]>([
    ["vouched for nothing", { voucher: "00".repeat(32) }, "REFERENCE_VALUE_NOT_FOUND"],
    ["is no key", { voucher: "AB" }, "INVALID_REQUEST"],
    ["comes with an id", { voucher: "00".repeat(32), id: "svn" }, "INVALID_REQUEST"],
  ])("is refused where it %s", async (_what, body, code) => {
    await start({});
    expect(await problemOf(own("POST", "/revoke", body))).toMatchObject({ code });
  });
});

describe("other documents", () => {
  it("integrity manifests are taken of those whose root is trusted", async () => {
    const vendor = await createNvidiaVendor({ at: new Date("2026-03-01T12:00:00Z") });
    const values = ["ab".repeat(48)];
    const manifest = await vendor.rims.manifest({
      measurements: [{ index: 12, active: true, name: "Measurement_12", values }],
    });
    const swid = () => harness.admin("POST", PATH, message("swid", fromUtf8(manifest)));
    await start({});
    expect((await swid()).ok).toBe(false);
    await harness.close();
    await start({ roots: [vendor.rims.root.certificate] });
    expect((await swid()).status).toBe(200);
    const [listing] = await references();
    expect(listing).toMatchObject({
      values: [{ value: values[0], voucher: { kind: "rim", verified: true } }],
    });
    expect(String(listing?.id)).toMatch(/\.measurement_12$/);
  });

  it("provenance is taken of a trusted builder, as the value that is wanted", async () => {
    await start(withBuilder());
    const payload = toBase64(await sigstore.bundle());
    const subjects = [{ subject: "workload.mjs", algorithm: "sha384", id: "launch_digest" }];
    const answer = await own("POST", "", { type: "provenance", payload, subjects });
    expect([answer.status, await answer.json()]).toEqual([200, { ids: ["launch_digest"], revoked: [] }]);
    expect(await live("launch_digest")).toEqual([BUILT_DIGEST]);
    expect((await shown("launch_digest")).values).toMatchObject([
      { voucher: { kind: "provenance", builder: BUILDER, source: SOURCE } },
    ]);
  });

  it("provenance of Trustee's shape is taken, too", async () => {
    await start(withBuilder());
    expect((await harness.admin("POST", PATH, message("provenance", await sigstore.bundle()))).status).toBe(
      200,
    );
    expect(await live("workload.mjs/sha384")).toEqual([BUILT_DIGEST]);
  });
});

describe("several vouchers", () => {
  it("stand beside each other, and none replaces what another said", async () => {
    await start({ keys: [key.publicKey, stranger.publicKey] });
    await register(await signed());
    await register(await signed(stranger));
    await plain({ [ID]: BUILT });
    expect((await shown(ID)).values).toHaveLength(3);
    expect(await live(ID)).toEqual([BUILT]);
    await plain({ [ID]: ["11", "22"] });
    expect(await live(ID)).toEqual([BUILT, "11", "22"]);
    await plain({ [ID]: [] });
    expect(await live(ID)).toEqual([BUILT]);
  });

  it("of one supplier the newest word counts, unless it adds to the last", async () => {
    await start(withKey());
    const newer = await signed(key, {}, "bb".repeat(32));
    await register(await signed());
    await register(newer);
    expect(await live(ID)).toEqual(["bb".repeat(32)]);
    await own("POST", "", { type: "corim", payload: toBase64(await signed()) });
    expect(await live(ID)).toEqual(["bb".repeat(32), BUILT]);
  });
});

describe("revocation", () => {
  it("takes a value from everybody, and registering does not bring it back", async () => {
    await start(withKey());
    await register(await signed());
    expect(
      await accepted(own("POST", "/revoke", { id: ID, value: BUILT.toUpperCase(), reason: "CVE" })),
    ).toEqual({
      id: ID,
      revoked: true,
    });
    expect(await live(ID)).toBeUndefined();
    expect(await refusalOf(await register(await signed()))).toMatchObject({
      status: 409,
      code: "REFERENCE_REVOKED",
    });
    const both = await own("POST", "", { type: "sample", payload: values({ [ID]: [BUILT, "77"] }) });
    expect(await both.json()).toEqual({ ids: [ID], revoked: [{ id: ID, value: BUILT }] });
    expect(await live(ID)).toEqual(["77"]);
    await accepted(own("DELETE", `/${ID}`));
    expect((await shown(ID)).revoked).toMatchObject([{ reason: "CVE", at: "2026-03-01T12:00:00.000Z" }]);
    expect((await register(await signed())).status).toBe(409);
  });

  it("is taken back by whoever says so", async () => {
    await start(withKey());
    await register(await signed());
    await accepted(own("POST", "/revoke", { id: ID }));
    expect(await live(ID)).toBeUndefined();
    await accepted(own("POST", "/unrevoke", { id: ID, value: BUILT }));
    expect(await live(ID)).toEqual([BUILT]);
    expect(await problemOf(own("POST", "/unrevoke", { id: ID, value: BUILT }))).toMatchObject({
      status: 404,
      code: "REFERENCE_VALUE_NOT_FOUND",
    });
  });

  it("reaches values that nobody registered yet", async () => {
    await start({});
    await accepted(own("POST", "/revoke", { id: "launch_digest", value: DIGEST }));
    expect((await plain(GOOD_VALUES)).status).toBe(200);
    expect(await live("launch_digest")).toBeUndefined();
    expect(await live("svn")).toEqual(["1"]);
    expect(await references("?status=revoked")).toMatchObject([{ id: "launch_digest", revoked: [{}] }]);
  });

  it("survives a restart", async () => {
    await start({});
    await accepted(own("POST", "/revoke", { id: "svn", value: 3 }));
    await harness.restart();
    expect((await plain({ svn: 3 })).status).toBe(409);
  });
});

describe("expiry", () => {
  it("ends values earlier, and later where no document says otherwise", async () => {
    await start(withKey());
    await plain({ svn: [1, 2] });
    await accepted(own("POST", "/expire", { id: "svn", value: 1, expires: "2026-03-01T12:00:00Z" }));
    expect(await live("svn")).toEqual([2]);
    await accepted(own("POST", "/expire", { id: "svn", expires: "2028-01-01T00:00:00Z" }));
    harness.clock.time = new Date("2027-12-31T00:00:00Z");
    expect(await live("svn")).toEqual([1, 2]);
  });

  it("of a signed document is not put off", async () => {
    await start(withKey());
    await register(await signed(key, { expires: new Date("2026-04-01") }));
    const later = own("POST", "/expire", { id: ID, expires: "2026-05-01T00:00:00Z" });
    expect(await problemOf(later)).toMatchObject({ status: 400, code: "INVALID_REQUEST" });
  });

  it("can be said when values are registered", async () => {
    await start({});
    const more = { expires: "2026-03-01T13:00:00Z" };
    await accepted(own("POST", "", { type: "sample", payload: values({ svn: 3 }), ...more }));
    expect(await live("svn")).toEqual([3]);
    harness.clock.time = new Date("2026-03-01T13:00:00Z");
    expect(await live("svn")).toBeUndefined();
  });
});

describe("groups", () => {
  it("are switched off and on as one, and deleted as one", async () => {
    await start({});
    for (const [group, digest] of [
      ["v1", "11"],
      ["v2", "22"],
    ])
      await accepted(
        own("POST", "", {
          type: "sample",
          payload: values({ a: digest ?? "", b: digest ?? "" }),
          group: group ?? "",
        }),
      );
    expect(await live("a")).toEqual(["11", "22"]);
    await accepted(group("POST", "/v1", { enabled: false }));
    expect([await live("a"), await live("b")]).toEqual([["22"], ["22"]]);
    expect(await references("?group=v1&status=disabled")).toHaveLength(2);
    expect(await (await group("GET", "")).json()).toEqual({
      groups: [
        { name: "v1", values: 2, enabled: false },
        { name: "v2", values: 2, enabled: true },
      ],
    });
    await accepted(group("POST", "/v1", { enabled: true }));
    expect(await live("a")).toEqual(["11", "22"]);
    await accepted(group("DELETE", "/v1"));
    expect(await live("a")).toEqual(["22"]);
    expect((await group("DELETE", "/v1")).status).toBe(404);
    expect((await group("POST", "/none", { enabled: false })).status).toBe(404);
  });
});

describe("what a policy sees", () => {
  it("is live values, and the token says which one matched and who vouches for it", async () => {
    await start({});
    await plain(GOOD_VALUES);
    const { token } = await harness.attested();
    const [met] = explanationOf(token).filter(({ rule }) => rule === "reference:launch_digest");
    expect(met).toMatchObject({
      ok: true,
      vouchers: [{ value: DIGEST, kind: "json", verified: false }],
    });
    await accepted(own("POST", "/revoke", { id: "launch_digest" }));
    const again = await harness.attested();
    expect(explanationOf(again.token).find(({ rule }) => rule === "reference:launch_digest")).toMatchObject({
      ok: false,
    });
  });
});

describe("the log", () => {
  it("tells which reference values a release stood on", async () => {
    await start({});
    await plain(GOOD_VALUES);
    await harness.admin("POST", "/kbs/v0/resource/default/a/b", "secret");
    const { token } = await harness.attested();
    const headers = { authorization: `Bearer ${token}` };
    expect((await harness.call("GET", "/kbs/v0/resource/default/a/b", { headers })).status).toBe(200);
    const events = (await readAuditLog(harness.state.store)).map(({ event }) => event);
    expect(events.at(-1)).toMatchObject({
      type: "resource.release",
      submods: { cpu0: { references: { launch_digest: [{ value: DIGEST, kind: "json" }] } } },
    });
  });

  it("tells who changed what", async () => {
    await start(withKey());
    await register(await signed());
    await accepted(own("POST", "/revoke", { id: ID, value: BUILT, reason: "CVE" }));
    await accepted(own("POST", "/unrevoke", { id: ID, value: BUILT }));
    await accepted(own("POST", "/expire", { id: ID, expires: "2026-04-01T00:00:00Z" }));
    await accepted(own("DELETE", `/${ID}`));
    const events = (await readAuditLog(harness.state.store)).map(({ event }) => event);
    const by = expect.any(String);
    expect(events.filter(({ type }) => type.startsWith("reference-value."))).toEqual([
      {
        type: "reference-value.register",
        by,
        ids: [ID],
        voucher: expect.objectContaining({ name: "ACME signing" }),
      },
      { type: "reference-value.revoke", by, id: ID, values: [BUILT], reason: "CVE" },
      { type: "reference-value.unrevoke", by, id: ID, values: [BUILT] },
      { type: "reference-value.expire", by, id: ID, expires: "2026-04-01T00:00:00.000Z" },
      { type: "reference-value.delete", by, id: ID },
    ]);
  });
});

describe("changes at the same time", () => {
  it("are all there", async () => {
    await start({});
    const { store, vault } = harness.state;
    const act = { by: "somebody", now: harness.clock.now() };
    const voucher = { kind: "json", document: "", verified: false } as const;
    await Promise.all(
      Array.from({ length: 8 }, (_, value) =>
        referencesOf(store, vault).register([{ id: "svn", value, voucher }], act),
      ),
    );
    expect([...((await live("svn")) as readonly number[])].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

describe("requests", () => {
  it.each<readonly [string, string, string, JsonValue | undefined, number, string]>([
    ["GET", OWN, "an unknown query", undefined, 400, "INVALID_REQUEST"],
    ["GET", `${OWN}/none`, "an id that is not there", undefined, 404, "REFERENCE_VALUE_NOT_FOUND"],
    ["DELETE", `${OWN}/none`, "an id that is not there", undefined, 404, "REFERENCE_VALUE_NOT_FOUND"],
    ["DELETE", `${OWN}/a//b`, "an id that is none", undefined, 400, "INVALID_REQUEST"],
    ["POST", OWN, "an unknown member", { type: "sample", payload: "e30=", x: 1 }, 400, "INVALID_REQUEST"],
    ["POST", OWN, "no value", { type: "sample", payload: "e30=" }, 400, "INVALID_REQUEST"],
    [
      "POST",
      OWN,
      "a group that is none",
      { type: "sample", payload: values({ a: 1 }), group: "/" },
      400,
      "INVALID_REQUEST",
    ],
    [
      "POST",
      OWN,
      "an end in the past",
      { type: "sample", payload: values({ a: 1 }), expires: "2026-01-01T00:00:00Z" },
      400,
      "INVALID_REQUEST",
    ],
    [
      "POST",
      OWN,
      "subjects of plain values",
      { type: "sample", payload: values({ a: 1 }), subjects: [{ subject: "a", algorithm: "b", id: "c" }] },
      400,
      "INVALID_REQUEST",
    ],
    ["POST", `${OWN}/revoke`, "an id that is not there", { id: "none" }, 404, "REFERENCE_VALUE_NOT_FOUND"],
    ["POST", `${OWN}/revoke`, "a value that is none", { id: "a", value: [] }, 400, "INVALID_REQUEST"],
    [
      "POST",
      `${OWN}/expire`,
      "an id that is not there",
      { id: "none", expires: "2027-01-01T00:00:00Z" },
      404,
      "REFERENCE_VALUE_NOT_FOUND",
    ],
    ["POST", `${OWN}/expire`, "a time that is none", { id: "a", expires: "soon" }, 400, "INVALID_REQUEST"],
    ["POST", "/v1/reference-groups/v1", "a state that is none", { enabled: 1 }, 400, "INVALID_REQUEST"],
  ])("%s %s with %s is refused", async (method, path, what, body, status, code) => {
    await start({});
    const url = what === "an unknown query" ? `${path}?x=1` : path;
    expect(
      await problemOf(harness.admin(method, url, body === undefined ? undefined : JSON.stringify(body))),
    ).toMatchObject({ status, code });
    expect(await references()).toEqual([]);
  });

  it.each(["", "/a", "/revoke"])("to /v1/references%s ask for an administrator", async (path) => {
    await start({});
    for (const method of ["GET", "POST", "DELETE"]) {
      if (method === "DELETE" && path === "") continue;
      if (method === "POST" && path === "/a") continue;
      const answer = await harness.call(method, `${OWN}${path}`, method === "POST" ? { body: "{}" } : {});
      expect(answer.headers.get("adyton-error")).toContain("ADMIN_REFUSED");
    }
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

  it.each(["", "a/b", "@a", "a b", "a".repeat(129)])("of groups refuses %j", (name) => {
    expect(codeOf(() => checkReferenceGroup(name))).toBe("INVALID_REQUEST");
  });
});

async function start(referenceTrust: ReferenceSources): Promise<void> {
  harness = await createHarness({ referenceTrust });
  opened = true;
}

function withKey(): ReferenceSources {
  return { keys: [key.publicKey] };
}

function withBuilder(): ReferenceSources {
  const identity = { issuer: ISSUER, subject: BUILDER };
  return { sigstoreRoots: [sigstore.root], builders: [{ builder: BUILDER, source: SOURCE, identity }] };
}

function own(method: string, path: string, body?: JsonValue): Promise<Response> {
  return harness.admin(method, `${OWN}${path}`, body === undefined ? undefined : JSON.stringify(body));
}

function group(method: string, path: string, body?: JsonValue): Promise<Response> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return harness.admin(method, `/v1/reference-groups${path}`, text);
}

async function accepted(answer: Promise<Response>): Promise<JsonObject> {
  const response = await answer;
  if (!response.ok) throw new Error(await response.text());
  return jsonOf(response);
}

async function problemOf(answer: Promise<Response>): Promise<{ status: number; code: string }> {
  const response = await answer;
  return { status: response.status, code: response.headers.get("adyton-error")?.split(";")[0] ?? "" };
}

async function references(query = ""): Promise<JsonObject[]> {
  return (await accepted(own("GET", query))).references as unknown[] as JsonObject[];
}

async function shown(id: string): Promise<{ values: JsonObject[]; revoked: JsonObject[] }> {
  const { values, revoked } = await accepted(own("GET", `/${id}`));
  return { values: values as unknown[] as JsonObject[], revoked: revoked as unknown[] as JsonObject[] };
}

async function live(id: string): Promise<readonly JsonValue[] | undefined> {
  const { state, clock } = harness;
  return (await referencesOf(state.store, state.vault).live(clock.now())).values[id];
}

function explanationOf(token: string): JsonObject[] {
  const { submods } = decodeJwt<{ submods: Record<string, { "adyton.explanation": JsonObject[] }> }>(token);
  return submods.cpu0?.["adyton.explanation"] ?? [];
}

function signed(
  by: PrivateKey = key,
  more: { expires?: Date } = {},
  digest: string = BUILT,
): Promise<Uint8Array> {
  const algorithm = { name: "ECDSA", hash: "SHA-256" } as const;
  const [measurement] = TEMPLATE.measurements;
  const measurements = [{ ...measurement, digests: [["sha-256", digest]] as const }];
  return signCorim(encodeCorim({ ...TEMPLATE, measurements, ...more }), {
    key: by,
    algorithm,
    name: "ACME signing",
  });
}

function message(type: string, payload: Uint8Array): string {
  return referenceMessage({}, { type, payload: toBase64(payload) });
}

function values(json: JsonObject): string {
  return toBase64(fromUtf8(JSON.stringify(json)));
}

function register(corim: Uint8Array): Promise<Response> {
  return harness.admin("POST", PATH, message("corim", corim));
}

function plain(json: JsonObject): Promise<Response> {
  return harness.setReferenceValues(json);
}
