// SPDX-License-Identifier: Apache-2.0
// Pages of `adyton certificate`.

import type { Group } from "../frame/command.ts";
import { ATTESTED } from "./services.ts";

export const certificate: Group = {
  kind: "group",
  name: "certificate",
  summary: "get certificates of the mesh by attesting",
  description: [
    "The trust services' mesh CA issues short-lived X.509 certificates with SPIFFE ids to workloads that attest and whom the resource policy allows the identity. The services have to run the plugin ca.",
  ],
  commands: [
    {
      kind: "command",
      name: "get",
      summary: "get a certificate by attesting on this machine",
      description: [
        "Makes a key, collects evidence here that binds it, and writes three files into a folder: key.pem, cert.pem and ca.pem (what peers trust). All are files that only you can read; those of an older certificate are replaced, with a new key.",
        "IDENTITY is the path of the SPIFFE id: payments/api becomes spiffe://TRUST-DOMAIN/payments/api.",
      ],
      arguments: [
        { name: "IDENTITY", summary: "what the workload is to be called, for example payments/api" },
      ],
      options: [
        ...ATTESTED,
        {
          name: "out-dir",
          value: "DIR",
          summary: "the folder for the three files; made if need be",
          file: true,
        },
        { name: "dns", value: "NAME", summary: "a DNS name besides, of those that the services give out" },
        { name: "plugin", value: "NAME", summary: "the CA's name at the services; default ca" },
      ],
      exits: [3, 4, 5, 6],
      examples: [
        {
          line: "adyton certificate get payments/api --out-dir /run/tls",
          what: "A key and a certificate, ready for a server.",
        },
        {
          line: "adyton certificate get web --dns web.example.org --out-dir tls --json",
          what: "With a DNS name; says where the files are.",
        },
      ],
      next: "Have it run again before the certificate ends, and your server read the files anew.",
      load: async () => (await import("../services/certificate.ts")).get,
    },
  ],
};
