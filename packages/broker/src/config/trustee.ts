// SPDX-License-Identifier: Apache-2.0
// Reads the configuration of Confidential Containers' Trustee (kbs-config, TOML, YAML or JSON) and says the same in ours, as
// far as there is the same: what is not taken over is named, so that nobody believes it is in force.

import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { settingsOf } from "./read.ts";

export interface ImportedSettings {
  /** Fit for a configuration file of ours. */
  readonly settings: JsonObject;
  /** Places of the original that are not taken over, and why. */
  readonly ignored: readonly { readonly place: string; readonly why: string }[];
  /** What to look at before it is used. */
  readonly notes: readonly string[];
}

type Put = (path: string, value: JsonValue) => void;
type Take = (value: JsonValue, put: Put, told: Told) => void;

interface Told {
  ignore(place: string, why: string): void;
  note(text: string): void;
}

const NO_SUCH = "there is no such setting here";

/** By place. What is below a place that is not named here is looked at one by one. */
const TAKEN: Readonly<Record<string, Take>> = {
  "http_server.sockets": (value, put, told) => {
    const [first, ...others] = Array.isArray(value) ? value.map(String) : [];
    const [, host = "", port = ""] = /^(.*):(\d{1,5})$/.exec(first ?? "") ?? [];
    if (host === "") return told.ignore("http_server.sockets", "expected host:port");
    put("server.host", host.replace(/^\[(.*)\]$/, "$1"));
    put("server.port", Number(port));
    if (others.length > 0)
      told.ignore("http_server.sockets", `one address is served, not ${others.join(", ")}`);
  },
  "http_server.insecure_http": (value, put) => {
    if (value === true) put("server.allow_plain_http", true);
  },
  "http_server.private_key": (value, put) => put("server.tls.key", value),
  "http_server.certificate": (value, put) => put("server.tls.certificate", value),
  "http_server.payload_request_size": (value, put) => {
    // In Trustee it counts MiB.
    if (typeof value === "number") put("limits.body_bytes", value * 1024 * 1024);
  },
  "http_server.worker_count": (_value, _put, told) =>
    told.ignore(
      "http_server.worker_count",
      "they are threads there; server.workers are processes over PostgreSQL",
    ),
  "http_server.tls_profile": (value, put, told) => {
    if (value === "modern" || value === "intermediate") put("server.tls.profile", value);
    else
      told.ignore("http_server.tls_profile", "expected modern or intermediate; weaker ones are not served");
  },
  "attestation_token.trusted_certs_paths": (value, put) => put("tokens.certificates", value),
  "attestation_token.trusted_jwk_sets": (value, put) => {
    const sets = Array.isArray(value) ? value.map(String) : [];
    const files = sets.filter((set) => set.startsWith("file://")).map((set) => set.slice("file://".length));
    if (files.length > 0) put("tokens.key_files", files);
    const urls = sets.filter((set) => !set.startsWith("file://"));
    if (urls.length > 0) put("tokens.issuers", urls);
  },
  "attestation_token.extra_teekey_paths": (value, put) => put("tokens.tee_key_paths", value),
  "attestation_token.insecure_header_jwk": (value, _put, told) => {
    if (value === true)
      told.ignore(
        "attestation_token.insecure_header_jwk",
        "a key that a token brings itself is never trusted here",
      );
  },
  "attestation_service.type": (value, _put, told) => {
    if (value !== "coco_as_builtin")
      told.ignore(
        "attestation_service.type",
        `evidence is verified in the broker itself, not by ${String(value)}`,
      );
  },
  "attestation_service.attestation_token_broker.duration_min": (value, put) => {
    if (typeof value === "number") put("limits.session_seconds", value * 60);
  },
  "attestation_service.rvps_config.type": (value, _put, told) => {
    if (value !== "BuiltIn")
      told.ignore("attestation_service.rvps_config.type", "reference values are kept in the broker itself");
  },
  "admin.type": (value, _put, told) => adminMode(value, told),
  "admin.authorization_mode": (value, _put, told) => adminMode(value, told),
  "admin.authentication.bearer_jwt.identity_providers": (value, put, told) => {
    const providers = Array.isArray(value) ? value.filter(isJsonObject) : [];
    put(
      "admin.issuers",
      providers.map((each) => issuerOf(each, told)),
    );
  },
  "admin.authorization.regex_acl.acls": (value, put) => put("admin.acl", value),
  "storage_backend.storage_type": (value, put, told) => storageOf(value, put, told),
  "storage_backend.backends": (_value, _put, told) =>
    told.ignore("storage_backend.backends", "values are sealed in a store of ours: put secrets in anew"),
  "policy_engine.policy_path": (value, _put, told) =>
    told.note(`Set the resource policy of ${String(value)}: adyton policy set resource FILE`),
  plugins: (value, put, told) => {
    for (const plugin of Array.isArray(value) ? value.filter(isJsonObject) : []) pluginOf(plugin, put, told);
  },
};

