// SPDX-License-Identifier: Apache-2.0
// URIs taken apart as Go's `net/url` does it (RFC 3986, with that package's allowances).

import { type Builtin, type BuiltinContext, BuiltinFailure } from "../builtin.ts";
import { BOOLEAN, dictionaryOf, STRING } from "../types.ts";
import type { Value } from "../value.ts";
import { parseAddress } from "./address.ts";
import { define, failure, stringAt } from "./define.ts";
import { percentDecode, percentEncode } from "./encoding.ts";

/** Characters that are a host's as they are; `%` for what is escaped: bytes beyond ASCII, and `%25`. */
const HOST = /^(?:[\w.~!$&'()*+,;=:[\]<>"-]|[\u0080-\uffff]|%[89a-f][0-9a-f]|%25)*$/i;
const ZONE = /^%25(?:[\w.~!$&'()*+,;=:[\]<>"-]|[\u0080-\uffff]|%[89a-f][0-9a-f]|%20|%25)+$/i;
const USER = /^[\w.~!$&'()*+,;=:%@-]*$/;
const PORT = /^(?::\d*)?$/;

export const uri: readonly Builtin[] = [
  define("uri.parse", [STRING], dictionaryOf(STRING, STRING), (text: Value, context: BuiltinContext) =>
    Object.fromEntries(
      Object.entries(parseUri(stringAt(text, 1), context))
        .filter(([, part]) => part !== "")
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  ),
  define("uri.is_valid", [STRING], BOOLEAN, (text: Value, context: BuiltinContext) => {
    if (typeof text !== "string" || text === "") return false;
    try {
      parseUri(text, context);
      return true;
    } catch (cause) {
      if (cause instanceof BuiltinFailure) return false;
      throw cause;
    }
  }),
];

/** Parts that are absent are empty. Throws `BuiltinFailure`. */
export function parseUri(text: string, context: BuiltinContext): Record<string, string> {
  context.spend(text.length >> 4);
  const [, whole = "", fragment = ""] = /^([^#]*)#?(.*)$/s.exec(text) ?? [];
  if ([...whole].some((character) => character < " " || character === "\x7f"))
    throw failure("invalid control character in URL");
  if (whole.startsWith(":")) throw failure("missing protocol scheme");
  const [, scheme = "", afterScheme = ""] = /^(?:([a-z][a-z0-9+.-]*):)?(.*)$/is.exec(whole) ?? [];
  const [, rest = "", query = ""] = /^([^?]*)\??(.*)$/s.exec(afterScheme) ?? [];
  const parts = { scheme: scheme.toLowerCase(), raw_query: query, fragment: percentDecode(fragment) };
  if (!rest.startsWith("/")) {
    if (scheme !== "") return parts;
    if (/^[^/]*:/.test(rest)) throw failure("first path segment in URL cannot contain colon");
  }
  const hasAuthority = rest.startsWith("//") && (scheme !== "" || !rest.startsWith("///"));
  const [, authority = "", path = ""] = (hasAuthority ? /^\/\/([^/]*)(.*)$/s : /^()(.*)$/s).exec(rest) ?? [];
  const decoded = percentDecode(path);
  return {
    ...parts,
    ...parseAuthority(authority, parts.scheme),
    path: decoded,
    raw_path: percentEncode(decoded, /[\w.~$&+,/:;=@-]/) === path ? decoded : path,
  };
}

function parseAuthority(authority: string, scheme: string): Record<string, string> {
  const at = authority.lastIndexOf("@");
  const user = authority.slice(0, Math.max(0, at));
  if (!USER.test(user)) throw failure("invalid userinfo");
  percentDecode(user);
  const host = authority.slice(at + 1);
  const bracket = host.lastIndexOf("[");
  if (bracket >= 0) return parseLiteral(host, bracket);
  // Web addresses have one colon; lists of database servers, which others write, have several.
  const colon = /^https?$/.test(scheme) ? host.indexOf(":") : host.lastIndexOf(":");
  const port = colon < 0 ? "" : host.slice(colon);
  if (!PORT.test(port) || !HOST.test(host)) throw failure("invalid host or port");
  return { hostname: percentDecode(colon < 0 ? host : host.slice(0, colon)), port: port.slice(1) };
}

/** `[address%25zone]:port` (RFC 6874 section 2). */
function parseLiteral(host: string, bracket: number): Record<string, string> {
  const end = host.lastIndexOf("]");
  const port = host.slice(end + 1);
  const literal = host.slice(bracket + 1, end);
  const zone = literal.indexOf("%25");
  const [address, scope] = zone < 0 ? [literal, ""] : [literal.slice(0, zone), literal.slice(zone)];
  if (
    bracket > 0 ||
    end < 0 ||
    !PORT.test(port) ||
    !HOST.test(address) ||
    (scope !== "" && !ZONE.test(scope))
  ) {
    throw failure("invalid host or port");
  }
  if (!address.includes(":") || parseAddress(address) === undefined) throw failure("invalid host");
  return { hostname: address + percentDecode(scope), port: port.slice(1) };
}
