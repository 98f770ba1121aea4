// SPDX-License-Identifier: Apache-2.0
// Random programs, evaluated by OPA and by `@adyton/rego`: the same results, or errors of the same class.
// ADYTON_SEED=n chooses other programs, ADYTON_PROGRAMS=n how many.

import { afterAll, describe, expect, it } from "vitest";
import { ours, theirs } from "./rego/beside-opa.ts";
import { generateModule } from "./rego/generate.ts";
import { NO_PROGRAM, opaProgram } from "./rego/opa.ts";
import { Random } from "./rego/random.ts";
import { generateDocument } from "./rego/vocabulary.ts";

const SEED = Number(process.env.ADYTON_SEED ?? 4);
const PROGRAMS = Number(process.env.ADYTON_PROGRAMS ?? 300);
const BATCH = 50;

if (opaProgram === undefined) console.warn(NO_PROGRAM);

/**
 * What is counted instead of compared, and how much of it there may be. Checkers know more or less of types; OPA's index
 * passes over a clause whose references are undefined before it meets a conflict in it, and so do we where nobody
 * watches; OPA fails inside of itself for some comprehensions, and holds `input[x] < {y | f(x, y)}` for unsafe although
 * `x` is bound before.
 */
const BOUNDS = { typed: 0.02, sooner: 0.01, internal: 0.01, refused: 0.01 };

function exceptionOf(wanted: string, found: string): keyof typeof BOUNDS | undefined {
  if (wanted === "eval_internal_error") return "internal";
  if (wanted === "rego_unsafe_var_error") return "refused";
  if (wanted === "eval_conflict_error" && found.startsWith("{")) return "sooner";
  if (wanted === "rego_type_error" || found === "rego_type_error") return "typed";
  return wanted.startsWith("{") && found === "eval_conflict_error" ? "sooner" : undefined;
}

const counts = { documents: 0, errors: 0, typed: 0, sooner: 0, internal: 0, refused: 0 };
afterAll(() => {
  if (counts.documents > 0) {
    console.info(
      `Differential: seed ${SEED}, ${counts.documents} documents and ${counts.errors} errors as OPA; not compared: ${counts.typed} typed otherwise, ${counts.sooner} conflicts that one passes over, ${counts.internal} that OPA fails at, ${counts.refused} that it refuses`,
    );
  }
});

describe.skipIf(opaProgram === undefined)("random programs", () => {
  it.each(Array.from({ length: Math.ceil(PROGRAMS / BATCH) }, (_, i) => SEED * 100_000 + i))(
    "seed %i",
    (seed) => {
      const random = new Random(seed);
      const modules = new Map(
        Array.from({ length: BATCH }, (_, i) => [`g${i}`, generateModule(random, `g${i}`)] as const),
      );
      const [input, base] = [generateDocument(random), generateDocument(random)];
      const expected = theirs(modules, input, base);
      for (const [name, text] of modules) {
        const wanted = expected.get(name) ?? "";
        const found = ours(name, text, input, base);
        // Watched, evaluation goes another way, to the same end.
        const watched = ours(name, text, input, base, { trace: () => {} });
        if (watched !== found && exceptionOf(watched, found) === "sooner") counts.sooner++;
        else expect(watched).toBe(found);
        const exception = wanted === found ? undefined : exceptionOf(wanted, found);
        counts[exception ?? (wanted.startsWith("{") ? "documents" : "errors")]++;
        if (exception === undefined)
          expect({ name, found, text, input, base }).toEqual({ name, found: wanted, text, input, base });
      }
    },
  );

  it("few are not compared", () => {
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    for (const [kind, bound] of Object.entries(BOUNDS)) {
      expect(counts[kind as keyof typeof BOUNDS]).toBeLessThanOrEqual(Math.ceil(bound * total));
    }
    expect(counts.documents).toBeGreaterThan(total / 2);
  });
});
