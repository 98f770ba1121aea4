// SPDX-License-Identifier: Apache-2.0
// Several replicas over one database have the same keys, or one could not read what another wrote. Said at the start
// instead of at the first secret.

import { equal, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { BrokerError } from "./errors.ts";
import type { Logger } from "./log.ts";
import type { Store } from "./store/types.ts";
import type { Vault } from "./vault.ts";

const SPACE = "key";
const MARK = "replicas";

/**
 * Notes in the store which keys its replicas have, or compares. Rejects with `STATE_INVALID` where the root key is another's;
 * warns where the key that signs tokens has changed, since then replicas with the old one refuse the tokens of the others.
 */
export async function checkSharedKeys(
  store: Store,
  vault: Vault,
  signingKeyId: string,
  logger: Logger,
): Promise<void> {
  const mine = fromUtf8(signingKeyId);
  for (;;) {
    const kept = await store.get(SPACE, MARK);
    if (kept !== undefined) {
      const known = opened(vault, kept);
      if (equal(known, mine)) return;
      logger.warn("tokens are signed with another key than before", {
        keyId: signingKeyId,
        before: toUtf8(known),
      });
    }
    try {
      await store.write([
        { kind: "check", space: SPACE, key: MARK, expect: kept },
        { kind: "put", space: SPACE, key: MARK, value: vault.seal(SPACE, MARK, mine) },
      ]);
      return;
    } catch (error) {
      // Another replica was faster: look again.
      if (!(error instanceof BrokerError && error.code === "STORE_CONFLICT")) throw error;
    }
  }
}

function opened(vault: Vault, kept: Uint8Array): Uint8Array {
  try {
    return vault.open(SPACE, MARK, kept);
  } catch (cause) {
    throw new BrokerError(
      "STATE_INVALID",
      "misuse",
      "Cannot use the database: its secrets are sealed under another root key than the one in this state folder",
      {
        cause,
        hint: "Give each replica the same root keys, ear-signing.jwk, log-signing.jwk and admin.token: those of the first one.",
      },
    );
  }
}
