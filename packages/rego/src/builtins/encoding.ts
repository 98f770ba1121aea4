// SPDX-License-Identifier: Apache-2.0
// Text encodings: base64, base64url, hex, and queries of URLs. What is decoded may be any bytes: see utf8.ts.

import { fromHex, toBase64, toBase64Url, toHex } from "@adyton/core/bytes";
import type { Builtin, BuiltinContext } from "../builtin.ts";
import { anyOf, arrayOf, BOOLEAN, dictionaryOf, STRING, setOf } from "../types.ts";
import { bytesOf, textOf } from "../utf8.ts";
import { compareStrings, entriesOf, objectOf, RegoSet, type Value } from "../value.ts";
import { define, failure, objectAt, operandFailure, stringAt } from "./define.ts";

export const encoding: readonly Builtin[] = [
  text("base64.encode", (plain) => toBase64(bytesOf(plain))),
  text("base64.decode", (encoded) => textOf(fromLenientBase64(encoded))),
  define("base64.is_valid", [STRING], BOOLEAN, (encoded: Value, context: BuiltinContext) => {
    if (typeof encoded !== "string") return false;
    context.spend(encoded.length >> 4);
    return isBase64(encoded.replace(/[\r\n]/g, ""));
  }),
  text("base64url.encode", (plain) => {
    const encoded = toBase64Url(bytesOf(plain));
    return encoded + "=".repeat(-encoded.length & 3);
  }),
  text("base64url.encode_no_pad", (plain) => toBase64Url(bytesOf(plain))),
  text("base64url.decode", (encoded) => {
    if (/[+/]/.test(encoded)) throw failure("the text is not base64url");
    const standard = encoded.replaceAll("-", "+").replaceAll("_", "/");
    return textOf(
      fromLenientBase64(standard.endsWith("=") ? standard : standard + "=".repeat(-standard.length & 3)),
    );
  }),
  text("hex.encode", (plain) => toHex(bytesOf(plain))),
  text("hex.decode", (encoded) => {
    if (!/^(?:[0-9a-f]{2})*$/i.test(encoded)) throw failure("the text is not hex");
    return textOf(fromHex(encoded));
  }),
  text("urlquery.encode", encodeQuery),
  text("urlquery.decode", decodeQuery),
  define(
    "urlquery.encode_object",
    [dictionaryOf(STRING, anyOf(STRING, arrayOf(STRING), setOf(STRING)))],
    STRING,
    (object: Value, context: BuiltinContext) =>
      entriesOf(objectAt(object, 1))
        .flatMap(([key, value]) => {
          const values = value instanceof RegoSet ? value.sorted() : Array.isArray(value) ? value : [value];
          return values.map((item) => {
            if (typeof key !== "string" || typeof item !== "string") {
              throw operandFailure(1, "values must be string, array[string], or set[string]");
            }
            context.spend(1 + ((key.length + item.length) >> 4));
            return `${encodeQuery(key)}=${encodeQuery(item)}`;
          });
        })
        .join("&"),
  ),
  define(
    "urlquery.decode_object",
    [STRING],
    dictionaryOf(STRING, arrayOf(STRING)),
    (query: Value, context: BuiltinContext) => {
      const values = new Map<string, string[]>();
      for (const part of stringAt(query, 1).split("&")) {
        context.spend(1 + (part.length >> 4));
        if (part.includes(";")) throw failure("invalid semicolon separator in query");
        if (part === "") continue;
        const [, key = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(part) ?? [];
        const name = decodeQuery(key);
        values.set(name, [...(values.get(name) ?? []), decodeQuery(value)]);
      }
      return objectOf([...values].sort(([a], [b]) => compareStrings(a, b)));
    },
  ),
];

/** Text with every byte that may not stand in a query as `%` and two digits, and `+` for a space. */
function encodeQuery(plain: string): string {
  return percentEncode(plain, /[\w.~-]/).replaceAll("%20", "+");
}

function decodeQuery(encoded: string): string {
  return percentDecode(encoded.replaceAll("+", " "));
}

/** `%` and two upper-case digits for each byte but the ASCII characters that `plain` matches. */
export function percentEncode(text: string, plain: RegExp): string {
  let out = "";
  for (const byte of bytesOf(text)) {
    const character = String.fromCharCode(byte);
    out +=
      byte < 0x80 && plain.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

/** Throws `BuiltinFailure` for a `%` without two digits. */
export function percentDecode(text: string): string {
  if (!text.includes("%")) return text;
  if (/%(?![0-9a-f]{2})/i.test(text)) throw failure("invalid URL escape");
  const bytes = bytesOf(text);
  let size = 0;
  for (let at = 0; at < bytes.length; at++) {
    const escaped = bytes[at] === 0x25;
    bytes[size++] = escaped
      ? Number.parseInt(String.fromCharCode(...bytes.subarray(at + 1, at + 3)), 16)
      : (bytes[at] ?? 0);
    if (escaped) at += 2;
  }
  return textOf(bytes.subarray(0, size));
}

/** As Go's decoder: line ends are passed over, padding is demanded, unused bits may be anything. */
function fromLenientBase64(encoded: string): Uint8Array {
  const digits = encoded.replace(/[\r\n]/g, "");
  if (!isBase64(digits)) throw failure("the text is not base64");
  return Uint8Array.from(atob(digits), (character) => character.charCodeAt(0));
}

function isBase64(digits: string): boolean {
  return digits.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(digits);
}

/** A function from text to text. */
function text(name: string, convert: (text: string) => string): Builtin {
  return define(name, [STRING], STRING, (value: Value, context: BuiltinContext) => {
    const input = stringAt(value, 1);
    context.spend(input.length >> 4);
    return convert(input);
  });
}
