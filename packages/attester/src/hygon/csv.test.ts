// SPDX-License-Identifier: Apache-2.0
import { verifyEvidence } from "@adyton/evidence";
import { CSV_REPORT_SIZE } from "@adyton/evidence/csv";
import { createHygonVendor, csvPage } from "@adyton/simulator";
import { codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callsTo, type FakeCsvOptions, fakeCsvGuest, filesWith } from "../../test/fake-drivers.ts";
import { errno } from "../../test/fake-tsm.ts";
import type { DeviceCalls } from "../lib/ioctl.ts";
import { csvAttester } from "./csv.ts";

const REPORT_DATA = new Uint8Array(64).fill(0x5a);
const DEVICE = { "/dev/csv-guest": new Uint8Array() };
const LOG = { "/sys/firmware/acpi/tables/data/CCEL": Uint8Array.of(1, 2, 3) };
const NOW = new Date("2026-03-01T12:00:00Z");
const vendor = createHygonVendor();
const platform = vendor.platform();
const honest: FakeCsvOptions["report"] = (request) => csvPage(platform.report(request));

function attesterOn(calls: DeviceCalls, files: Readonly<Record<string, Uint8Array>> = DEVICE) {
  const waits: number[] = [];
  const attester = csvAttester.create({
    calls,
    files: filesWith(files),
    wait: async (milliseconds) => void waits.push(milliseconds),
  });
  return { attester, waits };
}

describe("collecting", () => {
  it.each<[what: string, registers: bigint | string, version: 1 | 2]>([
    ["a guest with registers", 0n, 2],
    ["a kernel that does not know the question", "ENOTTY", 1],
    ["a guest without registers", "ENODEV", 1],
    ["a kernel that refuses the question", "EINVAL", 1],
    ["firmware that refuses the question", 0x12n, 1],
  ])("%s: gives a report that the verifier accepts", async (_what, registers, version) => {
    const { attester } = attesterOn(fakeCsvGuest({ report: honest, registers }));
    const { tee, evidence, eventLog } = await attester.collect(REPORT_DATA);
    expect([tee, evidence.length, eventLog]).toEqual(["csv", CSV_REPORT_SIZE[version], undefined]);
    const verified = await verifyEvidence(evidence, {
      now: NOW,
      endorsements: vendor.endorsements(platform.cek),
      anchors: vendor.anchors,
      reportData: REPORT_DATA,
    });
    expect(verified).toMatchObject({ tee: "csv", trust: { simulated: true } });
  });

  it("asks with a fresh nonce each time", async () => {
    const nonces: string[] = [];
    const report: FakeCsvOptions["report"] = (request) => {
      nonces.push(request.mnonce.join());
      return honest(request);
    };
    const { attester } = attesterOn(fakeCsvGuest({ report }));
    await attester.collect(REPORT_DATA);
    await attester.collect(REPORT_DATA);
    expect(new Set(nonces).size).toBe(2);
  });

  it("gives the event log with registers to check it against, and not without", async () => {
    for (const [registers, eventLog] of [
      [0n, LOG["/sys/firmware/acpi/tables/data/CCEL"]],
      ["ENOTTY", undefined],
    ] as const) {
      const { attester } = attesterOn(fakeCsvGuest({ report: honest, registers }), { ...DEVICE, ...LOG });
      expect((await attester.collect(REPORT_DATA)).eventLog).toEqual(eventLog);
    }
  });

  it("waits for a busy device", async () => {
    const { attester, waits } = attesterOn(fakeCsvGuest({ report: honest, failures: ["EBUSY", "EAGAIN"] }));
    await attester.collect(REPORT_DATA);
    expect(waits).toEqual([50, 100]);
  });

  const reporting = (report: FakeCsvOptions["report"]): DeviceCalls => fakeCsvGuest({ report });
  it.each<[what: string, calls: DeviceCalls, code: string, category: string]>([
    [
      "a device that fails",
      fakeCsvGuest({ report: honest, failures: ["EIO"] }),
      "DEVICE_FAILED",
      "unavailable",
    ],
    [
      "a device that may not be asked for registers",
      fakeCsvGuest({ report: honest, registers: "EACCES" }),
      "DEVICE_FAILED",
      "unavailable",
    ],
    ["a device that is not there", callsTo("/dev/other", () => []), "DEVICE_FAILED", "unavailable"],
    [
      "a device that stays busy",
      fakeCsvGuest({ report: honest, failures: Array<string>(6).fill("EBUSY") }),
      "DEVICE_BUSY",
      "unavailable",
    ],
    [
      "a driver that leaves the request as it is",
      callsTo("/dev/csv-guest", (request) => {
        if (request === 0xc0184402) throw errno("ENOTTY");
        return [];
      }),
      "INVALID_DEVICE_OUTPUT",
      "malformed",
    ],
    ["an empty page", reporting(() => new Uint8Array()), "INVALID_DEVICE_OUTPUT", "malformed"],
    [
      "a page with something behind the report",
      reporting((request) => csvPage(platform.report(request)).fill(1, 4000)),
      "INVALID_DEVICE_OUTPUT",
      "malformed",
    ],
    [
      "a report over other data",
      reporting((request) => csvPage(platform.report({ ...request, reportData: new Uint8Array(64) }))),
      "INVALID_DEVICE_OUTPUT",
      "malformed",
    ],
    [
      "a report with another nonce",
      reporting(({ reportData }) => csvPage(platform.report({ reportData }))),
      "INVALID_DEVICE_OUTPUT",
      "malformed",
    ],
  ])("refuses %s", async (_what, calls, code, category) => {
    const error = await attesterOn(calls)
      .attester.collect(REPORT_DATA)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "AttesterError", code, category });
  });

  it("answers any page with a typed error or a report over what was asked", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(CSV_REPORT_SIZE[1] - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const report: FakeCsvOptions["report"] = (request) =>
          Uint8Array.from(honest(request), (byte, i) => (i === at ? byte ^ mask : byte));
        const code = await codeOfAsync(() =>
          attesterOn(fakeCsvGuest({ report })).attester.collect(REPORT_DATA),
        );
        expect(["nothing", "INVALID_DEVICE_OUTPUT"]).toContain(code);
      }),
      { numRuns: 60 },
    );
  });

  it("refuses more than 64 bytes before it touches the device", async () => {
    const { attester } = attesterOn(
      callsTo("/dev/csv-guest", () => {
        throw new Error("the device was asked");
      }),
    );
    expect(await codeOfAsync(() => attester.collect(new Uint8Array(65)))).toBe("INVALID_REPORT_DATA");
  });
});

describe("probing", () => {
  const callable = callsTo("/dev/csv-guest", () => {
    throw new Error("the device was asked");
  });

  it.each([
    ["a guest", DEVICE, callable, true, /^$/, /^$/],
    ["no device", {}, callable, false, /\/dev\/csv-guest/, /Load csv-guest/],
    ["no library", DEVICE, { ...callable, ready: async () => false }, false, /koffi/, /npm install koffi/],
  ])("%s", async (_what, files, calls, available, missing, next) => {
    const probe = await csvAttester.create({ files: filesWith(files), calls }).probe();
    expect(probe.available).toBe(available);
    expect(probe.missing.join()).toMatch(missing);
    expect(probe.next ?? "").toMatch(next);
  });
});
