// SPDX-License-Identifier: Apache-2.0
// What the type checker says of calls and references.

import {
  type Callee,
  type Operand,
  pathText,
  type RefOperand,
  type Report,
  type Statement,
} from "../compile/program.ts";
import { showValue } from "../show.ts";
import type { FunctionType, Type } from "../types.ts";
import { typeText } from "./lattice.ts";

/** A call whose arguments a function does not take. */
export function misfit(
  name: string,
  given: readonly Type[],
  type: FunctionType,
  location: Statement["location"],
): Parameters<Report>[0] {
  const have = given.map((each) => typeText(each)).join(", ");
  const want = type.args.map((each) => typeText(each)).join(", ");
  return {
    code: "REGO_TYPE",
    message: `${name}: invalid argument(s): have (${have}), want (${want})`,
    location,
  };
}

/** As a message names what is called. */
export function nameOf(callee: Callee): string {
  return callee.kind === "builtin" ? callee.builtin.name : pathText(callee.node.path);
}

/** As a message names a reference that stands for no term of the source. */
export function nameOfRef(head: RefOperand["head"], path: readonly Operand[]): string {
  const start = typeof head === "string" ? head : head.name;
  return start + path.map((part) => (part.kind === "value" ? `[${showValue(part.value)}]` : "[_]")).join("");
}
