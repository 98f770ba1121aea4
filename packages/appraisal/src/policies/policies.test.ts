// SPDX-License-Identifier: Apache-2.0
// The default policy of every TEE on evidence that verified: what is healthy and known is affirmed; each fault refuses
// the claim that it concerns, and the explanation names file, line, claim, value and reference id.
import { fromUtf8 } from "@adyton/core/bytes";
import { defaultCrypto, verifyingCrypto } from "@adyton/core/crypto";
import type { JsonValue } from "@adyton/core/json";
import { TEE_NAMES, type TeeName, type VerifiedEvidence, verifyEvidence } from "@adyton/evidence";
import { createSeRequest, encodeSeExchangeRequest, verifyHostKeyDocument } from "@adyton/evidence/se";
import { parseModule } from "@adyton/rego";
import {
  createAmdVendor,
  createAzureVm,
  createCcaPlatform,
  createHygonVendor,
  createIbmVendor,
  createIntelVendor,
  createNitroVendor,
  createNvidiaVendor,
  createSampleVendor,
  createSeHeader,
  createSevVendor,
  createTpmVendor,
} from "@adyton/simulator";
import { beforeAll, describe, expect, it } from "vitest";
import { builtinPolicy, referenceIdsOf, referenceValuesFrom } from "../builtin.ts";
import type { Explanation } from "../explanation.ts";
import type { Facts } from "../facts.ts";
import type { PolicyOutput } from "../policy.ts";
import { vectorOf } from "../policy.ts";
import type { ReferenceValues } from "../reference.ts";
import { statusOf, type TrustClaim } from "../trust.ts";
import { defaultPolicyFor } from "./index.ts";

const AT = new Date("2026-06-01T12:00:00Z");

/** Healthy evidence of every TEE. */
async function healthy(): Promise<Readonly<Record<TeeName, VerifiedEvidence>>> {
  const intel = await createIntelVendor({ at: AT });
  const intelPlatform = await intel.platform();
  const intelRoots = [intel.root.certificate];
  const quote = async (tee: "sgx" | "tdx") =>
    verifyEvidence(await intelPlatform.quote({ tee }), {
      now: AT,
      roots: intelRoots,
      endorsements: await intel.endorsements(intelPlatform, tee),
    });
  const amd = await createAmdVendor({ at: AT, rsaBits: 2048 });
  const amdPlatform = await amd.platform();
  const amdOptions = { now: AT, roots: [amd.ark.certificate], endorsements: amd.endorsements() };
  const snpVm = await createAzureVm({ amd: amdPlatform });
  const tdxVm = await createAzureVm({ intel: intelPlatform });
  const nonce = fromUtf8("nonce");
  const hygon = createHygonVendor();
  const csvPlatform = hygon.platform();
  const cca = await createCcaPlatform();
  const tpm = await createTpmVendor({ at: AT });
  const nitro = await createNitroVendor({ at: AT });
  const nvidia = await createNvidiaVendor({ at: AT });
  const gpu = await nvidia.device();
  const software = await createSampleVendor();
  const machine = await software.machine();
  return {
    sgx: await quote("sgx"),
    tdx: await quote("tdx"),
    snp: await verifyEvidence(await amdPlatform.extendedReport(), amdOptions),
    "az-snp-vtpm": await verifyEvidence(await snpVm.evidence({ nonce }), amdOptions),
    "az-tdx-vtpm": await verifyEvidence(await tdxVm.evidence({ nonce }), {
      now: AT,
      roots: intelRoots,
      endorsements: await intel.endorsements(intelPlatform, "tdx"),
    }),
    csv: await verifyEvidence(csvPlatform.report(), {
      tee: "csv",
      now: AT,
      anchors: hygon.anchors,
      endorsements: hygon.endorsements(csvPlatform.cek),
    }),
    cca: await verifyEvidence(await cca.token({}), { now: AT, anchors: cca.anchors }),
    tpm: await verifyEvidence(await (await tpm.machine()).evidence(), {
      tee: "tpm",
      now: AT,
      roots: [tpm.root.certificate],
      endorsements: tpm.endorsements(),
    }),
    nitro: await verifyEvidence(await (await nitro.enclave()).document(), {
      tee: "nitro",
      now: AT,
      roots: [nitro.root.certificate],
    }),
    nvidia: await verifyEvidence(await gpu.report(), {
      now: AT,
      roots: [nvidia.root.certificate],
      endorsements: nvidia.endorsements({ certificates: gpu.chain.slice(0, 2) }),
    }),
    sample: await verifyEvidence(
      await machine.evidence({ launchDigest: "e1".repeat(48), reportData: new Uint8Array(64) }),
      { now: AT, roots: [software.root] },
    ),
    sev: await sevEvidence(),
    se: await seEvidence(),
  };
}

async function sevEvidence(): Promise<VerifiedEvidence> {
  const vendor = await createSevVendor({ rsaBits: 2048 });
  const machine = await vendor.machine();
  return verifyEvidence(await machine.report(), {
    now: AT,
    endorsements: vendor.endorsements(machine),
    anchors: vendor.anchors,
  });
}

async function seEvidence(): Promise<VerifiedEvidence> {
  const vendor = await createIbmVendor({ at: AT });
  const machine = await vendor.machine();
  const header = createSeHeader();
  const roots = [vendor.root.certificate];
  const endorsements = await vendor.endorsements({ certificates: [machine.document], headers: [header] });
  const hostKey = await verifyHostKeyDocument(machine.document, {
    now: AT,
    certificates: endorsements.certificates,
    crls: endorsements.crls,
    roots,
    crypto: verifyingCrypto,
  });
  const made = await createSeRequest({ hostKeys: [hostKey] });
  const answer = await machine.exchange(encodeSeExchangeRequest(made), header, {
    userData: defaultCrypto.randomBytes(64),
  });
  return verifyEvidence(answer, { now: AT, roots, endorsements, verifierKeys: [made.protectionKey] });
}

