// SPDX-License-Identifier: Apache-2.0
// What proposals would do, in words. Against services: admin.test.ts.

import { createAdmin, type ProposalFacts } from "@adyton/client";
import { fromUtf8, toBase64 } from "@adyton/core/bytes";
import { describe, expect, it } from "vitest";
import { proposedChange } from "./proposal-change.ts";

/** Nothing but policies is looked up. */
const admin = createAdmin({
  url: "http://127.0.0.1",
  token: "none",
  fetch: () => Promise.reject(new Error("asked the services")),
});

const facts = (changes: Partial<ProposalFacts>): ProposalFacts => ({
  id: "00",
  action: "resource.put",
  target: "",
  by: "owner",
  method: "POST",
  path: "/",
  bytes: 12,
  digest: "ff",
  needed: 1,
  approvals: [],
  state: "open",
  created: "2026-03-01T12:00:00Z",
  expires: "2026-03-02T12:00:00Z",
  ...changes,
});

const REFERENCES = { action: "reference.write", path: "/v1/references" };

describe("a proposal would", () => {
  it.each<readonly [summary: string, changes: Partial<ProposalFacts>]>([
    ["store 12 bytes as a/b/c, in place of what is there", { target: "a/b/c" }],
    [
      "delete a/b/c",
      { action: "resource.delete", method: "DELETE", path: "/kbs/v0/resource/a/b/c", target: "a/b/c" },
    ],
    ["bring a/b/c back", { action: "resource.delete", path: "/v1/resources/a/b/c/restore", target: "a/b/c" }],
    ["register reference values from a document (corim)", { ...REFERENCES, content: { type: "corim" } }],
    [
      "revoke 3 of svn",
      { ...REFERENCES, path: "/v1/references/revoke", target: "svn", content: { id: "svn", value: 3 } },
    ],
    ["revoke every value of svn", { ...REFERENCES, path: "/v1/references/revoke", content: { id: "svn" } }],
    [
      "let every value of svn end at 2027-01-01",
      { ...REFERENCES, path: "/v1/references/expire", content: { id: "svn", expires: "2027-01-01" } },
    ],
    ["delete the reference value svn", { ...REFERENCES, method: "DELETE", target: "svn" }],
    ["let the values of a group count no more", { ...REFERENCES, content: { enabled: false } }],
    ["make or change the tenant alpha", { action: "tenant.manage", content: { name: "alpha" } }],
    ["remove the administrator eve", { action: "admin.manage", method: "DELETE", target: "eve" }],
    [
      "take the policy resource away",
      { action: "policy.set", method: "DELETE", target: "resource", state: "done" },
    ],
    ["POST /kbs/v0/wrap/k/wrap, 12 bytes", { action: "plugin.wrap.admin", path: "/kbs/v0/wrap/k/wrap" }],
  ])("%s", async (summary, changes) => {
    expect((await proposedChange(facts(changes), admin)).summary).toBe(summary);
  });

  it("shows the values in a document, and what is none as it came", async () => {
    const payload = toBase64(fromUtf8('{"svn":[3]}'));
    const shown = async (content: ProposalFacts["content"]) =>
      (await proposedChange(facts({ ...REFERENCES, ...(content === undefined ? {} : { content }) }), admin))
        .content;
    expect(await shown({ type: "sample", payload })).toEqual({ type: "sample", payload: { svn: [3] } });
    for (const content of [
      { type: "sample", payload: "!" },
      { type: "corim", payload },
    ])
      expect(await shown(content)).toEqual(content);
    expect(await shown(undefined)).toBeUndefined();
  });
});
