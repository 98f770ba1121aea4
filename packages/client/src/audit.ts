// SPDX-License-Identifier: Apache-2.0
// The audit log of a broker as auditors and witnesses see it: nothing is believed that the log's key did not sign and the
// tree does not prove.

import { equal, fromBase64, fromHex, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { checkLogProof, encodeLogProof } from "@adyton/core/log-proof";
import { appendLeaves, checkConsistency, EMPTY_FRONTIER, leafHash, rootOf } from "@adyton/core/merkle";
import { type NoteKey, type OpenedCheckpoint, openCheckpoint, parseNoteKey } from "@adyton/core/note";
import { ClientError, invalidAnswer } from "./errors.ts";
import { type Answer, type Call, jsonIn, objectIn, Wire, type WireOptions } from "./wire.ts";

export interface AuditLogOptions extends WireOptions {
  /** What the log signs with (`parseNoteKey`). Have it from somewhere else than the broker, once. */
  readonly logKey: NoteKey;
  /** Of an administrator who may read the log; checkpoints and proofs need none. */
  readonly token?: string;
}

export interface AuditLogEntry {
  readonly seq: number;
  /** The text that the tree is over, or its hash alone where it is another tenant's. */
  readonly leaf: string | undefined;
  readonly hash: Uint8Array;
  /** RFC 3339; undefined with another tenant's. */
  readonly time: string | undefined;
  readonly event: JsonObject | undefined;
}

/** A witness that the broker listens to. */
export interface AuditWitness {
  readonly key: NoteKey;
  /** What it cosigned last: a signed note. */
  readonly checkpoint: string | undefined;
}

/**
 * Every method rejects with a `ClientError`; with `LOG_TAMPERED` when the log is not what it was, or not what its key
 * signed.
 */
export interface AuditLog {
  /** The newest checkpoint, undefined while the log is empty. */
  checkpoint(): Promise<OpenedCheckpoint | undefined>;
  /** The newest checkpoint, once it is proven that the log still holds everything that `noted` did. */
  follow(noted: OpenedCheckpoint | undefined): Promise<OpenedCheckpoint | undefined>;
  /** Entries after `after`, at most `limit` (up to 1,000). */
  entries(after: number, limit: number): Promise<readonly AuditLogEntry[]>;
  /** A file that proves entry `seq` to whoever has the log's key: by the newest checkpoint, or by one that is given. */
  prove(seq: number, note?: string): Promise<string>;
  /** Reads all entries and checks that they are what the newest checkpoint covers, and that they go on from `noted`. */
  verify(noted?: OpenedCheckpoint): Promise<OpenedCheckpoint | undefined>;
  witnesses(): Promise<readonly AuditWitness[]>;
  addWitness(key: string): Promise<void>;
  removeWitness(name: string): Promise<void>;
  /** Hands a cosigned checkpoint to the broker. */
  submit(note: string): Promise<void>;
}

const BASE = "/v1/audit";
const PAGE = 1000;

/** The key that the broker says its log has: to be compared with what its operator says. */
export async function fetchLogKey(options: WireOptions): Promise<NoteKey> {
  const answer = await new Wire(options).call({
    method: "GET",
    path: `${BASE}/key`,
    what: "get the log's key",
  });
  return read("log key", () => parseNoteKey(toUtf8(answer.bytes)));
}

/** Throws `INVALID_URL`. */
export function createAuditLog(options: AuditLogOptions): AuditLog {
  return new HttpAuditLog(options);
}

class HttpAuditLog implements AuditLog {
  readonly #wire: Wire;
  readonly #key: NoteKey;
  readonly #token: string | undefined;

  constructor(options: AuditLogOptions) {
    this.#wire = new Wire(options);
    this.#key = options.logKey;
    this.#token = options.token;
  }

  async checkpoint(): Promise<OpenedCheckpoint | undefined> {
    try {
      const answer = await this.#get("checkpoint", "get the log's checkpoint");
      return this.#opened(toUtf8(answer.bytes));
    } catch (error) {
      if (error instanceof ClientError && brokerCodeOf(error) === "LOG_EMPTY") return undefined;
      throw error;
    }
  }

  async follow(noted: OpenedCheckpoint | undefined): Promise<OpenedCheckpoint | undefined> {
    const newest = await this.checkpoint();
    if (noted === undefined) return newest;
    const seen = { noted: noted.note, newest: newest?.note ?? "" };
    if (newest === undefined || newest.size < noted.size)
      throw tampered(`it has ${newest?.size ?? 0} entries and had ${noted.size}: it was set back`, seen);
    const { size } = newest;
    // Of one size the roots say it all.
    const asked = size === noted.size ? undefined : `proof/consistency?from=${noted.size}&to=${size}`;
    const hashes =
      asked === undefined
        ? []
        : hashesIn(objectIn(await this.#get(asked, "get a proof of the log"), "proof"));
    try {
      checkConsistency({ from: noted, to: newest, proof: hashes });
    } catch (error) {
      if (!(error instanceof AdytonError)) throw error;
      throw tampered(`it is not the one that was noted with ${noted.size} entries`, seen, error);
    }
    return newest;
  }

  async entries(after: number, limit: number): Promise<readonly AuditLogEntry[]> {
    const answer = await this.#get(`entries?after=${after}&limit=${limit}`, "list audit entries");
    const { entries } = objectIn(answer, "audit entries");
    if (!Array.isArray(entries)) throw invalidAnswer("audit entries", "they are no list");
    return entries.map(entryIn);
  }

  async prove(seq: number, note?: string): Promise<string> {
    const [entry] = await this.entries(seq - 1, 1);
    if (entry?.seq !== seq || entry.leaf === undefined)
      throw new ClientError(
        "RESOURCE_MISSING",
        "misuse",
        `Cannot prove entry ${seq}: it is not there to be read`,
      );
    const size = note === undefined ? "" : `&size=${this.#opened(note).size}`;
    const path = `proof/inclusion?seq=${seq}${size}`;
    const answer = objectIn(await this.#get(path, `prove entry ${seq}`), "proof");
    const checkpoint = note ?? answer.checkpoint;
    if (typeof checkpoint !== "string") throw invalidAnswer("proof", "it holds no checkpoint");
    const proof = { entry: fromUtf8(entry.leaf), index: seq - 1, hashes: hashesIn(answer), checkpoint };
    try {
      checkLogProof(proof, this.#key);
    } catch (error) {
      throw asTampered(error);
    }
    return encodeLogProof(proof);
  }

  async verify(noted?: OpenedCheckpoint): Promise<OpenedCheckpoint | undefined> {
    const end = await this.follow(noted);
    if (end === undefined) return undefined;
    let frontier = EMPTY_FRONTIER;
    while (frontier.size < end.size) {
      const entries = await this.entries(frontier.size, Math.min(PAGE, end.size - frontier.size));
      if (entries.length === 0) throw tampered(`entry ${frontier.size + 1} is missing`);
      for (const [n, { seq }] of entries.entries())
        if (seq !== frontier.size + n + 1) throw tampered(`entry ${frontier.size + n + 1} is missing`);
      frontier = appendLeaves(
        frontier,
        entries.map(({ hash }) => hash),
      ).frontier;
    }
    if (!equal(rootOf(frontier), end.root)) throw tampered("its entries are not those that were signed");
    return end;
  }

  async witnesses(): Promise<readonly AuditWitness[]> {
    const { witnesses } = objectIn(await this.#get("witnesses", "list witnesses"), "witnesses");
    if (!Array.isArray(witnesses)) throw invalidAnswer("witnesses", "they are no list");
    return witnesses.map((value: JsonValue) => {
      const { key, checkpoint }: JsonObject = isJsonObject(value) ? value : {};
      if (typeof key !== "string") throw invalidAnswer("witnesses", "one of them has no key");
      return {
        key: read("witnesses", () => parseNoteKey(key)),
        checkpoint: typeof checkpoint === "string" ? checkpoint : undefined,
      };
    });
  }

  async addWitness(key: string): Promise<void> {
    await this.#call({ method: "POST", path: "witnesses", what: "add a witness", body: key });
  }

  async removeWitness(name: string): Promise<void> {
    const path = `witnesses/${encodeURIComponent(name)}`;
    await this.#call({ method: "DELETE", path, what: `remove witness ${name}` });
  }

  async submit(note: string): Promise<void> {
    await this.#call({ method: "POST", path: "witness", what: "submit a cosignature", body: note });
  }

  #opened(note: string): OpenedCheckpoint {
    try {
      return openCheckpoint(note, this.#key);
    } catch (error) {
      throw asTampered(error);
    }
  }

  #get(path: string, what: string): Promise<Answer> {
    return this.#call({ method: "GET", path, what });
  }

  #call(call: Call): Promise<Answer> {
    const headers = this.#token === undefined ? {} : { headers: { authorization: `Bearer ${this.#token}` } };
    return this.#wire.call({ ...call, ...headers, path: `${BASE}/${call.path}` });
  }
}

function entryIn(value: JsonValue): AuditLogEntry {
  const { seq, leaf, hash }: JsonObject = isJsonObject(value) ? value : {};
  if (typeof seq !== "number") throw invalidAnswer("audit entries", "one of them has no number");
  if (typeof leaf !== "string")
    return {
      seq,
      leaf: undefined,
      hash: read("audit entries", () => fromHex(String(hash))),
      time: undefined,
      event: undefined,
    };
  const said = jsonIn({ bytes: fromUtf8(leaf) }, "audit entry");
  const { time, event, seq: signed }: JsonObject = isJsonObject(said) ? said : {};
  if (typeof time !== "string" || !isJsonObject(event) || signed !== seq)
    throw invalidAnswer("audit entries", `entry ${seq} is none`);
  return { seq, leaf, hash: leafHash(fromUtf8(leaf)), time, event };
}

function hashesIn({ hashes }: JsonObject): readonly Uint8Array[] {
  if (!Array.isArray(hashes)) throw invalidAnswer("proof", "it holds no hashes");
  return read("proof", () => hashes.map((hash: JsonValue) => fromBase64(String(hash))));
}

/** What of an answer cannot be read is the answer's fault. */
function read<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof AdytonError ? invalidAnswer(what, error.message) : error;
  }
}

function brokerCodeOf({ detail }: ClientError): string | undefined {
  const { broker } = detail;
  return isJsonObject(broker) && typeof broker.code === "string" ? broker.code : undefined;
}

function asTampered(error: unknown): unknown {
  const known = error instanceof AdytonError && !(error instanceof ClientError);
  return known ? tampered(error.message, {}, error) : error;
}

function tampered(why: string, detail: Readonly<Record<string, string>> = {}, cause?: unknown): ClientError {
  return new ClientError("LOG_TAMPERED", "not-authentic", `Cannot trust the audit log: ${why}`, {
    cause,
    detail,
    hint: "Keep both checkpoints as evidence, and ask the broker's operator.",
  });
}
