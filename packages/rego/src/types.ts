// SPDX-License-Identifier: Apache-2.0
// Types as the checker knows them: what a function takes and gives, and what can be known of a term.

import type { RegoNumber } from "./value.ts";

export type Type =
  | { readonly kind: "any" }
  | { readonly kind: "null" }
  | { readonly kind: "boolean" }
  | { readonly kind: "number" }
  | { readonly kind: "string" }
  /** `items` are the first ones, each with its type; `rest` is that of all others, absent when there are none. */
  | { readonly kind: "array"; readonly items?: readonly Type[]; readonly rest?: Type }
  | { readonly kind: "set"; readonly of: Type }
  | {
      readonly kind: "object";
      /** Keys that are known, in any order. */
      readonly members?: readonly {
        readonly key: null | boolean | RegoNumber | string;
        readonly type: Type;
      }[];
      /** All other keys; absent when there are none. */
      readonly rest?: { readonly key: Type; readonly value: Type };
    }
  | { readonly kind: "union"; readonly of: readonly Type[] }
  | { readonly kind: "function"; readonly type: FunctionType };

export interface FunctionType {
  readonly args: readonly Type[];
  /** Any number of further arguments of this type (`print`). */
  readonly variadic?: Type;
  /** Absent for a function without a result. */
  readonly result?: Type;
}

export const ANY: Type = { kind: "any" };
export const NULL: Type = { kind: "null" };
export const BOOLEAN: Type = { kind: "boolean" };
export const NUMBER: Type = { kind: "number" };
export const STRING: Type = { kind: "string" };

export function arrayOf(rest: Type): Type {
  return { kind: "array", rest };
}

export function tupleOf(...items: readonly Type[]): Type {
  return { kind: "array", items };
}

export function setOf(of: Type): Type {
  return { kind: "set", of };
}

export function dictionaryOf(key: Type, value: Type): Type {
  return { kind: "object", rest: { key, value } };
}

export function anyOf(...of: readonly Type[]): Type {
  return { kind: "union", of };
}

export function takes(args: readonly Type[], result?: Type): FunctionType {
  return result === undefined ? { args } : { args, result };
}
