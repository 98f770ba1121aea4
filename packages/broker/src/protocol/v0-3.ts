// SPDX-License-Identifier: Apache-2.0
// The attestation of version 0.3 (guest-components of June 2025): the evidence of devices beside the processor's, which
// binds it; no init-data, and the nonce is not repeated.

import type { JsonObject } from "@adyton/core/json";
import { z } from "zod";
import type { AttestRequest } from "../protocol.ts";
import { jsonObject, matching } from "../request-body.ts";
import { compositeEvidence } from "./v0-4.ts";

const attestBody = z.strictObject({ "tee-pubkey": jsonObject, "tee-evidence": compositeEvidence });

/** Throws `INVALID_REQUEST`. */
export function readAttestation03(value: JsonObject, nonce: string): AttestRequest {
  const { "tee-pubkey": teePubkey, "tee-evidence": evidence } = matching(attestBody, value);
  return {
    nonce,
    teePubkey,
    primaryEvidence: evidence.primary_evidence,
    additionalEvidence: evidence.additional_evidence,
  };
}
