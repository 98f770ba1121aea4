// SPDX-License-Identifier: Apache-2.0
// Types of `input` and `data` out of JSON schemas and the annotations that name them.

import { BuiltinFailure } from "../builtin.ts";
import { failure } from "../builtins/define.ts";
import { SchemaAnnotations } from "../check/annotations.ts";
import { Documents, type DocumentTypes } from "../check/documents.ts";
import type { Clause, Report } from "../compile/program.ts";
import type { Type } from "../types.ts";
import type { Value } from "../value.ts";
import { typeOfSchema } from "./types.ts";

/**
 * What `compile` takes as `schemas`: then expressions that never fit the schemas are refused as `opa check -s` does it.
 * `schemas` are JSON schemas by name: `schema["a"].b` of an annotation is that of the name `a/b`; that of the empty name is
 * `schema` itself, and says what `input` is wherever no annotation says otherwise. Without `schemas` only those count
 * that annotations hold themselves.
 */
export function schemaTypes(schemas?: Readonly<Record<string, Value>>): DocumentTypes {
  const known = new Map<string, Type>();
  const typeOf = (name: string): Type | undefined => {
    const schema = schemas !== undefined && Object.hasOwn(schemas, name) ? schemas[name] : undefined;
    if (schema === undefined) return undefined;
    const type = known.get(name) ?? typeOfSchema(schema);
    known.set(name, type);
    return type;
  };
  return {
    of: ({ builtins, modules }, report) => {
      const queries = new Documents();
      attempt(report, undefined, () => {
        const input = typeOf("");
        if (input !== undefined) queries.input.put([], input);
      });
      const annotations = new SchemaAnnotations(modules, builtins.get("yaml.unmarshal"), report);
      const clause = (clause: Clause): Documents => {
        const list = annotations.of(clause.module, clause.source);
        if (list.length === 0) return queries;
        const documents = queries.copy();
        for (const { path, schema } of list) {
          attempt(report, clause, () => {
            const type = "name" in schema ? typeOf(schema.name.join("/")) : typeOfSchema(schema.definition);
            if (type === undefined) {
              if (schemas === undefined || !("name" in schema)) return;
              throw failure(`undefined schema: ${["schema", ...schema.name].join(".")}`);
            }
            const [root, ...below] = path;
            documents[root === "input" ? "input" : "data"].put(below, type);
          });
        }
        return documents;
      };
      return { queries, clause };
    },
  };
}

/** Reports a schema that is none. */
function attempt(report: Report, clause: Clause | undefined, put: () => void): void {
  try {
    put();
  } catch (error) {
    if (!(error instanceof BuiltinFailure)) throw error;
    report({
      code: "REGO_TYPE",
      message: error.message,
      ...(clause === undefined ? {} : { location: clause.location }),
    });
  }
}
