// SPDX-License-Identifier: Apache-2.0
// What a configuration says once it is read: every member is described in schema.ts. Absent members have the default of
// the part that they configure.

import type { AclRule } from "../admin/acl.ts";
import type { CertificateRule } from "../admin/certificate.ts";
import type { Grant } from "../admin/principal.ts";
import type { ProtocolLine } from "../protocol.ts";
import type { RootKeyKind } from "../root-key/access.ts";

export interface Settings {
  readonly state_dir?: string;
  readonly server: ServerSettings;
  readonly limits: LimitSettings;
  readonly store: StoreSettings;
  readonly root_key: RootKeySettings;
  readonly paths: PathSettings;
  readonly attestation: AttestationSettings;
  readonly tokens: TokenSettings;
  readonly resources: ResourceSettings;
  readonly plugins: PluginSettings;
  readonly pkcs11?: Pkcs11Settings;
  readonly admin: AdminSettings;
  readonly metrics: MetricsSettings;
  readonly log: LogSettings;
  readonly traces: TraceSettings;
}

export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly allow_plain_http: boolean;
  readonly workers: number;
  readonly drain_seconds: number;
  readonly close_seconds: number;
  readonly cors_origins: readonly string[];
  readonly tls?: TlsSettings;
}

export interface TlsSettings {
  readonly certificate: string;
  readonly key: string;
  readonly profile: "modern" | "intermediate";
  readonly client_certificates: "none" | "optional" | "required";
  readonly client_ca?: string;
  readonly reload_seconds: number;
}

export interface LimitSettings {
  readonly body_bytes: number;
  readonly header_bytes: number;
  readonly header_seconds: number;
  readonly request_seconds: number;
  readonly idle_seconds: number;
  readonly connections: number;
  readonly sessions: number;
  readonly session_seconds: number;
  readonly rate: boolean;
  readonly requests_per_second: number;
  readonly burst: number;
}

export interface StoreSettings {
  readonly kind: "sqlite" | "postgres";
  readonly max_bytes?: number;
  readonly url?: string;
  readonly url_file?: string;
  readonly schema?: string;
  readonly connections?: number;
  readonly timeout_seconds?: number;
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

export interface RootKeySettings {
  readonly kind?: RootKeyKind;
  readonly passphrase_file?: string;
  readonly tpm?: string;
  readonly pcrs?: readonly number[];
  readonly pkcs11_module?: string;
  readonly pkcs11_token?: string;
  readonly pkcs11_key?: string;
  readonly pin_file?: string;
  readonly vault_url?: string;
  readonly vault_mount?: string;
  readonly vault_key?: string;
  readonly vault_namespace?: string;
  readonly vault_token_file?: string;
}

export interface PathSettings {
  readonly policies?: string;
  readonly endorsements?: string;
  readonly trust?: string;
}

export interface AttestationSettings {
  readonly allow_simulated: boolean;
  readonly protocols?: readonly ProtocolLine[];
  readonly allow_rsa15: boolean;
  readonly explanations: number;
  readonly explanation_seconds: number;
}

export interface TokenSettings {
  readonly certificates: readonly string[];
  readonly key_files: readonly string[];
  readonly key_urls: readonly string[];
  readonly issuers: readonly string[];
  readonly tee_key_paths: readonly string[];
}

export interface ResourceSettings {
  readonly backend: "store" | "files" | "vault" | "pkcs11";
  readonly folder?: string;
  readonly vault_url?: string;
  readonly vault_mount?: string;
  readonly vault_version: 1 | 2;
  readonly vault_namespace?: string;
  readonly vault_token_file?: string;
  readonly vault_role_id?: string;
  readonly vault_secret_id_file?: string;
}

export interface Pkcs11Settings {
  readonly module: string;
  readonly token?: string;
  readonly pin_file: string;
}

export interface PluginSettings {
  readonly transit: {
    readonly enabled: boolean;
    readonly vault_paths: boolean;
    readonly plain_answers: boolean;
    readonly hsm: boolean;
  };
  readonly wrap: { readonly enabled: boolean; readonly hsm: boolean };
  readonly provisioner: { readonly enabled: boolean; readonly key_length?: number };
  readonly ca?: {
    readonly trust_domain: string;
    readonly lifetime_seconds?: number;
    readonly dns_names?: readonly string[];
    readonly keys?: "attested" | "any";
  };
  readonly nebula?: {
    readonly ca_name?: string;
    readonly ca_seconds?: number;
    readonly max_seconds?: number;
    readonly networks?: readonly string[];
    readonly groups?: readonly string[];
  };
  readonly pkcs11: {
    readonly enabled: boolean;
    readonly lookup_label?: string;
    readonly hash?: "SHA-1" | "SHA-256";
  };
  readonly external: readonly ExternalSettings[];
}

export interface ExternalSettings {
  readonly name: string;
  readonly url: string;
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly timeout_seconds?: number;
}

export interface AdminSettings {
  readonly owner_token: boolean;
  readonly issuers: readonly IssuerSettings[];
  readonly certificates: readonly CertificateSettings[];
  readonly roles: Readonly<Record<string, readonly Grant[]>>;
  readonly acl?: readonly AclSettings[];
  readonly approvals?: {
    readonly actions: readonly string[];
    readonly approvers?: number;
    readonly lifetime_seconds?: number;
  };
}

export interface IssuerSettings {
  readonly issuer: string;
  readonly audience: string | readonly string[];
  readonly keys_url?: string;
  readonly keys_file?: string;
  readonly role_claim?: string;
  readonly roles?: Readonly<Record<string, readonly string[]>>;
  readonly tenants?: readonly string[];
}

export interface CertificateSettings extends Omit<CertificateRule, "spkiSha256"> {
  readonly spki_sha256?: string;
}

export interface AclSettings extends Pick<AclRule, "role"> {
  readonly allowed_endpoints: string;
}

export interface MetricsSettings {
  readonly enabled: boolean;
  readonly listen?: string;
  readonly resource_paths: number;
}

export interface LogSettings {
  readonly level: "debug" | "info" | "warn" | "error" | "off";
  readonly format: "auto" | "json" | "pretty";
  readonly requests: boolean;
}

export interface TraceSettings {
  readonly otlp_url?: string;
  readonly ratio: number;
}
