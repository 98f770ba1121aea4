// SPDX-License-Identifier: Apache-2.0
// URIs in certificates, taken apart as Go's net/url does: OPA shows its fields.

import { failure } from "../builtins/define.ts";
import { bytesOf, textOf } from "../utf8.ts";
import type { Value } from "../value.ts";

export interface ParsedUrl {
  /** With port; empty where there is no authority. */
  readonly host: string;
  /** The path as written, escapes and all. */
  readonly path: string;
  readonly query: string;
  /** As Go prints it again. */
  readonly text: string;
  /** `url.URL` in JSON. */
  readonly value: { readonly [key: string]: Value };
}

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;
const UNRESERVED = /[A-Za-z0-9\-_.~$&+,/:;=@]/;
const FRAGMENT_ALSO = /[A-Za-z0-9\-_.~$&+,/:;=@?!()*]/;

/** Throws a failure for text that Go refuses. */
export function parseUrl(text: string): ParsedUrl {
  const refuse = (why: string): never => {
    throw failure(`x509: cannot parse URI: ${why}`);
  };
  if (/\p{Cc}/u.test(text)) refuse("invalid control character in URL");
  const [beforeFragment, fragment = ""] = cut(text, "#");
  if (beforeFragment.startsWith(":")) refuse("missing protocol scheme");
  const scheme = SCHEME.exec(beforeFragment)?.[1] ?? "";
  let rest = scheme === "" ? beforeFragment : beforeFragment.slice(scheme.length + 1);
  const forceQuery = rest.endsWith("?") && rest.indexOf("?") === rest.length - 1;
  const [beforeQuery, query = ""] = cut(rest, "?");
  rest = beforeQuery;
  const fields = {
    Scheme: scheme.toLowerCase(),
    ForceQuery: forceQuery,
    RawQuery: query,
    ...encoded("Fragment", fragment, FRAGMENT_ALSO, refuse),
  };
  const shown = scheme === "" ? text : fields.Scheme + text.slice(scheme.length);
  if (!rest.startsWith("/")) {
    if (scheme !== "") {
      const value = { ...fields, Opaque: rest, User: null, Host: "", Path: "", RawPath: "", OmitHost: false };
      return { host: "", path: "", query, text: shown, value };
    }
    if ((rest.split("/")[0] ?? "").includes(":")) refuse("first path segment in URL cannot contain colon");
  }
  let [host, user, omitHost]: [string, Value, boolean] = ["", null, false];
  if (rest.startsWith("//") && (scheme !== "" || !rest.startsWith("///"))) {
    const [authority = ""] = rest.slice(2).split("/");
    rest = rest.slice(2 + authority.length);
    const at = authority.lastIndexOf("@");
    // The fields of Go's Userinfo are private: all that it shows is that there is one.
    if (at >= 0) user = checkUser(authority.slice(0, at), refuse);
    host = hostOf(authority.slice(at + 1), fields.Scheme, refuse);
  } else if (scheme !== "" && rest.startsWith("/")) {
    omitHost = true;
  }
  const value = {
    ...fields,
    Opaque: "",
    User: user,
    Host: host,
    ...encoded("Path", rest, UNRESERVED, refuse),
    OmitHost: omitHost,
  };
  return { host, path: rest, query, text: shown, value };
}

function cut(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function checkUser(user: string, refuse: (why: string) => never): Value {
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) refuse("invalid userinfo");
  decoded(user, refuse);
  return {};
}

function hostOf(host: string, scheme: string, refuse: (why: string) => never): string {
  const bracket = /^\[([0-9A-Fa-f:.]+(?:%25[^\]]+)?)\](.*)$/.exec(host);
  if (host.includes("[") && bracket === null) refuse("invalid host");
  const first = host.indexOf(":");
  // More than one colon stands only where Go lets lists of hosts through.
  const last = /^https?$/.test(scheme) ? first : host.lastIndexOf(":");
  const port = bracket === null ? (first < 0 ? "" : host.slice(last)) : (bracket[2] ?? "");
  if (!/^(?::[0-9]*)?$/.test(port)) refuse("invalid port after host");
  if (/[ "<>\\^`{|}]/.test(host)) refuse("invalid character in host name");
  return bracket === null ? decoded(host, refuse, /^%[89A-Fa-f]/) : host.replace("%25", "%");
}

/** A part with its escapes resolved; the raw form only where escaping it again gives another. */
function encoded(
  name: "Path" | "Fragment",
  raw: string,
  kept: RegExp,
  refuse: (why: string) => never,
): { [key: string]: string } {
  const text = decoded(raw, refuse);
  const again = Array.from(bytesOf(text), (byte) => {
    const char = String.fromCharCode(byte);
    return kept.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
  return { [name]: text, [`Raw${name}`]: again === raw ? "" : raw };
}

function decoded(text: string, refuse: (why: string) => never, only?: RegExp): string {
  if (!text.includes("%")) return text;
  const bytes: number[] = [];
  const source = bytesOf(text);
  for (let i = 0; i < source.length; i++) {
    const byte = source[i] ?? 0;
    if (byte !== 0x25) bytes.push(byte);
    else {
      const escaped = String.fromCharCode(byte, source[i + 1] ?? 0, source[i + 2] ?? 0);
      if (!/^%[0-9A-Fa-f]{2}$/.test(escaped) || (only !== undefined && !only.test(escaped)))
        refuse("invalid URL escape");
      bytes.push(Number.parseInt(escaped.slice(1), 16));
      i += 2;
    }
  }
  return textOf(Uint8Array.from(bytes));
}