let evidence: Readonly<Record<TeeName, VerifiedEvidence>>;
beforeAll(async () => {
  evidence = await healthy();
});

/** The default policy on verified facts, changed. */
function judge(
  tee: TeeName,
  stated?: ReferenceValues,
  change: Partial<Facts> = {},
  simulated = true,
): PolicyOutput {
  const facts: Facts = { ...evidence[tee], ...change };
  const referenceValues = stated ?? referenceValuesFrom(evidence[tee]);
  return builtinPolicy({ allowSimulated: simulated }).evaluate({
    facts,
    document: {},
    referenceValues,
    now: AT,
  });
}

const statusFor = (output: PolicyOutput): string => statusOf(vectorOf(output));
const refusals = ({ findings }: PolicyOutput): string[] =>
  findings.filter(({ ok }) => !ok).map(({ rule }) => rule);

function nodesOf(tree: Explanation | undefined): Explanation[] {
  return tree === undefined ? [] : [tree, ...tree.children.flatMap(nodesOf)];
}

/** The line of a file of the default policy. */
function lineOf(tee: TeeName, { file = "", line = 0 }: { file?: string; line?: number }): string {
  return defaultPolicyFor(tee)[file]?.split("\n")[line - 1] ?? "";
}

describe.each(TEE_NAMES)("%s", (tee) => {
  it("is affirming when healthy and known, and says what was looked at", () => {
    const output = judge(tee);
    expect(refusals(output)).toEqual([]);
    expect(statusFor(output)).toBe("affirming");
    expect(output.trustworthiness.hardware).toBe(2);
    expect(output.explanation?.ok).toBe(true);
    for (const { file } of output.findings) expect(file).toMatch(/^adyton\//);
  });

  it("is refused under a simulated root, in debug, with unknown init-data", () => {
    const faults: [TrustClaim, string, number, PolicyOutput][] = [
      ["hardware", "allowSimulated", 97, judge(tee, undefined, {}, false)],
      ["configuration", "allowDebug", 96, judge(tee, undefined, { debug: true })],
      [
        "configuration",
        "reference:init_data",
        36,
        judge(tee, undefined, { initDataField: new Uint8Array(32).fill(7) }),
      ],
    ];
    for (const [claim, rule, value, output] of faults) {
      expect(refusals(output)).toEqual([rule]);
      expect(output.trustworthiness[claim]).toBe(value);
      const finding = output.findings.find(({ ok }) => !ok);
      expect(lineOf(tee, finding ?? {})).not.toBe("");
      expect(finding?.next).toBeTruthy();
    }
  });

  it("is refused with revocation unchecked where the rules demand it", () => {
    const facts: Facts = {
      ...evidence[tee],
      endorsements: { ...evidence[tee].endorsements, revocation: "unchecked" },
    };
    const policy = builtinPolicy({ allowSimulated: true, requireRevocation: true });
    const referenceValues = referenceValuesFrom(evidence[tee]);
    const output = policy.evaluate({ facts, document: {}, referenceValues, now: AT });
    expect(refusals(output)).toEqual(["requireRevocation"]);
    expect(output.trustworthiness.hardware).toBe(97);
  });

  it("is refused without each reference value that it needs, and the explanation names it", () => {
    const good = referenceValuesFrom(evidence[tee]);
    const needed = referenceIdsOf(tee).filter((each) => each.needed);
    for (const { id, claim } of needed) {
      const { [id]: [value] = [], ...others } = good;
      const output = judge(tee, others);
      expect(refusals(output)).toEqual([`reference:${id}`]);
      expect(output.trustworthiness[claim]).toBeGreaterThanOrEqual(33);
      const node = nodesOf(output.explanation).find((each) => each.reference === id && !each.ok);
      expect(node).toMatchObject({ claim: expect.stringMatching(/^input\./), expected: [] });
      expect(lineOf(tee, node ?? {})).toContain(node?.source?.split("(")[0]);
      if (typeof value !== "object") expect(JSON.stringify(node?.next)).toContain(id);
    }
  });

  it("is refused with another value for any reference id", () => {
    const good = referenceValuesFrom(evidence[tee]);
    for (const { id, compare } of referenceIdsOf(tee)) {
      const [value] = good[id] ?? [];
      const strict = /_policy_(?:es|noks)$/.test(id);
      if (value === undefined || (strict && (value === 1 || value === true))) continue;
      const output = judge(tee, { ...good, [id]: [another(value, compare)] });
      expect([id, refusals(output)]).toEqual([id, [`reference:${id}`]]);
      expect(statusFor(output)).not.toBe("affirming");
      expect(output.findings.find(({ ok }) => !ok)?.found).toBeDefined();
    }
  });

  it("has a policy in package policy that fits a page", () => {
    for (const [file, text] of Object.entries(defaultPolicyFor(tee))) {
      const module = parseModule(text, { file, version: "v1" });
      expect(module.path).toEqual(["policy"]);
      expect(text.split("\n").every((line) => line.length <= 120)).toBe(true);
    }
  });
});

function another(value: JsonValue, compare: "one-of" | "at-least"): JsonValue {
  if (typeof value === "number") return compare === "at-least" ? value + 1 : value + 100;
  return typeof value === "boolean" ? !value : "5a".repeat(48);
}
