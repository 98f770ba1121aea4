// SPDX-License-Identifier: Apache-2.0
// The sections of the configuration that say who administers, and what the broker does besides releasing secrets.

import { z } from "zod";
import type { AdminSettings, PluginSettings } from "./settings.ts";

const file = z.string().min(1).meta({ format: "path" });
const count = z.int().positive();
const names = z.array(z.string().min(1));

const grant = z.strictObject({
  actions: names.describe("resource.put, resource.*, *"),
  targets: names.describe("path patterns: team-a/**, **"),
});

const issuer = z
  .strictObject({
    issuer: z.string().min(1).describe("the claim iss, exactly"),
    audience: z.union([z.string().min(1), names]).describe("one of these stands in aud"),
    keys_url: z
      .url()
      .exactOptional()
      .describe("a JWK set; default: what the issuer's discovery document names"),
    keys_file: file.exactOptional().describe("a JWK set in a file, in place of a URL"),
    role_claim: z.string().min(1).exactOptional().describe("where roles stand; default role"),
    roles: z.record(z.string(), names).exactOptional().describe("from what stands there to roles here"),
    tenants: names.exactOptional().describe("in which tenants its people are anybody; default all"),
  })
  .refine(({ keys_url, keys_file }) => keys_url === undefined || keys_file === undefined, {
    error: "expected keys_url or keys_file, not both",
  });

const certificate = z.strictObject({
  name: z.string().min(1).describe("stands in the audit log as cert:<name>"),
  sha256: z.string().exactOptional().describe("of the certificate, hex"),
  spki_sha256: z.string().exactOptional().describe("of its SubjectPublicKeyInfo, hex"),
  subject: z.string().exactOptional().describe("C=DE, O=Example, CN=alice; of checked certificates"),
  san: z.string().exactOptional().describe("a name of subjectAltName; of checked certificates"),
  roles: names.describe("what it may do"),
  tenants: names.exactOptional().describe("in which tenants; default all"),
});

/** `admin`. */
export const adminSchema: z.ZodType<AdminSettings> = z
  .strictObject({
    owner_token: z.boolean().default(true).describe("whether admin.token of the state folder counts"),
    issuers: z.array(issuer).default([]).describe("identity providers whose JWTs count"),
    certificates: z.array(certificate).default([]).describe("client certificates that count (server.tls)"),
    roles: z.record(z.string(), z.array(grant)).default({}).describe("roles besides those of the house"),
    acl: z
      .array(
        z.strictObject({
          role: z.string().min(1).describe("of a JWT"),
          allowed_endpoints: z.string().min(1).describe("regular expression of paths, from ^ to $"),
        }),
      )
      .exactOptional()
      .describe("as in Trustee: which addresses a role may ask for"),
    approvals: z
      .strictObject({
        actions: names.describe("policy.set, resource.delete, key.*"),
        approvers: count.max(16).exactOptional().describe("how many besides who asks; default 1"),
        lifetime_seconds: count.exactOptional().describe("of a proposal; default seven days"),
      })
      .exactOptional()
      .describe("what takes more than one administrator"),
  })
  .prefault({})
  .describe("Who may administer.");

const external = z.strictObject({
  name: z.string().min(1).describe("answers below /kbs/v0/external/<name>/"),
  url: z.url().describe("https://host:port; http:// on this machine alone"),
  ca: file.exactOptional().describe("PEM file: authorities for it; default the system's"),
  certificate: file.exactOptional().describe("PEM file: our certificate"),
  key: file.exactOptional().describe("PEM file: our key"),
  timeout_seconds: z.number().positive().max(600).exactOptional().describe("for a call; default 10"),
});

const enabled = (on: boolean): z.ZodDefault<z.ZodBoolean> =>
  z.boolean().default(on).describe("whether it answers");
const hsm = z.boolean().default(false).describe("wrap its keys by the token of [pkcs11], too");

/** `plugins`. */
export const pluginsSchema: z.ZodType<PluginSettings> = z
  .strictObject({
    transit: z
      .strictObject({
        enabled: enabled(true),
        vault_paths: z.boolean().default(true).describe("answer at /v1/transit too, as Vault's clients ask"),
        plain_answers: z.boolean().default(false).describe("plaintexts to attested senders without JWE"),
        hsm,
      })
      .prefault({})
      .describe("keys that never leave, in the shapes of Vault's transit engine"),
    wrap: z
      .strictObject({ enabled: enabled(true), hsm })
      .prefault({})
      .describe("key wrapping"),
    provisioner: z
      .strictObject({
        enabled: enabled(true),
        key_length: z.int().min(16).max(1024).exactOptional().describe("letters and digits; default 32"),
      })
      .prefault({})
      .describe("disk keys bound to a machine's init-data"),
    ca: z
      .strictObject({
        trust_domain: z.string().min(1).describe("spiffe://<trust_domain>/…"),
        lifetime_seconds: count.exactOptional().describe("of a certificate; default 3600"),
        dns_names: names.exactOptional().describe("names that may be asked for; default none"),
        keys: z
          .enum(["attested", "any"])
          .exactOptional()
          .describe("whose keys are certified; default attested"),
      })
      .exactOptional()
      .describe("certificates with SPIFFE ids for attested keys"),
    nebula: z
      .strictObject({
        ca_name: z.string().exactOptional().describe("of the authority"),
        ca_seconds: count.exactOptional().describe("life of the authority; default ten years"),
        max_seconds: count.exactOptional().describe("life of a node's certificate; default a day"),
        networks: names.exactOptional().describe("addresses lie in one of them; default any"),
        groups: names.exactOptional().describe("that may be asked for; default any"),
      })
      .exactOptional()
      .describe("certificates of Nebula overlay networks"),
    pkcs11: z
      .strictObject({
        enabled: enabled(false),
        lookup_label: z.string().exactOptional().describe("label of the RSA key pair for wrap-key"),
        hash: z.enum(["SHA-1", "SHA-256"]).exactOptional().describe("of RSA-OAEP; default SHA-256"),
      })
      .prefault({})
      .describe("secrets and keys of the token of [pkcs11], as in Trustee"),
    external: z.array(external).default([]).describe("plugins in programs of their own, over gRPC"),
  })
  .prefault({})
  .describe("What the broker does besides.");
