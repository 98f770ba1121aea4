// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { ROOT } from "../commands/tree.ts";
import type { Command, Group } from "./command.ts";
import { completionScript, SHELLS } from "./completion.ts";

const bash = spawnSync("bash", ["--version"]).status === 0;

/** What bash would offer for the last of `words`. */
function offered(...words: readonly string[]): string[] {
  const script = `${completionScript("bash", ROOT)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _adyton; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, status, stderr } = spawnSync("bash", ["-c", script, "bash", ...words], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout.split("\n").filter((line) => line !== "");
}

describe.skipIf(!bash)("bash completion", () => {
  it.each([
    ["commands", ["adyton", "ev"], ["evidence"]],
    ["commands of a group", ["adyton", "evidence", ""], ["inspect", "verify", "--help", "--json"]],
    ["options", ["adyton", "evidence", "verify", "--min-tcb-"], ["--min-tcb-date"]],
    ["values of options", ["adyton", "evidence", "inspect", "--tee", "sg"], ["sgx"]],
    ["choices of arguments", ["adyton", "completion", "z"], ["zsh"]],
    ["options after an argument", ["adyton", "evidence", "verify", "f", "--ro"], ["--root"]],
  ])("%s", (_name, words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });
});

describe("scripts", () => {
  const names = (node: Command | Group): string[] =>
    node.kind === "group" ? [node.name, ...node.commands.flatMap(names)] : [node.name];
  it.each(SHELLS)("%s knows every command", (shell) => {
    const script = completionScript(shell, ROOT);
    for (const name of names(ROOT)) expect(script).toContain(name);
  });
});
