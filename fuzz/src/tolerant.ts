// SPDX-License-Identifier: Apache-2.0
// What a target may not do: throw anything but an AdytonError, or read bytes that it does not write back alike.

import { equal } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";

/** Runs each and swallows typed refusals. Anything else that is thrown is a finding, and is thrown on. */
export function tolerant(...acts: readonly (() => unknown)[]): void {
  for (const act of acts) {
    try {
      act();
    } catch (error) {
      if (!(error instanceof AdytonError)) throw error;
    }
  }
}

/** `tolerant` for promises, one after the other. */
export async function tolerantAsync(...acts: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const act of acts) {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof AdytonError)) throw error;
    }
  }
}

/** What `parse` accepts, `encode` must write back to the byte. `encode` has no reason to refuse what was parsed. */
export function roundTrip<T>(
  data: Uint8Array,
  parse: (data: Uint8Array) => T,
  encode: (value: T) => Uint8Array,
): void {
  let value: T;
  try {
    value = parse(data);
  } catch (error) {
    if (error instanceof AdytonError) return;
    throw error;
  }
  if (!equal(encode(value), data)) throw new Error("what was parsed is written back differently");
}

/** The bytes as text: what is no UTF-8 becomes U+FFFD, so that every input reaches the parser. */
export function textOf(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}

/** UTF-8. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
