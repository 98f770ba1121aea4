// SPDX-License-Identifier: Apache-2.0
// Tests of policies and what they cover.

export type { FileCoverage, PolicyCoverage } from "./coverage.ts";
export {
  runTests,
  type TestFailure,
  type TestOptions,
  type TestOutcome,
  type TestResult,
  type TestRun,
} from "./run.ts";
