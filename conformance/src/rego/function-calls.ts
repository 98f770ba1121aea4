// SPDX-License-Identifier: Apache-2.0
// Calls of functions to try: for each function how its operands are made. Most make sense, some do not.

import type { Value } from "@adyton/rego/value";
import fc, { type Arbitrary } from "fast-check";
import {
  address4,
  address6,
  amount,
  anyValue,
  bigInteger,
  cidr,
  decimalText,
  duration,
  encoded,
  fewNumbers,
  graph,
  hex,
  instant,
  integer,
  json,
  key,
  layout,
  list,
  lists,
  moment,
  mostly,
  narrow,
  node,
  numberArbitrary,
  object,
  operation,
  options,
  path,
  query,
  recent,
  scalar,
  small,
  smallList,
  stamp,
  text,
  uri,
  uuid,
  version,
  zone,
} from "./operands.ts";

/** How JSON becomes an operand: as it is, an array as a set, an array of arrays as a set of sets, an object of sets. */
export type Shape = "json" | "set" | "sets" | "object-of-sets";

type Shaped = readonly [Shape, Arbitrary<Value>];

export interface Calls {
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly operands: Arbitrary<readonly Value[]>;
}

function calls(name: string, ...operands: readonly (Arbitrary<Value> | Shaped)[]): Calls {
  const made = operands.map((operand): Shaped => (isShaped(operand) ? operand : ["json", mostly(operand)]));
  return {
    name,
    shapes: made.map(([shape]) => shape),
    operands: fc.tuple(...made.map(([, arbitrary]) => arbitrary)),
  };
}

function isShaped(operand: Arbitrary<Value> | Shaped): operand is Shaped {
  return Array.isArray(operand);
}

/** Without operands of other kinds. */
function exact(name: string, ...operands: readonly Arbitrary<Value>[]): Calls {
  return { name, shapes: operands.map(() => "json"), operands: fc.tuple(...operands) };
}

const set = (of: Arbitrary<Value>): Shaped => ["set", of];

