// SPDX-License-Identifier: Apache-2.0
// The keys that sign attestation results: one signs, those before it are shown for as long as their tokens hold. Sealed in
// the store, so that replicas have the same; of a key that no longer signs only the public half is kept.

import {
  EAR_ALGORITHMS,
  type EarAlgorithm,
  type EarSigningKey,
  generateEarKey,
  importEarKey,
} from "@adyton/appraisal";
import { calculateJwkThumbprint, type JWK } from "jose";
import { z } from "zod";
import { auditChange } from "../audit.ts";
import { type Clock, systemClock } from "../clock.ts";
import { BrokerError } from "../errors.ts";
import { jsonOf, matching } from "../protocol.ts";
import { readSharedSecret, replaceSharedSecret, type SharedSecret, TOKEN_KEYS } from "../shared-keys.ts";
import type { Store } from "../store/types.ts";
import type { Vault } from "../vault.ts";

/** What may be shown of a key. Times are RFC 3339. */
export interface TokenKeyFacts {
  /** RFC 7638 thumbprint: what tokens name in `kid`. */
  readonly id: string;
  readonly algorithm: EarAlgorithm;
  readonly created: string;
  /** Since when another one signs. */
  readonly retired?: string;
  /** Until when it is shown. */
  readonly until?: string;
}

export interface RotateTokenKey {
  /** How long the tokens hold that the present key has signed. */
  readonly lifetimeSeconds: number;
  /** Default: as the present one. */
  readonly algorithm?: EarAlgorithm;
  /** Whom the audit log names. */
  readonly by: string;
}

/** Methods reject with `STORE_FAILED`, `STORE_CLOSED` and `SECRET_CORRUPT`. */
export interface TokenKeys {
  signing(): Promise<EarSigningKey>;
  /** What tokens are checked with, the one that signs first. Looks again in the store where none of them has this `kid`. */
  publicKeys(kid?: string): Promise<readonly JWK[]>;
  /** The one that signs first. */
  list(): Promise<readonly TokenKeyFacts[]>;
  /** A new key signs from here on. Rejects with `KEY_REFUSED` where the program that runs the broker gave the key. */
  rotate(options: RotateTokenKey): Promise<readonly TokenKeyFacts[]>;
}

export interface TokenKeysOptions {
  readonly store: Store;
  readonly vault: Vault;
  readonly clock?: Clock;
}

/** After which another process's rotation is seen by whoever signs. */
const KEPT_MS = 1_000;
/** Another process may sign with the old key for a moment, and clocks differ. */
const SLACK_MS = 120_000;
const MAX_KEYS = 64;

const row = z.strictObject({
  jwk: z.record(z.string(), z.unknown()),
  algorithm: z.enum(EAR_ALGORITHMS),
  created: z.iso.datetime(),
  retired: z.iso.datetime().exactOptional(),
  until: z.iso.datetime().exactOptional(),
});
type Row = z.infer<typeof row>;
const form = z.strictObject({ keys: z.array(row).min(1).max(MAX_KEYS) });

interface Held {
  readonly at: number;
  readonly secret: SharedSecret;
  readonly rows: readonly Row[];
  readonly signing: EarSigningKey;
  readonly publicKeys: readonly JWK[];
}

