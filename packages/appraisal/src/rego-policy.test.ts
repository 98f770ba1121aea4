// SPDX-License-Identifier: Apache-2.0
// Policies as their authors write them for Trustee, verdictd and Veraison: what they give, and why.
import type { JsonObject } from "@adyton/core/json";
import { describe, expect, it } from "vitest";
import { factsOf, type Judged, REFERENCES } from "../test/facts.ts";
import { type Explanation, renderExplanation } from "./explanation.ts";
import type { Facts } from "./facts.ts";
import type { Policy, PolicyOutput } from "./policy.ts";
import type { ReferenceValues } from "./reference.ts";
import { type RegoPolicyOptions, regoPolicy } from "./rego-policy.ts";

interface Case {
  readonly tee?: Judged;
  readonly change?: Partial<Facts>;
  readonly references?: ReferenceValues;
  readonly document?: JsonObject;
}

function made(text: string, options: Partial<RegoPolicyOptions> = {}): ReturnType<typeof regoPolicy> {
  return regoPolicy({ id: "test", modules: { "policy.rego": text }, ...options });
}

function judge(
  policy: Policy,
  { tee = "snp", change = {}, references = {}, document = {} }: Case = {},
): PolicyOutput {
  const facts = factsOf(tee, change);
  return policy.evaluate({
    facts,
    document: { [tee]: facts.claims, ...document },
    referenceValues: references,
    now: facts.at,
  });
}

/** Every node of a tree, the root first. */
function nodesOf(tree: Explanation | undefined): Explanation[] {
  return tree === undefined ? [] : [tree, ...tree.children.flatMap(nodesOf)];
}

const refusals = ({ findings }: PolicyOutput): string[] =>
  findings.filter(({ ok }) => !ok).map(({ rule }) => rule);

const TRUSTEE = `package policy

import rego.v1

default hardware := 97
default executables := 33
default configuration := 36

trust_claims := {"executables": executables, "hardware": hardware, "configuration": configuration}

executables := 3 if {
	input.sample
	input.sample.launch_digest in query_reference_value("launch_digest")
}

hardware := 2 if {
	input.sample
	input.sample.svn in query_reference_value("svn")
	input.sample.platform_version.major == query_reference_value("major_version")
	least := query_reference_value("minimum_minor_version")
	input.sample.platform_version.minor >= least
}

configuration := 2 if {
	input.sample
	input.sample.debug == false
}

executables := 3 if {
	input.snp
	input.snp.measurement in query_reference_value("snp_launch_measurement")
}

hardware := 2 if {
	input.snp
	input.snp.reported_tcb_snp in query_reference_value("snp_snp_svn")
}

configuration := 2 if {
	input.snp
	input.snp.policy_migrate_ma == false
	input.snp.policy_abi_major == query_reference_value("snp_guest_abi_major")
} else := 3 if {
	input.snp
	input.snp.policy_migrate_ma == false
}

extensions := [{"name": "ear.trustee.identifiers", "key": -18, "value": {"validated": images}}]

images := {"container_images": [image | image := input.init_data_claims.images[_]]}
`;

