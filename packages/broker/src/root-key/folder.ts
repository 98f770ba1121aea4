// SPDX-License-Identifier: Apache-2.0
// The root keys of a state while no broker has it open, for whoever works on the keys themselves.

import { BrokerError } from "../errors.ts";
import { openPostgresStore } from "../store/postgres.ts";
import type { PostgresOptions } from "../store/postgres-pool.ts";
import type { WholeStore } from "../store/types.ts";
import { type RootKeyAccess, rootKeyProvider } from "./access.ts";
import { RootKeys } from "./keeper.ts";
import { ROOT_KEYS, ringFileIn } from "./ring-file.ts";
import { type RingPlace, ringInStore } from "./ring-place.ts";
import { recipientOfShares } from "./shares.ts";

/** Where a state is, apart from its folder. */
export interface RootKeyPlace {
  readonly postgres?: PostgresOptions & { readonly url: string };
}

/**
 * Those that are there, opened by their provider, for as long as `use` takes. In a database they have to be of the kind that
 * `access` names, and at its place. Rejects with `STATE_INVALID` where none are, and as the provider does.
 */
export function withRootKeys<T>(
  folder: string,
  access: RootKeyAccess,
  now: Date,
  use: (keys: RootKeys) => Promise<T>,
  { postgres }: RootKeyPlace = {},
): Promise<T> {
  const told = { ...access, pinned: postgres !== undefined };
  return atPlace(folder, postgres, async (place) =>
    use(await RootKeys.open(place, (kind) => rootKeyProvider(kind, folder, told), now)),
  );
}

/** Those that are there, opened by recovery shares. Rejects with `STATE_INVALID` or `SHARE_INVALID`. */
export function withRecoveredRootKeys<T>(
  folder: string,
  shares: readonly string[],
  use: (keys: RootKeys) => Promise<T>,
  { postgres }: RootKeyPlace = {},
): Promise<T> {
  const pair = recipientOfShares(shares);
  return atPlace(folder, postgres, async (place) => use(await RootKeys.recover(place, pair)));
}

async function atPlace<T>(
  folder: string,
  postgres: RootKeyPlace["postgres"],
  use: (place: RingPlace) => Promise<T>,
): Promise<T> {
  let store: WholeStore | undefined;
  try {
    if (postgres !== undefined) store = await openPostgresStore(postgres.url, NO_LOG, postgres);
    const place = store === undefined ? ringFileIn(folder) : ringInStore(store);
    if ((await place.read()) === undefined) throw noKeys(store === undefined ? folder : "the database");
    return await use(place);
  } finally {
    await store?.close();
  }
}

/** Root keys change without an entry: there is no broker that could sign it. */
const NO_LOG = {
  append: () => {
    throw new BrokerError("STORE_FAILED", "misuse", "Cannot write to the audit log: its key is not open");
  },
};

function noKeys(where: string): BrokerError {
  return new BrokerError("STATE_INVALID", "misuse", `Cannot open the root keys: ${where} has none`, {
    detail: { path: where },
    hint: `Name the state folder with --dir (it holds ${ROOT_KEYS}), or the database with --postgres-url-file.`,
  });
}
