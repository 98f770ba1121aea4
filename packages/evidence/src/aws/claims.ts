// SPDX-License-Identifier: Apache-2.0
// What policies see of a Nitro document. Confidential Containers has no names for it: members keep AWS's, registers are
// pcr0 to pcr31, byte strings are hex.

import { isZero, toHex } from "@adyton/core/bytes";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import type { NitroClaims } from "./evidence.ts";

/** The claims of a document. Members that the enclave left out are null. */
export function claimsOf(claims: NitroClaims): JsonObject {
  const hex = (value: Uint8Array | null): string | null => (value === null ? null : toHex(value));
  const registers = [...claims.pcrs].map(([index, value]): [string, JsonValue] => [
    `pcr${index}`,
    toHex(value),
  ]);
  return {
    module_id: claims.moduleId,
    digest: "SHA384",
    timestamp: claims.timestamp.toISOString(),
    ...Object.fromEntries(registers),
    public_key: hex(claims.publicKey),
    user_data: hex(claims.userData),
    nonce: hex(claims.nonce),
    debug: isDebug(claims),
  };
}

/** An enclave in debug mode has zeros for measurements (AWS Nitro Enclaves user guide, "Where to get an enclave's measurements"). */
export function isDebug(claims: NitroClaims): boolean {
  return isZero(claims.pcrs.get(0) ?? new Uint8Array(1));
}
