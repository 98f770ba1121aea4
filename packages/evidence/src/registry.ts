// SPDX-License-Identifier: Apache-2.0
// Every TEE this package knows, one line each, and the verbs that pick the right one.

import type { JsonObject } from "@adyton/core/json";
import { snp } from "./amd/scheme.ts";
import { sev } from "./amd/sev/scheme.ts";
import { cca } from "./arm/scheme.ts";
import { nitro } from "./aws/scheme.ts";
import { azSnpVtpm, azTdxVtpm } from "./azure/scheme.ts";
import type { TeeName } from "./envelope.ts";
import { EvidenceError } from "./errors.ts";
import { verifyEventLog } from "./eventlog/verify.ts";
import { csv } from "./hygon/scheme.ts";
import { se } from "./ibm/scheme.ts";
import { sgx, tdx } from "./intel/scheme.ts";
import { nvidia } from "./nvidia/scheme.ts";
import { sample } from "./sample/scheme.ts";
import type { Scheme, VerifyOptions } from "./scheme.ts";
import { tpm } from "./tpm/scheme.ts";
import type { VerifiedEvidence } from "./verified.ts";

/** In order of detection. */
export const SCHEMES: readonly Scheme[] = [
  sgx,
  tdx,
  snp,
  sev,
  csv,
  cca,
  nitro,
  nvidia,
  se,
  sample,
  tpm,
  azSnpVtpm,
  azTdxVtpm,
];

/** The scheme of a TEE. Throws `UNSUPPORTED_TEE`. */
export function schemeOf(tee: TeeName): Scheme {
  const scheme = SCHEMES.find((candidate) => candidate.tee === tee);
  if (scheme === undefined) {
    const known = SCHEMES.map((candidate) => candidate.tee).join(", ");
    throw new EvidenceError(
      "UNSUPPORTED_TEE",
      "misuse",
      `Cannot handle evidence of TEE ${tee}: known are ${known}`,
      {
        detail: { tee, known },
      },
    );
  }
  return scheme;
}

/** Which TEE made these bytes. Throws `UNKNOWN_EVIDENCE`. */
export function detectTee(evidence: Uint8Array): TeeName {
  const scheme = SCHEMES.find((candidate) => candidate.detect(evidence));
  if (scheme === undefined) {
    const known = SCHEMES.map((candidate) => candidate.title).join(", ");
    throw new EvidenceError(
      "UNKNOWN_EVIDENCE",
      "malformed",
      `Cannot tell the TEE of ${evidence.length} bytes of evidence: none of ${known}`,
      {
        hint: "Name the TEE, or check that the file holds evidence and nothing else.",
      },
    );
  }
  return scheme.tee;
}

/** The claims of evidence as they stand. Nothing is verified. */
export function inspectEvidence(evidence: Uint8Array, tee: TeeName = detectTee(evidence)): JsonObject {
  return schemeOf(tee).inspect(evidence);
}

/** What verification of evidence of any TEE takes besides its scheme's options. */
export interface VerifyEvidenceOptions extends VerifyOptions {
  readonly tee?: TeeName;
  /** The log of what was measured into the evidence's registers, or several to read in order: see `verifyEventLog`. */
  readonly eventLog?: Uint8Array | readonly Uint8Array[];
}

/** Establishes authenticity. The TEE is detected when not named. Throws an AdytonError that says why not. */
export async function verifyEvidence(
  evidence: Uint8Array,
  options: VerifyEvidenceOptions,
): Promise<VerifiedEvidence> {
  const { tee = detectTee(evidence), eventLog, ...rest } = options;
  const { crypto, eventLogRegisters: registers } = rest;
  const verified = await schemeOf(tee).verify(evidence, rest);
  if (eventLog === undefined) return verified;
  return verifyEventLog(verified, eventLog, {
    ...(registers === undefined ? {} : { registers }),
    ...(crypto === undefined ? {} : { crypto }),
  });
}
