// SPDX-License-Identifier: Apache-2.0
// Pages of `adyton token`.

import type { ArgumentSpec, Group } from "../frame/command.ts";

const FILE: ArgumentSpec = {
  name: "FILE",
  summary:
    "the token, - for stdin: a JWT; a CWT in bytes, hex or base64; or the JSON answer of a service that holds one",
  file: true,
};

export const token: Group = {
  kind: "group",
  name: "token",
  summary: "read attestation results and establish who issued them",
  description: [
    "An attestation result (EAR) is what a verifier says of evidence, signed: a JWT or a CWT in Trustee's profile or Veraison's. Status and trust vector are told in words.",
  ],
  commands: [
    {
      kind: "command",
      name: "inspect",
      summary: "show what a token says, without verifying it",
      description: [
        "Prints header, times, and for each submodule its status, its trust vector in words and what was found. Nothing is verified: anyone can write a token that says anything.",
      ],
      arguments: [FILE],
      options: [{ name: "claims", summary: "print all claims as they stand, too" }],
      exits: [2, 6],
      examples: [
        { line: "adyton token inspect token.jwt", what: "Shows a token." },
        {
          line: "adyton token inspect result.cwt --json | jq .claims.submods",
          what: "Picks the submodules.",
        },
      ],
      next: "`adyton token verify FILE --jwks WHERE` says whether it is true.",
      load: async () => (await import("../token/inspect.ts")).inspect,
    },
    {
      kind: "command",
      name: "verify",
      summary: "verify a token's signature, times and status",
      description: [
        "Checks the signature under the keys that you name, the profile, the times, and that every submodule is affirming; any other status exits 5. Only --jwks and --url with an address reach the network; the key inside a token is never trusted.",
      ],
      arguments: [FILE],
      options: [
        {
          name: "jwks",
          value: "WHERE",
          multiple: true,
          file: true,
          summary: "trust the keys of this JWK set: a file, or an https:// address",
        },
        {
          name: "key",
          value: "FILE",
          multiple: true,
          file: true,
          summary: "trust this key: a JWK, or a public key or certificate in PEM",
        },
        {
          name: "url",
          value: "URL",
          summary: "trust the keys that the trust services at this address publish",
        },
        { name: "issuer", value: "NAME", summary: "require this issuer" },
        { name: "nonce", value: "HEX", summary: "require this nonce" },
        {
          name: "max-age",
          value: "SECONDS",
          summary: "refuse older tokens; needed for those that name no end (Veraison's)",
        },
        { name: "tolerance", value: "SECONDS", summary: "how far clocks may differ; default 0" },
        { name: "at", value: "TIME", summary: "verify for this time; default now" },
        { name: "claims", summary: "print all claims as they stand, too" },
      ],
      exits: [2, 3, 5, 6],
      examples: [
        {
          line: "adyton token verify token.jwt --url http://127.0.0.1:8080",
          what: "Under the keys of services.",
        },
        {
          line: "adyton token verify result.cwt --key verifier.pem --nonce 00ff… --max-age 300",
          what: "Under one key, for one challenge.",
        },
      ],
      next: "The claims of a verified token may decide; those of `inspect` must not.",
      load: async () => (await import("../token/verify.ts")).verify,
    },
  ],
};
