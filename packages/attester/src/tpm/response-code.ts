// SPDX-License-Identifier: Apache-2.0
// What a response code says: TPM 2.0 Library 1.59, part 2, section 6.6. Codes above 12 bits are those of the software
// between (TCG TSS 2.0 Overview, section 9.3), which carry a TPM's code in their lower half.

/** A response code taken apart. */
export interface ResponseCode {
  readonly value: number;
  /** `TPM_RC_…`, or the number where the specification has no name. */
  readonly name: string;
  /** What of the command the code is about, counted from 1. */
  readonly about?: { readonly kind: "handle" | "parameter" | "session"; readonly number: number };
  /** The TPM did nothing yet, and may do it when it is asked again. */
  readonly transient: boolean;
  /** The layer above the TPM that answered, where it was not the TPM. */
  readonly layer?: number;
}

/** RC_FMT1: about a handle, a parameter or a session. */
const FORMAT_ONE: Readonly<Record<number, string>> = {
  1: "ASYMMETRIC",
  2: "ATTRIBUTES",
  3: "HASH",
  4: "VALUE",
  5: "HIERARCHY",
  7: "KEY_SIZE",
  8: "MGF",
  9: "MODE",
  10: "TYPE",
  11: "HANDLE",
  12: "KDF",
  13: "RANGE",
  14: "AUTH_FAIL",
  15: "NONCE",
  16: "PP",
  18: "SCHEME",
  21: "SIZE",
  22: "SYMMETRIC",
  23: "TAG",
  24: "SELECTOR",
  26: "INSUFFICIENT",
  27: "SIGNATURE",
  28: "KEY",
  29: "POLICY_FAIL",
  31: "INTEGRITY",
  32: "TICKET",
  33: "RESERVED_BITS",
  34: "BAD_AUTH",
  35: "EXPIRED",
  36: "POLICY_CC",
  37: "BINDING",
  38: "CURVE",
  39: "ECC_POINT",
};

/** RC_VER1: errors of the whole command. */
const ERRORS: Readonly<Record<number, string>> = {
  0: "INITIALIZE",
  1: "FAILURE",
  3: "SEQUENCE",
  11: "PRIVATE",
  25: "HMAC",
  32: "DISABLED",
  33: "EXCLUSIVE",
  36: "AUTH_TYPE",
  37: "AUTH_MISSING",
  38: "POLICY",
  39: "PCR",
  40: "PCR_CHANGED",
  45: "UPGRADE",
  46: "TOO_MANY_CONTEXTS",
  47: "AUTH_UNAVAILABLE",
  48: "REBOOT",
  49: "UNBALANCED",
  66: "COMMAND_SIZE",
  67: "COMMAND_CODE",
  68: "AUTHSIZE",
  69: "AUTH_CONTEXT",
  70: "NV_RANGE",
  71: "NV_SIZE",
  72: "NV_LOCKED",
  73: "NV_AUTHORIZATION",
  74: "NV_UNINITIALIZED",
  75: "NV_SPACE",
  76: "NV_DEFINED",
  80: "BAD_CONTEXT",
  81: "CPHASH",
  82: "PARENT",
  83: "NEEDS_TEST",
  84: "NO_RESULT",
  85: "SENSITIVE",
};

/** RC_WARN. */
const WARNINGS: Readonly<Record<number, string>> = {
  1: "CONTEXT_GAP",
  2: "OBJECT_MEMORY",
  3: "SESSION_MEMORY",
  4: "MEMORY",
  5: "SESSION_HANDLES",
  6: "OBJECT_HANDLES",
  7: "LOCALITY",
  8: "YIELDED",
  9: "CANCELED",
  10: "TESTING",
  32: "NV_RATE",
  33: "LOCKOUT",
  34: "RETRY",
  35: "NV_UNAVAILABLE",
};

const BAD_TAG = 0x1e;
const FORMAT_ONE_BIT = 0x80;
const PARAMETER_BIT = 0x40;
const SESSION_BIT = 0x800;
const WARNING_BIT = 0x800;
const VENDOR_BIT = 0x400;
const VERSION_2_BIT = 0x100;
const TRANSIENT: ReadonlySet<number> = new Set([0x908, 0x90a, 0x920, 0x922]);

/** The parts of a response code other than success. */
export function parseResponseCode(value: number): ResponseCode {
  const code = value & 0xfff;
  const above = value >>> 16;
  const layer = above === 0 ? {} : { layer: above };
  if (code & FORMAT_ONE_BIT) {
    return {
      value,
      name: nameOr(FORMAT_ONE[code & 0x3f], value),
      about: aboutOf(code),
      transient: false,
      ...layer,
    };
  }
  return { value, name: formatZeroName(code, value), transient: TRANSIENT.has(code), ...layer };
}

/** For messages: "TPM_RC_SIZE (1d5h) about parameter 1". */
export function describeResponseCode({ name, value, about, layer }: ResponseCode): string {
  const number = `${value.toString(16).padStart(3, "0")}h`;
  return [
    name === number ? number : `${name} (${number})`,
    ...(about === undefined ? [] : [`about ${about.kind} ${about.number}`]),
    ...(layer === undefined ? [] : [`from layer ${layer} above the TPM`]),
  ].join(" ");
}

function aboutOf(code: number): NonNullable<ResponseCode["about"]> {
  if (code & PARAMETER_BIT) return { kind: "parameter", number: (code >> 8) & 0xf };
  return { kind: code & SESSION_BIT ? "session" : "handle", number: (code >> 8) & 7 };
}

function formatZeroName(code: number, value: number): string {
  // TPM 1.2's answer to a command that it does not know.
  if (code === BAD_TAG) return "TPM_RC_BAD_TAG";
  if (!(code & VERSION_2_BIT) || code & VENDOR_BIT) return nameOr(undefined, value);
  if (!(code & WARNING_BIT)) return nameOr(ERRORS[code & 0x7f], value);
  const number = code & 0x7f;
  if (number >= 0x10 && number <= 0x16) return `TPM_RC_REFERENCE_H${number - 0x10}`;
  if (number >= 0x18 && number <= 0x1e) return `TPM_RC_REFERENCE_S${number - 0x18}`;
  return nameOr(WARNINGS[number], value);
}

function nameOr(name: string | undefined, value: number): string {
  return name === undefined ? `${value.toString(16).padStart(3, "0")}h` : `TPM_RC_${name}`;
}
