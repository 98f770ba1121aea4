// SPDX-License-Identifier: Apache-2.0
// Intel's judgement of a TCB, as its quote verification library makes it (DCAP 1.23): which level a platform has
// reached, and how the levels of platform, TDX module and quoting enclave converge. Pure functions.

import type { TcbStatus } from "../verified.ts";
import type { IsvLevel, LevelStatus, ModuleIdentity, TcbInfo, TcbLevel } from "./documents.ts";

/** A converged status; `Unrecognized` when Intel used a word unknown here, which must not pass. */
export type Verdict = TcbStatus | "Unrecognized";

export interface TcbQuestion {
  /** Of the PCK certificate. */
  readonly platform: { readonly components: readonly number[]; readonly pceSvn: number };
  /** TCB levels through `sortedLevels`. */
  readonly levels: readonly TcbLevel[];
  /** The quoting enclave's ISV SVN, and the levels of its identity in Intel's order. */
  readonly qe: { readonly isvSvn: number; readonly levels: readonly IsvLevel[] };
  /** Of a TD's report; absent for SGX. */
  readonly td?: {
    readonly teeTcbSvn: Uint8Array;
    readonly teeTcbSvn2: Uint8Array | undefined;
    readonly moduleIdentities: readonly ModuleIdentity[];
  };
}

export interface TcbAnswer {
  readonly status: Verdict;
  /** The level that judges the platform: SGX components, PCESVN and, for TDX, TDX components. */
  readonly platform: TcbLevel | undefined;
  /** TDX: the first level that SGX components and PCESVN alone reach. */
  readonly sgx: TcbLevel | undefined;
  /** TDX with a module version above zero. */
  readonly module: IsvLevel | undefined;
  readonly qe: IsvLevel | undefined;
  /** TD 1.5: every condition of a relaunch recommendation, in order, and whether it holds. */
  readonly relaunch: Readonly<Record<string, boolean>> | undefined;
  /** A TDX module identity that had to be asked and is not in TCB info: no verdict stands without it. */
  readonly missingModule: string | undefined;
  /** Components that no level accepts, when none was reached. */
  readonly shortfalls: readonly Shortfall[];
}

/** A component below what every level asks. */
export interface Shortfall {
  /** "sgx[7]", "tdx[2]", "pceSvn", "module" or "qe". */
  readonly component: string;
  readonly found: number;
  /** The least that any level asks. */
  readonly least: number;
}

/** The status of something judged by its ISV SVN: a level's, none needed, or none reached. */
type OtherStatus = IsvLevel["status"] | "NotSupported";

/** Highest first: SGX components, then PCESVN, then TDX components. The JSON's order is not relied on. */
export function sortedLevels(info: Pick<TcbInfo, "id" | "levels">): TcbLevel[] {
  const sorted = [...info.levels].sort((a, b) => compareLevels(b, a));
  return sorted.filter((level, i) => {
    const previous = sorted[i - 1];
    return previous === undefined || compareLevels(previous, level) !== 0;
  });
}

/** The first level, in Intel's order, that an ISV SVN reaches. */
export function isvLevelOf(levels: readonly IsvLevel[], isvSvn: number): IsvLevel | undefined {
  return levels.find((level) => isvSvn >= level.isvSvn);
}

/** The id of the identity of a module version above zero: "TDX_" and two hex digits. */
export function moduleIdOf(version: number): string {
  return `TDX_${version.toString(16).padStart(2, "0").toUpperCase()}`;
}

/** The identity of a module version above zero. */
export function moduleIdentityOf(
  identities: readonly ModuleIdentity[],
  version: number,
): ModuleIdentity | undefined {
  const id = moduleIdOf(version);
  return identities.find((identity) => identity.id.toUpperCase() === id);
}

/** Judges. Nothing throws: a status that must not pass is in the answer. */
export function judgeTcb(question: TcbQuestion): TcbAnswer {
  const answer = question.td === undefined ? judgeSgx(question) : judgeTdx(question, question.td);
  return answer.status === "NotSupported" ? { ...answer, shortfalls: shortfallsOf(question) } : answer;
}

