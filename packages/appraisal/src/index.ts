// SPDX-License-Identifier: Apache-2.0
// Is it good enough for me? Takes only what @adyton/evidence verified.

export {
  type Appraisal,
  type AppraiseOptions,
  type AttestationResult,
  appraise,
  assertAppraised,
} from "./appraise.ts";
export {
  type CheckedInitData,
  checkInitData,
  checkRuntimeData,
  type InitData,
} from "./bindings.ts";
export {
  builtinPolicy,
  minimumPolicy,
  type ReferenceId,
  referenceIdsOf,
  referenceValuesFrom,
} from "./builtin.ts";
export {
  type SignEarOptions,
  type SubmodPart,
  signEar,
  signEarCwt,
  type VerifyEarOptions,
  verifyEar,
} from "./ear.ts";
export {
  checkEarClaims,
  EAR_PROFILE,
  EAR_PROFILES,
  type EarAppraisal,
  type EarClaims,
  type EarProfile,
  type VerifierId,
} from "./ear-claims.ts";
export {
  EAR_ALGORITHMS,
  type EarAlgorithm,
  type EarSigningKey,
  generateEarKey,
  importEarKey,
} from "./ear-key.ts";
export { readEarUnverified, type UnverifiedEar } from "./ear-unverified.ts";
export { AppraisalError, type AppraisalErrorCode } from "./errors.ts";
export { type Explanation, type RenderOptions, renderExplanation } from "./explanation.ts";
export type { Facts } from "./facts.ts";
export type { Finding } from "./finding.ts";
export { defaultPolicyFor } from "./policies/index.ts";
export type { Policy, PolicyInput, PolicyOutput } from "./policy.ts";
export { parseReferenceValues, type ReferenceValues } from "./reference.ts";
export { modulesBeside, unansweredQuery } from "./rego/alone.ts";
export type { PolicyForm } from "./rego/forms.ts";
export { type RegoPolicy, type RegoPolicyOptions, regoPolicy } from "./rego-policy.ts";
export { checkRules, type Rules } from "./rules.ts";
export {
  statusOf,
  TRUST_CLAIMS,
  TRUST_TIERS,
  type TrustClaim,
  type TrustTier,
  type TrustVector,
  tierOf,
} from "./trust.ts";
export { trustWords } from "./trust-words.ts";
