// SPDX-License-Identifier: Apache-2.0
// What a plugin is: a part of the broker's API with a name of its own, whose callers the broker has checked already.

import type { JsonObject } from "@adyton/core/json";
import type { Principal } from "../admin/principal.ts";
import type { Logger } from "../log.ts";
import type { AttestedClaims } from "../policy.ts";
import type { Store } from "../store/types.ts";
import type { Vault } from "../vault.ts";

/**
 * Who may send a request: workloads that are attested and whom the resource policy allows it, administrators with the
 * action `plugin.<name>.admin`, either, or everybody.
 */
export type PluginAccess = "attested" | "admin" | "attested-or-admin" | "public";

/** A request, before it is known who sends it. */
export interface PluginCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Behind the plugin's name, decoded: no part is empty, `.` or `..`, or holds a slash or a control character. */
  readonly path: readonly string[];
  readonly query: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** A request whose sender was let in. */
export interface PluginRequest extends PluginCall {
  /** Of the attested sender; policy has allowed the request. */
  readonly claims?: AttestedClaims;
  /** The administrator. */
  readonly principal?: Principal;
}

export interface PluginResponse {
  /** Default 200. */
  readonly status?: number;
  readonly body: Uint8Array;
  /** Default `application/octet-stream`. */
  readonly contentType?: string;
  /** Goes into the audit log's entry about this request: which key, which version… Never a secret. */
  readonly audit?: JsonObject;
  /** The plugin wrote the entry itself, together with its change. Only for administrators' requests. */
  readonly recorded?: boolean;
}

/** What the broker lends a plugin. The store and the vault are those of the request's tenant. */
export interface PluginContext {
  readonly now: Date;
  readonly store: Store;
  readonly vault: Vault;
  readonly logger: Logger;
}

/**
 * Mounted at `/kbs/v0/<name>/…`. One plugin serves all tenants at once: what it keeps, it keeps in the context's store.
 * It throws `BrokerError`s; anything else becomes an answer that tells nothing.
 */
export interface Plugin {
  /** Letters, digits, `-`. */
  readonly name: string;
  /** Where it answers besides, from the broker's root, in the error format of HashiCorp Vault: `/v1/transit`. */
  readonly vaultPath?: string;
  /** It keeps things elsewhere than in the context's store, where tenants would meet: only the default tenant has it. */
  readonly defaultTenantOnly?: boolean;
  access(call: PluginCall): PluginAccess | Promise<PluginAccess>;
  /** Whether the answer to an attested sender is encrypted to the attested key. */
  encrypts(request: PluginRequest): boolean | Promise<boolean>;
  handle(request: PluginRequest, context: PluginContext): Promise<PluginResponse>;
  /** With the broker. */
  close?(): Promise<void>;
}
