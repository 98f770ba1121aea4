// SPDX-License-Identifier: Apache-2.0
// How much may be kept of a kind: of secrets with their versions in a tenant, of proposals that wait. Counted in the
// transaction that writes, so that no number of writers at once gets past it.

import { equal, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { z } from "zod";
import { BrokerError } from "../errors.ts";
import { jsonOf, matching } from "../protocol.ts";
import type { Change, Store } from "../store/types.ts";

/** Absent means without limit. */
export interface StorageQuota {
  /** Secrets; each kept version counts, and a deleted one until it is purged. */
  readonly maxResources?: number;
  /** Of all of them, as they are stored. */
  readonly maxBytes?: number;
}

export interface Usage {
  readonly resources: number;
  readonly bytes: number;
}

/** What is counted. */
export interface Kind {
  readonly spaces: RegExp;
  /** Where the count is kept. */
  readonly key: string;
  readonly exceeded: (limit: string) => BrokerError;
}

const SPACE = "usage";
/** `resource`, `resource-version`… */
const RESOURCES: Kind = { spaces: /^resource(?:-|$)/, key: "resources", exceeded };
const NOTHING: Usage = { resources: 0, bytes: 0 };
const form = z.strictObject({ resources: z.int(), bytes: z.int() });

/** The store, where writes beyond the quota reject with `QUOTA_EXCEEDED`. It counts without a quota, too. */
export function countedStore(store: Store, quota: StorageQuota, kind: Kind = RESOURCES): Store {
  const write = async (changes: readonly Change[]): Promise<readonly number[]> => {
    for (;;) {
      const before = await store.get(SPACE, kind.key);
      const counted = await countedChanges(store, changes, before, quota, kind);
      try {
        return (await store.write([...changes, ...counted])).slice(0, changes.length);
      } catch (error) {
        if (!(error instanceof BrokerError) || error.code !== "STORE_CONFLICT") throw error;
        // Where nobody else counted meanwhile, the conflict is the caller's own.
        if (same(before, await store.get(SPACE, kind.key))) throw error;
      }
    }
  };
  return {
    ephemeral: store.ephemeral,
    get: (space, key) => store.get(space, key),
    keys: (space, prefix) => store.keys(space, prefix),
    entries: (space) => store.entries(space),
    spaces: () => store.spaces(),
    write: (changes) =>
      changes.some((change) => change.kind !== "append" && kind.spaces.test(change.space))
        ? write(changes)
        : store.write(changes),
    log: (after, limit) => store.log(after, limit),
    logHead: () => store.logHead(),
    logNodes: (places) => store.logNodes(places),
    close: () => store.close(),
  };
}

/** What a tenant keeps; `store` is its own. */
export async function usageOf(store: Store): Promise<Usage> {
  return parsed(await store.get(SPACE, RESOURCES.key));
}

async function countedChanges(
  store: Store,
  changes: readonly Change[],
  before: Uint8Array | undefined,
  { maxBytes, maxResources }: StorageQuota,
  { exceeded, key: place, spaces }: Kind,
): Promise<readonly Change[]> {
  const checks: Change[] = [];
  const sizes = new Map<string, number | undefined>();
  let { bytes, resources } = parsed(before);
  for (const change of changes) {
    if ((change.kind !== "put" && change.kind !== "delete") || !spaces.test(change.space)) continue;
    const { key, space } = change;
    const at = `${space}\0${key}`;
    if (!sizes.has(at)) {
      const expect = await store.get(space, key);
      sizes.set(at, expect?.length);
      checks.push({ kind: "check", space, key, expect });
    }
    const was = sizes.get(at);
    const is = change.kind === "put" ? change.value.length : undefined;
    resources += (is === undefined ? 0 : 1) - (was === undefined ? 0 : 1);
    bytes += (is ?? 0) - (was ?? 0);
    sizes.set(at, is);
  }
  const old = parsed(before);
  // Whoever has too much already can still delete.
  if (maxResources !== undefined && resources > maxResources && resources > old.resources)
    throw exceeded(`${maxResources} secrets with their versions`);
  if (maxBytes !== undefined && bytes > maxBytes && bytes > old.bytes) throw exceeded(`${maxBytes} bytes`);
  const value = fromUtf8(JSON.stringify({ resources, bytes }));
  return [
    ...checks,
    { kind: "check", space: SPACE, key: place, expect: before },
    { kind: "put", space: SPACE, key: place, value },
  ];
}

function parsed(value: Uint8Array | undefined): Usage {
  return value === undefined ? NOTHING : matching(form, jsonOf(toUtf8(value)));
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equal(a, b);
}

function exceeded(what: string): BrokerError {
  return new BrokerError("QUOTA_EXCEEDED", "policy", `Cannot store it: the tenant may keep ${what}`, {
    hint: "Purge what is not needed, or ask the owner of the broker for more.",
  });
}