function judgeSgx(question: TcbQuestion): TcbAnswer {
  const platform = question.levels.find((level) => reachesSgx(question, level));
  const qe = isvLevelOf(question.qe.levels, question.qe.isvSvn);
  const status =
    platform === undefined ? "NotSupported" : converge(platform.status, qe?.status ?? "NotSupported");
  return { ...UNANSWERED, status, platform, qe };
}

function judgeTdx(question: TcbQuestion, td: NonNullable<TcbQuestion["td"]>): TcbAnswer {
  const { levels } = question;
  const sgx = levels.find((level) => reachesSgx(question, level));
  const platform = levels.find((level) => reachesSgx(question, level) && reachesTdx(td.teeTcbSvn, level));
  const qe = isvLevelOf(question.qe.levels, question.qe.isvSvn);
  const qeStatus: OtherStatus = qe?.status ?? "NotSupported";
  const [svn = 0, version = 0] = td.teeTcbSvn;
  const identity = version === 0 ? undefined : moduleIdentityOf(td.moduleIdentities, version);
  const module = identity === undefined ? undefined : isvLevelOf(identity.levels, svn);
  const moduleStatus: OtherStatus = version === 0 ? "UpToDate" : (module?.status ?? "NotSupported");
  const missingModule = version !== 0 && identity === undefined ? moduleIdOf(version) : undefined;
  const answer: TcbAnswer = { ...UNANSWERED, platform, sgx, module, qe, missingModule };
  if (platform === undefined || moduleStatus === "NotSupported") return answer;
  const converged = converge(platform.status, moduleStatus);
  if (converged === "Revoked" || td.teeTcbSvn2 === undefined) {
    return { ...answer, status: converged === "Revoked" ? converged : converge(converged, qeStatus) };
  }
  const statuses = { qe: qeStatus, module: moduleStatus, sgx: sgx?.status, converged };
  const judged = judgeRelaunch(td.teeTcbSvn2, td.moduleIdentities, levels, statuses);
  return { ...answer, ...judged, status: converge(judged.status, qeStatus) };
}

/** What remains of a status beside another part's: an old or revoked part pulls it down. */
export function converge(level: LevelStatus | Verdict, other: OtherStatus): Verdict {
  if (other === "Unrecognized" || other === "Revoked" || other === "NotSupported") return other;
  if (other === "UpToDate") return level;
  switch (level) {
    case "UpToDate":
    case "SWHardeningNeeded":
      return "OutOfDate";
    case "ConfigurationNeeded":
    case "ConfigurationAndSWHardeningNeeded":
      return "OutOfDateConfigurationNeeded";
    default:
      return level;
  }
}

/**
 * Whether relaunching a TD is enough to be up to date, because the module that runs now is newer than the one that
 * launched it. All conditions must hold; otherwise the converged status stands.
 */
function judgeRelaunch(
  svn2: Uint8Array,
  identities: readonly ModuleIdentity[],
  levels: readonly TcbLevel[],
  status: {
    readonly qe: OtherStatus;
    readonly module: OtherStatus;
    readonly sgx: LevelStatus | undefined;
    readonly converged: Verdict;
  },
): Pick<TcbAnswer, "status" | "relaunch" | "missingModule"> {
  const [svn = 0, version = 0, loader = 0] = svn2;
  const latest = levels[0]?.tdxComponents ?? [];
  const identity = version === 0 ? undefined : moduleIdentityOf(identities, version);
  const leastSvn = version === 0 ? latest[0] : identity?.levels[0]?.isvSvn;
  const leastLoader = latest[2];
  const asked = {
    "the quoting enclave is up to date": status.qe === "UpToDate",
    "the platform is in date by its SGX components": status.sgx !== undefined && IN_DATE.has(status.sgx),
    "platform and module together are out of date":
      status.converged === "OutOfDate" || status.converged === "OutOfDateConfigurationNeeded",
    "the module that launched the TD is out of date": status.module === "OutOfDate",
  };
  const relaunch = {
    ...asked,
    "the module that runs now is the latest": leastSvn !== undefined && svn >= leastSvn,
    "the SEAM loader that runs now is the latest": leastLoader !== undefined && loader >= leastLoader,
  };
  // Only a TD that may be advised to relaunch needs the identity of the module that runs now.
  const missing = version !== 0 && identity === undefined && allHold(asked);
  return {
    status: allHold(relaunch) ? relaunchStatus(status.sgx, status.converged) : status.converged,
    relaunch,
    missingModule: missing ? moduleIdOf(version) : undefined,
  };
}

