// SPDX-License-Identifier: Apache-2.0
// What all replicas of a broker have in common, sealed in the store: the keys it speaks with, made once by whichever of them
// is first; and a note of the owner's token, which each keeps in a file.

import { createHash } from "node:crypto";
import { equal, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { BrokerError } from "./errors.ts";
import type { Logger } from "./log.ts";
import type { Change, Store } from "./store/types.ts";
import type { Vault } from "./vault.ts";

const SPACE = "key";
/** Names of shared secrets: the key of the audit log, and those of tokens. */
export const LOG_KEY = "log-signing";
export const TOKEN_KEYS = "token-signing";
const OWNER = "owner-token";

/** A secret text as it stands in the store, for compare-and-set. */
export interface SharedSecret {
  readonly text: string;
  readonly sealed: Uint8Array;
}

/** The secret of this name, undefined where there is none. Rejects with `SECRET_CORRUPT`. */
export async function readSharedSecret(
  store: Store,
  vault: Vault,
  name: string,
): Promise<SharedSecret | undefined> {
  const sealed = await store.get(SPACE, name);
  return sealed === undefined ? undefined : { text: toUtf8(vault.open(SPACE, name, sealed)), sealed };
}

/** The secret of this name: of several processes that make it at once, all get the same. */
export async function sharedSecret(
  store: Store,
  vault: Vault,
  name: string,
  make: () => string | Promise<string>,
): Promise<SharedSecret> {
  for (;;) {
    const kept = await readSharedSecret(store, vault, name);
    if (kept !== undefined) return kept;
    await replaceSharedSecret(store, vault, name, undefined, await make());
  }
}

/** Puts a text in the place of what was read, with other changes `beside`, and answers whether it did: nobody else may have come before. */
export async function replaceSharedSecret(
  store: Store,
  vault: Vault,
  name: string,
  from: SharedSecret | undefined,
  to: string,
  beside: readonly Change[] = [],
): Promise<boolean> {
  try {
    await store.write([
      { kind: "check", space: SPACE, key: name, expect: from?.sealed },
      { kind: "put", space: SPACE, key: name, value: vault.seal(SPACE, name, fromUtf8(to)) },
      ...beside,
    ]);
    return true;
  } catch (error) {
    if (error instanceof BrokerError && error.code === "STORE_CONFLICT") return false;
    throw error;
  }
}

/** Warns where this replica has another owner's token than the one that started first, and takes only its own. */
export async function checkOwnerToken(
  store: Store,
  vault: Vault,
  token: string,
  logger: Logger,
): Promise<void> {
  const mine = createHash("sha256").update(token).digest("hex");
  const { text, sealed } = await sharedSecret(store, vault, OWNER, () => mine);
  if (equal(fromUtf8(text), fromUtf8(mine))) return;
  logger.warn("the owner's token is another than before: replicas take each its own");
  await replaceSharedSecret(store, vault, OWNER, { text, sealed }, mine);
}
