// SPDX-License-Identifier: Apache-2.0
// What is read of an init-data document.

import { describe, expect, it } from "vitest";
import { initDataClaims } from "./init-data.ts";

const claimsOf = (data: string) =>
  initDataClaims(`version = "0.1.0"\nalgorithm = "sha256"\n\n[data]\n${data}\n`);

describe("claims of an init-data document", () => {
  it("are the table data, with its documents parsed and Trustee's names", () => {
    expect(
      claimsOf(
        [
          `"aa.toml" = '''\n[token_configs]\nurl = "http://kbs"\n'''`,
          `"policy.rego" = "package agent_policy"`,
          `"trustee.kbs.resource" = "kbs+provisioner:///default/x/root"`,
          "n = [1, 2.5, true, inf, 2026-01-02T03:04:05Z]",
        ].join("\n"),
      ),
    ).toEqual({
      "aa.toml": { token_configs: { url: "http://kbs" } },
      agent_policy_claims: "package agent_policy",
      "trustee.kbs.resource": "kbs+provisioner:///default/x/root",
      n: [1, 2.5, true, "Infinity", expect.stringContaining("2026-01-02")],
    });
  });

  it("are none without the table", () => {
    expect(initDataClaims('algorithm = "sha256"')).toEqual({});
    expect(initDataClaims("data = 5")).toEqual({});
  });

  it("may be called __proto__ without becoming one", () => {
    expect(Object.keys(claimsOf('"__proto__" = 5'))).toEqual(["__proto__"]);
  });

  it.each([
    ["the document", "a ="],
    ["a document in it", `[data]\n"cdh.toml" = "= 5"`],
    ["a tower of tables", `[data]\na = ${"[".repeat(1000)}${"]".repeat(1000)}`],
  ])("are refused when %s is no TOML", (_name, document) => {
    expect(() => initDataClaims(document)).toThrow(expect.objectContaining({ code: "INVALID_REQUEST" }));
  });
});