function allHold(conditions: Readonly<Record<string, boolean>>): boolean {
  return Object.values(conditions).every((holds) => holds);
}

const UNANSWERED: TcbAnswer = {
  status: "NotSupported",
  platform: undefined,
  sgx: undefined,
  module: undefined,
  qe: undefined,
  relaunch: undefined,
  missingModule: undefined,
  shortfalls: [],
};

const IN_DATE: ReadonlySet<LevelStatus> = new Set([
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
]);

const NEEDS_CONFIGURATION: ReadonlySet<LevelStatus | Verdict | undefined> = new Set([
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDateConfigurationNeeded",
]);

function relaunchStatus(sgx: LevelStatus | undefined, converged: Verdict): Verdict {
  return NEEDS_CONFIGURATION.has(sgx) || NEEDS_CONFIGURATION.has(converged)
    ? "TdRelaunchAdvisedConfigurationNeeded"
    : "TdRelaunchAdvised";
}

function reachesSgx({ platform }: TcbQuestion, level: TcbLevel): boolean {
  return (
    platform.pceSvn >= level.pceSvn &&
    level.sgxComponents.every((svn, i) => (platform.components[i] ?? -1) >= svn)
  );
}

function reachesTdx(teeTcbSvn: Uint8Array, level: TcbLevel): boolean {
  const start = firstTdxComponent(teeTcbSvn);
  // A level without TDX components judges no TD.
  return level.tdxComponents?.every((svn, i) => i < start || (teeTcbSvn[i] ?? -1) >= svn) ?? false;
}

/** With a module version above zero, bytes 0 and 1 are the module's own and its identity judges them. */
function firstTdxComponent(teeTcbSvn: Uint8Array): number {
  return (teeTcbSvn[1] ?? 0) > 0 ? 2 : 0;
}

function compareLevels(a: TcbLevel, b: TcbLevel): number {
  return (
    compareLists(a.sgxComponents, b.sgxComponents) ||
    a.pceSvn - b.pceSvn ||
    compareLists(a.tdxComponents ?? [], b.tdxComponents ?? [])
  );
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What no level accepts, so that people know which firmware to look at. */
function shortfallsOf({ platform, levels, qe, td }: TcbQuestion): Shortfall[] {
  const shortfalls: Shortfall[] = [];
  const consider = (component: string, found: number, asked: readonly number[]): void => {
    const least = Math.min(...asked);
    if (asked.length > 0 && found < least) shortfalls.push({ component, found, least });
  };
  for (const [i, found] of platform.components.entries()) {
    consider(
      `sgx[${i}]`,
      found,
      levels.map((level) => level.sgxComponents[i] ?? 0),
    );
  }
  consider(
    "pceSvn",
    platform.pceSvn,
    levels.map((level) => level.pceSvn),
  );
  if (td !== undefined) {
    const [svn = 0, version = 0] = td.teeTcbSvn;
    for (const [i, found] of td.teeTcbSvn.entries()) {
      if (i < firstTdxComponent(td.teeTcbSvn)) continue;
      consider(
        `tdx[${i}]`,
        found,
        levels.map((level) => level.tdxComponents?.[i] ?? 0),
      );
    }
    const identity = version === 0 ? undefined : moduleIdentityOf(td.moduleIdentities, version);
    consider("module", svn, identity?.levels.map((level) => level.isvSvn) ?? []);
  }
  consider(
    "qe",
    qe.isvSvn,
    qe.levels.map((level) => level.isvSvn),
  );
  return shortfalls;
}
