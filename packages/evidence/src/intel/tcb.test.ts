// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IsvLevel, LevelStatus, ModuleIdentity, TcbLevel } from "./documents.ts";
import { converge, isvLevelOf, judgeTcb, moduleIdentityOf, sortedLevels, type TcbQuestion } from "./tcb.ts";

const DATE = "2025-01-01T00:00:00Z";

function sixteen(...svns: readonly number[]): number[] {
  return Array.from({ length: 16 }, (_, i) => svns[i] ?? 0);
}

function level(
  sgx: readonly number[],
  pceSvn: number,
  tdx?: readonly number[],
  status: LevelStatus = "UpToDate",
) {
  const base: TcbLevel = {
    status,
    date: DATE,
    advisoryIds: [],
    sgxComponents: sixteen(...sgx),
    pceSvn,
  };
  return tdx === undefined ? base : { ...base, tdxComponents: sixteen(...tdx) };
}

function isv(isvSvn: number, status: IsvLevel["status"] = "UpToDate"): IsvLevel {
  return { status, date: DATE, advisoryIds: [], isvSvn };
}

function module(id: string, ...levels: readonly IsvLevel[]): ModuleIdentity {
  const signer = {
    mrSigner: new Uint8Array(48),
    attributes: new Uint8Array(8),
    attributesMask: new Uint8Array(8),
  };
  return { id, ...signer, levels };
}

function svn(...bytes: readonly number[]): Uint8Array {
  return Uint8Array.from(sixteen(...bytes));
}

const QE = { isvSvn: 8, levels: [isv(8)] };

describe("the order of TCB levels", () => {
  const a = level([3, 2], 13, [5, 0, 3]);
  const b = level([3, 2], 13, [5, 0, 2]);
  const c = level([3, 2], 5, [9, 9, 9]);
  const d = level([3, 1], 99, [9, 9, 9]);
  const e = level([2, 255], 13, [5, 0, 3]);
  const expected = [a, b, c, d, e];

  it("is SGX components, then PCESVN, then TDX components, whatever the order of the document", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(expected, { minLength: 5, maxLength: 5 }), (levels) => {
        expect(sortedLevels({ id: "TDX", levels })).toEqual(expected);
      }),
    );
  });

  it("keeps the first of equal levels", () => {
    const first = level([1], 1, undefined, "OutOfDate");
    const second = level([1], 1, undefined, "UpToDate");
    expect(sortedLevels({ id: "SGX", levels: [first, second] })).toEqual([first]);
  });
});

describe("the level of an ISV SVN", () => {
  it.each([
    [9, 8],
    [8, 8],
    [7, 6],
    [5, 5],
    [4, undefined],
  ])("%i reaches %s", (isvSvn, reached) => {
    expect(isvLevelOf([isv(8), isv(6), isv(5)], isvSvn)?.isvSvn).toBe(reached);
  });

  it("is the first in Intel's order, never a later and better one", () => {
    expect(isvLevelOf([isv(5, "OutOfDate"), isv(8)], 8)?.status).toBe("OutOfDate");
  });
});

describe("module identities", () => {
  it.each([
    [1, "TDX_01"],
    [3, "TDX_03"],
    [193, "TDX_C1"],
    [193, "tdx_c1"],
  ])("version %i is %s", (version, id) => {
    expect(moduleIdentityOf([module("TDX_02"), module(id)], version)?.id).toBe(id);
  });

  it("are not made up", () => {
    expect(moduleIdentityOf([module("TDX_01")], 16)).toBe(undefined);
  });
});

