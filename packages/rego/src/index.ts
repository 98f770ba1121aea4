// SPDX-License-Identifier: Apache-2.0
// The public face of @adyton/rego.

export * from "./ast.ts";
export * from "./builtin.ts";
export { compile } from "./compile.ts";
export * from "./errors.ts";
export { LIMITS, type LimitName, type Limits } from "./evaluate/limits.ts";
export type { Answer, Query } from "./evaluate/query.ts";
export type { EvaluateOptions } from "./evaluate/state.ts";
export type { TracedOperand, TraceEvent, Tracer } from "./evaluate/trace.ts";
export { toJson } from "./json.ts";
export { type ParseLimits, type ParseOptions, parseModule, parseQuery, parseTerm } from "./parse/module.ts";
export type { CompiledPolicy, CompileOptions } from "./policy.ts";
export { renderDiagnostics } from "./render.ts";
export * from "./types.ts";
export type { PlainObject, RegoNumber, RegoObject, RegoSet, Value } from "./value.ts";
