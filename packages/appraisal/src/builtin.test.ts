// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { TEE_NAMES } from "@adyton/evidence";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLAIMS, digest, factsOf, type Judged, REFERENCES, TEES } from "../test/facts.ts";
import { builtinPolicy, referenceIdsOf, referenceValuesFrom } from "./builtin.ts";
import type { Facts } from "./facts.ts";
import { type PolicyOutput, vectorOf } from "./policy.ts";
import type { ReferenceValues } from "./reference.ts";
import type { Rules } from "./rules.ts";
import { statusOf } from "./trust.ts";

/** The vector of a healthy platform with these reference values: [hardware, executables, configuration]. */
const MATCHED: Readonly<Record<Judged, readonly [number, number, number]>> = {
  sgx: [2, 3, 2],
  tdx: [2, 4, 2],
  snp: [2, 3, 3],
  sample: [2, 3, 2],
};
/** The default policy on plain facts. The software TEE is allowed unless the rules say otherwise. */
function judge(
  facts: Facts,
  referenceValues: ReferenceValues,
  rules: Rules = { allowSimulated: true },
): PolicyOutput {
  const now = facts.at;
  return builtinPolicy(rules).evaluate({
    facts,
    document: { [facts.tee]: facts.claims },
    referenceValues,
    now,
  });
}

const vector = ({ trustworthiness: { hardware, executables, configuration } }: PolicyOutput): unknown[] => [
  hardware,
  executables,
  configuration,
];
const refusals = ({ findings }: PolicyOutput): string[] =>
  findings.filter(({ ok }) => !ok).map(({ rule }) => rule);
const statusFor = (output: PolicyOutput): string => statusOf(vectorOf(output));

/** A copy of `claims` with another value at `path`; undefined removes it. */
function withClaim(
  claims: JsonObject,
  [key = "", ...rest]: readonly string[],
  value: JsonValue | undefined,
): JsonObject {
  const { [key]: old, ...others } = claims;
  if (rest.length > 0) return { ...claims, [key]: withClaim((old ?? {}) as JsonObject, rest, value) };
  return value === undefined ? others : { ...claims, [key]: value };
}

describe("a healthy platform running known measurements", () => {
  it.each(TEES)("%s is affirming", (tee) => {
    const output = judge(factsOf(tee), REFERENCES[tee]);
    expect(refusals(output)).toEqual([]);
    expect(vector(output)).toEqual(MATCHED[tee]);
    expect(statusFor(output)).toBe("affirming");
  });

  it.each(TEES)("%s is affirmed by the reference values taken from it", (tee) => {
    const facts = factsOf(tee);
    const output = judge(facts, referenceValuesFrom(facts));
    expect(refusals(output)).toEqual([]);
    expect(statusFor(output)).toBe("affirming");
  });

  it("names the workload in ear.trustee.identifiers", () => {
    expect(judge(factsOf("snp"), REFERENCES.snp).extensions).toEqual({
      "ear.trustee.identifiers": { validated: { measurement: digest("d1") } },
    });
  });
});