describe("convergence", () => {
  const LEVELS = [
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "TdRelaunchAdvised",
    "TdRelaunchAdvisedConfigurationNeeded",
    "Revoked",
    "Unrecognized",
  ] as const;

  it.each(LEVELS)("%s stays beside a part that is up to date", (status) => {
    expect(converge(status, "UpToDate")).toBe(status);
  });

  it.each([
    ["UpToDate", "OutOfDate"],
    ["SWHardeningNeeded", "OutOfDate"],
    ["ConfigurationNeeded", "OutOfDateConfigurationNeeded"],
    ["ConfigurationAndSWHardeningNeeded", "OutOfDateConfigurationNeeded"],
    ["OutOfDate", "OutOfDate"],
    ["OutOfDateConfigurationNeeded", "OutOfDateConfigurationNeeded"],
    ["Revoked", "Revoked"],
    ["Unrecognized", "Unrecognized"],
  ] as const)("%s beside a part that is out of date is %s", (status, expected) => {
    expect(converge(status, "OutOfDate")).toBe(expected);
  });

  it.each(["Revoked", "NotSupported", "Unrecognized"] as const)("a part that is %s decides", (other) => {
    for (const status of LEVELS) expect(converge(status, other)).toBe(other);
  });
});

describe("SGX", () => {
  const levels = [
    level([3, 3], 13, undefined, "UpToDate"),
    level([3, 3], 11, undefined, "SWHardeningNeeded"),
    level([2, 2], 11, undefined, "ConfigurationNeeded"),
    level([1, 1], 5, undefined, "Revoked"),
  ];
  const judge = (components: readonly number[], pceSvn: number, qe: TcbQuestion["qe"] = QE) =>
    judgeTcb({ platform: { components: sixteen(...components), pceSvn }, levels, qe });

  it.each([
    [[3, 3], 13, "UpToDate"],
    [[255, 255], 65535, "UpToDate"],
    [[3, 3], 12, "SWHardeningNeeded"],
    [[3, 2], 13, "ConfigurationNeeded"],
    [[2, 255], 11, "ConfigurationNeeded"],
    [[2, 2], 10, "Revoked"],
    [[1, 0], 13, "NotSupported"],
    [[3, 3], 4, "NotSupported"],
  ] as const)("components %j with PCESVN %i: %s", (components, pceSvn, status) => {
    expect(judge(components, pceSvn).status).toBe(status);
  });

  it.each([
    ["OutOfDate", "OutOfDateConfigurationNeeded"],
    ["Revoked", "Revoked"],
    ["Unrecognized", "Unrecognized"],
  ] as const)("a quoting enclave that is %s makes ConfigurationNeeded %s", (qe, status) => {
    expect(judge([2, 2], 11, { isvSvn: 8, levels: [isv(8, qe)] }).status).toBe(status);
  });

  it("a quoting enclave below every level is not supported, and named", () => {
    const answer = judge([3, 3], 13, { isvSvn: 4, levels: [isv(8), isv(5)] });
    expect(answer.status).toBe("NotSupported");
    expect(answer.shortfalls).toEqual([{ component: "qe", found: 4, least: 5 }]);
  });

  it("a level with an unknown status is not passed over", () => {
    const unknown = [level([3], 1, undefined, "Unrecognized"), level([1], 1)];
    const question = { platform: { components: sixteen(3), pceSvn: 1 }, levels: unknown, qe: QE };
    expect(judgeTcb(question).status).toBe("Unrecognized");
  });

  it("no level at all is not supported", () => {
    const question = { platform: { components: sixteen(255), pceSvn: 9 }, levels: [], qe: QE };
    expect(judgeTcb(question)).toMatchObject({ status: "NotSupported", shortfalls: [] });
  });

  it("names the components that no level accepts", () => {
    expect(judge([3, 0], 4).shortfalls).toEqual([
      { component: "sgx[1]", found: 0, least: 1 },
      { component: "pceSvn", found: 4, least: 5 },
    ]);
  });
});

