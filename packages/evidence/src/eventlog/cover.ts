// SPDX-License-Identifier: Apache-2.0
// Which part of an event's data its digest covers. Firmware and boot loaders differ in what they hash, so each way in
// use is tried; what no way covers is hearsay, whatever the log says beside a true digest.

import { concat, equal, fromUtf8 } from "@adyton/core/bytes";
import type { VerifyingCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { digestOf, digestSize } from "../tpm/algorithms.ts";
import { iplText, parseUefiVariable } from "./details.ts";
import type { EventDigest, LogEvent } from "./log.ts";
import { EVENT_TYPE } from "./types.ts";

export type Coverage =
  /** All of the data. */
  | { readonly part: "all" }
  /** The value of the variable, not its name (boot variables of EDK II). */
  | { readonly part: "value" }
  /** The text after the first word: GRUB's commands and kernel command lines. */
  | { readonly part: "text"; readonly text: string }
  /** The name: the first of the two events that a systemd stub writes for a section. */
  | { readonly part: "name"; readonly text: string }
  | { readonly part: "none" };

const NONE: Coverage = { part: "none" };
const NUL = Uint8Array.of(0);

/** What `event`'s digests cover, each of them; `digests` are those that registers vouch for. */
export async function coverageOf(
  event: Pick<LogEvent, "type" | "data">,
  digests: readonly EventDigest[],
  crypto: Pick<VerifyingCrypto, "digest">,
): Promise<Coverage> {
  const strongest = [...digests].sort((a, b) => digestSize(b.hash) - digestSize(a.hash))[0];
  if (strongest === undefined) return NONE;
  for (const [coverage, data] of candidates(event)) {
    if (!(await covers(strongest, data, crypto))) continue;
    for (const other of digests) if (!(await covers(other, data, crypto))) return NONE;
    return coverage;
  }
  return NONE;
}

async function covers(
  { hash, digest }: EventDigest,
  data: Uint8Array,
  crypto: Pick<VerifyingCrypto, "digest">,
): Promise<boolean> {
  return equal(await digestOf(hash, data, crypto), digest);
}

function* candidates({ type, data }: Pick<LogEvent, "type" | "data">): Generator<[Coverage, Uint8Array]> {
  yield [{ part: "all" }, data];
  if (type === EVENT_TYPE.efiVariableBoot) {
    const value = variableValue(data);
    if (value !== undefined) yield [{ part: "value" }, value];
  }
  if (type !== EVENT_TYPE.ipl) return;
  const text = iplText(data);
  // "grub_cmd: linux …" over the text; Red Hat's "grub_cmd linux …" over the text with a NUL, or without.
  const command = /^\S+ ([\s\S]*)$/.exec(text)?.[1];
  if (command !== undefined) {
    const bytes = fromUtf8(command);
    yield [{ part: "text", text: command }, bytes];
    yield [{ part: "text", text: command }, concat(bytes, NUL)];
  } else {
    const name = fromUtf8(data[0] === 0x2e ? `.${text}` : text);
    yield [{ part: "name", text }, concat(name, NUL)];
  }
}

function variableValue(data: Uint8Array): Uint8Array | undefined {
  try {
    return parseUefiVariable(data).data;
  } catch (error) {
    if (error instanceof AdytonError) return undefined;
    throw error;
  }
}
