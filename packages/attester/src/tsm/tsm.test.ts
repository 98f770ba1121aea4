// SPDX-License-Identifier: Apache-2.0
import { concat } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { verifyEvidence } from "@adyton/evidence";
import { encodeCertificateTable } from "@adyton/evidence/snp";
import { createAmdVendor, createIntelVendor } from "@adyton/simulator";
import { codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import {
  createFakeTsm,
  errno,
  type FakeTsm,
  type FakeTsmOptions,
  hexOf,
  REPORTS,
  shapedReport,
} from "../../test/fake-tsm.ts";
import { snpAttester } from "./snp.ts";
import { tdxAttester } from "./tdx.ts";

const REPORT_DATA = new Uint8Array(64).fill(0x5a);
const OTHER_DATA = new Uint8Array(64).fill(0xa5);
const snpReport = (inblob: Uint8Array) => ({ outblob: shapedReport(1184, 0x50, inblob) });
const tdxQuote = (inblob: Uint8Array) => ({ outblob: shapedReport(4000, 568, inblob) });
const SNP: FakeTsmOptions = { provider: "sev_guest", privlevelFloor: 0, report: snpReport };
const TDX: FakeTsmOptions = { provider: "tdx_guest", report: tdxQuote };

function snpOn(options: FakeTsmOptions): {
  kernel: FakeTsm;
  waits: number[];
  attester: ReturnType<typeof snpAttester.create>;
} {
  const kernel = createFakeTsm(options);
  const waits: number[] = [];
  const attester = snpAttester.create({
    files: kernel,
    wait: async (milliseconds) => {
      waits.push(milliseconds);
    },
  });
  return { kernel, waits, attester };
}

const instanceOf = (path: string): string => path.slice(0, path.lastIndexOf("/"));

describe("the fake behaves as the kernel documents", () => {
  const instance = `${REPORTS}/x`;
  const failure = (act: () => Promise<unknown>): Promise<unknown> =>
    act().then(
      () => "nothing",
      (error: { code?: string }) => error.code,
    );

  it("makes attributes with an instance and removes them with it", async () => {
    const kernel = createFakeTsm(SNP);
    expect(await kernel.exists(`${instance}/inblob`)).toBe(false);
    await kernel.mkdir(instance);
    expect(await kernel.exists(`${instance}/inblob`)).toBe(true);
    expect(await kernel.exists(`${instance}/privlevel`)).toBe(true);
    expect(await failure(() => kernel.mkdir(instance))).toBe("EEXIST");
    await kernel.rmdir(instance);
    expect(await kernel.exists(`${instance}/inblob`)).toBe(false);
  });

  it("has no report before inblob was written, and a new one after each write", async () => {
    const kernel = createFakeTsm(SNP);
    await kernel.mkdir(instance);
    expect(await failure(() => kernel.readFile(`${instance}/outblob`))).toBe("EINVAL");
    for (const data of [REPORT_DATA, OTHER_DATA]) {
      await kernel.writeFile(`${instance}/inblob`, data);
      expect(hexOf((await kernel.readFile(`${instance}/outblob`)).subarray(0x50, 0x90))).toBe(hexOf(data));
    }
    expect(new TextDecoder().decode(await kernel.readFile(`${instance}/generation`))).toBe("2\n");
  });

  it("refuses what the kernel refuses", async () => {
    const kernel = createFakeTsm({ ...SNP, privlevelFloor: 1 });
    await kernel.mkdir(instance);
    const one = Uint8Array.of(0x30);
    expect(await failure(() => kernel.writeFile(`${instance}/inblob`, new Uint8Array(65)))).toBe("EFBIG");
    expect(await failure(() => kernel.writeFile(`${instance}/outblob`, one))).toBe("EACCES");
    expect(await failure(() => kernel.writeFile(`${instance}/privlevel`, one))).toBe("EINVAL");
    expect(await failure(() => kernel.readFile(`${instance}/inblob`))).toBe("EACCES");
    await kernel.writeFile(`${instance}/inblob`, one);
    expect(await failure(() => kernel.readFile(`${instance}/outblob`))).toBe("EINVAL");
    expect(await failure(() => createFakeTsm({}).mkdir(instance))).toBe("ENXIO");
  });
});

describe("SEV-SNP", () => {
  it("gives the report over the padded report data, and leaves nothing behind", async () => {
    const { kernel, attester } = snpOn(SNP);
    const { tee, evidence } = await attester.collect(Uint8Array.of(1, 2, 3));
    expect(tee).toBe("snp");
    expect(evidence).toHaveLength(1184);
    expect(hexOf(evidence.subarray(0x50, 0x90))).toBe(`010203${"00".repeat(61)}`);
    expect(kernel.instances.size).toBe(0);
  });

  it("puts the certificate table behind the report", async () => {
    const auxblob = new Uint8Array(48).fill(3);
    const { attester } = snpOn({ ...SNP, report: (inblob) => ({ ...snpReport(inblob), auxblob }) });
    const { evidence } = await attester.collect(REPORT_DATA);
    expect(evidence).toEqual(concat(snpReport(REPORT_DATA).outblob, auxblob));
  });

  it("asks at the lowest privilege level that the guest may ask for", async () => {
    const levels: number[] = [];
    const report = (inblob: Uint8Array, level: number) => {
      levels.push(level);
      return snpReport(inblob);
    };
    for (const privlevelFloor of [0, 2]) {
      await snpOn({ ...SNP, report, privlevelFloor }).attester.collect(REPORT_DATA);
    }
    expect(levels).toEqual([0, 2]);
  });

  it("waits for a busy device", async () => {
    const busy = ["EBUSY", "EAGAIN", "EINTR"];
    const { attester, waits } = snpOn({
      ...SNP,
      report: (inblob) => {
        const code = busy.shift();
        if (code !== undefined) throw errno(code);
        return snpReport(inblob);
      },
    });
    await attester.collect(REPORT_DATA);
    expect(waits).toEqual([50, 100, 200]);
  });

  it("tries again when somebody else wrote to its instance", async () => {
    let conflicts = 0;
    const { attester } = snpOn({
      ...SNP,
      beforeRead: (kernel, path) => {
        if (path.endsWith("/outblob") && conflicts < 2) {
          conflicts++;
          kernel.write(instanceOf(path), "inblob", OTHER_DATA);
        }
      },
    });
    const { evidence } = await attester.collect(REPORT_DATA);
    expect(conflicts).toBe(2);
    expect(hexOf(evidence.subarray(0x50, 0x90))).toBe(hexOf(REPORT_DATA));
  });

  it("notices a write that leaves the report data alone", async () => {
    let conflicts = 0;
    const { attester } = snpOn({
      ...SNP,
      beforeRead: (kernel, path) => {
        if (path.endsWith("/auxblob") && conflicts++ === 0)
          kernel.write(instanceOf(path), "inblob", REPORT_DATA);
      },
    });
    await attester.collect(REPORT_DATA);
    expect(conflicts).toBe(2);
  });

  it.each<[what: string, options: FakeTsmOptions, code: string, category: string]>([
    [
      "an instance that is written to all the time",
      {
        ...SNP,
        beforeRead: (kernel, path) => {
          if (path.endsWith("/outblob")) kernel.write(instanceOf(path), "inblob", OTHER_DATA);
        },
      },
      "REPORT_CONFLICT",
      "unavailable",
    ],
    [
      "a report over other data",
      { ...SNP, report: () => snpReport(OTHER_DATA) },
      "REPORT_CONFLICT",
      "unavailable",
    ],
    [
      "a device that stays busy",
      {
        ...SNP,
        report: () => {
          throw errno("EBUSY");
        },
      },
      "DEVICE_BUSY",
      "unavailable",
    ],
    [
      "a device that fails",
      {
        ...SNP,
        report: () => {
          throw errno("EIO");
        },
      },
      "DEVICE_FAILED",
      "unavailable",
    ],
    ["another provider", { ...TDX }, "UNEXPECTED_PROVIDER", "unavailable"],
    ["no driver", {}, "DEVICE_FAILED", "unavailable"],
    ["no configfs", { ...SNP, mounted: false }, "DEVICE_FAILED", "unavailable"],
    ["no permission", { ...SNP, forbidden: true }, "DEVICE_FAILED", "unavailable"],
    [
      "a report that is cut",
      { ...SNP, report: () => ({ outblob: new Uint8Array(1183) }) },
      "INVALID_DEVICE_OUTPUT",
      "malformed",
    ],
    [
      "a report without end",
      { ...SNP, report: () => ({ outblob: new Uint8Array(1024 * 1024 + 1) }) },
      "INVALID_DEVICE_OUTPUT",
      "malformed",
    ],
  ])("refuses %s", async (_what, options, code, category) => {
    const { attester, kernel } = snpOn(options);
    const error = await attester.collect(REPORT_DATA).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AdytonError);
    expect(error).toMatchObject({ code, category });
    expect(kernel.instances.size).toBe(0);
  });

  it.each<[what: string, fail: (path: string) => boolean, operation: "readFile" | "writeFile"]>([
    ["an attribute that cannot be read", (path) => path.endsWith("/generation"), "readFile"],
    ["an attribute that cannot be written", (path) => path.endsWith("/inblob"), "writeFile"],
  ])("refuses %s", async (_what, fail, operation) => {
    const kernel = createFakeTsm(SNP);
    const attester = snpAttester.create({
      files: {
        ...kernel,
        [operation]: (path: string, bytes: Uint8Array) =>
          fail(path) ? Promise.reject(errno("EIO")) : kernel[operation](path, bytes),
      },
    });
    await expect(attester.collect(REPORT_DATA)).rejects.toMatchObject({
      code: "DEVICE_FAILED",
      detail: { errno: "EIO" },
      hint: expect.stringContaining("kernel log"),
    });
    expect(kernel.instances.size).toBe(0);
  });

  it("refuses a generation that is no number", async () => {
    const kernel = createFakeTsm(SNP);
    const files = {
      ...kernel,
      readFile: (path: string) =>
        path.endsWith("/generation")
          ? Promise.resolve(new TextEncoder().encode("many\n"))
          : kernel.readFile(path),
    };
    const attester = snpAttester.create({ files });
    expect(await codeOfAsync(() => attester.collect(REPORT_DATA))).toBe("INVALID_DEVICE_OUTPUT");
  });

  it("says when its instance cannot be removed", async () => {
    const kernel = createFakeTsm(SNP);
    const attester = snpAttester.create({
      files: { ...kernel, rmdir: () => Promise.reject(errno("EBUSY")) },
    });
    expect(await codeOfAsync(() => attester.collect(REPORT_DATA))).toBe("DEVICE_FAILED");
  });

  it("refuses more than 64 bytes before it touches the device", async () => {
    const { attester } = snpOn({});
    expect(await codeOfAsync(() => attester.collect(new Uint8Array(65)))).toBe("INVALID_REPORT_DATA");
  });

  it("looks below another root", async () => {
    const kernel = createFakeTsm(SNP);
    const below = <T>(use: (path: string) => Promise<T>) => {
      return (path: string): Promise<T> =>
        path.startsWith("/mnt/") ? use(path.slice(4)) : Promise.reject(errno("ENOENT"));
    };
    const attester = snpAttester.create({
      root: "/mnt",
      files: {
        exists: below(kernel.exists),
        mkdir: below(kernel.mkdir),
        rmdir: below(kernel.rmdir),
        readFile: below(kernel.readFile),
        writeFile: (path, bytes) => below((inner) => kernel.writeFile(inner, bytes))(path),
      },
    });
    await expect(attester.collect(REPORT_DATA)).resolves.toHaveProperty("tee", "snp");
  });

  it("gives an extended report that the verifier accepts", async () => {
    const vendor = await createAmdVendor({ rsaBits: 2048 });
    const platform = await vendor.platform();
    const outblob = await platform.report({ reportData: REPORT_DATA });
    const auxblob = encodeCertificateTable([
      { kind: "VCEK", data: platform.vcek.certificate.der },
      { kind: "ASK", data: vendor.ask.certificate.der },
      { kind: "ARK", data: vendor.ark.certificate.der },
    ]);
    const { attester } = snpOn({ ...SNP, report: () => ({ outblob, auxblob }) });
    const { evidence } = await attester.collect(REPORT_DATA);
    const roots = [vendor.ark.certificate];
    const verified = await verifyEvidence(evidence, { now: new Date(), roots, reportData: REPORT_DATA });
    expect(verified.tee).toBe("snp");
    expect(await codeOfAsync(() => attester.collect(OTHER_DATA))).toBe("REPORT_CONFLICT");
  });
});

