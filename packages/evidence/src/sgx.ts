// SPDX-License-Identifier: Apache-2.0
// Intel SGX alone, for small bundles.

import { ENCLAVE } from "./intel/claims-sgx.ts";
import { verifyQuote } from "./intel/verify.ts";
import type { VerifyOptions } from "./scheme.ts";
import type { VerifiedEvidence } from "./verified.ts";

export { createCache, type VerificationCache } from "./cache.ts";
export { EvidenceError, type EvidenceErrorCode } from "./errors.ts";
export * from "./intel/public.ts";
export { sgx } from "./intel/scheme.ts";
export type { VerifyOptions } from "./scheme.ts";
export type { Tcb, TcbComponent, TcbStatus, VerifiedEvidence } from "./verified.ts";

/** Establishes that an SGX quote is authentic. Throws an AdytonError that says why it is not. */
export function verifySgx(quote: Uint8Array, options: VerifyOptions): Promise<VerifiedEvidence> {
  return verifyQuote(ENCLAVE, quote, options);
}