export const functionCalls: readonly Calls[] = [
  ...["plus", "minus", "mul", "div", "rem"].map((name) => calls(name, numberArbitrary, numberArbitrary)),
  ...["abs", "round", "ceil", "floor"].map((name) => calls(name, numberArbitrary)),
  ...["eq", "neq", "gt", "gte", "lt", "lte"].flatMap((name) => [
    calls(name, anyValue, anyValue),
    calls(name, scalar, scalar),
    calls(name, set(smallList), set(smallList)),
  ]),
  // Small, because the reference has no limit.
  exact("numbers.range", fc.oneof(small, text), small),
  exact("numbers.range_step", small, small, fc.oneof(small, text)),
  ...["bits.and", "bits.or", "bits.xor"].map((name) => calls(name, integer, integer)),
  exact("bits.lsh", integer, fc.oneof(small, text)),
  calls("bits.rsh", integer, fc.oneof(small, bigInteger)),
  calls("bits.negate", integer),
  ...["count", "max", "min", "sort"].flatMap((name) => [
    calls(name, fc.oneof(list, object)),
    calls(name, set(list)),
  ]),
  calls("count", text),
  ...["sum", "product"].flatMap((name) => [
    calls(name, fewNumbers),
    calls(name, set(fewNumbers)),
    calls(name, list),
  ]),
  calls("array.concat", list, list),
  calls("array.slice", list, small, small),
  calls("array.reverse", list),
  calls("array.flatten", list),
  ...["and", "or", "minus"].map((name) => calls(name, set(smallList), set(smallList))),
  ...["union", "intersection"].map((name) => calls(name, ["sets", lists])),
  calls(
    "object.get",
    object,
    fc.oneof(key, fc.array(fc.oneof(key, fc.integer({ min: 0, max: 2 })))) as Arbitrary<Value>,
    small,
  ),
  calls("object.keys", object),
  ...["object.remove", "object.filter"].flatMap((name) => [
    calls(name, object, fc.array(key) as Arbitrary<Value>),
    calls(name, object, set(fc.array(key) as Arbitrary<Value>)),
    calls(name, object, object),
  ]),
  calls("object.union", object, object),
  calls("object.union_n", fc.array(object, { maxLength: 4 }) as Arbitrary<Value>),
  calls("object.subset", smallList, smallList),
  calls("object.subset", object, object),
  // Without members twice: there the reference is wrong.
  calls(
    "object.subset",
    smallList.map((made) => [...new Set(made as readonly Value[])]),
    set(smallList),
  ),
  calls("object.subset", set(smallList), set(smallList)),
  ...["json.filter", "json.remove"].flatMap((name) => [
    calls(name, object, fc.array(path, { maxLength: 3 }) as Arbitrary<Value>),
    calls(name, object, set(fc.array(path, { maxLength: 3 }) as Arbitrary<Value>)),
  ]),
  calls("json.patch", anyValue, fc.array(operation, { maxLength: 3 }) as Arbitrary<Value>),
  calls("json.patch", object, fc.array(operation, { maxLength: 2 }) as Arbitrary<Value>),
  calls("json.patch", set(smallList), fc.array(operation, { maxLength: 2 }) as Arbitrary<Value>),
  calls("json.marshal", anyValue),
  calls("json.marshal", set(list)),
  calls("json.marshal_with_options", anyValue, options),
  calls("json.unmarshal", json),
  calls("json.is_valid", json),
  ...["base64.encode", "base64url.encode", "base64url.encode_no_pad", "hex.encode", "urlquery.encode"].map(
    (name) => calls(name, text),
  ),
  ...["base64.decode", "base64.is_valid", "base64url.decode"].map((name) => calls(name, encoded)),
  calls("hex.decode", hex),
  ...["urlquery.decode", "urlquery.decode_object"].map((name) => calls(name, query)),
  calls(
    "urlquery.encode_object",
    fc.dictionary(text, fc.oneof(text, fc.array(text, { maxLength: 2 }) as Arbitrary<Value>), {
      maxKeys: 3,
      noNullPrototype: true,
    }) as Arbitrary<Value>,
  ),
  calls("uri.parse", uri),
  calls("uri.is_valid", uri),
  ...["null", "boolean", "number", "string", "array", "object", "set"].map((kind) =>
    calls(`is_${kind}`, anyValue),
  ),
  calls("type_name", anyValue),
  calls("type_name", set(list)),
  calls("to_number", fc.oneof(scalar, decimalText)),
  calls("units.parse", amount),
  calls("units.parse_bytes", amount),
  calls("semver.is_valid", version),
  calls("semver.compare", version, version),
  calls("uuid.parse", uuid),
  calls("graph.reachable", graph, fc.array(node, { maxLength: 2 }) as Arbitrary<Value>),
  calls(
    "graph.reachable",
    ["object-of-sets", graph],
    set(fc.array(node, { maxLength: 2 }) as Arbitrary<Value>),
  ),
  calls("graph.reachable_paths", graph, fc.array(node, { maxLength: 2 }) as Arbitrary<Value>),
  calls(
    "graph.reachable_paths",
    ["object-of-sets", graph],
    set(fc.array(node, { maxLength: 2 }) as Arbitrary<Value>),
  ),
  ...["net.cidr_contains", "net.cidr_intersects"].map((name) =>
    calls(name, cidr, fc.oneof(cidr, address4, address6)),
  ),
  calls("net.cidr_is_valid", fc.oneof(cidr, address6)),
  calls("net.cidr_expand", narrow),
  // Without IPv6 networks that begin with a zero byte, of which the reference may die.
  ...[fc.oneof(cidr, address4), narrow].map((network) =>
    calls(
      "net.cidr_merge",
      fc.array(
        network.filter((made) => /^(2001|fe80|[0-9.]*\/|[0-9.]*$)/.test(made)),
        { maxLength: 5 },
      ),
    ),
  ),
  calls(
    "net.cidr_contains_matches",
    fc.array(cidr, { maxLength: 3 }) as Arbitrary<Value>,
    fc.dictionary(key, cidr, { maxKeys: 3, noNullPrototype: true }) as Arbitrary<Value>,
  ),
  calls(
    "net.cidr_contains_matches",
    set(fc.array(narrow, { maxLength: 3 }) as Arbitrary<Value>),
    fc.array(fc.tuple(address4, small) as Arbitrary<Value>, { maxLength: 3 }) as Arbitrary<Value>,
  ),
  ...["time.date", "time.clock", "time.weekday"].map((name) => calls(name, moment)),
  calls(
    "time.format",
    fc.oneof(
      moment,
      fc.tuple(instant, fc.constant("UTC"), layout),
      fc.tuple(recent, zone, layout),
    ) as Arbitrary<Value>,
  ),
  calls("time.parse_ns", layout, fc.oneof(text, layout)),
  { name: "time.parse_ns", shapes: ["json", "json"], operands: stamp },
  calls(
    "time.parse_rfc3339_ns",
    fc.oneof(
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.stringMatching(
        /^20[0-2][0-9]-[01][0-9]-[0-3][0-9]T[0-2]?[0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,11})?(Z|[+-][0-2][0-9]:[0-5][0-9])$/,
      ),
    ),
  ),
  calls("time.parse_duration_ns", duration),
  calls("time.add_date", instant, small, small, fc.oneof(small, fc.integer({ min: -1000, max: 1000 }))),
  calls("time.diff", moment, moment),
  calls("internal.member_2", scalar, fc.oneof(list, object)),
  calls("internal.member_2", small, set(smallList)),
  calls("internal.member_3", fc.oneof(small, key), scalar, fc.oneof(list, object)),
  calls("internal.member_3", fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 }), set(smallList)),
];
