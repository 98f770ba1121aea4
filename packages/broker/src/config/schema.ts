// SPDX-License-Identifier: Apache-2.0
// The one description of the broker's configuration: files, environment, flags, `docs/configuration.md` and the JSON
// schema all come from here.

import { z } from "zod";
import { PROTOCOL_LINES } from "../protocol.ts";
import { ROOT_KEY_KINDS } from "../root-key/access.ts";
import { adminSchema, pluginsSchema } from "./schema-parts.ts";
import type { Settings } from "./settings.ts";

const file = z.string().min(1).meta({ format: "path" });
const seconds = z.number().positive().max(86_400);
const count = z.int().positive();

const tls = z
  .strictObject({
    certificate: file.describe("PEM file: the server's certificate, then those between it and its root"),
    key: file.describe("PEM file: the certificate's private key"),
    profile: z
      .enum(["modern", "intermediate"])
      .default("modern")
      .describe("modern: TLS 1.3 alone; intermediate: TLS 1.2 too, with forward secrecy and AEAD ciphers"),
    client_certificates: z
      .enum(["none", "optional", "required"])
      .default("none")
      .describe("whether clients are asked for a certificate, which admin.certificates can name"),
    client_ca: file
      .exactOptional()
      .describe("PEM file: the authorities that client certificates are checked against"),
    reload_seconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(10)
      .describe("how often the files are looked at; new ones are taken without a restart; 0: only on SIGHUP"),
  })
  .exactOptional()
  .describe("serve HTTPS (HTTP/1.1 and HTTP/2 on one port)");

const server = z
  .strictObject({
    host: z.string().min(1).default("127.0.0.1").describe("the address to listen on; 0.0.0.0 or :: for all"),
    port: z.int().min(0).max(65_535).default(8080).describe("the port; 0 takes a free one"),
    allow_plain_http: z
      .boolean()
      .default(false)
      .describe("serve plain HTTP beyond loopback: only behind a TLS proxy"),
    workers: z
      .int()
      .min(1)
      .max(256)
      .default(1)
      .describe("processes that serve one port together; more than one takes PostgreSQL"),
    drain_seconds: z
      .number()
      .min(0)
      .max(3600)
      .default(0)
      .describe("how long /readyz says no before a stopping server takes no more connections"),
    cors_origins: z
      .array(z.url())
      .default([])
      .describe("origins whose web pages may ask from browsers, such as https://console.example"),
    close_seconds: seconds.default(5).describe("how long a stopping server waits for requests in flight"),
    tls,
  })
  .prefault({})
  .describe("Where the broker listens.");

const limits = z
  .strictObject({
    body_bytes: count.default(2 * 1024 * 1024).describe("of a request"),
    header_bytes: count
      .min(1024)
      .max(1_048_576)
      .default(65_536)
      .describe("of a request; tokens ride in them"),
    header_seconds: seconds.default(10).describe("for a request's headers to arrive"),
    request_seconds: seconds.default(30).describe("for a whole request to arrive"),
    idle_seconds: seconds.default(10).describe("that an unused connection is kept"),
    connections: count.default(2000).describe("at the same time"),
    sessions: count.default(100_000).describe("challenges and sessions at the same time"),
    session_seconds: count
      .max(86_400)
      .default(300)
      .describe("life of a challenge, and of the token it leads to"),
    rate: z.boolean().default(true).describe("whether requests of one address are limited"),
    requests_per_second: z
      .number()
      .positive()
      .default(100)
      .describe("from one address (IPv6: one /64), sustained"),
    burst: count.default(1000).describe("from one address at once"),
  })
  .prefault({})
  .describe("What clients may take.");

const store = z
  .strictObject({
    kind: z
      .enum(["sqlite", "postgres"])
      .default("sqlite")
      .describe("broker.db in the state folder, or PostgreSQL"),
    max_bytes: count.exactOptional().describe("sqlite: refuse to grow beyond"),
    url: z
      .string()
      .exactOptional()
      .describe("postgres://user@host/database; with a password better in url_file"),
    url_file: file.exactOptional().describe("file that holds the URL"),
    schema: z.string().exactOptional().describe("what the tables stand in; default adyton"),
    connections: count.max(1000).exactOptional().describe("of each process; default 8"),
    timeout_seconds: seconds.exactOptional().describe("for a call; default 10"),
    ca: file.exactOptional().describe("PEM file: authorities for the database server; default the system's"),
    certificate: file.exactOptional().describe("PEM file: our certificate for it"),
    key: file.exactOptional().describe("PEM file: the key of that certificate"),
  })
  .prefault({})
  .describe("Where everything is kept, sealed.");

const rootKey = z
  .strictObject({
    kind: z
      .enum(ROOT_KEY_KINDS)
      .exactOptional()
      .describe("who keeps the root keys of a new state; default file"),
    passphrase_file: file.exactOptional().describe("passphrase: the file that holds it"),
    tpm: z.string().exactOptional().describe("tpm: device:PATH or swtpm:…; default device:/dev/tpmrm0"),
    pcrs: z
      .array(z.int().min(0).max(23))
      .exactOptional()
      .describe("tpm: SHA-256 PCRs of new records; default 0, 2, 4, 7"),
    pkcs11_module: file.exactOptional().describe("pkcs11: the shared library"),
    pkcs11_token: z.string().exactOptional().describe("pkcs11: the token's label; default the first"),
    pkcs11_key: z.string().exactOptional().describe("pkcs11: the AES key's label; default adyton-root"),
    pin_file: file.exactOptional().describe("pkcs11: the file that holds the PIN"),
    vault_url: z.url().exactOptional().describe("vault-transit: Vault or OpenBao, for new records"),
    vault_mount: z.string().exactOptional().describe("vault-transit: the engine's mount; default transit"),
    vault_key: z.string().exactOptional().describe("vault-transit: the key's name; default adyton"),
    vault_namespace: z.string().exactOptional().describe("vault-transit: the namespace"),
    vault_token_file: file
      .exactOptional()
      .describe("vault-transit: the file that holds the token, read before each call"),
  })
  .prefault({})
  .describe("Who keeps the root keys, and what opens them.");

