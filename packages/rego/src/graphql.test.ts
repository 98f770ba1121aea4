// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callerOf, failureOf } from "../test/call.ts";
import { graphqlBuiltins } from "./graphql.ts";
import type { Value } from "./value.ts";

const call = callerOf(graphqlBuiltins);

const SCHEMA = `
directive @tag(name: String!) repeatable on FIELD
directive @once on QUERY
enum Mood { HAPPY SAD }
interface Node { id: ID! }
type Dog implements Node { id: ID! name(long: Boolean = false): String age: Int }
type Cat implements Node { id: ID! name(long: Boolean = false): String age: Float }
union Pet = Dog | Cat
input Filter { mood: Mood age: Int = 3 need: Boolean! }
input Choice @oneOf { a: Int b: String }
type Query { pet(id: ID!): Pet node: Node dog: Dog cat: Cat find(by: Filter, moods: [Mood!]): Dog choose(by: Choice): Dog }
type Subscription { born: Dog died: Dog }
`;

describe("trees", () => {
  it("of a query", () => {
    expect(
      call(
        "graphql.parse_query",
        "# why\nquery Q($a: [Int!] = [1]) @x { b: f(y: $a) { ...F ... on T { g } } }",
      ),
    ).toEqual({
      Operations: [
        {
          Operation: "query",
          Name: "Q",
          Comment: { List: [{ Value: "# why" }] },
          VariableDefinitions: [
            {
              Variable: "a",
              Type: { NamedType: "", NonNull: false, Elem: { NamedType: "Int", NonNull: true } },
              DefaultValue: {
                Raw: "",
                Kind: 8,
                ExpectedTypeHasDefault: false,
                Children: [{ Name: "", Value: { Raw: "1", Kind: 1, ExpectedTypeHasDefault: false } }],
              },
              Used: false,
            },
          ],
          Directives: [{ Name: "x", Location: "" }],
          SelectionSet: [
            {
              Alias: "b",
              Name: "f",
              Arguments: [{ Name: "y", Value: { Raw: "a", Kind: 0, ExpectedTypeHasDefault: false } }],
              SelectionSet: [
                { Name: "F" },
                { TypeCondition: "T", SelectionSet: [{ Alias: "g", Name: "g" }] },
              ],
            },
          ],
        },
      ],
    });
  });

  it("of a schema", () => {
    expect(
      call("graphql.parse_schema", '"""\n  what\n    it is\n"""\nenum E @d { A }\nextend union U = A | B'),
    ).toEqual({
      Definitions: [
        {
          Kind: "ENUM",
          Name: "E",
          Description: "what\n  it is",
          BuiltIn: false,
          Directives: [{ Name: "d", Location: "" }],
          EnumValues: [{ Name: "A", Description: "" }],
        },
      ],
      Extensions: [{ Kind: "UNION", Name: "U", Description: "", BuiltIn: false, Types: ["A", "B"] }],
    });
  });

  it.each([
    ['"a\\u00e9\\n"', 3, "aé\n"],
    ['"\\ud83d\\ude00"', 3, "\ufffd\ufffd"],
    ['""""a\\""" b""""', 4, '"a""" b"'],
    ['""', 3, ""],
    ["-1.5e3", 2, "-1.5e3"],
    ["null", 6, "null"],
    ["nullish", 7, "nullish"],
  ])("of the value %s", (text, kind, raw) => {
    const tree = call("graphql.parse_query", `{ f(a: ${text}) }`) as {
      Operations: { SelectionSet: Value[] }[];
    };
    expect(tree.Operations[0]?.SelectionSet[0]).toMatchObject({
      Arguments: [{ Value: { Kind: kind, Raw: raw } }],
    });
  });
});

