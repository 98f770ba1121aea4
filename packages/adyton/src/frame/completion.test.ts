// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { ROOT } from "../commands/tree.ts";
import type { Command, Group } from "./command.ts";
import { completionScript, SHELLS } from "./completion.ts";

const [bash, zsh, fish] = SHELLS.map((shell) => spawnSync(shell, ["--version"]).status === 0);

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

describe.skipIf(!zsh)("zsh completion", () => {
  it.each([
    ["commands of a group", ["adyton", "evidence", ""], ["inspect", "verify", "--help", "--json"]],
    ["values of options", ["adyton", "completion", ""], ["bash", "zsh", "fish", "--json", "--help", "FILES"]],
    ["a value that is a file", ["adyton", "evidence", "verify", "--root", ""], ["FILES"]],
  ])("%s", (_name, words, expected) => {
    const script = `compdef() { :; }; compadd() { print -l -- "\${@:2}"; }; _files() { print FILES; }
${completionScript("zsh", ROOT)}
words=("$@"); CURRENT=$#; _adyton`;
    const { stdout, stderr } = spawnSync("zsh", ["-f", "-c", script, "zsh", ...words], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout.trim().split("\n")).toEqual(expected);
  });
});

describe.skipIf(!fish)("fish completion", () => {
  it.each([
    ["adyton evidence ", ["inspect", "verify"]],
    ["adyton evidence inspect --tee sn", ["snp"]],
    ["adyton completion z", ["zsh"]],
  ])("%s", (line, expected) => {
    const script = `${completionScript("fish", ROOT)}\ncomplete -C ${JSON.stringify(line)}`;
    const { stdout } = spawnSync("fish", ["--no-config", "-c", script], { encoding: "utf8" });
    expect(
      stdout
        .trim()
        .split("\n")
        .map((each) => each.split("\t")[0]),
    ).toEqual(expected);
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
