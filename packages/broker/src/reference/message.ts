// SPDX-License-Identifier: Apache-2.0
// Messages that register reference values: those of Trustee's reference-value provider (`sample`, `swid`, `corim`) and one
// more (`provenance`); our own API adds how they are kept.

import { parseReferenceValues } from "@adyton/appraisal";
import { readCorim, readRim, sha256Of, type VouchedValue } from "@adyton/appraisal/reference";
import { type Bytes, fromBase64, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { z } from "zod";
import { invalid, jsonOf, matching } from "../protocol.ts";
import { readProvenance, type SubjectMapping } from "./provenance.ts";
import type { ReferenceSources } from "./trust.ts";
import type { Registering } from "./types.ts";

const MESSAGE_VERSION = "0.1.0";
const MAX_MAPPINGS = 1_000;

const type = z.enum(["sample", "swid", "corim", "provenance"]);
const message = z.strictObject({ version: z.literal(MESSAGE_VERSION), type, payload: z.string() });
const ownMessage = z.strictObject({
  type,
  payload: z.string(),
  group: z.string().exactOptional(),
  expires: z.iso.datetime().exactOptional(),
  replace: z.boolean().exactOptional(),
  subjects: z
    .array(z.strictObject({ subject: z.string(), algorithm: z.string(), id: z.string() }))
    .min(1)
    .max(MAX_MAPPINGS)
    .exactOptional(),
});

/** What a message registers. */
export interface Registration extends Pick<Registering, "group" | "expires" | "replace"> {
  readonly vouched: readonly VouchedValue[];
  /** Every id that it is about, also those that it gives no value. */
  readonly ids: readonly string[];
}

interface Reading {
  readonly trust: ReferenceSources;
  readonly now: Date;
  /** Who sends it: vouches for what carries no signature of its own. */
  readonly by: string;
}

/**
 * Reads Trustee's `{"version":"0.1.0","type":…,"payload":base64}`. What the same voucher said under the same ids is
 * replaced. Rejects with `INVALID_REQUEST`, `INVALID_REFERENCE_VALUES`, or as the reader of the type does.
 */
export async function readReferenceMessage(text: string, reading: Reading): Promise<Registration> {
  const { type, payload } = matching(message, jsonOf(text));
  return { ...(await contentsOf(type, payload, reading)), replace: true };
}

/** Reads `{type, payload, group?, expires?, replace?, subjects?}`. Rejects as `readReferenceMessage`. */
export async function readOwnReferenceMessage(text: string, reading: Reading): Promise<Registration> {
  const { type, payload, subjects, expires, ...how } = matching(ownMessage, jsonOf(text));
  if (subjects !== undefined && type !== "provenance") throw invalid("subjects belong to type provenance");
  const contents = await contentsOf(type, payload, reading, subjects);
  return { ...contents, ...how, ...(expires === undefined ? {} : { expires: new Date(expires) }) };
}

async function contentsOf(
  type: "sample" | "swid" | "corim" | "provenance",
  payload: string,
  reading: Reading,
  subjects?: readonly SubjectMapping[],
): Promise<Pick<Registration, "vouched" | "ids">> {
  const { trust, now: at } = reading;
  const bytes = decoded(payload);
  switch (type) {
    case "sample":
      return plainOf(bytes, reading.by);
    case "swid":
      return withIds(await readRim(bytes, { ...trust, at }));
    case "corim":
      return withIds(await readCorim(bytes, { ...trust, at }));
    case "provenance":
      return withIds(readProvenance(bytes, { ...trust, ...(subjects === undefined ? {} : { subjects }) }));
  }
}

/** The administrator says so. */
async function plainOf(bytes: Bytes, by: string): Promise<Pick<Registration, "vouched" | "ids">> {
  let text: string;
  try {
    text = toUtf8(bytes);
  } catch (error) {
    throw unreadable(error);
  }
  const values = parseReferenceValues(payloadIn(text));
  const voucher = { kind: "json", name: by, document: await sha256Of(bytes), verified: false } as const;
  return {
    ids: Object.keys(values),
    vouched: Object.entries(values).flatMap(([id, list]) => list.map((value) => ({ id, value, voucher }))),
  };
}

function payloadIn(text: string): ReturnType<typeof jsonOf> {
  try {
    return jsonOf(text);
  } catch (error) {
    throw unreadable(error);
  }
}

function withIds(vouched: readonly VouchedValue[]): Pick<Registration, "vouched" | "ids"> {
  return { vouched, ids: [...new Set(vouched.map(({ id }) => id))] };
}

function decoded(payload: string): Bytes {
  try {
    return fromBase64(payload);
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(error: unknown): AdytonError {
  return invalid(`payload: ${error instanceof AdytonError ? error.message : "it cannot be read"}`);
}
