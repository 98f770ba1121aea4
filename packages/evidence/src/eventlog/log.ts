// SPDX-License-Identifier: Apache-2.0
// Event logs, parsed and written: the crypto-agile form (TCG PC Client Platform Firmware Profile 1.06, section 10.2.2),
// which ACPI's CCEL table uses too (UEFI 2.11, section 38.4.1), and the older one with SHA-1 alone (section 10.2.1).

import { type Bytes, concat, equal, fromUtf8 } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { AdytonError, type ErrorDetail } from "@adyton/core/errors";
import { EvidenceError, unknownVersion } from "../errors.ts";
import { digestSize, hashOfId, idOfHash, type TpmHash } from "../tpm/algorithms.ts";
import { EVENT_TYPE } from "./types.ts";

export interface EventDigest {
  readonly hash: TpmHash;
  readonly digest: Uint8Array;
}

export interface LogEvent {
  /** A PCR's number; in a CCEL log 0 is MRTD and 1 to 4 are RTMR 0 to 3. */
  readonly index: number;
  readonly type: number;
  readonly digests: readonly EventDigest[];
  /** What the firmware says was measured. Nothing vouches for it unless a digest covers it: see `boot.ts`. */
  readonly data: Uint8Array;
}

export interface EventLog {
  readonly format: "crypto-agile" | "sha1";
  /** The banks that the log has digests of, in its order. */
  readonly hashes: readonly TpmHash[];
  /** Without the first event of a crypto-agile log, which describes the log. */
  readonly events: readonly LogEvent[];
  /** Bytes of the log; filling may follow. */
  readonly size: number;
}

const MAX_LOG = 16 * 1024 * 1024;
const MAX_EVENTS = 65_536;
const MAX_BANKS = 16;
const SHA1_SIZE = 20;
const WORD = Int32Array.BYTES_PER_ELEMENT;
const SPEC_ID = fromUtf8("Spec ID Event03\0");
/** The signature without its two digits: what describes a log of any version. */
const SPEC_ID_STEM = fromUtf8("Spec ID Event");
/** Of the older log, whose first event describes it, too, and changes nothing in its form (section 10.4.5.1). */
const SHA1_SPEC_IDS: readonly string[] = ["00", "02"];
/** platformClass, specVersionMinor, specVersionMajor, specErrata, uintnSize: a PC client, 2.0 errata 0, 64-bit. */
const SPEC_FIELDS = Uint8Array.of(0, 0, 0, 0, 0, 2, 0, 2);
const SPEC_MAJOR = 2;
const SPEC_MINOR = 0;

/**
 * Parses a whole log. It may be followed by zeros or FFh, as ACPI tables are. Algorithms that are not known here are
 * skipped by the size that the log declares for them. Throws `INVALID_EVENT_LOG`.
 */
export function parseEventLog(bytes: Uint8Array): EventLog {
  if (bytes.length > MAX_LOG)
    refuse(`${bytes.length} bytes, at most ${MAX_LOG} are read`, { found: bytes.length });
  try {
    return parse(bytes);
  } catch (cause) {
    if (cause instanceof EvidenceError || !(cause instanceof AdytonError)) throw cause;
    throw new EvidenceError("INVALID_EVENT_LOG", "malformed", cause.message, { detail: cause.detail, cause });
  }
}

/** Writes a log; `hashes` says which banks it has, and every event but EV_NO_ACTION must have a digest for each. */
export function encodeEventLog(log: Pick<EventLog, "format" | "hashes" | "events">): Bytes {
  if (log.format === "sha1") return concat(...log.events.map(encodeSha1Event));
  const header = concat(
    SPEC_ID,
    SPEC_FIELDS,
    new Writer(4).u32le(log.hashes.length).finish(),
    ...log.hashes.map((hash) => new Writer(4).u16le(idOfHash(hash)).u16le(digestSize(hash)).finish()),
    Uint8Array.of(0),
  );
  const first = { index: 0, type: EVENT_TYPE.noAction, digests: [], data: header };
  return concat(encodeSha1Event(first), ...log.events.map(encodeEvent));
}

function parse(bytes: Uint8Array): EventLog {
  const reader = new Reader(bytes, "event log");
  if (bytes.length === 0 || isFilling(bytes)) return refuse("it is empty", { found: 0 });
  const first = readSha1Event(reader);
  if (!isCryptoAgile(first)) {
    return { format: "sha1", hashes: ["SHA-1"], ...readEvents(reader, bytes, readSha1Event, [first]) };
  }
  const banks = readBanks(first.data);
  const hashes = [...banks.keys()].flatMap((id) => hashOfId(id) ?? []);
  return {
    format: "crypto-agile",
    hashes,
    ...readEvents(reader, bytes, (from) => readEvent(from, banks), []),
  };
}

/** Whether this first event announces a crypto-agile log. One that announces a form of which nothing is known is refused. */
function isCryptoAgile({ type, data }: LogEvent): boolean {
  const stem = SPEC_ID_STEM.length;
  if (type !== EVENT_TYPE.noAction || !equal(data.subarray(0, stem), SPEC_ID_STEM)) return false;
  if (equal(data.subarray(0, SPEC_ID.length), SPEC_ID)) return true;
  const digits = String.fromCharCode(...data.subarray(stem, stem + 2));
  if (SHA1_SPEC_IDS.includes(digits) && data[stem + 2] === 0) return false;
  throw unknown("specification id", JSON.stringify(digits), '"00", "02" or "03"');
}

