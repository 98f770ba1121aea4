// SPDX-License-Identifier: Apache-2.0
// Secrets that rest in a PKCS #11 token as generic secret keys, labelled with their names as Trustee does: one version,
// and what is deleted is gone.

import { BrokerError } from "../errors.ts";
import type { Pkcs11Token } from "../pkcs11/token.ts";
import { parseResourcePath, resourceName } from "../resource-path.ts";
import type { ResourceBackend } from "./types.ts";

/** Closing the token is the affair of whoever opened it. */
export function pkcs11Backend(token: Pkcs11Token): ResourceBackend {
  return {
    kind: "pkcs11",
    transactional: false,
    get: async (name, version = 1) => {
      const [handle] = version === 1 ? token.secrets(name) : [];
      if (handle === undefined) return undefined;
      const secret = token.secretValue(handle);
      if (secret !== undefined) return { secret, version: 1 };
      throw new BrokerError(
        "BACKEND_FAILED",
        "unavailable",
        `Cannot read ${name}: the token does not show it`,
      );
    },
    put: async (name, secret) => {
      const before = token.secrets(name);
      // The new one first: a token that fails in between still has the old.
      token.putSecret(name, secret);
      for (const handle of before) token.destroy(handle);
      return 1;
    },
    delete: async (name) => {
      const handles = token.secrets(name);
      for (const handle of handles) token.destroy(handle);
      return handles.length > 0;
    },
    list: async (prefix = "") => {
      const names = token.secretLabels().filter((label) => isName(label) && label.startsWith(prefix));
      return [...new Set(names)].sort();
    },
    versions: async (name) => (token.secrets(name).length === 0 ? undefined : { versions: [{ version: 1 }] }),
  };
}

/** Tokens hold keys of others, too. */
function isName(label: string): boolean {
  try {
    return resourceName(parseResourcePath(label)) === label;
  } catch {
    return false;
  }
}
