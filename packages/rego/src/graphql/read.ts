// SPDX-License-Identifier: Apache-2.0
// Syntax trees out of the objects in which policies have them, and back.

import { failure } from "../builtins/define.ts";
import { entriesOf, isObject, type PlainObject, type RegoObject, type Value } from "../value.ts";
import type {
  Child,
  Definition,
  Directive,
  DirectiveDefinition,
  EnumValue,
  FieldDefinition,
  Fragment,
  Literal,
  Operation,
  QueryDocument,
  SchemaDefinition,
  SchemaDocument,
  Selection,
  TypeRef,
  Variable,
} from "./tree.ts";

const MAX_DEPTH = 500;

/** The members of one object of a tree; what is missing is empty, what is of another kind throws `BuiltinFailure`. */
class Members {
  readonly #members: Map<Value, Value>;
  readonly #depth: number;

  constructor(value: Value, depth = 0) {
    if (!isObject(value)) throw failure("GraphQL tree: a member is no object");
    if (depth > MAX_DEPTH) throw failure(`GraphQL tree of more than ${MAX_DEPTH} levels`);
    this.#members = new Map(entriesOf(value as PlainObject | RegoObject));
    this.#depth = depth;
  }

  has(key: string): boolean {
    return this.#members.has(key);
  }

  text(key: string): string {
    const value = this.#members.get(key) ?? "";
    if (typeof value !== "string") throw failure(`GraphQL tree: ${key} is no string`);
    return value;
  }

  flag(key: string): boolean {
    const value = this.#members.get(key) ?? false;
    if (typeof value !== "boolean") throw failure(`GraphQL tree: ${key} is no boolean`);
    return value;
  }

  number(key: string): number {
    const value = this.#members.get(key) ?? 0;
    if (typeof value !== "number") throw failure(`GraphQL tree: ${key} is no number`);
    return value;
  }

  texts(key: string): readonly string[] {
    return this.#array(key).map((value) => {
      if (typeof value !== "string") throw failure(`GraphQL tree: ${key} holds what is no string`);
      return value;
    });
  }

  list<T>(key: string, read: (members: Members) => T): readonly T[] {
    return this.#array(key).map((value) => read(new Members(value, this.#depth + 1)));
  }

  one<T>(key: string, read: (members: Members) => T): T {
    const found = this.maybe(key, read);
    if (found === undefined) throw failure(`GraphQL tree: ${key} is missing`);
    return found;
  }

  maybe<T>(key: string, read: (members: Members) => T): T | undefined {
    const value = this.#members.get(key) ?? null;
    return value === null ? undefined : read(new Members(value, this.#depth + 1));
  }

  #array(key: string): readonly Value[] {
    const value = this.#members.get(key) ?? [];
    if (!Array.isArray(value)) throw failure(`GraphQL tree: ${key} is no array`);
    return value;
  }
}

/** Throws `BuiltinFailure`. */
export function readQueryDocument(value: Value): QueryDocument {
  const from = new Members(value);
  return { Operations: from.list("Operations", operation), Fragments: from.list("Fragments", fragment) };
}

/** Throws `BuiltinFailure`. */
export function readSchemaDocument(value: Value): SchemaDocument {
  const from = new Members(value);
  return {
    Schema: from.list("Schema", schemaDefinition),
    SchemaExtension: from.list("SchemaExtension", schemaDefinition),
    Directives: from.list("Directives", directiveDefinition),
    Definitions: from.list("Definitions", definition),
    Extensions: from.list("Extensions", definition),
  };
}

/** A tree as a value: without what is empty, texts, numbers and booleans apart. */
export function treeValue(tree: QueryDocument | SchemaDocument): Value {
  return pruned(tree) ?? {};
}

function pruned(node: unknown): Value | undefined {
  if (typeof node === "string" || typeof node === "number" || typeof node === "boolean") return node;
  if (Array.isArray(node)) {
    const items = node.flatMap((item: unknown) => pruned(item) ?? []);
    return items.length === 0 ? undefined : items;
  }
  if (typeof node !== "object" || node === null) return undefined;
  const members = Object.entries(node).flatMap(([key, member]: [string, unknown]) => {
    const value = pruned(member);
    return value === undefined ? [] : [[key, value] as const];
  });
  return members.length === 0 ? undefined : Object.fromEntries(members);
}