/** Events up to the end or the filling. */
function readEvents(
  reader: Reader,
  bytes: Uint8Array,
  read: (reader: Reader) => LogEvent,
  events: LogEvent[],
): Pick<EventLog, "events" | "size"> {
  while (reader.remaining > 0 && !startsFilling(bytes, reader.offset)) {
    if (events.length === MAX_EVENTS) refuse(`more than ${MAX_EVENTS} events`, { offset: reader.offset });
    events.push(read(reader));
  }
  return { events, size: reader.offset };
}

/** TCG_PCR_EVENT, section 10.2.1. */
function readSha1Event(reader: Reader): LogEvent {
  const index = reader.u32le("pcrIndex");
  const type = reader.u32le("eventType");
  const digest = reader.bytes(SHA1_SIZE, "digest");
  const data = reader.bytes(reader.u32le("eventDataSize"), "event data");
  return { index, type, digests: [{ hash: "SHA-1", digest }], data };
}

/** TCG_PCR_EVENT2, section 10.2.2. */
function readEvent(reader: Reader, banks: ReadonlyMap<number, number>): LogEvent {
  const { offset } = reader;
  const index = reader.u32le("pcrIndex");
  const type = reader.u32le("eventType");
  const count = reader.u32le("digests.count");
  if (count > MAX_BANKS)
    refuse(`${count} digests at offset ${offset}, at most ${MAX_BANKS}`, { offset, found: count });
  const digests: EventDigest[] = [];
  for (let i = 0; i < count; i++) {
    const id = reader.u16le("digest algorithm");
    const size = banks.get(id);
    if (size === undefined)
      return refuse(`algorithm ${hex(id)} at offset ${offset}, which its header lacks`, {
        offset,
        found: id,
      });
    const digest = reader.bytes(size, "digest");
    const hash = hashOfId(id);
    if (hash === undefined) continue;
    if (digests.some((other) => other.hash === hash))
      refuse(`two ${hash} digests at offset ${offset}`, { offset });
    digests.push({ hash, digest });
  }
  return { index, type, digests, data: reader.bytes(reader.u32le("eventSize"), "event data") };
}

/** TCG_EfiSpecIdEvent, section 10.4.5.1: digest sizes by algorithm. */
function readBanks(data: Uint8Array): Map<number, number> {
  const reader = new Reader(data, "event log header");
  reader.bytes(SPEC_ID.length, "signature");
  reader.u32le("platformClass");
  const minor = reader.u8("specVersionMinor");
  const major = reader.u8("specVersionMajor");
  if (major !== SPEC_MAJOR || minor !== SPEC_MINOR) {
    throw unknown("specification version", `${major}.${minor}`, `${SPEC_MAJOR}.${SPEC_MINOR}`);
  }
  // Errata change words, not layouts; nothing in a log depends on the width of a machine word.
  reader.bytes(2, "specErrata and uintnSize");
  const count = reader.u32le("numberOfAlgorithms");
  if (count === 0 || count > MAX_BANKS)
    refuse(`${count} algorithms, expected 1 to ${MAX_BANKS}`, { found: count });
  const banks = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const id = reader.u16le("algorithmId");
    const size = reader.u16le("digestSize");
    const hash = hashOfId(id);
    if (banks.has(id) || (hash !== undefined && digestSize(hash) !== size)) {
      refuse(`algorithm ${hex(id)} of ${size} bytes, twice or of the wrong size`, { found: id, size });
    }
    banks.set(id, size);
  }
  reader.bytes(reader.u8("vendorInfoSize"), "vendorInfo");
  reader.end();
  return banks;
}

function encodeSha1Event({ index, type, digests, data }: LogEvent): Bytes {
  const digest = digests.find(({ hash }) => hash === "SHA-1")?.digest ?? new Uint8Array(SHA1_SIZE);
  const head = new Writer(32).u32le(index).u32le(type).bytes(digest, SHA1_SIZE, "digest").u32le(data.length);
  return concat(head.finish(), data);
}

function encodeEvent({ index, type, digests, data }: LogEvent): Bytes {
  return concat(
    new Writer(12).u32le(index).u32le(type).u32le(digests.length).finish(),
    ...digests.flatMap(({ hash, digest }) => [new Writer(2).u16le(idOfHash(hash)).finish(), digest]),
    new Writer(4).u32le(data.length).finish(),
    data,
  );
}

/** A register of FFFFFFFFh is none, and an event of zeros alone measures nothing: the rest must then be one byte. */
function startsFilling(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at];
  if (first !== 0 && first !== 0xff) return false;
  for (let i = at; i < Math.min(at + 4, bytes.length); i++) if (bytes[i] !== first) return false;
  return isFilling(bytes.subarray(at));
}

function isFilling(bytes: Uint8Array): boolean {
  const [first] = bytes;
  if (first !== 0 && first !== 0xff) return false;
  // Tables are filled up to their size, which may be most of it: whole words where they are aligned.
  const head = Math.min(bytes.length, -bytes.byteOffset & (WORD - 1));
  const words = Math.trunc((bytes.length - head) / WORD);
  const filled = first === 0 ? 0 : -1;
  const view = words > 0 ? new Int32Array(bytes.buffer, bytes.byteOffset + head, words) : [];
  for (let i = 0; i < words; i++) if (view[i] !== filled) return false;
  const isFirst = (byte: number): boolean => byte === first;
  return bytes.subarray(0, head).every(isFirst) && bytes.subarray(head + words * WORD).every(isFirst);
}

function hex(id: number): string {
  return `${id.toString(16).padStart(4, "0")}h`;
}

function unknown(field: string, found: string, known: string): EvidenceError {
  return unknownVersion("INVALID_EVENT_LOG", "parse event log", field, found, known);
}

function refuse(found: string, detail: ErrorDetail): never {
  throw new EvidenceError("INVALID_EVENT_LOG", "malformed", `Cannot parse event log: ${found}`, { detail });
}