describe("TDX", () => {
  const levels = [
    level([3], 13, [6, 0, 3], "UpToDate"),
    level([2], 13, [5, 0, 2], "OutOfDate"),
    level([2], 5, [1, 0, 1], "OutOfDateConfigurationNeeded"),
  ];
  const identities = [
    module("TDX_01", isv(6), isv(4, "OutOfDate"), isv(3, "Revoked")),
    module("TDX_03", isv(3)),
  ];
  const judge = (
    teeTcbSvn: Uint8Array,
    components: readonly number[] = [3],
    pceSvn = 13,
    teeTcbSvn2?: Uint8Array,
  ) =>
    judgeTcb({
      platform: { components: sixteen(...components), pceSvn },
      levels,
      qe: QE,
      td: { teeTcbSvn, teeTcbSvn2, moduleIdentities: identities },
    });

  it.each([
    ["all reached", svn(6, 0, 3), [3], "UpToDate"],
    ["version 0: byte 0 is compared", svn(5, 0, 3), [3], "OutOfDate"],
    ["version 1: byte 0 is the module's own", svn(6, 1, 3), [3], "UpToDate"],
    ["version 1: the module is out of date", svn(5, 1, 3), [3], "OutOfDate"],
    ["version 1: the module is revoked", svn(3, 1, 3), [3], "Revoked"],
    ["version 1: below every module level", svn(2, 1, 3), [3], "NotSupported"],
    ["version 3: another identity judges", svn(3, 3, 3), [3], "UpToDate"],
    ["byte 2 is always compared", svn(6, 1, 2), [3], "OutOfDate"],
    ["no level is reached", svn(6, 1, 0), [3], "NotSupported"],
    ["SGX components hold a level back", svn(6, 1, 3), [2], "OutOfDate"],
    ["no level is reached by SGX components", svn(6, 1, 3), [1], "NotSupported"],
  ] as const)("%s", (_, teeTcbSvn, components, status) => {
    expect(judge(teeTcbSvn, components).status).toBe(status);
  });

  it("skips bytes 0 and 1 only with a module version above zero: all sixteen bytes would say OutOfDate", () => {
    // The level asks 6 in byte 0; the module has 4 there by its own count, and its identity calls that up to date.
    const question = {
      platform: { components: sixteen(3), pceSvn: 13 },
      levels,
      qe: QE,
      td: { teeTcbSvn: svn(4, 3, 3), teeTcbSvn2: undefined, moduleIdentities: identities },
    };
    expect(judgeTcb(question).status).toBe("UpToDate");
    expect(judgeTcb({ ...question, td: { ...question.td, teeTcbSvn: svn(4, 0, 3) } }).status).toBe(
      "OutOfDateConfigurationNeeded",
    );
  });

  it("checks SGX components again at every level tried", () => {
    const answer = judge(svn(6, 1, 2), [2], 5);
    expect(answer.platform?.status).toBe("OutOfDateConfigurationNeeded");
    expect(answer.sgx?.status).toBe("OutOfDateConfigurationNeeded");
  });

  it("tells the level that SGX components reach from the one that decides", () => {
    const answer = judge(svn(6, 1, 2));
    expect([answer.sgx?.status, answer.platform?.status]).toEqual(["UpToDate", "OutOfDate"]);
  });

  it("says which module identity is missing", () => {
    expect(judge(svn(1, 2, 3))).toMatchObject({ status: "NotSupported", missingModule: "TDX_02" });
  });
});

