// SPDX-License-Identifier: Apache-2.0
// root-keys.json: every generation of the root key, wrapped under one key that a provider keeps, and authenticated as a
// whole, so that none can be added, dropped or brought back to life by whoever can write the file.

import { createHmac } from "node:crypto";
import { equalConstantTime, fromBase64Url, toBase64Url } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { canonicalJson, type JsonObject, parseJson } from "@adyton/core/json";
import { z } from "zod";
import { BrokerError } from "../errors.ts";
import { deriveKey, KEY_BYTES, openUnder, sealTo, sealUnder } from "./seal.ts";

/** A root key. Never show it. */
export interface Generation {
  readonly id: string;
  readonly created: Date;
  /** When nothing was sealed under it any more. */
  readonly retired?: Date;
  readonly key: Uint8Array;
}

/** Whose shares open the root keys without their provider. */
export interface Recipient {
  /** Eight hex digits. */
  readonly id: string;
  readonly publicKey: Uint8Array;
  readonly threshold: number;
  readonly shares: number;
  readonly created: Date;
}

/** All that `root-keys.json` holds, opened. */
export interface Ring {
  /** Counts the changes. */
  readonly version: number;
  readonly provider: { readonly kind: string; readonly record: JsonObject };
  /** The id of the generation that seals. */
  readonly active: string;
  readonly generations: readonly Generation[];
  readonly recipients: readonly Recipient[];
}

const FORMAT = "adyton root keys v1";
const RECOVERY = "root key recovery";
const text = z.string().max(4096);
const schema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.int().nonnegative(),
  provider: z.strictObject({
    kind: text.max(32),
    record: z.record(z.string().max(64), z.union([text, z.number(), z.boolean(), z.array(z.int()).max(32)])),
  }),
  active: z.string().regex(/^[0-9a-f]{16}$/),
  generations: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[0-9a-f]{16}$/),
        created: z.iso.datetime(),
        retired: z.iso.datetime().optional(),
        wrapped: text,
      }),
    )
    .min(1)
    .max(64),
  recipients: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[0-9a-f]{8}$/),
        publicKey: text,
        threshold: z.int().min(2).max(255),
        shares: z.int().min(2).max(255),
        created: z.iso.datetime(),
        sealed: text,
      }),
    )
    .max(16),
  mac: text,
});
type Content = z.infer<typeof schema>;

/** The text of a ring, wrapped under `key`, which is sealed to each recipient. */
export function encodeRing(ring: Ring, key: Uint8Array): string {
  const wrapped = {
    format: FORMAT,
    version: ring.version,
    provider: ring.provider,
    active: ring.active,
    generations: ring.generations.map(({ id, created, retired, key: root }) => ({
      id,
      created: created.toISOString(),
      ...(retired === undefined ? {} : { retired: retired.toISOString() }),
      wrapped: toBase64Url(sealUnder(key, `${FORMAT} ${id}`, root)),
    })),
    recipients: ring.recipients.map(({ publicKey, created, ...facts }) => ({
      ...facts,
      publicKey: toBase64Url(publicKey),
      created: created.toISOString(),
      sealed: toBase64Url(sealTo(publicKey, RECOVERY, key)),
    })),
  };
  return `${JSON.stringify({ ...wrapped, mac: toBase64Url(macOf(wrapped, key)) }, null, 1)}\n`;
}

/** The ring in a text. Throws `STATE_INVALID` when it is none, or not authentic under `key`. */
export function decodeRing(content: string, key: Uint8Array): Ring {
  const file = parsed(content);
  const { mac, ...covered } = file;
  if (!equalConstantTime(macOf(covered, key), bytesOf(mac)))
    throw invalid("they were changed, or belong to another key");
  const root = (wrapped: string, name: string): Uint8Array => {
    const opened = openUnder(key, `${FORMAT} ${name}`, bytesOf(wrapped));
    if (opened?.length !== KEY_BYTES) throw invalid(`${name} does not open`);
    return opened;
  };
  if (!file.generations.some(({ id }) => id === file.active)) throw invalid("the active one is not there");
  return {
    version: file.version,
    provider: file.provider,
    active: file.active,
    generations: file.generations.map(({ id, created, retired, wrapped }) => ({
      id,
      created: new Date(created),
      ...(retired === undefined ? {} : { retired: new Date(retired) }),
      key: root(wrapped, id),
    })),
    recipients: file.recipients.map(({ publicKey, created, id, threshold, shares }) => ({
      ...{ id, threshold, shares },
      publicKey: bytesOf(publicKey),
      created: new Date(created),
    })),
  };
}

/** Who keeps the key of a ring, read before it is known whether that is true. Throws `STATE_INVALID`. */
export function providerIn(content: string): Ring["provider"] {
  return parsed(content).provider;
}

/** The keys sealed to recipients, for `openAs` with the purpose `RECOVERY_PURPOSE`. Throws `STATE_INVALID`. */
export function sealedToRecipients(
  content: string,
): readonly { readonly publicKey: Uint8Array; readonly sealed: Uint8Array }[] {
  return parsed(content).recipients.map(({ publicKey, sealed }) => ({
    publicKey: bytesOf(publicKey),
    sealed: bytesOf(sealed),
  }));
}

export { RECOVERY as RECOVERY_PURPOSE };

function macOf(covered: object, key: Uint8Array): Uint8Array {
  const under = deriveKey(key, "root keys authentication");
  return new Uint8Array(
    createHmac("sha256", under)
      .update(canonicalJson(JSON.parse(JSON.stringify(covered)) as JsonObject))
      .digest(),
  );
}

function parsed(content: string): Content {
  let value: unknown;
  try {
    value = parseJson(content);
  } catch (error) {
    throw invalid(error instanceof AdytonError ? error.message : "they are no JSON");
  }
  const result = schema.safeParse(value);
  if (!result.success) throw invalid(`${result.error.issues[0]?.path.join(".") ?? "they"} cannot be read`);
  return result.data;
}

function bytesOf(encoded: string): Uint8Array {
  try {
    return fromBase64Url(encoded);
  } catch {
    throw invalid("they hold what is no base64url");
  }
}

function invalid(why: string): BrokerError {
  return new BrokerError("STATE_INVALID", "not-authentic", `Cannot use the root keys: ${why}`, {
    hint: "Restore root-keys.json from a backup that belongs to this database.",
  });
}
