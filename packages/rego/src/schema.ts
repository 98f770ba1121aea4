// SPDX-License-Identifier: Apache-2.0
// `json.match_schema` and `json.verify_schema`: in a file of their own, because few policies need them.

import { type Builtin, type BuiltinContext, BuiltinFailure } from "./builtin.ts";
import { ANY_OBJECT, define, failure } from "./builtins/define.ts";
import { jsonOf, parseJson } from "./json-text.ts";
import { compileSchema, type Schema } from "./schema/compile.ts";

export { schemaTypes } from "./schema/documents.ts";

import { validate } from "./schema/validate.ts";
import { anyOf, arrayOf, BOOLEAN, NULL, STRING, type Type, tupleOf } from "./types.ts";
import { isObject, type Value } from "./value.ts";

const JSON_OR_TEXT = anyOf(STRING, ANY_OBJECT);
const FINDING: Type = {
  kind: "object",
  members: ["desc", "error", "field", "type"].map((key) => ({ key, type: STRING })),
};

/** Give these to `compile` as `builtins`. */
export const schemaBuiltins: readonly Builtin[] = [
  define(
    "json.match_schema",
    [JSON_OR_TEXT, JSON_OR_TEXT],
    tupleOf(BOOLEAN, arrayOf(FINDING)),
    (document: Value, schema: Value, context: BuiltinContext) => {
      const value = parseJson(textAt(document, context));
      const findings = validate(schemaAt(schema, context), value, context);
      return [
        findings.length === 0,
        findings.map(({ type, field, desc }) => ({ desc, error: `${field}: ${desc}`, field, type })),
      ];
    },
  ),
  define(
    "json.verify_schema",
    [JSON_OR_TEXT],
    tupleOf(BOOLEAN, anyOf(NULL, STRING)),
    (schema: Value, context: BuiltinContext) => {
      try {
        schemaAt(schema, context);
        return [true, null];
      } catch (cause) {
        if (cause instanceof BuiltinFailure) return [false, `jsonschema: ${cause.message}`];
        throw cause;
      }
    },
  ),
];

function schemaAt(value: Value, context: BuiltinContext): Schema {
  const text = textAt(value, context);
  return context.cached(`schema ${text}`, () => {
    const schema = parseJson(text);
    if (typeof schema !== "boolean" && !isObject(schema)) throw failure("schema is invalid");
    return compileSchema(schema, (steps) => context.spend(steps));
  });
}

/** JSON text: a text as it is, an object or an array written. */
function textAt(value: Value, context: BuiltinContext): string {
  if (typeof value !== "string" && !Array.isArray(value) && !isObject(value)) {
    throw failure("wrong type, expected string or object");
  }
  const text = typeof value === "string" ? value : jsonOf(value);
  context.spend(1 + (text.length >> 3));
  if (typeof value === "string") {
    try {
      JSON.parse(text);
    } catch {
      throw failure("invalid JSON string");
    }
  }
  return text;
}
