// SPDX-License-Identifier: Apache-2.0
// The way in: modules become a policy, a policy answers queries.

import type { Body, Module, RegoVersion } from "./ast.ts";
import type { Builtin } from "./builtin.ts";
import type { DocumentTypes } from "./check/documents.ts";
import type { Program, TypeChecker } from "./compile/program.ts";
import { resolve, resolveQuery } from "./compile/resolve.ts";
import { type Diagnostic, RegoError } from "./errors.ts";
import { LIMITS, type Limits } from "./evaluate/limits.ts";
import { Machine } from "./evaluate/machine.ts";
import { capturing, Query, type Shared } from "./evaluate/query.ts";
import { parseModule, parseQuery } from "./parse/module.ts";

export interface CompileOptions {
  /** Texts by the name that errors show, or modules that are parsed already. */
  readonly modules: Readonly<Record<string, string>> | readonly Module[];
  /** Of texts; by default v1. A module may raise its own with `import rego.v1`. */
  readonly version?: RegoVersion;
  /** Functions beside the language's own; one of the same name takes the place of that. */
  readonly builtins?: readonly Builtin[];
  /** What is known of `input` and `data`: `schemaTypes` of @adyton/rego/schema. Not for `compileWith`, which checks no types. */
  readonly schemas?: DocumentTypes;
  /** A function that fails ends the evaluation with an error; by default its expression is undefined. */
  readonly strictBuiltinErrors?: boolean;
  /** For every evaluation that names none of its own. */
  readonly limits?: Partial<Limits>;
}

/** Compiled modules. Never changes, and may be used from anywhere at once. */
export class CompiledPolicy {
  readonly program: Program;
  readonly #shared: Shared;

  constructor(program: Program, shared: Shared) {
    this.program = program;
    this.#shared = shared;
  }

  /**
   * A query such as `data.policy.allow`, or any body: `some x in data.users; x.admin`. Throws a `RegoError` as `compile`
   * does.
   */
  prepare(query: string | Body): Query {
    return guarded(() => {
      const source = typeof query === "string" ? parseQuery(query, { file: "query", version: "v1" }) : query;
      const { body, names } = capturing(this.program, source);
      const resolved = resolveQuery(this.program, body, "v1");
      const captured = names.map((name) => (name === undefined ? undefined : resolved.slots.get(name)));
      return new Query(this.#shared, resolved, captured);
    });
  }
}

/**
 * Compiles modules with these functions as the language's own, and no others but those of the options: for programs in
 * which every kilobyte counts. Throws as `compile` does.
 */
export function compileWith(
  standard: readonly Builtin[],
  options: CompileOptions,
  types?: TypeChecker,
): CompiledPolicy {
  return guarded(() => {
    const { version = "v1", builtins = [], limits, strictBuiltinErrors: strict = false } = options;
    const known = new Map([...standard, ...builtins].map((builtin) => [builtin.name, builtin]));
    const program = resolve(modulesOf(options.modules, version), known, version, types);
    return new CompiledPolicy(program, {
      plain: new Machine(program, new Set(standard)),
      traced: undefined,
      limits: { ...LIMITS, ...limits },
      strict,
    });
  });
}

function modulesOf(modules: CompileOptions["modules"], version: RegoVersion): readonly Module[] {
  if (isList(modules)) return modules;
  const found: Diagnostic[] = [];
  const parsed: Module[] = [];
  for (const [file, text] of Object.entries(modules)) {
    try {
      parsed.push(parseModule(text, { file, version }));
    } catch (error) {
      if (!(error instanceof RegoError)) throw error;
      found.push(...error.diagnostics);
    }
  }
  const [first, ...more] = found;
  if (first !== undefined) throw new RegoError([first, ...more]);
  return parsed;
}

function isList(modules: CompileOptions["modules"]): modules is readonly Module[] {
  return Array.isArray(modules);
}

/** Programs that nest deeper than the stack of the machine are over a limit, too. */
function guarded<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError || (error instanceof Error && error.name === "InternalError")) {
      throw new RegoError([
        {
          code: "REGO_LIMIT",
          message: `Cannot compile the policy: it is nested too deeply (${error.message})`,
          hint: "part rules and terms into smaller ones",
        },
      ]);
    }
    throw error;
  }
}
