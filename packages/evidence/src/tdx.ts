// SPDX-License-Identifier: Apache-2.0
// Intel TDX alone, for small bundles.

import { TD } from "./intel/claims-tdx.ts";
import { verifyQuote } from "./intel/verify.ts";
import type { VerifyOptions } from "./scheme.ts";
import type { VerifiedEvidence } from "./verified.ts";

export { createCache, type VerificationCache } from "./cache.ts";
export { EvidenceError, type EvidenceErrorCode } from "./errors.ts";
export * from "./intel/public.ts";
export { tdx } from "./intel/scheme.ts";
export type { VerifyOptions } from "./scheme.ts";
export type { Tcb, TcbComponent, TcbStatus, VerifiedEvidence } from "./verified.ts";

/** Establishes that a TDX quote is authentic. Throws an AdytonError that says why it is not. */
export function verifyTdx(quote: Uint8Array, options: VerifyOptions): Promise<VerifiedEvidence> {
  return verifyQuote(TD, quote, options);
}
