// SPDX-License-Identifier: Apache-2.0
// Replaying a log: which values registers have when exactly these events were measured into them.

import { equal, fromUtf8 } from "@adyton/core/bytes";
import type { VerifyingCrypto } from "@adyton/core/crypto";
import { digestOf, digestSize, type TpmHash } from "../tpm/algorithms.ts";
import type { MeasurementRegister } from "../verified.ts";
import type { LogEvent } from "./log.ts";
import { EVENT_TYPE } from "./types.ts";

const STARTUP_LOCALITY = fromUtf8("StartupLocality\0");
/** PCRs of the dynamic root of trust: FFh until it starts, zeros from then on (PC Client Platform TPM Profile, 4.6.3). */
const DYNAMIC: readonly [first: number, last: number] = [17, 22];

/** True for an event that changes a register; EV_NO_ACTION only informs. */
export function isExtending(event: Pick<LogEvent, "type">): boolean {
  return event.type !== EVENT_TYPE.noAction;
}

/** The values that a register may have had before its first event. */
export function initialValues(
  register: Pick<MeasurementRegister, "kind" | "index" | "hash">,
  events: readonly LogEvent[],
): Uint8Array[] {
  const zeros = new Uint8Array(digestSize(register.hash));
  if (register.kind !== "pcr") return [zeros];
  const { index } = register;
  if (index === 0) {
    // The locality that TPM2_Startup came from, section 10.4.5.3 of the firmware profile.
    zeros[zeros.length - 1] = startupLocality(events);
    return [zeros];
  }
  return index >= DYNAMIC[0] && index <= DYNAMIC[1]
    ? [zeros, new Uint8Array(zeros.length).fill(0xff)]
    : [zeros];
}

/** The register's value after the events that name it; undefined when one of them lacks a digest of its bank. */
export async function replay(
  index: number,
  hash: TpmHash,
  initial: Uint8Array,
  events: readonly LogEvent[],
  crypto: Pick<VerifyingCrypto, "digest">,
): Promise<Uint8Array | undefined> {
  const size = initial.length;
  // Register and digest, hashed together: one block for the whole log.
  const block = new Uint8Array(2 * size);
  block.set(initial);
  let value = initial;
  for (const event of events) {
    if (event.index !== index || !isExtending(event)) continue;
    const digest = event.digests.find((candidate) => candidate.hash === hash)?.digest;
    if (digest?.length !== size) return undefined;
    block.set(digest, size);
    const next = digestOf(hash, block, crypto);
    // Waiting for what is there already would take longer than making it.
    value = next instanceof Promise ? await next : next;
    block.set(value);
  }
  return value;
}

function startupLocality(events: readonly LogEvent[]): number {
  const size = STARTUP_LOCALITY.length;
  const event = events.find(
    ({ type, data }) =>
      type === EVENT_TYPE.noAction &&
      data.length === size + 1 &&
      equal(data.subarray(0, size), STARTUP_LOCALITY),
  );
  return event?.data[size] ?? 0;
}