describe("reference values", () => {
  const each = TEES.flatMap((tee) => Object.keys(REFERENCES[tee]).map((id) => [tee, id] as const));

  it.each(TEES)("%s without any: Trustee's defaults, and findings that name what is missing", (tee) => {
    const output = judge(factsOf(tee), {});
    expect(output.trustworthiness.executables).toBe(33);
    expect(statusFor(output)).not.toBe("affirming");
    expect(output.findings.some(({ ok, message }) => !ok && message.includes("is missing"))).toBe(true);
  });

  it.each(each)("%s needs %s", (tee, id) => {
    for (const values of [undefined, []]) {
      const { [id]: _, ...others } = REFERENCES[tee];
      const output = judge(factsOf(tee), values === undefined ? others : { ...others, [id]: values });
      expect(refusals(output)).toEqual([`reference:${id}`]);
      expect(statusFor(output)).not.toBe("affirming");
      expect(output.findings.find(({ ok }) => !ok)?.next).toContain(id);
    }
  });

  it.each(each)("%s refuses another %s", (tee, id) => {
    const other =
      id === "minimum_minor_version"
        ? 5
        : typeof REFERENCES[tee][id]?.[0] === "number"
          ? 99
          : "ff".repeat(48);
    const output = judge(factsOf(tee), { ...REFERENCES[tee], [id]: [other] });
    expect(refusals(output)).toEqual([`reference:${id}`]);
    expect(statusFor(output)).not.toBe("affirming");
  });

  const optional: readonly (readonly [Judged, string])[] = [
    ["sgx", "sgx_mrsigner"],
    ["sgx", "sgx_isv_prod_id"],
    ["sgx", "sgx_isv_svn"],
    ["tdx", "mr_seam"],
    ["tdx", "rtmr_0"],
    ["tdx", "rtmr_3"],
    ["snp", "snp_smt_enabled"],
    ["snp", "snp_guest_abi_minor"],
    ["sgx", "init_data"],
    ["tdx", "init_data"],
    ["snp", "init_data"],
    ["sample", "init_data"],
  ];

  it.each(optional)("%s never ignores a stated %s", (tee, id) => {
    const facts = factsOf(tee);
    const right = referenceValuesFrom(facts)[id] ?? [];
    expect(statusFor(judge(facts, { ...REFERENCES[tee], [id]: right }))).toBe("affirming");
    const wrong = typeof right[0] === "number" ? 60_000 : "ee".repeat(48);
    expect(refusals(judge(facts, { ...REFERENCES[tee], [id]: [wrong] }))).toEqual([`reference:${id}`]);
  });

  it("SGX: signer, product and least version stand in for the measurement, and show as 4", () => {
    const signer = { sgx_mrsigner: ["a2".repeat(32)], sgx_isv_prod_id: [1], sgx_isv_svn: [5] };
    const output = judge(factsOf("sgx"), signer);
    expect(vector(output)).toEqual([2, 4, 2]);
    const { sgx_isv_svn: _, ...unversioned } = signer;
    expect(refusals(judge(factsOf("sgx"), unversioned))).toEqual(["reference:sgx_mrenclave"]);
    expect(refusals(judge(factsOf("sgx"), { ...signer, sgx_isv_svn: [6] }))).toEqual([
      "reference:sgx_isv_svn",
    ]);
  });

  it("SNP: every stated configuration value together shows as 2", () => {
    const output = judge(factsOf("snp"), referenceValuesFrom(factsOf("snp")));
    expect(vector(output)).toEqual([2, 3, 2]);
  });

  it("SNP: minTcb stands in for exact versions, which must still match when stated", () => {
    const { snp_launch_measurement } = REFERENCES.snp as { snp_launch_measurement: JsonValue[] };
    const rules = { minTcb: { snp: 20 } };
    expect(statusFor(judge(factsOf("snp"), { snp_launch_measurement }, rules))).toBe("affirming");
    expect(refusals(judge(factsOf("snp"), { snp_launch_measurement }, { minTcb: { snp: 25 } }))).toEqual([
      "minTcb",
    ]);
    const stated = { snp_launch_measurement, snp_snp_svn: [20] };
    expect(refusals(judge(factsOf("snp"), stated, rules))).toEqual(["reference:snp_snp_svn"]);
  });
});

