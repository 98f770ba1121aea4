// SPDX-License-Identifier: Apache-2.0
// Verification, then minimum rules and policy, into one verdict: what `adyton evidence verify` and the tour both do.

import { type Appraisal, appraise, minimumPolicy, type Rules } from "@adyton/appraisal";
import { AdytonError } from "@adyton/core/errors";
import {
  type TeeName,
  type VerifiedEvidence,
  type VerifyEvidenceOptions,
  verifyEvidence,
} from "@adyton/evidence";
import { mergeEndorsements, NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import { readEvidence } from "./input.ts";
import type { AppraisalOption } from "./options.ts";
import { rejectionOf, type Sources, type Verdict, verdictOf } from "./verdict.ts";

export interface Judgement {
  readonly verdict: Verdict;
  /** What refused the evidence before any rule was applied. */
  readonly refusal: AdytonError | undefined;
}

export interface JudgeOptions extends Omit<VerifyEvidenceOptions, "tee"> {
  readonly tee: TeeName | undefined;
  readonly rules: Rules;
  /** Judges what verified, by reference values, in addition to the rules. */
  readonly appraisal?: AppraisalOption | undefined;
  /** How many endorsement files were read and left out. */
  readonly sources: Sources;
}

/** The verdict on evidence in any form. Throws for misuse only: that is no verdict on the evidence. */
export async function judgeEvidence(bytes: Uint8Array, options: JudgeOptions): Promise<Judgement> {
  const { tee: named, rules, sources, appraisal, ...verification } = options;
  let tee: TeeName | null = named ?? null;
  try {
    const input = readEvidence(bytes, named);
    tee = input.tee;
    const eventLog = options.eventLog ?? input.eventLog;
    const evidence = await verifyEvidence(input.evidence, {
      ...verification,
      tee,
      ...(eventLog === undefined ? {} : { eventLog }),
      endorsements: mergeEndorsements(input.endorsements, options.endorsements ?? NO_ENDORSEMENTS),
    });
    const minimum = { policy: minimumPolicy(rules), referenceValues: {} };
    const least = appraised(evidence, minimum, options.now);
    const judged = appraisal === undefined ? undefined : appraised(evidence, appraisal, options.now);
    return { verdict: verdictOf(evidence, least, sources, judged), refusal: undefined };
  } catch (error) {
    if (!(error instanceof AdytonError) || error.category === "misuse") throw error;
    return { verdict: rejectionOf(error, tee, options.now), refusal: error };
  }
}

/** The only appraisal of one piece of evidence. */
function appraised(
  evidence: VerifiedEvidence,
  options: NonNullable<JudgeOptions["appraisal"]>,
  now: Date,
): Appraisal {
  const [only] = Object.values(appraise(evidence, { ...options, now }).appraisals);
  if (only === undefined) throw new TypeError("one piece of evidence has one appraisal");
  return only;
}
