// SPDX-License-Identifier: Apache-2.0
// The one error shape of the house. Every package narrows `code` to its own literal union.

/**
 * What kind of refusal an error is. The command line maps each to an exit code, servers to a status.
 *
 * - `misuse`: the caller asked for something that makes no sense.
 * - `malformed`: bytes that are not what they claim to be.
 * - `not-authentic`: a signature, chain, binding or vendor verdict says no.
 * - `endorsements`: something needed to decide is missing, expired or not valid yet.
 * - `policy`: authentic, but refused by a rule of the relying party.
 * - `unavailable`: a service, device or file that could not be reached.
 */
export type ErrorCategory =
  | "misuse"
  | "malformed"
  | "not-authentic"
  | "endorsements"
  | "policy"
  | "unavailable";

/** Structured facts about an error: safe to log, never a secret. */
export type ErrorDetail = Readonly<Record<string, unknown>>;

export interface ErrorOptionsOf {
  /** Facts for machines: field, offset, found, expected… */
  readonly detail?: ErrorDetail;
  /** The next thing to try, a sentence. */
  readonly hint?: string;
  /** What was caught, when this error explains another. */
  readonly cause?: unknown;
}

/** Base of every error that Adyton throws on purpose; `code` is stable API. */
export class AdytonError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly category: ErrorCategory;
  readonly detail: ErrorDetail;
  readonly hint: string | undefined;

  constructor(code: Code, category: ErrorCategory, message: string, options: ErrorOptionsOf = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.category = category;
    this.detail = options.detail ?? {};
    this.hint = options.hint;
  }

  /** What `--json` and servers show: no stack, no cause. */
  toJSON(): { code: Code; category: ErrorCategory; message: string; detail: ErrorDetail; hint?: string } {
    const shown = {
      code: this.code,
      category: this.category,
      message: this.message,
      detail: this.detail,
    };
    return this.hint === undefined ? shown : { ...shown, hint: this.hint };
  }
}

/** Codes of `@adyton/core`. */
export type CoreErrorCode =
  // encodings
  | "INVALID_HEX"
  | "INVALID_BASE64"
  | "INVALID_UTF8"
  | "INVALID_PEM"
  | "INVALID_JSON"
  | "INVALID_DER"
  | "INVALID_CBOR"
  | "INVALID_COSE"
  | "OUT_OF_BOUNDS"
  | "TRAILING_BYTES"
  | "TOO_LARGE"
  // certificates
  | "INVALID_CERTIFICATE"
  | "INVALID_CRL"
  | "UNSUPPORTED_ALGORITHM"
  | "INVALID_KEY"
  | "DECRYPTION_FAILED"
  | "NO_TRUST_ANCHOR"
  | "INVALID_TIME"
  | "ISSUER_NOT_FOUND"
  | "ROOT_NOT_TRUSTED"
  | "CHAIN_TOO_LONG"
  | "NOT_A_CA"
  | "PATH_LENGTH_EXCEEDED"
  | "KEY_USAGE"
  | "UNKNOWN_CRITICAL_EXTENSION"
  | "CERTIFICATE_SIGNATURE"
  | "CERTIFICATE_EXPIRED"
  | "CERTIFICATE_NOT_YET_VALID"
  | "CERTIFICATE_REVOKED"
  | "CRL_MISSING"
  | "CRL_UNKNOWN_ISSUER"
  | "CRL_SIGNATURE"
  | "CRL_EXPIRED"
  | "CRL_NOT_YET_VALID"
  // logs
  | "INVALID_NOTE"
  | "NOTE_SIGNATURE"
  | "LOG_PROOF"
  | "LOG_RANGE";

/** Thrown by `@adyton/core`. */
export class CoreError extends AdytonError<CoreErrorCode> {}

/** A `CoreError` about bytes that do not parse. */
export function malformed(code: CoreErrorCode, message: string, detail?: ErrorDetail): CoreError {
  return new CoreError(code, "malformed", message, detail === undefined ? {} : { detail });
}
