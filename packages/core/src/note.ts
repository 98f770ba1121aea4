// SPDX-License-Identifier: Apache-2.0
// Signed notes and the checkpoints of logs in them, with cosignatures of witnesses. C2SP signed-note v1,
// tlog-checkpoint v1 and tlog-cosignature v1; Ed25519 only.

import { type Bytes, concat, equal, fromBase64, fromHex, fromUtf8, toBase64, toHex } from "./bytes.ts";
import { CoreError, malformed } from "./errors.ts";
import { HASH_BYTES } from "./merkle.ts";
import { syncCrypto } from "./sync-crypto.ts";

/** A key that notes are checked with. */
export interface NoteKey {
  /** No white space, no plus sign. */
  readonly name: string;
  /** `log`: signs a note. `witness`: signs it together with a time. */
  readonly role: NoteRole;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

export type NoteRole = "log" | "witness";

export interface NoteSigner {
  readonly key: NoteKey;
  /** Ed25519 (RFC 8032), 64 bytes. */
  sign(data: Uint8Array): Uint8Array;
}

/** What a log had when it signed: its size and its root hash. */
export interface Checkpoint {
  /** Names the log. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Further lines. */
  readonly extensions: readonly string[];
}

/** A note that at least one of the keys has signed. */
export interface OpenedNote {
  readonly text: string;
  readonly signatures: readonly { readonly key: NoteKey; readonly time?: Date }[];
}

/** A checkpoint that the log's key has signed. */
export interface OpenedCheckpoint extends Checkpoint {
  /** The whole note. */
  readonly note: string;
  /** Witnesses among the keys that have cosigned it, and when. */
  readonly witnesses: readonly { readonly key: NoteKey; readonly time: Date }[];
}

interface SignatureLine {
  readonly name: string;
  readonly id: Uint8Array;
  readonly signature: Uint8Array;
}

const TYPE: Readonly<Record<NoteRole, number>> = { log: 1, witness: 4 };
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const TIME_BYTES = 8;
const ID_BYTES = 4;
const MAX_NOTE = 64 * 1024;
const MAX_SIGNATURES = 64;
const MAX_NAME = 255;
const NAME = /^[^\s+]+$/u;
const ED25519_SPKI = "302a300506032b6570032100";

/** The text form of a key: `name+id+key`. Throws `INVALID_NOTE`. */
export function encodeNoteKey(key: NoteKey): string {
  return `${key.name}+${toHex(idOf(key))}+${toBase64(concat(Uint8Array.of(TYPE[key.role]), key.publicKey))}`;
}

/** Reads what `encodeNoteKey` writes. Throws `INVALID_NOTE`. */
export function parseNoteKey(text: string): NoteKey {
  const parts = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text.trim());
  if (parts === null) throw invalid("key", "expected name+id+key");
  const [, name = "", id = "", encoded = ""] = parts;
  const bytes = base64In(encoded, "key");
  const role = (Object.keys(TYPE) as NoteRole[]).find((known) => TYPE[known] === bytes[0]);
  if (role === undefined) throw invalid("key", `its algorithm is ${bytes[0] ?? "missing"}, expected 1 or 4`);
  const key = noteKey(name, role, bytes.subarray(1));
  if (!equal(idOf(key), fromHex(id))) throw invalid("key", "its id is not that of name and key");
  return key;
}

/** Throws `INVALID_NOTE` for a name or a key that cannot be one. */
export function noteKey(name: string, role: NoteRole, publicKey: Uint8Array): NoteKey {
  if (!NAME.test(name) || name.length > MAX_NAME || !name.isWellFormed())
    throw invalid("key", "its name is empty, too long, or has white space or a plus sign");
  if (publicKey.length !== KEY_BYTES)
    throw invalid("key", `it has ${publicKey.length} bytes, expected ${KEY_BYTES}`);
  return { name, role, publicKey };
}

/** The note that holds `text`, signed. `text` ends in a line break. Throws `INVALID_NOTE`. */
export function signNote(text: string, signer: NoteSigner): string {
  checkText(text);
  return `${text}\n${signatureLine(signer.key, signer.sign(fromUtf8(text)))}`;
}

/** The cosignature line of a witness over a note, to be put at the end of it. Throws `INVALID_NOTE`. */
export function cosignatureOf(note: string, signer: NoteSigner, time: Date): string {
  const { text } = splitNote(note);
  const seconds = Math.floor(time.getTime() / 1000);
  const signature = signer.sign(cosignedBytes(text, seconds));
  return signatureLine(signer.key, concat(timeBytes(seconds), signature));
}

/**
 * Checks a note with the keys that are known; signatures of others say nothing and are passed over. Throws
 * `INVALID_NOTE`, or `NOTE_SIGNATURE` when none is of a known key or one of them does not hold.
 */
export function openNote(note: string, keys: readonly NoteKey[]): OpenedNote {
  const { text, lines } = splitNote(note);
  const signatures: { key: NoteKey; time?: Date }[] = [];
  for (const line of lines) {
    const key = keys.find((known) => known.name === line.name && equal(idOf(known), line.id));
    if (key === undefined || signatures.some((seen) => seen.key === key)) continue;
    signatures.push({ key, ...signedBy(key, text, line) });
  }
  if (signatures.length === 0) {
    const names = lines.map(({ name }) => name).join(", ");
    throw unsigned(`it is signed by ${names}, expected ${keys.map(({ name }) => name).join(" or ")}`);
  }
  return { text, signatures };
}

