// SPDX-License-Identifier: Apache-2.0
// Plugins and back ends for `createBroker`, and what one's own are made of.

export { type FilesBackendOptions, filesBackend } from "../backends/files.ts";
export { pkcs11Backend } from "../backends/pkcs11-backend.ts";
export { type StoreBackendOptions, storeBackend } from "../backends/store-backend.ts";
export type {
  Beside,
  ResourceBackend,
  ResourceHistory,
  ResourceVersion,
  StoredResource,
} from "../backends/types.ts";
export { type VaultKvOptions, vaultKvBackend } from "../backends/vault-kv.ts";
export { type OaepHash, openPkcs11Token, type Pkcs11Options, type Pkcs11Token } from "../pkcs11/token.ts";
export { type CaOptions, caPlugin } from "./ca.ts";
export { type ExternalPlugin, externalPlugins } from "./external/external.ts";
export { type NebulaOptions, nebulaPlugin } from "./nebula.ts";
export { type Pkcs11PluginOptions, pkcs11Plugin } from "./pkcs11.ts";
export { type ProvisionerOptions, provisionerPlugin } from "./provisioner.ts";
export { type TransitOptions, transitPlugin } from "./transit.ts";
export type {
  Plugin,
  PluginAccess,
  PluginCall,
  PluginContext,
  PluginRequest,
  PluginResponse,
} from "./types.ts";
export { type WrapOptions, wrapPlugin } from "./wrap.ts";
