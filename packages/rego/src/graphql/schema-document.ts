// SPDX-License-Identifier: Apache-2.0
// Type system documents: schemas and their extensions (GraphQL specification, October 2021, section 3).

import { Parser } from "./parser.ts";
import type {
  Comments,
  Definition,
  DirectiveDefinition,
  EnumValue,
  FieldDefinition,
  SchemaDefinition,
  SchemaDocument,
} from "./tree.ts";

const KINDS: Readonly<Record<string, string>> = {
  scalar: "SCALAR",
  type: "OBJECT",
  interface: "INTERFACE",
  union: "UNION",
  enum: "ENUM",
  input: "INPUT_OBJECT",
};

const LOCATIONS: ReadonlySet<string> = new Set(
  (
    "QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT VARIABLE_DEFINITION SCHEMA " +
    "SCALAR OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION"
  ).split(" "),
);

/** What stands before a definition. */
interface Lead {
  readonly text: string;
  readonly before: Comments | undefined;
}

const NO_LEAD: Lead = { text: "", before: undefined };

/** `isBuiltIn`: the definitions are those of the language. Throws `BuiltinFailure`. */
export function parseSchemaDocument(
  text: string,
  spend: (steps: number) => void,
  isBuiltIn = false,
): SchemaDocument {
  const parser = new Parser(text, spend);
  const schema: SchemaDefinition[] = [];
  const schemaExtension: SchemaDefinition[] = [];
  const directives: DirectiveDefinition[] = [];
  const definitions: Definition[] = [];
  const extensions: Definition[] = [];
  while (parser.token.kind !== "end") {
    const lead = leadOf(parser);
    const { comments } = parser.token;
    if (parser.atName("extend")) {
      if (lead.text !== "") throw parser.unexpected();
      parser.take();
      if (parser.atName("schema"))
        schemaExtension.push(extended(parser, schemaDefinition(parser, NO_LEAD, comments)));
      else extensions.push(extended(parser, definition(parser, NO_LEAD, comments, isBuiltIn)));
    } else if (parser.atName("schema")) schema.push(schemaDefinition(parser, lead, comments));
    else if (parser.atName("directive")) directives.push(directiveDefinition(parser, lead, comments));
    else definitions.push(definition(parser, lead, comments, isBuiltIn));
  }
  return {
    Schema: schema,
    SchemaExtension: schemaExtension,
    Directives: directives,
    Definitions: definitions,
    Extensions: extensions,
    Comment: parser.token.comments,
  };
}

function leadOf(parser: Parser): Lead {
  const { kind, value, comments } = parser.token;
  if (kind !== "string" && kind !== "block") return NO_LEAD;
  parser.take();
  return { text: value, before: comments };
}

/** An extension says something. */
function extended<T extends SchemaDefinition | Definition>(parser: Parser, extension: T): T {
  const says = Object.values(extension).some((value) => Array.isArray(value) && value.length > 0);
  const silent = "Kind" in extension && extension.Kind === "INTERFACE" && extension.Interfaces.length > 0;
  // The reference knows no interfaces of an extended interface.
  if (!says || silent) throw parser.unexpected();
  return extension;
}

function schemaDefinition(
  parser: Parser,
  { text, before }: Lead,
  after: Comments | undefined,
): SchemaDefinition {
  parser.keyword("schema");
  const directives = parser.directives(true);
  const { items, comments } = parser.group("{", "}", () => {
    const { comments: own, value } = parser.token;
    if (!["query", "mutation", "subscription"].includes(parser.name())) throw parser.unexpected();
    parser.expect(":");
    return { Operation: value, Type: parser.name(), Comment: own };
  });
  return {
    Description: text,
    Directives: directives,
    OperationTypes: items,
    BeforeDescriptionComment: before,
    AfterDescriptionComment: after,
    EndOfDefinitionComment: comments,
  };
}

function directiveDefinition(
  parser: Parser,
  { text, before }: Lead,
  after: Comments | undefined,
): DirectiveDefinition {
  parser.keyword("directive");
  parser.expect("@");
  const name = parser.name();
  const args = fields(parser, "(", ")", true).items;
  const repeatable = parser.atName("repeatable");
  if (repeatable) parser.take();
  parser.keyword("on");
  const locations = separated(parser, "|");
  if (!locations.every((location) => LOCATIONS.has(location))) throw parser.unexpected();
  return {
    Description: text,
    Name: name,
    Arguments: args,
    Locations: locations,
    IsRepeatable: repeatable,
    BeforeDescriptionComment: before,
    AfterDescriptionComment: after,
  };
}

function definition(
  parser: Parser,
  { text, before }: Lead,
  after: Comments | undefined,
  isBuiltIn: boolean,
): Definition {
  const word = parser.token.kind === "name" ? parser.token.value : "";
  const kind = Object.hasOwn(KINDS, word) ? KINDS[word] : undefined;
  if (kind === undefined) throw parser.unexpected();
  parser.take();
  const name = parser.name();
  const hasFields = word === "type" || word === "interface";
  let interfaces: readonly string[] = [];
  if (hasFields && parser.atName("implements")) {
    parser.take();
    interfaces = separated(parser, "&");
  }
  const directives = parser.directives(word !== "input");
  const members = hasFields || word === "input" ? fields(parser, "{", "}", word === "input") : undefined;
  const types = word === "union" && parser.skip("=") ? separated(parser, "|") : [];
  const values = word === "enum" ? parser.group("{", "}", () => enumValue(parser)) : undefined;
  return {
    Kind: kind,
    Description: text,
    Name: name,
    Directives: directives,
    Interfaces: interfaces,
    Fields: members?.items ?? [],
    Types: types,
    EnumValues: values?.items ?? [],
    BuiltIn: isBuiltIn,
    BeforeDescriptionComment: before,
    AfterDescriptionComment: after,
    EndOfDefinitionComment: members?.comments ?? values?.comments,
  };
}

/** Names with a mark between them, and one before the first at will. */
function separated(parser: Parser, mark: string): readonly string[] {
  parser.skip(mark);
  const names: string[] = [];
  do names.push(parser.name());
  while (parser.skip(mark));
  return names;
}

/** Fields of a type, or, when they are `inputs`, of an input, or arguments. */
function fields(
  parser: Parser,
  open: string,
  close: string,
  inputs: boolean,
): ReturnType<typeof parser.group<FieldDefinition>> {
  return parser.group(open, close, () => {
    const lead = leadOf(parser);
    const { comments } = parser.token;
    const name = parser.name();
    const args = inputs ? [] : fields(parser, "(", ")", true).items;
    parser.expect(":");
    return {
      ...led(lead),
      Name: name,
      Arguments: args,
      Type: parser.type(),
      DefaultValue: inputs && parser.skip("=") ? parser.value(true) : undefined,
      Directives: parser.directives(true),
      AfterDescriptionComment: comments,
    };
  });
}

function enumValue(parser: Parser): EnumValue {
  const lead = leadOf(parser);
  const { comments } = parser.token;
  return {
    ...led(lead),
    Name: parser.name(),
    Directives: parser.directives(true),
    AfterDescriptionComment: comments,
  };
}

function led({ text, before }: Lead): {
  Description: string;
  BeforeDescriptionComment: Comments | undefined;
} {
  return { Description: text, BeforeDescriptionComment: text === "" ? undefined : before };
}