/** Those in a store, made when there are none: of several processes that make them at once, all get the same. */
export function storedTokenKeys({ store, vault, clock = systemClock }: TokenKeysOptions): TokenKeys {
  let held: Held | undefined;
  let reading: Promise<Held> | undefined;
  const read = async (): Promise<Held> => {
    for (;;) {
      const at = clock.now().getTime();
      const secret = await readSharedSecret(store, vault, TOKEN_KEYS);
      if (secret !== undefined) {
        held = held?.secret.text === secret.text ? { ...held, at, secret } : await imported(secret, at);
        return held;
      }
      const first = await newRow("ES256", clock.now());
      await replaceSharedSecret(store, vault, TOKEN_KEYS, undefined, JSON.stringify({ keys: [first] }));
    }
  };
  const fresh = (): Promise<Held> => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const current = async (): Promise<Held> =>
    held !== undefined && Math.abs(clock.now().getTime() - held.at) < KEPT_MS ? held : fresh();
  const isShown = (one: Row | undefined): one is Row =>
    one !== undefined && (one.until === undefined || new Date(one.until) > clock.now());
  const list = async (): Promise<readonly TokenKeyFacts[]> =>
    Promise.all((await fresh()).rows.filter(isShown).map(factsOf));
  return {
    signing: async () => (await current()).signing,
    publicKeys: async (kid) => {
      let now = await current();
      if (kid !== undefined && !now.publicKeys.some((key) => key.kid === kid)) now = await fresh();
      const { publicKeys, rows } = now;
      return publicKeys.filter((_, at) => isShown(rows[at]));
    },
    list,
    rotate: async ({ lifetimeSeconds, algorithm, by }) => {
      for (;;) {
        const before = await fresh();
        const [present, ...older] = before.rows.filter(isShown);
        const now = clock.now();
        const next = await newRow(algorithm ?? before.signing.algorithm, now);
        const until = new Date(now.getTime() + lifetimeSeconds * 1000 + SLACK_MS).toISOString();
        const retired: readonly Row[] =
          present === undefined ? [] : [{ ...publicOf(present), retired: now.toISOString(), until }];
        const keys = [next, ...retired, ...older];
        if (keys.length > MAX_KEYS) throw tooMany();
        const id = (await factsOf(next)).id;
        const event = auditChange(now, { type: "token-key.rotate", key: id, by });
        const text = JSON.stringify({ keys });
        if (await replaceSharedSecret(store, vault, TOKEN_KEYS, before.secret, text, [event])) return list();
      }
    },
  };
}

/** The key of a program that keeps it itself. */
export function fixedTokenKeys(key: EarSigningKey): TokenKeys {
  const { algorithm, publicJwk } = key;
  return {
    signing: async () => key,
    publicKeys: async () => [publicJwk],
    list: async () => [{ id: publicJwk.kid ?? "", algorithm, created: new Date(0).toISOString() }],
    rotate: async () => {
      throw new BrokerError(
        "KEY_REFUSED",
        "misuse",
        "Cannot rotate the key of tokens: the program that runs the broker keeps it itself",
      );
    },
  };
}

async function imported(secret: SharedSecret, at: number): Promise<Held> {
  const rows = matching(form, jsonOf(secret.text)).keys;
  const [first, ...others] = rows;
  const signing = await importEarKey((first?.jwk ?? {}) as JWK);
  const older = await Promise.all(
    others.map(async ({ jwk, algorithm }): Promise<JWK> => {
      const kid = await calculateJwkThumbprint(jwk as JWK);
      return { ...(jwk as JWK), alg: algorithm, use: "sig", kid };
    }),
  );
  return { at, secret, rows, signing, publicKeys: [signing.publicJwk, ...older] };
}

async function newRow(algorithm: EarAlgorithm, now: Date): Promise<Row> {
  return { jwk: { ...(await generateEarKey(algorithm)) }, algorithm, created: now.toISOString() };
}

function publicOf({ jwk: { d: _secret, ...jwk }, ...facts }: Row): Row {
  return { ...facts, jwk };
}

async function factsOf({ jwk, ...facts }: Row): Promise<TokenKeyFacts> {
  return { id: await calculateJwkThumbprint(jwk as JWK), ...facts };
}

function tooMany(): BrokerError {
  return new BrokerError(
    "KEY_REFUSED",
    "misuse",
    `Cannot rotate the key of tokens: ${MAX_KEYS} keys still have tokens that hold`,
    { hint: "Wait until some have expired (adyton token-key list)." },
  );
}
