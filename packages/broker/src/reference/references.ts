// SPDX-License-Identifier: Apache-2.0
// The reference values of a store: registered, listed, revoked, expired and grouped. Each change is written together with
// its line in the log, and only onto what it was decided on, so that of two administrators neither undoes the other.

import { sameReference, type VouchedValue, voucherLookup } from "@adyton/appraisal/reference";
import { equal, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import type { JsonValue } from "@adyton/core/json";
import { auditChange } from "../audit.ts";
import { BrokerError } from "../errors.ts";
import { invalid, jsonOf } from "../protocol.ts";
import type { Change, Store } from "../store/types.ts";
import type { Vault } from "../vault.ts";
import { checkReferenceGroup, checkReferenceId } from "./id.ts";
import { notFound, revokedAll, tooMany } from "./refusals.ts";
import {
  type GroupState,
  groupIn,
  isRevoked,
  membersOf,
  NO_ROW,
  originOf,
  type ReferenceEntry,
  type ReferenceRow,
  rowIn,
  statusOfEntry,
  textOfRow,
  unrevoked,
} from "./row.ts";
import type {
  Act,
  GroupListing,
  LiveReferences,
  ReferenceListing,
  Registered,
  Registering,
} from "./types.ts";

const SPACE = "reference-value";
/** Begins no id. */
const GROUP_MARK = "@";
const LIFETIME_MONTHS = 12;
const MAX_VALUES = 10_000;
/** All of them are read for an attestation. */
const MAX_IDS = 10_000;
const ATTEMPTS = 16;

interface Decoded {
  readonly sealed: Uint8Array;
  readonly row?: ReferenceRow;
  readonly group?: GroupState;
}

interface Contents {
  readonly rows: ReadonlyMap<string, ReferenceRow>;
  readonly groups: ReadonlyMap<string, GroupState>;
  /** As it stands in the store, by key. */
  readonly sealed: ReadonlyMap<string, Uint8Array>;
}

/** Every method rejects with `SECRET_CORRUPT` when what is kept was tampered with. */
class References {
  readonly #store: Store;
  readonly #vault: Vault;
  /** What was read before, as long as the store holds the same bytes. */
  #known: ReadonlyMap<string, Decoded> = new Map();

  constructor(store: Store, vault: Vault) {
    this.#store = store;
    this.#vault = vault;
  }

  /** What counts at this moment. */
  async live(now: Date): Promise<LiveReferences> {
    const { rows, groups } = await this.#read();
    const entries: VouchedValue[] = [];
    const values: [string, readonly JsonValue[]][] = [];
    for (const [id, row] of rows) {
      const live = row.entries.filter((entry) => statusOfEntry(entry, row, groups, now) === "live");
      if (live.length === 0) continue;
      entries.push(...live);
      values.push([id, [...new Set(live.map(({ value }) => value))]]);
    }
    return { values: Object.fromEntries(values), vouchersOf: voucherLookup(entries) };
  }

  /** Everything, by id. */
  async list(now: Date): Promise<readonly ReferenceListing[]> {
    const { rows, groups } = await this.#read();
    return [...rows].map(([id, row]) => ({
      id,
      values: row.entries.map((entry) => ({ ...entry, status: statusOfEntry(entry, row, groups, now) })),
      revoked: row.revoked,
    }));
  }

  /** Groups that have values, or that were switched off. */
  async groups(): Promise<readonly GroupListing[]> {
    const { rows, groups } = await this.#read();
    const counts = new Map<string, number>([...groups.keys()].map((name) => [name, 0]));
    for (const { group } of [...rows.values()].flatMap(({ entries }) => entries))
      if (group !== undefined) counts.set(group, (counts.get(group) ?? 0) + 1);
    return [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, values]) => ({ name, values, enabled: groups.get(name)?.enabled ?? true }));
  }

  /**
   * Rejects with `INVALID_REQUEST`, `QUOTA_EXCEEDED`, or `REFERENCE_REVOKED` when every value was revoked; then nothing
   * is kept.
   */
  async register(vouched: readonly VouchedValue[], how: Registering): Promise<Registered> {
    const { now, by, group, replace = false } = how;
    const ids = [...new Set([...(how.ids ?? []), ...vouched.map(({ id }) => id)])];
    for (const id of ids) checkReferenceId(id);
    if (group !== undefined) checkReferenceGroup(group);
    if (ids.length === 0) throw invalid("it names no reference value");
    const end = new Date(now);
    end.setUTCMonth(end.getUTCMonth() + LIFETIME_MONTHS);
    const limit = how.expires ?? end;
    if (!(now < limit)) throw invalid("the values would have expired already");
    const entries = vouched.map(
      (value): ReferenceEntry => ({
        ...value,
        registered: now,
        by,
        expires: value.expires !== undefined && value.expires < limit ? value.expires : limit,
        ...(group === undefined ? {} : { group }),
      }),
    );
    const [first] = entries;
    let revoked: Registered["revoked"] = [];
    await this.#change(now, ids, (rows) => {
      revoked = entries
        .filter(({ id, value }) => isRevoked(rows.get(id)?.revoked ?? [], value))
        .map(({ id, value }) => ({ id, value }));
      if (entries.length > 0 && revoked.length === entries.length) throw revokedAll(revoked);
      return {
        rows: ids.map((id) => {
          const row = rows.get(id) ?? NO_ROW;
          const more = entries.filter((entry) => entry.id === id);
          return [id, { ...row, entries: joined(row.entries, more, replace, group) }];
        }),
        event: {
          type: "reference-value.register",
          by,
          ids,
          ...(group === undefined ? {} : { group }),
          ...(first === undefined ? {} : { voucher: JSON.parse(JSON.stringify(first.voucher)) }),
        },
      };
    });
    return { ids, revoked };
  }

  /** Revokes one value of an id, or, without one, all it has. A value that nobody registered can be revoked too. */
  async revoke(id: string, value: JsonValue | undefined, act: Act, reason?: string): Promise<void> {
    checkReferenceId(id);
    const { by, now } = act;
    await this.#change(now, [id], (rows) => {
      const row = rows.get(id) ?? NO_ROW;
      if (value === undefined && row.entries.length === 0) throw notFound(id);
      const all = value === undefined ? [...new Set(row.entries.map((entry) => entry.value))] : [value];
      const why = reason === undefined ? {} : { reason };
      const revoked = [...row.revoked, ...unrevoked(row, all, { at: now, by, ...why })];
      const told = { id, values: all, ...why };
      return { rows: [[id, { ...row, revoked }]], event: { type: "reference-value.revoke", by, ...told } };
    });
  }

  /**
   * Revokes every value that the key vouched for (`Voucher.keyId`), also where others vouch for it, too; all or none. Answers how
   * many were not revoked before. Rejects with `REFERENCE_VALUE_NOT_FOUND` for a key that vouches for nothing.
   */
  async revokeVoucher(keyId: string, { by, now }: Act, reason?: string): Promise<number> {
    const why = reason === undefined ? {} : { reason };
    for (let attempt = 1; ; attempt += 1) {
      const { rows, sealed } = await this.#read();
      const members = [...rows].filter(([, { entries }]) =>
        entries.some(({ voucher }) => voucher.keyId === keyId),
      );
      if (members.length === 0) throw notFound(`that key ${keyId} vouched for`);
      const changes: Change[] = [];
      let count = 0;
      for (const [id, row] of members) {
        const vouched = row.entries.filter(({ voucher }) => voucher.keyId === keyId);
        const more = unrevoked(row, new Set(vouched.map(({ value }) => value)), { at: now, by, ...why });
        count += more.length;
        changes.push(...this.#putRow(id, sealed.get(id), { ...row, revoked: [...row.revoked, ...more] }));
      }
      const ids = members.map(([id]) => id);
      const event = { type: "reference-value.revoke", by, voucher: { keyId }, ids, count, ...why };
      if (await this.#written([...changes, auditChange(now, event)], attempt)) return count;
    }
  }

  /** Takes a revocation back: those who vouched for the value count again. Rejects with `REFERENCE_VALUE_NOT_FOUND`. */
  async unrevoke(id: string, value: JsonValue, { by, now }: Act): Promise<void> {
    checkReferenceId(id);
    await this.#change(now, [id], (rows) => {
      const row = rows.get(id) ?? NO_ROW;
      if (!isRevoked(row.revoked, value)) throw notFound(`${id}, revoked`);
      const revoked = row.revoked.filter((each) => !sameReference(each.value, value));
      return {
        rows: [[id, { ...row, revoked }]],
        event: { type: "reference-value.unrevoke", by, id, values: [value] },
      };
    });
  }

  /** Lets values end at `expires`: one, or all of an id. Rejects with `REFERENCE_VALUE_NOT_FOUND`. */
  async expire(id: string, value: JsonValue | undefined, expires: Date, { by, now }: Act): Promise<void> {
    checkReferenceId(id);
    await this.#change(now, [id], (rows) => {
      const row = rows.get(id) ?? NO_ROW;
      const meant = (entry: ReferenceEntry): boolean =>
        value === undefined || sameReference(entry.value, value);
      if (!row.entries.some(meant)) throw notFound(id);
      // What a document says ends with it: nobody but its signer says that it holds for longer.
      const movable = (entry: ReferenceEntry): boolean =>
        meant(entry) && (expires < entry.expires || entry.voucher.kind === "json");
      if (!row.entries.some(movable)) throw invalid(`the document that vouches for ${id} ends before`);
      const entries = row.entries.map((entry) => (movable(entry) ? { ...entry, expires } : entry));
      const told = {
        id,
        expires: expires.toISOString(),
        ...(value === undefined ? {} : { values: [value] }),
      };
      return { rows: [[id, { ...row, entries }]], event: { type: "reference-value.expire", by, ...told } };
    });
  }

  /** Removes what is registered under an id; what was revoked stays so. Rejects with `REFERENCE_VALUE_NOT_FOUND`. */
  async delete(id: string, { by, now }: Act): Promise<void> {
    checkReferenceId(id);
    await this.#change(now, [id], (rows) => {
      const row = rows.get(id) ?? NO_ROW;
      if (row.entries.length === 0) throw notFound(id);
      return { rows: [[id, { ...row, entries: [] }]], event: { type: "reference-value.delete", by, id } };
    });
  }

  /** Switches all values of a group on or off. Rejects with `REFERENCE_VALUE_NOT_FOUND` for a group without values. */
  async setGroup(name: string, enabled: boolean, { by, now }: Act): Promise<void> {
    checkReferenceGroup(name);
    const key = GROUP_MARK + name;
    for (let attempt = 1; ; attempt += 1) {
      const { rows, groups, sealed } = await this.#read();
      if (!groups.has(name) && membersOf(rows, name).length === 0) throw notFound(`of group ${name}`);
      const state: GroupState = { enabled, at: now, by };
      const changes: Change[] = [
        { kind: "check", space: SPACE, key, expect: sealed.get(key) },
        { kind: "put", space: SPACE, key, value: this.#sealed(key, JSON.stringify(state)) },
        auditChange(now, { type: "reference-value.group", by, group: name, enabled }),
      ];
      if (await this.#written(changes, attempt)) return;
    }
  }

  /** Removes every value of a group. Rejects with `REFERENCE_VALUE_NOT_FOUND`. */
  async deleteGroup(name: string, { by, now }: Act): Promise<void> {
    checkReferenceGroup(name);
    const key = GROUP_MARK + name;
    for (let attempt = 1; ; attempt += 1) {
      const { rows, groups, sealed } = await this.#read();
      const members = membersOf(rows, name);
      if (!groups.has(name) && members.length === 0) throw notFound(`of group ${name}`);
      const changes: Change[] = [
        ...members.flatMap(([id, row]) =>
          this.#putRow(id, sealed.get(id), {
            ...row,
            entries: row.entries.filter(({ group }) => group !== name),
          }),
        ),
        { kind: "check", space: SPACE, key, expect: sealed.get(key) },
        ...(sealed.has(key) ? [{ kind: "delete", space: SPACE, key } as const] : []),
        auditChange(now, { type: "reference-value.delete", by, group: name, ids: members.map(([id]) => id) }),
      ];
      if (await this.#written(changes, attempt)) return;
    }
  }

  /** Reads rows, lets `decide` say what they become, and writes that; again when somebody else was faster. */
  async #change(
    now: Date,
    ids: readonly string[],
    decide: (rows: ReadonlyMap<string, ReferenceRow>) => Decision,
  ): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const stored = new Map<string, Uint8Array>();
      const rows = new Map<string, ReferenceRow>();
      for (const id of ids) {
        const sealed = await this.#store.get(SPACE, id);
        if (sealed === undefined) continue;
        stored.set(id, sealed);
        rows.set(id, this.#rowOf(id, sealed));
      }
      const fresh = ids.length - rows.size;
      if (fresh > 0 && (await this.#store.keys(SPACE)).length + fresh > MAX_IDS) throw tooMany(MAX_IDS);
      const decision = decide(rows);
      const changes = decision.rows.flatMap(([id, row]) => this.#putRow(id, stored.get(id), row));
      if (await this.#written([...changes, auditChange(now, decision.event)], attempt)) return;
    }
  }

  #putRow(id: string, before: Uint8Array | undefined, row: ReferenceRow): Change[] {
    const check: Change = { kind: "check", space: SPACE, key: id, expect: before };
    const text = textOfRow(row);
    if (text !== undefined)
      return [check, { kind: "put", space: SPACE, key: id, value: this.#sealed(id, text) }];
    return before === undefined ? [check] : [check, { kind: "delete", space: SPACE, key: id }];
  }

  /** False when what was decided on had changed meanwhile. */
  async #written(changes: readonly Change[], attempt: number): Promise<boolean> {
    try {
      await this.#store.write(changes);
      return true;
    } catch (error) {
      const lost = error instanceof BrokerError && error.code === "STORE_CONFLICT";
      if (!lost || attempt === ATTEMPTS) throw error;
      return false;
    }
  }

  async #read(): Promise<Contents> {
    const sealed = await this.#store.entries(SPACE);
    const known = new Map<string, Decoded>();
    const rows = new Map<string, ReferenceRow>();
    const groups = new Map<string, GroupState>();
    for (const [key, bytes] of sealed) {
      const before = this.#known.get(key);
      const one = before !== undefined && equal(before.sealed, bytes) ? before : this.#decoded(key, bytes);
      known.set(key, one);
      if (one.row !== undefined) rows.set(key, one.row);
      if (one.group !== undefined) groups.set(key.slice(GROUP_MARK.length), one.group);
    }
    this.#known = known;
    return { rows, groups, sealed };
  }

  #decoded(key: string, sealed: Uint8Array): Decoded {
    if (!key.startsWith(GROUP_MARK)) return { sealed, row: this.#rowOf(key, sealed) };
    return { sealed, group: groupIn(jsonOf(toUtf8(this.#vault.open(SPACE, key, sealed)))) };
  }

  #rowOf(id: string, sealed: Uint8Array): ReferenceRow {
    return rowIn(id, jsonOf(toUtf8(this.#vault.open(SPACE, id, sealed))));
  }

  #sealed(key: string, text: string): Uint8Array {
    return this.#vault.seal(SPACE, key, fromUtf8(text));
  }
}

const PLAIN = originOf({ voucher: { kind: "json", document: "", verified: false } });

interface Decision {
  readonly rows: readonly (readonly [id: string, row: ReferenceRow])[];
  readonly event: Parameters<typeof auditChange>[1];
}

const opened = new WeakMap<Store, References>();

/** The reference values of a store: one object for each, which remembers what it read. */
export function referencesOf(store: Store, vault: Vault): References {
  const known = opened.get(store);
  if (known !== undefined) return known;
  const references = new References(store, vault);
  opened.set(store, references);
  return references;
}

function joined(
  present: readonly ReferenceEntry[],
  more: readonly ReferenceEntry[],
  replace: boolean,
  group: string | undefined,
): ReferenceEntry[] {
  const origins = new Set(more.map(originOf));
  // Only plain JSON can name an id and no value.
  if (more.length === 0) origins.add(PLAIN);
  const kept = present.filter((entry) => {
    if (entry.group !== group || !origins.has(originOf(entry))) return true;
    return !replace && !more.some(({ value }) => value === entry.value);
  });
  const unique = more.filter(({ value }, at) => more.findIndex((each) => each.value === value) === at);
  const all = [...kept, ...unique];
  if (all.length > MAX_VALUES) throw invalid(`more than ${MAX_VALUES} values under one id`);
  return all;
}
