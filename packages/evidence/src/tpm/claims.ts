// SPDX-License-Identifier: Apache-2.0
// What policies see of a TPM: PCRs of the SHA-256 bank under Trustee's names (`pcr00` …), other banks below
// `pcr_banks`, and what the quote says about the TPM.

import { toHex } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import type { MeasurementRegister } from "../verified.ts";
import { parseQuoteAttest } from "./attest.ts";
import { pcrName } from "./quote.ts";

/** PCR values as claims. */
export function pcrClaims(
  registers: readonly Pick<MeasurementRegister, "hash" | "index" | "value">[],
): JsonObject {
  const banks = new Map<string, Record<string, string>>();
  for (const { hash, index, value } of registers) {
    const bank = banks.get(hash) ?? {};
    bank[pcrName(index)] = toHex(value);
    banks.set(hash, bank);
  }
  const sha256 = banks.get("SHA-256");
  banks.delete("SHA-256");
  return { ...sha256, ...(banks.size === 0 ? {} : { pcr_banks: Object.fromEntries(banks) }) };
}

/** What a quote says besides PCRs and nonce; 64-bit numbers are hex. */
export function attestClaims(message: Uint8Array): JsonObject {
  const attest = parseQuoteAttest(message);
  return {
    quote: {
      qualified_signer: toHex(attest.qualifiedSigner),
      extra_data: toHex(attest.extraData),
      clock: word(attest.clock),
      reset_count: attest.resetCount,
      restart_count: attest.restartCount,
      safe: attest.safe,
      firmware_version: word(attest.firmwareVersion),
    },
  };
}

function word(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}
