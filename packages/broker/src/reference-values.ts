// SPDX-License-Identifier: Apache-2.0
// Reference values: what the relying party knows to be good. Registered as messages of Trustee's reference-value
// provider (types `sample` and `corim`), kept sealed like secrets, because who can change them decides what is released.

import { parseReferenceValues } from "@adyton/appraisal";
import { type ReferenceTrust, readCorim, referenceValuesOf, type Voucher } from "@adyton/appraisal/reference";
import { type Bytes, fromBase64, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { z } from "zod";
import { BrokerError } from "./errors.ts";
import { invalid, jsonOf, matching } from "./protocol.ts";
import type { Change, Store } from "./store/types.ts";
import type { Vault } from "./vault.ts";

const MESSAGE_VERSION = "0.1.0";
const LIFETIME_MONTHS = 12;
// Ids of the field are snake_case words; paths and colons serve those of other providers, and what their names hold
// besides is encoded. An encoded dot is none: addresses take it for a dot.
const ID = /^(?:[A-Za-z0-9_]|%(?!2E)[0-9A-F]{2})(?:[A-Za-z0-9_.:/-]|%(?!2E)[0-9A-F]{2})*$/;
const MAX_ID = 256;

const message = z.strictObject({
  version: z.literal(MESSAGE_VERSION),
  type: z.enum(["sample", "swid", "corim"]),
  payload: z.string(),
});

const voucherForm = z.strictObject({
  kind: z.enum(["json", "corim"]),
  name: z.string().exactOptional(),
  keyId: z.string().exactOptional(),
  certificate: z.string().exactOptional(),
  document: z.string(),
  verified: z.boolean(),
});

const stored = z.strictObject({
  expiration: z.string(),
  value: z.array(z.unknown()),
  // Absent where the administrator named the values alone.
  voucher: voucherForm.exactOptional(),
});

/** Id to the values that are accepted for it. */
export type ReferenceValueMap = ReadonlyMap<string, readonly JsonValue[]>;

/** What a message registers. */
export interface Registration {
  readonly values: ReferenceValueMap;
  /** Who vouches for all of them, besides the administrator. */
  readonly voucher?: Voucher;
  /** When the document that they are from ends. */
  readonly expires?: Date;
}

/** Values as they are kept, with who vouches for them. */
export interface ReferenceRow extends Pick<Registration, "voucher"> {
  readonly value: readonly JsonValue[];
  readonly expiration: Date;
}

/**
 * Reads a registration message: `{"version":"0.1.0","type":…,"payload":base64}`, where the payload of type `sample` is
 * JSON of id to value or values, that of type `corim` a CoRIM that someone in `trust` signed.
 * Rejects with `INVALID_REQUEST`, `INVALID_REFERENCE_VALUES`, `UNSUPPORTED_REFERENCE_VALUE`, or as `readCorim`.
 */
export async function readReferenceMessage(
  text: string,
  trust: ReferenceTrust,
  now: Date,
): Promise<Registration> {
  const { type, payload } = matching(message, jsonOf(text));
  const registration = type === "corim" ? await corimOf(payload, trust, now) : plainOf(type, payload);
  for (const id of registration.values.keys()) checkReferenceId(id);
  if (registration.values.size === 0) throw invalid("payload names no reference value");
  return registration;
}

/** Throws `INVALID_REQUEST` unless `id` can name a reference value. */
export function checkReferenceId(id: string): void {
  if (
    id.length > MAX_ID ||
    !ID.test(id) ||
    id.split("/").some((part) => part === "" || part === "." || part === "..")
  )
    throw invalid(`${JSON.stringify(id.slice(0, 80))} is no reference value id`);
}

/**
 * The changes that register values, replacing what stood under the same ids. They hold for twelve months, or as long as
 * the document that they are from.
 */
export function registerChanges(vault: Vault, registration: Registration, now: Date): Change[] {
  const { values, voucher, expires } = registration;
  const end = new Date(now);
  end.setUTCMonth(end.getUTCMonth() + LIFETIME_MONTHS);
  const expiration = (expires !== undefined && expires < end ? expires : end).toISOString();
  return [...values].map(([id, value]) => {
    const row = { expiration, value, ...(voucher === undefined ? {} : { voucher }) };
    return {
      kind: "put",
      space: "reference-value",
      key: id,
      value: vault.seal("reference-value", id, fromUtf8(JSON.stringify(row))),
    };
  });
}

/** Every reference value that has not expired. Rejects with `SECRET_CORRUPT` when one was tampered with. */
export async function readReferenceValues(store: Store, vault: Vault, now: Date): Promise<ReferenceValueMap> {
  const rows = await readReferenceRows(store, vault, now);
  return new Map([...rows].map(([id, { value }]) => [id, value]));
}

/** The same, with who vouches for each and until when. */
export async function readReferenceRows(
  store: Store,
  vault: Vault,
  now: Date,
): Promise<ReadonlyMap<string, ReferenceRow>> {
  const rows = new Map<string, ReferenceRow>();
  for (const [id, sealed] of await store.entries("reference-value")) {
    const row = matching(stored, jsonOf(toUtf8(vault.open("reference-value", id, sealed))));
    const expiration = new Date(row.expiration);
    const { voucher } = row;
    const value = row.value as readonly JsonValue[];
    if (expiration > now) rows.set(id, { value, expiration, ...(voucher === undefined ? {} : { voucher }) });
  }
  return rows;
}

function plainOf(type: string, payload: string): Registration {
  if (type !== "sample") {
    throw new BrokerError(
      "UNSUPPORTED_REFERENCE_VALUE",
      "misuse",
      `Cannot register reference values: type ${type} is not handled, expected sample or corim`,
      { hint: "Send the values themselves: type sample, payload base64 of a JSON object." },
    );
  }
  return { values: new Map(Object.entries(parseReferenceValues(objectOf(payload)))) };
}

/** One document has one voucher and one end. */
async function corimOf(payload: string, trust: ReferenceTrust, now: Date): Promise<Registration> {
  const vouched = await readCorim(decoded(payload), { ...trust, at: now });
  const [first] = vouched;
  if (first === undefined) return { values: new Map() };
  const { voucher, expires } = first;
  // What nobody signed got here only where the trust allows it.
  const values = referenceValuesOf(vouched, { at: now, allowUnverified: trust.allowUnsigned === true });
  return { values: new Map(Object.entries(values)), voucher, ...(expires === undefined ? {} : { expires }) };
}

function objectOf(payload: string): JsonObject {
  const bytes = decoded(payload);
  try {
    return jsonOf(toUtf8(bytes));
  } catch (error) {
    throw unreadable(error);
  }
}

function decoded(payload: string): Bytes {
  try {
    return fromBase64(payload);
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(error: unknown): BrokerError {
  return invalid(`payload: ${error instanceof AdytonError ? error.message : "it cannot be read"}`);
}
