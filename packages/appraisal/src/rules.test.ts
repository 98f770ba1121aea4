// SPDX-License-Identifier: Apache-2.0
// Minimum rules on plain facts, as the policies judge them.
import type { Tcb, TcbStatus } from "@adyton/evidence";
import { describe, expect, it } from "vitest";
import { minimumPolicy } from "./builtin.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./finding.ts";
import { type PolicyOutput, vectorOf } from "./policy.ts";
import { checkRules, type Rules } from "./rules.ts";
import { statusOf } from "./trust.ts";

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

function outputOf(facts: Facts, rules: Rules): PolicyOutput {
  return minimumPolicy(rules).evaluate({ facts, document: {}, referenceValues: {}, now: facts.at });
}

const judge = (facts: Facts, rules: Rules): readonly Finding[] => outputOf(facts, rules).findings;

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
    const output = outputOf(facts, rules);
    const { findings } = output;
    expect(refusals(findings)).toEqual(refusing);
    expect(statusOf(vectorOf(output)) === "affirming").toBe(refusing.length === 0);
    for (const { ok, next } of findings) expect(next === undefined).toBe(ok);
  });
});

describe("findings", () => {
  it("say where, what was found, what was expected and what to do", () => {
    const facts = intel({ status: "OutOfDate", advisoryIds: ["INTEL-SA-00837"] });
    const finding = judge(facts, { acceptedTcbStatuses: ["UpToDate"] }).find(({ ok }) => !ok);
    expect(finding).toMatchObject({
      rule: "acceptedTcbStatuses",
      message:
        'Not met: The status of the TCB is an accepted one. Found input.adyton.tcb.status = "OutOfDate", expected ["UpToDate"].',
      found: "OutOfDate",
      expected: ["UpToDate"],
      next: "Update the platform's firmware and microcode, or add the status to acceptedTcbStatuses.",
      file: "adyton/minimum-status.rego",
    });
  });

  it("are about the rules that were given, debug and root", () => {
    const told = (rules: Rules): string[] => judge(intel(), rules).map(({ rule }) => rule);
    expect(told({}).sort()).toEqual(["allowDebug", "allowSimulated"]);
    expect(told({ requireRevocation: true, minEvaluationNumber: 1 }).sort()).toEqual([
      "allowDebug",
      "allowSimulated",
      "minEvaluationNumber",
      "requireRevocation",
    ]);
  });

  it("say what is true when the rules look away", () => {
    const message = (rule: string, facts: Facts, rules: Rules): string | undefined =>
      judge(facts, rules).find((finding) => finding.rule === rule)?.message;
    expect(message("allowSimulated", intel(), {})).toMatch(/hardware vendor's root/);
    expect(message("allowSimulated", factsOf(INTEL, simulated), { allowSimulated: true })).toMatch(
      /simulated/,
    );
    expect(message("allowDebug", intel(), {})).toMatch(/^Debug is off/);
    expect(message("allowDebug", factsOf(INTEL, { debug: true }), { allowDebug: true })).toMatch(
      /^Debug is on/,
    );
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
