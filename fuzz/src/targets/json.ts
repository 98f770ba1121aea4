// SPDX-License-Identifier: Apache-2.0
// JSON: what is accepted is what the engine's own parser makes of it, and survives being written canonically.

import { canonicalJson, parseJson, parseJsonDocument } from "@adyton/core/json";
import { bytesOf, textOf, tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  tolerant(
    () => parseJsonDocument(text),
    () => {
      const value = parseJson(text);
      const peer = canonicalJson(JSON.parse(text));
      if (canonicalJson(value) !== peer) throw new Error("JSON.parse reads this differently");
    },
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  return [
    '{"a":[1,-2.5e+3,true,null,"\\u00e9\\ud83d\\ude00\\n"],"b":{"a":{}}}',
    '{"a":1,"a":2}',
    '{"__proto__":{"x":1},"constructor":0}',
    "[[[[[[[[1]]]]]]]]",
    '"\\ud800"',
    "1e999",
    "-0",
    " [ 0.0 , 9007199254740993 ] ",
  ].map(bytesOf);
}
