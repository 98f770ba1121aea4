// SPDX-License-Identifier: Apache-2.0
// `rand.intn` and `uuid.rfc4122`. Evaluation is deterministic, so nothing here is random: the answers are digests of the
// operands and of the time of the evaluation, which differ between evaluations and can be foreseen. No secret, no nonce.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { fromBigInt } from "../number.ts";
import { NUMBER, STRING } from "../types.ts";
import type { Value } from "../value.ts";
import { bigIntAt, define, integerAt, stringAt } from "./define.ts";

export const rand: readonly Builtin[] = [
  {
    ...define("rand.intn", [STRING, NUMBER], NUMBER, (seed: Value, n: Value, context: BuiltinContext) => {
      const text = stringAt(seed, 1);
      integerAt(n, 2);
      const bound = bigIntAt(n, 2);
      if (bound === 0n) return 0;
      return fromBigInt(digest(`${bound}-${text}`, context) % (bound < 0n ? -bound : bound));
    }),
    nondeterministic: true,
  },
  {
    ...define("uuid.rfc4122", [STRING], STRING, (seed: Value, context: BuiltinContext) => {
      const bits = digest(`uuid-${stringAt(seed, 1)}`, context);
      const hex = bits.toString(16).padStart(32, "0");
      // Version 4, and the variant of RFC 4122 section 4.1.1 in the two bits above the clock sequence.
      const variant = "89ab"[Number(bits & 3n)] ?? "8";
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
    }),
    nondeterministic: true,
  },
];

/** 128 bits, well mixed, of a text and the time of the evaluation: four lanes of multiply and rotate. */
function digest(text: string, context: BuiltinContext): bigint {
  const whole = `${context.now()}|${text}`;
  context.spend(whole.length >> 4);
  const lanes = [0x9e3779b9, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];
  const mix = (word: number): void => {
    for (let i = 0; i < 4; i++) {
      const lane = Math.imul((lanes[i] ?? 0) ^ word, 0x5bd1e995 + 2 * i);
      lanes[i] = ((lane << 13) | (lane >>> 19)) ^ (lanes[(i + 3) % 4] ?? 0);
    }
  };
  for (let i = 0; i < whole.length; i++) mix(whole.charCodeAt(i));
  for (let i = 0; i < 16; i++) mix(whole.length + i);
  return lanes.reduce((total, lane) => (total << 32n) | BigInt(lane >>> 0), 0n);
}
