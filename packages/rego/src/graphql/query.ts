// SPDX-License-Identifier: Apache-2.0
// Executable documents: operations and fragments (GraphQL specification, October 2021, sections 2.2 to 2.8).

import { Parser } from "./parser.ts";
import type { Field, Fragment, Operation, QueryDocument, Selection, Variable } from "./tree.ts";

/** Throws `BuiltinFailure`. */
export function parseQueryDocument(text: string, spend: (steps: number) => void): QueryDocument {
  const parser = new Parser(text, spend);
  const operations: Operation[] = [];
  const fragments: Fragment[] = [];
  while (parser.token.kind !== "end") {
    if (parser.atName("fragment")) fragments.push(fragment(parser));
    else operations.push(operation(parser));
  }
  return { Operations: operations, Fragments: fragments };
}

function operation(parser: Parser): Operation {
  const { comments, value } = parser.token;
  const rest = { Name: "", VariableDefinitions: [], Directives: [] };
  if (parser.at("{")) return { Operation: "query", ...rest, SelectionSet: selections(parser) };
  if (!["query", "mutation", "subscription"].includes(parser.name())) throw parser.unexpected();
  return {
    Operation: value,
    Name: parser.token.kind === "name" ? parser.name() : "",
    VariableDefinitions: variables(parser),
    Directives: parser.directives(false),
    SelectionSet: selections(parser),
    Comment: comments,
  };
}

function fragment(parser: Parser): Fragment {
  const { comments } = parser.keyword("fragment");
  const name = fragmentName(parser);
  const definitions = variables(parser);
  parser.keyword("on");
  return {
    Name: name,
    VariableDefinition: definitions,
    TypeCondition: parser.name(),
    Directives: parser.directives(false),
    SelectionSet: selections(parser),
    Comment: comments,
  };
}

function fragmentName(parser: Parser): string {
  if (parser.atName("on")) throw parser.unexpected();
  return parser.name();
}

function variables(parser: Parser): readonly Variable[] {
  return parser.group("(", ")", () => {
    const { comments } = parser.expect("$");
    const name = parser.name();
    parser.expect(":");
    return {
      Variable: name,
      Type: parser.type(),
      DefaultValue: parser.skip("=") ? parser.value(true) : undefined,
      Directives: parser.directives(false),
      Used: false as const,
      Comment: comments,
    };
  }).items;
}

function selections(parser: Parser): readonly Selection[] {
  if (!parser.at("{")) throw parser.unexpected();
  return parser.nested(() => parser.group("{", "}", () => selection(parser)).items);
}

function selection(parser: Parser): Selection {
  if (!parser.at("...")) return field(parser);
  const { comments } = parser.take();
  if (parser.token.kind === "name" && !parser.atName("on")) {
    return { Name: fragmentName(parser), Directives: parser.directives(false), Comment: comments };
  }
  let condition = "";
  if (parser.atName("on")) {
    parser.take();
    condition = parser.name();
  }
  return {
    TypeCondition: condition,
    Directives: parser.directives(false),
    SelectionSet: selections(parser),
    Comment: comments,
  };
}

function field(parser: Parser): Field {
  const { comments } = parser.token;
  const alias = parser.name();
  return {
    Alias: alias,
    Name: parser.skip(":") ? parser.name() : alias,
    Arguments: parser.arguments(false),
    Directives: parser.directives(false),
    SelectionSet: parser.at("{") ? selections(parser) : [],
    Comment: comments,
  };
}
