// SPDX-License-Identifier: Apache-2.0
// A secret typed on a terminal, which shows nothing of it.

import { misuse } from "./errors.ts";

/** What is needed of `process.stdin` on a terminal. */
export interface Keyboard {
  setRawMode(raw: boolean): unknown;
  on(event: "data", listen: (bytes: Uint8Array) => void): unknown;
  on(event: "end", listen: () => void): unknown;
  off(event: "data", listen: (bytes: Uint8Array) => void): unknown;
  off(event: "end", listen: () => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

const MAX_CHARACTERS = 1024;
const ENTER: readonly string[] = ["\r", "\n"];
const INTERRUPT = "\u0003";
const END = "\u0004";
const ERASE_LINE = "\u0015";
const ERASE: readonly string[] = ["\u0008", "\u007f"];

/**
 * Asks, and answers what was typed until Enter. Rejects with `MISSING_VALUE` when the user gives up (Ctrl-C, Ctrl-D on an empty
 * line, a closed terminal) and `INVALID_VALUE` for more than 1,024 characters. The terminal is as before in any case.
 */
export function askSecret(
  question: string,
  keyboard: Keyboard,
  say: (text: string) => void,
): Promise<string> {
  const decoder = new TextDecoder();
  let typed: string[] = [];
  say(question);
  keyboard.setRawMode(true);
  return new Promise((resolve, reject) => {
    const done = (settle: () => void): void => {
      keyboard.off("data", listen);
      keyboard.off("end", ended);
      keyboard.setRawMode(false);
      keyboard.pause();
      say("\n");
      settle();
    };
    const ended = (): void => done(() => reject(misuse("MISSING_VALUE", "Cannot go on: nothing was typed")));
    const listen = (bytes: Uint8Array): void => {
      for (const character of decoder.decode(bytes, { stream: true })) {
        if (character === INTERRUPT || (character === END && typed.length === 0)) ended();
        else if (ENTER.includes(character)) done(() => resolve(typed.join("")));
        else {
          typed = edited(typed, character);
          if (typed.length <= MAX_CHARACTERS) continue;
          done(() => reject(misuse("INVALID_VALUE", `Cannot take more than ${MAX_CHARACTERS} characters`)));
        }
        return;
      }
    };
    keyboard.on("data", listen);
    keyboard.on("end", ended);
    keyboard.resume();
  });
}

function edited(typed: readonly string[], character: string): string[] {
  if (character === ERASE_LINE) return [];
  return ERASE.includes(character) ? typed.slice(0, -1) : [...typed, character];
}
