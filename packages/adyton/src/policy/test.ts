// SPDX-License-Identifier: Apache-2.0
// `adyton policy test`: the tests that stand beside policies.

import { RegoError } from "@adyton/rego";
import { type PolicyCoverage, runTests, type TestResult } from "@adyton/rego/testing";
import { misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, type Style, styleOf } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { integerOf } from "../values.ts";
import { BUILTINS, findingsText, type Loaded, load, nowOf, versionOf, withSources } from "./load.ts";
import { unitsOf } from "./units.ts";

/** JSON: `{passed, failed, skipped, errors, results: […], coverage}`. */
export async function test(invocation: Invocation, io: Io): Promise<ExitCode> {
  const loaded = await load(invocation.arguments, versionOf(invocation), io);
  const least = invocation.value("threshold");
  const threshold = least === undefined ? undefined : integerOf("threshold", least, 0, 100);
  const wanted = patternOf(invocation.value("run"));
  const style = styleOf(io.stdout, io.env);
  const runs = unitsOf(loaded).map((unit) =>
    tested(unit, {
      modules: unit.modules,
      data: unit.data,
      builtins: BUILTINS,
      now: nowOf(invocation, io),
      coverage: invocation.flag("coverage") || threshold !== undefined,
      ...(wanted === undefined ? {} : { filter: (name: string) => wanted.test(name) }),
      onResult: (result) => {
        if (!invocation.json)
          io.stdout.write(resultText(result, loaded, style, invocation.flag("verbose"), io));
      },
    }),
  );
  const all = runs.flatMap((run) => run.results);
  const count = (outcome: string): number => all.filter((result) => result.outcome === outcome).length;
  const [passed, failed, skipped, errors] = ["pass", "fail", "skip", "error"].map(count) as [
    number,
    number,
    number,
    number,
  ];
  const coverage = together(
    runs.flatMap((run) => run.coverage ?? []),
    loaded,
  );
  if (invocation.json) {
    const results = all.map(({ error, ...result }) =>
      error === undefined ? result : { ...result, error: error.toJSON() },
    );
    writeJson(io.stdout, {
      passed,
      failed,
      skipped,
      errors,
      results,
      ...(coverage === undefined ? {} : { coverage }),
    });
  } else {
    if (coverage !== undefined) io.stdout.write(coverageText(coverage));
    const summary = [`${passed} passed`, `${failed} failed`, `${errors} in error`, `${skipped} skipped`];
    io.stdout.write(`${summary.filter((part, i) => i === 0 || !part.startsWith("0 ")).join(", ")}\n`);
  }
  if (all.length === 0) {
    io.stderr.write("Next: write rules whose names begin with test_, in files beside the policies.\n");
    return EXIT.policy;
  }
  if (threshold !== undefined && coverage !== undefined && coverage.percent < threshold) {
    io.stderr.write(`Coverage is ${coverage.percent} %, expected at least ${threshold} %.\n`);
    return EXIT.policy;
  }
  return failed + errors > 0 ? EXIT.policy : EXIT.ok;
}

function tested({ sources }: Loaded, options: Parameters<typeof runTests>[0]): ReturnType<typeof runTests> {
  try {
    return runTests(options);
  } catch (error) {
    throw error instanceof RegoError ? withSources(error, sources) : error;
  }
}

/** A line for each test; below one that failed, where and with which values. */
function resultText(result: TestResult, { sources }: Loaded, style: Style, verbose: boolean, io: Io): string {
  const { name, outcome, failure, error, output } = result;
  if (outcome === "pass" && !verbose) return "";
  const word = {
    pass: style.good("PASS"),
    fail: style.bad("FAIL"),
    skip: style.caution("SKIP"),
    error: style.bad("ERROR"),
  }[outcome];
  const lines = [`${word}  ${printable(name)}`];
  if (failure !== undefined) {
    const { file, row, offset, end } = failure.location;
    const [condition = ""] = (sources[file] ?? "").slice(offset, end).split("\n");
    lines.push(`  ${file}:${row}  ${printable(condition)}`);
    for (const { text, value } of failure.operands)
      lines.push(`    ${printable(`${text} is ${value.slice(0, 200)}`)}`);
  } else if (outcome === "fail") {
    lines.push(`  ${result.location.file}:${result.location.row}`);
  }
  if (error !== undefined) lines.push(findingsText(withSources(error, sources), io.stdout, io).trimEnd());
  if (outcome !== "pass") lines.push(...output.map((line) => style.dim(`  ${printable(line)}`)));
  return `${lines.join("\n")}\n`;
}

function coverageText({ files, percent }: PolicyCoverage): string {
  const lines = Object.entries(files).map(([file, { notCovered, percent: of }]) =>
    notCovered.length === 0 ? `${file}: ${of} %` : `${file}: ${of} %, not lines ${notCovered.join(", ")}`,
  );
  return [...lines, `coverage: ${percent} %`, ""].join("\n");
}

/** A line is covered when any of the runs came by it. */
function together(parts: readonly PolicyCoverage[], { sources }: Loaded): PolicyCoverage | undefined {
  if (parts.length === 0) return undefined;
  const files: Record<string, PolicyCoverage["files"][string]> = {};
  for (const [file, { covered, notCovered }] of parts.flatMap((part) => Object.entries(part.files))) {
    // What stands beside a policy is no file of its author.
    if (sources[file] === undefined) continue;
    const seen = new Set([...(files[file]?.covered ?? []), ...covered]);
    const rows = [...new Set([...covered, ...notCovered])].sort((a, b) => a - b);
    const missed = rows.filter((row) => !seen.has(row));
    files[file] = {
      covered: [...seen].sort((a, b) => a - b),
      notCovered: missed,
      percent: percentOf(seen.size, rows.length),
    };
  }
  const total = Object.values(files).reduce(
    ([covered, rows], each) =>
      [covered + each.covered.length, rows + each.covered.length + each.notCovered.length] as const,
    [0, 0] as readonly [number, number],
  );
  return { files, percent: percentOf(...total) };
}

function percentOf(part: number, whole: number): number {
  return whole === 0 ? 100 : Math.round((part / whole) * 10_000) / 100;
}

function patternOf(text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined;
  try {
    return new RegExp(text, "u");
  } catch (cause) {
    throw misuse(
      "INVALID_VALUE",
      `Cannot use ${JSON.stringify(text)} as --run: ${cause instanceof Error ? cause.message : cause}`,
    );
  }
}