describe("what is no document", () => {
  it.each([
    ["{", 'unexpected end "" in GraphQL string'],
    ["{}", 'unexpected punctuator "}" in GraphQL string'],
    ["{ f() }", 'unexpected punctuator ")" in GraphQL string'],
    ["{ f(a: 01) }", "unexpected character in GraphQL string at offset 7"],
    ["{ f(a: 1.) }", "number without digits in GraphQL string at offset 8"],
    ['{ f(a: "\n") }', "unexpected character in GraphQL string at offset 7"],
    ['{ f(a: """) }', "unterminated block string in GraphQL string"],
    ['{ f(a: """\u0001""") }', "control character in a block string of a GraphQL string"],
    ["fragment on on T { a }", 'unexpected name "on" in GraphQL string'],
    ["query ($a: Int = $b) { a }", 'unexpected punctuator "$" in GraphQL string'],
    ["{ a ".repeat(300), "GraphQL string nested more than 200 deep"],
    [`{ a(b: ${"[".repeat(300)}`, "GraphQL string nested more than 200 deep"],
    [`query ($a: ${"[".repeat(300)}`, "GraphQL string nested more than 200 deep"],
    [" ".repeat(1_048_577), "GraphQL string of more than 1048576 characters"],
  ])("%#: as a query", (text, message) => {
    expect(failureOf(() => call("graphql.parse_query", text))).toEqual({ kind: "builtin", message });
    expect(call("graphql.is_valid", text, SCHEMA)).toBe(false);
  });

  it.each([
    "type",
    "extend scalar S",
    '"d" extend type T { a: Int }',
    "directive @d on NOWHERE",
    "schema { q: Q }",
    "1",
  ])("%s as a schema", (text) => {
    expect(failureOf(() => call("graphql.parse_schema", text))?.kind).toBe("builtin");
    expect(call("graphql.schema_is_valid", text)).toBe(false);
  });

  it("any text is read or refused", () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(...'{ } ( ) [ ] ! $ @ : = | & ... """ " query type on a 1'.split(" ")),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join(" ");
        for (const name of ["graphql.schema_is_valid"]) expect(typeof call(name, text)).toBe("boolean");
        expect(typeof call("graphql.is_valid", text, SCHEMA)).toBe("boolean");
      }),
    );
  });
});

describe("schemas that are refused", () => {
  it.each([
    ["two types of a name", "type A { a: Int } type A { a: Int }"],
    ["a type of the language", "scalar Int"],
    ["two directives of a name", "directive @a on FIELD directive @a on FIELD"],
    ["an extension of another kind", "type A { a: Int } extend enum A { B }"],
    ["two schemas", "schema { query: A } schema { query: A } type A { a: Int }"],
    ["a root that is not there", "schema { query: A }"],
    ["a type that is not there", "type A { a: B }"],
    ["a name of introspection", "type A { __a: Int }"],
    ["a type without fields", "type A"],
    ["an enum without values", "enum A"],
    ["a value named null", "enum A { null }"],
    ["a value twice", "enum A { B B }"],
    ["a field twice", "type A { a: Int a: Int }"],
    ["a union of what is no object", "union A = Int"],
    ["a member twice", "type B { a: Int } union A = B | B"],
    ["an output in an input", "type A { a: Int } input B { a: A }"],
    ["an input in an output", "input A { a: Int } type B { a: A }"],
    ["an output as an argument", "type A { a(b: A): Int }"],
    ["an input that needs itself", "input A { b: B! } input B { a: A! }"],
    ["an interface that is none", "type A implements Int { a: Int }"],
    ["a field of the interface missing", "interface I { a: Int } type A implements I { b: Int }"],
    ["a field of another type", "interface I { a: Int } type A implements I { a: String }"],
    ["an argument missing", "interface I { a(b: Int): Int } type A implements I { a: Int }"],
    ["an argument more", "interface I { a: Int } type A implements I { a(b: Int!): Int }"],
    [
      "an interface of the interface missing",
      "interface I { a: Int } interface J implements I { a: Int } type A implements J { a: Int }",
    ],
    ["an unknown directive", "type A @b { a: Int }"],
    ["a directive in a wrong place", "type A @skip(if: true) { a: Int }"],
    ["a directive twice", "type A { a: Int @deprecated @deprecated }"],
    ["an unknown argument of a directive", "type A { a: Int @deprecated(why: 1) }"],
    ["an argument of a directive missing", "scalar A @specifiedBy"],
    ["a directive on itself", "directive @a(b: Int @a) on ARGUMENT_DEFINITION"],
  ])("%s", (_, schema) => {
    expect(call("graphql.schema_is_valid", schema)).toBe(false);
  });

  it.each(["", SCHEMA, "extend type A { a: Int }", "input A { b: B } input B { a: A! }"])(
    "and not %j",
    (schema) => {
      expect(call("graphql.schema_is_valid", schema)).toBe(true);
      const tree = call("graphql.parse_schema", schema) ?? null;
      expect(call("graphql.schema_is_valid", tree)).toBe(true);
    },
  );
});