/** The checkpoint in a note that `logKey` has signed. Throws `INVALID_NOTE` or `NOTE_SIGNATURE`. */
export function openCheckpoint(
  note: string,
  logKey: NoteKey,
  witnesses: readonly NoteKey[] = [],
): OpenedCheckpoint {
  const { text, signatures } = openNote(note, [logKey, ...witnesses]);
  if (!signatures.some(({ key }) => key === logKey)) throw unsigned(`${logKey.name} has not signed it`);
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.origin !== logKey.name)
    throw unsigned(`it is of the log ${checkpoint.origin}, expected ${logKey.name}`);
  const cosigned = signatures.flatMap(({ key, time }) => (time === undefined ? [] : [{ key, time }]));
  return { ...checkpoint, note, witnesses: cosigned };
}

/** The text of a checkpoint, to be signed. */
export function encodeCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  return [origin, String(size), toBase64(root), ...extensions].map((line) => `${line}\n`).join("");
}

/** Reads what `encodeCheckpoint` writes; who signed it is another question. Throws `INVALID_NOTE`. */
export function parseCheckpoint(text: string): Checkpoint {
  checkText(text);
  const [origin = "", size = "", root = "", ...extensions] = text.slice(0, -1).split("\n");
  if (origin === "" || extensions.includes("")) throw invalid("checkpoint", "it has an empty line");
  if (!/^(0|[1-9]\d{0,14})$/.test(size)) throw invalid("checkpoint", "its second line is no size");
  const hash = base64In(root, "checkpoint");
  if (hash.length !== HASH_BYTES) throw invalid("checkpoint", "its third line is no root hash");
  return { origin, size: Number(size), root: hash, extensions };
}

/** Throws `NOTE_SIGNATURE`. The time is a witness's. */
function signedBy(key: NoteKey, text: string, { signature }: SignatureLine): { readonly time?: Date } {
  if (key.role === "log") {
    if (!holds(key, signature, fromUtf8(text))) throw unsigned(`the signature of ${key.name} does not hold`);
    return {};
  }
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES)
    throw unsigned(`the cosignature of ${key.name} has ${signature.length} bytes`);
  const seconds = Number(new DataView(Uint8Array.from(signature).buffer).getBigUint64(0));
  const time = new Date(seconds * 1000);
  if (
    Number.isNaN(time.getTime()) ||
    !holds(key, signature.subarray(TIME_BYTES), cosignedBytes(text, seconds))
  )
    throw unsigned(`the cosignature of ${key.name} does not hold`);
  return { time };
}

function holds({ publicKey }: NoteKey, signature: Uint8Array, data: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const key = syncCrypto.importPublicKey(concat(fromHex(ED25519_SPKI), publicKey));
  return key.verify({ name: "Ed25519" }, signature, data);
}

/** What a witness signs (tlog-cosignature, "Format"). */
function cosignedBytes(text: string, seconds: number): Bytes {
  return fromUtf8(`cosignature/v1\ntime ${seconds}\n${text}`);
}

function timeBytes(seconds: number): Bytes {
  const bytes = new Uint8Array(TIME_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(seconds));
  return bytes;
}

/** The key's id: it commits to the name and the algorithm too. */
function idOf({ name, role, publicKey }: NoteKey): Uint8Array {
  const named = concat(fromUtf8(`${name}\n`), Uint8Array.of(TYPE[role]), publicKey);
  return syncCrypto.digest("SHA-256", named).subarray(0, ID_BYTES);
}

function signatureLine(key: NoteKey, signature: Uint8Array): string {
  return `— ${key.name} ${toBase64(concat(idOf(key), signature))}\n`;
}

function splitNote(note: string): { readonly text: string; readonly lines: readonly SignatureLine[] } {
  if (note.length > MAX_NOTE) throw invalid("note", `it has ${note.length} characters, at most ${MAX_NOTE}`);
  const end = note.lastIndexOf("\n\n");
  if (end === -1 || !note.endsWith("\n")) throw invalid("note", "it has no signatures after an empty line");
  const text = note.slice(0, end + 1);
  checkText(text);
  const lines = note.slice(end + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) throw invalid("note", `it has more than ${MAX_SIGNATURES} signatures`);
  return { text, lines: lines.map(signatureIn) };
}

function signatureIn(line: string): SignatureLine {
  const [, name = "", encoded] = /^— ([^\s+]+) (\S+)$/u.exec(line) ?? [];
  if (encoded === undefined) throw invalid("note", "a line after the empty one is no signature");
  const bytes = base64In(encoded, "note");
  if (bytes.length <= ID_BYTES) throw invalid("note", "a signature is too short");
  return { name, id: bytes.subarray(0, ID_BYTES), signature: bytes.subarray(ID_BYTES) };
}

/** Lines of text without control characters (signed-note, "Format"). */
function checkText(text: string): void {
  if (!/[^\n]\n$/.test(text) || !text.isWellFormed())
    throw invalid("note", "its text does not end in a line break");
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 && code !== 0x0a) throw invalid("note", "its text has a control character");
  }
}

function base64In(text: string, what: string): Bytes {
  try {
    return fromBase64(text);
  } catch {
    throw invalid(what, "a part of it is no base64");
  }
}

function invalid(what: string, why: string): CoreError {
  return malformed("INVALID_NOTE", `Cannot read ${what === "note" ? "signed note" : `note ${what}`}: ${why}`);
}

function unsigned(why: string): CoreError {
  return new CoreError("NOTE_SIGNATURE", "not-authentic", `Cannot trust the signed note: ${why}`, {
    hint: "Check that the key is that of the log.",
  });
}
