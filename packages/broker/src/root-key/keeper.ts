// SPDX-License-Identifier: Apache-2.0
// The root keys of a running broker: opened once through their provider, rotated, moved to another provider, and read
// again when another process rotated them. Each change is one write of one file: before it everything is as it was,
// after it everything is done.

import { randomBytes } from "node:crypto";
import { equal, toHex } from "@adyton/core/bytes";
import { BrokerError } from "../errors.ts";
import { createVault, type Vault, type VaultKey, vaultKeyOf } from "../vault.ts";
import type { RootKeyProvider } from "./provider.ts";
import {
  decodeRing,
  encodeRing,
  providerIn,
  RECOVERY_PURPOSE,
  type Recipient,
  type Ring,
  sealedToRecipients,
} from "./ring.ts";
import { deriveKey, KEY_BYTES, newRecipient, openAs, type RecipientPair } from "./seal.ts";
import { sharesOf } from "./shares.ts";

/** Where `root-keys.json` stands. Every method throws `STATE_INVALID`. */
export interface RingFile {
  /** Synchronous: a value may need a key that came a moment ago. */
  read(): string | undefined;
  /** What stands there afterwards: `text`, or what stood there before. */
  create(text: string): Promise<string>;
  /** Whole or not at all. */
  replace(text: string): Promise<void>;
}

/** What may be shown of the root keys. */
export interface RootKeyFacts {
  readonly provider: string;
  readonly active: string;
  readonly generations: readonly {
    readonly id: string;
    readonly created: string;
    readonly retired?: string;
  }[];
  readonly recipients: readonly {
    readonly id: string;
    readonly threshold: number;
    readonly shares: number;
    readonly created: string;
  }[];
}

export interface SplitOptions {
  /** At least 2. */
  readonly threshold: number;
  /** At most 255. */
  readonly shares: number;
  /** Shares that were handed out before stay good. */
  readonly keep?: boolean;
}

export class RootKeys {
  readonly vault: Vault;
  readonly #file: RingFile;
  #key: Uint8Array;
  #ring: Ring;
  #text: string;
  #keys: readonly [VaultKey, ...VaultKey[]];

  private constructor(file: RingFile, key: Uint8Array, text: string) {
    this.#file = file;
    this.#key = key;
    this.#text = text;
    this.#ring = decodeRing(text, key);
    this.#keys = vaultKeysOf(this.#ring);
    this.vault = createVault({
      current: () => this.#keys,
      reload: () => this.refresh(),
    });
  }

  /** Opens the root keys, or makes the first. Rejects with `STATE_INVALID` and what `provider` rejects with. */
  static async open(
    file: RingFile,
    provider: (kind: string | undefined) => RootKeyProvider,
    now: Date,
  ): Promise<RootKeys> {
    const text = file.read() ?? (await RootKeys.#create(file, provider(undefined), now));
    const { kind, record } = providerIn(text);
    return new RootKeys(file, await provider(kind).recover(record), text);
  }

  /** Opens the root keys by a private key that their recovery shares hold. Rejects with `SHARE_INVALID`. */
  static recover(file: RingFile, pair: RecipientPair): RootKeys {
    const text = file.read();
    if (text === undefined) throw missing();
    const sealed = sealedToRecipients(text).find(({ publicKey }) => equal(publicKey, pair.publicKey));
    const key = sealed && openAs(pair, RECOVERY_PURPOSE, sealed.sealed);
    if (key === undefined) {
      throw new BrokerError(
        "SHARE_INVALID",
        "not-authentic",
        "Cannot recover: these shares open another state",
        {
          hint: "See the ids of the share sets in root-keys.json.",
        },
      );
    }
    return new RootKeys(file, key, text);
  }

  /** The key pair of a ring that is brought back from a backup: written under `provider`, nothing else is here yet. */
  static async adopt(file: RingFile, ring: Omit<Ring, "provider">, provider: RootKeyProvider): Promise<void> {
    const key = randomBytes(KEY_BYTES);
    const record = await provider.protect(key);
    const text = encodeRing({ ...ring, provider: { kind: provider.kind, record } }, key);
    if ((await file.create(text)) !== text) throw changed();
  }

  static async #create(file: RingFile, provider: RootKeyProvider, now: Date): Promise<string> {
    const key = randomBytes(KEY_BYTES);
    const record = await provider.protect(key);
    const first = newGeneration(now);
    const ring: Ring = {
      version: 1,
      provider: { kind: provider.kind, record },
      active: first.id,
      generations: [first],
      recipients: [],
    };
    const text = encodeRing(ring, key);
    const found = await file.create(text);
    // Another process was faster: what this one put away opens nothing.
    if (found !== text) await provider.forget?.(record);
    return found;
  }

  /** For a backup: everything, in the clear. Never show it. */
  get ring(): Ring {
    return this.#ring;
  }

