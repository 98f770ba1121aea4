// SPDX-License-Identifier: Apache-2.0
// Rego: what compiles is evaluated within its limits, twice alike, and alike with a trace.

import { compile, type EvaluateOptions, RegoError, type RegoVersion, type Value } from "@adyton/rego";
import { keyOf } from "@adyton/rego/value";
import { bytesOf, textOf, tolerant } from "../tolerant.ts";

const INPUT = {
  user: "alice",
  roles: ["reader", "writer"],
  level: 3,
  nested: { a: [{ b: 1 }, { b: 2 }] },
  no: false,
};
const DATA = { users: { alice: { admin: true }, bob: {} }, allowed: ["reader"], t: { extra: 1 } };
const LIMITS = { steps: 20_000, cells: 5_000, depth: 60 };

export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  for (const version of ["v1", "v0"] as const) tolerant(() => evaluate(text, version));
}

function evaluate(text: string, version: RegoVersion): void {
  const query = compile({ modules: { "a.rego": text }, version, limits: LIMITS }).prepare("data");
  const outcome = (options: EvaluateOptions): unknown => {
    try {
      const found = query.value({ input: INPUT, data: DATA, now: 0n, ...options });
      return found === undefined ? found : keyOf(found satisfies Value);
    } catch (error) {
      if (error instanceof RegoError) return error.code;
      throw error;
    }
  };
  const plain = outcome({});
  if (outcome({}) !== plain) throw new Error("a second evaluation comes to something else");
  const traced = outcome({ trace: ({ kind }) => kind });
  // A trace takes every step, so that it may come to the end of the limits before.
  if (traced !== plain && traced !== "REGO_LIMIT" && plain !== "REGO_LIMIT" && plain !== "REGO_CONFLICT") {
    throw new Error("a traced evaluation comes to something else");
  }
}

export async function seeds(): Promise<Uint8Array[]> {
  return PROGRAMS.map((rules) => bytesOf(`package t\n\n${rules}\n`));
}

const PROGRAMS = [
  "default allow := false\n\nallow if {\n\tsome role in input.roles\n\trole in data.allowed\n\tnot data.users[input.user].blocked\n}",
  "p contains x if some x in [1, 2, 3]\n\nq[k] := v if some k, v in input.nested.a\n\nr := [x | p[x]; x > 1]",
  'f(x) := "big" if x > 10 else := "small"\n\np := f(input.level)\n\nq := y if { y := p with input.level as 11 }\n\nm := n if { n := count([]) with count as 7 }',
  'a[x].b[y] := x + y if { some x in [1, 2]; some y in [3, 4] }\n\nc := a[1].b[_]\n\nd if { every x in input.roles { startswith(x, "r") } }',
  't := $"{input.user}: {input.nope}"\n\n[u, v] = [1, {"k": w}] if w = 2\n\no := {k: v | some k, v in data.users}',
  'p[x] { x := input.roles[_] }\n\nq = x { walk(input, [["nested", "a", _, "b"], x]); x > 1 }',
];