describe("Trustee's form", () => {
  const policy = made(TRUSTEE);

  it("is found by looking", () => expect(policy.form).toBe("trustee"));

  it.each<[string, Case, unknown[]]>([
    ["known software", { tee: "sample", references: REFERENCES.sample }, [2, 3, 2]],
    ["nothing stated", { tee: "sample" }, [97, 33, 2]],
    [
      "one of several",
      { references: { snp_launch_measurement: ["00", "d1".repeat(48)], snp_snp_svn: [24] } },
      [2, 3, 3],
    ],
    ["upper case", { references: { snp_launch_measurement: ["D1".repeat(48)] } }, [97, 3, 3]],
    ["one value where one is compared", { references: { snp_guest_abi_major: [1] } }, [97, 33, 2]],
    ["another TEE", { tee: "sgx" }, [97, 33, 36]],
  ])("%s", (_name, of, [hardware, executables, configuration]) => {
    expect(judge(policy, of).trustworthiness).toEqual({ hardware, executables, configuration });
  });

  it("reads extensions as Trustee lists them, and init-data claims", () => {
    const document = { init_data_claims: { images: ["a"] } };
    expect(judge(policy, { document }).extensions).toEqual({
      "ear.trustee.identifiers": { validated: { container_images: ["a"] } },
    });
  });

  it("names file, line, claim, value and reference id of what failed, and only of this TEE", () => {
    const { explanation, findings } = judge(policy, {
      references: { snp_launch_measurement: ["ff"], snp_snp_svn: [24] },
    });
    const line = TRUSTEE.split("\n").findIndex((text) => text.includes("snp_launch_measurement")) + 1;
    expect(findings.filter(({ ok }) => !ok)).toEqual([
      {
        rule: "reference:snp_launch_measurement",
        ok: false,
        message: expect.stringContaining("is not among the reference values of snp_launch_measurement"),
        found: "d1".repeat(48),
        expected: ["ff"],
        next: expect.stringContaining(
          `add it as reference value snp_launch_measurement: "${"d1".repeat(48)}"`,
        ),
        file: "policy.rego",
        line,
      },
    ]);
    expect(
      nodesOf(explanation).find(({ reference }) => reference === "snp_launch_measurement"),
    ).toMatchObject({
      claim: "input.snp.measurement",
      source: 'input.snp.measurement in query_reference_value("snp_launch_measurement")',
    });
    expect(JSON.stringify(explanation)).not.toContain("sample");
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
  });

  it("names every condition of a body that fails, not the first alone", () => {
    const both = made(`package policy
hardware := 2 if {
	input.snp.reported_tcb_snp in query_reference_value("a")
	input.snp.vmpl == 1
	x := input.snp.reported_tcb_tee
	x > 3
}
default hardware := 97`);
    expect(refusals(judge(both))).toEqual(["reference:a", "claim:vmpl"]);
  });

  it("takes the rules themselves where there is no trust_claims", () => {
    const older = made(
      "package policy\ndefault hardware := 97\nhardware := 2 if input.snp\nexecutables := 3 if input.snp",
    );
    expect(older.form).toBe("trustee");
    expect(judge(older).trustworthiness).toEqual({ hardware: 2, executables: 3 });
  });

  it("knows Trustee's spelling of Azure's TEEs", () => {
    const azure = made(
      'package policy\ntrust_claims := {"hardware": 2} if input.az_snp_vtpm.measurement == "aa"',
    );
    const facts = factsOf("az-snp-vtpm", { claims: { measurement: "aa" } });
    const output = azure.evaluate({ facts, document: {}, referenceValues: {}, now: facts.at });
    expect(output.trustworthiness).toEqual({ hardware: 2 });
  });

  it("tells the time it is given", () => {
    const timed = made(
      'package policy\nhardware := 2 if time.now_ns() == time.parse_rfc3339_ns("2025-07-01T00:00:00Z")',
    );
    expect(judge(timed).trustworthiness).toEqual({ hardware: 2 });
  });
});

describe("comments are what conditions mean", () => {
  const policy = made(`package policy

default executables := 33

executables := 3 if {
	# The launch measurement is that of release 7.
	# Next: deploy release 7.
	input.snp.measurement == "aa"
	fresh
}

# The firmware is at least that of March.
fresh if input.snp.reported_tcb_snp >= 99
`);

  it("in findings", () => {
    const [first, second] = judge(policy).findings;
    expect(first).toMatchObject({ line: 8, next: "deploy release 7." });
    expect(first?.message).toMatch(
      /^Not met: The launch measurement is that of release 7\. Found input\.snp\.measurement = "d1/,
    );
    expect(second).toMatchObject({
      message: expect.stringMatching(/^Not met: The firmware is at least that of March\./),
      found: 24,
      expected: 99,
    });
  });

  it("in the text of the tree", () => {
    const { explanation } = judge(policy);
    const text = explanation === undefined ? "" : renderExplanation(explanation);
    expect(text).toContain("✗ snp evidence is warning");
    expect(text).toContain("policy.rego:8");
    expect(text).toContain("next: deploy release 7.");
    expect(explanation === undefined ? "" : renderExplanation(explanation, { color: true })).toContain(
      "\u001b[31m✗",
    );
  });
});

