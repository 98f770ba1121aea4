// SPDX-License-Identifier: Apache-2.0
// The engine without any function: for programs that name those they use.

export { type CompiledPolicy, type CompileOptions, compileWith } from "./policy.ts";
