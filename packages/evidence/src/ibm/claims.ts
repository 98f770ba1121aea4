// SPDX-License-Identifier: Apache-2.0
// What policies see of Secure Execution evidence: Trustee's names, in hex.

import { toHex } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import type { SeEvidence } from "./evidence.ts";
import type { SeHeaderTags } from "./header.ts";
import type { SeAdditionalData } from "./measurement.ts";

/** Version 1 of request and answer. */
const VERSION = 0x100;
const REPORT_DATA = 64;

/** The claims; without what only a verifier can tell apart, those of the bytes alone. */
export function claimsOf(
  evidence: SeEvidence,
  tags: SeHeaderTags | undefined,
  additional: SeAdditionalData | undefined,
): JsonObject {
  const { imagePhkh, attestationPhkh, secretStoreHash, firmwareState, unrecognized } = additional ?? {};
  return {
    version: VERSION,
    cuid: toHex(evidence.cuid),
    ...(tags === undefined
      ? {}
      : { tag: toHex(tags.tag), pld: toHex(tags.pld), ald: toHex(tags.ald), tld: toHex(tags.tld) }),
    ...named("image_phkh", imagePhkh),
    ...named("attestation_phkh", attestationPhkh),
    ...named("secret_store_hash", secretStoreHash),
    ...named("firmware_state", firmwareState),
    ...named("unrecognized", unrecognized),
    ...(additional === undefined ? named("additional_data", evidence.additional) : {}),
    report_data: toHex(evidence.userData.subarray(0, REPORT_DATA)),
    user_data: toHex(evidence.userData),
  };
}

function named(name: string, bytes: Uint8Array | undefined): JsonObject {
  return bytes === undefined ? {} : { [name]: toHex(bytes) };
}