describe("the platform", () => {
  it.each(TEES)("%s in debug is contraindicated", (tee) => {
    const output = judge(factsOf(tee, { debug: true }), REFERENCES[tee]);
    expect(output.trustworthiness.configuration).toBe(96);
    expect(refusals(output)).toEqual(["allowDebug"]);
    expect(statusFor(output)).toBe("contraindicated");
  });

  it.each(TEES)("%s under a simulated root is refused unless allowed", (tee) => {
    const facts = factsOf(tee, { trust: { root: "CN=Mine", rootSha256: "00", simulated: true } });
    expect(refusals(judge(facts, REFERENCES[tee], {}))).toEqual(["allowSimulated"]);
    expect(judge(facts, REFERENCES[tee], {}).trustworthiness.hardware).toBe(97);
    expect(statusFor(judge(facts, REFERENCES[tee]))).toBe("affirming");
  });

  it.each(["sgx", "tdx"] as const)("%s must be UpToDate unless the rules accept more", (tee) => {
    const { tcb } = factsOf(tee);
    const facts = factsOf(tee, { tcb: { ...tcb, status: "SWHardeningNeeded" } });
    expect(refusals(judge(facts, REFERENCES[tee], {}))).toEqual(["acceptedTcbStatuses"]);
    expect(judge(facts, REFERENCES[tee], {}).trustworthiness.hardware).toBe(97);
    const rules: Rules = { acceptedTcbStatuses: ["UpToDate", "SWHardeningNeeded"] };
    expect(statusFor(judge(facts, REFERENCES[tee], rules))).toBe("affirming");
  });

  it.each<[keyof Rules, Rules]>([
    ["minTcbDate", { minTcbDate: "2025-06-01" }],
    ["minEvaluationNumber", { minEvaluationNumber: 19 }],
    ["requireRevocation", { requireRevocation: true }],
  ])("tdx meets %s", (rule, rules) => {
    const output = judge(factsOf("tdx"), REFERENCES.tdx, rules);
    expect(refusals(output)).toEqual([rule]);
    expect(output.trustworthiness.hardware).toBe(97);
  });

  it("tdx meets acceptedAdvisories", () => {
    const { tcb } = factsOf("tdx");
    const facts = factsOf("tdx", { tcb: { ...tcb, advisoryIds: ["INTEL-SA-00837"] } });
    expect(refusals(judge(facts, REFERENCES.tdx, { acceptedAdvisories: [] }))).toEqual([
      "acceptedAdvisories",
    ]);
  });

  it("one set of rules serves both kinds of TEE", () => {
    const rules: Rules = {
      acceptedTcbStatuses: ["UpToDate"],
      minTcbDate: "2025-01-01",
      minTcb: { snp: 24 },
      allowSimulated: true,
    };
    for (const tee of TEES) expect(statusFor(judge(factsOf(tee), REFERENCES[tee], rules))).toBe("affirming");
  });

  it.each<[Judged, string, string[], JsonValue | undefined]>([
    ["snp", "a migration agent", ["policy_migrate_ma"], true],
    ["snp", "an unknown migration policy", ["policy_migrate_ma"], undefined],
    ["snp", "a report from VMPL 1", ["vmpl"], 1],
    ["snp", "a report for the host", ["vmpl"], "host"],
    ["tdx", "a migratable TD", ["td_attributes", "migratable"], true],
    ["tdx", "a TD of unknown attributes", ["td_attributes"], undefined],
  ])("%s refuses %s", (tee, _name, path, value) => {
    const output = judge(factsOf(tee, { claims: withClaim(CLAIMS[tee], path, value) }), REFERENCES[tee]);
    expect(refusals(output)).toEqual([expect.stringContaining(`claim:${path.join(".")}`)]);
    expect(output.trustworthiness.configuration).toBe(36);
  });
});

describe("init-data", () => {
  const initDataField = new Uint8Array(32).fill(7);
  const hex = "07".repeat(32);

  it.each(TEES)("%s: what the host chose must be a reference value", (tee) => {
    const facts = factsOf(tee, { initDataField });
    const unknown = judge(facts, REFERENCES[tee]);
    expect(refusals(unknown)).toEqual(["reference:init_data"]);
    expect(unknown.trustworthiness.configuration).toBe(36);
    expect(unknown.findings.find(({ ok }) => !ok)?.next).toContain(hex);
    expect(statusFor(judge(facts, { ...REFERENCES[tee], init_data: [hex] }))).toBe("affirming");
  });

  it.each(TEES)("%s: a host cannot leave out init-data that was stated", (tee) => {
    const facts = factsOf(tee);
    expect(refusals(judge(facts, { ...REFERENCES[tee], init_data: [hex] }))).toEqual(["reference:init_data"]);
    expect(statusFor(judge(facts, { ...REFERENCES[tee], init_data: [hex, ""] }))).toBe("affirming");
  });
});

