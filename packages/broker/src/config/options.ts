// SPDX-License-Identifier: Apache-2.0
// From settings to what openBrokerState, createBroker and serveBroker take. Secrets stand in files of their own, which are
// read here or, where they may be renewed, when they are needed.

import { AdytonError } from "@adyton/core/errors";
import { parsePem } from "@adyton/core/pem";
import { type Certificate, parseCertificate } from "@adyton/core/x509";
import type { JSONWebKeySet } from "jose";
import type { JwtIssuer } from "../admin/jwt.ts";
import type { AdministratorOptions } from "../admin/options.ts";
import type { BrokerOptions } from "../broker.ts";
import type { Clock } from "../clock.ts";
import { BrokerError } from "../errors.ts";
import { folderEndorsements } from "../folder-endorsements.ts";
import type { Logger } from "../log.ts";
import { readReferenceTrust } from "../reference/trust.ts";
import type { RootKeyAccess } from "../root-key/access.ts";
import type { ServeOptions } from "../serve.ts";
import type { BrokerState, StateOptions } from "../state.ts";
import { missing, secretFile, textFile } from "./files.ts";
import { pluginsOf } from "./plugins.ts";
import type {
  AdminSettings,
  IssuerSettings,
  RootKeySettings,
  Settings,
  StoreSettings,
  TokenSettings,
} from "./settings.ts";

export interface Surroundings {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** For `openBrokerState`. Rejects with `CONFIG_INVALID`. */
export async function stateOptionsOf(settings: Settings, around: Surroundings): Promise<StateOptions> {
  const { root_key, store } = settings;
  const { max_bytes: maxBytes } = store;
  const postgres = await postgresOf(store);
  return {
    ...around,
    rootKey: rootKeyOf(root_key),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(postgres === undefined ? {} : { postgres }),
  };
}

/** For `createBroker`: the state's own, and what settings add. Opens the PKCS #11 token. Rejects with `CONFIG_INVALID`. */
export async function brokerOptionsOf(
  settings: Settings,
  state: BrokerState,
  { clock, logger }: Surroundings,
): Promise<BrokerOptions> {
  const { admin, attestation, limits, log, paths, server, tokens } = settings;
  const { trust, endorsements } = paths;
  return {
    ...state,
    clock,
    logger,
    ...(await pluginsOf(settings)),
    admin: await adminOf(admin),
    allowSimulated: attestation.allow_simulated,
    allowRsa15: attestation.allow_rsa15,
    explanations: { kept: attestation.explanations, seconds: attestation.explanation_seconds },
    ...(attestation.protocols === undefined ? {} : { protocols: attestation.protocols }),
    ...(await trustedOf(tokens)),
    corsOrigins: server.cors_origins,
    logRequests: log.requests,
    ...(paths.policies === undefined ? {} : { policyFolder: paths.policies }),
    ...(endorsements === undefined ? {} : { endorsements: folderEndorsements(endorsements, clock, logger) }),
    ...(trust === undefined ? {} : { referenceTrust: await readReferenceTrust(trust, logger) }),
    rateLimit: limits.rate && { perSecond: limits.requests_per_second, burst: limits.burst },
    sessionSeconds: limits.session_seconds,
    maxSessions: limits.sessions,
    maxBodyBytes: limits.body_bytes,
  };
}

/** For `serveBroker`. */
export function serveOptionsOf({ limits, server }: Settings): ServeOptions {
  const { tls } = server;
  return {
    host: server.host,
    port: server.port,
    allowPlainHttpBeyondLoopback: server.allow_plain_http,
    drainSeconds: server.drain_seconds,
    closeSeconds: server.close_seconds,
    limits: {
      headerBytes: limits.header_bytes,
      headerSeconds: limits.header_seconds,
      requestSeconds: limits.request_seconds,
      idleSeconds: limits.idle_seconds,
      connections: limits.connections,
    },
    ...(tls === undefined
      ? {}
      : {
          tls: {
            certificate: tls.certificate,
            key: tls.key,
            profile: tls.profile,
            clientCertificates: tls.client_certificates,
            ...(tls.client_ca === undefined ? {} : { clientCa: tls.client_ca }),
            reloadSeconds: tls.reload_seconds,
          },
        }),
  };
}

function rootKeyOf(settings: RootKeySettings): RootKeyAccess {
  const { kind, passphrase_file, pcrs, pin_file, pkcs11_module, tpm, vault_token_file } = settings;
  const {
    pkcs11_key,
    pkcs11_token,
    vault_key = "adyton",
    vault_mount,
    vault_namespace,
    vault_url,
  } = settings;
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(passphrase_file === undefined ? {} : { passphrase: () => secretFile(passphrase_file) }),
    tpm: {
      ...(tpm === undefined ? {} : { address: tpm }),
      ...(pcrs === undefined ? {} : { pcrs: { hash: "SHA-256", indices: [...pcrs] } }),
    },
    ...(pkcs11_module === undefined || pin_file === undefined
      ? {}
      : {
          pkcs11: {
            module: pkcs11_module,
            pin: () => secretFile(pin_file),
            ...(pkcs11_token === undefined ? {} : { tokenLabel: pkcs11_token }),
            ...(pkcs11_key === undefined ? {} : { keyLabel: pkcs11_key }),
          },
        }),
    ...(vault_token_file === undefined
      ? {}
      : {
          vaultTransit: {
            token: () => secretFile(vault_token_file),
            ...(vault_url === undefined
              ? {}
              : {
                  place: {
                    url: vault_url,
                    key: vault_key,
                    ...(vault_mount === undefined ? {} : { mount: vault_mount }),
                    ...(vault_namespace === undefined ? {} : { namespace: vault_namespace }),
                  },
                }),
          },
        }),
  };
}

