// SPDX-License-Identifier: Apache-2.0
// The back end and the plugins that settings ask for.

import { filesBackend } from "../backends/files.ts";
import { pkcs11Backend } from "../backends/pkcs11-backend.ts";
import type { ResourceBackend } from "../backends/types.ts";
import { type VaultKvOptions, vaultKvBackend } from "../backends/vault-kv.ts";
import type { BrokerOptions } from "../broker.ts";
import { openPkcs11Token, type Pkcs11Token } from "../pkcs11/token.ts";
import { caPlugin } from "../plugins/ca.ts";
import { type ExternalPlugin, externalPlugins } from "../plugins/external/external.ts";
import { nebulaPlugin } from "../plugins/nebula.ts";
import { pkcs11Plugin } from "../plugins/pkcs11.ts";
import { provisionerPlugin } from "../plugins/provisioner.ts";
import { transitPlugin } from "../plugins/transit.ts";
import type { Plugin } from "../plugins/types.ts";
import { wrapPlugin } from "../plugins/wrap.ts";
import { missing, secretFile, textFile } from "./files.ts";
import type { ExternalSettings, PluginSettings, ResourceSettings, Settings } from "./settings.ts";

/** Rejects with `CONFIG_INVALID`, `HSM_FAILED` or `INSECURE_ADDRESS`. */
export async function pluginsOf(settings: Settings): Promise<Pick<BrokerOptions, "backend" | "plugins">> {
  const { plugins, resources } = settings;
  const needed =
    resources.backend === "pkcs11" || plugins.pkcs11.enabled || plugins.transit.hsm || plugins.wrap.hsm;
  const token = needed ? await tokenOf(settings) : undefined;
  const backend = await backendOf(resources, token);
  return {
    ...(backend === undefined ? {} : { backend }),
    plugins: [
      ...houseOf(plugins, token),
      ...(plugins.external.length === 0
        ? []
        : [externalPlugins(await Promise.all(plugins.external.map(externalOf)))]),
    ],
  };
}

async function tokenOf({ pkcs11 }: Settings): Promise<Pkcs11Token> {
  if (pkcs11 === undefined) throw missing("[pkcs11]", "and something that is switched on needs a token");
  const { module, pin_file, token } = pkcs11;
  const pin = await secretFile(pin_file);
  return openPkcs11Token({ module, pin, ...(token === undefined ? {} : { tokenLabel: token }) });
}

function houseOf(plugins: PluginSettings, token: Pkcs11Token | undefined): readonly Plugin[] {
  const { ca, nebula, pkcs11, provisioner, transit, wrap } = plugins;
  const hsm = (asked: boolean): { readonly token?: Pkcs11Token } =>
    asked && token !== undefined ? { token } : {};
  const found: Plugin[] = [];
  if (transit.enabled) {
    const { plain_answers: plainAnswers, vault_paths: vaultPaths } = transit;
    found.push(transitPlugin({ vaultPaths, plainAnswers, ...hsm(transit.hsm) }));
  }
  if (wrap.enabled) found.push(wrapPlugin(hsm(wrap.hsm)));
  if (provisioner.enabled) {
    const { key_length: keyLength } = provisioner;
    found.push(provisionerPlugin(keyLength === undefined ? {} : { keyLength }));
  }
  if (ca !== undefined) {
    const { dns_names, keys, lifetime_seconds, trust_domain: trustDomain } = ca;
    found.push(
      caPlugin({
        trustDomain,
        ...(lifetime_seconds === undefined ? {} : { lifetimeSeconds: lifetime_seconds }),
        ...(dns_names === undefined ? {} : { dnsNames: dns_names }),
        ...(keys === undefined ? {} : { keys }),
      }),
    );
  }
  if (nebula !== undefined) {
    const { ca_name, ca_seconds, max_seconds, networks, groups } = nebula;
    found.push(
      nebulaPlugin({
        ...(ca_name === undefined ? {} : { caName: ca_name }),
        ...(ca_seconds === undefined ? {} : { caSeconds: ca_seconds }),
        ...(max_seconds === undefined ? {} : { maxSeconds: max_seconds }),
        ...(networks === undefined ? {} : { networks }),
        ...(groups === undefined ? {} : { groups }),
      }),
    );
  }
  if (pkcs11.enabled && token !== undefined) {
    const { hash, lookup_label } = pkcs11;
    found.push(
      pkcs11Plugin({
        token,
        ...(lookup_label === undefined ? {} : { lookupLabel: lookup_label }),
        ...(hash === undefined ? {} : { hash }),
      }),
    );
  }
  return found;
}

async function backendOf(
  settings: ResourceSettings,
  token: Pkcs11Token | undefined,
): Promise<ResourceBackend | undefined> {
  switch (settings.backend) {
    case "store":
      return undefined;
    case "files":
      if (settings.folder === undefined) throw missing("resources.folder", "and the back end files needs it");
      return filesBackend({ folder: settings.folder });
    case "vault":
      return vaultKvBackend(await vaultOf(settings));
    case "pkcs11":
      if (token === undefined) throw missing("[pkcs11]", "and the back end pkcs11 needs a token");
      return pkcs11Backend(token);
  }
}

async function vaultOf(settings: ResourceSettings): Promise<VaultKvOptions> {
  const { vault_mount, vault_namespace, vault_role_id, vault_secret_id_file, vault_token_file } = settings;
  if (settings.vault_url === undefined)
    throw missing("resources.vault_url", "and the back end vault needs it");
  const common = {
    url: settings.vault_url,
    version: settings.vault_version,
    ...(vault_mount === undefined ? {} : { mount: vault_mount }),
    ...(vault_namespace === undefined ? {} : { namespace: vault_namespace }),
  };
  if (vault_token_file !== undefined)
    return { ...common, login: { token: await secretFile(vault_token_file) } };
  if (vault_role_id === undefined || vault_secret_id_file === undefined) {
    throw missing(
      "resources.vault_token_file (or vault_role_id and vault_secret_id_file)",
      "and the back end vault needs to log in",
    );
  }
  return { ...common, login: { roleId: vault_role_id, secretId: await secretFile(vault_secret_id_file) } };
}

async function externalOf(settings: ExternalSettings): Promise<ExternalPlugin> {
  const { ca, certificate, key, name, timeout_seconds, url } = settings;
  return {
    name,
    url,
    tls: {
      ...(ca === undefined ? {} : { ca: await textFile(ca) }),
      ...(certificate === undefined ? {} : { certificate: await textFile(certificate) }),
      ...(key === undefined ? {} : { key: await textFile(key) }),
    },
    ...(timeout_seconds === undefined ? {} : { timeoutMilliseconds: timeout_seconds * 1000 }),
  };
}