describe("evidence without claims", () => {
  it.each(TEE_NAMES.filter((tee) => !(TEES as readonly string[]).includes(tee)))("%s is refused", (tee) => {
    const output = judge(factsOf(tee), {});
    expect(output.trustworthiness.executables).toBe(33);
    expect(refusals(output)).not.toEqual([]);
    expect(statusFor(output)).not.toBe("affirming");
  });
});

describe("whatever the claims and reference values", () => {
  const json = fc.oneof(fc.constantFrom("", "00", digest("c1"), "a1".repeat(32)), fc.integer(), fc.boolean());

  it.each(TEES)(
    "%s is affirming exactly when no finding refuses, and each refusal has a next step",
    (tee) => {
      const ids = referenceIdsOf(tee).map(({ id }) => id);
      const good = referenceValuesFrom(factsOf(tee));
      const values = (id: string): fc.Arbitrary<readonly JsonValue[]> =>
        fc.oneof(
          { weight: 20, arbitrary: fc.constant(good[id] ?? []) },
          { weight: 1, arbitrary: fc.array(json, { maxLength: 3 }) },
        );
      const references = fc.record(Object.fromEntries(ids.map((id) => [id, values(id)])));
      const changes = fc.record(
        {
          debug: fc.boolean(),
          claims: fc.oneof(
            { weight: 8, arbitrary: fc.constant(CLAIMS[tee]) },
            { weight: 1, arbitrary: fc.dictionary(fc.string(), json) },
          ),
          initDataField: fc.oneof(
            fc.constant(null),
            fc.constant(new Uint8Array(32)),
            fc.constant(new Uint8Array(32).fill(7)),
          ),
        },
        { requiredKeys: [] },
      );
      const rules = fc.constantFrom<Rules>(
        {},
        { allowSimulated: true },
        { allowDebug: true, minTcb: { snp: 24 } },
      );
      fc.assert(
        fc.property(references, changes, rules, (stated, change, chosen) => {
          const output = judge(factsOf(tee, change), stated, chosen);
          expect(statusFor(output) === "affirming").toBe(refusals(output).length === 0);
          for (const { ok, next } of output.findings) expect(next === undefined).toBe(ok);
        }),
      );
    },
  );
});

describe("referenceIdsOf", () => {
  it("lists every id of the policy once, and what is needed", () => {
    for (const tee of TEES) {
      const ids = referenceIdsOf(tee).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids).toEqual(expect.arrayContaining([...Object.keys(REFERENCES[tee]), "init_data"]));
    }
    const needed = referenceIdsOf("tdx").filter((entry) => entry.needed);
    expect(needed.map(({ id }) => id).sort()).toEqual(["mr_td", "rtmr_1", "rtmr_2", "xfam"]);
  });
});

it("refuses rules that make no sense when it is made", () => {
  expect(() => builtinPolicy({ minTcbDate: "soon" })).toThrow(
    expect.objectContaining({ code: "INVALID_RULES" }),
  );
});

it("keeps its own copy of the rules", () => {
  const rules: { allowDebug?: boolean } = {};
  const policy = builtinPolicy(rules);
  rules.allowDebug = true;
  const facts = factsOf("sgx", { debug: true });
  const output = policy.evaluate({ facts, document: {}, referenceValues: REFERENCES.sgx, now: facts.at });
  expect(refusals(output)).toEqual(["allowDebug"]);
});