const resources = z
  .strictObject({
    backend: z
      .enum(["store", "files", "vault", "pkcs11"])
      .default("store")
      .describe("where the default tenant's secrets rest; those of other tenants rest in the store"),
    folder: file.exactOptional().describe("files: the folder, repository/type/tag below it"),
    vault_url: z.url().exactOptional().describe("vault: its address"),
    vault_mount: z.string().exactOptional().describe("vault: the KV engine's mount; default secret"),
    vault_version: z
      .union([z.literal(1), z.literal(2)])
      .default(2)
      .describe("vault: of the KV engine"),
    vault_namespace: z.string().exactOptional().describe("vault: the namespace"),
    vault_token_file: file.exactOptional().describe("vault: the file that holds a token"),
    vault_role_id: z.string().exactOptional().describe("vault: AppRole, in place of a token"),
    vault_secret_id_file: file.exactOptional().describe("vault: the file that holds the AppRole's secret id"),
  })
  .prefault({})
  .describe("Where secrets rest.");

/** Takes what files, environment and flags say together. */
export const settingsSchema: z.ZodType<Settings> = z
  .strictObject({
    state_dir: file.exactOptional().describe("the state folder; default .adyton in the working folder"),
    server,
    limits,
    store,
    root_key: rootKey,
    paths: z
      .strictObject({
        policies: file.exactOptional().describe("policies in Rego; default policies/ in the state folder"),
        endorsements: file.exactOptional().describe("vendors' documents; default endorsements/ there"),
        trust: file.exactOptional().describe("whose reference values are taken; default trust/ there"),
      })
      .prefault({})
      .describe("Folders elsewhere than in the state folder."),
    attestation: z
      .strictObject({
        allow_simulated: z
          .boolean()
          .default(false)
          .describe("accept evidence under roots that are no hardware vendor's: proves flows, not secrecy"),
        protocols: z
          .array(z.enum(PROTOCOL_LINES))
          .min(1)
          .exactOptional()
          .describe("versions of the KBS protocol; default all; clients before 0.4 attest no init-data"),
        allow_rsa15: z
          .boolean()
          .default(false)
          .describe("encrypt with PKCS #1 v1.5 to RSA keys that ask for it: only for clients without better"),
        explanations: count
          .max(100_000)
          .default(1000)
          .describe("of the last so many attestations, that `adyton explain` tells"),
        explanation_seconds: count
          .max(31_536_000)
          .default(86_400)
          .describe("for which an explanation is kept"),
      })
      .prefault({})
      .describe("How evidence is judged, besides policies."),
    tokens: z
      .strictObject({
        certificates: z
          .array(file)
          .default([])
          .describe("PEM files: authorities of certificates that sign tokens"),
        key_files: z.array(file).default([]).describe("files with JWK sets"),
        key_urls: z.array(z.url()).default([]).describe("addresses of JWK sets"),
        issuers: z
          .array(z.url())
          .default([])
          .describe("issuers that name their keys (OpenID Connect Discovery)"),
        tee_key_paths: z
          .array(z.string())
          .default([])
          .describe("JSON pointers to the attested key, besides the usual places"),
      })
      .prefault({})
      .describe("Other verifiers whose tokens open secrets of the default tenant."),
    resources,
    plugins: pluginsSchema,
    pkcs11: z
      .strictObject({
        module: file.describe("the shared library"),
        token: z.string().exactOptional().describe("the token's label; default the first"),
        pin_file: file.describe("the file that holds the user's PIN"),
      })
      .exactOptional()
      .describe("The PKCS #11 token of the back end and of plugins."),
    admin: adminSchema,
    metrics: z
      .strictObject({
        enabled: z.boolean().default(true).describe("count and measure"),
        listen: z
          .string()
          .regex(/^(?:[^:\s]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/, "expected host:port")
          .exactOptional()
          .describe(
            "host:port of a listener for /metrics without a token; else the main one answers administrators",
          ),
        resource_paths: z
          .int()
          .min(0)
          .max(100_000)
          .default(200)
          .describe(
            "distinct secrets and tenants that get a label of their own; the rest are counted as other",
          ),
      })
      .prefault({})
      .describe("Prometheus metrics."),
    log: z
      .strictObject({
        level: z.enum(["debug", "info", "warn", "error", "off"]).default("info").describe("what is told"),
        format: z
          .enum(["auto", "json", "pretty"])
          .default("auto")
          .describe("json: one object a line; pretty: for people; auto: pretty on a terminal"),
        requests: z.boolean().default(false).describe("tell of every answer"),
      })
      .prefault({})
      .describe("The log, on stderr. Secrets and tokens are taken out of it."),
    traces: z
      .strictObject({
        otlp_url: z
          .url()
          .exactOptional()
          .describe("OTLP/HTTP collector, such as http://127.0.0.1:4318/v1/traces"),
        ratio: z.number().min(0).max(1).default(1).describe("of requests that nobody upstream decided about"),
      })
      .prefault({})
      .describe("OpenTelemetry traces."),
  })
  .describe("Configuration of the Adyton broker");
