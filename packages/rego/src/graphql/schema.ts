// SPDX-License-Identifier: Apache-2.0
// A schema out of its document, checked (GraphQL specification, October 2021, section 3). Throws `BuiltinFailure`, as
// everything here does.

import { failure } from "../builtins/define.ts";
import { PRELUDE } from "./prelude.ts";
import { parseSchemaDocument } from "./schema-document.ts";
import {
  type Definition,
  type Directive,
  type DirectiveDefinition,
  type FieldDefinition,
  KIND,
  nameOf,
  type SchemaDocument,
  type TypeRef,
} from "./tree.ts";

export interface Schema {
  readonly types: ReadonlyMap<string, Definition>;
  readonly directives: ReadonlyMap<string, DirectiveDefinition>;
  /** Names of the types that a value of the type may have. */
  readonly possible: ReadonlyMap<string, ReadonlySet<string>>;
  /** Root types by operation. */
  readonly roots: ReadonlyMap<string, Definition>;
  /** Those of introspection, which the root of queries has beside its own. */
  readonly introspection: readonly FieldDefinition[];
}

const OUTPUT_KINDS = ["SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM"];
const INPUT_KINDS = ["SCALAR", "ENUM", "INPUT_OBJECT"];
/** A schema may define them again. */
const STANDARD_DIRECTIVES = new Set(["include", "skip", "deprecated", "specifiedBy", "defer", "oneOf"]);

export function isInput({ Kind: kind }: Definition): boolean {
  return INPUT_KINDS.includes(kind);
}

export function isComposite({ Kind: kind }: Definition): boolean {
  return ["OBJECT", "INTERFACE", "UNION"].includes(kind);
}

export function named<T extends { readonly Name: string }>(list: readonly T[], name: string): T | undefined {
  return list.find((each) => each.Name === name);
}

/** An argument or input field without which nothing goes. */
export function isRequired({ Type: type, DefaultValue: value }: FieldDefinition): boolean {
  return type.NonNull && value === undefined;
}

/** Whether a value of the one type can stand where the other is expected. */
export function fits(type: TypeRef, expected: TypeRef, nonNull: boolean = expected.NonNull): boolean {
  if (type.NamedType !== expected.NamedType) return false;
  if (type.Elem !== undefined && (expected.Elem === undefined || !fits(type.Elem, expected.Elem)))
    return false;
  return !nonNull || type.NonNull;
}

/** `spend` counts what is done. */
export function buildSchema(document: SchemaDocument, spend: (steps: number) => void): Schema {
  const prelude = parseSchemaDocument(PRELUDE, spend, true);
  const types = mergedTypes([...prelude.Definitions, ...document.Definitions], document.Extensions);
  const directives = new Map<string, DirectiveDefinition>();
  for (const directive of [...prelude.Directives, ...document.Directives]) {
    const { Name: name } = directive;
    if (directives.has(name) && !STANDARD_DIRECTIVES.has(name))
      throw failure(`cannot redeclare directive ${name}`);
    directives.set(name, directive);
  }
  if (document.Schema.length > 1) throw failure("cannot have several schema definitions");
  const typeName: FieldDefinition = field("name", { NamedType: "String", NonNull: true });
  const schema: Schema = {
    types,
    directives,
    possible: possibleTypes(types),
    roots: rootsOf(document, types),
    introspection: [
      field("__schema", { NamedType: "__Schema", NonNull: true }),
      field("__type", { NamedType: "__Type", NonNull: false }, [typeName]),
    ],
  };
  const checker = new Checker(schema, spend);
  for (const definition of [...document.Schema, ...document.SchemaExtension]) {
    checker.directives(definition.Directives, "SCHEMA");
  }
  for (const definition of types.values()) checker.definition(definition);
  checkCircularInputs(types);
  for (const directive of directives.values()) {
    checkName(directive.Name);
    checker.arguments(directive.Arguments, directive.Name);
  }
  return schema;
}

function field(name: string, type: TypeRef, args: readonly FieldDefinition[] = []): FieldDefinition {
  return { Description: "", Name: name, Arguments: args, Type: type, Directives: [] };
}

