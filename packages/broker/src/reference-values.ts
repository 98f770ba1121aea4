// SPDX-License-Identifier: Apache-2.0
// Reference values: what the relying party knows to be good. Registered as messages of Trustee's reference-value
// provider (type `sample`), kept sealed like secrets, because who can change them decides what is released.

import { parseReferenceValues } from "@adyton/appraisal";
import { fromBase64, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { z } from "zod";
import { BrokerError } from "./errors.ts";
import { invalid, jsonOf, matching } from "./protocol.ts";
import type { Change, Store } from "./store/types.ts";
import type { Vault } from "./vault.ts";

const MESSAGE_VERSION = "0.1.0";
const LIFETIME_MONTHS = 12;
// Ids of the field are snake_case words; paths and colons serve those of other providers.
const ID = /^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,255}$/;

const message = z.strictObject({
  version: z.literal(MESSAGE_VERSION),
  type: z.enum(["sample", "swid", "corim"]),
  payload: z.string(),
});

const stored = z.strictObject({ expiration: z.string(), value: z.array(z.unknown()) });

/** Id to the values that are accepted for it. */
export type ReferenceValueMap = ReadonlyMap<string, readonly JsonValue[]>;

/**
 * Reads a registration message: `{"version":"0.1.0","type":"sample","payload":base64(JSON of id to value or values)}`.
 * Throws `INVALID_REQUEST`, `INVALID_REFERENCE_VALUES` or `UNSUPPORTED_REFERENCE_VALUE`.
 */
export function parseReferenceMessage(text: string): ReferenceValueMap {
  const { type, payload } = matching(message, jsonOf(text));
  if (type !== "sample") {
    throw new BrokerError(
      "UNSUPPORTED_REFERENCE_VALUE",
      "misuse",
      `Cannot register reference values: type ${type} is not handled, expected sample`,
      { hint: "Send the values themselves: type sample, payload base64 of a JSON object." },
    );
  }
  const values = new Map(Object.entries(parseReferenceValues(payloadOf(payload))));
  for (const id of values.keys()) checkReferenceId(id);
  if (values.size === 0) throw invalid("payload names no reference value");
  return values;
}

/** Throws `INVALID_REQUEST` unless `id` can name a reference value. */
export function checkReferenceId(id: string): void {
  if (!ID.test(id) || id.split("/").some((part) => part === "" || part === "." || part === ".."))
    throw invalid(`${JSON.stringify(id.slice(0, 80))} is no reference value id`);
}

/** The changes that register `values`, replacing what stood under the same ids. They hold for twelve months. */
export function registerChanges(vault: Vault, values: ReferenceValueMap, now: Date): Change[] {
  const end = new Date(now);
  end.setUTCMonth(end.getUTCMonth() + LIFETIME_MONTHS);
  const expiration = end.toISOString();
  return [...values].map(([id, value]) => ({
    kind: "put",
    space: "reference-value",
    key: id,
    value: vault.seal("reference-value", id, fromUtf8(JSON.stringify({ expiration, value }))),
  }));
}

/** Every reference value that has not expired. Rejects with `SECRET_CORRUPT` when one was tampered with. */
export async function readReferenceValues(store: Store, vault: Vault, now: Date): Promise<ReferenceValueMap> {
  const values = new Map<string, readonly JsonValue[]>();
  for (const [id, sealed] of await store.entries("reference-value")) {
    const { expiration, value } = matching(stored, jsonOf(toUtf8(vault.open("reference-value", id, sealed))));
    if (Date.parse(expiration) > now.getTime()) values.set(id, value as readonly JsonValue[]);
  }
  return values;
}

function payloadOf(payload: string): JsonObject {
  try {
    return jsonOf(toUtf8(fromBase64(payload)));
  } catch (error) {
    throw invalid(`payload: ${error instanceof AdytonError ? error.message : "it cannot be read"}`);
  }
}
