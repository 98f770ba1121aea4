// SPDX-License-Identifier: Apache-2.0
// Values of options: text in, typed values out, misuse (`INVALID_VALUE`) otherwise.

import { fromHex } from "@adyton/core/bytes";
import type { AdytonError } from "@adyton/core/errors";
import { isTeeName, type TeeName } from "@adyton/evidence";
import { misuse } from "./errors.ts";
import type { Invocation } from "./frame/command.ts";
import { suggest } from "./frame/suggest.ts";

const TIME = /^(\d{4}-\d{2}-\d{2})(?:[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2}))?$/;

/** RFC 3339 date-time, or a full-date for its midnight UTC. Impossible dates (30 February) are refused. */
export function timeOf(option: string, text: string): Date {
  const day = TIME.exec(text)?.[1];
  const time = new Date(text.toUpperCase());
  const dayExists = day !== undefined && new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day);
  if (!dayExists || Number.isNaN(time.getTime())) {
    throw invalid(option, text, "an RFC 3339 time such as 2025-07-01T00:00:00Z, or a date");
  }
  return time;
}

/** `--tee`, or undefined. */
export function teeOption(invocation: Invocation): TeeName | undefined {
  const name = invocation.value("tee");
  return name !== undefined && isTeeName(name) ? name : undefined;
}

/** An even number of hex digits, at least two; 0x and white space at the ends are allowed. */
export function hexOf(option: string, text: string): Uint8Array {
  const digits = text.trim().replace(/^0[xX]/, "");
  if (digits === "") throw invalid(option, text, "hex digits");
  try {
    return fromHex(digits);
  } catch (error) {
    throw invalid(option, text, `an even number of hex digits (${(error as AdytonError).message})`);
  }
}

/** A whole number from `min` to `max`, in decimal digits. */
export function integerOf(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw invalid(option, text, `a whole number from ${min} to ${max}`);
  return value;
}

/** Comma-separated words, each one of `choices`. */
export function listOf<T extends string>(option: string, text: string, choices: readonly T[]): T[] {
  return text.split(",").map((word) => {
    const choice = choices.find((each) => each === word.trim());
    if (choice !== undefined) return choice;
    const near = suggest(
      word.trim(),
      choices.map((each) => each.toLowerCase()),
    );
    const meant = choices.find((each) => each.toLowerCase() === near);
    throw misuse(
      "INVALID_VALUE",
      `Cannot take ${JSON.stringify(word)} for --${option}: expected ${choices.join(", ")}`,
      meant === undefined ? undefined : `Did you mean ${meant}?`,
    );
  });
}

/** Comma-separated `name=number` pairs, each name once. */
export function numbersOf(option: string, text: string): Record<string, number> {
  const pairs = text.split(",").map((pair): [string, number] => {
    const match = /^\s*([A-Za-z][A-Za-z0-9_]*)=(\d{1,9})\s*$/.exec(pair);
    if (match === null) throw invalid(option, text, "name=number pairs such as snp=8,microcode=115");
    return [match[1] as string, Number(match[2])];
  });
  const numbers = Object.fromEntries(pairs);
  if (Object.keys(numbers).length !== pairs.length) throw invalid(option, text, "each name once");
  return numbers;
}

function invalid(option: string, text: string, expected: string): Error {
  return misuse("INVALID_VALUE", `Cannot take ${JSON.stringify(text)} for --${option}: expected ${expected}`);
}
