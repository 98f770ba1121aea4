// SPDX-License-Identifier: Apache-2.0
// Our functions for policies in WebAssembly. They pass JSON: sets come as arrays, and go as such.

import { type Builtin, type BuiltinContext, BuiltinFailure } from "../builtin.ts";
import { RegoError } from "../errors.ts";
import { toJson } from "../json.ts";
import type { Value } from "../value.ts";

type Call = (...args: readonly unknown[]) => Value | undefined;

/** Steps that the functions of one evaluation may take together. */
const STEPS = 10_000_000;

export class HostFunctions {
  /** Undefined stands for no value, as with WebAssembly's own functions. */
  readonly byName: { readonly [name: string]: (...args: readonly Value[]) => unknown };
  #now: Date | bigint | undefined;
  #steps = STEPS;
  #cache = new Map<string, unknown>();
  readonly #context: BuiltinContext = {
    now: () => {
      const now = this.#now;
      if (now === undefined) throw misuse("Cannot tell the time: the caller named none");
      return typeof now === "bigint" ? now : BigInt(now.getTime()) * 1_000_000n;
    },
    spend: (steps) => {
      this.#steps -= steps;
      if (this.#steps < 0) {
        throw new RegoError(
          [{ code: "REGO_LIMIT", message: `Cannot evaluate: functions took more than ${STEPS} steps` }],
          "policy",
        );
      }
    },
    cached: (key, make) => {
      if (!this.#cache.has(key)) this.#cache.set(key, make());
      return this.#cache.get(key) as ReturnType<typeof make>;
    },
    note: () => {},
  };

  constructor(builtins: readonly Builtin[]) {
    this.byName = Object.fromEntries(
      builtins.map(({ name, call }) => [name, (...args) => this.#call(call as Call, args)]),
    );
  }

  /** Runs one evaluation. */
  during<T>(now: Date | bigint | undefined, run: () => T): T {
    this.#now = now;
    this.#steps = STEPS;
    this.#cache = new Map();
    return run();
  }

  #call(call: Call, args: readonly Value[]): unknown {
    try {
      const value = call(...args, this.#context);
      return value === undefined ? undefined : toJson(value);
    } catch (error) {
      if (error instanceof BuiltinFailure) return undefined;
      throw error;
    }
  }
}

function misuse(message: string): RegoError {
  return new RegoError([{ code: "REGO_MISUSE", message, hint: "pass `now`" }]);
}
