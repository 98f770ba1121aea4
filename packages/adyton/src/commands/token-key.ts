// SPDX-License-Identifier: Apache-2.0
// Pages of the commands about the keys that sign attestation results.

import type { Group } from "../frame/command.ts";
import { ADMIN } from "./services.ts";

export const tokenKey: Group = {
  kind: "group",
  name: "token-key",
  summary: "the keys that sign attestation results: list, rotate",
  description: [
    "Running trust services sign each attestation result with one key. Those before it are shown at /.well-known/jwks.json until their tokens have expired. A tenant's are its own: name it with $ADYTON_TENANT.",
  ],
  commands: [
    {
      kind: "command",
      name: "list",
      summary: "list the keys whose tokens hold",
      description: ["The one that signs comes first."],
      arguments: [],
      options: ADMIN,
      exits: [3, 6],
      examples: [{ line: "adyton token-key list --json", what: "Lists them, for programs." }],
      next: "`adyton token-key rotate` makes a new one.",
      load: async () => (await import("../services/token-key.ts")).list,
    },
    {
      kind: "command",
      name: "rotate",
      summary: "sign with a new key from here on",
      description: [
        "The private half of the present key is destroyed; its public half is shown until the last token that it signed has expired. All replicas sign with the new one within a second. Relying parties that fetch the keys again when they meet an unknown kid notice nothing.",
      ],
      arguments: [],
      options: [
        ...ADMIN,
        {
          name: "algorithm",
          value: "ALG",
          summary: "of the new key; default as the present one",
          choices: ["ES256", "ES384", "EdDSA"],
        },
      ],
      exits: [3, 6],
      examples: [
        { line: "adyton token-key rotate", what: "Rotates." },
        { line: "adyton token-key rotate --algorithm ES384", what: "From here on with ECDSA on P-384." },
      ],
      next: "`adyton token-key list` shows until when the old one is shown.",
      load: async () => (await import("../services/token-key.ts")).rotate,
    },
  ],
};