function mergedTypes(
  definitions: readonly Definition[],
  extensions: readonly Definition[],
): ReadonlyMap<string, Definition> {
  const types = new Map<string, Definition>();
  for (const definition of definitions) {
    if (types.has(definition.Name)) throw failure(`cannot redeclare type ${definition.Name}`);
    types.set(definition.Name, definition);
  }
  for (const extension of extensions) {
    const base = types.get(extension.Name);
    if (base === undefined) {
      // The reference takes what extends nothing for a definition.
      types.set(extension.Name, { ...extension, BuiltIn: false });
      continue;
    }
    if (base.Kind !== extension.Kind) throw failure(`cannot extend type ${base.Name}: it is of another kind`);
    types.set(base.Name, {
      ...base,
      Directives: [...base.Directives, ...extension.Directives],
      Interfaces: [...base.Interfaces, ...extension.Interfaces],
      Fields: [...base.Fields, ...extension.Fields],
      Types: [...base.Types, ...extension.Types],
      EnumValues: [...base.EnumValues, ...extension.EnumValues],
    });
  }
  return types;
}

function possibleTypes(types: ReadonlyMap<string, Definition>): ReadonlyMap<string, ReadonlySet<string>> {
  const possible = new Map<string, Set<string>>();
  const add = (name: string, type: string): void => {
    const known = possible.get(name);
    if (known === undefined) possible.set(name, new Set([type]));
    else known.add(type);
  };
  for (const { Kind: kind, Name: name, Types: members, Interfaces: interfaces } of types.values()) {
    for (const member of members) add(name, member);
    for (const each of interfaces) add(each, name);
    if (kind === "OBJECT" || kind === "INPUT_OBJECT") add(name, name);
  }
  return possible;
}

function rootsOf(
  { Schema: definitions, SchemaExtension: extensions }: SchemaDocument,
  types: ReadonlyMap<string, Definition>,
): ReadonlyMap<string, Definition> {
  const roots = new Map<string, Definition>();
  for (const { Operation: operation, Type: name } of [...definitions, ...extensions].flatMap(
    ({ OperationTypes: of }) => of,
  )) {
    const type = types.get(name);
    if (type === undefined)
      throw failure(`schema root ${operation} refers to a type ${name} that does not exist`);
    roots.set(operation, type);
  }
  if (definitions.length > 0) return roots;
  for (const name of ["Query", "Mutation", "Subscription"]) {
    const type = types.get(name);
    if (type !== undefined && !roots.has(name.toLowerCase())) roots.set(name.toLowerCase(), type);
  }
  return roots;
}

class Checker {
  readonly #schema: Schema;
  readonly #spend: (steps: number) => void;

  constructor(schema: Schema, spend: (steps: number) => void) {
    this.#schema = schema;
    this.#spend = spend;
  }

