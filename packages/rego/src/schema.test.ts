// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { callerOf, failureOf } from "../test/call.ts";
import { schemaBuiltins } from "./schema.ts";
import type { Value } from "./value.ts";

const call = callerOf(schemaBuiltins);

/** Types and fields of what does not fit. */
function findings(schema: Value, document: Value): readonly string[] {
  const [fits, found] = call("json.match_schema", JSON.stringify(document), JSON.stringify(schema)) as [
    boolean,
    readonly { readonly type: string; readonly field: string }[],
  ];
  expect(fits).toBe(found.length === 0);
  return found.map(({ type, field }) => `${type} ${field}`);
}

describe("json.match_schema", () => {
  test.each<[string, Value, Value, readonly string[]]>([
    ["type", { type: "integer" }, 1.5, ["invalid_type (Root)"]],
    ["types", { type: ["null", "number"] }, 1, []],
    ["an integer is a number", { type: "number" }, 1, []],
    ["false", { properties: { a: false } }, { a: 1 }, ["false a"]],
    ["required", { required: ["a", "b"] }, { b: 1 }, ["required (Root)"]],
    ["properties", { properties: { a: { type: "string" } } }, { a: 1 }, ["invalid_type a"]],
    [
      "additionalProperties",
      { additionalProperties: false },
      { a: 1 },
      ["additional_property_not_allowed (Root)"],
    ],
    ["a schema for others", { additionalProperties: { type: "null" } }, { a: 1 }, ["invalid_type a"]],
    [
      "patternProperties",
      { patternProperties: { "^a": { maximum: 1 } }, additionalProperties: false },
      { ab: 2 },
      ["number_lte ab"],
    ],
    [
      "propertyNames",
      { propertyNames: { maxLength: 1 } },
      { ab: 1 },
      ["invalid_property_name (Root)", "string_lte (Root)"],
    ],
    ["minProperties", { minProperties: 1 }, {}, ["array_min_properties (Root)"]],
    ["maxProperties", { maxProperties: 0 }, { a: 1 }, ["array_max_properties (Root)"]],
    [
      "dependencies",
      { dependencies: { a: ["b"], c: { required: ["d"] } } },
      { a: 1, c: 1 },
      ["missing_dependency (Root)", "required (Root)"],
    ],
    ["items", { items: { type: "string" } }, ["a", 1], ["invalid_type 1"]],
    [
      "items by position",
      { items: [{ type: "string" }], additionalItems: false },
      [1, 2],
      ["invalid_type 0", "array_no_additional_items (Root)"],
    ],
    ["additionalItems", { items: [{}], additionalItems: { type: "null" } }, [1, 2], ["invalid_type 1"]],
    ["minItems", { minItems: 1 }, [], ["array_min_items (Root)"]],
    ["maxItems", { maxItems: 1 }, [1, 2], ["array_max_items (Root)"]],
    ["uniqueItems", { uniqueItems: true }, [1, { a: 1 }, { a: 1 }], ["unique (Root)"]],
    ["contains", { contains: { minimum: 2 } }, [1], ["contains (Root)", "number_gte 0"]],
    ["multipleOf", { multipleOf: 0.1 }, 0.3, []],
    ["multipleOf of another", { multipleOf: 0.1 }, 0.35, ["multiple_of (Root)"]],
    ["minimum", { minimum: 1 }, 0, ["number_gte (Root)"]],
    ["exclusiveMinimum", { exclusiveMinimum: 1 }, 1, ["number_gt (Root)"]],
    ["exclusiveMinimum of draft 4", { minimum: 1, exclusiveMinimum: true }, 1, ["number_gt (Root)"]],
    ["maximum", { maximum: 1 }, 2, ["number_lte (Root)"]],
    ["exclusiveMaximum", { exclusiveMaximum: 1 }, 1, ["number_lt (Root)"]],
    ["exclusiveMaximum of draft 4", { maximum: 1, exclusiveMaximum: true }, 1, ["number_lt (Root)"]],
    ["minLength counts code points", { minLength: 2 }, "😀", ["string_gte (Root)"]],
    ["maxLength", { maxLength: 1 }, "😀", []],
    ["pattern", { pattern: "^a+$" }, "b", ["pattern (Root)"]],
    ["const", { const: { a: [1] } }, { a: [1.0] }, []],
    ["const of another", { const: 1 }, "1", ["const (Root)"]],
    ["enum", { enum: [1, "a"] }, "b", ["enum (Root)"]],
    ["an enum of nothing", { enum: [] }, null, ["enum (Root)"]],
    [
      "anyOf explains the best",
      { anyOf: [{ type: "null" }, { required: ["a"] }] },
      {},
      ["number_any_of (Root)", "required (Root)"],
    ],
    ["oneOf", { oneOf: [{}, true] }, 1, ["number_one_of (Root)"]],
    ["allOf", { allOf: [{ minimum: 2 }, {}] }, 1, ["number_gte (Root)", "number_all_of (Root)"]],
    ["not", { not: { type: "null" } }, null, ["number_not (Root)"]],
    [
      "then",
      JSON.parse('{"if": {"minimum": 1}, "then": {"maximum": 1}}'),
      2,
      ["condition_then (Root)", "number_lte (Root)"],
    ],
    ["else", { if: { minimum: 1 }, else: false }, 0, ["condition_else (Root)", "false (Root)"]],
    [
      "$ref",
      { definitions: { a: { type: "null" } }, items: { $ref: "#/definitions/a" } },
      [null, 1],
      ["invalid_type 1"],
    ],
    ["$ref with escapes", { "a/b": { "~": false }, $ref: "#/a~1b/~0" }, 1, ["false (Root)"]],
    [
      "$ref to a name",
      { $id: "http://x/y", definitions: { a: { $id: "#a", minimum: 1 } }, $ref: "#a" },
      0,
      ["number_gte (Root)"],
    ],
    ["$ref beside others", { $ref: "#/definitions/a", type: "null", definitions: { a: {} } }, 1, []],
    [
      "a schema within itself",
      { properties: { a: { $ref: "#" } }, maxProperties: 1 },
      { a: { a: 1, b: 2 } },
      ["array_max_properties a"],
    ],
    ["draft 4 has no const", { $schema: "http://json-schema.org/draft-04/schema#", const: 1 }, 2, []],
    [
      "draft 6 has no if",
      JSON.parse('{"$schema": "http://json-schema.org/draft-06/schema#", "if": true, "then": false}'),
      2,
      [],
    ],
  ])("%s", (_, schema, document, expected) => {
    expect(findings(schema, document)).toEqual(expected);
  });

  test("findings say what was expected", () => {
    expect(
      call(
        "json.match_schema",
        { id: "foo", n: 1234567 },
        { properties: { id: { type: "integer" }, n: { maximum: 1000000 } } },
      ),
    ).toEqual([
      false,
      [
        {
          desc: "Invalid type. Expected: integer, given: string",
          error: "id: Invalid type. Expected: integer, given: string",
          field: "id",
          type: "invalid_type",
        },
        {
          desc: "Must be less than or equal to 1e+06",
          error: "n: Must be less than or equal to 1e+06",
          field: "n",
          type: "number_lte",
        },
      ],
    ]);
  });

  test("numbers beyond doubles are compared exactly", () => {
    const schema = '{"items": {"maximum": 12345678901234567890}}';
    expect(call("json.match_schema", "[12345678901234567891]", schema)).not.toEqual([true, []]);
    expect(call("json.match_schema", "[12345678901234567890]", schema)).toEqual([true, []]);
  });

  test.each<[string, readonly [Value, Value]]>([
    ["a document that is no JSON", ["{", {}]],
    ["a document of another kind", [1, {}]],
    ["a schema that is no JSON", [{}, "{"]],
    ["a schema that is none", [{}, "1"]],
    ["a schema with a mistake", [{}, { type: "unknown" }]],
    ["a schema that goes round in circles", [{}, { $ref: "#" }]],
  ])("%s is a failure", (_, operands) => {
    expect(failureOf(() => call("json.match_schema", ...operands)).kind).toBe("builtin");
  });

  test("work is paid for", () => {
    const limited = callerOf(schemaBuiltins, { steps: 10_000 });
    const twice = (depth: number): Value =>
      depth === 0
        ? { type: "null" }
        : { anyOf: [{ $ref: `#/definitions/${depth - 1}` }, { $ref: `#/definitions/${depth - 1}` }] };
    const definitions = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [String(i), twice(i)]));
    expect(() => limited("json.match_schema", {}, { definitions, $ref: "#/definitions/29" })).toThrow(
      RangeError,
    );
  });
});

