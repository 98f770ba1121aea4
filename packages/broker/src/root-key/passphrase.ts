// SPDX-License-Identifier: Apache-2.0
// The root keys under a passphrase (scrypt). Whoever starts the broker has to know it.

import { fromBase64Url, toBase64Url } from "@adyton/core/bytes";
import { isJsonObject } from "@adyton/core/json";
import { BrokerError } from "../errors.ts";
import { type RootKeyProvider, refusedKey, strangeRecord } from "./provider.ts";
import {
  DEFAULT_COST,
  newPassphraseKey,
  openUnder,
  passphraseKey,
  type ScryptCost,
  sealUnder,
} from "./seal.ts";

export interface PassphraseOptions {
  /** Asked once for each time the keys are opened or, with `true`, put away. */
  readonly passphrase: (isNew: boolean) => Promise<string>;
  /** For new records; what is there keeps the cost it was made with. */
  readonly cost?: ScryptCost;
}

const KIND = "passphrase";
const CONTEXT = "adyton root keys under a passphrase";
const MIN_LENGTH = 12;

/** Throws nothing; `protect` rejects with `ROOT_KEY_REFUSED` for passphrases of fewer than 12 characters. */
export function passphraseProvider({ passphrase, cost = DEFAULT_COST }: PassphraseOptions): RootKeyProvider {
  return {
    kind: KIND,
    protect: async (key) => {
      const text = await passphrase(true);
      if ([...text].length < MIN_LENGTH) {
        throw new BrokerError(
          "ROOT_KEY_REFUSED",
          "misuse",
          `Cannot keep the root keys under this passphrase: expected at least ${MIN_LENGTH} characters`,
          { hint: "Take six words at random, for example." },
        );
      }
      const made = await newPassphraseKey(text, cost);
      return { ...made.record, wrapped: toBase64Url(sealUnder(made.key, CONTEXT, key)) };
    },
    recover: async (record) => {
      if (!isJsonObject(record) || typeof record.wrapped !== "string") throw strangeRecord(KIND);
      const key = await passphraseKey(await passphrase(false), record);
      const opened = openUnder(key, CONTEXT, fromBase64Url(record.wrapped));
      if (opened === undefined)
        throw refusedKey("the passphrase is not theirs", "Check the file or variable that holds it.");
      return opened;
    },
  };
}
