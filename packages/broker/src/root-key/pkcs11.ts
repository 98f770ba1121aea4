// SPDX-License-Identifier: Apache-2.0
// The root keys under an AES key of a PKCS #11 token (HSM, smart card, SoftHSM), which never leaves it.

import { fromBase64Url, fromUtf8, toBase64Url } from "@adyton/core/bytes";
import { BrokerError } from "../errors.ts";
import { openPkcs11Token, type Pkcs11Token, type TokenKey } from "../pkcs11/token.ts";
import { type RootKeyProvider, refusedKey, strangeRecord } from "./provider.ts";

export interface Pkcs11ProviderOptions {
  /** The shared library. It is code: named by whoever starts the broker, never by a record. */
  readonly module: string;
  readonly pin: () => Promise<string>;
  /** Label of the token, for new records. Default: the token in the first slot. */
  readonly tokenLabel?: string;
  /** Label of the AES-256 key, made in the token when there is none. Default `adyton-root`. */
  readonly keyLabel?: string;
}

const KIND = "pkcs11";
const DEFAULT_LABEL = "adyton-root";
const CONTEXT = "adyton root keys under a token";

export function pkcs11Provider(options: Pkcs11ProviderOptions): RootKeyProvider {
  const { keyLabel = DEFAULT_LABEL, tokenLabel } = options;
  return {
    kind: KIND,
    protect: (key) =>
      withToken(options, tokenLabel, (token) => {
        const wrapping = aesKey(token, keyLabel, true);
        const wrapped = toBase64Url(token.seal(wrapping, key, fromUtf8(CONTEXT)));
        return { keyLabel, ...(tokenLabel === undefined ? {} : { tokenLabel }), wrapped };
      }),
    recover: async ({ wrapped, keyLabel: label, tokenLabel: token }) => {
      if (typeof wrapped !== "string" || typeof label !== "string") throw strangeRecord(KIND);
      if (token !== undefined && typeof token !== "string") throw strangeRecord(KIND);
      return withToken(options, token, (opened) => {
        const key = aesKey(opened, label, false);
        try {
          return opened.open(key, fromBase64Url(wrapped), fromUtf8(CONTEXT));
        } catch (cause) {
          throw refusedKey(
            `the token's key ${JSON.stringify(label)} does not open them`,
            "See that it is the token they were put under.",
            cause,
          );
        }
      });
    },
  };
}

async function withToken<T>(
  { module, pin }: Pkcs11ProviderOptions,
  tokenLabel: string | undefined,
  use: (token: Pkcs11Token) => T,
): Promise<T> {
  const token = await openPkcs11Token({
    ...{ module, pin: await pin() },
    ...(tokenLabel === undefined ? {} : { tokenLabel }),
  });
  try {
    return use(token);
  } finally {
    token.close();
  }
}

function aesKey(token: Pkcs11Token, label: string, make: boolean): TokenKey {
  const key = token.aesKey(label, { make });
  if (key !== undefined) return key;
  throw new BrokerError(
    "ROOT_KEY_REFUSED",
    "not-authentic",
    `Cannot open the root keys: the token has no AES key ${JSON.stringify(label)}`,
    { hint: "See that it is the token they were put under." },
  );
}
