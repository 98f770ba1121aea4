// SPDX-License-Identifier: Apache-2.0
// The functions of graphql.*: pass them to `compile` where policies decide about GraphQL requests.

import { type Builtin, type BuiltinContext, BuiltinFailure } from "./builtin.ts";
import { ANY_OBJECT, define, failure, stringAt, wrong } from "./builtins/define.ts";
import { parseQueryDocument } from "./graphql/query.ts";
import { readQueryDocument, readSchemaDocument, treeValue } from "./graphql/read.ts";
import { buildSchema, type Schema } from "./graphql/schema.ts";
import { parseSchemaDocument } from "./graphql/schema-document.ts";
import type { QueryDocument, SchemaDocument } from "./graphql/tree.ts";
import { validate } from "./graphql/validate.ts";
import { anyOf, BOOLEAN, STRING, tupleOf } from "./types.ts";
import { isObject, type Value } from "./value.ts";

const TEXT_OR_TREE = anyOf(STRING, ANY_OBJECT);

/** Give these to `compile` as `builtins`. */
export const graphqlBuiltins: readonly Builtin[] = [
  define(
    "graphql.is_valid",
    [TEXT_OR_TREE, TEXT_OR_TREE],
    BOOLEAN,
    (query: Value, schema: Value, context: BuiltinContext) =>
      holds(() => verified(query, schema, context)) !== undefined,
  ),
  define(
    "graphql.parse",
    [TEXT_OR_TREE, TEXT_OR_TREE],
    tupleOf(ANY_OBJECT, ANY_OBJECT),
    (query: Value, schema: Value, context: BuiltinContext) => verified(query, schema, context),
  ),
  define(
    "graphql.parse_and_verify",
    [TEXT_OR_TREE, TEXT_OR_TREE],
    tupleOf(BOOLEAN, ANY_OBJECT, ANY_OBJECT),
    (query: Value, schema: Value, context: BuiltinContext) => {
      const trees = holds(() => verified(query, schema, context));
      return trees === undefined ? [false, {}, {}] : [true, ...trees];
    },
  ),
  define("graphql.parse_query", [STRING], ANY_OBJECT, (query: Value, context: BuiltinContext) =>
    treeValue(parseQueryDocument(stringAt(query, 1), spender(context))),
  ),
  define("graphql.parse_schema", [STRING], ANY_OBJECT, (schema: Value, context: BuiltinContext) =>
    treeValue(parseSchemaDocument(stringAt(schema, 1), spender(context))),
  ),
  define(
    "graphql.schema_is_valid",
    [TEXT_OR_TREE],
    BOOLEAN,
    (schema: Value, context: BuiltinContext) => holds(() => schemaOf(schema, 1, context)) !== undefined,
  ),
];

/** The trees of a query and of a schema on which it can be executed. */
function verified(query: Value, schema: Value, context: BuiltinContext): readonly [Value, Value] {
  const queryTree = queryOf(query, context);
  const { document, schema: built } = schemaOf(schema, 2, context);
  validate(built, queryTree, spender(context));
  return [treeValue(queryTree), treeValue(document)];
}

function queryOf(query: Value, context: BuiltinContext): QueryDocument {
  if (typeof query === "string") return parseQueryDocument(query, spender(context));
  if (isObject(query)) return readQueryDocument(query);
  throw wrong(query, 1, "string", "object");
}

/** Built once for an evaluation, where it is a text. */
function schemaOf(
  schema: Value,
  position: number,
  context: BuiltinContext,
): { readonly document: SchemaDocument; readonly schema: Schema } {
  const build = (document: SchemaDocument) => ({ document, schema: buildSchema(document, spender(context)) });
  if (typeof schema === "string") {
    return context.cached(`graphql ${schema}`, () => build(parseSchemaDocument(schema, spender(context))));
  }
  if (isObject(schema)) return build(readSchemaDocument(schema));
  throw wrong(schema, position, "string", "object");
}

function spender(context: BuiltinContext): (steps: number) => void {
  return (steps) => context.spend(steps);
}

/** Undefined where the function fails. */
function holds<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof BuiltinFailure) return undefined;
    // What nests deeper than the stack of the platform.
    if (error instanceof RangeError) throw failure("GraphQL document nested too deeply");
    throw error;
  }
}
