// SPDX-License-Identifier: Apache-2.0
// Operands whose value is known before evaluation.

import type { Operand } from "../compile/program.ts";
import { objectOf, RegoSet, type Value } from "../value.ts";

/** The value of an operand that holds nothing but constants. */
export function constantOf(operand: Operand): Value | undefined {
  switch (operand.kind) {
    case "value":
      return operand.value;
    case "array":
    case "set": {
      const items = constantsOf(operand.items);
      return items === undefined || operand.kind === "array" ? items : RegoSet.of(items);
    }
    case "object": {
      const keys = constantsOf(operand.entries.map(([key]) => key));
      const values = constantsOf(operand.entries.map(([, value]) => value));
      if (keys === undefined || values === undefined) return undefined;
      return objectOf(keys.map((key, i) => [key, values[i] as Value] as const));
    }
    default:
      return undefined;
  }
}

/** The values of operands that are all constants. */
export function constantsOf(operands: readonly Operand[]): Value[] | undefined {
  const values: Value[] = [];
  for (const operand of operands) {
    const value = constantOf(operand);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

/** Those that are the same value only when they are the same to JavaScript. */
export function isPlainConstant(value: Value): boolean {
  return (
    value === null ||
    typeof value === "string" ||
    typeof value === "boolean" ||
    (typeof value === "number" && (Number.isSafeInteger(value) || !Number.isInteger(value)))
  );
}
