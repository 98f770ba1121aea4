// SPDX-License-Identifier: Apache-2.0
// Values that a plugin makes on first use and keeps: the same for all replicas, whoever came first.

import type { JsonObject } from "@adyton/core/json";
import { auditChange } from "../audit.ts";
import { BrokerError } from "../errors.ts";
import type { Space } from "../store/types.ts";
import type { PluginContext } from "./types.ts";

const SPACE: Space = "plugin";

/** The sealed value under `key`, undefined when there is none. */
export async function sealedValue(
  key: string,
  { store, vault }: PluginContext,
): Promise<Uint8Array | undefined> {
  const sealed = await store.get(SPACE, key);
  return sealed === undefined ? undefined : vault.open(SPACE, key, sealed);
}

/** The sealed value under `key`, or what `make` makes; `event` goes into the audit log with it. */
export async function sealedOnce(
  key: string,
  context: PluginContext,
  event: JsonObject & { readonly type: string },
  make: () => Uint8Array | Promise<Uint8Array>,
): Promise<Uint8Array> {
  const { store, vault, now } = context;
  for (;;) {
    const known = await sealedValue(key, context);
    if (known !== undefined) return known;
    const made = await make();
    try {
      await store.write([
        { kind: "check", space: SPACE, key, expect: undefined },
        { kind: "put", space: SPACE, key, value: vault.seal(SPACE, key, made) },
        auditChange(now, event),
      ]);
      return made;
    } catch (error) {
      made.fill(0);
      if (!(error instanceof BrokerError) || error.code !== "STORE_CONFLICT") throw error;
    }
  }
}

/** Removes it. Answers whether it was there. */
export async function removeSealed(
  key: string,
  { store, now }: PluginContext,
  event: JsonObject & { readonly type: string },
): Promise<boolean> {
  const sealed = await store.get(SPACE, key);
  if (sealed === undefined) return false;
  await store.write([{ kind: "delete", space: SPACE, key }, auditChange(now, event)]);
  return true;
}
