// SPDX-License-Identifier: Apache-2.0
// Intel's judgement of TCB levels through the whole verifier: sorting, matching, the TDX module,
// convergence with the quoting enclave.
import { describe, expect, it } from "vitest";
import { identity, isv, level, ZERO_SIGNER } from "../../test/levels.ts";
import { AT, after, createScene, expectRefusal, type Scene } from "../../test/scene.ts";
import { DEFAULT_COMPONENTS, DEFAULT_PCE_SVN, svnBytes } from "./defaults.ts";
import type { IsvLevelTemplate, ModuleIdentityTemplate, TcbLevelTemplate } from "./documents.ts";

const scene = await createScene();
const { vendor } = scene;
const OK = DEFAULT_COMPONENTS;
const below = OK.map((svn, i) => (i === 7 ? svn - 1 : svn));
const above = OK.map((svn, i) => (i === 7 ? svn + 1 : svn));

const withLevels = async (tee: "sgx" | "tdx", levels: readonly TcbLevelTemplate[]) => ({
  tcbInfo: await vendor.tcbInfo(tee, { levels }),
});

describe("SGX levels", () => {
  it.each([
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
  ])("%s is a finding, with the matched level's date and advisories", async (status) => {
    const advisoryIds = ["INTEL-SA-91000"];
    const replace = await withLevels("sgx", [level(OK, status, { advisoryIds })]);
    const { tcb } = await scene.verify("sgx", { replace });
    expect(tcb).toMatchObject({ status, advisoryIds, components: { platform: { status, advisoryIds } } });
    expect(Date.parse(tcb.date ?? "")).toBe(after(-50).getTime());
  });

  it.each([
    ["Revoked", "TCB_REVOKED"],
    ["Sparkling", "TCB_UNRECOGNIZED_STATUS"],
    ["uptodate", "TCB_UNRECOGNIZED_STATUS"],
  ])("%s is a refusal", async (status, code) => {
    const replace = await withLevels("sgx", [level(OK, status)]);
    await expectRefusal(scene.verify("sgx", { replace }), code, "not-authentic");
  });

  it.each([
    ["every level asks for a higher component", [level(above, "UpToDate")]],
    ["every level asks for a higher PCESVN", [level(OK, "UpToDate", { pceSvn: DEFAULT_PCE_SVN + 1 })]],
    ["there are no levels", []],
  ])("not supported when %s", async (_, levels) => {
    const replace = await withLevels("sgx", levels);
    const refusal = scene.verify("sgx", { replace });
    await expectRefusal(refusal, "TCB_NOT_SUPPORTED", "not-authentic");
    await expect(refusal).rejects.toMatchObject({ detail: { tcb: { status: "NotSupported" } } });
  });

  it("are sorted before they are matched: the JSON's order says nothing", async () => {
    const levels = [
      level([0], "OutOfDateConfigurationNeeded"),
      level(below, "OutOfDate"),
      level(above, "ConfigurationNeeded"),
      level(OK, "SWHardeningNeeded", { pceSvn: DEFAULT_PCE_SVN - 1 }),
      level(OK, "UpToDate"),
    ];
    for (const order of [levels, levels.toReversed()]) {
      expect(await scene.status("sgx", { replace: await withLevels("sgx", order) })).toBe("UpToDate");
    }
  });

  it("fall through to a lower level, component by component and by PCESVN", async () => {
    const levels = [
      level(above, "UpToDate"),
      level(OK, "UpToDate", { pceSvn: DEFAULT_PCE_SVN + 1 }),
      level(below, "OutOfDate", { pceSvn: 3 }),
    ];
    expect(await scene.status("sgx", { replace: await withLevels("sgx", levels) })).toBe("OutOfDate");
  });

  it("are compared with the components, not with the CPUSVN", async () => {
    const odd = await vendor.platform({ extension: { cpuSvn: new Uint8Array(16) } });
    expect(await scene.status("sgx", { platform: odd })).toBe("UpToDate");
  });
});

