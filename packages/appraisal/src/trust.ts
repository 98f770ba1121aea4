// SPDX-License-Identifier: Apache-2.0
// The AR4SI trustworthiness vector (draft-ietf-rats-ar4si) and the tiers of EAR (draft-ietf-rats-ear).

/** The eight claims of a trustworthiness vector. */
export const TRUST_CLAIMS = [
  "instance-identity",
  "configuration",
  "executables",
  "file-system",
  "hardware",
  "runtime-opaque",
  "storage-opaque",
  "sourced-data",
] as const;
export type TrustClaim = (typeof TRUST_CLAIMS)[number];

/** One signed byte (-128 to 127) per claim; 0 asserts nothing. */
export type TrustVector = Readonly<Record<TrustClaim, number>>;

/** Best to worst. "none" says nothing: it is not good news. */
export const TRUST_TIERS = ["none", "affirming", "warning", "contraindicated"] as const;
export type TrustTier = (typeof TRUST_TIERS)[number];

/**
 * The tier of one value (AR4SI section 2.3.2): -1 to 1 none, 2 to 31 affirming, 32 to 95 warning, 96 to 127
 * contraindicated; -2 to -32, -33 to -96 and -97 to -128 are the same tiers for values outside the standard.
 * What is no signed byte is contraindicated.
 */
export function tierOf(value: number): TrustTier {
  if (!isTrustValue(value)) return "contraindicated";
  // The ranges mirror under bitwise complement: ~31 is -32, ~95 is -96, ~127 is -128.
  const magnitude = value < -1 ? ~value : value;
  if (value >= -1 && value <= 1) return "none";
  if (magnitude < 32) return "affirming";
  return magnitude < 96 ? "warning" : "contraindicated";
}

/** Whether `value` can stand in a trustworthiness vector. */
export function isTrustValue(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= -128 && (value as number) <= 127;
}

/** The worst of several tiers; "none" of no tiers. */
export function worstTier(tiers: readonly TrustTier[]): TrustTier {
  return tiers.reduce((worst, tier) => (rankOf(tier) > rankOf(worst) ? tier : worst), "none");
}

/** The tier of a whole vector: that of its worst claim. */
export function statusOf(vector: TrustVector): TrustTier {
  return worstTier(TRUST_CLAIMS.map((claim) => tierOf(vector[claim])));
}

/** Position from best to worst, for comparisons. */
export function rankOf(tier: TrustTier): number {
  return TRUST_TIERS.indexOf(tier);
}
