// SPDX-License-Identifier: Apache-2.0
// GraphQL documents and schemas with a few tokens changed: read, shown and judged as OPA does.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, toJson } from "@adyton/rego";
import { graphqlBuiltins } from "@adyton/rego/graphql";
import { describe, expect, it } from "vitest";
import { changed, QUERIES, SCHEMA } from "./rego/graphql-documents.ts";
import { NO_PROGRAM, opaProgram } from "./rego/opa.ts";
import { Random } from "./rego/random.ts";

const RUNS = Number(process.env.ADYTON_DIFFERENTIAL_RUNS ?? 300);
const SEED = Number(process.env.ADYTON_DIFFERENTIAL_SEED ?? 20251122);

const POLICY = `package graph

some_or_null(found) := found[0] if count(found) > 0

some_or_null(found) := null if count(found) == 0

answers := [answer |
	some case in input
	answer := [
		some_or_null([tree | tree := graphql.parse_query(case.query)]),
		some_or_null([tree | tree := graphql.parse_schema(case.schema)]),
		graphql.schema_is_valid(case.schema),
		graphql.is_valid(case.query, case.schema),
		graphql.parse_and_verify(case.query, case.schema),
		some_or_null([trees | trees := graphql.parse(case.query, case.schema)]),
		some_or_null([ok | ok := graphql.schema_is_valid(graphql.parse_schema(case.schema))]),
	]
]
`;

interface Case {
  readonly query: string;
  readonly schema: string;
}

function theirs(cases: readonly Case[]): unknown {
  const folder = mkdtempSync(join(tmpdir(), "adyton-graphql-"));
  try {
    writeFileSync(join(folder, "policy.rego"), POLICY);
    writeFileSync(join(folder, "input.json"), JSON.stringify(cases));
    const args = ["eval", "-f", "json", "-d", "policy.rego", "-i", "input.json", "data.graph.answers"];
    const text = execFileSync(opaProgram ?? "", args, { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 30 });
    return JSON.parse(text).result[0].expressions[0].value;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (opaProgram === undefined) console.warn(NO_PROGRAM);

describe.skipIf(opaProgram === undefined)("GraphQL", () => {
  it(`documents with a few tokens changed, ${RUNS} of them`, () => {
    const random = new Random(SEED);
    const cases = Array.from({ length: RUNS }, (): Case => {
      const query = random.pick(QUERIES);
      return random.chance(0.75)
        ? { query: changed(random, query), schema: SCHEMA }
        : { query, schema: changed(random, SCHEMA) };
    });
    for (const query of QUERIES) cases.push({ query, schema: SCHEMA });
    const wanted = theirs(cases) as readonly (readonly unknown[])[];
    const policy = compile({ modules: { "policy.rego": POLICY }, builtins: graphqlBuiltins });
    const found = toJson(
      policy.prepare("data.graph.answers").value({ input: cases.map((each) => ({ ...each })) }) ?? null,
    ) as unknown[];
    expect(found).toHaveLength(cases.length);
    cases.forEach((each, i) => {
      expect({ ...each, answer: found[i] }).toEqual({ ...each, answer: wanted[i] });
    });
    const valid = wanted.filter((answer) => answer[3] === true).length;
    expect(valid).toBeGreaterThan(cases.length / 10);
    expect(valid).toBeLessThan(cases.length / 2);
  });
});
