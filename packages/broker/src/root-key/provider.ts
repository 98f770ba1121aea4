// SPDX-License-Identifier: Apache-2.0
// Who keeps the key that opens the root keys. A provider is a way to put 32 bytes where only some may take them out
// again: a file, a passphrase, a TPM, a token, a key management service.

import type { JsonObject } from "@adyton/core/json";
import { BrokerError } from "../errors.ts";

export interface RootKeyProvider {
  /** What `root-keys.json` calls it. */
  readonly kind: string;
  /** Puts `key` away. The answer is kept in `root-keys.json` and shows nothing of it. */
  protect(key: Uint8Array): Promise<JsonObject>;
  /**
   * The key that `protect` put away. Rejects with `ROOT_KEY_REFUSED` when it may not be taken out (wrong passphrase,
   * other PCRs, no permission), `ROOT_KEY_UNAVAILABLE` when what keeps it does not answer.
   */
  recover(record: JsonObject): Promise<Uint8Array>;
  /** Removes what `protect` left outside of its answer, once nothing refers to it. */
  forget?(record: JsonObject): Promise<void>;
}

export function refusedKey(why: string, hint: string, cause?: unknown): BrokerError {
  return new BrokerError("ROOT_KEY_REFUSED", "not-authentic", `Cannot open the root keys: ${why}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}

export function unavailableKey(why: string, hint: string, cause?: unknown): BrokerError {
  return new BrokerError("ROOT_KEY_UNAVAILABLE", "unavailable", `Cannot reach the root keys: ${why}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A record that its provider did not write. */
export function strangeRecord(kind: string): BrokerError {
  return new BrokerError(
    "STATE_INVALID",
    "malformed",
    `Cannot open the root keys: their record is none of kind ${kind}`,
    { hint: "Restore root-keys.json from a backup." },
  );
}