function operation(from: Members): Operation {
  const kind = from.text("Operation");
  if (!["", "query", "mutation", "subscription"].includes(kind))
    throw failure("GraphQL tree: unknown operation");
  return {
    Operation: kind,
    Name: from.text("Name"),
    VariableDefinitions: from.list("VariableDefinitions", variable),
    Directives: from.list("Directives", directive),
    SelectionSet: from.list("SelectionSet", selection),
  };
}

function fragment(from: Members): Fragment {
  return {
    Name: from.text("Name"),
    VariableDefinition: from.list("VariableDefinition", variable),
    TypeCondition: from.text("TypeCondition"),
    Directives: from.list("Directives", directive),
    SelectionSet: from.list("SelectionSet", selection),
  };
}

function variable(from: Members): Variable {
  return {
    Variable: from.text("Variable"),
    Type: from.one("Type", typeRef),
    DefaultValue: from.maybe("DefaultValue", literal),
    Directives: from.list("Directives", directive),
    Used: false,
  };
}

/** Only fields have an alias, and only inline fragments a condition. */
function selection(from: Members): Selection {
  const directives = from.list("Directives", directive);
  if (from.has("Alias")) {
    return {
      Alias: from.text("Alias"),
      Name: from.text("Name"),
      Arguments: from.list("Arguments", child),
      Directives: directives,
      SelectionSet: from.list("SelectionSet", selection),
    };
  }
  if (from.has("Name")) return { Name: from.text("Name"), Directives: directives };
  return {
    TypeCondition: from.text("TypeCondition"),
    Directives: directives,
    SelectionSet: from.list("SelectionSet", selection),
  };
}

function directive(from: Members): Directive {
  return { Name: from.text("Name"), Arguments: from.list("Arguments", child), Location: "" };
}

function child(from: Members): Child {
  return { Name: from.text("Name"), Value: from.one("Value", literal) };
}

function literal(from: Members): Literal {
  const kind = from.number("Kind");
  if (!Number.isInteger(kind) || kind < 0 || kind > 9) throw failure("GraphQL tree: unknown kind of a value");
  return {
    Raw: from.text("Raw"),
    Kind: kind,
    Children: from.list("Children", child),
    ExpectedTypeHasDefault: false,
  };
}

function typeRef(from: Members): TypeRef {
  return {
    NamedType: from.text("NamedType"),
    NonNull: from.flag("NonNull"),
    Elem: from.maybe("Elem", typeRef),
  };
}

function schemaDefinition(from: Members): SchemaDefinition {
  return {
    Description: from.text("Description"),
    Directives: from.list("Directives", directive),
    OperationTypes: from.list("OperationTypes", (type) => ({
      Operation: type.text("Operation"),
      Type: type.text("Type"),
    })),
  };
}

function directiveDefinition(from: Members): DirectiveDefinition {
  return {
    Description: from.text("Description"),
    Name: from.text("Name"),
    Arguments: from.list("Arguments", fieldDefinition),
    Locations: from.texts("Locations"),
    IsRepeatable: from.flag("IsRepeatable"),
  };
}

function definition(from: Members): Definition {
  return {
    Kind: from.text("Kind"),
    Description: from.text("Description"),
    Name: from.text("Name"),
    Directives: from.list("Directives", directive),
    Interfaces: from.texts("Interfaces"),
    Fields: from.list("Fields", fieldDefinition),
    Types: from.texts("Types"),
    EnumValues: from.list("EnumValues", enumValue),
    BuiltIn: from.flag("BuiltIn"),
  };
}

function fieldDefinition(from: Members): FieldDefinition {
  return {
    Description: from.text("Description"),
    Name: from.text("Name"),
    Arguments: from.list("Arguments", fieldDefinition),
    DefaultValue: from.maybe("DefaultValue", literal),
    Type: from.one("Type", typeRef),
    Directives: from.list("Directives", directive),
  };
}

function enumValue(from: Members): EnumValue {
  return {
    Description: from.text("Description"),
    Name: from.text("Name"),
    Directives: from.list("Directives", directive),
  };
}