describe("queries that are refused", () => {
  it.each([
    ["an unknown field", "{ dog { lives } }"],
    ["an unknown fragment", "{ dog { ...A } }"],
    ["a fragment that is not used", "{ dog { id } } fragment A on Dog { id }"],
    ["a fragment within itself", "{ dog { ...A } } fragment A on Dog { ...B } fragment B on Dog { ...A }"],
    ["a fragment that can never be", "{ dog { ... on Cat { id } } }"],
    ["a fragment on a scalar", "{ dog { ... on Int { id } } }"],
    ["two operations, one without a name", "{ dog { id } } query A { dog { id } }"],
    ["two operations of a name", "query A { dog { id } } query A { dog { id } }"],
    ["two fragments of a name", "{ dog { ...A } } fragment A on Dog { id } fragment A on Dog { id }"],
    ["an operation without a root", "mutation { a }"],
    ["a leaf with a selection", "{ dog { id { a } } }"],
    ["an object without one", "{ dog }"],
    ["an unknown argument", "{ dog { id(a: 1) } }"],
    ["an argument missing", "{ pet { __typename } }"],
    ["an argument twice", "{ pet(id: 1, id: 1) { __typename } }"],
    ["an unknown directive", "{ dog @a { id } }"],
    ["a directive in a wrong place", "{ dog @once { id } }"],
    ["a directive twice", "{ dog @skip(if: true) @skip(if: true) { id } }"],
    ["an argument of a directive missing", "{ dog @tag { id } }"],
    ["a variable that is not defined", "{ pet(id: $a) { __typename } }"],
    ["a variable that is not used", "query ($a: Int) { dog { id } }"],
    ["a variable twice", "query ($a: ID!, $a: ID!) { pet(id: $a) { __typename } }"],
    ["a variable of an output type", "query ($a: Dog) { find(by: $a) { id } }"],
    ["a variable that may be null", "query ($a: ID) { pet(id: $a) { __typename } }"],
    ["a variable of another type", "query ($a: Int!) { pet(id: $a) { __typename } }"],
    ["a null", "{ pet(id: null) { __typename } }"],
    ["a value of another type", '{ dog { name(long: "x") } }'],
    ["an unknown name of an enum", "{ find(moods: [CALM]) { id } }"],
    ["a list in a place of one", "{ dog { name(long: [true]) } }"],
    ["an integer of more than 64 bits", "{ find(by: { need: true, age: 9223372036854775808 }) { id } }"],
    ["an unknown input field", "{ find(by: { need: true, more: 1 }) { id } }"],
    ["an input field missing", "{ find(by: { age: 1 }) { id } }"],
    ["an input field twice", "{ find(by: { need: true, need: true }) { id } }"],
    ["two of one", '{ choose(by: { a: 1, b: "c" }) { id } }'],
    ["none of one", "{ choose(by: { a: null }) { id } }"],
    ["one that may be null", "query ($a: Int) { choose(by: { a: $a }) { id } }"],
    ["two fields under a name", "{ dog { a: id a: name } }"],
    ["two arguments under a name", "{ a: pet(id: 1) { __typename } a: pet(id: 2) { __typename } }"],
    ["two shapes under a name", "{ pet(id: 1) { ... on Dog { a: age } ... on Cat { a: age } } }"],
    ["two fields below a name", "{ dog { a: id } dog { a: age } }"],
    ["two fields of a subscription", "subscription { born { id } died { id } }"],
    [
      "introspection without end",
      "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
    ],
  ])("%s", (_, query) => {
    expect(call("graphql.is_valid", query, SCHEMA)).toBe(false);
    expect(call("graphql.parse_and_verify", query, SCHEMA)).toEqual([false, {}, {}]);
    expect(failureOf(() => call("graphql.parse", query, SCHEMA))?.kind).toBe("builtin");
  });

  it.each([
    "query ($a: ID = 1) @once { pet(id: $a) { __typename ...A } } fragment A on Dog { id name(long: true) }",
    '{ dog { a: id a: id name @tag(name: "x") @tag(name: "y") } node { ... on Node { id } ... on Dog { age } } }',
    "{ find(by: { need: true, mood: SAD }, moods: HAPPY) { id } choose(by: { a: 1 }) { id } }",
    '{ __schema { types { name } } __type(name: "Dog") { kind } }',
    "{ pet(id: 1) { ... on Dog { x: id } ... on Cat { x: id } } }",
    "subscription { born { id } }",
  ])("and not %j", (query) => {
    expect(call("graphql.is_valid", query, SCHEMA)).toBe(true);
    const [queryTree, schemaTree] = call("graphql.parse", query, SCHEMA) as [Value, Value];
    expect(call("graphql.parse_query", query)).toEqual(queryTree);
    // Trees are taken for what they were read from.
    expect(call("graphql.parse_and_verify", queryTree, schemaTree)).toEqual([true, queryTree, schemaTree]);
  });
});