describe("the quoting enclave's levels", () => {
  const kinds = { sgx: "QE", tdx: "TD_QE" } as const;
  const withQe = async (tee: "sgx" | "tdx", platform: string, levels: readonly IsvLevelTemplate[]) => ({
    ...(await withLevels(tee, [level(OK, platform, tee === "tdx" ? { tdx: [5, 0, 6] } : {})])),
    qeIdentity: await vendor.identity(kinds[tee], { levels }),
  });

  it.each([
    ["UpToDate", "OutOfDate"],
    ["SWHardeningNeeded", "OutOfDate"],
    ["ConfigurationNeeded", "OutOfDateConfigurationNeeded"],
    ["ConfigurationAndSWHardeningNeeded", "OutOfDateConfigurationNeeded"],
    ["OutOfDate", "OutOfDate"],
    ["OutOfDateConfigurationNeeded", "OutOfDateConfigurationNeeded"],
  ])("out of date, %s becomes %s", async (platform, expected) => {
    for (const tee of ["sgx", "tdx"] as const) {
      const replace = await withQe(tee, platform, [isv(1, "OutOfDate", { advisoryIds: ["INTEL-SA-92000"] })]);
      const { tcb } = await scene.verify(tee, { replace });
      expect(tcb.status).toBe(expected);
      expect(tcb.advisoryIds).toEqual([]);
      expect(tcb.components.platform?.status).toBe(platform);
      expect(tcb.components.qe).toMatchObject({ status: "OutOfDate", advisoryIds: ["INTEL-SA-92000"] });
      expect(Date.parse(tcb.components.qe?.date ?? "")).toBe(after(-70).getTime());
    }
  });

  it.each([
    ["revoked", [isv(1, "Revoked")], "TCB_REVOKED"],
    ["without a level", [], "TCB_NOT_SUPPORTED"],
    ["below every level", [isv(200, "UpToDate")], "TCB_NOT_SUPPORTED"],
    ["of an unknown status", [isv(1, "Splendid")], "TCB_UNRECOGNIZED_STATUS"],
    ["of a status that enclaves do not have", [isv(1, "SWHardeningNeeded")], "TCB_UNRECOGNIZED_STATUS"],
  ] as const)("%s: refused", async (_, levels, code) => {
    for (const tee of ["sgx", "tdx"] as const) {
      const replace = await withQe(tee, "UpToDate", levels);
      await expectRefusal(scene.verify(tee, { replace }), code, "not-authentic");
    }
  });

  it("the first one that fits decides, even where a later one is better", async () => {
    const levels = [isv(200, "UpToDate"), isv(3, "OutOfDate"), isv(2, "UpToDate")];
    expect(await scene.status("sgx", { replace: await withQe("sgx", "UpToDate", levels) })).toBe("OutOfDate");
  });

  it("an enclave as old as its report says", async () => {
    expect(await scene.status("tdx", { quote: { qeReport: { isvSvn: 5 } } })).toBe("OutOfDate");
    expect(await scene.status("tdx", { quote: { qeReport: { isvSvn: 0 } } })).toBe("TCB_NOT_SUPPORTED");
  });
});

