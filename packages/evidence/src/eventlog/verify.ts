// SPDX-License-Identifier: Apache-2.0
// An event log against the registers of verified evidence: true events become claims, all others are left out.

import { equal, toBase64, toHex } from "@adyton/core/bytes";
import { type VerifyingCrypto, verifyingCrypto } from "@adyton/core/crypto";
import type { JsonObject } from "@adyton/core/json";
import { EvidenceError } from "../errors.ts";
import {
  assertVerified,
  type MeasurementRegister,
  seal,
  type VerifiedEvidence,
  type Warning,
} from "../verified.ts";
import { bootClaims, bootFacts, type CheckedEvent } from "./boot.ts";
import { coverageOf } from "./cover.ts";
import { eventDetails } from "./details.ts";
import { type EventLog, type LogEvent, parseEventLog } from "./log.ts";
import { initialValues, isExtending, replay } from "./replay.ts";
import { eventTypeName } from "./types.ts";

export interface EventLogOptions {
  /**
   * Registers to check, by the log's index. Default: all that the log has events for. Name those that the firmware
   * measured when the operating system has since extended others without telling this log.
   */
  readonly registers?: readonly number[];
  readonly crypto?: Pick<VerifyingCrypto, "digest">;
}

/**
 * The evidence with what its event log says: claims `uefi_event_logs` (Trustee's form) and `boot`. Each register that
 * the log has events for must have exactly the value that these events make. Several logs, a firmware's and an
 * attestation agent's, are read as one after the other.
 *
 * Events of registers that the evidence does not show are left out, with a warning. Throws `INVALID_EVENT_LOG`;
 * `EVENT_LOG_UNBOUND` when the evidence shows no register of the log; `EVENT_LOG_MISMATCH` when one has another value;
 * `NOT_VERIFIED` for anything but verified evidence.
 */
export async function verifyEventLog(
  evidence: VerifiedEvidence,
  log: Uint8Array | readonly Uint8Array[],
  options: EventLogOptions = {},
): Promise<VerifiedEvidence> {
  assertVerified(evidence);
  const { crypto = verifyingCrypto } = options;
  const logs = (log instanceof Uint8Array ? [log] : log).map(parseEventLog);
  const events = logs.flatMap((each) => each.events);
  const shown = registersOf(evidence, logs, events, options.registers);
  for (const register of shown) await checkRegister(register, events, crypto);
  const checked = await checkedEvents(shown, events, crypto);
  return seal({
    ...evidence,
    claims: {
      ...evidence.claims,
      uefi_event_logs: checked.map(claimOf),
      boot: bootClaims(bootFacts(checked)),
    },
    warnings: [...evidence.warnings, ...warningsOf(evidence, shown, logs, events)],
    explanation: [
      ...evidence.explanation,
      `The event log's ${checked.length} events make the values of ${namesOf(shown)}.`,
    ],
  });
}

/** The registers of the evidence that the log has events for. */
function registersOf(
  evidence: VerifiedEvidence,
  logs: readonly EventLog[],
  events: readonly LogEvent[],
  wanted: readonly number[] | undefined,
): MeasurementRegister[] {
  const extended = new Set(events.filter(isExtending).map(({ index }) => index));
  const hashes = new Set(logs.flatMap((log) => log.hashes));
  const shown = (evidence.registers ?? []).filter(
    ({ index, hash }) => hashes.has(hash) && extended.has(index) && wanted?.includes(index) !== false,
  );
  if (shown.length > 0) return shown;
  throw new EvidenceError(
    "EVENT_LOG_UNBOUND",
    "not-authentic",
    `Cannot accept event log: the evidence vouches for none of its registers ${list(extended)} in ${list(hashes)}`,
    {
      detail: { tee: evidence.tee, registers: [...extended], hashes: [...hashes] },
      hint: "Quote the registers that the log is about, in a bank that it has.",
    },
  );
}

