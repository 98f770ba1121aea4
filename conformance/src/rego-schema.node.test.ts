// SPDX-License-Identifier: Apache-2.0
// JSON schemas and documents, generated: what fits, and what is found wrong, here and in OPA.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "@adyton/rego";
import { schemaBuiltins } from "@adyton/rego/schema";
import fc, { type Arbitrary } from "fast-check";
import { describe, expect, test } from "vitest";
import { NO_PROGRAM, opaProgram } from "./rego/opa.ts";

const RUNS = Number(process.env.ADYTON_DIFFERENTIAL_RUNS ?? 200);
const SEED = Number(process.env.ADYTON_DIFFERENTIAL_SEED ?? 20251122);

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

const TYPES = ["array", "boolean", "integer", "number", "null", "object", "string"];
const key = fc.constantFrom("a", "b", "c");
const number = fc.constantFrom(0, 1, 2, 3, 5, -1, 1.5, 0.1, 2.5, 1000000, 1234567.5);
const word = fc.constantFrom(
  "",
  "a",
  "ab",
  "abc",
  "2024-01-01",
  "10.0.0.1",
  "a@b.c",
  "::1",
  "http://a/b",
  "x y",
);

function documents(depth: number): Arbitrary<Json> {
  const scalar: Arbitrary<Json> = fc.oneof(number, word, fc.constantFrom(null, true, false));
  if (depth === 0) return scalar;
  const inner = documents(depth - 1);
  return fc.oneof(
    scalar,
    fc.array(inner, { maxLength: 3 }),
    fc.dictionary(key, inner, { maxKeys: 3, noNullPrototype: true }),
  );
}

function schemas(depth: number): Arbitrary<Json> {
  const inner = depth === 0 ? fc.boolean() : schemas(depth - 1);
  const some = <T extends Json>(of: Arbitrary<T>): Arbitrary<Json> => fc.array(of, { maxLength: 3 });
  const named = (names: Arbitrary<string>): Arbitrary<Json> =>
    fc.dictionary(names, inner, { maxKeys: 2, noNullPrototype: true });
  const keyword = <T extends Json>(name: string, of: Arbitrary<T>): Arbitrary<readonly [string, Json]> =>
    of.map((value) => [name, value] as const);
  const few = fc.constantFrom(0, 1, 2);
  const keywords = fc.oneof(
    keyword(
      "type",
      fc.oneof(fc.constantFrom(...TYPES), fc.uniqueArray(fc.constantFrom(...TYPES), { maxLength: 3 })),
    ),
    keyword("properties", named(key)),
    keyword("patternProperties", named(fc.constantFrom("^a", "b$"))),
    keyword("required", fc.uniqueArray(key, { maxLength: 2 })),
    keyword("items", fc.oneof(inner, some(inner))),
    ...[
      "additionalProperties",
      "propertyNames",
      "additionalItems",
      "contains",
      "not",
      "if",
      "then",
      "else",
    ].map((name) => keyword(name, inner)),
    ...["oneOf", "anyOf", "allOf"].map((name) => keyword(name, some(inner))),
    ...["minProperties", "minItems", "minLength", "maxProperties", "maxItems", "maxLength"].map((name) =>
      keyword(name, few),
    ),
    ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"].map((name) => keyword(name, number)),
    keyword("multipleOf", fc.constantFrom(1, 2, 0.5, 0.1, 3)),
    keyword("uniqueItems", fc.boolean()),
    keyword("pattern", fc.constantFrom("^a", "b", "^$")),
    keyword(
      "format",
      fc.constantFrom("date", "time", "ipv4", "ipv6", "email", "uri", "uri-reference", "hostname", "nope"),
    ),
    keyword("const", documents(1)),
    keyword("enum", fc.uniqueArray(number, { maxLength: 3 })),
    // One in ten is wrong.
    keyword("type", fc.constantFrom("text", 1)),
    keyword("minimum", fc.constantFrom("1", null)),
  );
  return fc.oneof(
    { weight: 1, arbitrary: fc.boolean() },
    // Alone: what stands beside a second reference to one place the reference implementation checks, beside a first not.
    {
      weight: 1,
      arbitrary: fc.constantFrom("a", "b", "c").map((name) => ({ $ref: `#/definitions/${name}` })),
    },
    { weight: 9, arbitrary: fc.array(keywords, { maxLength: 3 }).map((list) => Object.fromEntries(list)) },
  );
}

const cases = fc.sample(
  fc.record({
    schema: schemas(2).map(
      (schema): Json => ({
        definitions: { a: { type: "integer" }, b: { items: { $ref: "#/definitions/a" } } },
        allOf: [schema],
      }),
    ),
    // Objects and arrays, because a text would be taken for JSON.
    documents: fc.array(fc.array(documents(2), { minLength: 1, maxLength: 2 }), {
      minLength: 3,
      maxLength: 3,
    }),
  }),
  { numRuns: RUNS, seed: SEED },
);

/** Findings as sets: where the reference walks objects, their order is anyone's. */
const policy = `package schemas
answer := [found |
  some one in input
  found := {
    "schema": json.verify_schema(one.schema)[0],
    "documents": [{[fits, {f | some f in list}] | [fits, list] := json.match_schema(json.marshal(document), {"items": one.schema, "definitions": one.schema.definitions})} |
      some document in one.documents
    ],
  }
]`;

describe.skipIf(opaProgram === undefined)(
  opaProgram === undefined ? NO_PROGRAM : `${RUNS} schemas, seed ${SEED}`,
  () => {
    test("the same schemas are schemas, and the same is wrong with documents", () => {
      const there = answerThere() as readonly unknown[];
      const here = answerHere() as readonly unknown[];
      expect(there).toHaveLength(RUNS);
      const differences = cases
        .map((one, i) => ({ one, here: here[i], there: there[i] }))
        .filter((found) => JSON.stringify(found.here) !== JSON.stringify(found.there));
      expect(differences).toEqual([]);
    }, 120_000);
  },
);

function answerHere(): unknown {
  const query = compile({ modules: { "schemas.rego": policy }, builtins: schemaBuiltins }).prepare(
    "json.marshal(data.schemas.answer)",
  );
  return JSON.parse(String(query.value({ input: cases, limits: { steps: 1e9, cells: 1e9 } })));
}

function answerThere(): unknown {
  if (opaProgram === undefined) throw new Error(NO_PROGRAM);
  const folder = mkdtempSync(join(tmpdir(), "adyton-schemas-"));
  try {
    writeFileSync(join(folder, "schemas.rego"), policy);
    writeFileSync(join(folder, "input.json"), JSON.stringify(cases));
    const files = ["-d", join(folder, "schemas.rego"), "-i", join(folder, "input.json")];
    const args = ["eval", "-f", "raw", ...files, "json.marshal(data.schemas.answer)"];
    return JSON.parse(execFileSync(opaProgram, args, { encoding: "utf8", maxBuffer: 1 << 30 }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
