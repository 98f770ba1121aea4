// SPDX-License-Identifier: Apache-2.0
// Whether a document can be executed on a schema (GraphQL specification, October 2021, section 5), in the order in which
// things are met: a refusal is a `BuiltinFailure`.

import { failure } from "../builtins/define.ts";
import { checkFragments } from "./fragments.ts";
import { Overlaps } from "./overlaps.ts";
import { fits, isComposite, isInput, isRequired, named, type Schema } from "./schema.ts";
import {
  type Argument,
  type Definition,
  type Directive,
  type Field,
  type FieldDefinition,
  isField,
  isInline,
  KIND,
  type Literal,
  nameOf,
  type Operation,
  type QueryDocument,
  type Selection,
  type TypeRef,
  type Variable,
} from "./tree.ts";
import { checkLiteral } from "./values.ts";

export function validate(schema: Schema, document: QueryDocument, spend: (steps: number) => void): void {
  new Validator(schema, document, spend).document();
}

/** What is expected where a value stands. */
interface Expected {
  readonly type: TypeRef;
  /** A default stands in where the value is missing. */
  readonly hasDefault: boolean;
}

class Validator {
  readonly #schema: Schema;
  readonly #document: QueryDocument;
  readonly #spend: (steps: number) => void;
  readonly #overlaps: Overlaps;
  /** Of the operation at hand; undefined in a fragment by itself. */
  #variables: ReadonlyMap<string, Variable> | undefined;
  #used = new Set<string>();
  /** Fragments that were looked into for the operation or fragment at hand. */
  #entered = new Set<string>();

  constructor(schema: Schema, document: QueryDocument, spend: (steps: number) => void) {
    this.#schema = schema;
    this.#document = document;
    this.#spend = spend;
    this.#overlaps = new Overlaps(schema, document, spend);
  }

