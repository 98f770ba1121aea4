// SPDX-License-Identifier: Apache-2.0
// Times of day in time zones of the IANA database, as the platform's `Intl` has it: no tables of our own.

import type { BuiltinContext } from "../builtin.ts";
import { failure } from "./define.ts";

/** An instant as a clock on the wall shows it. `offset` is in seconds east of UTC. */
export interface WallTime {
  readonly year: number;
  /** From 1, as are days. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  readonly offset: number;
  readonly zone: string;
}

const BILLION = 1_000_000_000n;
/** Languages in which zones have their short names, in turn: others show an offset. */
const LANGUAGES = ["en-US", "en-GB", "en-AU", "en-IN"];

export function wallTimeOf(nanoseconds: bigint, zone: string, context: BuiltinContext): WallTime {
  const nanosecond = Number(((nanoseconds % BILLION) + BILLION) % BILLION);
  const seconds = Number((nanoseconds - BigInt(nanosecond)) / BILLION);
  const offset = offsetAt(seconds, zone, context);
  const date = new Date((seconds + offset) * 1000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    nanosecond,
    offset,
    zone,
  };
}

/** Nanoseconds since 1970 of a wall time; fields beyond their range carry over. `offset` is found by `zone`. */
export function instantOf(time: Omit<WallTime, "offset">, context: BuiltinContext): bigint {
  const local = secondsOf(time);
  if (!Number.isFinite(local)) throw failure("time outside of valid range");
  // As Go's time.Date: the offset of the neighbourhood, unless it leads to where another one holds.
  const near = offsetAt(local, time.zone, context);
  const offset = near === 0 ? 0 : offsetAt(local - near, time.zone, context);
  return checkedInstant(BigInt(local - offset) * BILLION + BigInt(time.nanosecond));
}

/** Throws `BuiltinFailure` for what 64 bits do not hold. */
export function checkedInstant(nanoseconds: bigint): bigint {
  if (BigInt.asIntN(64, nanoseconds) === nanoseconds) return nanoseconds;
  throw failure("time outside of valid range");
}

/** Seconds since 1970, as if the wall were in Greenwich. NaN beyond what a Date holds. */
export function secondsOf({
  year,
  month,
  day,
  hour,
  minute,
  second,
}: Omit<WallTime, "offset" | "zone">): number {
  const date = new Date(0);
  // Unlike Date.UTC, this takes years before 100 for what they are.
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
}

/** The short name of the zone at a time: `UTC`, `CET`; or, where the platform has none, an offset such as `+09`. */
export function zoneNameOf(time: WallTime): string {
  if (time.zone === "UTC") return time.zone;
  const date = new Date((secondsOf(time) - time.offset) * 1000);
  for (const language of LANGUAGES) {
    const name = new Intl.DateTimeFormat(language, { timeZone: time.zone, timeZoneName: "short" })
      .formatToParts(date)
      .find((part) => part.type === "timeZoneName")?.value;
    if (name !== undefined && !/^(GMT|UTC)[+-]/.test(name)) return name;
  }
  const minutes = Math.trunc(Math.abs(time.offset) / 60);
  const [hour, rest] = [Math.trunc(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0"));
  return `${time.offset < 0 ? "-" : "+"}${hour}${rest === "00" ? "" : rest}`;
}

function offsetAt(seconds: number, zone: string, context: BuiltinContext): number {
  if (zone === "UTC") return 0;
  context.spend(10);
  const format = context.cached(`zone ${zone}`, () => formatOf(zone));
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) throw failure("time outside of valid range");
  const parts = new Map(format.formatToParts(date).map(({ type, value }) => [type as string, Number(value)]));
  const field = (name: string): number => parts.get(name) ?? 0;
  const local = secondsOf({
    year: field("year"),
    month: field("month"),
    day: field("day"),
    hour: field("hour"),
    minute: field("minute"),
    second: field("second"),
    nanosecond: 0,
  });
  return local - seconds;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  // `Intl` also takes offsets and any case; the database has names that begin with a capital.
  if (!/^[A-Z]/.test(zone) || zone === "Local") throw failure(`unknown time zone ${zone.slice(0, 40)}`);
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    throw failure(`unknown time zone ${zone.slice(0, 40)}`);
  }
}
