// SPDX-License-Identifier: Apache-2.0
// The verifier of Azure's vTPMs against simulated VMs on simulated SNP and TDX machines, check by check.

import { fromHex, fromUtf8, toHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { type VerifiedEvidence, type VerifyEvidenceOptions, verifyEvidence } from "@adyton/evidence";
import { parseHclReport, parseRuntimeData } from "@adyton/evidence/azure";
import { NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import { describe, expect, it } from "vitest";
import { createAmdVendor } from "../amd/vendor.ts";
import { simulateBoot } from "../eventlog/log.ts";
import { createIntelVendor } from "../intel/vendor.ts";
import { type AzureEvidenceOptions, type AzureVm, createAzureVm } from "./vm.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const NONCE = fromUtf8("nonce");
const amd = await createAmdVendor({ at: AT, rsaBits: 2048 });
const intel = await createIntelVendor({ at: AT });
const intelPlatform = await intel.platform();
const snp = await createAzureVm({ amd: await amd.platform() });
const tdx = await createAzureVm({ intel: intelPlatform });
const OPTIONS = {
  snp: { now: AT, endorsements: amd.endorsements(), roots: [amd.ark.certificate] },
  tdx: {
    now: AT,
    endorsements: await intel.endorsements(intelPlatform, "tdx"),
    roots: [intel.root.certificate],
  },
};

interface Case {
  readonly vm?: AzureVm;
  readonly evidence?: AzureEvidenceOptions;
  readonly options?: Partial<VerifyEvidenceOptions>;
}

async function verify({ vm = snp, evidence, options }: Case = {}): Promise<VerifiedEvidence> {
  const bytes = await vm.evidence({ nonce: NONCE, ...evidence });
  return verifyEvidence(bytes, { ...(vm === tdx ? OPTIONS.tdx : OPTIONS.snp), ...options });
}

async function refusal(of: Case): Promise<readonly [string, string]> {
  try {
    await verify(of);
    return ["", ""];
  } catch (error) {
    if (error instanceof AdytonError) return [error.code, error.category];
    throw error;
  }
}

describe("what verifies", () => {
  it.each([0, 1, 2] as const)("version %s, on SNP and on TDX", async (version) => {
    for (const vm of [snp, tdx]) {
      const verified = await verify({ vm, evidence: { version }, options: { reportData: NONCE } });
      expect(verified.tee).toBe(vm === snp ? "az-snp-vtpm" : "az-tdx-vtpm");
      expect(verified.trust.simulated).toBe(true);
      expect(toHex(verified.reportData)).toBe(`${toHex(NONCE)}${"00".repeat(59)}`);
      expect(verified.claims).toMatchObject({
        evidence_version: version,
        report_data: toHex(NONCE),
        tpm: { init_data: verified.claims.init_data },
        vm_configuration: { "secure-boot": true },
      });
      expect(verified.claims[vm === snp ? "measurement" : "quote"]).toBeDefined();
      expect(verified.tcb.components).not.toEqual({});
    }
  });

  it.each(["SHA-256", "SHA-384", "SHA-512"] as const)("runtime data bound by %s", async (hash) => {
    expect((await verify({ evidence: { hash } })).claims.evidence_version).toBe(2);
  });

  it("with the vTPM's event log", async () => {
    const verified = await verify({ vm: tdx, options: { eventLog: tdx.log } });
    expect(verified.claims.boot).toMatchObject({ secure_boot: true, exit_boot_services: true });
    const other = (await simulateBoot({ commandLine: "init=/bin/sh" })).log;
    expect(await refusal({ vm: tdx, options: { eventLog: other } })).toEqual([
      "EVENT_LOG_MISMATCH",
      "not-authentic",
    ]);
  });

  it("a debug TD is reported, not refused", async () => {
    const td = { td: { tdAttributes: Uint8Array.of(1, 0, 0, 0x10, 0, 0, 0, 0) } };
    expect((await verify({ vm: tdx, evidence: { td } })).debug).toBe(true);
  });
});

describe("what must be refused", async () => {
  const BINDING = ["HCL_BINDING_MISMATCH", "not-authentic"];
  const HCL = ["INVALID_HCL_REPORT", "malformed"];
  const other = await createAzureVm({ amd: await amd.platform() });
  const edited =
    (offset: number, ...bytes: number[]): NonNullable<AzureEvidenceOptions["alter"]> =>
    (evidence) => {
      const hclReport = Uint8Array.from(evidence.hclReport);
      hclReport.set(bytes, offset);
      return { ...evidence, hclReport };
    };

  it.each<readonly [rule: string, of: Case, expected: readonly string[]]>([
    [
      "runtime data that the hardware does not bind",
      { evidence: { alterHcl: (report) => ({ ...report, runtimeData: fromUtf8("{}") }) } },
      BINDING,
    ],
    [
      "another hash than the one that binds",
      { evidence: { alterHcl: (report) => ({ ...report, hash: "SHA-384" }) } },
      BINDING,
    ],
    [
      "report data that binds something else",
      { evidence: { report: { reportData: new Uint8Array(64) } } },
      BINDING,
    ],
    ["a TD quote of another TD", { vm: tdx, evidence: { td: { reportData: new Uint8Array(64) } } }, BINDING],
    [
      "an HCL report of the other hardware",
      {
        evidence: {
          alterHcl: (report) => ({ ...report, kind: "tdx", hardwareReport: new Uint8Array(1024) }),
        },
      },
      BINDING,
    ],
    [
      "user data that is not the nonce",
      { evidence: { runtimeData: { "user-data": "00".repeat(64) } } },
      BINDING,
    ],
    ["no user data in version 2", { evidence: { runtimeData: { "user-data": undefined } } }, BINDING],
    [
      "an SNP report of VMPL 1",
      { evidence: { report: { vmpl: 1 } } },
      ["HCL_PRIVILEGE_LEVEL", "not-authentic"],
    ],
    [
      "a quote by another VM's key",
      { evidence: { quote: { key: other.device.ak.key } } },
      ["INVALID_TPM_QUOTE_SIGNATURE", "not-authentic"],
    ],
    [
      "PCRs of another time",
      { evidence: { quote: { attest: { pcrDigest: new Uint8Array(32) } } } },
      ["PCR_DIGEST_MISMATCH", "not-authentic"],
    ],
    ["no root named", { options: { roots: [] } }, ["ROOT_NOT_TRUSTED", "not-authentic"]],
    ["another nonce", { options: { reportData: fromUtf8("x") } }, ["REPORT_DATA_MISMATCH", "not-authentic"]],
    [
      "AMD's certificates missing",
      { options: { endorsements: NO_ENDORSEMENTS } },
      ["ISSUER_NOT_FOUND", "endorsements"],
    ],
    ["no key of the vTPM", { evidence: { runtimeData: { keys: [] } } }, HCL],
    [
      "two keys of the vTPM",
      { evidence: { runtimeData: { keys: [{ kid: "HCLAkPub" }, { kid: "HCLAkPub" }] } } },
      HCL,
    ],
    ["a key that is not RSA", { evidence: { runtimeData: { keys: [{ kid: "HCLAkPub", kty: "EC" }] } } }, HCL],
    [
      "a key with an even exponent",
      { evidence: { runtimeData: { keys: [{ kid: "HCLAkPub", kty: "RSA", n: "AQAB", e: "AQAA" }] } } },
      HCL,
    ],
    ["user data that is no hex", { evidence: { runtimeData: { "user-data": "zz" } } }, HCL],
    ["another signature", { evidence: { alter: edited(0, 0) } }, HCL],
    ["version 3", { evidence: { alter: edited(4, 3) } }, HCL],
    ["another size", { evidence: { alter: edited(8, 0) } }, HCL],
    ["another request", { evidence: { alter: edited(12, 1) } }, HCL],
    ["a failure", { evidence: { alter: edited(16, 1) } }, HCL],
    ["reserved bytes that are not zero", { evidence: { alter: edited(31, 1) } }, HCL],
    ["runtime data of version 2", { evidence: { alter: edited(1220, 2) } }, HCL],
    ["an unknown kind of hardware", { evidence: { alter: edited(1224, 9) } }, HCL],
    ["an unknown hash", { evidence: { alter: edited(1228, 9) } }, HCL],
    ["runtime data beyond the end", { evidence: { alter: edited(1232, 0xff, 0xff) } }, HCL],
    ["bytes after the runtime data", { evidence: { alter: edited(2599, 1) } }, HCL],
    ["bytes after a TDREPORT", { vm: tdx, evidence: { alter: edited(32 + 1024, 1) } }, HCL],
  ])("%s", async (_rule, of, expected) => {
    expect(await refusal(of)).toEqual(expected);
  });

  it("the runtime data of a simulated VM is what a real one has", async () => {
    const bytes = JSON.parse(new TextDecoder().decode(await snp.evidence({ nonce: NONCE, version: 0 })));
    const { runtimeData } = parseHclReport(Uint8Array.from(bytes.report));
    expect(toHex(parseRuntimeData(runtimeData).userData ?? new Uint8Array())).toBe(
      toHex(fromHex(`${toHex(NONCE)}${"00".repeat(59)}`)),
    );
  });
});
