// SPDX-License-Identifier: Apache-2.0
// The functions of crypto.*, io.jwt.* and providers.aws.*: pass them to `compile` where policies need them.

import type { Builtin } from "../builtin.ts";
import { awsBuiltins } from "./aws.ts";
import { hashBuiltins } from "./hash.ts";
import { jwtDecodeVerify } from "./jwt-decode-verify.ts";
import { jwtSignBuiltins } from "./jwt-sign.ts";
import { jwtVerifyBuiltins } from "./jwt-verify.ts";
import { x509Builtins } from "./x509.ts";

export const cryptoBuiltins: readonly Builtin[] = [
  ...hashBuiltins,
  ...x509Builtins,
  ...jwtVerifyBuiltins,
  jwtDecodeVerify,
  ...jwtSignBuiltins,
  ...awsBuiltins,
];
