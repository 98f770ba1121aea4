// SPDX-License-Identifier: Apache-2.0
// Event logs beside quotes of simulated TDs: what a log adds, and that another log adds nothing.

import { AdytonError } from "@adyton/core/errors";
import { type VerifyEvidenceOptions, verifyEvidence } from "@adyton/evidence";
import { verifyEventLog } from "@adyton/evidence/eventlog";
import { verifyTdx } from "@adyton/evidence/tdx";
import { describe, expect, it } from "vitest";
import { createHygonVendor } from "../hygon/vendor.ts";
import { createIntelVendor } from "../intel/vendor.ts";
import { simulateBoot } from "./log.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const vendor = await createIntelVendor({ at: AT });
const platform = await vendor.platform();
const OPTIONS = {
  now: AT,
  endorsements: await vendor.endorsements(platform, "tdx"),
  roots: [vendor.root.certificate],
};
const boot = await simulateBoot({ registers: "rtmr", agentEvents: [["example.org", "start", "workload"]] });
const values = await boot.values("SHA-384");
const none = new Uint8Array(48);
const rtmrs = [1, 2, 3, 4].map((index) => values.get(index) ?? none);
const [r0 = none, r1 = none, r2 = none, r3 = none] = rtmrs;
const quote = await platform.quote({ tee: "tdx", td: { rtmrs: [r0, r1, r2, r3] } });

async function codeOf(options: Partial<VerifyEvidenceOptions>): Promise<string> {
  try {
    await verifyEvidence(quote, { ...OPTIONS, ...options });
    return "";
  } catch (error) {
    if (error instanceof AdytonError) return error.code;
    throw error;
  }
}

describe("a TD's event log", () => {
  it("becomes claims when it makes the quote's RTMRs", async () => {
    const verified = await verifyEvidence(quote, { ...OPTIONS, eventLog: boot.log });
    expect(verified.tee).toBe("tdx");
    expect(verified.claims.boot).toMatchObject({
      secure_boot: true,
      kernel_command_lines: ["/vmlinuz root=/dev/vda1 ro"],
      exit_boot_services: true,
    });
    expect(verified.claims.uefi_event_logs).toHaveLength(boot.events.length);
    expect(verified.explanation.at(-1)).toContain("SHA-384 rtmr_0, rtmr_1, rtmr_2, rtmr_3");
    expect(verified.claims.quote).toBeDefined();
  });

  it("is checked the same after verification for TDX alone", async () => {
    const whole = await verifyEvidence(quote, { ...OPTIONS, eventLog: boot.log });
    const parts = await verifyEventLog(await verifyTdx(quote, OPTIONS), boot.log);
    expect(parts.claims).toEqual(whole.claims);
  });

  it("that tells of another boot, a TPM's, or nothing is refused", async () => {
    const other = await simulateBoot({ registers: "rtmr", commandLine: "init=/bin/sh" });
    const pcrs = await simulateBoot({ registers: "pcr", hashes: ["SHA-384"] });
    const sha256 = await simulateBoot({ registers: "rtmr", hashes: ["SHA-256"] });
    expect(await codeOf({ eventLog: other.log })).toBe("EVENT_LOG_MISMATCH");
    expect(await codeOf({ eventLog: pcrs.log })).toBe("EVENT_LOG_MISMATCH");
    expect(await codeOf({ eventLog: sha256.log })).toBe("EVENT_LOG_UNBOUND");
    expect(await codeOf({ eventLog: boot.log.subarray(0, -1) })).toBe("INVALID_EVENT_LOG");
    expect(await codeOf({ eventLog: new Uint8Array() })).toBe("INVALID_EVENT_LOG");
    expect(await codeOf({ eventLog: boot.log, eventLogRegisters: [9] })).toBe("EVENT_LOG_UNBOUND");
    expect(await codeOf({ eventLog: other.log, eventLogRegisters: [1, 2] })).toBe("");
  });

  it("in SM3 becomes claims of a CSV guest", async () => {
    const hygon = createHygonVendor();
    const machine = hygon.platform();
    const started = await simulateBoot({ registers: "rtmr", hashes: ["SM3"] });
    const made = await started.values("SM3");
    const rtmrs = [0, 1, 2, 3, 4].map((index) => made.get(index) ?? new Uint8Array(32));
    const evidence = machine.report({ version: 2, rtmrs });
    const csv = { now: AT, endorsements: hygon.endorsements(machine.cek), anchors: hygon.anchors };
    const verified = await verifyEvidence(evidence, { ...csv, eventLog: started.log });
    expect(verified.tee).toBe("csv");
    expect(verified.claims.boot).toMatchObject({ secure_boot: true });
    await expect(verifyEvidence(evidence, { ...csv, eventLog: boot.log })).rejects.toMatchObject({
      code: "EVENT_LOG_UNBOUND",
    });
  });

  it("is nothing for evidence without such registers", async () => {
    const enclave = await platform.quote({ tee: "sgx" });
    const options = {
      ...OPTIONS,
      endorsements: await vendor.endorsements(platform, "sgx"),
      eventLog: boot.log,
    };
    await expect(verifyEvidence(enclave, options)).rejects.toMatchObject({ code: "EVENT_LOG_UNBOUND" });
  });
});