async function checkRegister(
  register: MeasurementRegister,
  events: readonly LogEvent[],
  crypto: Pick<VerifyingCrypto, "digest">,
): Promise<void> {
  let replayed: Uint8Array | undefined;
  for (const initial of initialValues(register, events)) {
    replayed = await replay(register.index, register.hash, initial, events, crypto);
    if (replayed !== undefined && equal(replayed, register.value)) return;
  }
  const { name, index, hash, value } = register;
  throw new EvidenceError(
    "EVENT_LOG_MISMATCH",
    "not-authentic",
    replayed === undefined
      ? `Cannot accept event log: an event of ${name} has no ${hash} digest`
      : `Cannot accept event log: its events make another value of ${name} than the evidence has`,
    {
      detail: {
        register: name,
        index,
        hash,
        found: replayed === undefined ? null : toHex(replayed),
        expected: toHex(value),
      },
      hint: "The log was changed or cut, or more was measured than it tells: then name the registers to check.",
    },
  );
}

async function checkedEvents(
  registers: readonly MeasurementRegister[],
  events: readonly LogEvent[],
  crypto: Pick<VerifyingCrypto, "digest">,
): Promise<CheckedEvent[]> {
  const checked: CheckedEvent[] = [];
  for (const event of events) {
    const own = registers.filter(({ index }) => index === event.index);
    const [first] = own;
    if (first === undefined || !isExtending(event)) continue;
    const digests = event.digests.filter(({ hash }) => own.some((register) => register.hash === hash));
    checked.push({ event, kind: first.kind, digests, coverage: await coverageOf(event, digests, crypto) });
  }
  return checked;
}

/** As Trustee's `uefi_event_logs` has it. */
function claimOf({ event, digests, coverage }: CheckedEvent): JsonObject {
  return {
    details: eventDetails(event),
    digest_matches_event: coverage.part === "all",
    digests: digests.map(({ hash, digest }) => ({ alg: hash, digest: toHex(digest) })),
    event: toBase64(event.data),
    index: event.index,
    type_name: eventTypeName(event.type),
  };
}

function warningsOf(
  evidence: VerifiedEvidence,
  shown: readonly MeasurementRegister[],
  logs: readonly EventLog[],
  events: readonly LogEvent[],
): Warning[] {
  const warnings: Warning[] = [];
  const covered = new Set(shown.map(({ index }) => index));
  const left = new Set(
    events.filter((event) => isExtending(event) && !covered.has(event.index)).map(({ index }) => index),
  );
  if (left.size > 0) {
    warnings.push({
      code: "EVENT_LOG_PARTLY_CHECKED",
      message: `The evidence does not vouch for the log's registers ${list(left)}: their events are left out.`,
    });
  }
  const hashes = new Set(logs.flatMap((log) => log.hashes));
  const unexplained = (evidence.registers ?? []).filter(
    (register) =>
      hashes.has(register.hash) &&
      !covered.has(register.index) &&
      !initialValues(register, events).some((initial) => equal(initial, register.value)),
  );
  if (unexplained.length > 0) {
    warnings.push({
      code: "EVENT_LOG_INCOMPLETE",
      message: `The log does not explain the values of ${namesOf(unexplained)}.`,
    });
  }
  if (shown.every(({ hash }) => hash === "SHA-1")) {
    warnings.push({
      code: "EVENT_LOG_SHA1",
      message: "The log was checked by SHA-1 alone, for which collisions can be made.",
    });
  }
  return warnings;
}

/** "SHA-256 pcr00, pcr01; SHA-384 pcr00". */
function namesOf(registers: readonly MeasurementRegister[]): string {
  const banks = new Set(registers.map(({ hash }) => hash));
  const named = [...banks].map(
    (bank) => `${bank} ${list(registers.filter(({ hash }) => hash === bank).map(({ name }) => name))}`,
  );
  return named.join("; ");
}

function list(items: Iterable<string | number>): string {
  return [...items].join(", ");
}