describe("TDX levels", () => {
  const td = (...svns: readonly number[]) => ({ td: { teeTcbSvn: svnBytes(...svns) } });

  it("compare the SGX components and PCESVN again at each level", async () => {
    const levels = [
      level(above, "UpToDate", { tdx: [5, 0, 6] }),
      level(OK, "ConfigurationNeeded", { tdx: [5, 0, 6], pceSvn: DEFAULT_PCE_SVN + 1 }),
      level(below, "SWHardeningNeeded", { tdx: [5, 0, 6] }),
    ];
    expect(await scene.status("tdx", { replace: await withLevels("tdx", levels) })).toBe("SWHardeningNeeded");
  });

  it("may match lower than the SGX components alone: the TDX level's status counts", async () => {
    const levels = [
      level(OK, "UpToDate", { tdx: [5, 0, 7] }),
      level(OK, "OutOfDate", { tdx: [5, 0, 6], advisoryIds: ["INTEL-SA-93000"] }),
    ];
    const { tcb } = await scene.verify("tdx", { replace: await withLevels("tdx", levels) });
    expect(tcb).toMatchObject({ status: "OutOfDate", advisoryIds: ["INTEL-SA-93000"] });
    expect(tcb.components.sgx?.status).toBe("UpToDate");
  });

  it("a revoked SGX match above the TDX match is a warning", async () => {
    const levels = [level(OK, "Revoked", { tdx: [5, 0, 7] }), level(OK, "UpToDate", { tdx: [5, 0, 6] })];
    const verified = await scene.verify("tdx", { replace: await withLevels("tdx", levels) });
    expect(verified.tcb.status).toBe("UpToDate");
    expect(verified.warnings.length).toBeGreaterThan(0);
  });

  it.each([
    ["bytes 0 and 1 are skipped with module version 1", [5, 1, 6], [9, 9, 6], "UpToDate"],
    ["bytes 0 and 1 are skipped with module version 3", [3, 3, 6], [9, 9, 6], "UpToDate"],
    ["byte 0 counts with module version 0", [5, 0, 6], [6, 0, 6], "TCB_NOT_SUPPORTED"],
    ["byte 1 counts with module version 0", [5, 0, 6], [5, 1, 6], "TCB_NOT_SUPPORTED"],
    ["byte 2 always counts: version 1", [5, 1, 5], [0, 0, 6], "TCB_NOT_SUPPORTED"],
    ["byte 2 always counts: version 0", [5, 0, 5], [0, 0, 6], "TCB_NOT_SUPPORTED"],
    ["byte 15 counts too", [5, 1, 6], [0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "TCB_NOT_SUPPORTED"],
  ])("%s", async (_, svn, tdx, expected) => {
    const replace = await withLevels("tdx", [level(OK, "UpToDate", { tdx })]);
    expect(await scene.status("tdx", { replace, quote: td(...svn) })).toBe(expected);
  });

  it("are sorted by TDX components last", async () => {
    const levels = [
      level(OK, "OutOfDate", { tdx: [0, 0, 4] }),
      level(OK, "SWHardeningNeeded", { tdx: [0, 0, 6] }),
      level(OK, "ConfigurationNeeded", { tdx: [0, 0, 5] }),
    ];
    const replace = await withLevels("tdx", levels);
    expect(await scene.status("tdx", { replace })).toBe("SWHardeningNeeded");
    expect(await scene.status("tdx", { replace, quote: td(5, 1, 5) })).toBe("ConfigurationNeeded");
    expect(await scene.status("tdx", { replace, quote: td(5, 1, 3) })).toBe("TCB_NOT_SUPPORTED");
  });
});

describe("the TDX module", () => {
  const withModules = async (tdxModuleIdentities: readonly ModuleIdentityTemplate[]) => ({
    tcbInfo: await vendor.tcbInfo("tdx", { tdxModuleIdentities }),
  });

  it.each([
    ["without an identity of its version", [identity("TDX_03", [isv(1, "UpToDate")])], "TDX_MODULE_MISMATCH"],
    ["whose identity has no levels", [identity("TDX_01", [])], "TCB_NOT_SUPPORTED"],
    ["below every level", [identity("TDX_01", [isv(6, "UpToDate")])], "TCB_NOT_SUPPORTED"],
    ["revoked", [identity("TDX_01", [isv(5, "Revoked")])], "TCB_REVOKED"],
    ["of an unknown status", [identity("TDX_01", [isv(5, "Fresh")])], "TCB_UNRECOGNIZED_STATUS"],
    [
      "signed by another key",
      [identity("TDX_01", [isv(5, "UpToDate")], { mrSigner: new Uint8Array(48).fill(1) })],
      "TDX_MODULE_MISMATCH",
    ],
    [
      "with attributes other than the identity's",
      [identity("TDX_01", [isv(5, "UpToDate")], { attributes: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) })],
      "TDX_MODULE_MISMATCH",
    ],
  ])("%s: refused", async (_, identities, code) => {
    await expectRefusal(
      scene.verify("tdx", { replace: await withModules(identities) }),
      code,
      "not-authentic",
    );
  });

  it("TCB info without any module identities", async () => {
    const tcbInfo = await vendor.tcbInfo("tdx", { edit: ({ tdxModuleIdentities: _, ...rest }) => rest });
    await expectRefusal(scene.verify("tdx", { replace: { tcbInfo } }), "TCB_INFO_MISMATCH", "not-authentic");
    const quote = { td: { teeTcbSvn: svnBytes(5, 0, 6) } };
    expect(await scene.status("tdx", { replace: { tcbInfo }, quote })).toBe("UpToDate");
  });

  it.each([
    ["MRSIGNERSEAM", { mrSignerSeam: new Uint8Array(48).fill(2) }],
    ["SEAM attributes", { seamAttributes: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1) }],
  ])("the TD's %s must be the module's, for every module version", async (_, fields) => {
    for (const teeTcbSvn of [svnBytes(5, 0, 6), svnBytes(5, 1, 6), svnBytes(3, 3, 6)]) {
      await expectRefusal(
        scene.verify("tdx", { quote: { td: { ...fields, teeTcbSvn } } }),
        "TDX_MODULE_MISMATCH",
        "not-authentic",
      );
    }
  });

  it("SEAM attributes must be zero even where the identity lists them", async () => {
    const attributes = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
    const replace = await withModules([identity("TDX_01", [isv(5, "UpToDate")], { attributes })]);
    const quote = { td: { seamAttributes: attributes } };
    await expectRefusal(scene.verify("tdx", { replace, quote }), "TDX_MODULE_MISMATCH", "not-authentic");
  });

  it("an identity of its version takes the place of tdxModule", async () => {
    const mrSigner = new Uint8Array(48).fill(3);
    const replace = {
      tcbInfo: await vendor.tcbInfo("tdx", {
        tdxModule: { ...ZERO_SIGNER, mrSigner },
        tdxModuleIdentities: [identity("tdx_01", [isv(5, "UpToDate")])],
      }),
    };
    expect(await scene.status("tdx", { replace })).toBe("UpToDate");
    const quote = { td: { teeTcbSvn: svnBytes(5, 0, 6) } };
    expect(await scene.status("tdx", { replace, quote })).toBe("TDX_MODULE_MISMATCH");
  });

  it.each([
    ["UpToDate", "UpToDate", "UpToDate"],
    ["UpToDate", "OutOfDate", "OutOfDate"],
    ["SWHardeningNeeded", "OutOfDate", "OutOfDate"],
    ["ConfigurationNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"],
    ["ConfigurationAndSWHardeningNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"],
    ["OutOfDate", "UpToDate", "OutOfDate"],
    ["OutOfDateConfigurationNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"],
  ])("platform %s with module %s is %s", async (platform, module, expected) => {
    const tcbInfo = await vendor.tcbInfo("tdx", {
      levels: [level(OK, platform, { tdx: [0, 0, 6] })],
      tdxModuleIdentities: [identity("TDX_01", [isv(5, module, { advisoryIds: ["INTEL-SA-94000"] })])],
    });
    const { tcb } = await scene.verify("tdx", { replace: { tcbInfo } });
    expect(tcb.status).toBe(expected);
    expect(tcb.components.platform?.status).toBe(platform);
    expect(tcb.components.module).toMatchObject({ status: module, advisoryIds: ["INTEL-SA-94000"] });
  });

  it("the first of its levels that fits decides", async () => {
    const levels = [isv(6, "UpToDate"), isv(4, "OutOfDate"), isv(3, "UpToDate")];
    expect(await scene.status("tdx", { replace: await withModules([identity("TDX_01", levels)]) })).toBe(
      "OutOfDate",
    );
  });
});

