// SPDX-License-Identifier: Apache-2.0
// Bundles that `opa build -t wasm` made, run by the package `@open-policy-agent/opa-wasm`. For policies that come compiled;
// those that come as text are for `compile`, which is quicker, bounded and explains itself.

import { equal } from "@adyton/core/bytes";
import { type LoadedPolicy, loadPolicy } from "@open-policy-agent/opa-wasm";
import type { Builtin } from "./builtin.ts";
import { standardBuiltins } from "./builtins/index.ts";
import { RegoError } from "./errors.ts";
import { toJson } from "./json.ts";
import { jsonOf } from "./json-text.ts";
import type { PlainObject, Value } from "./value.ts";
import { readBundle, WASM_MAGIC } from "./wasm/bundle.ts";
import { HostFunctions } from "./wasm/functions.ts";

export interface BundleOptions {
  /** In place of the bundle's own data. */
  readonly data?: PlainObject;
  /** Functions beside the standard ones, for what the policy calls and WebAssembly does not have. */
  readonly builtins?: readonly Builtin[];
  /** Most memory of the policy, in bytes; 128 MiB by default. */
  readonly memory?: number;
}

export interface BundleEvaluateOptions {
  readonly input?: Value | undefined;
  /** For `time.now_ns` and functions that ask for the time. */
  readonly now?: Date | bigint;
}

/** An entry point: like a `Query`, of which it is all that WebAssembly has. */
export interface BundleQuery {
  readonly entrypoint: string;
  /** The entry point's document, sets as arrays in no order; undefined when it has none. Throws a `RegoError`. */
  value(options?: BundleEvaluateOptions): Value | undefined;
}

export interface BundlePolicy {
  /** As they were named when the bundle was built: `example/allow`. */
  readonly entrypoints: readonly string[];
  /** One of the entry points; the only one when none is named. Throws `REGO_MISUSE`. */
  prepare(entrypoint?: string): BundleQuery;
  /** Replaces base documents. */
  setData(data: PlainObject): void;
}

/** What every module of OPA exports. */
const ABI = "opa_wasm_abi_version";
const PAGE = 64 * 1024;
const INITIAL_PAGES = 8;
const MEMORY = 128 * 1024 * 1024;

/**
 * Loads a bundle (`.tar.gz`), or the WebAssembly module out of one. Throws `REGO_MISUSE` for what is neither.
 *
 * There is no limit of steps inside of WebAssembly: load only what you would run.
 */
export async function loadBundle(bytes: Uint8Array, options: BundleOptions = {}): Promise<BundlePolicy> {
  const { wasm, data } = equal(bytes.subarray(0, WASM_MAGIC.length), WASM_MAGIC)
    ? { wasm: bytes, data: {} }
    : await readBundle(bytes);
  const functions = new HostFunctions([...standardBuiltins, ...(options.builtins ?? [])]);
  const maximum = Math.max(INITIAL_PAGES, Math.floor((options.memory ?? MEMORY) / PAGE));
  const memory = { initial: INITIAL_PAGES, maximum };
  const loaded = await guardedLoad(async () => {
    const module = await WebAssembly.compile(Uint8Array.from(wasm));
    if (!WebAssembly.Module.exports(module).some(({ name }) => name === ABI))
      throw new TypeError(`no ${ABI}`);
    return loadPolicy(module, memory, functions.byName);
  });
  const policy = new Loaded(loaded, functions);
  policy.setData(options.data ?? data);
  return policy;
}

class Loaded implements BundlePolicy {
  readonly entrypoints: readonly string[];
  readonly #policy: LoadedPolicy;
  readonly #functions: HostFunctions;

  constructor(policy: LoadedPolicy, functions: HostFunctions) {
    this.#policy = policy;
    this.#functions = functions;
    this.entrypoints = Object.keys(policy.entrypoints as object).sort();
  }

  prepare(entrypoint?: string): BundleQuery {
    const [first, ...more] = this.entrypoints;
    const chosen = entrypoint ?? (more.length === 0 ? first : undefined);
    if (chosen === undefined || !this.entrypoints.includes(chosen)) {
      throw misuse(
        `Cannot prepare entry point: found ${entrypoint ?? "no name"}, expected one of ${this.entrypoints.join(", ")}`,
      );
    }
    return { entrypoint: chosen, value: (options = {}) => this.#value(chosen, options) };
  }

  setData(data: PlainObject): void {
    guarded("set data of the bundle", () => this.#policy.setData(bufferOf(data)));
  }

  #value(entrypoint: string, { input, now }: BundleEvaluateOptions): Value | undefined {
    const found = this.#functions.during(now, () =>
      // Text in a buffer: the library takes null, false, 0 and "" for no input at all.
      guarded(`evaluate ${entrypoint}`, () =>
        this.#policy.evaluate(input === undefined ? undefined : bufferOf(input), entrypoint),
      ),
    ) as readonly { readonly result: Value }[];
    return found[0]?.result;
  }
}

function bufferOf(value: Value): ArrayBuffer {
  return new TextEncoder().encode(jsonOf(toJson(value))).buffer;
}

async function guardedLoad<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw misuse(`Cannot load bundle: found ${messageOf(error)}, expected a WebAssembly module of OPA`);
  }
}

/** What the library throws is text, objects and errors of the engine. */
function guarded<T>(doing: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof RegoError) throw error;
    const message = messageOf(error);
    if (/conflict/.test(message)) {
      throw new RegoError([{ code: "REGO_CONFLICT", message: `Cannot ${doing}: ${message}` }], "policy");
    }
    const isLimit =
      error instanceof RangeError ||
      error instanceof WebAssembly.RuntimeError ||
      /memory|alloc/.test(message);
    if (!isLimit) throw misuse(`Cannot ${doing}: ${message}`);
    throw new RegoError(
      [
        {
          code: "REGO_LIMIT",
          message: `Cannot ${doing}: ${message}`,
          hint: "give it more memory, or less data",
        },
      ],
      "policy",
    );
  }
}

function messageOf(error: unknown): string {
  if (typeof error === "string") return error;
  const message = (error as { readonly message?: unknown } | null)?.message;
  return typeof message === "string" ? message : "an unknown failure";
}

function misuse(message: string): RegoError {
  return new RegoError([{ code: "REGO_MISUSE", message }]);
}
