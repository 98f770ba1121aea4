// SPDX-License-Identifier: Apache-2.0
// Networks in CIDR notation (RFC 4632). Nothing here reaches a network.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { ANY, anyOf, arrayOf, BOOLEAN, dictionaryOf, STRING, setOf, tupleOf } from "../types.ts";
import { entriesOf, isObject, RegoSet, type Value } from "../value.ts";
import {
  contains,
  firstOf,
  formatAddress,
  formatNetwork,
  lastOf,
  type Network,
  parseAddress,
  parseNetwork,
} from "./address.ts";
import { ANY_ARRAY, define, failure, listAt, stringAt } from "./define.ts";

const PAIR = [STRING, STRING] as const;
const MATCHABLE = anyOf(STRING, ANY_ARRAY);
const MATCHABLES = anyOf(STRING, arrayOf(MATCHABLE), dictionaryOf(STRING, MATCHABLE), setOf(MATCHABLE));

export const net: readonly Builtin[] = [
  ...["net.cidr_contains", "net.cidr_overlap"].map((name) =>
    define(name, PAIR, BOOLEAN, (a: Value, b: Value) => holds(networkAt(a, 1), stringAt(b, 2))),
  ),
  define("net.cidr_intersects", PAIR, BOOLEAN, (a: Value, b: Value) => {
    const left = networkAt(a, 1);
    const right = networkAt(b, 2);
    return contains(left, right) || contains(right, left);
  }),
  define("net.cidr_is_valid", [STRING], BOOLEAN, (text: Value) => {
    return typeof text === "string" && parseNetwork(text) !== undefined;
  }),
  define("net.cidr_contains_matches", [MATCHABLES, MATCHABLES], setOf(tupleOf(ANY, ANY)), containsMatches),
  define("net.cidr_expand", [STRING], setOf(STRING), (text: Value, context: BuiltinContext) => {
    const network = networkAt(text, 1);
    const size = 2 ** (network.size - network.prefix);
    context.spend(size);
    const out = new RegoSet();
    for (let i = 0; i < size; i++) out.add(formatAddress({ ...network, value: network.value + BigInt(i) }));
    return out;
  }),
  define(
    "net.cidr_merge",
    [anyOf(arrayOf(STRING), setOf(STRING))],
    setOf(STRING),
    (list: Value, context: BuiltinContext) => {
      const networks = listAt(list, 1).map(mergeable);
      context.spend(networks.length);
      return RegoSet.of(
        [32, 128].flatMap((size) => merge(networks.filter((network) => network.size === size))),
      );
    },
  ),
];

function networkAt(value: Value, position: number): Network {
  const network = parseNetwork(stringAt(value, position));
  if (network === undefined) throw failure("invalid CIDR address");
  return network;
}

/** Whether a network holds an address or all of another network. */
function holds(network: Network, text: string): boolean {
  const address = parseAddress(text);
  if (address !== undefined) return contains(network, address);
  const other = parseNetwork(text);
  if (other === undefined) throw failure("not a valid textual representation of an IP address or CIDR");
  return network.prefix <= other.prefix && contains(network, other);
}

/** Pairs of indices: of a network of the first operand, and of what it holds of the second. */
function containsMatches(a: Value, b: Value, context: BuiltinContext): Value {
  const out = new RegoSet();
  const networks = new Map<Value, Network>();
  const others = indexed(b);
  for (const [index, cidr] of indexed(a)) {
    const text = matchText(cidr);
    for (const [otherIndex, other] of others) {
      context.spend(1);
      const network = networks.get(text) ?? networkAt(text, 1);
      networks.set(text, network);
      if (holds(network, stringAt(matchText(other), 2))) out.add([index, otherIndex]);
    }
  }
  return out;
}

/** A text is its own index; members of arrays have positions, those of sets themselves, those of objects keys. */
function indexed(value: Value): readonly (readonly [index: Value, member: Value])[] {
  if (typeof value === "string") return [[value, value]];
  if (Array.isArray(value)) return value.map((member, i) => [i, member] as const);
  if (value instanceof RegoSet) return value.sorted().map((member) => [member, member] as const);
  return isObject(value) ? entriesOf(value) : [];
}

function matchText(value: Value): Value {
  if (typeof value === "string") return value;
  const first: Value | undefined = Array.isArray(value) ? value[0] : undefined;
  if (first === undefined) throw failure("element must be string or non-empty array");
  return first;
}

/** A network; or a bare IPv4 address, which the reference puts in a network of its old class (RFC 791 section 3.2). */
function mergeable(value: Value): Network {
  if (typeof value !== "string") throw failure("element must be string");
  const address = parseAddress(value);
  if (address === undefined) return networkAt(value, 1);
  if (address.size === 128) throw failure("IPv6 invalid: needs prefix length");
  const first = address.value >> 24n;
  return { ...address, prefix: first < 0x80n ? 8 : first < 0xc0n ? 16 : 24 };
}

/** The fewest networks of one family that cover the same addresses. */
function merge(networks: readonly Network[]): readonly string[] {
  const ranges = networks
    .map((network) => ({
      first: firstOf(network),
      last: lastOf(network),
      network: network as Network | undefined,
    }))
    .sort((a, b) => (a.last === b.last ? order(a.first, b.first) : order(a.last, b.last)));
  const out: string[] = [];
  for (let range = ranges.pop(); range !== undefined; ) {
    const before = ranges.pop();
    if (before !== undefined && range.first - 1n <= before.last) {
      const first = before.first < range.first ? before.first : range.first;
      range = { first, last: range.last, network: undefined };
      continue;
    }
    const size = networks[0]?.size ?? 32;
    out.push(
      ...(range.network === undefined
        ? cover(range.first, range.last, size)
        : [formatNetwork(range.network)]),
    );
    range = before;
  }
  return out;
}

/** A range of addresses as networks, from the first on the largest that fits. */
function cover(first: bigint, last: bigint, size: number): readonly string[] {
  const out: string[] = [];
  for (let value = first; value <= last; ) {
    let prefix = size;
    while (prefix > 0) {
      const wider = { value, size, prefix: prefix - 1 };
      if (firstOf(wider) !== value || lastOf(wider) > last) break;
      prefix--;
    }
    const network = { value, size, prefix };
    out.push(formatNetwork(network));
    value = lastOf(network) + 1n;
  }
  return out;
}

function order(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
