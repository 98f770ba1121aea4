// SPDX-License-Identifier: Apache-2.0
// The one envelope in which every piece of evidence travels, and the names of the TEEs.

import type { Endorsements } from "./bag.ts";

/** TEE names of the Confidential Containers protocol, plus `sev` (launch time) and `nitro`. */
export const TEE_NAMES = [
  "sgx",
  "tdx",
  "snp",
  "csv",
  "cca",
  "tpm",
  "az-snp-vtpm",
  "az-tdx-vtpm",
  "nvidia",
  "se",
  "sample",
  "sev",
  "nitro",
] as const;
export type TeeName = (typeof TEE_NAMES)[number];

export function isTeeName(name: string): name is TeeName {
  return (TEE_NAMES as readonly string[]).includes(name);
}

export interface Envelope {
  readonly tee: TeeName;
  /** The TEE's own bytes: a quote, a report, a token. */
  readonly evidence: Uint8Array;
  readonly endorsements?: Endorsements;
  /** What the report data binds: see `binding.ts`. */
  readonly runtimeData?: Uint8Array;
  /** The init-data document, whole. */
  readonly initData?: Uint8Array;
  readonly eventLog?: Uint8Array;
}
