// SPDX-License-Identifier: Apache-2.0
// Why the broker refused. Each code maps to one status and one KBS error type in http/answers.ts.

import { AdytonError } from "@adyton/core/errors";

/** Codes of `@adyton/broker`; refusals of evidence and tokens pass through with the codes of their packages. */
export type BrokerErrorCode =
  // requests
  | "PROTOCOL_VERSION"
  | "INVALID_REQUEST"
  | "REQUEST_TOO_LARGE"
  | "RATE_LIMITED"
  | "INVALID_PATH"
  | "UNKNOWN_PLUGIN"
  | "ADMIN_REFUSED"
  | "ADMIN_FORBIDDEN"
  | "ADMIN_NOT_FOUND"
  | "ADMIN_EXISTS"
  // tenants and approvals
  | "TENANT_UNKNOWN"
  | "TENANT_EXISTS"
  | "QUOTA_EXCEEDED"
  | "APPROVAL_NEEDED"
  | "PROPOSAL_NOT_FOUND"
  | "PROPOSAL_CLOSED"
  // sessions and tokens
  | "SESSION_MISSING"
  | "SESSION_UNKNOWN"
  | "SESSIONS_FULL"
  | "SESSION_ANSWERED"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "NONCE_MISMATCH"
  | "UNSUPPORTED_TEE_KEY"
  | "TOKEN_MISSING"
  | "TOKEN_REFUSED"
  // resources and reference values
  | "POLICY_REFUSED"
  | "RESOURCE_NOT_FOUND"
  | "REFERENCE_VALUE_NOT_FOUND"
  | "REFERENCE_REVOKED"
  | "INVALID_PROVENANCE"
  | "PROVENANCE_SIGNATURE"
  | "BUILDER_REFUSED"
  | "RESOURCE_DELETED"
  // plugins, back ends, keys
  | "BACKEND_FAILED"
  | "BACKEND_READ_ONLY"
  | "PLUGIN_FAILED"
  | "HSM_FAILED"
  | "KEY_NOT_FOUND"
  | "KEY_REFUSED"
  | "CIPHERTEXT_REFUSED"
  | "CSR_REFUSED"
  // policies
  | "POLICY_INVALID"
  | "POLICY_TESTS_FAILED"
  | "POLICY_NOT_FOUND"
  | "POLICY_FIXED"
  | "EXPLANATION_NOT_FOUND"
  // serving
  | "INSECURE_ADDRESS"
  | "LISTEN_FAILED"
  | "CONFIG_INVALID"
  | "TLS_INVALID"
  // state
  | "STATE_INVALID"
  | "STORE_FAILED"
  | "STORE_CLOSED"
  | "STORE_CONFLICT"
  | "SECRET_CORRUPT"
  | "AUDIT_TAMPERED"
  | "LOG_EMPTY"
  | "WITNESS_UNKNOWN"
  | "STATE_NOT_EMPTY"
  | "ROOT_KEY_REFUSED"
  | "ROOT_KEY_UNAVAILABLE"
  | "SHARE_INVALID"
  | "BACKUP_INVALID";

/** Thrown by `@adyton/broker`. */
export class BrokerError extends AdytonError<BrokerErrorCode> {}
