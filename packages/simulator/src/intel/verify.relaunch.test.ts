// SPDX-License-Identifier: Apache-2.0
// The advice to relaunch a TD: its module was out of date at launch, and the one that runs now is not. Each condition
// of Intel's algorithm is met and broken once.
import { describe, expect, it } from "vitest";
import { identity, isv, level } from "../../test/levels.ts";
import { createScene } from "../../test/scene.ts";
import { DEFAULT_COMPONENTS as OK, svnBytes } from "./defaults.ts";
import type { ModuleIdentityTemplate, TcbLevelTemplate } from "./documents.ts";

const scene = await createScene();
const { vendor } = scene;

describe("a TD that should be relaunched", () => {
  /** Launched under module 1.5 ISV SVN 4, which is out of date; ISV SVN 5 runs now. Everything else is current. */
  interface Relaunch {
    readonly svn?: readonly number[];
    readonly svn2?: readonly number[];
    readonly platform?: string;
    readonly extraLevels?: readonly TcbLevelTemplate[];
    readonly modules?: readonly ModuleIdentityTemplate[];
    readonly qe?: string;
    readonly td15?: boolean;
  }
  const MODULES = [
    identity("TDX_03", [isv(3, "UpToDate"), isv(2, "OutOfDate")]),
    identity("TDX_01", [isv(5, "UpToDate"), isv(3, "OutOfDate")]),
  ];
  async function relaunch(change: Relaunch = {}): Promise<string | null> {
    const { svn = [4, 1, 6], svn2 = [5, 1, 6], platform = "UpToDate", qe = "UpToDate", td15 = true } = change;
    const replace = {
      tcbInfo: await vendor.tcbInfo("tdx", {
        levels: [level(OK, platform, { tdx: [5, 0, 6] }), ...(change.extraLevels ?? [])],
        tdxModuleIdentities: change.modules ?? MODULES,
      }),
      qeIdentity: await vendor.identity("TD_QE", { levels: [isv(1, qe)] }),
    };
    const quote = {
      td: { teeTcbSvn: svnBytes(...svn) },
      ...(td15 ? { td15: { teeTcbSvn2: svnBytes(...svn2) } } : {}),
    };
    return scene.status("tdx", { replace, quote });
  }

  it.each([
    ["the platform is up to date", "UpToDate", "TdRelaunchAdvised"],
    ["the platform needs software hardening", "SWHardeningNeeded", "TdRelaunchAdvised"],
    ["the platform needs configuration", "ConfigurationNeeded", "TdRelaunchAdvisedConfigurationNeeded"],
    ["the platform needs both", "ConfigurationAndSWHardeningNeeded", "TdRelaunchAdvisedConfigurationNeeded"],
  ])("%s", async (_, platform, expected) => {
    expect(await relaunch({ platform })).toBe(expected);
  });

  it("is told so when the module has moved on to another version", async () => {
    expect(await relaunch({ svn2: [3, 3, 6] })).toBe("TdRelaunchAdvised");
  });

  it("is told so when the SGX level is in date and only the TDX level is behind", async () => {
    const extraLevels = [level(OK, "OutOfDate", { tdx: [4, 0, 5] })];
    expect(await relaunch({ svn: [4, 1, 5], extraLevels })).toBe("TdRelaunchAdvised");
    const configured = [level(OK, "OutOfDateConfigurationNeeded", { tdx: [4, 0, 5] })];
    expect(await relaunch({ svn: [4, 1, 5], extraLevels: configured })).toBe(
      "TdRelaunchAdvisedConfigurationNeeded",
    );
  });

  it("is told of configuration when only the SGX level needs it", async () => {
    const extraLevels = [level(OK, "OutOfDate", { tdx: [4, 0, 5] })];
    expect(await relaunch({ svn: [4, 1, 5], platform: "ConfigurationNeeded", extraLevels })).toBe(
      "TdRelaunchAdvisedConfigurationNeeded",
    );
  });

  it("is judged by the latest level's TDX bytes where the module that runs now has version 0", async () => {
    expect(await relaunch({ svn2: [5, 0, 6] })).toBe("TdRelaunchAdvised");
    expect(await relaunch({ svn2: [4, 0, 6] })).toBe("OutOfDate");
  });

  it.each<[string, Relaunch, string]>([
    ["the body is TD 1.0 and cannot tell", { td15: false }, "OutOfDate"],
    ["the quoting enclave is out of date", { qe: "OutOfDate" }, "OutOfDate"],
    ["the quoting enclave is revoked", { qe: "Revoked" }, "TCB_REVOKED"],
    ["the platform is out of date by its SGX components", { platform: "OutOfDate" }, "OutOfDate"],
    [
      "the platform is out of date and misconfigured",
      { platform: "OutOfDateConfigurationNeeded" },
      "OutOfDateConfigurationNeeded",
    ],
    [
      "the TDX level has an unknown status",
      { svn: [4, 1, 5], extraLevels: [level(OK, "Mystery", { tdx: [4, 0, 5] })] },
      "TCB_UNRECOGNIZED_STATUS",
    ],
    ["platform and module are in date", { svn: [5, 1, 6] }, "UpToDate"],
    [
      "the module that launched it has no level of its own to be behind: version 0",
      { svn: [4, 0, 6], extraLevels: [level(OK, "OutOfDate", { tdx: [4, 0, 6] })] },
      "OutOfDate",
    ],
    [
      "the module is in date and only the TDX level is behind",
      { svn: [5, 1, 5], extraLevels: [level(OK, "OutOfDate", { tdx: [4, 0, 5] })] },
      "OutOfDate",
    ],
    ["the module that runs now is not the latest", { svn2: [4, 1, 6] }, "OutOfDate"],
    ["the SEAM loader that runs now is not the latest", { svn2: [5, 1, 5] }, "OutOfDate"],
    ["the module that runs now, of another version, is not the latest", { svn2: [2, 3, 6] }, "OutOfDate"],
    [
      "the module that launched it is revoked",
      { modules: [identity("TDX_01", [isv(3, "Revoked")])] },
      "TCB_REVOKED",
    ],
    ["the module that runs now has no identity", { svn2: [9, 7, 9] }, "TDX_MODULE_MISMATCH"],
  ])("not when %s", async (_, change, expected) => {
    expect(await relaunch(change)).toBe(expected);
  });

  it("an unknown module that runs now does not matter to a TD that needs no relaunch", async () => {
    expect(await relaunch({ svn: [5, 1, 6], svn2: [9, 7, 9] })).toBe("UpToDate");
  });
});
