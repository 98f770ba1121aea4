// SPDX-License-Identifier: Apache-2.0
// Syntax trees of GraphQL documents (GraphQL specification, October 2021, sections 2 and 3), in the names and shapes in
// which policies see them: those of gqlparser, which the reference implementation of Rego shows.

/** What a value is; numbers that policies see. */
export const KIND = {
  variable: 0,
  int: 1,
  float: 2,
  string: 3,
  block: 4,
  boolean: 5,
  null: 6,
  enum: 7,
  list: 8,
  object: 9,
} as const;

export interface Comments {
  readonly List: readonly { readonly Value: string }[];
}

/** Before the description, before the definition, before its closing brace. */
export interface Commented {
  readonly BeforeDescriptionComment?: Comments | undefined;
  readonly AfterDescriptionComment?: Comments | undefined;
  readonly EndOfDefinitionComment?: Comments | undefined;
}

export interface TypeRef {
  /** Empty for a list. */
  readonly NamedType: string;
  readonly NonNull: boolean;
  readonly Elem?: TypeRef | undefined;
}

export interface Literal {
  readonly Raw: string;
  /** One of `KIND`. */
  readonly Kind: number;
  readonly Children: readonly Child[];
  readonly ExpectedTypeHasDefault: false;
  readonly Comment?: Comments | undefined;
}

/** A member of a list, without a name, or of an object. */
export interface Child {
  readonly Name: string;
  readonly Value: Literal;
  readonly Comment?: Comments | undefined;
}

export type Argument = Child;

export interface Directive {
  readonly Name: string;
  readonly Arguments: readonly Argument[];
  readonly Location: "";
}

export interface Field {
  readonly Alias: string;
  readonly Name: string;
  readonly Arguments: readonly Argument[];
  readonly Directives: readonly Directive[];
  readonly SelectionSet: readonly Selection[];
  readonly Comment?: Comments | undefined;
}

export interface FragmentSpread {
  readonly Name: string;
  readonly Directives: readonly Directive[];
  readonly Comment?: Comments | undefined;
}

export interface InlineFragment {
  readonly TypeCondition: string;
  readonly Directives: readonly Directive[];
  readonly SelectionSet: readonly Selection[];
  readonly Comment?: Comments | undefined;
}

export type Selection = Field | FragmentSpread | InlineFragment;

export function isField(selection: Selection): selection is Field {
  return "Alias" in selection;
}

export function isInline(selection: Selection): selection is InlineFragment {
  return "TypeCondition" in selection;
}

export interface Variable {
  readonly Variable: string;
  readonly Type: TypeRef;
  readonly DefaultValue?: Literal | undefined;
  readonly Directives: readonly Directive[];
  readonly Used: false;
  readonly Comment?: Comments | undefined;
}

export interface Operation {
  readonly Operation: string;
  readonly Name: string;
  readonly VariableDefinitions: readonly Variable[];
  readonly Directives: readonly Directive[];
  readonly SelectionSet: readonly Selection[];
  readonly Comment?: Comments | undefined;
}

export interface Fragment {
  readonly Name: string;
  readonly VariableDefinition: readonly Variable[];
  readonly TypeCondition: string;
  readonly Directives: readonly Directive[];
  readonly SelectionSet: readonly Selection[];
  readonly Comment?: Comments | undefined;
}

export interface QueryDocument {
  readonly Operations: readonly Operation[];
  readonly Fragments: readonly Fragment[];
}

/** A field of a type, or an argument. */
export interface FieldDefinition extends Commented {
  readonly Description: string;
  readonly Name: string;
  readonly Arguments: readonly FieldDefinition[];
  readonly DefaultValue?: Literal | undefined;
  readonly Type: TypeRef;
  readonly Directives: readonly Directive[];
}

export interface EnumValue extends Commented {
  readonly Description: string;
  readonly Name: string;
  readonly Directives: readonly Directive[];
}

/** A type, or what extends one. */
export interface Definition extends Commented {
  readonly Kind: string;
  readonly Description: string;
  readonly Name: string;
  readonly Directives: readonly Directive[];
  readonly Interfaces: readonly string[];
  readonly Fields: readonly FieldDefinition[];
  readonly Types: readonly string[];
  readonly EnumValues: readonly EnumValue[];
  readonly BuiltIn: boolean;
}

export interface DirectiveDefinition extends Commented {
  readonly Description: string;
  readonly Name: string;
  readonly Arguments: readonly FieldDefinition[];
  readonly Locations: readonly string[];
  readonly IsRepeatable: boolean;
}

export interface SchemaDefinition extends Commented {
  readonly Description: string;
  readonly Directives: readonly Directive[];
  readonly OperationTypes: readonly {
    readonly Operation: string;
    readonly Type: string;
    readonly Comment?: Comments | undefined;
  }[];
}

export interface SchemaDocument {
  readonly Schema: readonly SchemaDefinition[];
  readonly SchemaExtension: readonly SchemaDefinition[];
  readonly Directives: readonly DirectiveDefinition[];
  readonly Definitions: readonly Definition[];
  readonly Extensions: readonly Definition[];
  readonly Comment?: Comments | undefined;
}

/** The name of a type, lists taken off. */
export function nameOf(type: TypeRef): string {
  let at = type;
  while (at.NamedType === "" && at.Elem !== undefined) at = at.Elem;
  return at.NamedType;
}
