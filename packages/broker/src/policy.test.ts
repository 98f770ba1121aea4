// SPDX-License-Identifier: Apache-2.0
import type { EarAppraisal, EarClaims, Finding } from "@adyton/appraisal";
import { describe, expect, it } from "vitest";
import { affirmingPolicy } from "./policy.ts";

const failed: Finding = { rule: "reference:launch_digest", ok: false, message: "Unknown.", next: "Add it." };

function submod(changes: Partial<EarAppraisal> = {}): EarAppraisal {
  return {
    "ear.status": "affirming",
    "ear.trustworthiness-vector": {},
    "adyton.simulated": false,
    ...changes,
  };
}

function claims(submods: Record<string, EarAppraisal>, changes: Partial<EarClaims> = {}): EarClaims {
  return {
    eat_profile: "tag:github.com,2024:confidential-containers/Trustee",
    iat: 0,
    exp: 1,
    "ear.verifier-id": { developer: "", build: "" },
    "adyton.simulated": false,
    submods,
    ...changes,
  };
}

const rules = async (of: EarClaims, allowSimulated = false): Promise<[boolean, string[]]> => {
  const { allow, findings } = await affirmingPolicy({ allowSimulated }).allow({
    plugin: "resource",
    path: ["default", "hello", "secret"],
    query: {},
    claims: of,
    now: new Date(0),
  });
  return [allow, findings.filter(({ ok }) => !ok).map(({ rule }) => rule)];
};

describe("the affirming policy", () => {
  it("allows who is affirming in every submodule", async () => {
    expect(await rules(claims({ cpu0: submod() }))).toEqual([true, []]);
    expect(await rules(claims({ cpu0: submod(), gpu0: submod() }))).toEqual([true, []]);
  });

  it.each(["none", "warning", "contraindicated"] as const)("refuses the status %s", async (status) => {
    expect(await rules(claims({ cpu0: submod({ "ear.status": status }) }))).toEqual([false, ["status"]]);
  });

  it("refuses when one of several submodules is not affirming, and says why", async () => {
    const bad = submod({ "ear.status": "warning", "adyton.explanation": [failed, { ...failed, ok: true }] });
    const of = claims({ cpu0: submod(), gpu0: bad });
    expect(await rules(of)).toEqual([false, ["status", "reference:launch_digest"]]);
  });

  it("refuses a result without submodules", async () => {
    expect(await rules(claims({}))).toEqual([false, ["submods"]]);
    expect(await rules(claims({}), true)).toEqual([false, ["submods"]]);
  });

  it.each<[what: string, of: EarClaims]>([
    ["the result", claims({ cpu0: submod() }, { "adyton.simulated": true })],
    ["a submodule", claims({ cpu0: submod({ "adyton.simulated": true }) })],
    [
      "nobody knows, for the claim is missing",
      claims({ cpu0: { "ear.status": "affirming", "ear.trustworthiness-vector": {} } }),
    ],
  ])("refuses when %s is simulated, outside development mode", async (_what, of) => {
    expect(await rules(of)).toEqual([false, ["simulated"]]);
    expect(await rules(of, true)).toEqual([true, []]);
  });
});
