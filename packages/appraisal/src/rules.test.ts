// SPDX-License-Identifier: Apache-2.0
import type { Tcb, TcbStatus, VerifiedEvidence } from "@adyton/evidence";
import { describe, expect, it } from "vitest";
import type { Facts } from "./facts.ts";
import type { Finding } from "./finding.ts";
import { applyRules, checkRules, judge, type Rules } from "./rules.ts";

const INTEL: Tcb = {
  status: "UpToDate",
  evaluationNumber: 18,
  date: "2025-05-14T00:00:00Z",
  advisoryIds: [],
  components: {
    platform: { status: "UpToDate", date: "2025-05-14T00:00:00Z", advisoryIds: [] },
    module: { status: "UpToDate", date: "2025-05-14T00:00:00Z" },
    qe: { status: "UpToDate", date: "2025-03-12T00:00:00Z" },
  },
};

const SVN = { bootloader: 4, tee: 0, snp: 24, microcode: 219 };
const AMD: Tcb = {
  status: null,
  evaluationNumber: null,
  date: null,
  advisoryIds: [],
  components: { reported: { svn: SVN }, current: { svn: SVN }, committed: { svn: SVN }, launch: { svn: {} } },
};

function factsOf(tcb: Tcb, change: Partial<Facts> = {}): Facts {
  return {
    tee: tcb.status === null ? "snp" : "tdx",
    at: new Date("2025-07-01T00:00:00Z"),
    trust: { root: "CN=Vendor Root", rootSha256: "ab".repeat(32), simulated: false },
    tcb,
    debug: false,
    reportData: new Uint8Array(64),
    initDataField: null,
    claims: {},
    endorsements: { earliestIssue: null, earliestExpiry: null, revocation: "checked", items: [] },
    ...change,
  };
}

const intel = (change: Partial<Tcb> = {}): Facts => factsOf({ ...INTEL, ...change });
const amd = (components: Tcb["components"]): Facts => factsOf({ ...AMD, components });
const unrevoked: Facts["endorsements"] = {
  earliestIssue: null,
  earliestExpiry: null,
  revocation: "unchecked",
  items: [],
};
const simulated = { trust: { root: "CN=Adyton Simulator", rootSha256: "cd".repeat(32), simulated: true } };

/** The rules that refused. */
function refusals(findings: readonly Finding[]): string[] {
  return findings.filter(({ ok }) => !ok).map(({ rule }) => rule);
}

describe("each rule", () => {
  const table: readonly (readonly [name: string, facts: Facts, rules: Rules, refusing: string[]])[] = [
    ["no rules: healthy Intel", intel(), {}, []],
    ["no rules: any status is only a finding of verification", intel({ status: "OutOfDate" }), {}, []],
    ["debug is refused by default", factsOf(INTEL, { debug: true }), {}, ["allowDebug"]],
    [
      "debug and a simulated root can be refused outright",
      factsOf(INTEL, { debug: true, ...simulated }),
      { allowDebug: false, allowSimulated: false },
      ["allowDebug", "allowSimulated"],
    ],
    ["debug can be allowed", factsOf(INTEL, { debug: true }), { allowDebug: true }, []],
    ["a simulated root is refused by default", factsOf(INTEL, simulated), {}, ["allowSimulated"]],
    ["a simulated root can be allowed", factsOf(INTEL, simulated), { allowSimulated: true }, []],
    ["revocation checked", intel(), { requireRevocation: true }, []],
    ["revocation unchecked is fine when not required", factsOf(INTEL, { endorsements: unrevoked }), {}, []],
    [
      "revocation required and unchecked",
      factsOf(INTEL, { endorsements: unrevoked }),
      { requireRevocation: true },
      ["requireRevocation"],
    ],
    ["status accepted", intel(), { acceptedTcbStatuses: ["UpToDate"] }, []],
    [
      "status accepted among several",
      intel({ status: "SWHardeningNeeded" }),
      { acceptedTcbStatuses: ["UpToDate", "SWHardeningNeeded"] },
      [],
    ],
    [
      "status not accepted",
      intel({ status: "SWHardeningNeeded" }),
      { acceptedTcbStatuses: ["UpToDate"] },
      ["acceptedTcbStatuses"],
    ],
    ["no status accepted", intel(), { acceptedTcbStatuses: [] }, ["acceptedTcbStatuses"]],
    ["every date late enough", intel(), { minTcbDate: "2025-03-12" }, []],
    ["one component too old", intel(), { minTcbDate: "2025-03-13T00:00:00Z" }, ["minTcbDate"]],
    ["the TCB's own date missing", intel({ date: null }), { minTcbDate: "2020-01-01" }, ["minTcbDate"]],
    [
      "a component's date missing",
      intel({ components: { ...INTEL.components, qe: { status: "UpToDate" } } }),
      { minTcbDate: "2020-01-01" },
      ["minTcbDate"],
    ],
    [
      "a component's date unreadable",
      intel({ components: { ...INTEL.components, qe: { status: "UpToDate", date: "soon" } } }),
      { minTcbDate: "2020-01-01" },
      ["minTcbDate"],
    ],
    ["evaluation number reached", intel(), { minEvaluationNumber: 18 }, []],
    ["evaluation number too low", intel(), { minEvaluationNumber: 19 }, ["minEvaluationNumber"]],
    [
      "evaluation number unknown",
      intel({ evaluationNumber: null }),
      { minEvaluationNumber: 0 },
      ["minEvaluationNumber"],
    ],
    ["no advisory open", intel(), { acceptedAdvisories: [] }, []],
    [
      "an advisory of the platform open",
      intel({ advisoryIds: ["INTEL-SA-00837"] }),
      { acceptedAdvisories: ["INTEL-SA-00614"] },
      ["acceptedAdvisories"],
    ],
    [
      "an advisory of a component open",
      intel({ components: { qe: { status: "OutOfDate", advisoryIds: ["INTEL-SA-00615"] } } }),
      { acceptedAdvisories: [] },
      ["acceptedAdvisories"],
    ],
    [
      "an accepted advisory open",
      intel({ advisoryIds: ["INTEL-SA-00837"] }),
      { acceptedAdvisories: ["INTEL-SA-00837"] },
      [],
    ],
    ["versions reached", amd(AMD.components), { minTcb: SVN }, []],
    ["a version too low", amd(AMD.components), { minTcb: { snp: 25 } }, ["minTcb"]],
    ["a version that the evidence does not have", amd(AMD.components), { minTcb: { fmc: 0 } }, ["minTcb"]],
    ["a version named like a method", amd(AMD.components), { minTcb: { valueOf: 0 } }, ["minTcb"]],
    [
      "current too low",
      amd({ ...AMD.components, current: { svn: { ...SVN, snp: 23 } } }),
      { minTcb: { snp: 24 } },
      ["minTcb"],
    ],
    [
      "committed too low",
      amd({ ...AMD.components, committed: { svn: { ...SVN, snp: 23 } } }),
      { minTcb: { snp: 24 } },
      ["minTcb"],
    ],
    ["launch does not count", amd({ ...AMD.components, launch: { svn: { snp: 1 } } }), { minTcb: SVN }, []],
    ["reported missing", amd({ current: { svn: SVN } }), { minTcb: { snp: 1 } }, ["minTcb"]],
    [
      "both kinds of rules: Intel meets Intel's",
      intel({ status: "OutOfDate" }),
      { acceptedTcbStatuses: ["UpToDate"], minTcb: { snp: 1 } },
      ["acceptedTcbStatuses"],
    ],
    [
      "both kinds of rules: AMD meets AMD's",
      amd(AMD.components),
      { acceptedTcbStatuses: ["UpToDate"], minTcb: { snp: 99 } },
      ["minTcb"],
    ],
    [
      "a status demanded where none is published",
      amd({}),
      { acceptedTcbStatuses: ["UpToDate"] },
      ["acceptedTcbStatuses"],
    ],
    ["a date demanded where none is published", amd({}), { minTcbDate: "2020-01-01" }, ["minTcbDate"]],
    [
      "an evaluation number where none is published",
      amd({}),
      { minEvaluationNumber: 1 },
      ["minEvaluationNumber"],
    ],
    ["advisories where none are published", amd({}), { acceptedAdvisories: [] }, ["acceptedAdvisories"]],
    ["only versions where a status is published", intel(), { minTcb: { snp: 1 } }, ["minTcb"]],
  ];

  it.each(table)("%s", (_name, facts, rules, refusing) => {
    const findings = judge(facts, checkRules(rules));
    expect(refusals(findings)).toEqual(refusing);
    for (const { ok, next } of findings) expect(next === undefined).toBe(ok);
  });
});

