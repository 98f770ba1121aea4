// SPDX-License-Identifier: Apache-2.0
// io.jwt.decode_verify: signature and registered claims of a token (RFC 7519 sections 4.1 and 7.2) in one step.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { define, failure, objectAt } from "../builtins/define.ts";
import { ANY, BOOLEAN, dictionaryOf, STRING, tupleOf } from "../types.ts";
import { bytesOf, textOf } from "../utf8.ts";
import {
  compareNumbers,
  entriesOf,
  kindOf,
  memberOf,
  type PlainObject,
  type RegoNumber,
  type Value,
} from "../value.ts";
import { ALGORITHMS, type TokenKey } from "./jwt-keys.ts";
import { fieldsOf, objectIn, Token } from "./jwt-token.ts";
import { isMac, isSignedByOne, keysFor, paidToken } from "./jwt-verify.ts";

interface Constraints {
  readonly keys: readonly TokenKey[] | undefined;
  readonly secret: string;
  readonly alg: string;
  readonly iss: string;
  readonly aud: string;
  /** Seconds since 1970. */
  readonly time: number;
}

const RECORD = dictionaryOf(ANY, ANY);
const REFUSED: Value = [false, {}, {}];
const NANOSECONDS = 1_000_000_000;

export const jwtDecodeVerify: Builtin = {
  ...define(
    "io.jwt.decode_verify",
    [STRING, dictionaryOf(STRING, ANY)],
    tupleOf(BOOLEAN, RECORD, RECORD),
    (text: Value, options: Value, context: BuiltinContext): Value => {
      const constraints = constraintsOf(objectAt(options, 2), context);
      let token = new Token(paidToken(text, context));
      for (;;) {
        const { alg, cty, valid } = fieldsOf(token.header);
        if (!valid || (constraints.alg !== "" && constraints.alg !== alg)) return REFUSED;
        if (!isAuthentic(token, alg, constraints, context)) return REFUSED;
        if (!/^jwt$/i.test(cty)) break;
        token = new Token(textOf(token.payload));
      }
      const payload = objectIn(token.payload, "payload");
      return claimsHold(payload, constraints) ? [true, token.header, payload] : REFUSED;
    },
  ),
  nondeterministic: true,
};

function isAuthentic(
  token: Token,
  alg: string,
  { keys, secret }: Constraints,
  context: BuiltinContext,
): boolean {
  // Decoded first: a signature that is no base64url is a failure, whatever the header says.
  if (!token.isCanonical) return false;
  const algorithm = ALGORITHMS.get(alg);
  if (algorithm === undefined) return false;
  return keys === undefined
    ? isMac(algorithm, token, bytesOf(secret))
    : isSignedByOne(keys, algorithm, token, context);
}

function claimsHold(payload: PlainObject, { iss, aud, time }: Constraints): boolean {
  if (iss !== "" && memberOf(payload, "iss") !== iss) return false;
  const audience = memberOf(payload, "aud");
  // A token for someone is for nobody else: without a wanted audience none fits.
  if (audience === undefined ? aud !== "" : ![audience].flat().includes(aud)) return false;
  const [expires, begins] = [timeOf(payload, "exp"), timeOf(payload, "nbf")];
  if (expires !== undefined && compareNumbers(time, expires) >= 0) return false;
  return begins === undefined || compareNumbers(time, begins) >= 0;
}

function timeOf(payload: PlainObject, name: string): RegoNumber | undefined {
  const value = memberOf(payload, name);
  if (value === undefined) return undefined;
  if (kindOf(value) === "number") return value as RegoNumber;
  throw failure(`${name} value must be a number`);
}

/** Anything unknown is refused. */
function constraintsOf(options: ReturnType<typeof objectAt>, context: BuiltinContext): Constraints {
  let keys: readonly TokenKey[] | undefined;
  let time: number | undefined;
  const texts = { secret: "", alg: "", iss: "", aud: "" };
  for (const [name, value] of entriesOf(options)) {
    if (name === "time") {
      if (kindOf(value) !== "number") throw failure("token time constraint: must be a number");
      time = Number(value) / NANOSECONDS;
      if (!(time >= 0)) throw failure("token time constraint: must not be negative");
      continue;
    }
    if (name !== "cert" && name !== "secret" && name !== "alg" && name !== "iss" && name !== "aud")
      throw failure("unknown token validation constraint");
    if (typeof value !== "string") throw failure(`${name} constraint: must be a string`);
    if (name === "cert") keys = keysFor(value, context);
    else texts[name] = value;
  }
  if (keys !== undefined && texts.secret !== "") throw failure("duplicate key constraints");
  if (keys === undefined && texts.secret === "") throw failure("no key constraint");
  return { keys, ...texts, time: time ?? Number(context.now()) / NANOSECONDS };
}
