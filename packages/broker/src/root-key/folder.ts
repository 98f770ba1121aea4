// SPDX-License-Identifier: Apache-2.0
// The root keys of a state folder, for whoever works on the folder itself.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { BrokerError } from "../errors.ts";
import { type RootKeyAccess, rootKeyProvider } from "./access.ts";
import { RootKeys } from "./keeper.ts";
import { ROOT_KEYS, ringFileIn } from "./ring-file.ts";
import { recipientOfShares } from "./shares.ts";

/** Those that are there, opened by their provider. Rejects with `STATE_INVALID` where none are, and as the provider does. */
export function openRootKeys(folder: string, access: RootKeyAccess, now: Date): Promise<RootKeys> {
  checkThere(folder);
  return RootKeys.open(ringFileIn(folder), (kind) => rootKeyProvider(kind, folder, access), now);
}

/** Those that are there, opened by recovery shares. Throws `STATE_INVALID` or `SHARE_INVALID`. */
export function recoverRootKeys(folder: string, shares: readonly string[]): RootKeys {
  checkThere(folder);
  return RootKeys.recover(ringFileIn(folder), recipientOfShares(shares));
}

function checkThere(folder: string): void {
  if (existsSync(join(folder, ROOT_KEYS))) return;
  throw new BrokerError(
    "STATE_INVALID",
    "misuse",
    `Cannot open the root keys: ${folder} has no ${ROOT_KEYS}`,
    {
      detail: { path: folder },
      hint: "Name the state folder with --dir.",
    },
  );
}
