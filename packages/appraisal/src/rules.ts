// SPDX-License-Identifier: Apache-2.0
// Minimum rules on what verification found. Each rule that was given yields a finding; a rule that cannot be
// decided from the evidence does not hold.

import { assertVerified, type TcbStatus, type VerifiedEvidence } from "@adyton/evidence";
import { misuse } from "./errors.ts";
import type { Facts } from "./facts.ts";
import { type Finding, passed, refused } from "./finding.ts";
import { parseTime } from "./time.ts";

/**
 * What a relying party demands of a platform. A TEE's vendor either publishes a judgement of each TCB (Intel: status,
 * date, evaluation number, advisories) or only version numbers (AMD: `minTcb`). Rules for both kinds may stand side by
 * side: each piece of evidence meets those of its kind, and refuses when there are only rules of the other kind.
 */
export interface Rules {
  /** Statuses that pass, where the vendor publishes one. */
  readonly acceptedTcbStatuses?: readonly TcbStatus[];
  /** RFC 3339; every component's TCB date must be this or later. */
  readonly minTcbDate?: string;
  /** The least TCB evaluation data number of the vendor's documents. */
  readonly minEvaluationNumber?: number;
  /** Advisories that may stand open on any component; any other refuses. */
  readonly acceptedAdvisories?: readonly string[];
  /** Least version numbers by name (AMD: bootloader, tee, snp, microcode, fmc) of the reported, current and committed TCB. */
  readonly minTcb?: Readonly<Record<string, number>>;
  /** Accept a TEE whose owner can look inside. Default false. */
  readonly allowDebug?: boolean;
  /** Accept evidence under a root that is no hardware vendor's. Default false. */
  readonly allowSimulated?: boolean;
  /** Demand that the vendor's revocation list was checked. Default false. */
  readonly requireRevocation?: boolean;
}

const STATUSES: readonly TcbStatus[] = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "TdRelaunchAdvised",
  "TdRelaunchAdvisedConfigurationNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
];

/** Rules that need a vendor's published judgement. */
const PUBLISHED = ["acceptedTcbStatuses", "minTcbDate", "minEvaluationNumber", "acceptedAdvisories"] as const;

/** AMD's TCB versions that `minTcb` holds for; `launch` is left out because a running guest's firmware can be updated. */
const MIN_TCB_COMPONENTS = ["reported", "current", "committed"] as const;

/** Applies `rules` to verified evidence. Throws `INVALID_RULES`, or `NOT_VERIFIED` for anything but verified evidence. */
export function applyRules(evidence: VerifiedEvidence, rules: Rules): readonly Finding[] {
  assertVerified(evidence);
  return judge(evidence, checkRules(rules));
}

/** `rules` again, when they make sense. Throws `INVALID_RULES`. */
export function checkRules(rules: Rules): Rules {
  const { acceptedTcbStatuses, minTcbDate, minEvaluationNumber, minTcb } = rules;
  const unknown = acceptedTcbStatuses?.find((status) => !STATUSES.includes(status));
  if (unknown !== undefined) {
    throw misuse(
      "INVALID_RULES",
      `Cannot use rules: acceptedTcbStatuses holds ${JSON.stringify(unknown)}, expected any of ${STATUSES.join(", ")}`,
      "Revoked and NotSupported can never be accepted.",
    );
  }
  if (minTcbDate !== undefined && parseTime(minTcbDate) === undefined) {
    throw misuse(
      "INVALID_RULES",
      `Cannot use rules: minTcbDate is ${JSON.stringify(minTcbDate)}, expected an RFC 3339 date`,
      "Write it like 2025-05-14T00:00:00Z or 2025-05-14.",
    );
  }
  const numbers = [
    ...(minEvaluationNumber === undefined ? [] : [["minEvaluationNumber", minEvaluationNumber] as const]),
    ...Object.entries(minTcb ?? {}).map(([name, value]) => [`minTcb.${name}`, value] as const),
  ];
  for (const [name, value] of numbers) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw misuse("INVALID_RULES", `Cannot use rules: ${name} is ${value}, expected a whole number from 0`);
    }
  }
  if (minTcb !== undefined && Object.keys(minTcb).length === 0) {
    throw misuse("INVALID_RULES", "Cannot use rules: minTcb is empty, expected at least one version number");
  }
  return rules;
}

