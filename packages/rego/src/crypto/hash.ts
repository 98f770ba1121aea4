// SPDX-License-Identifier: Apache-2.0
// Digests and message authentication codes: crypto.md5, crypto.sha1, crypto.sha256, crypto.hmac.*.

import { equalConstantTime, toHex } from "@adyton/core/bytes";
import { type DigestName, syncCrypto } from "@adyton/core/sync-crypto";
import type { Builtin, BuiltinContext } from "../builtin.ts";
import { define, stringAt } from "../builtins/define.ts";
import { BOOLEAN, STRING } from "../types.ts";
import { bytesOf } from "../utf8.ts";
import type { Value } from "../value.ts";
import { stepsFor } from "./guard.ts";

export const hashBuiltins: readonly Builtin[] = [
  digest("crypto.md5", "MD5"),
  digest("crypto.sha1", "SHA-1"),
  digest("crypto.sha256", "SHA-256"),
  mac("crypto.hmac.md5", "MD5"),
  mac("crypto.hmac.sha1", "SHA-1"),
  mac("crypto.hmac.sha256", "SHA-256"),
  mac("crypto.hmac.sha512", "SHA-512"),
  define(
    "crypto.hmac.equal",
    [STRING, STRING],
    BOOLEAN,
    (left: Value, right: Value, context: BuiltinContext): boolean => {
      const [a, b] = [bytesOf(stringAt(left, 1)), bytesOf(stringAt(right, 2))];
      context.spend(stepsFor(a.length + b.length));
      return equalConstantTime(a, b);
    },
  ),
];

function digest(name: string, hash: DigestName): Builtin {
  return define(name, [STRING], STRING, (text: Value, context: BuiltinContext): string => {
    const bytes = bytesOf(stringAt(text, 1));
    context.spend(stepsFor(bytes.length));
    return toHex(syncCrypto.digest(hash, bytes));
  });
}

function mac(name: string, hash: DigestName): Builtin {
  return define(
    name,
    [STRING, STRING],
    STRING,
    (text: Value, key: Value, context: BuiltinContext): string => {
      const [message, secret] = [bytesOf(stringAt(text, 1)), bytesOf(stringAt(key, 2))];
      context.spend(stepsFor(message.length + secret.length));
      return toHex(syncCrypto.hmac(hash, secret, message));
    },
  );
}
