// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { TRUST_CLAIMS, type TrustClaim } from "./trust.ts";
import { trustWords } from "./trust-words.ts";

describe("trustWords", () => {
  it.each<[TrustClaim, number, string]>([
    ["hardware", 2, "genuine hardware and firmware of an accepted version"],
    ["hardware", 97, "hardware or firmware is not recognized"],
    ["executables", 33, "what runs is not recognized"],
    ["configuration", 36, "not everything about the configuration is known to be good"],
    ["sourced-data", 0, "nothing is said"],
    ["file-system", 99, "cryptographic validation failed"],
    ["hardware", -98, "contraindicated, in the verifier's own words"],
    ["hardware", 12, "affirming, in the verifier's own words"],
  ])("%s %i: %s", (claim, value, words) => {
    expect(trustWords(claim, value)).toBe(words);
  });
  it("has words for every value of every claim", () => {
    for (const claim of TRUST_CLAIMS) {
      for (let value = -128; value < 128; value++) expect(trustWords(claim, value)).not.toBe("");
    }
  });
});