describe("the earliest expiry of everything used", () => {
  it.each<[string, (soon: Date, s: Scene) => Promise<object>]>([
    ["root CRL", async (nextUpdate, s) => ({ rootCrl: await s.vendor.rootCrl({ nextUpdate }) })],
    ["PCK CRL", async (nextUpdate, s) => ({ pckCrl: await s.vendor.pckCrl("platform", { nextUpdate }) })],
    ["TCB info", async (nextUpdate, s) => ({ tcbInfo: await s.vendor.tcbInfo("tdx", { nextUpdate }) })],
    ["identity", async (nextUpdate, s) => ({ qeIdentity: await s.vendor.identity("TD_QE", { nextUpdate }) })],
    [
      "TCB signer",
      async (notAfter, s) => ({
        tcbSigner: (await s.vendor.certifyTcbSigner({ key: s.vendor.tcbSigner.key, notAfter })).certificate,
      }),
    ],
  ])("%s", async (_, expiringAt) => {
    const soon = new Date(AT.getTime() + 60_000);
    const { endorsements } = await scene.verify("tdx", { replace: await expiringAt(soon, scene) });
    expect(Date.parse(endorsements.earliestExpiry ?? "")).toBe(soon.getTime());
    expect(endorsements.items.length).toBeGreaterThan(4);
  });
});
