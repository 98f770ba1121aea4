// SPDX-License-Identifier: Apache-2.0
// GraphQL documents near the border between valid and not: a schema and queries on it, a few tokens changed.

import type { Random } from "./random.ts";

export const SCHEMA = `
directive @tag(name: String! = "x", note: String) repeatable on FIELD | OBJECT | VARIABLE_DEFINITION | ARGUMENT_DEFINITION
directive @once on QUERY | MUTATION | FRAGMENT_DEFINITION | INLINE_FRAGMENT | FRAGMENT_SPREAD | ENUM_VALUE | SCHEMA
schema @once { query: Root mutation: Change subscription: Watch }
scalar Date @specifiedBy(url: "u")
enum Mood { "glad" HAPPY @deprecated SAD }
interface Node { id: ID! }
interface Named implements Node { id: ID! name(long: Boolean = false): String }
type Dog implements Named & Node @tag { id: ID! name(long: Boolean = false, style: Mood): String age: Int owner: Man tags: [String!]! mood: Mood }
type Cat implements Named & Node { id: ID! name(long: Boolean = false): String age: Float lives: Int! friends: [Pet] mood: Mood! }
type Man { name: String! pets(first: Int!, after: Date): [Pet!]! }
union Pet = Dog | Cat
input Filter { mood: Mood age: Int = 3 tags: [String!] inner: Filter any: Date need: Boolean! }
input Choice @oneOf { a: Int b: String }
type Root {
  pet(id: ID!): Pet node(id: ID = 1): Node named: Named dog: Dog cat: Cat
  find(filter: Filter, moods: [Mood!] = [SAD], limit: Int = 5): [Named!] choose(by: Choice!): Man sum(of: [[Float!]]!): Float
}
type Change { rename(id: ID!, name: String): Dog }
type Watch { born: Pet died: Dog }
extend type Root { extra: Date }
extend enum Mood { CALM }
`;

export const QUERIES: readonly string[] = [
  "query A($id: ID!, $long: Boolean = true) { pet(id: $id) { ...D ... on Cat { name(long: $long) lives } __typename } } fragment D on Dog { name(long: $long, style: HAPPY) owner { name } }",
  "{ dog { name age mood tags owner { name pets(first: 3) { ... on Named { name } } } } cat { age lives friends { ... on Dog { id } } } }",
  "query F($f: Filter!, $n: Int = 2, $m: [Mood!]) { find(filter: $f, moods: $m, limit: $n) { id name ... on Dog { age } ... on Cat { lives } } }",
  'query { find(filter: { mood: SAD, age: 4, tags: ["a", "b"], inner: { need: true }, any: { x: [1, 2.5, null] }, need: false }, moods: HAPPY) { id } }',
  "{ a: dog { n: name } b: dog { n: age } dog { name } dog { name ... { age } } }",
  "{ named { ... on Dog { x: age } ... on Cat { y: age } ... on Dog { x: age } id } node { id ... on Named { id } } }",
  'query V($a: Int, $b: String!) { one: choose(by: { a: 1 }) { name } two: choose(by: { b: $b }) { name } find(limit: $a) { id @include(if: true) @tag @tag(name: "y") } }',
  '{ sum(of: [[1, 2.5], [3]]) extra node(id: "x") { id ... @skip(if: false) @once { id } } }',
  "mutation M @once { rename(id: 3, name: null) { id } }",
  "subscription { born { ... on Dog { id } } }",
  '{ __schema { types { name fields { type { name } } } } __type(name: "Dog") { kind ofType { name } } }',
  "query One { dog { ...G } } query Two($d: Date @tag) { cat { ...H } find(filter: { need: true, any: $d }) { id } } fragment G on Dog @once { age ...H } fragment H on Node { id }",
];

const TOKENS = /"""[\s\S]*?"""|"[^"\n]*"|\.\.\.|[$@]?\w+|\s+|./g;

function tokensOf(text: string): string[] {
  return text.match(TOKENS) ?? [];
}

const ALL = [...QUERIES, SCHEMA].flatMap((text) => tokensOf(text).filter((token) => token.trim() !== ""));
const ODD = [
  "# c\n",
  '"d"',
  '"""\n  x\n   y"""',
  '"\\u00e9\\ud83d"',
  "-1",
  "1e3",
  "0.5",
  "99999999999999999999",
  "1e999",
  "[]",
  "{}",
  "null",
  "é",
  "\ufeff",
];

/** Names, and what stands for values: tokens that may take each other's place. */
const WORDS = ALL.filter((token) => /^[$@"\w]/.test(token));

/** One or two tokens removed, exchanged, or put in. */
export function changed(random: Random, text: string): string {
  const tokens = tokensOf(text);
  for (let left = random.chance(0.7) ? 1 : 2; left > 0; left--) {
    const at = random.below(tokens.length);
    const like = WORDS.filter((token) => /^\w/.test(token) === /^\w/.test(tokens[at] ?? ""));
    random.weighted<unknown>([
      [2, () => tokens.splice(at, 1)],
      [1, () => tokens.splice(at, 1, random.pick(ALL))],
      [6, () => tokens.splice(at, 1, random.pick(like))],
      [2, () => tokens.splice(at, 0, ` ${random.pick(ALL)} `)],
      [1, () => tokens.splice(at, 0, ` ${random.pick(ODD)} `)],
    ]);
  }
  return tokens.join("");
}
