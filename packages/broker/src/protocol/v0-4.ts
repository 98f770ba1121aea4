// SPDX-License-Identifier: Apache-2.0
// The attestation of version 0.4: init-data beside, and nonce and key as they are bound.

import type { JsonObject } from "@adyton/core/json";
import { z } from "zod";
import type { AttestRequest } from "../protocol.ts";
import { anyJson, jsonObject, matching } from "../request-body.ts";

/** A request of the verifier's in the nonce's place holds a key slot of 80 bytes for each machine (IBM SE). */
const MAX_NONCE = 64 * 1024;

export const compositeEvidence: z.ZodType<{
  readonly primary_evidence: z.infer<typeof anyJson>;
  readonly additional_evidence: string;
}> = z.strictObject({
  primary_evidence: anyJson,
  // Evidence of further devices, a JSON text: the processor's evidence binds it as it stands.
  additional_evidence: z.string(),
});

const attestBody = z.strictObject({
  "init-data": z.strictObject({ format: z.literal("toml"), body: z.string() }).nullish(),
  "runtime-data": z.strictObject({
    nonce: z.string().max(MAX_NONCE),
    "tee-pubkey": jsonObject,
  }),
  "tee-evidence": compositeEvidence,
});

/** Throws `INVALID_REQUEST`. */
export function readAttestation04(value: JsonObject): AttestRequest {
  const body = matching(attestBody, value);
  const initData = body["init-data"]?.body;
  return {
    ...(initData === undefined ? {} : { initData }),
    nonce: body["runtime-data"].nonce,
    teePubkey: body["runtime-data"]["tee-pubkey"],
    primaryEvidence: body["tee-evidence"].primary_evidence,
    additionalEvidence: body["tee-evidence"].additional_evidence,
  };
}
