// SPDX-License-Identifier: Apache-2.0
// `adyton evidence verify`: reads what the options name, verifies, applies the rules, tells the verdict.

import { applyRules } from "@adyton/appraisal";
import { AdytonError } from "@adyton/core/errors";
import { readEndorsementPaths } from "@adyton/endorsements";
import { type TeeName, verifyEvidence } from "@adyton/evidence";
import { mergeEndorsements } from "@adyton/evidence/endorsements";
import type { ExitCode } from "../exit.ts";
import { readInput } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import type { Io } from "../io.ts";
import { type EvidenceInput, readEvidence } from "./input.ts";
import { readRoots, reportDataOption, rulesOf, teeOf, verificationTime } from "./options.ts";
import { printVerdict } from "./print.ts";
import { exitOf, rejectionOf, type Verdict, verdictOf } from "./verdict.ts";

export async function verify(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [path = "-"] = invocation.arguments;
  const now = verificationTime(invocation, io);
  const rules = rulesOf(invocation);
  const reportData = reportDataOption(invocation);
  const roots = await readRoots(invocation.values("root"), io);
  const paths = invocation.values("endorsements");
  const found = await readEndorsementPaths(paths);
  const bytes = await readInput(path, io);

  let tee: TeeName | null = teeOf(invocation) ?? null;
  let verdict: Verdict;
  let refusal: AdytonError | undefined;
  try {
    const input: EvidenceInput = readEvidence(bytes, teeOf(invocation));
    tee = input.tee;
    const evidence = await verifyEvidence(input.evidence, {
      tee,
      now,
      roots,
      endorsements: mergeEndorsements(input.endorsements, found.endorsements),
      requireRevocation: rules.requireRevocation === true,
      ...(reportData === undefined ? {} : { reportData }),
    });
    const sources = { read: found.read.length, ignored: found.ignored.length };
    verdict = verdictOf(evidence, applyRules(evidence, rules), sources);
  } catch (error) {
    // Misuse (a TEE that is not supported yet) is no verdict on the evidence.
    if (!(error instanceof AdytonError) || error.category === "misuse") throw error;
    refusal = error;
    verdict = rejectionOf(error, tee, now);
  }
  for (const file of found.ignored) io.stderr.write(`left out ${file.path}: ${file.reason}\n`);
  if (invocation.json) writeJson(io.stdout, verdict);
  else printVerdict(verdict, { path, given: paths.length > 0 }, io);
  return exitOf(verdict, refusal);
}
