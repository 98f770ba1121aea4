// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseModule } from "../parse/module.ts";
import { runTests, type TestOptions, type TestRun } from "./run.ts";

const POLICY = `package policy

default allow := false

allow if {
	input.user == "alice"
	input.measure in data.measures
}

deny contains "debug" if input.debug
`;

const run = (test: string, options: Partial<TestOptions> = {}): TestRun =>
  runTests({
    modules: [
      parseModule(POLICY, { file: "policy.rego" }),
      parseModule(`package policy_test\nimport data.policy\n${test}`, { file: "policy_test.rego" }),
    ],
    data: { measures: ["d1", "d2"] },
    ...options,
  });
const outcomes = (test: string, options: Partial<TestOptions> = {}): Record<string, string> =>
  Object.fromEntries(run(test, options).results.map(({ name, outcome }) => [name, outcome]));

describe("tests", () => {
  it("pass when they are defined and not false", () => {
    expect(
      outcomes(`
        test_good if policy.allow with input as {"user": "alice", "measure": "d2"}
        test_bad if policy.allow with input as {"user": "bob", "measure": "d2"}
        test_false := false
        test_zero := 0
        todo_test_later if false
        helper if false
      `),
    ).toEqual({
      "data.policy_test.test_good": "pass",
      "data.policy_test.test_bad": "fail",
      "data.policy_test.test_false": "fail",
      "data.policy_test.test_zero": "pass",
      "data.policy_test.todo_test_later": "skip",
    });
  });

  it("have a result for each case that is tried, those that fail too", () => {
    expect(
      outcomes(`
        test_user[name] if {
          some name, given in {"alice": true, "bob": true, "eve": false}
          got := policy.allow with input as {"user": name, "measure": "d1"}
          got == given
        }
        test_none[name] if some name in []
        test_constant["only"] if false
      `),
    ).toEqual({
      'data.policy_test.test_user["alice"]': "pass",
      'data.policy_test.test_user["bob"]': "fail",
      'data.policy_test.test_user["eve"]': "pass",
      'data.policy_test.test_none["no case"]': "fail",
      'data.policy_test.test_constant["only"]': "fail",
    });
  });

  it("are stopped at the limits, their cases too", () => {
    const limits = { steps: 500 };
    expect(outcomes("test_x[n] if {\n\tsome n in numbers.range(1, 5000)\n\tn > 0\n}", { limits })).toEqual({
      "data.policy_test.test_x": "error",
    });
  });

  it("say at which condition they failed, and what stood in it", () => {
    const [result] = run(`
test_fails if {
	x := 1
	y := {"a": x}
	y.a > 2
	x == 3
}`).results;
    expect(result?.failure?.location).toMatchObject({ file: "policy_test.rego", row: 7 });
    expect(result?.failure?.operands).toEqual([{ text: "y.a", value: "1" }]);
  });

  it("keep what they print, and tell what ended in an error", () => {
    const { results } = run(`
test_prints if print("looked at", data.measures)
test_conflict if f(1) == 2
f(x) := 1
f(x) := 2 if x == 1
`);
    expect(results[0]).toMatchObject({ outcome: "pass", output: ['looked at ["d1", "d2"]'] });
    expect(results[1]).toMatchObject({ outcome: "error", error: { code: "REGO_CONFLICT" } });
  });

  it("are chosen by name, and told as they end", () => {
    const told: string[] = [];
    const text = "test_one if true\ntest_two if true";
    const { results } = run(text, {
      filter: (name) => name.endsWith("two"),
      onResult: ({ name }) => told.push(name),
    });
    expect(results.map(({ name }) => name)).toEqual(["data.policy_test.test_two"]);
    expect(told).toEqual(["data.policy_test.test_two"]);
  });
});

describe("coverage", () => {
  it("is of the rows of policies that the tests came by", () => {
    const { coverage } = run(`test_good if policy.allow with input as {"user": "alice", "measure": "d2"}`, {
      coverage: true,
    });
    expect(coverage).toEqual({
      files: { "policy.rego": { covered: [5, 6, 7], notCovered: [3, 10], percent: 60 } },
      percent: 60,
    });
  });

  it("is whole when every rule was reached, and absent when nobody asked", () => {
    const tests = `
      test_good if policy.allow with input as {"user": "alice", "measure": "d2"}
      test_default if not policy.allow with input as {}
      test_deny if "debug" in policy.deny with input as {"debug": true}`;
    expect(run(tests, { coverage: true }).coverage?.percent).toBe(100);
    expect(run(tests).coverage).toBeUndefined();
  });
});