async function postgresOf(settings: StoreSettings): Promise<StateOptions["postgres"]> {
  const { ca, certificate, connections, key, kind, schema, timeout_seconds, url, url_file } = settings;
  if (kind !== "postgres") return undefined;
  if (url === undefined && url_file === undefined)
    throw missing("store.url_file", 'and kind = "postgres" needs the database\'s URL');
  return {
    url: url_file === undefined ? (url ?? "") : await secretFile(url_file),
    ...(schema === undefined ? {} : { schema }),
    ...(connections === undefined ? {} : { connections }),
    ...(timeout_seconds === undefined ? {} : { timeoutMs: timeout_seconds * 1000 }),
    ...(ca === undefined && certificate === undefined && key === undefined
      ? {}
      : {
          tls: {
            ...(ca === undefined ? {} : { ca: await textFile(ca) }),
            ...(certificate === undefined ? {} : { cert: await textFile(certificate) }),
            ...(key === undefined ? {} : { key: await textFile(key) }),
          },
        }),
  };
}

async function trustedOf(settings: TokenSettings): Promise<Pick<BrokerOptions, "trustedTokens">> {
  const { certificates, issuers, key_files, key_urls, tee_key_paths: teeKeyPaths } = settings;
  if (certificates.length + issuers.length + key_files.length + key_urls.length === 0) return {};
  return {
    trustedTokens: {
      certificates: (await Promise.all(certificates.map(certificatesIn))).flat(),
      keySets: [
        ...key_files.map((file) => ({ file })),
        ...key_urls.map((url) => ({ url })),
        ...issuers.map((issuer) => ({ issuer })),
      ],
      teeKeyPaths,
    },
  };
}

async function certificatesIn(path: string): Promise<readonly Certificate[]> {
  try {
    const blocks = parsePem(await textFile(path));
    if (blocks.length > 0) return blocks.map(({ der }) => parseCertificate(der));
  } catch (cause) {
    if (cause instanceof BrokerError || !(cause instanceof AdytonError)) throw cause;
    throw new BrokerError("CONFIG_INVALID", "malformed", `Cannot use ${path}: ${cause.message}`, { cause });
  }
  throw new BrokerError("CONFIG_INVALID", "malformed", `Cannot use ${path}: expected certificates in PEM`);
}

async function adminOf(settings: AdminSettings): Promise<AdministratorOptions> {
  const { acl, approvals, certificates, issuers, owner_token, roles } = settings;
  return {
    ownerToken: owner_token,
    issuers: await Promise.all(issuers.map(issuerOf)),
    certificates: certificates.map(({ spki_sha256, ...rule }) => ({
      ...rule,
      ...(spki_sha256 === undefined ? {} : { spkiSha256: spki_sha256 }),
    })),
    roles,
    ...(acl === undefined
      ? {}
      : { acl: acl.map(({ role, allowed_endpoints }) => ({ role, allowedEndpoints: allowed_endpoints })) }),
    ...(approvals === undefined ? {} : { approvals: approvalsOf(approvals) }),
  };
}

function approvalsOf({
  actions,
  approvers,
  lifetime_seconds,
}: Exclude<AdminSettings["approvals"], undefined>): AdministratorOptions["approvals"] & object {
  return {
    actions,
    ...(approvers === undefined ? {} : { approvers }),
    ...(lifetime_seconds === undefined ? {} : { lifetimeSeconds: lifetime_seconds }),
  };
}

async function issuerOf(settings: IssuerSettings): Promise<JwtIssuer> {
  const { audience, issuer, keys_file, keys_url, role_claim, roles, tenants } = settings;
  return {
    issuer,
    audience,
    keys:
      keys_file === undefined
        ? keys_url === undefined
          ? "discovery"
          : { url: keys_url }
        : await keysIn(keys_file),
    ...(role_claim === undefined ? {} : { roleClaim: role_claim }),
    ...(roles === undefined ? {} : { roles }),
    ...(tenants === undefined ? {} : { tenants }),
  };
}

async function keysIn(path: string): Promise<JSONWebKeySet> {
  try {
    const set = JSON.parse(await textFile(path)) as JSONWebKeySet;
    if (Array.isArray(set.keys)) return set;
  } catch (cause) {
    if (cause instanceof BrokerError) throw cause;
  }
  throw new BrokerError(
    "CONFIG_INVALID",
    "malformed",
    `Cannot use ${path}: expected a JWK set, {"keys": […]}`,
  );
}