describe("findings", () => {
  it("say what was found, what was expected and what to do", () => {
    const facts = intel({ status: "OutOfDate", advisoryIds: ["INTEL-SA-00837"] });
    const finding = judge(facts, { acceptedTcbStatuses: ["UpToDate"] }).find(({ ok }) => !ok);
    expect(finding).toEqual({
      rule: "acceptedTcbStatuses",
      ok: false,
      message: "The TCB status is OutOfDate, accepted is UpToDate.",
      found: "OutOfDate",
      expected: ["UpToDate"],
      next: "Update the platform's firmware and microcode (INTEL-SA-00837), or add OutOfDate to acceptedTcbStatuses.",
    });
  });

  it("do not promise that nobody looks inside where nothing hides", () => {
    const messages = (facts: Facts): string =>
      judge(facts, {})
        .map(({ message }) => message)
        .join(" ");
    expect(messages(intel())).toContain("cannot look inside");
    expect(messages(factsOf(INTEL, { confidential: false }))).toContain("can look inside anyway");
    expect(messages(factsOf(INTEL, { confidential: false }))).not.toContain("cannot look inside");
    expect(refusals(judge(factsOf(INTEL, { confidential: false, debug: true }), {}))).toEqual(["allowDebug"]);
  });

  it("name the component that is too old", () => {
    const finding = judge(intel(), { minTcbDate: "2025-04-01" }).find(({ ok }) => !ok);
    expect(finding?.message).toContain("qe (2025-03-12T00:00:00Z)");
    expect(finding?.message).not.toContain("platform");
  });
});

describe("rules that make no sense", () => {
  it.each<[string, Rules]>([
    ["an unknown status", { acceptedTcbStatuses: ["Fine" as TcbStatus] }],
    ["Revoked", { acceptedTcbStatuses: ["Revoked"] }],
    ["NotSupported", { acceptedTcbStatuses: ["NotSupported"] }],
    ["a date that is none", { minTcbDate: "last year" }],
    ["a negative evaluation number", { minEvaluationNumber: -1 }],
    ["a broken evaluation number", { minEvaluationNumber: 1.5 }],
    ["an empty minTcb", { minTcb: {} }],
    ["a version that is no number", { minTcb: { snp: Number.NaN } }],
  ])("%s", (_name, rules) => {
    expect(() => checkRules(rules)).toThrow(
      expect.objectContaining({ code: "INVALID_RULES", category: "misuse" }),
    );
  });
});

it("applies to verified evidence only", () => {
  const forged = intel() as VerifiedEvidence;
  expect(() => applyRules(forged, {})).toThrow(expect.objectContaining({ code: "NOT_VERIFIED" }));
});