/** The rules on plain facts. `rules` were checked. */
export function judge(facts: Facts, rules: Rules): readonly Finding[] {
  return [
    judgeDebug(facts, rules),
    judgeSimulated(facts, rules),
    ...(rules.requireRevocation === true ? [judgeRevocation(facts)] : []),
    ...judgeTcb(facts, rules),
  ];
}

function judgeDebug({ debug, confidential }: Facts, { allowDebug }: Rules): Finding {
  if (!debug && confidential === false) {
    return passed("allowDebug", "There is no debug mode: the owner of the machine can look inside anyway.");
  }
  if (!debug) return passed("allowDebug", "Debug is off: the owner of the machine cannot look inside.");
  if (allowDebug === true)
    return passed("allowDebug", "Debug is on, and the rules allow it.", { found: true });
  return refused(
    "allowDebug",
    "Debug is on: whoever owns the machine can read and change what runs inside.",
    "Launch without debug. For development only, set allowDebug.",
    { found: true, expected: false },
  );
}

function judgeSimulated({ trust }: Facts, { allowSimulated }: Rules): Finding {
  if (!trust.simulated) return passed("allowSimulated", `A hardware vendor's root vouches: ${trust.root}.`);
  if (allowSimulated === true) {
    return passed("allowSimulated", `${trust.root} is no hardware vendor's root, and the rules allow it.`, {
      found: trust.rootSha256,
    });
  }
  return refused(
    "allowSimulated",
    `${trust.root} is no hardware vendor's root: this proves a flow, not secrecy.`,
    "Use evidence from hardware. For development only, set allowSimulated.",
    { found: trust.rootSha256 },
  );
}

function judgeRevocation({ endorsements }: Facts): Finding {
  const found = endorsements.revocation;
  if (found === "checked")
    return passed("requireRevocation", "The revocation lists were checked.", { found });
  return refused(
    "requireRevocation",
    "No revocation list was at hand, so nobody knows whether a certificate was withdrawn.",
    "Give the vendor's current CRL with the endorsements.",
    { found, expected: "checked" },
  );
}

function judgeTcb(facts: Facts, rules: Rules): readonly Finding[] {
  const { acceptedTcbStatuses, minTcbDate, minEvaluationNumber, acceptedAdvisories, minTcb } = rules;
  const judged = facts.tcb.status !== null;
  const published = [
    ...(acceptedTcbStatuses === undefined ? [] : [() => judgeStatus(facts, acceptedTcbStatuses)]),
    ...(minTcbDate === undefined ? [] : [() => judgeDate(facts, minTcbDate)]),
    ...(minEvaluationNumber === undefined ? [] : [() => judgeEvaluation(facts, minEvaluationNumber)]),
    ...(acceptedAdvisories === undefined ? [] : [() => judgeAdvisories(facts, acceptedAdvisories)]),
  ];
  const versions = minTcb === undefined ? [] : [() => judgeVersions(facts, minTcb)];
  const fitting = judged ? published : versions;
  if (fitting.length === 0 && published.length + versions.length > 0) return [misfit(facts, rules)];
  return fitting.map((rule) => rule());
}

/** TCB rules were given, and none of them can be decided for this TEE. */
function misfit({ tee, tcb }: Facts, rules: Rules): Finding {
  if (tcb.status !== null) {
    return refused(
      "minTcb",
      `The rules judge version numbers alone, and the vendor of ${tee} publishes a status: ${tcb.status}.`,
      "State acceptedTcbStatuses.",
      { found: tcb.status },
    );
  }
  return refused(
    PUBLISHED.find((name) => rules[name] !== undefined) ?? "acceptedTcbStatuses",
    `The vendor of ${tee} publishes no TCB status, date or advisories, so the rule cannot be met.`,
    "State the least version numbers in minTcb, or leave the rule out for this TEE.",
  );
}

