// SPDX-License-Identifier: Apache-2.0
// One tenant's part of the store and the vault: everything it keeps stands in spaces of its own, is sealed to them, and
// what it does stands in the one log under its name. No route knows that there are others.

import type { Ephemeral } from "../store/ephemeral.ts";
import type { Change, Store } from "../store/types.ts";
import type { Vault } from "../vault.ts";

/** The store as `tenant` sees it. Closing it is not the tenant's affair: `close` does nothing. */
export function scopedStore(store: Store, tenant: string): Store {
  const inside = (space: string): string => `${tenant}/${space}`;
  const scoped = (change: Change): Change =>
    change.kind === "append"
      ? { ...change, event: { ...change.event, tenant } }
      : { ...change, space: inside(change.space) };
  return {
    ephemeral: scopedEphemeral(store.ephemeral, inside),
    get: (space, key) => store.get(inside(space), key),
    keys: (space, prefix) => store.keys(inside(space), prefix),
    entries: (space) => store.entries(inside(space)),
    spaces: async () => {
      const prefix = inside("");
      const all = await store.spaces();
      return all.filter((space) => space.startsWith(prefix)).map((space) => space.slice(prefix.length));
    },
    write: (changes) => store.write(changes.map(scoped)),
    log: (after, limit) => store.log(after, limit),
    logHead: () => store.logHead(),
    logNodes: (places) => store.logNodes(places),
    close: async () => {},
  };
}

/** The vault as `tenant` sees it: what one tenant's sealed opens nowhere else. */
export function scopedVault(vault: Vault, tenant: string): Vault {
  return {
    get keyId() {
      return vault.keyId;
    },
    seal: (space, key, plaintext) => vault.seal(`${tenant}/${space}`, key, plaintext),
    open: (space, key, sealed) => vault.open(`${tenant}/${space}`, key, sealed),
  };
}

function scopedEphemeral(ephemeral: Ephemeral, inside: (space: string) => string): Ephemeral {
  return {
    shared: ephemeral.shared,
    put: (space, key, value, expires, now) => ephemeral.put(inside(space), key, value, expires, now),
    get: (space, key, now) => ephemeral.get(inside(space), key, now),
    replace: (space, key, from, to, now) => ephemeral.replace(inside(space), key, from, to, now),
    delete: (space, key, now) => ephemeral.delete(inside(space), key, now),
    count: (space, now) => ephemeral.count(inside(space), now),
    add: (space, amounts, expires, now) => ephemeral.add(inside(space), amounts, expires, now),
  };
}