/** `config` as it was parsed. Throws `CONFIG_INVALID` when what it says cannot be said here. */
export function importTrustee(config: JsonObject): ImportedSettings {
  const ignored: { place: string; why: string }[] = [];
  const notes: string[] = [];
  const told: Told = {
    ignore: (place, why) => void ignored.push({ place, why }),
    note: (text) => void notes.push(text),
  };
  let settings: JsonObject = {};
  const put: Put = (path, value) => {
    settings = placed(settings, path.split("."), value);
  };
  walk(config, "", put, told);
  notes.push("Register reference values and put secrets in anew: they are not part of the configuration.");
  settingsOf(settings);
  return { settings, ignored, notes };
}

function walk(value: JsonObject, above: string, put: Put, told: Told): void {
  for (const [name, each] of Object.entries(value)) {
    const place = above === "" ? name : `${above}.${name}`;
    const take = Object.hasOwn(TAKEN, place) ? TAKEN[place] : undefined;
    if (take !== undefined) take(each, put, told);
    else if (isJsonObject(each) && Object.keys(each).length > 0) walk(each, place, put, told);
    else told.ignore(place, NO_SUCH);
  }
}

function adminMode(value: JsonValue, told: Told): void {
  switch (value) {
    case "InsecureAllowAll":
      told.ignore("admin.authorization_mode", "nobody administers without a credential: use the admin token");
      return;
    case "DenyAll":
      told.note("The admin token in the state folder administers; set admin.owner_token = false for nobody.");
      return;
    case "AuthenticatedAuthorization":
      return;
    default:
      told.ignore("admin.authorization_mode", "it is not known");
  }
}

function issuerOf({ audience, issuer, jwk_set_uri, public_key_uri }: JsonObject, told: Told): JsonObject {
  const place = "admin.authentication.bearer_jwt.identity_providers";
  if (public_key_uri !== undefined)
    told.ignore(`${place}.public_key_uri`, "give the key as a JWK set: admin.issuers.keys_file");
  const uri = typeof jwk_set_uri === "string" ? jwk_set_uri : undefined;
  return {
    issuer: issuer ?? "",
    audience: audience ?? "",
    ...(uri === undefined
      ? {}
      : uri.startsWith("file://")
        ? { keys_file: uri.slice("file://".length) }
        : { keys_url: uri }),
  };
}

function storageOf(value: JsonValue, put: Put, told: Told): void {
  if (value === "Postgres") {
    put("store.kind", "postgres");
    told.note("Name the database: store.url_file, a file with what POSTGRES_URL held.");
  } else
    told.note(`Values of ${String(value)} are not read: the store is a SQLite file in the state folder.`);
}

function pluginOf(plugin: JsonObject, put: Put, told: Told): void {
  const { name, ...rest } = plugin;
  const text = (key: string): JsonValue | undefined =>
    typeof rest[key] === "string" ? rest[key] : undefined;
  switch (name) {
    case "resource": {
      const { dir_path: folder, type } = rest;
      if (type === "LocalFs" && folder !== undefined)
        told.note(`Put in the secrets below ${String(folder)}, or serve them: resources.backend = "files".`);
      else if (type === "Vault") {
        put("resources.backend", "vault");
        put("resources.vault_version", 1);
        const url = text("vault_url");
        if (url !== undefined) put("resources.vault_url", url);
        const mount = text("mount_path");
        if (mount !== undefined) put("resources.vault_mount", mount);
        told.note("Put Vault's token into a file: resources.vault_token_file.");
      } else if (type !== undefined && type !== "KvStorage" && type !== "kvstorage")
        told.ignore(
          "plugins.resource",
          `there is no back end ${String(type)}; store, files, vault and pkcs11 there are`,
        );
      return;
    }
    case "pkcs11": {
      const module = text("module");
      if (module !== undefined) put("pkcs11.module", module);
      put("pkcs11.pin_file", "pkcs11.pin");
      put("plugins.pkcs11.enabled", true);
      const label = text("lookup_label");
      if (label !== undefined) put("plugins.pkcs11.lookup_label", label);
      told.note(
        "Put the token's PIN into pkcs11.pin beside the configuration: secrets stand in files of their own.",
      );
      return;
    }
    case "nebula-ca":
      put("plugins.nebula", {});
      told.note("Nebula's authority is made anew: the broker keeps its key.");
      return;
    case "provisioner":
      return;
    default:
      told.ignore(`plugins.${String(name)}`, "there is no such plugin");
  }
}

function placed(into: JsonObject, [first = "", ...rest]: readonly string[], value: JsonValue): JsonObject {
  const there = into[first];
  return {
    ...into,
    [first]: rest.length === 0 ? value : placed(isJsonObject(there) ? there : {}, rest, value),
  };
}
