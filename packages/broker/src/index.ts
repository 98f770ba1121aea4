// SPDX-License-Identifier: Apache-2.0
// The trust services: createBroker from parts, or openBrokerState + createBroker + serveBroker.

export type { AclRule } from "./admin/acl.ts";
export type { CertificateRule, PeerCertificate } from "./admin/certificate.ts";
export type { JwtIssuer } from "./admin/jwt.ts";
export type { AdministratorOptions } from "./admin/options.ts";
export type { Grant, Principal } from "./admin/principal.ts";
export type { ApprovalOptions } from "./admin/proposals.ts";
export { BUILTIN_ROLES, type Roles } from "./admin/roles.ts";
export { generateLogKey, logSignerOf } from "./audit/log-key.ts";
export { merkleWriter } from "./audit/merkle-writer.ts";
export { type VerifyLogOptions, verifyAuditLog } from "./audit/verify.ts";
export type { LogEntry, LogLeaf, LogNode, LogNodeId, LogWriter } from "./audit/writer.ts";
export { type AuditEntry, type AuditEvent, readAuditLog } from "./audit.ts";
export {
  type BackupFacts,
  createBackup,
  type RestoreOptions,
  restoreBackup,
  verifyBackup,
} from "./backup/backup.ts";
export type { BackupOpener, BackupReaders } from "./backup/envelope.ts";
export { type Broker, type BrokerOptions, createBroker } from "./broker.ts";
export { type Clock, systemClock } from "./clock.ts";
export { BrokerError, type BrokerErrorCode } from "./errors.ts";
export type { ExplanationRetention } from "./explanations.ts";
export type { Connection } from "./http/parts.ts";
export type { RateLimit } from "./http/rate-limit.ts";
export { encryptTo, type Jwe, parseTeeKey, type TeeKey } from "./jwe.ts";
export {
  createLogger,
  type LogFacts,
  type Logger,
  type LogLevel,
  type LogOptions,
  silentLogger,
} from "./log.ts";
export { type AnsweredRequest, Metrics, type MetricsOptions } from "./metrics/metrics.ts";
export {
  type Asked,
  affirmingPolicy,
  type ResourceDecision,
  type ResourcePolicy,
  type ResourceRequest,
} from "./policy.ts";
export { PROTOCOL_VERSION, type ProtocolLine } from "./protocol.ts";
export {
  type ProvenanceTrust,
  parseSigstoreRoot,
  type SigstoreRoot,
  type TrustedBuilder,
} from "./reference/provenance.ts";
export { type ReferenceSources, readReferenceTrust } from "./reference/trust.ts";
export { parseResourcePath, type ResourcePath, resourceName } from "./resource-path.ts";
export { ROOT_KEY_KINDS, type RootKeyAccess, type RootKeyKind, rootKeyProvider } from "./root-key/access.ts";
export { type RootKeyPlace, withRecoveredRootKeys, withRootKeys } from "./root-key/folder.ts";
export type { RootKeyFacts, RootKeys, SplitOptions } from "./root-key/keeper.ts";
export type { Pkcs11ProviderOptions } from "./root-key/pkcs11.ts";
export type { RootKeyProvider } from "./root-key/provider.ts";
export type { RootKeyService, RootKeyStatus } from "./root-key/service.ts";
export type { TpmProviderOptions } from "./root-key/tpm.ts";
export type { VaultTransitOptions, VaultTransitPlace } from "./root-key/vault-transit.ts";
export { type ServedBroker, type ServeOptions, serveBroker } from "./serve.ts";
export type { ConnectionLimits } from "./serve-limits.ts";
export { clusterMetrics, type MetricsText, type ServedMetrics, serveMetrics } from "./serve-metrics.ts";
export type { TlsOptions } from "./serve-tls.ts";
export { type BrokerState, openBrokerState, type StateOptions } from "./state.ts";
export type { Ephemeral } from "./store/ephemeral.ts";
export { openPostgresStore } from "./store/postgres.ts";
export type { PostgresOptions } from "./store/postgres-pool.ts";
export type { PostgresTls } from "./store/postgres-url.ts";
export { openSqliteStore, type SqliteOptions } from "./store/sqlite.ts";
export type { Change, SnapshotRow, Space, Store, WholeStore } from "./store/types.ts";
export {
  fixedTokenKeys,
  type RotateTokenKey,
  storedTokenKeys,
  type TokenKeyFacts,
  type TokenKeys,
  type TokenKeysOptions,
} from "./tokens/token-keys.ts";
export type { TrustedKeySet, TrustedTokens } from "./tokens/trusted-verifiers.ts";
export { createVault, type Vault } from "./vault.ts";
