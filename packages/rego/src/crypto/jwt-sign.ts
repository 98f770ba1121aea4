// SPDX-License-Identifier: Apache-2.0
// Signing of tokens: io.jwt.encode_sign, io.jwt.encode_sign_raw (RFC 7515 section 7.1). RSA signs in Node alone.

import { type Bytes, fromBase64Url, fromUtf8, toBase64Url } from "@adyton/core/bytes";
import { syncCrypto } from "@adyton/core/sync-crypto";
import { type Builtin, type BuiltinContext, BuiltinFailure } from "../builtin.ts";
import { define, failure, objectAt, stringAt } from "../builtins/define.ts";
import { jsonOf, parseJson } from "../json-text.ts";
import { ANY, dictionaryOf, STRING } from "../types.ts";
import { bytesOf } from "../utf8.ts";
import { isObject, memberOf, type Value } from "../value.ts";
import { guarded, SIGNATURE_STEPS, stepsFor } from "./guard.ts";
import { ALGORITHMS, jwksOf, type TokenAlgorithm, textMember } from "./jwt-keys.ts";
import { partsOfJwk, pkcs8Of } from "./private-key.ts";

const RECORD = dictionaryOf(STRING, ANY);

export const jwtSignBuiltins: readonly Builtin[] = [
  {
    ...define(
      "io.jwt.encode_sign",
      [RECORD, RECORD, RECORD],
      STRING,
      (header: Value, payload: Value, key: Value, context: BuiltinContext): string =>
        encodeSigned(
          jsonOf(objectAt(header, 1)),
          jsonOf(objectAt(payload, 2)),
          () => objectAt(key, 3),
          context,
        ),
    ),
    nondeterministic: true,
  },
  {
    ...define(
      "io.jwt.encode_sign_raw",
      [STRING, STRING, STRING],
      STRING,
      (header: Value, payload: Value, key: Value, context: BuiltinContext): string => {
        const jwk = stringAt(key, 3);
        return encodeSigned(stringAt(header, 1), stringAt(payload, 2), () => parseJson(jwk), context);
      },
    ),
    nondeterministic: true,
  },
];

function encodeSigned(header: string, payload: string, key: () => Value, context: BuiltinContext): string {
  context.spend(4 * stepsFor(header.length + payload.length) + SIGNATURE_STEPS);
  const [jwk] = jwksOf(key());
  if (jwk === undefined) throw failure("no keys found in JWK set");
  const fields = parseJson(header);
  const alg = isObject(fields) ? memberOf(fields, "alg") : undefined;
  if (typeof alg !== "string") throw failure("missing or invalid 'alg' header");
  const algorithm = ALGORITHMS.get(alg);
  if (algorithm === undefined) throw failure("unknown JWS algorithm");
  const type = memberOf(fields, "typ");
  if ((typeof type !== "string" || type === "JWT") && !isJson(payload))
    throw failure("type is JWT but payload is not JSON");
  const signed = `${toBase64Url(bytesOf(header))}.${toBase64Url(bytesOf(payload))}`;
  return `${signed}.${toBase64Url(guarded(() => signatureOf(jwk, algorithm, fromUtf8(signed))))}`;
}

function signatureOf(jwk: Value, algorithm: TokenAlgorithm, signed: Bytes): Bytes {
  const isSecret = textMember(jwk, "kty") === "oct";
  if ("hmac" in algorithm) {
    if (!isSecret) throw failure("an HMAC needs a JSON web key of kind oct");
    return syncCrypto.hmac(algorithm.hmac, fromBase64Url(textMember(jwk, "k")), signed);
  }
  if (isSecret) throw failure("a signature needs a private JSON web key, not one of kind oct");
  const key = syncCrypto.importPrivateKey(
    pkcs8Of(partsOfJwk((name) => (memberOf(jwk, name) === undefined ? undefined : textMember(jwk, name)))),
  );
  const { algorithm: kind } = key.publicKey;
  if (algorithm.curve !== undefined && (kind.name !== "EC" || kind.curve !== algorithm.curve))
    throw failure(`a key on ${algorithm.curve} is needed`);
  return key.sign(algorithm.how, signed);
}

function isJson(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch (error) {
    if (error instanceof BuiltinFailure) return false;
    throw error;
  }
}
