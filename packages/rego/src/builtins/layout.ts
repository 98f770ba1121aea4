// SPDX-License-Identifier: Apache-2.0
// Times written and read by layouts of Go's `time` package: the layout shows how 2 January 2006, 15:04:05 UTC-7 is
// written.

import { failure } from "./define.ts";
import { secondsOf, type WallTime, zoneNameOf } from "./zone.ts";

const MONTHS = "January February March April May June July August September October November December".split(
  " ",
);
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

const ELEMENT =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|0[1-6]|002|15|1|2006|2|_2(?!006)|__2|[345]|PM|pm|[-Z]07(?:0000|:00:00|00|:00)?|[.,](?:0+|9+)(?!\d)/g;

const RFC3339 = "2006-01-02T15:04:05Z07:00";
const NAMED = new Map([
  ["ANSIC", "Mon Jan _2 15:04:05 2006"],
  ["UnixDate", "Mon Jan _2 15:04:05 MST 2006"],
  ["RubyDate", "Mon Jan 02 15:04:05 -0700 2006"],
  ["RFC822", "02 Jan 06 15:04 MST"],
  ["RFC822Z", "02 Jan 06 15:04 -0700"],
  ["RFC850", "Monday, 02-Jan-06 15:04:05 MST"],
  ["RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"],
  ["RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"],
  ["RFC3339", RFC3339],
  ["RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00"],
]);

/** The layout of a name such as `RFC3339`, or the layout itself. */
export function layoutOf(name: string): string {
  return NAMED.get(name) ?? name;
}

export function weekdayOf(time: WallTime): string {
  return DAYS[new Date(secondsOf(time) * 1000).getUTCDay()] ?? "";
}

export function formatTime(time: WallTime, layout: string): string {
  return layout.replace(ELEMENT, (element) => formatElement(time, element));
}

function formatElement(time: WallTime, element: string): string {
  const pad = (value: number, width: number, filler = "0"): string => String(value).padStart(width, filler);
  const hour12 = time.hour % 12 || 12;
  switch (element) {
    case "January":
      return MONTHS[time.month - 1] ?? "";
    case "Jan":
      return (MONTHS[time.month - 1] ?? "").slice(0, 3);
    case "1":
      return String(time.month);
    case "01":
      return pad(time.month, 2);
    case "Monday":
      return weekdayOf(time);
    case "Mon":
      return weekdayOf(time).slice(0, 3);
    case "2":
      return String(time.day);
    case "_2":
      return pad(time.day, 2, " ");
    case "02":
      return pad(time.day, 2);
    case "__2":
      return pad(dayOfYear(time), 3, " ");
    case "002":
      return pad(dayOfYear(time), 3);
    case "15":
      return pad(time.hour, 2);
    case "3":
      return String(hour12);
    case "03":
      return pad(hour12, 2);
    case "4":
      return String(time.minute);
    case "04":
      return pad(time.minute, 2);
    case "5":
      return String(time.second);
    case "05":
      return pad(time.second, 2);
    case "2006":
      return pad(time.year, 4);
    case "06":
      return pad(time.year % 100, 2);
    case "PM":
      return time.hour >= 12 ? "PM" : "AM";
    case "pm":
      return time.hour >= 12 ? "pm" : "am";
    case "MST":
      return zoneNameOf(time);
    default:
      return /^[.,]/.test(element) ? formatFraction(time, element) : formatOffset(time.offset, element);
  }
}

/** `.000` has all its digits, `.999` drops zeros at the end and then the point. */
function formatFraction({ nanosecond }: WallTime, element: string): string {
  const digits = String(nanosecond)
    .padStart(9, "0")
    .slice(0, element.length - 1);
  if (element[1] === "0") return `${element[0]}${digits}`;
  const short = digits.replace(/0+$/, "");
  return short === "" ? "" : `${element[0]}${short}`;
}

/** `Z07:00` is `Z` in Greenwich, `-07:00` always digits. */
function formatOffset(offset: number, element: string): string {
  if (offset === 0 && element.startsWith("Z")) return "Z";
  const size = Math.abs(offset);
  const colon = element.includes(":") ? ":" : "";
  const parts = [size / 3600, (size / 60) % 60, size % 60].map((part) =>
    String(Math.trunc(part)).padStart(2, "0"),
  );
  return (offset < 0 ? "-" : "+") + parts.slice(0, (element.length - 1 - colon.length) >> 1).join(colon);
}

function dayOfYear(time: WallTime): number {
  return (secondsOf(time) - secondsOf({ ...time, month: 1, day: 1 })) / 86_400 + 1;
}

/** What has been read. */
interface Fields {
  year: number;
  month?: number;
  day?: number;
  yearDay?: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  half?: "am" | "pm";
  offset: number;
}

/** Nanoseconds since 1970 of a text in a layout, however long ago. Throws `BuiltinFailure`. */
export function parseTime(text: string, layout: string): bigint {
  const fields: Fields = { year: 0, hour: 0, minute: 0, second: 0, nanosecond: 0, offset: 0 };
  const elements = [...layout.matchAll(ELEMENT)];
  let rest = text;
  let at = 0;
  for (const [i, match] of elements.entries()) {
    rest = skip(rest, layout.slice(at, match.index));
    at = match.index + match[0].length;
    // Seconds take a fraction that the layout does not show.
    const fraction = /5$/.test(match[0]) && match[0] !== "15" && !/^[.,]/.test(elements[i + 1]?.[0] ?? "");
    rest = readElement(fields, match[0], rest, fraction);
  }
  if (skip(rest, layout.slice(at)) !== "") throw unreadable();
  return instantOfFields(fields);
}

