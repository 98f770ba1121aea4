// SPDX-License-Identifier: Apache-2.0
// Which provider keeps the root keys: named for a new state folder, read from root-keys.json of an old one; and what each
// needs to be told to open them, which stands in no file of ours.

import { BrokerError } from "../errors.ts";
import { fileProvider } from "./file.ts";
import { passphraseProvider } from "./passphrase.ts";
import { type Pkcs11ProviderOptions, pkcs11Provider } from "./pkcs11.ts";
import type { RootKeyProvider } from "./provider.ts";
import type { ScryptCost } from "./seal.ts";
import { type TpmProviderOptions, tpmProvider } from "./tpm.ts";
import { type VaultTransitOptions, vaultTransitProvider } from "./vault-transit.ts";

export const ROOT_KEY_KINDS = ["file", "passphrase", "tpm", "pkcs11", "vault-transit"] as const;
export type RootKeyKind = (typeof ROOT_KEY_KINDS)[number];

export interface RootKeyAccess {
  /** For a new state folder. Default `file`. */
  readonly kind?: RootKeyKind;
  /**
   * Take nothing from the record of the root keys that could lead elsewhere: it has to be of `kind`, and a key service is asked
   * only at the place that is named here. For records that stand where others may write. Default false.
   */
  readonly pinned?: boolean;
  /** Asked when the root keys are opened; with `true`, when they are put under a new passphrase. */
  readonly passphrase?: (isNew: boolean) => Promise<string>;
  /** For new records under a passphrase. */
  readonly cost?: ScryptCost;
  readonly tpm?: TpmProviderOptions;
  readonly pkcs11?: Pkcs11ProviderOptions;
  readonly vaultTransit?: VaultTransitOptions;
}

/** The provider of a kind for the state in `folder`. Throws `ROOT_KEY_REFUSED` when it is not told what it needs. */
export function rootKeyProvider(
  kind: string | undefined,
  folder: string,
  access: RootKeyAccess = {},
): RootKeyProvider {
  const { passphrase, cost, tpm, pkcs11, vaultTransit, pinned = false } = access;
  const wanted = access.kind ?? "file";
  if (pinned && kind !== undefined && kind !== wanted) {
    throw new BrokerError(
      "ROOT_KEY_REFUSED",
      "misuse",
      `Cannot open the root keys: they are kept by ${JSON.stringify(kind)}, expected ${wanted}`,
      { hint: "Over PostgreSQL every replica has to say who keeps them (--root-key)." },
    );
  }
  switch (kind ?? wanted) {
    case "file":
      return fileProvider(folder);
    case "passphrase":
      if (passphrase === undefined) throw needs("a passphrase");
      return passphraseProvider({ passphrase, ...(cost === undefined ? {} : { cost }) });
    case "tpm":
      return tpmProvider(tpm);
    case "pkcs11":
      if (pkcs11 === undefined) throw needs("the module and the PIN of a PKCS #11 token");
      return pkcs11Provider(pkcs11);
    case "vault-transit":
      if (vaultTransit === undefined) throw needs("a token for the transit engine");
      return vaultTransitProvider({ ...vaultTransit, pinned });
    default:
      throw new BrokerError(
        "STATE_INVALID",
        "malformed",
        `Cannot open the root keys: no provider is called ${JSON.stringify(kind)}`,
        { hint: "Open them with the release that wrote them." },
      );
  }
}

function needs(what: string): BrokerError {
  return new BrokerError("ROOT_KEY_REFUSED", "misuse", `Cannot open the root keys: they need ${what}`, {
    hint: "Pass it: see the options of `adyton up` that begin with root-.",
  });
}