  definition(definition: Definition): void {
    const { Kind: kind, Name: name, Fields: fields, Types: members, EnumValues: values } = definition;
    this.#spend(1 + fields.length + members.length + values.length);
    for (const each of fields) {
      checkName(each.Name);
      this.#type(each.Type);
      this.arguments(each.Arguments);
      this.directives(
        each.Directives,
        kind === "INPUT_OBJECT" ? "INPUT_FIELD_DEFINITION" : "FIELD_DEFINITION",
      );
    }
    for (const member of members) {
      if (this.#schema.types.get(member)?.Kind !== "OBJECT")
        throw failure(`${member} in ${name} is no object type`);
    }
    for (const each of definition.Interfaces) this.#implements(definition, each);
    if (kind === "OBJECT" || kind === "INTERFACE") this.#fieldKinds(definition, OUTPUT_KINDS);
    if (kind === "INPUT_OBJECT") this.#fieldKinds(definition, INPUT_KINDS);
    if (kind === "ENUM") {
      if (values.length === 0) throw failure(`${name} has no values`);
      for (const value of values) {
        if (["true", "false", "null"].includes(value.Name))
          throw failure(`${name} has a value ${value.Name}`);
        this.directives(value.Directives, "ENUM_VALUE");
      }
    }
    checkUnique(
      fields.map((each) => each.Name),
      name,
    );
    checkUnique(
      values.map((each) => each.Name),
      name,
    );
    checkUnique(members, name);
    if (!definition.BuiltIn) checkName(name);
    // Those of a type and of what extends it stand in different places.
    this.directives(definition.Directives, kind, undefined, true);
  }

  arguments(args: readonly FieldDefinition[], within?: string): void {
    for (const { Name: name, Type: type, Directives: directives } of args) {
      this.#spend(1);
      checkName(name);
      if (!isInput(this.#type(type))) throw failure(`argument ${name} is of no input type`);
      this.directives(directives, "ARGUMENT_DEFINITION", within);
    }
  }

  /** `within` is the directive that is being defined; `isMerged` that they come from several places. */
  directives(directives: readonly Directive[], location: string, within?: string, isMerged = false): void {
    const seen = new Set<string>();
    for (const { Name: name, Arguments: args } of directives) {
      this.#spend(1);
      checkName(name);
      if (name === within) throw failure(`directive ${name} cannot refer to itself`);
      const definition = this.#schema.directives.get(name);
      if (definition === undefined) throw failure(`undefined directive ${name}`);
      if (!isMerged && seen.has(name) && !definition.IsRepeatable)
        throw failure(`directive ${name} is used twice`);
      seen.add(name);
      if (!definition.Locations.includes(location)) throw failure(`directive ${name} is not for ${location}`);
      for (const arg of args) {
        if (named(definition.Arguments, arg.Name) === undefined) {
          throw failure(`undefined argument ${arg.Name} for directive ${name}`);
        }
      }
      for (const wanted of definition.Arguments) {
        const given = named(args, wanted.Name)?.Value.Kind ?? KIND.null;
        if (isRequired(wanted) && given === KIND.null) {
          throw failure(`argument ${wanted.Name} of directive ${name} cannot be null`);
        }
      }
    }
  }

  #type(type: TypeRef): Definition {
    const definition = this.#schema.types.get(nameOf(type));
    if (definition === undefined) throw failure(`undefined type ${nameOf(type)}`);
    return definition;
  }

  #fieldKinds({ Name: name, Fields: fields }: Definition, kinds: readonly string[]): void {
    if (fields.length === 0) throw failure(`${name} has no fields`);
    for (const each of fields) {
      if (!kinds.includes(this.#type(each.Type).Kind))
        throw failure(`${name}.${each.Name} is of a wrong kind`);
    }
  }

  /** Section 3.6, "Objects", and 3.7, "Interfaces". */
  #implements(definition: Definition, name: string): void {
    const interfaceType = this.#schema.types.get(name);
    const refuse = (why: string): Error => failure(`${definition.Name} does not implement ${name}: ${why}`);
    if (interfaceType?.Kind !== "INTERFACE") throw refuse("it is no interface");
    for (const wanted of interfaceType.Fields) {
      this.#spend(1 + definition.Fields.length);
      const found = named(definition.Fields, wanted.Name);
      if (found === undefined) throw refuse(`field ${wanted.Name} is missing`);
      if (!this.#isCovariant(wanted.Type, found.Type)) throw refuse(`field ${wanted.Name} has another type`);
      for (const arg of wanted.Arguments) {
        const given = named(found.Arguments, arg.Name);
        if (given === undefined || !fits(arg.Type, given.Type)) throw refuse(`argument ${arg.Name} differs`);
      }
      for (const arg of found.Arguments) {
        if (isRequired(arg) && named(wanted.Arguments, arg.Name) === undefined) {
          throw refuse(`argument ${arg.Name} is required`);
        }
      }
    }
    for (const further of interfaceType.Interfaces) {
      if (!definition.Interfaces.includes(further)) throw refuse(`it must implement ${further}`);
    }
  }

  #isCovariant(wanted: TypeRef, found: TypeRef): boolean {
    if (wanted.NonNull && !found.NonNull) return false;
    if (wanted.NamedType !== "") {
      return (
        wanted.NamedType === found.NamedType ||
        this.#schema.possible.get(wanted.NamedType)?.has(found.NamedType) === true
      );
    }
    return (
      wanted.Elem !== undefined && found.Elem !== undefined && this.#isCovariant(wanted.Elem, found.Elem)
    );
  }
}

function checkName(name: string): void {
  if (name.startsWith("__")) throw failure(`name ${name} is reserved for introspection`);
}

function checkUnique(names: readonly string[], where: string): void {
  if (new Set(names).size < names.length) throw failure(`${where} defines a name twice`);
}

/** No input needs itself: a chain of fields that are neither null nor lists ends (section 3.10). */
function checkCircularInputs(types: ReadonlyMap<string, Definition>): void {
  const state = new Map<Definition, "open" | "done">();
  for (const start of types.values()) {
    if (start.Kind !== "INPUT_OBJECT" || state.has(start)) continue;
    // A stack of its own: chains may be long.
    const stack = [{ definition: start, next: 0 }];
    state.set(start, "open");
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const at = top.definition.Fields[top.next++];
      if (at === undefined) {
        state.set(top.definition, "done");
        stack.pop();
        continue;
      }
      const below = at.Type.NonNull ? types.get(at.Type.NamedType) : undefined;
      if (below?.Kind !== "INPUT_OBJECT") continue;
      if (state.get(below) === "open") throw failure(`input ${below.Name} needs itself`);
      if (state.has(below)) continue;
      state.set(below, "open");
      stack.push({ definition: below, next: 0 });
    }
  }
}
