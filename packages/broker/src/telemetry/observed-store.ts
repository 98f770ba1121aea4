// SPDX-License-Identifier: Apache-2.0
// A store and a vault that are watched: how long calls take, what comes into the audit log, which root keys are in use.

import type { Metrics } from "../metrics/metrics.ts";
import type { Store } from "../store/types.ts";
import { sealedUnder, type Vault } from "../vault.ts";
import { withSpan } from "./spans.ts";

/** Behaves as `store`. */
export function observedStore(store: Store, metrics: Metrics | undefined): Store {
  const timed = <T>(operation: string, run: () => Promise<T>): Promise<T> =>
    withSpan(`store ${operation}`, {}, async () => {
      const begun = performance.now();
      let ok = false;
      try {
        const result = await run();
        ok = true;
        return result;
      } finally {
        metrics?.stored(operation, (performance.now() - begun) / 1000, ok);
      }
    });
  return {
    ephemeral: store.ephemeral,
    get: (space, key) => timed("get", () => store.get(space, key)),
    spaces: () => timed("spaces", () => store.spaces()),
    keys: (space, prefix) => timed("keys", () => store.keys(space, prefix)),
    entries: (space) => timed("entries", () => store.entries(space)),
    write: async (changes) => {
      const touched = await timed("write", () => store.write(changes));
      for (const change of changes) if (change.kind === "append") metrics?.recorded(change.event);
      return touched;
    },
    log: (after, limit) => timed("log", () => store.log(after, limit)),
    logHead: () => timed("logHead", () => store.logHead()),
    logNodes: (places) => timed("logNodes", () => store.logNodes(places)),
    close: () => store.close(),
  };
}

/** Behaves as `vault`. */
export function observedVault(vault: Vault, metrics: Metrics | undefined): Vault {
  if (metrics === undefined) return vault;
  return {
    get keyId() {
      return vault.keyId;
    },
    seal: (space, key, plaintext) => {
      const sealed = vault.seal(space, key, plaintext);
      metrics.rootKeyUsed("seal", sealedUnder(sealed) ?? "unknown");
      return sealed;
    },
    open: (space, key, sealed) => {
      const opened = vault.open(space, key, sealed);
      // Only generations that are ours get this far.
      metrics.rootKeyUsed("open", sealedUnder(sealed) ?? "unknown");
      return opened;
    },
  };
}