function judgeStatus({ tcb }: Facts, accepted: readonly TcbStatus[]): Finding {
  const facts = { found: tcb.status, expected: [...accepted] };
  if (tcb.status !== null && accepted.includes(tcb.status)) {
    return passed("acceptedTcbStatuses", `The TCB status is ${tcb.status}.`, facts);
  }
  const advisories = openAdvisories(tcb);
  const names = advisories.length === 0 ? "" : ` (${advisories.join(", ")})`;
  return refused(
    "acceptedTcbStatuses",
    `The TCB status is ${tcb.status}, accepted is ${accepted.join(", ") || "none"}.`,
    `Update the platform's firmware and microcode${names}, or add ${tcb.status} to acceptedTcbStatuses.`,
    facts,
  );
}

function judgeDate({ tcb }: Facts, least: string): Finding {
  const entries = Object.entries(tcb.components).filter(([, component]) => component.status !== undefined);
  const dates = [
    ["tcb", tcb.date ?? undefined] as const,
    ...entries.map(([name, c]) => [name, c.date] as const),
  ];
  const found = Object.fromEntries(dates.map(([name, date]) => [name, date ?? null]));
  const facts = { found, expected: least };
  const bound = parseTime(least) ?? Number.POSITIVE_INFINITY;
  const late = dates.filter(([, date]) => !isLateEnough(date, bound));
  if (late.length === 0)
    return passed("minTcbDate", `Every component's TCB dates from ${least} or later.`, facts);
  return refused(
    "minTcbDate",
    `The TCB of ${late.map(([name, date]) => `${name} (${date ?? "no date"})`).join(", ")} is older than ${least}.`,
    "Update the platform's firmware and microcode, or lower minTcbDate.",
    facts,
  );
}

function judgeEvaluation({ tcb }: Facts, least: number): Finding {
  const facts = { found: tcb.evaluationNumber, expected: least };
  if (tcb.evaluationNumber !== null && tcb.evaluationNumber >= least) {
    return passed("minEvaluationNumber", `The TCB evaluation data number is ${tcb.evaluationNumber}.`, facts);
  }
  return refused(
    "minEvaluationNumber",
    `The TCB evaluation data number is ${tcb.evaluationNumber ?? "unknown"}, at least ${least} is demanded.`,
    "Fetch newer TCB info and QE identity from the vendor, or lower minEvaluationNumber.",
    facts,
  );
}

function judgeAdvisories({ tcb }: Facts, accepted: readonly string[]): Finding {
  const open = openAdvisories(tcb);
  const others = open.filter((id) => !accepted.includes(id));
  const facts = { found: open, expected: [...accepted] };
  if (others.length === 0)
    return passed("acceptedAdvisories", "No advisory stands open but accepted ones.", facts);
  return refused(
    "acceptedAdvisories",
    `Advisories stand open that the rules do not accept: ${others.join(", ")}.`,
    "Update the platform's firmware and microcode, or add them to acceptedAdvisories.",
    facts,
  );
}

function judgeVersions({ tcb }: Facts, least: Readonly<Record<string, number>>): Finding {
  const present = MIN_TCB_COMPONENTS.filter(
    (name) => name === "reported" || tcb.components[name] !== undefined,
  );
  const low = present.flatMap((name) =>
    Object.entries(least).flatMap(([part, value]) => {
      const svn = tcb.components[name]?.svn?.[part];
      return typeof svn === "number" && svn >= value ? [] : [`${name} ${part} ${svn ?? "absent"} < ${value}`];
    }),
  );
  const found = Object.fromEntries(present.map((name) => [name, { ...tcb.components[name]?.svn }]));
  const facts = { found, expected: { ...least } };
  if (low.length === 0)
    return passed("minTcb", "Every TCB version is at least what the rules demand.", facts);
  return refused(
    "minTcb",
    `TCB versions are lower than the rules demand: ${low.join(", ")}.`,
    "Update the platform's firmware and commit it, or lower minTcb.",
    facts,
  );
}

function openAdvisories(tcb: Facts["tcb"]): string[] {
  const ids = [
    tcb.advisoryIds,
    ...Object.values(tcb.components).map((component) => component.advisoryIds ?? []),
  ];
  return [...new Set(ids.flat())].sort();
}

function isLateEnough(date: string | undefined, bound: number): boolean {
  const time = date === undefined ? undefined : parseTime(date);
  return time !== undefined && time >= bound;
}
