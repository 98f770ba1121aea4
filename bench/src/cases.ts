// SPDX-License-Identifier: Apache-2.0
// What is measured: a case for every TEE, on real evidence where there is any with all that verifies it, else on the
// simulator's, which is byte-exact and signed with keys of the same kinds.

import type { Case } from "./case.ts";
import { realCases } from "./real.ts";
import { simulatedCases } from "./simulated.ts";

const ORDER = ["sgx", "tdx", "snp", "sev", "csv", "cca", "tpm", "az-", "nitro", "nvidia", "se ", "tdx and"];

/** In the order of the README's tables. */
export async function loadCases(): Promise<Case[]> {
  const cases = [...(await realCases()), ...(await simulatedCases())];
  const rank = ({ title }: Case): number => {
    const known = ORDER.findLastIndex((start) => `${title} `.startsWith(start));
    return known === -1 ? ORDER.length : known;
  };
  return cases.sort((a, b) => rank(a) - rank(b));
}