describe("verdictd's form", () => {
  const SEED = `package policy

default allow = false

allow = true {
    measure_is_grant
}

measure_is_grant {
    count(data.measure) == 0
}

measure_is_grant {
    count(data.measure) > 0
    input.measure == data.measure[_]
}
`;
  const csv = (policy: Policy): PolicyOutput => {
    const facts = factsOf("csv", { claims: { measure: "00ff" } });
    return policy.evaluate({ facts, document: {}, referenceValues: {}, now: facts.at });
  };

  it.each<[string, JsonObject, boolean]>([
    ["nothing stated", { measure: [] }, true],
    ["the measure stated", { measure: ["AAA=", "AP8="] }, true],
    ["another stated", { measure: ["AAA="] }, false],
    ["no data file", {}, false],
  ])("%s", (_name, data, allow) => {
    const policy = made(SEED, { data });
    expect(policy.form).toBe("verdictd");
    const output = csv(policy);
    expect(output.trustworthiness.executables).toBe(allow ? 2 : 33);
    expect(output.extensions?.["verdictd.decision"]).toEqual({
      allow,
      parseInfo: { measure: ["AP8=", data.measure ?? null] },
    });
    expect(refusals(output).length > 0).toBe(!allow);
  });

  it("explains a refusal by the condition, its place and what was found", () => {
    const output = csv(made(SEED, { data: { measure: ["AAA="] } }));
    const nodes = nodesOf(output.explanation);
    expect(nodes.find(({ source }) => source?.startsWith("input.measure"))).toMatchObject({
      ok: false,
      file: "policy.rego",
      line: 15,
      claim: "input.measure",
      found: "AP8=",
    });
  });

  it("shows SGX as verdictd does", () => {
    const text = `package policy
allow { input.mrEnclave == "${btoa("\xa1".repeat(32))}"; input.productId == 1; input.svn >= 5 }`;
    expect(judge(made(text), { tee: "sgx" }).trustworthiness).toEqual({
      executables: 2,
      hardware: 2,
      configuration: 2,
    });
  });

  it("refuses debug and simulated evidence unless the rules allow it", () => {
    const simulated = { root: "CN=Mine", rootSha256: "00", simulated: true };
    const change = { debug: true, trust: simulated };
    const text = "package policy\nallow := true";
    expect(judge(made(text), { change }).trustworthiness).toEqual({
      executables: 2,
      hardware: 97,
      configuration: 96,
    });
    expect(refusals(judge(made(text), { change }))).not.toEqual([]);
    const rules = { allowDebug: true, allowSimulated: true };
    expect(judge(made(text, { rules }), { change }).trustworthiness).toEqual({
      executables: 2,
      hardware: 2,
      configuration: 2,
    });
  });
});

