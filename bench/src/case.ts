// SPDX-License-Identifier: Apache-2.0
// One thing to verify, again and again.

import type { VerifyOptions } from "@adyton/evidence";
import type { Contender } from "./measure.ts";

export interface Case {
  /** The TEE, and the form where there are several. */
  readonly title: string;
  readonly source: "real" | "simulated";
  /** Endorsements, roots and time, from files as received: parsing them is part of a cold verification. */
  readonly options: () => VerifyOptions;
  readonly verify: (options: VerifyOptions) => Promise<unknown>;
  /** What is checked besides signatures by the crypto provider: bare, each for itself. */
  readonly bare?: { readonly warm: readonly BareCheck[]; readonly cold: readonly BareCheck[] };
  /** Other npm verifiers on the same evidence. */
  readonly peers?: () => Promise<readonly Contender[]>;
}

/** One check by bare cryptography, with everything prepared. */
export type BareCheck = () => boolean;
