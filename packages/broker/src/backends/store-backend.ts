// SPDX-License-Identifier: Apache-2.0
// Secrets sealed in the broker's own store. The newest version stands under its name with the history in front, so that a
// release is one read; older versions and deleted secrets stand in spaces of their own.

import { concat, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { BrokerError } from "../errors.ts";
import type { Change, Space, Store } from "../store/types.ts";
import type { Vault } from "../vault.ts";
import type { Beside, ResourceBackend, ResourceHistory, ResourceVersion, StoredResource } from "./types.ts";

export interface StoreBackendOptions {
  readonly store: Store;
  readonly vault: Vault;
  /** Older ones are dropped. Default 20. */
  readonly maxVersions?: number;
}

/** What stands in front of a secret. */
interface Head {
  readonly deleted?: string;
  /** Newest first; the first is the secret behind the head. */
  readonly versions: readonly [Required<ResourceVersion>, ...Required<ResourceVersion>[]];
}

interface Entry {
  readonly sealed: Uint8Array;
  readonly head: Head;
  readonly secret: Uint8Array;
}

const NEWEST: Space = "resource";
const OLDER: Space = "resource-version";
const DELETED: Space = "resource-deleted";
const DEFAULT_MAX_VERSIONS = 20;
const LENGTH_BYTES = 4;
/** Writers that meet each other on one name: each round, one of them gets through. */
const TRIES = 20;

export function storeBackend(options: StoreBackendOptions): ResourceBackend {
  return new StoreBackend(options);
}

class StoreBackend implements ResourceBackend {
  readonly kind: string = "store";
  readonly transactional: boolean = true;
  readonly #store: Store;
  readonly #vault: Vault;
  readonly #maxVersions: number;

  constructor({ store, vault, maxVersions = DEFAULT_MAX_VERSIONS }: StoreBackendOptions) {
    this.#store = store;
    this.#vault = vault;
    this.#maxVersions = Math.max(1, maxVersions);
  }

  async get(name: string, version?: number): Promise<StoredResource | undefined> {
    const newest = await this.#read(NEWEST, name);
    if (newest === undefined) return undefined;
    const [{ version: current }] = newest.head.versions;
    if (version === undefined || version === current) return { secret: newest.secret, version: current };
    newest.secret.fill(0);
    const key = olderKey(name, version);
    const sealed = await this.#store.get(OLDER, key);
    return sealed === undefined ? undefined : { secret: this.#vault.open(OLDER, key, sealed), version };
  }

  async put(name: string, secret: Uint8Array, beside: Beside): Promise<number> {
    const created = beside.now.toISOString();
    return this.#retrying(async () => {
      const before = await this.#read(NEWEST, name);
      if (before === undefined && (await this.#store.get(DELETED, name)) !== undefined) throw reserved(name);
      const version = (before?.head.versions[0].version ?? 0) + 1;
      const past = before?.head.versions ?? [];
      const head: Head = {
        versions: [{ version, created, bytes: secret.length }, ...past.slice(0, this.#maxVersions - 1)],
      };
      await this.#store.write([
        this.#check(NEWEST, name, before),
        { kind: "check", space: DELETED, key: name, expect: undefined },
        ...this.#moved(name, before),
        ...past.slice(this.#maxVersions - 1).map((old) => dropped(name, old.version)),
        this.#written(NEWEST, name, head, secret),
        ...beside.changes(version),
      ]);
      before?.secret.fill(0);
      return version;
    });
  }

  delete(name: string, beside: Beside): Promise<boolean> {
    return this.#move(name, NEWEST, DELETED, beside, beside.now.toISOString());
  }

  restore(name: string, beside: Beside): Promise<boolean> {
    return this.#move(name, DELETED, NEWEST, beside);
  }

  async purge(name: string, beside: Beside): Promise<boolean> {
    return this.#retrying(async () => {
      const entry = await this.#read(DELETED, name);
      if (entry === undefined) return false;
      entry.secret.fill(0);
      const keys = await this.#store.keys(OLDER, olderKey(name, ""));
      await this.#store.write([
        this.#check(DELETED, name, entry),
        { kind: "delete", space: DELETED, key: name },
        ...keys.map((key): Change => ({ kind: "delete", space: OLDER, key })),
        ...beside.changes(entry.head.versions[0].version),
      ]);
      return true;
    });
  }

  list(prefix: string = ""): Promise<readonly string[]> {
    return this.#store.keys(NEWEST, prefix);
  }

  async versions(name: string): Promise<ResourceHistory | undefined> {
    const entry = (await this.#read(NEWEST, name)) ?? (await this.#read(DELETED, name));
    entry?.secret.fill(0);
    return entry?.head;
  }

  /** From one space to another; what is there already stays, and nothing happens. */
  #move(name: string, from: Space, to: Space, beside: Beside, deleted?: string): Promise<boolean> {
    return this.#retrying(async () => {
      const entry = await this.#read(from, name);
      if (entry === undefined) return false;
      const head = { ...(deleted === undefined ? {} : { deleted }), versions: entry.head.versions };
      await this.#store.write([
        this.#check(from, name, entry),
        { kind: "check", space: to, key: name, expect: undefined },
        { kind: "delete", space: from, key: name },
        this.#written(to, name, head, entry.secret),
        ...beside.changes(head.versions[0].version),
      ]);
      entry.secret.fill(0);
      return true;
    });
  }

  /** The version that was the newest, put aside; nothing for a first one. */
  #moved(name: string, before: Entry | undefined): readonly Change[] {
    if (before === undefined || this.#maxVersions === 1) return [];
    const key = olderKey(name, before.head.versions[0].version);
    return [{ kind: "put", space: OLDER, key, value: this.#vault.seal(OLDER, key, before.secret) }];
  }

  #check(space: Space, key: string, entry: Entry | undefined): Change {
    return { kind: "check", space, key, expect: entry?.sealed };
  }

  #written(space: Space, key: string, head: Head, secret: Uint8Array): Change {
    const text = fromUtf8(JSON.stringify(head));
    const length = new Uint8Array(LENGTH_BYTES);
    new DataView(length.buffer).setUint32(0, text.length);
    const plaintext = concat(length, text, secret);
    const value = this.#vault.seal(space, key, plaintext);
    plaintext.fill(0);
    return { kind: "put", space, key, value };
  }

  async #read(space: Space, key: string): Promise<Entry | undefined> {
    const sealed = await this.#store.get(space, key);
    if (sealed === undefined) return undefined;
    // Sealed by us, so it is as we wrote it.
    const plaintext = this.#vault.open(space, key, sealed);
    const view = new DataView(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
    const end = LENGTH_BYTES + view.getUint32(0);
    const head = JSON.parse(toUtf8(plaintext.subarray(LENGTH_BYTES, end))) as Head;
    return { sealed, head, secret: plaintext.subarray(end) };
  }

  /** Again when somebody else was faster. */
  async #retrying<T>(attempt: () => Promise<T>): Promise<T> {
    for (let tried = 1; ; tried++) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof BrokerError) || error.code !== "STORE_CONFLICT" || tried === TRIES)
          throw error;
      }
    }
  }
}

/** No part of a name holds an @. */
function olderKey(name: string, version: number | ""): string {
  return `${name}@${version}`;
}

function dropped(name: string, version: number): Change {
  return { kind: "delete", space: OLDER, key: olderKey(name, version) };
}

function reserved(name: string): BrokerError {
  return new BrokerError(
    "RESOURCE_DELETED",
    "misuse",
    `Cannot put ${name}: a secret of that name was deleted`,
    {
      detail: { resource: name },
      hint: `Bring it back with \`adyton secret restore ${name}\`, or remove it for good with \`adyton secret purge ${name}\`.`,
    },
  );
}
