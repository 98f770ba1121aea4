// SPDX-License-Identifier: Apache-2.0
import { toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { initDataField, reportDataOf, type VerifiedEvidence, verifyEvidence } from "@adyton/evidence";
import { createSampleVendor, type SampleLaunch } from "@adyton/simulator";
import { beforeAll, describe, expect, it } from "vitest";
import { type AppraiseOptions, appraise, assertAppraised } from "./appraise.ts";
import { checkInitData, checkRuntimeData } from "./bindings.ts";
import { builtinPolicy, referenceValuesFrom } from "./builtin.ts";
import type { Policy, PolicyInput, PolicyOutput } from "./policy.ts";

const NOW = new Date("2025-07-01T12:00:00Z");
const EXPIRY = new Date("2026-01-01T00:00:00Z");
const DIGEST = "e1".repeat(48);
const DOCUMENT = new TextEncoder().encode('version = "0.1.0"\nalgorithm = "sha384"\n[data]\n');
const RUNTIME = {
  nonce: "bm9uY2U=",
  teePubkey: { kty: "EC", crv: "P-256", x: "eA", y: "eQ" },
  additionalEvidence: "",
};

let launch: (change?: Partial<SampleLaunch>) => Promise<VerifiedEvidence>;
let healthy: VerifiedEvidence;

beforeAll(async () => {
  const vendor = await createSampleVendor({ notAfter: EXPIRY });
  const machine = await vendor.machine();
  launch = async (change = {}) => {
    const bytes = await machine.evidence({
      launchDigest: DIGEST,
      reportData: await reportDataOf(RUNTIME, defaultCrypto),
      ...change,
    });
    return verifyEvidence(bytes, { now: NOW, roots: [vendor.root] });
  };
  healthy = await launch();
});

function optionsFor(change: Partial<AppraiseOptions> = {}): AppraiseOptions {
  return {
    policy: builtinPolicy({ allowSimulated: true }),
    referenceValues: referenceValuesFrom(healthy),
    now: NOW,
    ...change,
  };
}

/** A policy that answers `output` to everything. */
function answering(output: PolicyOutput, seen: PolicyInput[] = []): Policy {
  return {
    id: "test",
    evaluate: (input) => {
      seen.push(input);
      return output;
    },
  };
}

describe("a result", () => {
  it("affirms known software in good order", () => {
    const result = appraise(healthy, optionsFor());
    expect(result).toMatchObject({ status: "affirming", simulated: true, at: NOW, expires: EXPIRY });
    expect(Object.keys(result.appraisals)).toEqual(["cpu0"]);
    expect(result.appraisals.cpu0).toMatchObject({
      tee: "sample",
      status: "affirming",
      simulated: true,
      policyId: "adyton-default",
      trustworthiness: {
        "instance-identity": 0,
        configuration: 2,
        executables: 3,
        "file-system": 0,
        hardware: 2,
        "runtime-opaque": 0,
        "storage-opaque": 0,
        "sourced-data": 0,
      },
    });
  });

  it("shows what the policy saw", async () => {
    const runtimeData = await checkRuntimeData(healthy, RUNTIME);
    const seen: PolicyInput[] = [];
    const result = appraise(
      healthy,
      optionsFor({ policy: answering({ trustworthiness: {}, findings: [] }, seen), runtimeData }),
    );
    expect(result.appraisals.cpu0?.annotatedEvidence).toEqual({
      sample: healthy.claims,
      report_data: toHex(healthy.reportData),
      runtime_data_claims: {
        "additional-evidence": "",
        nonce: RUNTIME.nonce,
        "tee-pubkey": RUNTIME.teePubkey,
      },
    });
    expect(seen[0]?.document).toBe(result.appraisals.cpu0?.annotatedEvidence);
    expect(result.status).toBe("none");
  });

  it("explains a refusal, and carries verification's warnings", async () => {
    const tampered = await launch({ launchDigest: "e2".repeat(48) });
    const result = appraise(tampered, optionsFor());
    expect(result.status).toBe("warning");
    const { explanation = [] } = result.appraisals.cpu0 ?? {};
    expect(explanation.filter(({ ok }) => !ok)).toEqual([
      {
        rule: "reference:launch_digest",
        ok: false,
        message: expect.stringMatching(
          /^Not met: The launch digest is known\. Found "e2.*not among the reference values of launch_digest\.$/,
        ),
        found: "e2".repeat(48),
        expected: [DIGEST],
        next: expect.stringContaining("launch_digest"),
        file: "adyton/sample.rego",
        line: expect.any(Number),
      },
    ]);
    expect(explanation.map(({ rule }) => rule)).toContain("warning:SIMULATED");
  });

  it("is simulated evidence's undoing under a policy that does not allow it", () => {
    const result = appraise(healthy, optionsFor({ policy: builtinPolicy({}) }));
    expect(result.status).toBe("contraindicated");
  });

  it("of several is the worst of each", async () => {
    const debug = await launch({ debug: true });
    const result = appraise([healthy, debug, healthy], optionsFor());
    expect(Object.entries(result.appraisals).map(([name, { status }]) => [name, status])).toEqual([
      ["cpu0", "affirming"],
      ["cpu1", "contraindicated"],
      ["cpu2", "affirming"],
    ]);
    expect(result.status).toBe("contraindicated");
  });

  it("cannot be changed, and changes nothing it was made from", () => {
    const result = appraise(healthy, optionsFor());
    const change = (): void => {
      Object.assign(result.appraisals.cpu0?.trustworthiness ?? {}, { hardware: 2 });
    };
    expect(change).toThrow(TypeError);
    expect(Object.isFrozen(healthy.claims)).toBe(false);
    expect(() => assertAppraised(result)).not.toThrow();
    expect(() => assertAppraised({ ...result })).toThrow(expect.objectContaining({ code: "NOT_APPRAISED" }));
  });
});

describe("refused input", () => {
  it("evidence that is not from verification", () => {
    expect(() => appraise({ ...healthy }, optionsFor())).toThrow(
      expect.objectContaining({ code: "NOT_VERIFIED" }),
    );
    expect(() => appraise([healthy, { ...healthy }], optionsFor())).toThrow(
      expect.objectContaining({ code: "NOT_VERIFIED" }),
    );
  });

  it.each<[string, () => readonly VerifiedEvidence[], Partial<AppraiseOptions>]>([
    ["no evidence", () => [], {}],
    ["too much evidence", () => Array.from({ length: 33 }, () => healthy), {}],
    ["a time that is none", () => [healthy], { now: new Date(Number.NaN) }],
  ])("%s", (_name, evidence, change) => {
    expect(() => appraise(evidence(), optionsFor(change))).toThrow(
      expect.objectContaining({ code: "INVALID_APPRAISAL_INPUT", category: "misuse" }),
    );
  });

  it("evidence whose endorsements have expired since", () => {
    expect(() => appraise(healthy, optionsFor({ now: EXPIRY }))).not.toThrow();
    expect(() => appraise(healthy, optionsFor({ now: new Date(EXPIRY.getTime() + 1) }))).toThrow(
      expect.objectContaining({ code: "EVIDENCE_STALE", category: "endorsements" }),
    );
  });

  const invalid: readonly (readonly [string, unknown])[] = [
    ["no trustworthiness", { findings: [] }],
    ["a trustworthiness that is no object", { trustworthiness: [2], findings: [] }],
    ["an unknown claim", { trustworthiness: { software: 2 }, findings: [] }],
    ["a value out of range", { trustworthiness: { hardware: 128 }, findings: [] }],
    ["a broken value", { trustworthiness: { hardware: 2.5 }, findings: [] }],
    ["a text", { trustworthiness: { hardware: "2" }, findings: [] }],
    ["extensions that are no object", { trustworthiness: {}, findings: [], extensions: [] }],
    [
      "an extension over the status",
      { trustworthiness: {}, findings: [], extensions: { "ear.status": "affirming" } },
    ],
    [
      "an extension over the evidence",
      { trustworthiness: {}, findings: [], extensions: { "ear.veraison.annotated-evidence": {} } },
    ],
    [
      "an extension over ours",
      { trustworthiness: {}, findings: [], extensions: { "adyton.simulated": false } },
    ],
    [
      "an extension called constructor",
      { trustworthiness: {}, findings: [], extensions: { constructor: 1 } },
    ],
  ];

  it.each(invalid)("a policy that returns %s", (_name, output) => {
    const policy = answering(output as PolicyOutput);
    expect(() => appraise(healthy, optionsFor({ policy }))).toThrow(
      expect.objectContaining({ code: "INVALID_POLICY_OUTPUT" }),
    );
  });

  it("what the policy throws", () => {
    const policy: Policy = {
      id: "broken",
      evaluate: () => {
        throw new RangeError("no");
      },
    };
    expect(() => appraise(healthy, optionsFor({ policy }))).toThrow(RangeError);
  });
});

describe("init-data", () => {
  it("that the evidence binds is accepted and explained", async () => {
    const initData = await initDataField(DOCUMENT, "SHA-384", 64, defaultCrypto);
    const evidence = await launch({ initData });
    const checked = await checkInitData(evidence, { document: DOCUMENT, hash: "SHA-384" });
    expect(checked).toEqual({ hash: "SHA-384", digest: toHex(initData) });
    const result = appraise(
      evidence,
      optionsFor({ initData: checked, referenceValues: referenceValuesFrom(evidence) }),
    );
    expect(result.status).toBe("affirming");
    expect(result.appraisals.cpu0?.annotatedEvidence.init_data).toBe(toHex(initData));
    expect(result.appraisals.cpu0?.explanation).toContainEqual(
      expect.objectContaining({ rule: "init-data", ok: true, found: toHex(initData) }),
    );
  });

  it("is refused when it is another document, another hash, or none is bound", async () => {
    const initData = await initDataField(DOCUMENT, "SHA-384", 64, defaultCrypto);
    const evidence = await launch({ initData });
    const mismatch = expect.objectContaining({ code: "INIT_DATA_MISMATCH", category: "not-authentic" });
    const other = new TextEncoder().encode('version = "0.1.0"\nalgorithm = "sha384"\n[data]\n ');
    await expect(checkInitData(evidence, { document: other, hash: "SHA-384" })).rejects.toEqual(mismatch);
    await expect(checkInitData(evidence, { document: DOCUMENT, hash: "SHA-256" })).rejects.toEqual(mismatch);
    await expect(checkInitData(healthy, { document: DOCUMENT, hash: "SHA-384" })).rejects.toEqual(mismatch);
    const md5 = "MD5" as "SHA-256";
    await expect(checkInitData(evidence, { document: DOCUMENT, hash: md5 })).rejects.toEqual(
      expect.objectContaining({ code: "INVALID_APPRAISAL_INPUT" }),
    );
    await expect(checkInitData({ ...evidence }, { document: DOCUMENT, hash: "SHA-384" })).rejects.toEqual(
      expect.objectContaining({ code: "NOT_VERIFIED" }),
    );
  });

  it("is refused when it was checked against other evidence, or not at all", async () => {
    const initData = await initDataField(DOCUMENT, "SHA-384", 64, defaultCrypto);
    const evidence = await launch({ initData });
    const checked = await checkInitData(evidence, { document: DOCUMENT, hash: "SHA-384" });
    const unchecked = expect.objectContaining({ code: "INIT_DATA_NOT_CHECKED" });
    expect(() => appraise(healthy, optionsFor({ initData: checked }))).toThrow(unchecked);
    expect(() => appraise(evidence, optionsFor({ initData: { ...checked } }))).toThrow(unchecked);
  });
});

describe("runtime data", () => {
  it("that the report data does not bind is refused", async () => {
    for (const change of [
      { nonce: "b3RoZXI=" },
      { additionalEvidence: "{}" },
      { teePubkey: { kty: "EC" } },
    ]) {
      await expect(checkRuntimeData(healthy, { ...RUNTIME, ...change })).rejects.toEqual(
        expect.objectContaining({ code: "REPORT_DATA_MISMATCH" }),
      );
    }
    await expect(checkRuntimeData({ ...healthy }, RUNTIME)).rejects.toEqual(
      expect.objectContaining({ code: "NOT_VERIFIED" }),
    );
  });
});
