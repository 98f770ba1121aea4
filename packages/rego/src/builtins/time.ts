// SPDX-License-Identifier: Apache-2.0
// Times: nanoseconds since 1970, in 64 bits; in a time zone, and with a layout, as an array.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { fromBigInt, toBigInt } from "../number.ts";
import { anyOf, NUMBER, STRING, tupleOf } from "../types.ts";
import { kindOf, type Value } from "../value.ts";
import { define, failure, integerAt, numberAt, stringAt, wrong } from "./define.ts";
import { parseDuration } from "./duration.ts";
import { formatTime, layoutOf, parseTime, weekdayOf } from "./layout.ts";
import { checkedInstant, instantOf, secondsOf, type WallTime, wallTimeOf } from "./zone.ts";

const MOMENT = anyOf(NUMBER, tupleOf(NUMBER, STRING));
const TRIPLE = tupleOf(NUMBER, NUMBER, NUMBER);

export const time: readonly Builtin[] = [
  {
    ...define("time.now_ns", [], NUMBER, (context: BuiltinContext) => fromBigInt(context.now())),
    nondeterministic: true,
  },
  define("time.parse_ns", [STRING, STRING], NUMBER, (layout: Value, text: Value, context: BuiltinContext) =>
    parse(stringAt(text, 2), layoutOf(stringAt(layout, 1)), context),
  ),
  define("time.parse_rfc3339_ns", [STRING], NUMBER, (text: Value, context: BuiltinContext) =>
    parse(stringAt(text, 1), layoutOf("RFC3339"), context),
  ),
  define("time.parse_duration_ns", [STRING], NUMBER, (text: Value, context: BuiltinContext) => {
    const duration = stringAt(text, 1);
    context.spend(duration.length >> 4);
    return fromBigInt(parseDuration(duration));
  }),
  define(
    "time.format",
    [anyOf(NUMBER, tupleOf(NUMBER, STRING), tupleOf(NUMBER, STRING, STRING))],
    STRING,
    (moment: Value, context: BuiltinContext) => {
      const layout = Array.isArray(moment) && moment.length > 2 ? stringAt(moment[2] as Value, 1) : "";
      context.spend(1 + layout.length);
      return formatTime(momentAt(moment, context), layoutOf(layout === "" ? "RFC3339Nano" : layout));
    },
  ),
  define("time.date", [MOMENT], TRIPLE, (moment: Value, context: BuiltinContext) => {
    const { year, month, day } = momentAt(moment, context);
    return [year, month, day];
  }),
  define("time.clock", [MOMENT], TRIPLE, (moment: Value, context: BuiltinContext) => {
    const { hour, minute, second } = momentAt(moment, context);
    return [hour, minute, second];
  }),
  define("time.weekday", [MOMENT], STRING, (moment: Value, context: BuiltinContext) =>
    weekdayOf(momentAt(moment, context)),
  ),
  define(
    "time.add_date",
    [NUMBER, NUMBER, NUMBER, NUMBER],
    NUMBER,
    (moment: Value, years: Value, months: Value, days: Value, context: BuiltinContext) => {
      const wall = momentAt(moment, context);
      return fromBigInt(
        instantOf(
          {
            ...wall,
            year: wall.year + integerAt(years, 2),
            month: wall.month + integerAt(months, 3),
            day: wall.day + integerAt(days, 4),
          },
          context,
        ),
      );
    },
  ),
  define(
    "time.diff",
    [MOMENT, MOMENT],
    tupleOf(NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER),
    (a: Value, b: Value, context: BuiltinContext) => {
      const zone = zoneAt(a);
      momentAt(b, context);
      const [earlier, later] = [instantAt(a), instantAt(b)].sort((x, y) => (x < y ? -1 : x > y ? 1 : 0));
      return difference(wallTimeOf(earlier ?? 0n, zone, context), wallTimeOf(later ?? 0n, zone, context));
    },
  ),
];

function parse(text: string, layout: string, context: BuiltinContext): Value {
  context.spend(1 + text.length + layout.length);
  return fromBigInt(checkedInstant(parseTime(text, layout)));
}

function momentAt(value: Value, context: BuiltinContext): WallTime {
  return wallTimeOf(instantAt(value), zoneAt(value), context);
}

function instantAt(value: Value): bigint {
  const number = Array.isArray(value) ? (value[0] as Value | undefined) : value;
  if (number === undefined || (!Array.isArray(value) && kindOf(value) !== "number")) {
    throw wrong(value, 1, "either number (ns) or [number (ns), string (tz)]");
  }
  const instant = toBigInt(numberAt(number, 1));
  if (instant === undefined || BigInt.asIntN(64, instant) !== instant) throw failure("timestamp too big");
  return instant;
}

function zoneAt(value: Value): string {
  return Array.isArray(value) && value.length > 1 ? stringAt(value[1] as Value, 1) || "UTC" : "UTC";
}

/** Years, months, days, hours, minutes and seconds between two wall times, borrowed from the left where need be. */
function difference(from: WallTime, to: WallTime): Value {
  let [year, month, day] = [to.year - from.year, to.month - from.month, to.day - from.day];
  let [hour, minute, second] = [to.hour - from.hour, to.minute - from.minute, to.second - from.second];
  if (second < 0) [second, minute] = [second + 60, minute - 1];
  if (minute < 0) [minute, hour] = [minute + 60, hour - 1];
  if (hour < 0) [hour, day] = [hour + 24, day - 1];
  if (day < 0) {
    const length = secondsOf({ ...from, month: from.month + 1, day: 1 }) - secondsOf({ ...from, day: 1 });
    [day, month] = [day + length / 86_400, month - 1];
  }
  if (month < 0) [month, year] = [month + 12, year - 1];
  return [year, month, day, hour, minute, second];
}
