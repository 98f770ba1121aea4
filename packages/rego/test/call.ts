// SPDX-License-Identifier: Apache-2.0
// Calls functions as the evaluator does, without a policy around them.

import { type Builtin, type BuiltinContext, BuiltinFailure } from "../src/builtin.ts";
import type { Value } from "../src/value.ts";

export interface CallOptions {
  readonly now?: Date;
  /** Steps that may be spent; then `spend` throws a RangeError. */
  readonly steps?: number;
}

/** A function that calls those of `builtins` by name; what they throw passes. */
export function callerOf(
  builtins: readonly Builtin[],
  { now = new Date("2026-01-15T00:00:00Z"), steps = Number.POSITIVE_INFINITY }: CallOptions = {},
): (name: string, ...args: readonly Value[]) => Value | undefined {
  const cache = new Map<string, unknown>();
  let left = steps;
  const context: BuiltinContext = {
    now: () => BigInt(now.getTime()) * 1_000_000n,
    spend: (count) => {
      left -= count;
      if (left < 0) throw new RangeError("no steps left");
    },
    cached: (key, make) => {
      if (!cache.has(key)) cache.set(key, make());
      return cache.get(key) as ReturnType<typeof make>;
    },
    note: () => {},
  };
  return (name, ...args) => {
    const found = builtins.find((builtin) => builtin.name === name);
    if (found === undefined) throw new Error(`no function ${name}`);
    const call = found.call as (...args: readonly unknown[]) => Value | undefined;
    return call(...args, context);
  };
}

/** The kind and message of the failure that `call` ends in. */
export function failureOf(call: () => unknown): { readonly kind: string; readonly message: string } {
  try {
    call();
  } catch (error) {
    if (error instanceof BuiltinFailure) return { kind: error.kind, message: error.message };
    throw error;
  }
  throw new Error("no failure");
}
