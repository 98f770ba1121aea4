// SPDX-License-Identifier: Apache-2.0
// Witnesses: machines elsewhere that follow the log and cosign what they have seen of it, so that it cannot be set back or
// shown differently to others without somebody noticing.

import { equal, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { rootOf } from "@adyton/core/merkle";
import { encodeNoteKey, type NoteKey, openCheckpoint, parseNoteKey } from "@adyton/core/note";
import { auditChange } from "../audit.ts";
import { BrokerError } from "../errors.ts";
import type { Change, Store } from "../store/types.ts";
import type { Vault } from "../vault.ts";
import { tampered } from "./head.ts";
import { frontierOf, newestCheckpoint } from "./proofs.ts";

export interface Witness {
  readonly key: NoteKey;
  /** The last checkpoint that it cosigned, with that cosignature; undefined before. */
  readonly note: string | undefined;
}

export interface WitnessesOptions {
  readonly store: Store;
  readonly vault: Vault;
  readonly logKey: NoteKey;
}

const KEYS = "witness";
const NOTES = "witnessed";
/** Whoever sends a note has their keys looked through. */
const MAX_WITNESSES = 64;

export class Witnesses {
  readonly #options: WitnessesOptions;

  constructor(options: WitnessesOptions) {
    this.#options = options;
  }

  async list(): Promise<readonly Witness[]> {
    const { store } = this.#options;
    return this.#opened(await store.entries(KEYS), await store.entries(NOTES));
  }

  #opened(keys: ReadonlyMap<string, Uint8Array>, notes: ReadonlyMap<string, Uint8Array>): readonly Witness[] {
    const { vault } = this.#options;
    return [...keys].map(([name, sealed]) => {
      const note = notes.get(name);
      return {
        key: parseNoteKey(toUtf8(vault.open(KEYS, name, sealed))),
        note: note === undefined ? undefined : toUtf8(vault.open(NOTES, name, note)),
      };
    });
  }

  /** From now on this key's cosignatures are taken. Rejects with `INVALID_NOTE` or `QUOTA_EXCEEDED`. */
  async add(text: string, now: Date, by: string): Promise<NoteKey> {
    const key = parseNoteKey(text);
    if (key.role !== "witness")
      throw new BrokerError("INVALID_REQUEST", "malformed", "Cannot add witness: the key is not a witness's");
    const { store, vault } = this.#options;
    const names = await store.keys(KEYS);
    if (!names.includes(key.name) && names.length >= MAX_WITNESSES)
      throw new BrokerError(
        "QUOTA_EXCEEDED",
        "policy",
        `Cannot add witness: there are ${MAX_WITNESSES}, and no more are asked`,
        { hint: "Remove one first." },
      );
    const value = vault.seal(KEYS, key.name, fromUtf8(encodeNoteKey(key)));
    await store.write([
      { kind: "put", space: KEYS, key: key.name, value },
      { kind: "delete", space: NOTES, key: key.name },
      auditChange(now, { type: "audit.witness.add", by, witness: encodeNoteKey(key) }),
    ]);
    return key;
  }

  /** Rejects with `WITNESS_UNKNOWN`. */
  async remove(name: string, now: Date, by: string): Promise<void> {
    const { store } = this.#options;
    if ((await store.get(KEYS, name)) === undefined) throw unknown(name);
    await store.write([
      { kind: "delete", space: KEYS, key: name },
      { kind: "delete", space: NOTES, key: name },
      auditChange(now, { type: "audit.witness.remove", by, witness: name }),
    ]);
  }

  /**
   * Takes a checkpoint of this log that witnesses have cosigned. Rejects with `INVALID_NOTE`, `NOTE_SIGNATURE`,
   * `WITNESS_UNKNOWN`, or `AUDIT_TAMPERED` when it is signed by this log's key and yet not of this log: then one of the two
   * was set back or forged.
   */
  async take(note: string): Promise<void> {
    const { store, vault, logKey } = this.#options;
    const [sealed, kept] = [await store.entries(KEYS), await store.entries(NOTES)];
    const known = this.#opened(sealed, kept);
    const keys = known.map(({ key }) => key);
    const { size, root, witnesses } = openCheckpoint(note, logKey, keys);
    if (witnesses.length === 0) throw unknown("of this checkpoint");
    if (size > (await newestCheckpoint(store, logKey)).size)
      throw tampered("a witness has seen more entries, under its key", size);
    if (!equal(rootOf(await frontierOf(store, size)), root))
      throw tampered("a witness has seen another log under its key", size);
    const signed = note.slice(0, note.lastIndexOf("\n\n") + 2) + linesOf(note, logKey);
    // Whoever sends an old one again does not take back what was seen since.
    const isNewer = ({ key }: { readonly key: NoteKey }): boolean => {
      const last = known.find((one) => one.key === key)?.note;
      return last === undefined || openCheckpoint(last, logKey).size < size;
    };
    await store.write(
      witnesses.filter(isNewer).flatMap(({ key: { name }, key }): Change[] => [
        // Not of one that was removed meanwhile, nor over a newer one.
        { kind: "check", space: KEYS, key: name, expect: sealed.get(name) },
        { kind: "check", space: NOTES, key: name, expect: kept.get(name) },
        {
          kind: "put",
          space: NOTES,
          key: name,
          value: vault.seal(NOTES, name, fromUtf8(signed + linesOf(note, key))),
        },
      ]),
    );
  }
}

/** The signature lines of one key; what others have added to the note is not kept. */
function linesOf(note: string, { name }: NoteKey): string {
  return note
    .slice(note.lastIndexOf("\n\n") + 2)
    .split("\n")
    .filter((line) => line.startsWith(`— ${name} `))
    .map((line) => `${line}\n`)
    .join("");
}

function unknown(name: string): BrokerError {
  return new BrokerError("WITNESS_UNKNOWN", "not-authentic", `Cannot find the witness ${name}`, {
    hint: "Add its key first: adyton audit witness add KEY.",
  });
}