/** Literal text; one space of the layout stands for any number. */
function skip(text: string, literal: string): string {
  let at = 0;
  for (let i = 0; i < literal.length; ) {
    if (literal[i] === " ") {
      if (at < text.length && text[at] !== " ") throw unreadable();
      while (literal[i] === " ") i++;
      while (text[at] === " ") at++;
    } else if (literal[i++] !== text[at++]) throw unreadable();
  }
  return text.slice(at);
}

/** Reads one element off the text and gives what is left. */
function readElement(fields: Fields, element: string, text: string, fraction: boolean): string {
  let rest = text;
  const take = (pattern: RegExp): string => {
    const found = pattern.exec(rest)?.[0];
    if (found === undefined) throw unreadable();
    rest = rest.slice(found.length);
    return found;
  };
  const number = (least: number, most: number): number => {
    const value = Number(take(element.startsWith("0") ? /^\d\d/ : /^\d\d?/));
    if (value < least || value > most) throw unreadable();
    return value;
  };
  const name = (names: readonly string[], length?: number): number => {
    const lower = rest.slice(0, 9).toLowerCase();
    const index = names.findIndex((item) => lower.startsWith(item.slice(0, length).toLowerCase()));
    rest = rest.slice(length ?? names[index]?.length);
    if (index < 0) throw unreadable();
    return index;
  };
  switch (element) {
    case "January":
      fields.month = name(MONTHS) + 1;
      break;
    case "Jan":
      fields.month = name(MONTHS, 3) + 1;
      break;
    case "1":
    case "01":
      fields.month = number(1, 12);
      break;
    case "Monday":
      name(DAYS);
      break;
    case "Mon":
      name(DAYS, 3);
      break;
    case "_2":
      take(/^ ?/);
      fields.day = number(0, 99);
      break;
    case "2":
    case "02":
      fields.day = number(0, 99);
      break;
    case "__2":
      take(/^ {0,2}/);
      fields.yearDay = Number(take(/^\d{1,3}/));
      break;
    case "002":
      fields.yearDay = Number(take(/^\d{3}/));
      break;
    case "15":
      fields.hour = number(0, 23);
      break;
    case "3":
    case "03":
      fields.hour = number(0, 12);
      break;
    case "4":
    case "04":
      fields.minute = number(0, 59);
      break;
    case "5":
    case "05":
      fields.second = number(0, 59);
      if (fraction && /^[.,]\d/.test(rest)) fields.nanosecond = nanosecondsOf(take(/^.\d+/));
      break;
    case "2006":
      fields.year = Number(take(/^\d{4}/));
      break;
    case "06":
      fields.year = number(0, 99);
      fields.year += fields.year >= 69 ? 1900 : 2000;
      break;
    case "PM":
      fields.half = take(/^[AP]M/) === "AM" ? "am" : "pm";
      break;
    case "pm":
      fields.half = take(/^[ap]m/) === "am" ? "am" : "pm";
      break;
    case "MST":
      // No name shifts the time: as in the reference, which knows the names of its own zone only, and here that is UTC.
      take(/^(?:UTC|ChST|MeST|GMT(?:[+-]\d+)?|[+-]\d+|(?:[A-Z]{4}T|[A-Z]{3}T|WITA|[A-Z]{3})(?![A-Z]))/);
      break;
    default:
      if (/^[.,]0/.test(element)) {
        const digits = rest.slice(0, element.length);
        if (digits.length < element.length || !/^[.,]\d+$/.test(digits)) throw unreadable();
        fields.nanosecond = nanosecondsOf(digits);
        rest = rest.slice(element.length);
      } else if (/^[.,]9/.test(element)) fields.nanosecond = nanosecondsOf(take(/^(?:[.,]\d+)?/));
      else fields.offset = readOffset(element, take);
  }
  return rest;
}

function nanosecondsOf(fraction: string): number {
  return Number(fraction.slice(1, 10).padEnd(9, "0"));
}

function readOffset(element: string, take: (pattern: RegExp) => string): number {
  const sign = take(element.startsWith("Z") ? /^[Z+-]/ : /^[+-]/);
  if (sign === "Z") return 0;
  const digits = element.slice(1).replace(/\d/g, "\\d");
  const [hours = 0, minutes = 0, seconds = 0] = [...take(new RegExp(`^${digits}`)).matchAll(/\d\d/g)].map(
    Number,
  );
  if (hours > 24 || minutes > 60 || seconds > 60) throw unreadable();
  return (hours * 3600 + minutes * 60 + seconds) * (sign === "-" ? -1 : 1);
}

function instantOfFields(fields: Fields): bigint {
  const { yearDay, half, nanosecond } = fields;
  let { month, day, hour } = fields;
  if (half === "pm" && hour < 12) hour += 12;
  if (half === "am" && hour === 12) hour = 0;
  const days = (before: number): number =>
    (secondsOf({ ...fields, month: before + 1, day: 1 }) - secondsOf({ ...fields, month: 1, day: 1 })) /
    86_400;
  if (yearDay !== undefined) {
    if (yearDay < 1 || yearDay > days(12)) throw unreadable();
    const last = [...MONTHS.keys()].findLast((before) => days(before) < yearDay) ?? 0;
    const found = { month: last + 1, day: yearDay - days(last) };
    if ((month ?? found.month) !== found.month || (day ?? found.day) !== found.day) throw unreadable();
    ({ month, day } = found);
  }
  month ??= 1;
  day ??= 1;
  if (day < 1 || day > days(month) - days(month - 1)) throw unreadable();
  const seconds = secondsOf({ ...fields, month, day, hour }) - fields.offset;
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanosecond);
}

function unreadable(): Error {
  return failure("the text does not fit the layout");
}
