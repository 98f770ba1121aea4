// SPDX-License-Identifier: Apache-2.0
// What a trust value means, in words: AR4SI (draft-ietf-rats-ar4si, section 2.3) gives each claim its own values.

import { type TrustClaim, tierOf } from "./trust.ts";

/** Values that mean the same for every claim. */
const COMMON: Readonly<Record<number, string>> = {
  [-1]: "the verifier failed",
  0: "nothing is said",
  1: "the evidence holds what was not expected",
  99: "cryptographic validation failed",
};

const WORDS: Readonly<Record<TrustClaim, Readonly<Record<number, string>>>> = {
  "instance-identity": {
    2: "the attester is known and not compromised",
    96: "the attester is known and not trusted",
    97: "the attester is not known",
  },
  configuration: {
    2: "the configuration is approved",
    3: "the configuration shows no known weakness",
    32: "the configuration has known weaknesses",
    36: "not everything about the configuration is known to be good",
    96: "the configuration is unacceptable",
  },
  executables: {
    2: "approved executables run, and were approved at boot",
    3: "approved executables were loaded at boot",
    4: "approved executables were loaded, as far as measured",
    32: "known executables run that are not safe",
    33: "what runs is not recognized",
    96: "what runs is known to be bad",
  },
  "file-system": {
    2: "the files are approved",
    32: "there are files that are not recognized",
    96: "there are files that are known to be bad",
  },
  hardware: {
    2: "genuine hardware and firmware of an accepted version",
    32: "genuine hardware or firmware with known weaknesses",
    96: "genuine hardware or firmware that is not trusted",
    97: "hardware or firmware is not recognized",
  },
  "runtime-opaque": {
    2: "memory is encrypted against the rest of the machine",
    32: "memory is isolated, not encrypted",
    96: "memory can be seen from outside",
  },
  "storage-opaque": {
    2: "secrets are stored under keys in hardware",
    32: "secrets are stored under keys in software",
    96: "secrets are stored in the clear",
  },
  "sourced-data": {
    2: "the data come from attesters that are trusted",
    32: "the data come from attesters that are not known",
    96: "the data come from attesters that are not trusted",
  },
};

/** For people: what a value of a trust claim means; its tier alone where the claim has no such value. */
export function trustWords(claim: TrustClaim, value: number): string {
  const own = WORDS[claim];
  return (
    (Object.hasOwn(own, value) ? own[value] : COMMON[value]) ??
    `${tierOf(value)}, in the verifier's own words`
  );
}