describe("formats", () => {
  test.each([
    ["date", "2024-02-29", "2023-02-29"],
    ["date", "0001-01-01", "2024-1-1"],
    ["time", "12:30:45+02:00", "25:00:00"],
    ["date-time", "2024-02-29T12:30:45Z", "2024-02-29 12:30"],
    ["hostname", "a-b.example", "-a.example"],
    ["email", "Jo <a.b@example.com>", "a@@b"],
    ["ipv4", "10.0.0.1", "10.0.0.01"],
    ["ipv6", "::1", "1::2::3"],
    ["uri", "http://a/b", "/a/b"],
    ["uri-reference", "/a/b", "a\\b"],
    ["uri-template", "/a/{b}", "/a/{b"],
    ["uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b810"],
    ["regex", "a(b)", "a(b"],
    ["json-pointer", "/a/~0b", "a"],
    ["relative-json-pointer", "1/a", "/a"],
  ])("%s: %j, not %j", (format, good, bad) => {
    expect(findings({ items: { format } }, [good])).toEqual([]);
    expect(findings({ items: { format } }, [bad])).toEqual(["format 0"]);
  });

  test("others are taken as they are, as is what is no text", () => {
    expect(findings({ items: { format: "colour" } }, ["x"])).toEqual([]);
    expect(findings({ items: { format: "date" } }, [1])).toEqual([]);
  });
});

