// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { createBufferIo } from "./buffer-io.ts";
import { EXIT, exitCodeOf } from "./exit.ts";
import { reportFailure } from "./frame/failure.ts";
import { run } from "./main.ts";
import { VERSION } from "./version.ts";

const MISUSE = [
  ["no command", [], "MISSING_COMMAND", "--help"],
  ["a group alone", ["evidence"], "MISSING_COMMAND", "adyton evidence --help"],
  ["an unknown command", ["evidnce"], "UNKNOWN_COMMAND", "Did you mean `adyton evidence`?"],
  ["an unknown verb", ["evidence", "vrify"], "UNKNOWN_COMMAND", "Did you mean `adyton evidence verify`?"],
  ["a word far from any", ["banana"], "UNKNOWN_COMMAND", "adyton --help"],
  ["an option before the command", ["--frob", "evidence"], "UNKNOWN_OPTION", "adyton"],
  [
    "an unknown option",
    ["evidence", "verify", "f", "--endorsement", "x"],
    "UNKNOWN_OPTION",
    "--endorsements",
  ],
  ["an unknown short option", ["evidence", "verify", "f", "-x"], "UNKNOWN_OPTION", "--help"],
  ["an option without its value", ["evidence", "verify", "f", "--at"], "MISSING_VALUE", "--help"],
  ["an option for a value", ["evidence", "verify", "f", "--at", "--allow-debug"], "MISSING_VALUE", "--help"],
  ["a value for a switch", ["evidence", "verify", "f", "--allow-debug=yes"], "INVALID_VALUE", "--help"],
  [
    "an option twice",
    ["evidence", "verify", "f", "--at=2025-01-01", "--at=2025-01-02"],
    "REPEATED_OPTION",
    "",
  ],
  ["no argument", ["evidence", "inspect"], "MISSING_ARGUMENT", "--help"],
  ["two arguments", ["evidence", "inspect", "a", "b"], "UNEXPECTED_ARGUMENT", "--help"],
  ["a TEE there is not", ["evidence", "inspect", "a", "--tee", "tdxx"], "INVALID_VALUE", "Did you mean tdx?"],
  ["a shell there is not", ["completion", "bsh"], "INVALID_VALUE", "Did you mean bash?"],
  ["a file there is not", ["evidence", "inspect", "no-such-file"], "FILE_NOT_FOUND", "Check the path"],
  ["a folder for a file", ["evidence", "inspect", "/"], "FILE_NOT_READABLE", ""],
  [
    "endorsements there are not",
    ["evidence", "verify", "x", "--endorsements", "no-such"],
    "PATH_NOT_FOUND",
    "",
  ],
  ["a broken time", ["evidence", "verify", "x", "--at", "yesterday"], "INVALID_VALUE", ""],
  ["broken report data", ["evidence", "verify", "x", "--report-data", "xyz"], "INVALID_VALUE", ""],
  [
    "a status there is not",
    ["evidence", "verify", "x", "--require-tcb", "Uptodate"],
    "INVALID_VALUE",
    "UpToDate",
  ],
  ["broken minimum", ["evidence", "verify", "x", "--min-tcb", "snp"], "INVALID_VALUE", ""],
  ["broken number", ["evidence", "verify", "x", "--min-evaluation-number", "-3"], "MISSING_VALUE", ""],
] as const;

describe("misuse exits 1", () => {
  it.each(MISUSE)("%s", async (_name, argv, code, next) => {
    const io = createBufferIo();
    expect(await run(argv, io)).toBe(EXIT.misuse);
    const { stdout, stderr } = io.output();
    expect(stdout).toBe("");
    expect(stderr).toContain(`[${code}]`);
    expect(stderr).toContain(next);
  });

  it.each(MISUSE)("as JSON: %s", async (_name, argv, code) => {
    const io = createBufferIo();
    expect(await run([...argv.slice(0, 2), "--json", ...argv.slice(2)], io)).toBe(EXIT.misuse);
    const { stdout, stderr } = io.output();
    expect(stderr).toBe("");
    const { error } = JSON.parse(stdout) as { error: Record<string, unknown> };
    expect(error).toMatchObject({ code, category: "misuse" });
    expect(Object.keys(error)).toEqual(["code", "category", "message", "detail", "hint"]);
    expect(error.message).toMatch(/^Cannot /);
  });
});

describe("version", () => {
  it("equals the package's", async () => {
    const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
    expect(VERSION).toBe(manifest.version);
  });
  it.each([["--version"], ["-V"]])("%s", async (option) => {
    const io = createBufferIo();
    expect(await run([option], io)).toBe(0);
    expect(io.output()).toMatchObject({ stdout: `adyton ${VERSION}\n`, stderr: "" });
  });
  it("as JSON", async () => {
    const io = createBufferIo();
    expect(await run(["--version", "--json"], io)).toBe(0);
    expect(JSON.parse(io.output().stdout)).toMatchObject({ name: "adyton", version: VERSION });
  });
});

describe("completion", () => {
  it("prints the script", async () => {
    const io = createBufferIo();
    expect(await run(["completion", "bash"], io)).toBe(0);
    expect(io.output().stdout).toContain("complete -o filenames -F _adyton adyton");
  });
  it("as JSON", async () => {
    const io = createBufferIo();
    expect(await run(["completion", "fish", "--json"], io)).toBe(0);
    expect(JSON.parse(io.output().stdout)).toMatchObject({ shell: "fish" });
  });
});

describe("exit codes", () => {
  it.each([
    ["misuse", 1],
    ["malformed", 2],
    ["not-authentic", 3],
    ["endorsements", 4],
    ["policy", 5],
    ["unavailable", 6],
  ] as const)("%s: %i", (category, code) => {
    expect(exitCodeOf(category)).toBe(code);
  });

  it("a defect says so, and how to report it", () => {
    const io = createBufferIo();
    expect(reportFailure(new RangeError("oops"), true, io)).toBe(70);
    const { stdout, stderr } = io.output();
    expect(JSON.parse(stdout).error).toMatchObject({
      code: "INTERNAL",
      category: "internal",
      message: "oops",
    });
    expect(stderr).toContain("defect in adyton");
    expect(stderr).toContain("report");
  });
});
