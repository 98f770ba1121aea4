// SPDX-License-Identifier: Apache-2.0
// UUIDs read (RFC 4122; version 2 after DCE 1.1). `uuid.rfc4122` stands in rand.ts.

import type { Builtin } from "../builtin.ts";
import { fromBigInt } from "../number.ts";
import { ANY, dictionaryOf, STRING } from "../types.ts";
import type { Value } from "../value.ts";
import { define, stringAt } from "./define.ts";

const DASHED = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Ticks of 100 ns between 15 October 1582 and 1970 (RFC 4122 section 4.1.4). */
const EPOCH = 0x01b21dd213814000n;

export const uuid: readonly Builtin[] = [
  define("uuid.parse", [STRING], dictionaryOf(STRING, ANY), (text: Value) => {
    const hex = digitsOf(stringAt(text, 1));
    return hex === undefined ? undefined : propertiesOf(hex);
  }),
];

/** 32 digits of a plain, a dashed, a URN or a braced form; of braces only the place counts, as in the reference. */
function digitsOf(text: string): string | undefined {
  if (/^[0-9a-f]{32}$/i.test(text)) return text.toLowerCase();
  const dashed =
    text.length === 45 && /^urn:uuid:/i.test(text)
      ? text.slice(9)
      : text.length === 38
        ? text.slice(1, 37)
        : text;
  return DASHED.test(dashed) ? dashed.replaceAll("-", "").toLowerCase() : undefined;
}

function propertiesOf(hex: string): Value {
  const number = (from: number, to: number): number => Number.parseInt(hex.slice(from, to), 16);
  const version = number(12, 13);
  const family = number(16, 17);
  const variant = family < 8 ? "Reserved" : family < 12 ? "RFC4122" : family < 14 ? "Microsoft" : "Future";
  if (version !== 1 && version !== 2) return { version, variant };
  const ticks = BigInt(`0x${hex.slice(13, 16)}${hex.slice(8, 12)}${hex.slice(0, 8)}`);
  const first = number(20, 22);
  const domain = number(18, 20);
  const properties = {
    version,
    variant,
    // The reference counts in 64 bits, beyond which far futures wrap.
    time: fromBigInt(BigInt.asIntN(64, (ticks - EPOCH) * 100n)),
    nodeid: hex.slice(20).replace(/..\B/g, "$&-"),
    macvariables: `${first & 2 ? "local" : "global"}:${first & 1 ? "multicast" : "unicast"}`,
    clocksequence: number(16, 20) & 0x3fff,
  };
  if (version === 1) return properties;
  return { ...properties, id: number(0, 8), domain: ["Person", "Group", "Org"][domain] ?? `Domain${domain}` };
}
