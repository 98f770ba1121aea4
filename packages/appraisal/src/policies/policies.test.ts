// SPDX-License-Identifier: Apache-2.0
// The default policy of every TEE on evidence that verified: what is healthy and known is affirmed; each fault refuses
// the claim that it concerns, and the explanation names file, line, claim, value and reference id.
import { fromUtf8 } from "@adyton/core/bytes";
import { defaultCrypto, verifyingCrypto } from "@adyton/core/crypto";
import type { JsonObject, JsonValue } from "@adyton/core/json";
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

describe("each condition on the claims themselves", () => {
  /** [TEE, what, path, value, the rule that refuses, the claim and what it becomes] */
  type Row = readonly [TeeName, string, string, JsonValue | undefined, string, TrustClaim, number];
  const rows: readonly Row[] = [
    [
      "csv",
      "registers that are not encrypted",
      "policy/es",
      0,
      "reference:csv_policy_es",
      "configuration",
      36,
    ],
    ["csv", "a key that may be shared", "policy/noks", 0, "reference:csv_policy_noks", "configuration", 36],
    ["csv", "an unknown policy", "policy", undefined, "claim:policy.es", "configuration", 36],
    ["csv", "no measurement", "measure", undefined, "claim:measure", "executables", 33],
    [
      "sev",
      "registers that are not encrypted",
      "policy/es",
      false,
      "reference:sev_policy_es",
      "configuration",
      36,
    ],
    [
      "sev",
      "a key that may be shared",
      "policy/noks",
      false,
      "reference:sev_policy_noks",
      "configuration",
      36,
    ],
    ["sev", "no digest", "launch_digest", undefined, "claim:launch_digest", "executables", 33],
    ["snp", "a migration agent", "policy_migrate_ma", true, "claim:policy_migrate_ma", "configuration", 36],
    ["snp", "a report from VMPL 1", "vmpl", 1, "claim:vmpl", "configuration", 36],
    [
      "az-snp-vtpm",
      "a migration agent",
      "policy_migrate_ma",
      true,
      "claim:policy_migrate_ma",
      "configuration",
      36,
    ],
    ["az-snp-vtpm", "a report from VMPL 2", "vmpl", 2, "claim:vmpl", "configuration", 36],
    ["az-snp-vtpm", "another boot", "tpm/pcr11", "00", "reference:snp_pcr11", "executables", 33],
    ["az-snp-vtpm", "no PCR", "tpm", undefined, "claim:tpm.pcr11", "executables", 33],
    [
      "tdx",
      "a migratable TD",
      "td_attributes/migratable",
      true,
      "claim:td_attributes.migratable",
      "configuration",
      36,
    ],
    [
      "az-tdx-vtpm",
      "a migratable TD",
      "td_attributes/migratable",
      true,
      "claim:td_attributes.migratable",
      "configuration",
      36,
    ],
    ["az-tdx-vtpm", "another paravisor", "quote/body/mr_td", "00", "reference:mr_td", "hardware", 97],
    ["az-tdx-vtpm", "another boot", "tpm/pcr11", "00", "reference:tdx_pcr11", "executables", 33],
    ["tpm", "another firmware", "pcr00", "00", "reference:tpm_pcr00", "hardware", 97],
    ["tpm", "another state of secure boot", "pcr07", "00", "reference:tpm_pcr07", "configuration", 36],
    ["tpm", "no key", "ak_public", undefined, "claim:ak_public", "hardware", 97],
    ["nitro", "another image", "pcr0", "00", "reference:nitro_pcr0", "executables", 33],
    ["nitro", "no signer where one is stated", "pcr8", undefined, "reference:nitro_pcr8", "executables", 33],
    ["nitro", "another role of the parent", "pcr3", "00", "reference:nitro_pcr3", "configuration", 36],
    ["nvidia", "no measurements", "measurements", {}, "claim:measurements", "executables", 33],
    [
      "nvidia",
      "a measurement more",
      "measurements/99",
      "00",
      "reference:nvidia_measurements",
      "executables",
      33,
    ],
    [
      "nvidia",
      "no driver version",
      "config/driver_version",
      undefined,
      "reference:allowed_driver_versions",
      "configuration",
      36,
    ],
    [
      "nvidia",
      "another video BIOS",
      "config/vbios_version",
      "0",
      "reference:allowed_vbios_versions",
      "configuration",
      36,
    ],
    ["se", "another tag", "tag", "00", "reference:se.tag", "executables", 33],
    [
      "se",
      "another host key for the image",
      "image_phkh",
      "00",
      "reference:se.image_phkh",
      "executables",
      33,
    ],
    [
      "se",
      "another key that attested",
      "attestation_phkh",
      "00",
      "reference:se.attestation_phkh",
      "configuration",
      36,
    ],
    [
      "cca",
      "another realm",
      "realm/cca-realm-initial-measurement",
      "AA",
      "reference:cca_realm_initial_measurement",
      "executables",
      33,
    ],
    [
      "cca",
      "another make of platform",
      "platform/cca-platform-implementation-id",
      "AA",
      "reference:cca_implementation_id",
      "hardware",
      97,
    ],
    [
      "cca",
      "another configuration",
      "platform/cca-platform-config",
      "AA",
      "reference:cca_platform_config",
      "configuration",
      36,
    ],
    [
      "cca",
      "no firmware",
      "platform/cca-platform-sw-components",
      [],
      'claim:platform["cca-platform-sw-components"]',
      "hardware",
      97,
    ],
    [
      "cca",
      "unknown firmware",
      "platform/cca-platform-sw-components",
      [{ "measurement-value": "AA" }],
      "reference:cca_firmware",
      "hardware",
      97,
    ],
  ];

  it.each(rows)("%s refuses %s", (tee, _what, path, value, rule, claim, becomes) => {
    const good = referenceValuesFrom(evidence[tee]);
    // What the healthy evidence leaves out is stated here, so that leaving it out is a fault.
    const id = rule.replace("reference:", "");
    const stated = /^nitro_pcr[38]$/.test(id) && good[id] === undefined ? { ...good, [id]: ["ab"] } : good;
    const claims = withClaim(evidence[tee].claims, path.split("/"), value);
    const output = judge(tee, /_policy_/.test(id) ? without(stated, id) : stated, { claims });
    expect(refusals(output)).toContain(rule);
    expect(output.trustworthiness[claim]).toBe(becomes);
    expect(statusFor(output)).not.toBe("affirming");
    const others = (["hardware", "executables", "configuration"] as const).filter((each) => each !== claim);
    for (const other of others) expect(output.trustworthiness[other]).toBeLessThan(32);
    for (const { ok, next } of output.findings) if (!ok) expect(next).toBeTruthy();
  });

  it.each([
    ["csv", "csv_policy_es", "policy/es", 0],
    ["csv", "csv_policy_noks", "policy/noks", 0],
    ["sev", "sev_policy_es", "policy/es", false],
    ["sev", "sev_policy_noks", "policy/noks", false],
  ] as const)("%s: %s may say that a laxer policy is known", (tee, id, path, value) => {
    const claims = withClaim(evidence[tee].claims, path.split("/"), value);
    const good = referenceValuesFrom(evidence[tee]);
    expect(statusFor(judge(tee, { ...good, [id]: [value] }, { claims }))).toBe("affirming");
  });

  it.each([
    ["tpm_pcr11", 4],
    ["tpm_pcr04", 3],
    ["tpm_pcr09", 3],
  ])("tpm: without %s the other way shows as %i", (id, executables) => {
    const output = judge("tpm", without(referenceValuesFrom(evidence.tpm), id));
    expect(output.trustworthiness.executables).toBe(executables);
    expect(statusFor(output)).toBe("affirming");
  });
});

function without(values: ReferenceValues, id: string): ReferenceValues {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name !== id));
}

function another(value: JsonValue, compare: "one-of" | "at-least"): JsonValue {
  if (typeof value === "number") return compare === "at-least" ? value + 1 : value + 100;
  return typeof value === "boolean" ? !value : "5a".repeat(48);
}
