// SPDX-License-Identifier: Apache-2.0
// Real evidence through rules, default policy and token. What is known to be good is taken from the evidence itself.
import type { JsonValue } from "@adyton/core/json";
import { type VerifiedEvidence, verifyEvidence } from "@adyton/evidence";
import { mergeEndorsements, readEndorsement } from "@adyton/evidence/endorsements";
import { fixtureBytes, hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { type AttestationResult, appraise } from "./appraise.ts";
import { builtinPolicy, minimumPolicy, referenceValuesFrom } from "./builtin.ts";
import { signEar, verifyEar } from "./ear.ts";
import { generateEarKey, importEarKey } from "./ear-key.ts";
import type { ReferenceValues } from "./reference.ts";
import type { Rules } from "./rules.ts";

interface Case {
  readonly name: string;
  readonly evidence: string;
  readonly endorsements: readonly string[];
  readonly at: string;
}

const MILAN: Case = {
  name: "SNP, Milan",
  evidence: "sev-snp/microsoft/milan_attestation_report.bin",
  endorsements: ["milan_vcek.pem", "milan_ask.pem", "milan_ark.pem"].map(
    (file) => `sev-snp/microsoft/${file}`,
  ),
  at: "2026-07-01T00:00:00Z",
};
const GENOA: Case = {
  name: "SNP, Genoa",
  evidence: "sev-snp/microsoft/genoa_attestation_report.bin",
  endorsements: ["genoa_vcek.pem", "genoa_ask.pem", "genoa_ark.pem"].map(
    (file) => `sev-snp/microsoft/${file}`,
  ),
  at: "2026-07-01T00:00:00Z",
};
const TDX: Case = {
  name: "TDX, up to date",
  evidence: "tdx/dcap-qvl/tdx_quote",
  endorsements: ["tdx/dcap-qvl/tdx_quote_collateral.json"],
  at: "2025-07-01T00:00:00Z",
};
const TDX_OUT_OF_DATE: Case = {
  name: "TDX, out of date",
  evidence: "tdx/dcap-rs/quote_tdx_00806f050000.dat",
  endorsements: ["tdx/assembled/collateral_00806f050000_2025-02-13.json"],
  at: "2025-02-13T04:00:32Z",
};
const SGX: Case = {
  name: "SGX, in need of configuration",
  evidence: "sgx/dcap-qvl/sgx_quote",
  endorsements: ["sgx/dcap-qvl/sgx_quote_collateral.json"],
  at: "2025-07-01T00:00:00Z",
};
const DEBUG: Case = {
  name: "TDX, debug",
  evidence: "tdx/trustee/tdx_quote_4.dat",
  endorsements: [
    ...["sample_tcbInfo_response", "sample_qeIdentity_response", "pckcrl", "rootcrl.der"].map(
      (file) => `tdx/go-tdx-guest/${file}`,
    ),
    "tdx/dcap-rs/signing_cert.pem",
  ],
  at: "2023-07-01T00:00:00Z",
};

async function verified(of: Case): Promise<VerifiedEvidence> {
  const files = of.endorsements.map(async (name) =>
    readEndorsement({ name, bytes: await fixtureBytes(name) }),
  );
  return verifyEvidence(await fixtureBytes(of.evidence), {
    now: new Date(of.at),
    endorsements: mergeEndorsements(...(await Promise.all(files))),
  });
}

function judged(
  evidence: VerifiedEvidence,
  rules: Rules,
  referenceValues?: ReferenceValues,
): AttestationResult {
  return appraise(evidence, {
    policy: builtinPolicy(rules),
    referenceValues: referenceValues ?? referenceValuesFrom(evidence),
    now: evidence.at,
  });
}

const refusals = (result: AttestationResult): string[] =>
  Object.values(result.appraisals).flatMap(({ explanation }) =>
    explanation.filter(({ ok }) => !ok).map(({ rule }) => rule),
  );

/** Vector of cpu0: hardware, executables, configuration. */
const vector = ({ appraisals }: AttestationResult): unknown[] => {
  const { hardware, executables, configuration } = appraisals.cpu0?.trustworthiness ?? {};
  return [hardware, executables, configuration];
};

describe.skipIf(!hasFixtures)("real evidence", () => {
  it.each<[Case, Rules, number[]]>([
    [MILAN, {}, [2, 3, 2]],
    [MILAN, { minTcb: { bootloader: 4, tee: 0, snp: 24, microcode: 219 } }, [2, 3, 2]],
    [GENOA, {}, [2, 3, 2]],
    [TDX, {}, [2, 4, 2]],
    [TDX, { minEvaluationNumber: 17, requireRevocation: true }, [2, 4, 2]],
    [SGX, { acceptedTcbStatuses: ["ConfigurationAndSWHardeningNeeded"] }, [2, 3, 2]],
    [TDX_OUT_OF_DATE, { acceptedTcbStatuses: ["UpToDate", "OutOfDate"] }, [2, 4, 2]],
  ])("$name under $1 is affirming", async (of, rules, expected) => {
    const result = judged(await verified(of), rules);
    expect(refusals(result)).toEqual([]);
    expect(vector(result)).toEqual(expected);
    expect(result).toMatchObject({ status: "affirming", simulated: false });
  });

  it.each<[Case, Rules, string[]]>([
    [SGX, {}, ["acceptedTcbStatuses"]],
    [TDX_OUT_OF_DATE, {}, ["acceptedTcbStatuses"]],
    [TDX, { minEvaluationNumber: 18 }, ["minEvaluationNumber"]],
    [TDX, { minTcbDate: "2030-01-01" }, ["minTcbDate"]],
    [MILAN, { minTcb: { snp: 25 } }, ["minTcb"]],
    [MILAN, { requireRevocation: true }, ["requireRevocation"]],
    [
      SGX,
      { acceptedTcbStatuses: ["ConfigurationAndSWHardeningNeeded"], acceptedAdvisories: [] },
      ["acceptedAdvisories"],
    ],
    [DEBUG, {}, ["allowDebug"]],
  ])("$name under $1 is contraindicated", async (of, rules, expected) => {
    const result = judged(await verified(of), rules);
    expect(refusals(result)).toEqual(expected);
    expect(result.status).toBe("contraindicated");
  });

  it.each([MILAN, GENOA, TDX, SGX])("$name with any other reference value is refused", async (of) => {
    const evidence = await verified(of);
    const good = referenceValuesFrom(evidence);
    const rules: Rules = { acceptedTcbStatuses: ["UpToDate", "ConfigurationAndSWHardeningNeeded"] };
    for (const [id, [value]] of Object.entries(good)) {
      const other = another(id, value ?? null);
      const result = judged(evidence, rules, { ...good, [id]: [other] });
      expect(refusals(result)).toEqual([`reference:${id}`]);
      expect(result.status).not.toBe("affirming");
    }
  });

  it.each([MILAN, TDX, SGX])("$name without reference values runs nothing that is recognized", async (of) => {
    const result = judged(await verified(of), {}, {});
    expect(result.appraisals.cpu0?.trustworthiness.executables).toBe(33);
    expect(result.status).not.toBe("affirming");
  });

  it("rules apply to it without reference values", async () => {
    const evidence = await verified(DEBUG);
    const failed = (rules: Rules): string[] =>
      refusals(appraise(evidence, { policy: minimumPolicy(rules), referenceValues: {}, now: evidence.at }));
    expect(failed({})).toEqual(["allowDebug"]);
    expect(failed({ allowDebug: true, acceptedTcbStatuses: ["UpToDate"] })).toEqual([]);
  });

  it("has a token that says what was verified", async () => {
    const evidence = await verified(TDX);
    const key = await importEarKey(await generateEarKey());
    const token = await signEar(judged(evidence, {}), { key, now: evidence.at });
    const { submods } = await verifyEar(token, { keys: [key.publicJwk], now: evidence.at });
    expect(submods.cpu0?.["ear.veraison.annotated-evidence"]).toMatchObject({
      tdx: { tcb_status: "UpToDate", quote: { body: { mr_td: expect.stringMatching(/^[0-9a-f]{96}$/) } } },
    });
    expect(submods.cpu0?.["adyton.simulated"]).toBe(false);
  });
});

/** A value that the evidence does not have: for least versions a higher one, for "no init-data" some. */
function another(id: string, value: JsonValue): JsonValue {
  if (typeof value === "number") return id === "sgx_isv_svn" ? value + 1 : value + 100;
  if (typeof value === "boolean") return !value;
  return "5a".repeat(48);
}
