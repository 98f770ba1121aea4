// SPDX-License-Identifier: Apache-2.0
// The public face of @adyton/rego.

export * from "./ast.ts";
export * from "./errors.ts";
export * from "./types.ts";