  document(): void {
    const { Operations: operations, Fragments: fragments } = this.#document;
    unique(operations, "operation");
    unique(fragments, "fragment");
    if (operations.length > 1 && named(operations, "") !== undefined) {
      throw failure("an anonymous operation must be the only one");
    }
    const spread = new Set<string>();
    for (const operation of operations) {
      this.#entered = new Set();
      this.#operation(operation);
      for (const name of this.#entered) spread.add(name);
    }
    this.#variables = undefined;
    for (const { Name: name, TypeCondition: condition, Directives, SelectionSet } of fragments) {
      this.#entered = new Set();
      const type = this.#condition(condition);
      this.#directives(Directives, "FRAGMENT_DEFINITION");
      this.#selections(type, SelectionSet);
      if (!spread.has(name)) throw failure(`fragment ${name} is never used`);
    }
    checkFragments(this.#document, this.#spend);
  }

  #operation(operation: Operation): void {
    const { VariableDefinitions: definitions, SelectionSet: selections } = operation;
    const kind = operation.Operation === "" ? "query" : operation.Operation;
    this.#variables = new Map(definitions.map((each) => [each.Variable, each]));
    this.#used = new Set();
    if (this.#variables.size < definitions.length) throw failure("two variables have one name");
    for (const each of definitions) {
      const type = this.#schema.types.get(nameOf(each.Type));
      if (type === undefined || !isInput(type))
        throw failure(`variable ${each.Variable} is of no input type`);
      if (each.DefaultValue !== undefined)
        this.#value(each.DefaultValue, { type: each.Type, hasDefault: false });
      this.#directives(each.Directives, "VARIABLE_DEFINITION");
    }
    const root = this.#schema.roots.get(kind);
    if (root === undefined) throw failure(`the schema has no ${kind}`);
    this.#directives(operation.Directives, kind.toUpperCase());
    this.#selections(root, selections);
    for (const name of this.#variables.keys()) {
      if (!this.#used.has(name)) throw failure(`variable ${name} is never used`);
    }
    if (kind === "subscription") this.#singleField(selections);
  }

  /** Section 5.2.3.1. */
  #singleField(selections: readonly Selection[]): void {
    const names = new Set<string>();
    const seen = new Set<string>();
    const walk = (set: readonly Selection[]): void => {
      for (const each of set) {
        this.#spend(1);
        if (isField(each)) names.add(each.Name);
        else if (isInline(each)) walk(each.SelectionSet);
        else if (!seen.has(each.Name)) {
          seen.add(each.Name);
          walk(named(this.#document.Fragments, each.Name)?.SelectionSet ?? []);
        }
      }
    };
    walk(selections);
    if (names.size > 1) throw failure("a subscription must select one field");
    if ([...names].some((name) => name.startsWith("__")))
      throw failure("a subscription must not select introspection");
  }

  #selections(parent: Definition | undefined, selections: readonly Selection[]): void {
    this.#overlaps.check(parent, selections);
    for (const each of selections) {
      this.#spend(1);
      if (isField(each)) this.#field(parent, each);
      else if (isInline(each)) {
        const type = each.TypeCondition === "" ? parent : this.#condition(each.TypeCondition, parent);
        this.#directives(each.Directives, "INLINE_FRAGMENT");
        this.#selections(type, each.SelectionSet);
      } else {
        const fragment = named(this.#document.Fragments, each.Name);
        if (fragment === undefined) throw failure(`unknown fragment ${each.Name}`);
        const type = this.#condition(fragment.TypeCondition, parent);
        this.#directives(each.Directives, "FRAGMENT_SPREAD");
        if (this.#entered.has(each.Name)) continue;
        this.#entered.add(each.Name);
        this.#directives(fragment.Directives, "FRAGMENT_DEFINITION");
        this.#selections(type, fragment.SelectionSet);
      }
    }
  }

  /** The type of a fragment, which values of the type around it may have. */
  #condition(name: string, parent?: Definition): Definition {
    const type = this.#schema.types.get(name);
    if (type === undefined || !isComposite(type)) throw failure(`fragment on ${name}, which has no fields`);
    if (parent === undefined || !isComposite(parent)) return type;
    const { possible } = this.#schema;
    const here = parent.Kind === "OBJECT" ? new Set([parent.Name]) : possible.get(parent.Name);
    const there = possible.get(name) ?? new Set();
    if (![...(here ?? [])].some((each) => there.has(each))) {
      throw failure(`a ${parent.Name} can never be a ${name}`);
    }
    return type;
  }

  #field(parent: Definition | undefined, field: Field): void {
    const definition = this.#overlaps.definitionOf(parent, field.Name);
    if (definition === undefined && parent !== undefined) {
      throw failure(`cannot query field ${field.Name} on type ${parent.Name}`);
    }
    const type = definition === undefined ? undefined : this.#schema.types.get(nameOf(definition.Type));
    this.#arguments(definition?.Arguments, field.Arguments, field.Name);
    this.#directives(field.Directives, "FIELD");
    if (type !== undefined) {
      const isLeaf = type.Kind === "SCALAR" || type.Kind === "ENUM";
      if (isLeaf !== (field.SelectionSet.length === 0)) {
        throw failure(isLeaf ? `field ${field.Name} has no fields` : `field ${field.Name} needs a selection`);
      }
    }
    this.#selections(type, field.SelectionSet);
  }

  #directives(directives: readonly Directive[], location: string): void {
    const seen = new Set<string>();
    for (const { Name: name, Arguments: args } of directives) {
      this.#spend(1);
      const definition = this.#schema.directives.get(name);
      if (definition === undefined) throw failure(`unknown directive ${name}`);
      if (!definition.Locations.includes(location)) throw failure(`directive ${name} is not for ${location}`);
      if (seen.has(name) && !definition.IsRepeatable) throw failure(`directive ${name} is used twice`);
      seen.add(name);
      this.#arguments(definition.Arguments, args, name);
    }
  }

  #arguments(
    definitions: readonly FieldDefinition[] | undefined,
    args: readonly Argument[],
    where: string,
  ): void {
    unique(args, "argument");
    for (const { Name: name, Value: value } of args) {
      const definition = named(definitions ?? [], name);
      if (definitions !== undefined && definition === undefined) {
        throw failure(`unknown argument ${name} of ${where}`);
      }
      this.#value(value, expectedOf(definition));
    }
    for (const definition of definitions ?? []) {
      if (isRequired(definition) && named(args, definition.Name) === undefined) {
        throw failure(`argument ${definition.Name} of ${where} is required`);
      }
    }
  }

  /** `expected` is missing below scalars of the schema's own, which say nothing of their values. */
  #value(value: Literal, expected: Expected | undefined): void {
    this.#spend(1);
    const definition = expected === undefined ? undefined : this.#schema.types.get(nameOf(expected.type));
    if (value.Kind === KIND.variable) this.#variable(value.Raw, expected);
    if (value.Kind === KIND.object) unique(value.Children, "input field");
    for (const { Name: name, Value: child } of value.Children) {
      if (value.Kind === KIND.object) this.#value(child, expectedOf(named(definition?.Fields ?? [], name)));
      else {
        const inner = expected?.type.Elem;
        this.#value(child, inner === undefined ? undefined : { type: inner, hasDefault: false });
      }
    }
    if (definition === undefined || expected === undefined) return;
    checkLiteral(value, definition, expected.type);
    if (value.Kind !== KIND.object || named(definition.Directives, "oneOf") === undefined) return;
    for (const { Value: child } of value.Children) {
      const variable = child.Kind === KIND.variable ? this.#variables?.get(child.Raw) : undefined;
      if (variable?.Type.NonNull === false) throw failure(`variable ${child.Raw} may be null`);
    }
  }

  #variable(name: string, expected: Expected | undefined): void {
    if (this.#variables === undefined) return;
    const variable = this.#variables.get(name);
    if (variable === undefined) throw failure(`variable ${name} is not defined`);
    this.#used.add(name);
    if (expected === undefined) return;
    const given = variable.DefaultValue;
    const mayBeNull = expected.hasDefault || (given !== undefined && given.Kind !== KIND.null);
    if (!fits(variable.Type, expected.type, expected.type.NonNull && !mayBeNull)) {
      throw failure(`variable ${name} is of a type that does not fit`);
    }
  }
}

function expectedOf(definition: FieldDefinition | undefined): Expected | undefined {
  if (definition === undefined) return undefined;
  const { DefaultValue: value, Type: type } = definition;
  return { type, hasDefault: value !== undefined && value.Kind !== KIND.null };
}

function unique(list: readonly { readonly Name: string }[], what: string): void {
  if (new Set(list.map(({ Name: name }) => name)).size < list.length)
    throw failure(`two of one name: ${what}`);
}
