// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { ROOT } from "../commands/tree.ts";
import { run } from "../main.ts";
import { COMMON_OPTIONS, type Command, type Group } from "./command.ts";

interface Page {
  readonly line: string;
  readonly node: Command | Group;
}

const pagesOf = (node: Command | Group, line: string): Page[] => [
  { line, node },
  ...(node.kind === "group"
    ? node.commands.flatMap((child) => pagesOf(child, `${line} ${child.name}`.trim()))
    : []),
];
const PAGES = pagesOf(ROOT, "");

describe.each(PAGES)("help of `adyton $line`", ({ line, node }) => {
  it("is on stdout, with every part, within 80 columns", async () => {
    const io = createBufferIo({ columns: 80 });
    expect(await run([...line.split(" ").filter(Boolean), "--help"], io)).toBe(0);
    const { stdout, stderr } = io.output();
    expect(stderr).toBe("");
    for (const text of stdout.split("\n")) expect(text.length).toBeLessThanOrEqual(100);
    const headings =
      node.kind === "group"
        ? ["Usage", "What it is", "Commands", "Next"]
        : ["Usage", "What it does", "Options", "Exit codes", "Examples", "Next"];
    for (const heading of headings) expect(stdout).toContain(`\n${heading}\n`);
  });

  it("describes each option, and the examples use only those there are", () => {
    if (node.kind === "group") return expect(node.commands.length).toBeGreaterThan(0);
    const names = [...node.options, ...COMMON_OPTIONS].map((option) => option.name);
    expect(new Set(names).size).toBe(names.length);
    expect(node.examples.length).toBeGreaterThan(0);
    for (const example of node.examples) {
      const own = example.line.split(/ [|&>]| -- /)[0] ?? "";
      if (!own.includes(`adyton ${line}`)) continue;
      for (const [, option] of own.matchAll(/ --([a-z-]+)/g)) expect(names).toContain(option);
    }
    expect(node.examples.some((example) => example.line.includes(`adyton ${line}`))).toBe(true);
  });

  it("loads its code", async () => {
    if (node.kind === "command") expect(typeof (await node.load())).toBe("function");
    else expect(node.description.length).toBeGreaterThan(0);
  });
});

describe("help", () => {
  it("of any command through `adyton help`", async () => {
    const io = createBufferIo();
    expect(await run(["help", "evidence", "inspect"], io)).toBe(0);
    expect(io.output().stdout).toContain("adyton evidence inspect FILE");
  });
  it("as JSON", async () => {
    const io = createBufferIo();
    expect(await run(["evidence", "--help", "--json"], io)).toBe(0);
    expect(JSON.parse(io.output().stdout)).toMatchObject({ usage: "adyton evidence COMMAND [options]" });
  });
  it("is coloured on a terminal only", async () => {
    const io = createBufferIo({ isTTY: true });
    await run(["--help"], io);
    expect(io.output().stdout).toContain("\u001b[1m");
  });
});
