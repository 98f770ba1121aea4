// SPDX-License-Identifier: Apache-2.0
import { fromBase64, toUtf8 } from "@adyton/core/bytes";
import type { JsonValue } from "@adyton/core/json";
import { codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { createAdmin } from "./admin.ts";
import type { ReferenceAdmin } from "./references.ts";

const KEY_ID = "ab".repeat(32);
const FACTS = {
  id: "svn",
  values: [
    {
      value: 3,
      status: "live",
      voucher: { kind: "json", verified: false },
      by: "me",
      registered: "2026-03-01T12:00:00.000Z",
      expires: "2027-03-01T12:00:00.000Z",
      group: "v1",
    },
  ],
  revoked: [{ value: 2, at: "2026-03-01T12:00:00.000Z", by: "me", reason: "CVE" }],
};

interface Sent {
  readonly method: string | undefined;
  readonly path: string;
  readonly body: string | undefined;
}

function adminOf(answer: JsonValue): { references: ReferenceAdmin; sent: Sent[] } {
  const sent: Sent[] = [];
  const { references } = createAdmin({
    url: "http://127.0.0.1:8080",
    token: "T0KEN",
    fetch: async (url, { method, body }) => {
      const text = typeof body === "string" ? body : undefined;
      sent.push({ method, path: url.replace("http://127.0.0.1:8080", ""), body: text });
      return Response.json(answer);
    },
  });
  return { references, sent };
}

describe("the administrator of reference values", () => {
  it.each<
    readonly [
      what: string,
      act: (references: ReferenceAdmin) => Promise<unknown>,
      method: string,
      path: string,
      body: JsonValue | undefined,
    ]
  >([
    [
      "revokes",
      (r) => r.revoke("a/%20", "x", "CVE"),
      "POST",
      "/v1/references/revoke",
      { id: "a/%20", value: "x", reason: "CVE" },
    ],
    ["revokes all", (r) => r.revoke("a"), "POST", "/v1/references/revoke", { id: "a" }],
    [
      "un-revokes",
      (r) => r.unrevoke("a", false),
      "POST",
      "/v1/references/unrevoke",
      { id: "a", value: false },
    ],
    [
      "expires",
      (r) => r.expire("a", new Date("2027-01-01"), 1),
      "POST",
      "/v1/references/expire",
      { id: "a", expires: "2027-01-01T00:00:00.000Z", value: 1 },
    ],
    [
      "switches groups",
      (r) => r.setGroup("v1", false),
      "POST",
      "/v1/reference-groups/v1",
      { enabled: false },
    ],
    ["deletes groups", (r) => r.deleteGroup("v1"), "DELETE", "/v1/reference-groups/v1", undefined],
  ])("%s", async (_what, act, method, path, body) => {
    const { references, sent } = adminOf({});
    await act(references);
    expect(sent).toEqual([{ method, path, body: body === undefined ? undefined : JSON.stringify(body) }]);
  });

  it("adds documents as they are, and hears what stays revoked", async () => {
    const answer = { ids: ["svn"], revoked: [{ id: "svn", value: 2 }] };
    const { references, sent } = adminOf(answer);
    const subjects = [{ subject: "a", algorithm: "sha256", id: "svn" }];
    const more = { group: "v1", replace: true, expires: new Date("2027-01-01"), subjects };
    expect(await references.add({ svn: [2, 3] }, "sample", more)).toEqual(answer);
    const { payload, ...rest } = JSON.parse(sent[0]?.body ?? "") as Record<string, string>;
    expect(toUtf8(fromBase64(payload ?? ""))).toBe('{"svn":[2,3]}');
    expect(rest).toEqual({ type: "sample", ...more, expires: "2027-01-01T00:00:00.000Z" });
  });

  it("revokes what a key vouched for, and hears how much", async () => {
    const { references, sent } = adminOf({ voucher: KEY_ID, revoked: 3 });
    expect(await references.revokeVoucher(KEY_ID, "stolen")).toBe(3);
    const body = JSON.stringify({ voucher: KEY_ID, reason: "stolen" });
    expect(sent).toEqual([{ method: "POST", path: "/v1/references/revoke", body }]);
  });

  it("lists, shows and lists groups", async () => {
    const { references, sent } = adminOf({ references: [FACTS] });
    expect(await references.list({ group: "v1", status: "live" })).toEqual([FACTS]);
    expect(sent[0]?.path).toBe("/v1/references?group=v1&status=live");
    expect(await adminOf(FACTS).references.show("svn")).toEqual(FACTS);
    const groups = [{ name: "v1", values: 2, enabled: true }];
    expect(await adminOf({ groups }).references.groups()).toEqual(groups);
  });

  it.each<readonly [string, (references: ReferenceAdmin) => Promise<unknown>, JsonValue, string]>([
    ["an id that climbs", (r) => r.show("a/../b"), {}, "INVALID_REFERENCE_ID"],
    ["an encoded dot", (r) => r.show("a/%2E"), {}, "INVALID_REFERENCE_ID"],
    ["a group that is a path", (r) => r.deleteGroup("a/b"), {}, "INVALID_REFERENCE_ID"],
    ["a key that is none", (r) => r.revokeVoucher(KEY_ID.toUpperCase()), {}, "INVALID_REFERENCE_ID"],
    ["an answer without number", (r) => r.revokeVoucher(KEY_ID), { revoked: true }, "INVALID_ANSWER"],
    ["an answer without list", (r) => r.list(), {}, "INVALID_ANSWER"],
    ["an answer of other members", (r) => r.list(), { references: [{ ...FACTS, id: 1 }] }, "INVALID_ANSWER"],
    ["a value without status", (r) => r.show("a"), { ...FACTS, values: [{ value: 1 }] }, "INVALID_ANSWER"],
    ["a value without value", (r) => r.show("a"), { ...FACTS, values: [{}] }, "INVALID_ANSWER"],
    ["a revocation without value", (r) => r.show("a"), { ...FACTS, revoked: [{}] }, "INVALID_ANSWER"],
    ["groups that are none", (r) => r.groups(), { groups: [{ name: "a" }] }, "INVALID_ANSWER"],
    [
      "an answer to adding that is none",
      (r) => r.add({}, "sample"),
      { ids: [], revoked: [{ id: "a" }] },
      "INVALID_ANSWER",
    ],
  ])("refuses %s", async (_what, act, answer, code) => {
    expect(await codeOfAsync(() => act(adminOf(answer).references))).toBe(code);
  });
});
