// SPDX-License-Identifier: Apache-2.0
// Signatures of JSON Web Tokens: io.jwt.decode, io.jwt.verify_*. Stricter than OPA where RFC 7518 is: an ES token takes
// a key on its own curve, a PS token a salt as long as its hash.

import { equalConstantTime, toHex } from "@adyton/core/bytes";
import { syncCrypto } from "@adyton/core/sync-crypto";
import type { Builtin, BuiltinContext } from "../builtin.ts";
import { define, stringAt } from "../builtins/define.ts";
import { ANY, BOOLEAN, dictionaryOf, STRING, tupleOf } from "../types.ts";
import { bytesOf } from "../utf8.ts";
import type { Value } from "../value.ts";
import { SIGNATURE_STEPS, stepsFor } from "./guard.ts";
import { ALGORITHMS, isSignature, type TokenAlgorithm, type TokenKey, tokenKeysOf } from "./jwt-keys.ts";
import { fieldsOf, objectIn, Token, unwrapped } from "./jwt-token.ts";

const RECORD = dictionaryOf(ANY, ANY);

export const jwtVerifyBuiltins: readonly Builtin[] = [
  define(
    "io.jwt.decode",
    [STRING],
    tupleOf(RECORD, RECORD, STRING),
    (text: Value, context: BuiltinContext) => {
      const jwt = paidToken(text, context);
      const { header, payload, signature } = unwrapped(jwt);
      return [header, objectIn(payload, "payload"), toHex(signature)];
    },
  ),
  ...[...ALGORITHMS].map(([name, algorithm]) =>
    define(
      `io.jwt.verify_${name.toLowerCase()}`,
      [STRING, STRING],
      BOOLEAN,
      (text: Value, key: Value, context: BuiltinContext): boolean => {
        const token = new Token(paidToken(text, context));
        const secret = stringAt(key, 2);
        if ("hmac" in algorithm) return isMac(algorithm, token, bytesOf(secret));
        return isSignedByOne(keysFor(secret, context), algorithm, token, context);
      },
    ),
  ),
];

/** The text of a token, its decoding paid for. */
export function paidToken(text: Value, context: BuiltinContext): string {
  const jwt = stringAt(text, 1);
  context.spend(4 * stepsFor(jwt.length));
  return jwt;
}

/** Read once in an evaluation: policies check many tokens with one set of keys. */
export function keysFor(text: string, context: BuiltinContext): readonly TokenKey[] {
  return context.cached(`io.jwt keys ${text}`, () => {
    context.spend(8 * stepsFor(text.length));
    return tokenKeysOf(text);
  });
}

export function isMac(algorithm: TokenAlgorithm, token: Token, secret: Uint8Array): boolean {
  if (!token.isCanonical || !("hmac" in algorithm)) return false;
  return equalConstantTime(token.signature, syncCrypto.hmac(algorithm.hmac, secret, token.signed));
}

/**
 * Signed by the key whose id the header names, if there is one; by any whose algorithm fits otherwise. A key that names
 * no algorithm fits every one of its kind.
 */
export function isSignedByOne(
  keys: readonly TokenKey[],
  algorithm: TokenAlgorithm,
  token: Token,
  context: BuiltinContext,
): boolean {
  const { isCanonical } = token;
  const { kid, alg } = fieldsOf(token.header);
  const check = (key: TokenKey): boolean => {
    context.spend(SIGNATURE_STEPS);
    if (key.secret !== undefined) return isMac(algorithm, token, key.secret);
    return isCanonical && isSignature(key, algorithm, token.signature, token.signed);
  };
  const named = kid === "" ? undefined : keys.find((key) => key.kid === kid);
  if (named !== undefined) return check(named);
  return keys.some((key) => (key.alg === "" || key.alg === alg) && check(key));
}
