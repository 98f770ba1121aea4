// SPDX-License-Identifier: Apache-2.0
// What is kept under a reference id: values with who vouches for them, and values that were revoked.

import { sameReference, VOUCHER_KINDS, type VouchedValue } from "@adyton/appraisal/reference";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { z } from "zod";
import { invalid, matching } from "../protocol.ts";

/** A value that somebody vouches for, as it was registered. */
export interface ReferenceEntry extends VouchedValue {
  readonly registered: Date;
  /** Who registered it. */
  readonly by: string;
  readonly expires: Date;
  /** The release that it belongs to, enabled and disabled as one. */
  readonly group?: string;
}

/** A value that is not good any more, whoever vouches for it. */
export interface Revocation {
  readonly value: JsonValue;
  readonly at: Date;
  readonly by: string;
  readonly reason?: string;
}

export interface ReferenceRow {
  readonly entries: readonly ReferenceEntry[];
  readonly revoked: readonly Revocation[];
}

/** Only `live` ones are shown to policies. The first that applies, in this order. */
export type ReferenceStatus = "revoked" | "disabled" | "expired" | "pending" | "live";

/** Whether a group counts. Those that nobody switched off do. */
export interface GroupState {
  readonly enabled: boolean;
  readonly at: Date;
  readonly by: string;
}

/** Under one id. */
const MAX_REVOKED = 10_000;

export const NO_ROW: ReferenceRow = { entries: [], revoked: [] };

const time = z.iso.datetime().transform((text) => new Date(text));
const scalar = z.union([z.string(), z.number(), z.boolean()]);

const voucher = z.strictObject({
  kind: z.enum(VOUCHER_KINDS),
  name: z.string().exactOptional(),
  keyId: z.string().exactOptional(),
  certificate: z.string().exactOptional(),
  builder: z.string().exactOptional(),
  source: z.string().exactOptional(),
  document: z.string(),
  verified: z.boolean(),
});

const row = z.strictObject({
  entries: z.array(
    z.strictObject({
      value: scalar,
      voucher,
      registered: time,
      by: z.string(),
      notBefore: time.exactOptional(),
      expires: time,
      group: z.string().exactOptional(),
    }),
  ),
  revoked: z.array(
    z.strictObject({ value: scalar, at: time, by: z.string(), reason: z.string().exactOptional() }),
  ),
});

const group = z.strictObject({ enabled: z.boolean(), at: time, by: z.string() });

/** Throws `INVALID_REQUEST` for what is no row. */
export function rowIn(id: string, json: JsonObject): ReferenceRow {
  const { entries, revoked } = matching(row, json);
  return { entries: entries.map((entry) => ({ id, ...entry })), revoked };
}

/** The row as text; `undefined` when there is nothing to keep. */
export function textOfRow({ entries, revoked }: ReferenceRow): string | undefined {
  if (entries.length + revoked.length === 0) return undefined;
  return JSON.stringify({ entries: entries.map(({ id: _id, ...entry }) => entry), revoked });
}

/** Throws `INVALID_REQUEST` for what is no group's state. */
export function groupIn(json: JsonObject): GroupState {
  return matching(group, json);
}

/** What counts of an entry at a time. */
export function statusOfEntry(
  entry: ReferenceEntry,
  { revoked }: ReferenceRow,
  groups: ReadonlyMap<string, GroupState>,
  now: Date,
): ReferenceStatus {
  if (isRevoked(revoked, entry.value)) return "revoked";
  if (entry.group !== undefined && groups.get(entry.group)?.enabled === false) return "disabled";
  if (!(now < entry.expires)) return "expired";
  if (entry.notBefore !== undefined && !(entry.notBefore <= now)) return "pending";
  return "live";
}

/** Whether a value was revoked; hex also in another case. */
export function isRevoked(revoked: readonly Revocation[], value: JsonValue): boolean {
  return revoked.some((each) => sameReference(each.value, value));
}

/** Who an entry is from: the signer of its document, or, of what nobody signed, the administrators. */
export function originOf({
  voucher: { kind, keyId, builder, source },
}: Pick<VouchedValue, "voucher">): string {
  return JSON.stringify([kind, keyId ?? null, builder ?? null, source ?? null]);
}

/** Revocations of those of the values that are not revoked yet. Throws `INVALID_REQUEST` where there are too many. */
export function unrevoked(
  { revoked }: ReferenceRow,
  values: Iterable<JsonValue>,
  how: Omit<Revocation, "value">,
): readonly Revocation[] {
  const more = [...values]
    .filter((value) => !isRevoked(revoked, value))
    .map((value): Revocation => ({ value, ...how }));
  if (revoked.length + more.length > MAX_REVOKED)
    throw invalid(`there are ${MAX_REVOKED} revoked values under one id already`);
  return more;
}

/** The rows that hold values of a group. */
export function membersOf(
  rows: ReadonlyMap<string, ReferenceRow>,
  name: string,
): (readonly [string, ReferenceRow])[] {
  return [...rows].filter(([, { entries }]) => entries.some(({ group }) => group === name));
}
