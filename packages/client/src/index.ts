// SPDX-License-Identifier: Apache-2.0
// Calls to a key broker: as the workload that asks, or as the operator who decides.

export {
  type Admin,
  type AdminOptions,
  createAdmin,
  POLICY_NAMES,
  type PolicyFacts,
  type PolicyName,
  type PolicyVersion,
} from "./admin.ts";
export {
  type AdminCredential,
  type AdminFacts,
  type AdminGrant,
  type Administration,
  type AdminRegister,
  type AdminRights,
  newAdminToken,
  type ProposalAdmin,
  type ProposalFacts,
  type ScopedPolicyAdmin,
  type ScopedPolicyFacts,
  type TenantAdmin,
  type TenantFacts,
  type TenantQuota,
} from "./administration.ts";
export {
  type AuditLog,
  type AuditLogEntry,
  type AuditLogOptions,
  type AuditWitness,
  createAuditLog,
  fetchLogKey,
} from "./audit.ts";
export type { CertificateRequest, IssuedCertificate } from "./certificate.ts";
export {
  type Attestation,
  type Client,
  type ClientAttester,
  type ClientOptions,
  createClient,
} from "./client.ts";
export { ClientError, type ClientErrorCode } from "./errors.ts";
export type { KeyAdmin, KeyFacts, KeySettings } from "./keys.ts";
export type {
  DataKey,
  NebulaCredential,
  NebulaRequest,
  PluginCalls,
  Transit,
  TransitInputs,
} from "./plugins.ts";
export type {
  AddedReferences,
  AddReferencesOptions,
  ReferenceAdmin,
  ReferenceDocumentType,
  ReferenceFacts,
  ReferenceGroupFacts,
  ReferenceSubject,
  ReferenceValueFacts,
  RevokedFacts,
} from "./references.ts";
export type { ReleaseProofOptions } from "./release-proof.ts";
export type { ResourceAdmin, ResourceFacts, ResourceVersionFacts } from "./resources.ts";
export type { RootKeyAdmin, RootKeyGeneration, RootKeyState } from "./root-key.ts";
export type { TeeKeyPair } from "./tee-key.ts";
export type { TokenKey, TokenKeyAdmin } from "./token-key.ts";
export type { Fetch, WireOptions } from "./wire.ts";
