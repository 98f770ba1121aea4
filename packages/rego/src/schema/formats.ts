// SPDX-License-Identifier: Apache-2.0
// What `format` means for texts (draft-handrews-json-schema-validation-01 section 7.3), as the reference reads it.

import { type BuiltinContext, BuiltinFailure } from "../builtin.ts";
import { parseAddress } from "../builtins/address.ts";
import { layoutOf, parseTime } from "../builtins/layout.ts";
import { parseUri } from "../builtins/uri.ts";
import { patternOf } from "./compile.ts";

type Format = (text: string, context: BuiltinContext) => boolean;

const ATOM = "[a-z0-9!#$%&'*+/=?^_`{|}~\\u0080-\\uffff-]+";
/** A name and an address in angles, or an address: of RFC 5322 section 3.4 what people write. */
const EMAIL = /^(?:(?:"(?:[^"\\]|\\.)*"|[^<>"@,;:]*) *<(?<angle>.+)>|(?<bare>.+))$/isu;
const ADDRESS = new RegExp(
  `^(?:${ATOM}(?:\\.${ATOM})*|"(?:[^"\\\\]|\\\\.)+")@(?:${ATOM}(?:\\.${ATOM})*|\\[[^[\\]\\\\]*\\])$`,
  "isu",
);
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const HOSTNAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, "i");
const POINTER = "(?:/(?:[^~/]|~0|~1)*)*";
const JSON_POINTER = new RegExp(`^${POINTER}$`, "s");
const RELATIVE_POINTER = new RegExp(`^(?:0|[1-9]\\d*)(?:#|${POINTER})$`, "s");

const CLOCK = "15:04:05";
const CLOCK_AND_ZONE = "15:04:05Z07:00";
const DAY = "2006-01-02";

const email: Format = (text) => {
  const groups = EMAIL.exec(text.trim())?.groups;
  return groups !== undefined && ADDRESS.test((groups.angle ?? groups.bare ?? "").trim());
};
const uri: Format = (text, context) => (uriOf(text, context)?.scheme ?? "") !== "";
const uriReference: Format = (text, context) => uriOf(text, context) !== undefined;

const FORMATS: Readonly<Record<string, Format>> = {
  date: fits(DAY),
  time: fits(CLOCK_AND_ZONE, CLOCK),
  "date-time": fits(CLOCK, CLOCK_AND_ZONE, DAY, layoutOf("RFC3339")),
  hostname: (text) => text.length < 256 && HOSTNAME.test(text),
  email,
  "idn-email": email,
  ipv4: (text) => text.includes(".") && parseAddress(text) !== undefined,
  ipv6: (text) => text.includes(":") && parseAddress(text) !== undefined,
  uri,
  iri: uri,
  "uri-reference": uriReference,
  "iri-reference": uriReference,
  "uri-template": (text, context) => {
    const parts = uriOf(text, context);
    return parts !== undefined && /^[^{]*(?:\{[^}]*\}[^{]*)*$/.test(parts.path ?? "");
  },
  uuid: (text) => /^[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}$/i.test(text),
  regex: (text, context) => succeeds(() => patternOf(text, "", (steps) => context.spend(steps))),
  "json-pointer": (text) => JSON_POINTER.test(text),
  "relative-json-pointer": (text) => RELATIVE_POINTER.test(text),
};

/** Whether a text has a format; every text has one that is not known. */
export function hasFormat(text: string, format: string, context: BuiltinContext): boolean {
  context.spend(text.length);
  return !Object.hasOwn(FORMATS, format) || FORMATS[format]?.(text, context) === true;
}

function fits(...layouts: readonly string[]): Format {
  return (text) => layouts.some((layout) => succeeds(() => parseTime(text, layout)));
}

function uriOf(text: string, context: BuiltinContext): Record<string, string> | undefined {
  let parts: Record<string, string> | undefined;
  const read = (): unknown => (parts = parseUri(text, context));
  return !text.includes("\\") && succeeds(read) ? parts : undefined;
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch (cause) {
    if (cause instanceof BuiltinFailure) return false;
    throw cause;
  }
}