  facts(): RootKeyFacts {
    const { provider, active, generations, recipients } = this.#ring;
    return {
      provider: provider.kind,
      active,
      generations: generations.map(({ id, created, retired }) => ({
        id,
        created: created.toISOString(),
        ...(retired === undefined ? {} : { retired: retired.toISOString() }),
      })),
      recipients: recipients.map(({ id, threshold, shares, created }) => ({
        ...{ id, threshold, shares },
        created: created.toISOString(),
      })),
    };
  }

  /** Takes over what another process made of the root keys. Throws `STATE_INVALID` and keeps what it has. */
  refresh(): void {
    const text = this.#file.read();
    if (text === undefined) throw missing();
    if (text === this.#text) return;
    this.#use(decodeRing(text, this.#key), text);
  }

  /** A new generation seals from here on; the others still open. */
  async rotate(now: Date): Promise<void> {
    const fresh = newGeneration(now);
    await this.#change((ring) => ({
      ...ring,
      active: fresh.id,
      generations: [fresh, ...ring.generations],
    }));
  }

  /** Notes which generations nothing is sealed under, and destroys those for which that was noted before `horizon`. */
  async retire(used: ReadonlySet<string>, now: Date, horizon: Date): Promise<void> {
    const next = (ring: Ring) =>
      ring.generations.flatMap((generation): Ring["generations"] => {
        const { retired, ...rest } = generation;
        if (generation.id === ring.active || used.has(generation.id)) return [rest];
        if (retired === undefined) return [{ ...rest, retired: now }];
        return retired.getTime() <= horizon.getTime() ? [] : [generation];
      });
    const before = this.#ring.generations;
    const after = next(this.#ring);
    const same =
      after.length === before.length &&
      after.every(({ retired }, at) => retired?.getTime() === before[at]?.retired?.getTime());
    if (!same) await this.#change((ring) => ({ ...ring, generations: next(ring) }));
  }

  /** Puts the root keys under another provider, or under a new key of the same; the generations stay. */
  async move(to: RootKeyProvider, from?: RootKeyProvider): Promise<void> {
    await this.#rewrap(to, from, (ring) => ring);
  }

  /**
   * New recovery shares, any `threshold` of which open the root keys. They are nowhere else: hand each to its holder.
   * Those that were split before are void, unless `keep`. The provider gets a new key to keep, so that older shares with
   * an older file open nothing that comes later.
   */
  async split(
    { threshold, shares, keep = false }: SplitOptions,
    provider: RootKeyProvider,
    now: Date,
  ): Promise<readonly string[]> {
    const pair = newRecipient();
    const lines = sharesOf(pair.privateKey, threshold, shares);
    const id = toHex(deriveKey(pair.publicKey, "recipient id").subarray(0, 4));
    const recipient: Recipient = { id, publicKey: pair.publicKey, threshold, shares, created: now };
    await this.#rewrap(provider, provider, (ring) => ({
      ...ring,
      recipients: [...(keep ? ring.recipients : []), recipient],
    }));
    return lines;
  }

  async #rewrap(
    to: RootKeyProvider,
    from: RootKeyProvider | undefined,
    edit: (ring: Ring) => Ring,
  ): Promise<void> {
    this.refresh();
    const old = this.#ring.provider;
    const key = randomBytes(KEY_BYTES);
    const record = await to.protect(key);
    try {
      await this.#change((ring) => ({ ...edit(ring), provider: { kind: to.kind, record } }), key);
    } catch (error) {
      // Once the new file stands, only what it refers to opens it: even if the disk failed right after.
      if (this.#file.read() === this.#text) await to.forget?.(record);
      throw error;
    }
    await from?.forget?.(old.record);
  }

  async #change(edit: (ring: Ring) => Ring, key: Uint8Array = this.#key): Promise<void> {
    this.refresh();
    const ring = { ...edit(this.#ring), version: this.#ring.version + 1 };
    const text = encodeRing(ring, key);
    await this.#file.replace(text);
    this.#key = key;
    this.#use(ring, text);
  }

  #use(ring: Ring, text: string): void {
    this.#keys = vaultKeysOf(ring);
    this.#ring = ring;
    this.#text = text;
  }
}

function newGeneration(created: Date): Ring["generations"][number] {
  const key = randomBytes(KEY_BYTES);
  return { id: vaultKeyOf(key).id, created, key };
}

function vaultKeysOf({ active, generations }: Ring): readonly [VaultKey, ...VaultKey[]] {
  const [first, ...others] = [
    ...generations.filter(({ id }) => id === active),
    ...generations.filter(({ id }) => id !== active),
  ].map(({ key }) => vaultKeyOf(key));
  if (first === undefined) throw changed();
  return [first, ...others];
}

function missing(): BrokerError {
  return new BrokerError("STATE_INVALID", "misuse", "Cannot use the root keys: root-keys.json is missing", {
    hint: "Restore it from a backup.",
  });
}

function changed(): BrokerError {
  return new BrokerError("STATE_INVALID", "misuse", "Cannot use the root keys: others are there already", {
    hint: "Choose an empty state folder.",
  });
}
