// SPDX-License-Identifier: Apache-2.0
// The engine without any function: for programs that name those they use.

export { type CompileOptions, compileWith, type Policy } from "./policy.ts";
