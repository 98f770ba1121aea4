// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { resultOf } from "../../test/run.ts";
import { compile, LIMITS, type Limits, RegoError } from "../index.ts";

function limitOf(rules: string, limits: Partial<Limits>, input?: never[]): string {
  try {
    compile({ modules: { "a.rego": `package test\n${rules}` }, limits })
      .prepare("data.test.p")
      .value({ input });
    return "nothing";
  } catch (error) {
    return error instanceof RegoError ? error.message : "untyped";
  }
}

const chain = (length: number) =>
  `${Array.from({ length }, (_, i) => `r${i} := r${i + 1}`).join("\n")}\nr${length} := 1\np := r0`;

describe("limits", () => {
  it("name what was too much, how much there was, and where", () => {
    expect(limitOf("p := [1 | some x in numbers.range(1, 100)]", { steps: 50 })).toMatch(
      /^a\.rego:2:1: Cannot evaluate the policy: it needs more than 50 steps$/,
    );
    expect(limitOf(`q := [1 | some x in [1, 2, 3]]\n\np := q`, { cells: 2 })).toMatch(
      /^a\.rego:2:1: .* more than 2 cells$/,
    );
    expect(limitOf(chain(20), { depth: 10 })).toMatch(/^a\.rego:11:1: .* more than 10 depth$/);
    expect(
      limitOf("p := [1 | some x in numbers.range(1, 1000); some y in numbers.range(1, 1000)]", {
        milliseconds: 0,
      }),
    ).toMatch(/more than 0 milliseconds$/);
  });

  it("let pass what keeps within them", () => {
    expect(limitOf(chain(9), { depth: 11 })).toBe("nothing");
    expect(limitOf("p := [1 | some x in [1, 2, 3]]", { cells: 6, steps: 10 })).toBe("nothing");
  });

  it.each<[string, string]>([
    [
      "loops within loops",
      `p := [1 | ${Array.from({ length: 12 }, (_, i) => `some x${i} in numbers.range(1, 1000)`).join("; ")}]`,
    ],
    ["comprehensions that double", `${doubling("[z | some y in [1, 2]; some z in a$]", "[1]", 40)}`],
    ["sets that double", `${doubling("{[x, y] | some x in a$; some y in a$}", "{1, 2}", 20)}`],
    ["arrays that hold themselves twice, as a member", `${doubling("[a$, a$]", "[1]", 60)}\nq := {p}`],
    [
      "such arrays compared",
      `${doubling("[a$, a$]", "[1]", 60)}\n${doubling("[b$, b$]", "[1]", 60, "b")}\nq if p == b0`,
    ],
    ["strings that double", `${doubling('concat("", [a$, a$])', '"x"', 60)}`],
    ["arrays that double", `${doubling("array.concat(a$, a$)", "[1]", 60)}`],
    [
      "recursion through `with`",
      `${Array.from({ length: 40 }, (_, i) => `f${i}(x) := f${i + 1}(y) + f${i + 1}(z) if { y := input with input as x; z := [x | input] with input as [x] }`).join("\n")}\nf40(x) := 1\np := f0(1)`,
    ],
  ])("end %s", (_, rules) => {
    const query = rules.includes("\nq ") ? "data.test.q" : "data.test.p";
    const code = resultOf(rules, query, {
      input: [1],
      limits: { steps: 2_000_000, cells: 500_000, depth: 1e9 },
    });
    expect(code).toBe("REGO_LIMIT");
  });

  // How deep the stack goes is the platform's affair: what fits on it has its value, and what does not ends in the limit.
  it.each<[what: string, rules: string, value: string]>([
    ["a chain", chain(3000), "1"],
    [
      "expressions",
      `p if { ${Array.from({ length: 3000 }, (_, i) => `some x${i} in input`).join("; ")} }`,
      "true",
    ],
  ])("end %s deeper than the stack, or come to their end", (_, rules, value) => {
    const limits = { steps: 2_000_000, cells: 500_000, depth: 1e9 };
    const result = resultOf(rules, "data.test.p", { input: [1], limits });
    expect(["REGO_LIMIT", value]).toContain(result);
  });

  it("are not needed where functions bound themselves", () => {
    expect(resultOf(doubling("a$ * a$", "7", 60))).toBe("undefined");
    const text = 'concat("", [x | some _ in numbers.range(1, 30000); x := "a"])';
    expect(resultOf(`p := regex.match("((a*)*)*b", ${text})`)).toBe("false");
  });

  it("give one result each time", () => {
    const rules = "p := count([1 | some x in numbers.range(1, 60); some y in numbers.range(1, x)])";
    const policy = compile({ modules: { "a.rego": `package test\n${rules}` } });
    const query = policy.prepare("data.test.p");
    let [low, needed] = [0, 100_000];
    while (low < needed) {
      const steps = (low + needed) >> 1;
      if (passes(() => query.value({ limits: { steps } }))) needed = steps;
      else low = steps + 1;
    }
    expect(needed).toBeGreaterThan(1830);
    for (let i = 0; i < 5; i++) {
      expect(passes(() => query.value({ limits: { steps: needed } }))).toBe(true);
      expect(passes(() => query.value({ limits: { steps: needed - 1 } }))).toBe(false);
    }
    expect(query.value()).toBe(1830);
  });

  it("are there when nobody names them", () => {
    expect(LIMITS.milliseconds).toBeUndefined();
    expect(resultOf(chain(LIMITS.depth + 1))).toBe("REGO_LIMIT");
    expect(resultOf(chain(LIMITS.depth - 2))).toBe("1");
  });
});

function doubling(rule: string, last: string, times: number, name = "a"): string {
  const rules = Array.from(
    { length: times },
    (_, i) => `${name}${i} := ${rule.replaceAll("$", String(i + 1))}`,
  );
  return [...rules, `${name}${times} := ${last}`, ...(name === "a" ? ["p := a0"] : [])].join("\n");
}

function passes(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (error instanceof RegoError && error.code === "REGO_LIMIT") return false;
    throw error;
  }
}