describe("TDX", () => {
  it("gives the quote and the event log", async () => {
    const eventLog = Uint8Array.of(1, 2, 3);
    const others = { "/sys/firmware/acpi/tables/data/CCEL": eventLog };
    const attester = tdxAttester.create({ files: createFakeTsm({ ...TDX, others }) });
    expect(await attester.collect(REPORT_DATA)).toEqual({
      tee: "tdx",
      evidence: tdxQuote(REPORT_DATA).outblob,
      eventLog,
    });
  });

  it("gives no event log where firmware left none", async () => {
    const envelope = await tdxAttester.create({ files: createFakeTsm(TDX) }).collect(REPORT_DATA);
    expect(envelope).not.toHaveProperty("eventLog");
  });

  it("says when the event log may not be read", async () => {
    const kernel = createFakeTsm(TDX);
    const attester = tdxAttester.create({
      files: {
        ...kernel,
        exists: async (path) => path.endsWith("/CCEL") || kernel.exists(path),
        readFile: (path) =>
          path.endsWith("/CCEL") ? Promise.reject(errno("EACCES")) : kernel.readFile(path),
      },
    });
    expect(await codeOfAsync(() => attester.collect(REPORT_DATA))).toBe("DEVICE_FAILED");
  });

  it.each<[version: 4 | 5]>([[4], [5]])("finds the report data in a quote of version %i", async (version) => {
    const vendor = await createIntelVendor();
    const platform = await vendor.platform();
    const quote = await platform.quote({ tee: "tdx", version, reportData: REPORT_DATA });
    const attester = tdxAttester.create({
      files: createFakeTsm({ ...TDX, report: () => ({ outblob: quote }) }),
    });
    expect((await attester.collect(REPORT_DATA)).evidence).toEqual(quote);
    expect(await codeOfAsync(() => attester.collect(OTHER_DATA))).toBe("REPORT_CONFLICT");
  });
});

describe("probing", () => {
  const cases: [what: string, options: FakeTsmOptions, available: boolean, missing: RegExp, next: RegExp][] =
    [
      ["a guest", SNP, true, /^$/, /^$/],
      ["no configfs", { ...SNP, mounted: false }, false, /tsm\/report/, /mount configfs/],
      ["no permission", { ...SNP, forbidden: true }, false, /permission/, /root/],
      ["no driver", {}, false, /provider sev_guest/, /Load sev-guest/],
      ["another TEE", TDX, false, /provider sev_guest/, /that provider/],
    ];

  it.each(cases)("%s", async (_what, options, available, missing, next) => {
    const { attester, kernel } = snpOn(options);
    const probe = await attester.probe();
    expect(probe.available).toBe(available);
    expect(probe.missing.join()).toMatch(missing);
    expect(probe.next ?? "").toMatch(next);
    expect(kernel.instances.size).toBe(0);
  });

  it("asks for no report", async () => {
    const { attester } = snpOn({
      ...SNP,
      report: () => {
        throw new Error("a report was made");
      },
    });
    expect(await attester.probe()).toMatchObject({ available: true });
  });
});
