// SPDX-License-Identifier: Apache-2.0
// Where the reference implementation is on this machine: its sources, for the compliance suite, and its program.
// `go install github.com/open-policy-agent/opa@v1.22.2` brings both.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** The release whose semantics `@adyton/rego` follows. */
const OPA_VERSION = "1.22.2";

/** `ADYTON_OPA_SOURCE`, or the release in Go's module cache; undefined where there is neither. */
export const opaSource: string | undefined = firstThatExists([
  process.env.ADYTON_OPA_SOURCE,
  ...moduleCaches().map((cache) => join(cache, `github.com/open-policy-agent/opa@v${OPA_VERSION}`)),
]);

/** `ADYTON_OPA`, or `opa` on the path or where Go installs; undefined where there is none of the release. */
export const opaProgram: string | undefined = [
  process.env.ADYTON_OPA,
  ...(process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "opa")),
  join(process.env.GOPATH ?? join(homedir(), "go"), "bin/opa"),
].find((path) => path !== undefined && existsSync(path) && isRelease(path));

export const NO_SOURCE: string = `skipped: OPA ${OPA_VERSION}'s sources are in no Go module cache, nor named by ADYTON_OPA_SOURCE`;
export const NO_PROGRAM: string = `skipped: OPA ${OPA_VERSION} is neither on the path nor named by ADYTON_OPA`;

function moduleCaches(): string[] {
  const named = process.env.GOMODCACHE;
  if (named !== undefined) return [named];
  return (process.env.GOPATH ?? join(homedir(), "go")).split(delimiter).map((path) => join(path, "pkg/mod"));
}

function firstThatExists(paths: readonly (string | undefined)[]): string | undefined {
  return paths.find((path) => path !== undefined && existsSync(join(path, "v1/test/cases/testdata")));
}

function isRelease(program: string): boolean {
  try {
    return execFileSync(program, ["version"], { encoding: "utf8" }).includes(`Version: ${OPA_VERSION}`);
  } catch {
    return false;
  }
}
