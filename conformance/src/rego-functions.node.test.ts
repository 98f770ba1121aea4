// SPDX-License-Identifier: Apache-2.0
// The plain functions: one policy of generated calls, evaluated by us and by OPA.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "@adyton/rego";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { functionCalls, type Shape } from "./rego/function-calls.ts";
import { NO_PROGRAM, opaProgram } from "./rego/opa.ts";
import { textOf } from "./rego/values.ts";

const RUNS = Number(process.env.ADYTON_DIFFERENTIAL_RUNS ?? 100);
const SEED = Number(process.env.ADYTON_DIFFERENTIAL_SEED ?? 20251122);

const INFIX: Readonly<Record<string, string>> = {
  plus: "+",
  minus: "-",
  mul: "*",
  div: "/",
  rem: "%",
  and: "&",
  or: "|",
  eq: "==",
  neq: "!=",
  gt: ">",
  gte: ">=",
  lt: "<",
  lte: "<=",
  "internal.member_2": "in",
};

const samples = functionCalls.map((calls) =>
  fc.sample(calls.operands, { numRuns: RUNS, seed: SEED }).map((operands) => textOf([...operands])),
);
const input = { cases: `[${samples.map((list) => `[${list.join(",")}]`).join(",")}]` };
const lists = functionCalls.map(({ name, shapes }, i) => {
  const operands = shapes.map((shape, j) => shaped(shape, `operands[${j}]`));
  return `[found |
    some operands in cases[${i}]
    found := [[type_name(x), x] | x := ${callOf(name, operands)}]
  ]`;
});
/** Sets and numbers pass as text, so that nothing but functions is compared. */
const policy = `package calls
cases := json.unmarshal(input.cases)
results := [${lists.join(",\n")}]
answer := json.marshal(results)`;

describe.skipIf(opaProgram === undefined)(
  opaProgram === undefined ? NO_PROGRAM : `${RUNS} calls of each function, seed ${SEED}`,
  () => {
    let here: readonly (readonly unknown[])[] = [];
    let there: readonly (readonly unknown[])[] = [];

    beforeAll(() => {
      here = answerHere();
      there = answerThere();
    }, 120_000);

    test.each(functionCalls.map(({ name, shapes }, i) => ({ call: `${name}(${shapes.join(", ")})`, i })))(
      "$i $call",
      ({ i }) => {
        const differences = samples[i]
          ?.map((operands, j) => ({ operands, here: here[i]?.[j], there: there[i]?.[j] }))
          .filter((found) => found.here !== found.there);
        expect(differences).toEqual([]);
      },
    );

    test("most calls have a value", () => {
      const found = there.flat();
      expect(found).toHaveLength(RUNS * functionCalls.length);
      expect(here.flat()).toHaveLength(found.length);
      expect(found.filter((text) => text !== "[]").length).toBeGreaterThan(found.length / 2);
    });
  },
);

function shaped(shape: Shape, operand: string): string {
  switch (shape) {
    case "json":
      return operand;
    case "set":
      return `{m | some m in ${operand}}`;
    case "sets":
      return `{set | some list in ${operand}; set := {m | some m in list}}`;
    case "object-of-sets":
      return `{key: set | some key, list in ${operand}; set := {m | some m in list}}`;
  }
}

function callOf(name: string, operands: readonly string[]): string {
  const infix = INFIX[name];
  if (infix !== undefined) return `(${operands.join(` ${infix} `)})`;
  if (name === "internal.member_3") return `(${operands[0]}, ${operands[1]} in ${operands[2]})`;
  return `${name}(${operands.join(", ")})`;
}

function answerHere(): readonly (readonly string[])[] {
  const limits = { steps: 1e9, cells: 1e9 };
  return canonical(
    compile({ modules: { "calls.rego": policy } })
      .prepare("data.calls.answer")
      .value({ input, limits }),
  );
}

function answerThere(): readonly (readonly string[])[] {
  if (opaProgram === undefined) throw new Error(NO_PROGRAM);
  const folder = mkdtempSync(join(tmpdir(), "adyton-functions-"));
  try {
    writeFileSync(join(folder, "calls.rego"), policy);
    writeFileSync(join(folder, "input.json"), JSON.stringify(input));
    const files = ["-d", join(folder, "calls.rego"), "-i", join(folder, "input.json")];
    const args = ["eval", "-f", "raw", ...files, "data.calls.answer"];
    return canonical(execFileSync(opaProgram, args, { encoding: "utf8", maxBuffer: 1 << 30 }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One text for each result: numbers that OPA writes in several ways have one. */
function canonical(answer: unknown): readonly (readonly string[])[] {
  const query = compile({
    modules: {
      "canonical.rego": `package canonical
text := [[json.marshal(found) | some found in list] | some list in json.unmarshal(input)]`,
    },
  }).prepare("data.canonical.text");
  const found = query.value({ input: answer as string, limits: { steps: 1e9, cells: 1e9 } });
  if (!Array.isArray(found)) throw new Error("the answer is no list of lists");
  return found as readonly (readonly string[])[];
}
