// SPDX-License-Identifier: Apache-2.0
// The attestation of version 0.2 (Trustee 0.11 to 0.13, guest-components 0.12 and 0.13): one piece of evidence, which binds
// nonce and key alone; no init-data, and the nonce is not repeated.

import type { JsonObject } from "@adyton/core/json";
import { z } from "zod";
import type { AttestRequest } from "../protocol.ts";
import { anyJson, jsonObject, matching } from "../request-body.ts";

const attestBody = z.strictObject({ "tee-pubkey": jsonObject, "tee-evidence": anyJson });

/** Throws `INVALID_REQUEST`. */
export function readAttestation02(value: JsonObject, nonce: string): AttestRequest {
  const { "tee-pubkey": teePubkey, "tee-evidence": primaryEvidence } = matching(attestBody, value);
  return { nonce, teePubkey, primaryEvidence, additionalEvidence: undefined };
}
