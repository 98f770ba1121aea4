// SPDX-License-Identifier: Apache-2.0
// From options and environment to what opens root keys. Files with secrets are read when they are needed, and once.

import type { RootKeyAccess, RootKeyKind } from "@adyton/broker";
import { toUtf8 } from "@adyton/core/bytes";
import { ROOT_KEY_CHOICES } from "../commands/root-options.ts";
import { misuse } from "../errors.ts";
import { readInput } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import type { Io } from "../io.ts";
import { integerOf } from "../values.ts";

const PCRS = "SHA-256";
const DEFAULT_KEY = "adyton";

/** Who is to keep the root keys of a new state: `--root-key` or the environment. Throws `INVALID_VALUE`. */
export function newRootKeyKind(invocation: Invocation, io: Io): RootKeyKind | undefined {
  return kindOf(invocation.value("root-key") ?? (io.env.ADYTON_ROOT_KEY || undefined));
}

/** What the options named root-… say, for root keys that are there or, of `kind`, are to be made. Throws `INVALID_VALUE`. */
export function rootKeyAccess(invocation: Invocation, io: Io, kind?: RootKeyKind): RootKeyAccess {
  const value = (option: string, variable: string): string | undefined =>
    invocation.value(option) ?? (io.env[variable] === "" ? undefined : io.env[variable]);
  const passphrase = value("root-passphrase-file", "ADYTON_ROOT_PASSPHRASE_FILE");
  const address = value("root-tpm", "ADYTON_TPM");
  const pcrs = invocation.value("root-pcrs");
  const module = value("root-pkcs11-module", "ADYTON_PKCS11_MODULE");
  const pin = value("root-pin-file", "ADYTON_ROOT_PIN_FILE");
  const tokenLabel = invocation.value("root-pkcs11-token");
  const vaultToken = value("root-vault-token-file", "ADYTON_ROOT_VAULT_TOKEN_FILE");
  const url = invocation.value("root-vault-url");
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(passphrase === undefined ? {} : { passphrase: secretIn(passphrase, io) }),
    tpm: {
      ...(address === undefined ? {} : { address }),
      ...(pcrs === undefined ? {} : { pcrs: { hash: PCRS, indices: indicesOf(pcrs) } }),
    },
    ...(module === undefined || pin === undefined
      ? {}
      : { pkcs11: { module, pin: secretIn(pin, io), ...(tokenLabel === undefined ? {} : { tokenLabel }) } }),
    ...(vaultToken === undefined
      ? {}
      : {
          vaultTransit: {
            token: secretIn(vaultToken, io),
            ...(url === undefined
              ? {}
              : { place: { url, key: invocation.value("root-vault-key") ?? DEFAULT_KEY } }),
          },
        }),
  };
}

/**
 * Asks for the passphrase, once, where somebody sits at a terminal; twice for a new one, which nobody could open if it were
 * mistyped. Rejects with `INVALID_VALUE` when the two differ.
 */
export function askedPassphrase({ askSecret }: Io): RootKeyAccess {
  if (askSecret === undefined) return {};
  let asked: Promise<string> | undefined;
  const ask = async (isNew: boolean): Promise<string> => {
    const text = await askSecret(
      isNew ? "New passphrase of the root keys: " : "Passphrase of the root keys: ",
    );
    if (isNew && (await askSecret("Once more: ")) !== text)
      throw misuse("INVALID_VALUE", "Cannot take the passphrase: the two are not the same");
    return text;
  };
  return {
    passphrase: (isNew) => {
      asked ??= ask(isNew);
      return asked;
    },
  };
}

/** Several sayings: the last counts. */
export function together(...all: readonly RootKeyAccess[]): RootKeyAccess {
  const tpm = Object.assign({}, ...all.map((each) => each.tpm)) as NonNullable<RootKeyAccess["tpm"]>;
  return Object.assign({}, ...all, { tpm }) as RootKeyAccess;
}

/** The secret in a file, without the line break at its end; the file is read at the first call. */
export function secretIn(path: string, io: Io): () => Promise<string> {
  let read: Promise<string> | undefined;
  return () => {
    read ??= readInput(path, io).then((bytes) => {
      try {
        return toUtf8(bytes).replace(/\r?\n$/, "");
      } catch {
        throw misuse("INVALID_VALUE", `Cannot use ${path}: it is no text`);
      }
    });
    return read;
  };
}

/** A kind of root key by its name, undefined for none. Throws `INVALID_VALUE`. */
export function kindOf(text: string | undefined): RootKeyKind | undefined {
  if (text === undefined) return undefined;
  const kind = ROOT_KEY_CHOICES.find((each) => each === text);
  if (kind !== undefined) return kind;
  throw misuse(
    "INVALID_VALUE",
    `Cannot take ${JSON.stringify(text)} for --root-key: expected ${ROOT_KEY_CHOICES.join(", ")}`,
  );
}

function indicesOf(text: string): number[] {
  return text === "" ? [] : text.split(",").map((index) => integerOf("root-pcrs", index.trim(), 0, 23));
}
