// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from "node:events";
import { codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { askSecret } from "./terminal.ts";

/** A terminal that remembers what it was told, and types bytes. */
class FakeTerminal extends EventEmitter {
  readonly modes: boolean[] = [];
  flowing = false;
  setRawMode(raw: boolean): void {
    this.modes.push(raw);
  }
  resume(): void {
    this.flowing = true;
  }
  pause(): void {
    this.flowing = false;
  }
}

async function typing(chunks: readonly (string | Uint8Array)[], end = false): Promise<string> {
  const terminal = new FakeTerminal();
  const said: string[] = [];
  const answer = askSecret("Passphrase: ", terminal, (text) => void said.push(text));
  for (const chunk of chunks) terminal.emit("data", Buffer.from(chunk));
  if (end) terminal.emit("end");
  try {
    return await answer;
  } finally {
    expect(terminal.modes).toEqual([true, false]);
    expect([terminal.flowing, terminal.listenerCount("data"), terminal.listenerCount("end")]).toEqual([
      false,
      0,
      0,
    ]);
    expect(said).toEqual(["Passphrase: ", "\n"]);
  }
}

describe("a secret typed on a terminal", () => {
  it.each([
    ["in one piece", ["six words\r"], "six words"],
    ["key by key", [..."six words", "\n"], "six words"],
    ["with a mistake taken back", ["sixx\u007f wordds\b\bs\r"], "six words"],
    ["with the line taken back", ["wrong\u0015right\r"], "right"],
    ["with nothing to take back", ["\u007f\u007fa\r"], "a"],
    [
      "in letters of several bytes, cut anywhere",
      [
        Buffer.from("naïve 🔑\r").subarray(0, 3),
        Buffer.from("naïve 🔑\r").subarray(3, 9),
        Buffer.from("naïve 🔑\r").subarray(9),
      ],
      "naïve 🔑",
    ],
    ["with Ctrl-D in it", ["a\u0004b\r"], "a\u0004b"],
    ["empty", ["\r"], ""],
  ])("%s", async (_how, chunks, expected) => {
    expect(await typing(chunks)).toBe(expected);
  });

  it.each([
    ["Ctrl-C", ["half\u0003"], false, "MISSING_VALUE"],
    ["Ctrl-D", ["\u0004"], false, "MISSING_VALUE"],
    ["a terminal that closes", ["half"], true, "MISSING_VALUE"],
    ["no end", ["x".repeat(1025)], false, "INVALID_VALUE"],
  ])("is refused after %s", async (_what, chunks, end, code) => {
    expect(await codeOfAsync(() => typing(chunks, end))).toBe(code);
  });
});