describe("trees that are none", () => {
  it.each<[Value]>([
    [{ Operations: 1 }],
    [{ Operations: [1] }],
    [{ Operations: [{ Operation: "remove" }] }],
    [{ Operations: [{ Name: 1 }] }],
    [{ Operations: [{ VariableDefinitions: [{ Variable: "a" }] }] }],
    [
      {
        Operations: [
          { SelectionSet: [{ Alias: "a", Name: "a", Arguments: [{ Name: "b", Value: { Kind: 12 } }] }] },
        ],
      },
    ],
    [3],
  ])("%j", (tree) => {
    expect(call("graphql.is_valid", tree, SCHEMA)).toBe(false);
    expect(failureOf(() => call("graphql.parse", tree, SCHEMA))).toBeDefined();
  });

  it("and schemas of another kind", () => {
    expect(call("graphql.schema_is_valid", { Definitions: [{ BuiltIn: 1 }] })).toBe(false);
    expect(call("graphql.schema_is_valid", { Definitions: [{ Interfaces: [1] }] })).toBe(false);
    expect(failureOf(() => call("graphql.parse", "{ a }", 1))?.kind).toBe("type");
  });
});

it("work is counted", () => {
  const poor = callerOf(graphqlBuiltins, { steps: 1_000 });
  expect(() => poor("graphql.is_valid", `{ ${"dog { id } ".repeat(1_000)} }`, SCHEMA)).toThrow();
  // Fragments that each spread the next one twice.
  const chain = Array.from(
    { length: 60 },
    (_, i) => `fragment F${i} on Dog { ...F${i + 1} id ...F${i + 1} }`,
  ).join(" ");
  expect(call("graphql.is_valid", `{ dog { ...F0 } } ${chain} fragment F60 on Dog { age }`, SCHEMA)).toBe(
    true,
  );
});
