// SPDX-License-Identifier: Apache-2.0
// The root keys of a running broker: opened once through their provider, rotated, moved to another provider, and read
// again when another process changed them. Each change is one write of one text: before it everything is as it was,
// after it everything is done, and of two at once the second sees the first.

import { randomBytes } from "node:crypto";
import { equal, toHex } from "@adyton/core/bytes";
import { BrokerError } from "../errors.ts";
import type { Change } from "../store/types.ts";
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
import type { RingPlace } from "./ring-place.ts";
import { deriveKey, KEY_BYTES, newRecipient, openAs, type RecipientPair } from "./seal.ts";
import { sharesOf } from "./shares.ts";

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

/** Who keeps the key of a ring; undefined: who is to keep a new one. */
type ProviderOf = (kind: string | undefined) => RootKeyProvider;

const ATTEMPTS = 10;

export class RootKeys {
  readonly vault: Vault;
  readonly #place: RingPlace;
  readonly #provider: ProviderOf | undefined;
  #key: Uint8Array;
  #ring: Ring;
  #text: string;
  #keys: readonly [VaultKey, ...VaultKey[]];
  #reading: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  private constructor(place: RingPlace, key: Uint8Array, text: string, provider?: ProviderOf) {
    this.#place = place;
    this.#provider = provider;
    this.#key = key;
    this.#text = text;
    this.#ring = decodeRing(text, key);
    this.#keys = vaultKeysOf(this.#ring);
    this.vault = createVault({ current: () => this.#keys });
  }

  /** Opens the root keys, or makes the first. Rejects with `STATE_INVALID` and what `provider` rejects with. */
  static async open(place: RingPlace, provider: ProviderOf, now: Date): Promise<RootKeys> {
    const text = (await place.read()) ?? (await RootKeys.#create(place, provider(undefined), now));
    return new RootKeys(place, await keyOf(text, provider), text, provider);
  }

  /** Opens the root keys by a private key that their recovery shares hold. Rejects with `SHARE_INVALID`. */
  static async recover(place: RingPlace, pair: RecipientPair): Promise<RootKeys> {
    const text = await place.read();
    if (text === undefined) throw missing();
    const sealed = sealedToRecipients(text).find(({ publicKey }) => equal(publicKey, pair.publicKey));
    const key = sealed && openAs(pair, RECOVERY_PURPOSE, sealed.sealed);
    if (key === undefined) {
      throw new BrokerError(
        "SHARE_INVALID",
        "not-authentic",
        "Cannot recover: these shares open another state",
        {
          hint: "See the ids of the share sets in the root keys (adyton root-key show).",
        },
      );
    }
    return new RootKeys(place, key, text);
  }

  /** The text of a ring that is brought back from a backup, under `provider`. */
  static async wrapped(ring: Omit<Ring, "provider">, provider: RootKeyProvider): Promise<string> {
    const key = randomBytes(KEY_BYTES);
    const record = await provider.protect(key);
    return encodeRing({ ...ring, provider: { kind: provider.kind, record } }, key);
  }

  static async #create(place: RingPlace, provider: RootKeyProvider, now: Date): Promise<string> {
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
    const found = await place.create(text);
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

  /** Whether values under this generation open. */
  knows(id: string): boolean {
    return this.#keys.some((key) => key.id === id);
  }

  /** Of a write, that these root keys are still the ones; undefined where they do not stand in the store. */
  condition(): Change | undefined {
    return this.#place.holds?.(this.#text);
  }

  /**
   * Takes over what another process made of the root keys, also when it moved them to where their provider, as it was given
   * here, finds them. Rejects with `STATE_INVALID` and keeps what it has.
   */
  refresh(): Promise<void> {
    // Who asks while somebody reads may need what came after that.
    this.#next ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        this.#reading = this.#read();
        return this.#reading;
      });
    return this.#next;
  }

  async #read(): Promise<void> {
    const least = this.#ring.version;
    const text = await this.#place.read();
    if (text === undefined) throw missing();
    if (text === this.#text) return;
    const { key, ring } = await this.#opened(text);
    // Whoever can write there could bring back keys that were destroyed.
    if (ring.version < least) throw setBack(ring.version, least);
    // A change of our own was faster than the reading.
    if (ring.version <= this.#ring.version) return;
    this.#key = key;
    this.#use(ring, text);
  }

  async #opened(text: string): Promise<{ readonly key: Uint8Array; readonly ring: Ring }> {
    try {
      return { key: this.#key, ring: decodeRing(text, this.#key) };
    } catch (changed) {
      // They are under another key: moved, or split.
      if (this.#provider === undefined) throw changed;
      try {
        const key = await keyOf(text, this.#provider);
        return { key, ring: decodeRing(text, key) };
      } catch (cause) {
        throw moved(cause);
      }
    }
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
    const key = randomBytes(KEY_BYTES);
    const record = await to.protect(key);
    let old = this.#ring.provider;
    try {
      await this.#change((ring) => {
        old = ring.provider;
        return { ...edit(ring), provider: { kind: to.kind, record } };
      }, key);
    } catch (error) {
      // Once the new text stands, only what it refers to opens it: even if the disk failed right after.
      const stands = await this.#place.read().catch(() => undefined);
      if (stands === this.#text) await to.forget?.(record);
      throw error;
    }
    await from?.forget?.(old.record);
  }

  async #change(edit: (ring: Ring) => Ring, newKey?: Uint8Array): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      await this.refresh();
      const key = newKey ?? this.#key;
      const ring = { ...edit(this.#ring), version: this.#ring.version + 1 };
      const text = encodeRing(ring, key);
      if (!(await this.#place.replace(this.#text, text))) continue;
      this.#key = key;
      this.#use(ring, text);
      return;
    }
    throw changed();
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
  if (first === undefined) throw missing();
  return [first, ...others];
}

function keyOf(text: string, provider: ProviderOf): Promise<Uint8Array> {
  const { kind, record } = providerIn(text);
  return provider(kind).recover(record);
}

function missing(): BrokerError {
  return new BrokerError("STATE_INVALID", "misuse", "Cannot use the root keys: they are missing", {
    hint: "Restore them from a backup.",
  });
}

function changed(): BrokerError {
  return new BrokerError(
    "STATE_INVALID",
    "misuse",
    "Cannot change the root keys: others change them all the time",
    { hint: "Try again." },
  );
}

function setBack(found: number, least: number): BrokerError {
  return new BrokerError(
    "STATE_INVALID",
    "not-authentic",
    `Cannot use the root keys: they are at change ${found}, expected ${least} or a later one`,
    {
      hint: "Somebody set them back. Put back those of now, or restart the broker if that is what you want.",
    },
  );
}

function moved(cause: unknown): BrokerError {
  return new BrokerError(
    "STATE_INVALID",
    "not-authentic",
    "Cannot use the root keys: they were changed, or moved to where this process does not find them",
    { cause, hint: "If they were moved, restart the broker with what opens them now." },
  );
}
