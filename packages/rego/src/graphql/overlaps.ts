// SPDX-License-Identifier: Apache-2.0
// Fields that answer under one name must be one field (GraphQL specification, October 2021, section 5.3.2).

import { failure } from "../builtins/define.ts";
import { named, type Schema } from "./schema.ts";
import {
  type Argument,
  type Definition,
  type Field,
  type FieldDefinition,
  isField,
  isInline,
  KIND,
  type Literal,
  nameOf,
  type QueryDocument,
  type Selection,
  type TypeRef,
} from "./tree.ts";

interface Found {
  readonly field: Field;
  readonly parent: Definition | undefined;
  readonly definition: FieldDefinition | undefined;
}

type Collected = ReadonlyMap<string, readonly Found[]>;

const TYPENAME: FieldDefinition = {
  Description: "",
  Name: "__typename",
  Arguments: [],
  Type: { NamedType: "String", NonNull: false },
  Directives: [],
};

export class Overlaps {
  readonly #schema: Schema;
  readonly #document: QueryDocument;
  readonly #spend: (steps: number) => void;
  readonly #collected = new Map<readonly Selection[], Collected>();
  readonly #checked = new Set<readonly Selection[]>();
  /** Pairs that agree, by whether their parents can be one. */
  readonly #agreed = [new Map<Field, Set<Field>>(), new Map<Field, Set<Field>>()] as const;

  constructor(schema: Schema, document: QueryDocument, spend: (steps: number) => void) {
    this.#schema = schema;
    this.#document = document;
    this.#spend = spend;
  }

  definitionOf(parent: Definition | undefined, name: string): FieldDefinition | undefined {
    if (name === TYPENAME.Name) return TYPENAME;
    if (parent === undefined) return undefined;
    const own = named(parent.Fields, name);
    return (
      own ??
      (parent === this.#schema.roots.get("query") ? named(this.#schema.introspection, name) : undefined)
    );
  }

  /** Throws `BuiltinFailure` where two fields of a selection set disagree. */
  check(parent: Definition | undefined, set: readonly Selection[]): void {
    if (set.length === 0 || this.#checked.has(set)) return;
    this.#checked.add(set);
    for (const fields of this.#collect(parent, set).values()) {
      fields.forEach((a, i) => {
        for (const b of fields.slice(i + 1)) this.#pair(a, b, false);
      });
    }
  }

  #collect(parent: Definition | undefined, set: readonly Selection[]): Collected {
    const known = this.#collected.get(set);
    if (known !== undefined) return known;
    const fields = new Map<string, Found[]>();
    const entered = new Set<string>();
    const walk = (within: Definition | undefined, selections: readonly Selection[]): void => {
      for (const each of selections) {
        this.#spend(1);
        if (isField(each)) {
          const key = each.Alias === "" ? each.Name : each.Alias;
          const found = { field: each, parent: within, definition: this.definitionOf(within, each.Name) };
          const list = fields.get(key);
          if (list === undefined) fields.set(key, [found]);
          else list.push(found);
        } else if (isInline(each)) {
          walk(
            each.TypeCondition === "" ? within : this.#schema.types.get(each.TypeCondition),
            each.SelectionSet,
          );
        } else if (!entered.has(each.Name)) {
          entered.add(each.Name);
          const fragment = named(this.#document.Fragments, each.Name);
          if (fragment !== undefined)
            walk(this.#schema.types.get(fragment.TypeCondition), fragment.SelectionSet);
        }
      }
    };
    walk(parent, set);
    this.#collected.set(set, fields);
    return fields;
  }

  /** `apart`: the objects that have them can never be one, so that they need not be the same, only of one shape. */
  #pair(a: Found, b: Found, apart: boolean): void {
    if (a.field === b.field || a.parent === undefined || b.parent === undefined) return;
    const exclusive =
      apart ||
      (a.parent.Name !== b.parent.Name &&
        a.parent.Kind === "OBJECT" &&
        b.parent.Kind === "OBJECT" &&
        a.definition !== undefined &&
        b.definition !== undefined);
    this.#spend(1);
    const agreed = this.#agreed[exclusive ? 1 : 0];
    const others = agreed.get(a.field);
    if (others?.has(b.field) === true) return;
    if (others === undefined) agreed.set(a.field, new Set([b.field]));
    else others.add(b.field);
    if (
      !exclusive &&
      (a.field.Name !== b.field.Name || !sameArguments(a.field.Arguments, b.field.Arguments))
    ) {
      throw failure(`fields ${a.field.Name} and ${b.field.Name} conflict`);
    }
    const [left, right] = [a.definition?.Type, b.definition?.Type];
    if (left !== undefined && right !== undefined && this.#conflict(left, right)) {
      throw failure(`fields ${a.field.Name} and ${b.field.Name} are of conflicting types`);
    }
    const first = this.#collect(this.#typeOf(left), a.field.SelectionSet);
    const second = this.#collect(this.#typeOf(right), b.field.SelectionSet);
    for (const [key, fields] of first) {
      for (const inner of fields)
        for (const other of second.get(key) ?? []) this.#pair(inner, other, exclusive);
    }
  }

  #typeOf(type: TypeRef | undefined): Definition | undefined {
    return type === undefined ? undefined : this.#schema.types.get(nameOf(type));
  }

  #conflict(a: TypeRef, b: TypeRef): boolean {
    if (a.Elem !== undefined || b.Elem !== undefined) {
      return a.Elem === undefined || b.Elem === undefined || this.#conflict(a.Elem, b.Elem);
    }
    if (a.NonNull !== b.NonNull) return true;
    const isLeaf = (type: TypeRef): boolean => ["SCALAR", "ENUM"].includes(this.#typeOf(type)?.Kind ?? "");
    return isLeaf(a) && isLeaf(b) && a.NamedType !== b.NamedType;
  }
}

function sameArguments(a: readonly Argument[], b: readonly Argument[]): boolean {
  return (
    a.length === b.length &&
    a.every((left) => b.some((right) => left.Name === right.Name && sameValue(left.Value, right.Value)))
  );
}

function sameValue(a: Literal, b: Literal): boolean {
  if (a.Kind !== b.Kind || a.Raw !== b.Raw || a.Children.length !== b.Children.length) return false;
  if (a.Kind === KIND.object) return sameArguments(a.Children, b.Children);
  return a.Children.every((child, i) => {
    const other = b.Children[i];
    return other !== undefined && sameValue(child.Value, other.Value);
  });
}
