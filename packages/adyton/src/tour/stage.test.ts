// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { CliError } from "../errors.ts";
import { styleOf } from "../frame/style.ts";
import { createStage } from "./stage.ts";

const io = createBufferIo();
const stage = createStage(io.stdout, styleOf(io.stdout, io.env));

describe("a stage", () => {
  it("tells steps, asides, quotes and promises that hold", () => {
    stage.step("First");
    stage.say("aside\n\nmore");
    stage.quote("one\u001b[31m\ntwo\n");
    stage.promise(true, "it held");
    expect(io.output().stdout).toBe(
      "\n1. First\n   aside\n\n   more\n   | one\\u001b[31m\n   | two\n   ✓ it held\n",
    );
    expect(stage.steps()).toEqual([{ title: "First", held: ["it held"] }]);
  });
  it("keeps the indentation of what it quotes", () => {
    const own = createBufferIo();
    createStage(own.stdout, styleOf(own.stdout, own.env)).quote(`one\n  two ${"x ".repeat(60)}`);
    const [first, second, third] = own.output().stdout.split("\n");
    expect(first).toBe("   | one");
    expect(second).toMatch(/^ {3}\| {3}two x/);
    expect(third).toMatch(/^ {3}\| {3}x/);
  });
  it("ends at a promise that does not hold", () => {
    expect(() => stage.promise(false, "water flows uphill")).toThrow(CliError);
    expect(() => stage.promise(false, "water flows uphill")).toThrow(
      expect.objectContaining({ code: "TOUR_STEP_FAILED", category: "unavailable" }),
    );
  });
});