describe("a relaunch", () => {
  const RUNNING = svn(6, 1, 3);
  interface Case {
    readonly teeTcbSvn?: Uint8Array;
    readonly teeTcbSvn2?: Uint8Array | undefined;
    readonly sgxStatus?: LevelStatus;
    readonly platformStatus?: LevelStatus;
    readonly qe?: IsvLevel["status"];
    readonly identities?: readonly ModuleIdentity[];
  }
  const judge = ({
    teeTcbSvn = svn(5, 1, 3),
    teeTcbSvn2 = RUNNING,
    sgxStatus = "UpToDate",
    platformStatus = sgxStatus,
    qe = "UpToDate",
    identities = [module("TDX_01", isv(6), isv(4, "OutOfDate"))],
  }: Case) =>
    judgeTcb({
      platform: { components: sixteen(3), pceSvn: 13 },
      levels: [level([3], 13, [6, 0, 3], sgxStatus), level([3], 12, [1, 0, 1], platformStatus)],
      qe: { isvSvn: 8, levels: [isv(8, qe)] },
      td: { teeTcbSvn, teeTcbSvn2, moduleIdentities: identities },
    });

  it.each([
    ["only the module is old", {}, "TdRelaunchAdvised"],
    ["the platform needs hardening too", { sgxStatus: "SWHardeningNeeded" }, "TdRelaunchAdvised"],
    [
      "the platform needs configuration too",
      { sgxStatus: "ConfigurationNeeded" },
      "TdRelaunchAdvisedConfigurationNeeded",
    ],
    [
      "the platform needs configuration and hardening",
      { sgxStatus: "ConfigurationAndSWHardeningNeeded" },
      "TdRelaunchAdvisedConfigurationNeeded",
    ],
    [
      "the TD was launched under an older SEAM loader as well",
      { teeTcbSvn: svn(5, 1, 2), platformStatus: "OutOfDate" },
      "TdRelaunchAdvised",
    ],
    [
      "it was launched on a level that also needed configuration",
      { teeTcbSvn: svn(5, 1, 2), platformStatus: "OutOfDateConfigurationNeeded" },
      "TdRelaunchAdvisedConfigurationNeeded",
    ],
    [
      "the module that runs now has version 0 and the latest SVN",
      { teeTcbSvn2: svn(6, 0, 3) },
      "TdRelaunchAdvised",
    ],
  ] as const)("is advised when %s", (_, question, status) => {
    const answer = judge(question);
    expect(answer.status).toBe(status);
    expect(Object.values(answer.relaunch ?? {})).toEqual(Array.from({ length: 6 }, () => true));
  });

  it.each([
    ["the quoting enclave is out of date", { qe: "OutOfDate" }, "OutOfDate", 0],
    [
      "the platform is out of date by its SGX components",
      { sgxStatus: "OutOfDate", platformStatus: "OutOfDate" },
      "OutOfDate",
      1,
    ],
    ["nothing is out of date", { teeTcbSvn: svn(6, 1, 3) }, "UpToDate", 2],
    [
      "the module that launched it is not out of date",
      { teeTcbSvn: svn(6, 1, 2), platformStatus: "OutOfDate" },
      "OutOfDate",
      3,
    ],
    ["an old module still runs", { teeTcbSvn2: svn(5, 1, 3) }, "OutOfDate", 4],
    ["a module of version 0 with an old SVN runs", { teeTcbSvn2: svn(5, 0, 3) }, "OutOfDate", 4],
    ["an old SEAM loader still runs", { teeTcbSvn2: svn(6, 1, 2) }, "OutOfDate", 5],
  ] as const)("is not advised when %s", (_, question, status, failing) => {
    const answer = judge(question);
    expect(answer.status).toBe(status);
    expect(Object.values(answer.relaunch ?? {})[failing]).toBe(false);
  });

  it("is no question for TD 1.0", () => {
    const question = {
      platform: { components: sixteen(3), pceSvn: 13 },
      levels: [level([3], 13, [6, 0, 3])],
      qe: QE,
      td: {
        teeTcbSvn: svn(5, 1, 3),
        teeTcbSvn2: undefined,
        moduleIdentities: [module("TDX_01", isv(6), isv(4, "OutOfDate"))],
      },
    };
    expect(judgeTcb(question)).toMatchObject({ status: "OutOfDate", relaunch: undefined });
  });

  it("cannot be judged without the identity of the module that runs now", () => {
    expect(judge({ teeTcbSvn2: svn(6, 2, 3) }).missingModule).toBe("TDX_02");
  });

  it("does not ask for that identity when another condition fails already", () => {
    const answer = judge({ teeTcbSvn2: svn(6, 2, 3), qe: "OutOfDate" });
    expect(answer).toMatchObject({ missingModule: undefined, status: "OutOfDate" });
  });

  it.each(["Revoked", "Unrecognized"] as const)("does not save a quoting enclave that is %s", (qe) => {
    expect(judge({ qe }).status).toBe(qe);
  });

  it("does not save a revoked module", () => {
    const identities = [module("TDX_01", isv(6), isv(4, "Revoked"))];
    expect(judge({ identities }).status).toBe("Revoked");
  });
});