describe("Veraison's form", () => {
  const OVERLAY = `package policy

executables = APPROVED_RT {
  some i
  evidence["components"][i]["measurement-type"] == "BL"
  semver_cmp(evidence["components"][i].version, "3.5") >= 0
} else = UNSAFE_RT
`;
  const base: Policy = {
    id: "base",
    evaluate: () => ({ trustworthiness: { hardware: 2, executables: 3 }, findings: [] }),
  };
  const psa = (policy: Policy, version: string): PolicyOutput => {
    const facts = factsOf("cca", { claims: { components: [{ "measurement-type": "BL", version }] } });
    return policy.evaluate({ facts, document: {}, referenceValues: {}, now: facts.at });
  };

  it("overlays what the base found", () => {
    const policy = made(OVERLAY, { base });
    expect(policy.form).toBe("veraison");
    expect(psa(policy, "3.10.1").trustworthiness).toEqual({ hardware: 2, executables: 2 });
    expect(psa(policy, "3.4.9").trustworthiness).toEqual({ hardware: 2, executables: 32 });
    expect(refusals(psa(policy, "3.4.9"))).not.toEqual([]);
    expect(refusals(psa(policy, "3.5"))).toEqual([]);
  });

  it("gives result, scheme and endorsements, and takes added claims", () => {
    const policy = made(
      `package policy
hardware = CONTRAINDICATED_HW { result["ear.trustworthiness-vector"].hardware == GENUINE_HW; scheme == "ARM_CCA" }
added_claims = {"seen": count(endorsements)}`,
      { base, form: "veraison" },
    );
    const output = psa(policy, "1");
    expect(output.trustworthiness).toEqual({ hardware: 96, executables: 3 });
    expect(output.extensions).toEqual({ seen: 0 });
    expect(refusals(output)).not.toEqual([]);
  });
});

describe("what is refused", () => {
  it.each<[string, string, Partial<RegoPolicyOptions>, string]>([
    ["text that is no Rego", "package policy\nallow := ", {}, "REGO_PARSE"],
    ["v0 where v1 was named", "package policy\nallow { true }", { version: "v1" }, "REGO_PARSE"],
    ["an unknown function", "package policy\nallow if http_get(input.x)", {}, "REGO_TYPE"],
    ["an unsafe variable", "package policy\nallow if x == y", {}, "REGO_UNSAFE_VARIABLE"],
    ["a policy of another package", "package other\nallow := true", {}, "INVALID_POLICY_OUTPUT"],
    [
      "a form that the rules do not serve",
      "package policy\nhardware := 2",
      { form: "verdictd" },
      "INVALID_POLICY_OUTPUT",
    ],
    [
      "rules that make no sense",
      "package policy\nallow := true",
      { rules: { minTcbDate: "soon" } },
      "INVALID_RULES",
    ],
  ])("%s", (_name, text, options, code) => {
    expect(() => made(text, options)).toThrow(expect.objectContaining({ code }));
  });

  it.each<[string, string, string]>([
    ["trust claims that are no object", "trust_claims := 1", "INVALID_POLICY_OUTPUT"],
    ["an unknown trust claim", 'trust_claims := {"colour": 2}', "INVALID_POLICY_OUTPUT"],
    ["a value that is no trust value", 'trust_claims := {"hardware": 200}', "INVALID_POLICY_OUTPUT"],
    ["undefined trust claims", "trust_claims := {} if input.nothing", "INVALID_POLICY_OUTPUT"],
    ["an extension without a name", "trust_claims := {}\nextensions := [1]", "INVALID_POLICY_OUTPUT"],
    ["two values for one claim", "hardware := 2\nhardware := 3 if input.snp", "REGO_CONFLICT"],
  ])("%s, when it is evaluated", (_name, text, code) => {
    expect(() => judge(made(`package policy\n${text}`))).toThrow(expect.objectContaining({ code }));
  });

  it("work beyond the limits", () => {
    const text =
      "package policy\nhardware := 2 if count([1 | some i in numbers.range(1, 2000); some j in numbers.range(1, 2000)]) > 0";
    expect(() => judge(made(text, { limits: { steps: 10_000 } }))).toThrow(
      expect.objectContaining({ code: "REGO_LIMIT" }),
    );
  });

  it("lists everything that is wrong in every file", () => {
    const modules = { "a.rego": "package policy\nx := ", "b.rego": "package policy\ny := " };
    try {
      regoPolicy({ id: "test", modules });
      expect.unreachable();
    } catch (error) {
      expect(String(error)).toContain("a.rego");
      expect(JSON.stringify((error as { detail: unknown }).detail)).toContain("b.rego");
    }
  });
});
