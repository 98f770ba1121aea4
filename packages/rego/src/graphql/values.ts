// SPDX-License-Identifier: Apache-2.0
// Whether a value is one of its type (GraphQL specification, October 2021, section 5.6).

import { failure } from "../builtins/define.ts";
import { isRequired, named } from "./schema.ts";
import { type Definition, KIND, type Literal, type TypeRef } from "./tree.ts";

const SCALARS = new Set(["Int", "Float", "String", "Boolean", "ID"]);

/** What each kind of value may stand for. */
const TAKEN: Readonly<Record<number, readonly string[]>> = {
  [KIND.int]: ["Int", "Float", "ID"],
  [KIND.float]: ["Float"],
  [KIND.string]: ["String", "ID"],
  [KIND.block]: ["String", "ID"],
  [KIND.boolean]: ["Boolean"],
};

/** `definition` is what `type` names. Members are checked by themselves. Throws `BuiltinFailure`. */
export function checkLiteral(value: Literal, definition: Definition, type: TypeRef): void {
  const refuse = (why: string): Error => failure(`a value for ${definition.Name} ${why}`);
  if (value.Kind === KIND.null) {
    if (type.NonNull) throw refuse("is null");
    return;
  }
  // Only a schema's owner knows what its scalars take.
  if (definition.Kind === "SCALAR" && !SCALARS.has(definition.Name)) return;
  if (!isReadable(value)) throw refuse("is out of range");
  const taken = TAKEN[value.Kind];
  if (taken !== undefined && !taken.includes(definition.Name)) throw refuse("is of another type");
  if (value.Kind === KIND.list && type.Elem === undefined) throw refuse("is a list");
  if (value.Kind === KIND.enum && named(definition.EnumValues, value.Raw) === undefined) {
    throw refuse("is none of its names");
  }
  if (value.Kind === KIND.object) checkObject(value, definition, refuse);
}

function checkObject(value: Literal, definition: Definition, refuse: (why: string) => Error): void {
  for (const field of definition.Fields) {
    if (isRequired(field) && named(value.Children, field.Name) === undefined)
      throw refuse(`has no ${field.Name}`);
  }
  for (const { Name: name } of value.Children) {
    if (named(definition.Fields, name) === undefined) throw refuse(`has a field ${name}`);
  }
  if (named(definition.Directives, "oneOf") === undefined) return;
  const [only, ...more] = value.Children;
  if (only === undefined || more.length > 0 || only.Value.Kind === KIND.null)
    throw refuse("must have one field");
}

/** Integers of 64 bits, as the reference reads them, and finite fractions. */
function isReadable({ Kind: kind, Raw: raw, Children: children }: Literal): boolean {
  if (kind === KIND.int) return /^-?\d{1,19}$/.test(raw) && BigInt.asIntN(64, BigInt(raw)) === BigInt(raw);
  if (kind === KIND.float) return Number.isFinite(Number(raw));
  return children.every(({ Value: value }) => isReadable(value));
}