describe("json.verify_schema", () => {
  test("a schema", () => {
    expect(call("json.verify_schema", { type: "boolean" })).toEqual([true, null]);
    expect(call("json.verify_schema", '{"items": true}')).toEqual([true, null]);
  });

  // In the words of OPA 1.22.2.
  test.each<[Value, string]>([
    ["{", "invalid JSON string"],
    [1, "wrong type, expected string or object"],
    [
      { type: "unknown" },
      "has a primitive type that is NOT VALID -- given: /unknown/ Expected valid values are:[array boolean integer number null object string]",
    ],
    [{ type: ["null", "null"] }, "null type is duplicated"],
    [{ type: 1 }, "Invalid type. Expected: type, given: string/Array Of Strings"],
    [{ title: 1 }, "Invalid type. Expected: string, given: title"],
    [{ properties: 1 }, "Properties must be of type object"],
    [{ properties: { a: 1 } }, "Expected: Valid Schema, given: Invalid JSON"],
    [
      { additionalProperties: 1 },
      "Invalid type. Expected: boolean/Valid Schema, given: additionalProperties",
    ],
    [{ patternProperties: { "(": {} } }, "Invalid regex pattern '('"],
    [{ patternProperties: 1 }, "Invalid type. Expected: Valid Schema, given: patternProperties"],
    [{ propertyNames: 1 }, "Invalid type. Expected: Valid Schema, given: patternProperties"],
    [{ dependencies: { a: 1 } }, "Dependency must be of type Schema Or Array Of Strings"],
    [{ dependencies: { a: [1] } }, "Dependency must be of type Schema Or Array Of Strings"],
    [{ items: 1 }, "Invalid type. Expected: Valid Schema/Array Of Schemas, given: items"],
    [{ definitions: { a: 1 } }, "Invalid type. Expected: Array Of Schemas, given: definitions"],
    [{ multipleOf: 0 }, "multipleOf must be strictly greater than 0"],
    [{ multipleOf: "1" }, "Invalid type. Expected: Number, given: multipleOf"],
    [{ minimum: "1" }, "minimum must be of a Number"],
    [{ exclusiveMinimum: true }, "exclusiveMinimum cannot be used without minimum"],
    [{ exclusiveMaximum: "1" }, "Invalid type. Expected: boolean/number, given: exclusiveMaximum"],
    [{ minLength: 1.5 }, "minLength must be of an integer"],
    [{ minLength: -1 }, "minLength must be greater than or equal to 0"],
    [{ minLength: 2, maxLength: 1 }, "minLength cannot be greater than maxLength"],
    [{ pattern: "(" }, "pattern must be a valid regex"],
    [{ required: "a" }, "required must be of an array"],
    [{ required: [1] }, "Invalid type. Expected: string, given: required"],
    [{ required: ["a", "a"] }, "required items must be unique"],
    [{ uniqueItems: 1 }, "uniqueItems must be of a boolean"],
    [{ enum: [1, 1.0] }, "enum items must be unique"],
    [{ not: 1 }, "not must be of an object"],
    [{ $ref: "#/a" }, "Object has no key 'a'"],
    [{ $schema: 1 }, "$schema must be of type string"],
  ])("%j", (schema, message) => {
    expect(call("json.verify_schema", schema)).toEqual([false, `jsonschema: ${message}`]);
  });

  test("nothing is fetched", () => {
    expect(call("json.verify_schema", { $ref: "http://example.com/schema" })).toEqual([
      false,
      "jsonschema: remote references are not followed",
    ]);
  });
});
