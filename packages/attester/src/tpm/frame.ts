// SPDX-License-Identifier: Apache-2.0
// Commands and responses as they travel: header, handles, authorizations, parameters. TPM 2.0 Library 1.59, part 1,
// sections 18 (structure) and 19.4 (password authorizations). Integers are big-endian.

import { type Bytes, concat } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { encodeSized } from "@adyton/evidence/tpm";
import { AttesterError } from "../errors.ts";
import { HANDLE, HEADER_SIZE, MAX_MESSAGE, TAG } from "./constants.ts";
import { asResponse, invalidArgument, invalidResponse } from "./error.ts";
import { describeResponseCode, parseResponseCode, type ResponseCode } from "./response-code.ts";

/** Who says that a handle may be used. */
export type TpmAuthorization =
  /** By its secret, which travels as it is. Empty: nobody set one. */
  | { readonly password: Uint8Array }
  /** By a policy session that holds. */
  | { readonly session: number };

export interface TpmCommand {
  /** As the specification calls it: "TPM2_Quote". */
  readonly name: string;
  readonly code: number;
  readonly handles?: readonly number[];
  /** For the first handles, in their order. */
  readonly authorizations?: readonly TpmAuthorization[];
  readonly parameters?: Uint8Array;
  /** The response begins with a handle. */
  readonly givesHandle?: boolean;
}

export interface TpmResponse {
  /** Zero where the command gives none. */
  readonly handle: number;
  readonly parameters: Uint8Array;
}

/** No secret was set. */
export const NO_AUTH: TpmAuthorization = { password: new Uint8Array() };

const SUCCESS = 0;
/** TPMA_SESSION.continueSession: we flush sessions ourselves, whether a command succeeded or not. */
const CONTINUE_SESSION = 1;
const MAX_NONCE = 64;

/** The bytes of a command. Throws `INVALID_TPM_ARGUMENT` when it is longer than any TPM takes. */
export function encodeCommand({
  name,
  code,
  handles = [],
  authorizations = [],
  parameters = new Uint8Array(),
}: TpmCommand): Bytes {
  const areas = authorizations.map(encodeAuthorization);
  const authorization = concat(...areas);
  const body = concat(
    ...handles.map(u32),
    ...(areas.length === 0 ? [] : [u32(authorization.length), authorization]),
    parameters,
  );
  const size = HEADER_SIZE + body.length;
  if (size > MAX_MESSAGE) {
    throw invalidArgument(`Cannot send ${name}: got ${size} bytes, expected at most ${MAX_MESSAGE}`);
  }
  const tag = areas.length === 0 ? TAG.noSessions : TAG.sessions;
  return concat(new Writer(HEADER_SIZE).u16be(tag).u32be(size).u32be(code).finish(), body);
}

/**
 * The response to `command`. Throws `TPM_REFUSED` when its code is not success, `INVALID_TPM_RESPONSE` when it is no
 * response to that command.
 */
export function parseResponse(bytes: Uint8Array, command: TpmCommand): TpmResponse {
  const { name, authorizations = [], givesHandle = false } = command;
  return asResponse(name, () => {
    const reader = new Reader(bytes, name);
    const { tag, code } = parseHeader(reader, bytes, name);
    if (code !== SUCCESS) {
      reader.end();
      throw refused(name, parseResponseCode(code));
    }
    const expected = authorizations.length === 0 ? TAG.noSessions : TAG.sessions;
    if (tag !== expected) throw invalidResponse(name, `tag is ${hex(tag)}, expected ${hex(expected)}`);
    const handle = givesHandle ? reader.u32be("handle") : 0;
    if (authorizations.length === 0) return { handle, parameters: reader.rest() };
    const parameters = reader.bytes(reader.u32be("parameterSize"), "parameters");
    for (const _ of authorizations) parseAcknowledgement(reader, name);
    reader.end();
    return { handle, parameters };
  });
}

/** Throws `INVALID_TPM_RESPONSE` unless a response has no parameters, as its command's has none. */
export function checkEmpty({ parameters }: TpmResponse, name: string): void {
  if (parameters.length > 0) throw invalidResponse(name, `${parameters.length} bytes, expected none`);
}

/** The code of a response, whatever else it holds. Throws `INVALID_TPM_RESPONSE`. */
export function responseCodeOf(bytes: Uint8Array, name: string): number {
  return asResponse(name, () => parseHeader(new Reader(bytes, name), bytes, name).code);
}

/** Whether `error` is a TPM's refusal with one of these names. */
export function isRefusal(error: unknown, ...names: readonly string[]): boolean {
  if (!(error instanceof AttesterError) || error.code !== "TPM_REFUSED") return false;
  return names.some((name) => error.detail.name === name);
}

export function u32(value: number): Bytes {
  return new Writer(4).u32be(value).finish();
}

export function u16(value: number): Bytes {
  return new Writer(2).u16be(value).finish();
}

export function hex(value: number): string {
  return `${value.toString(16).padStart(4, "0")}h`;
}

function encodeAuthorization(authorization: TpmAuthorization): Bytes {
  const [handle, secret] =
    "session" in authorization
      ? [authorization.session, new Uint8Array()]
      : [HANDLE.password, authorization.password];
  const attributes = new Writer(1).u8(CONTINUE_SESSION).finish();
  return concat(u32(handle), encodeSized(new Uint8Array()), attributes, encodeSized(secret));
}

function parseHeader(
  reader: Reader,
  bytes: Uint8Array,
  name: string,
): { readonly tag: number; readonly code: number } {
  const tag = reader.u16be("tag");
  const size = reader.u32be("responseSize");
  if (size !== bytes.length) throw invalidResponse(name, `it says ${size} bytes and has ${bytes.length}`);
  return { tag, code: reader.u32be("responseCode") };
}

/** TPMS_AUTH_RESPONSE (part 2, section 10.13.3). There is an HMAC only where there is a key for it: nowhere here. */
function parseAcknowledgement(reader: Reader, name: string): void {
  const nonce = reader.u16be("size of nonceTPM");
  if (nonce > MAX_NONCE) throw invalidResponse(name, `a nonce of ${nonce} bytes`);
  reader.bytes(nonce, "nonceTPM");
  reader.u8("sessionAttributes");
  const hmac = reader.u16be("size of hmac");
  if (hmac !== 0) throw invalidResponse(name, `an HMAC of ${hmac} bytes, expected none`);
}

function refused(name: string, code: ResponseCode): AttesterError {
  const hint = HINTS[code.name];
  return new AttesterError(
    "TPM_REFUSED",
    "unavailable",
    `Cannot run ${name}: the TPM said ${describeResponseCode(code)}`,
    {
      detail: { command: name, ...code },
      ...(hint === undefined ? {} : { hint }),
    },
  );
}

const HINTS: Readonly<Record<string, string>> = {
  TPM_RC_INITIALIZE: "The TPM was not started: firmware does that, and swtpm with --flags startup-clear.",
  TPM_RC_BAD_TAG: "This is a TPM 1.2: evidence needs TPM 2.0.",
  TPM_RC_AUTH_FAIL: "The hierarchy or the key has a secret: pass it.",
  TPM_RC_BAD_AUTH: "The hierarchy or the key has a secret: pass it.",
  TPM_RC_LOCKOUT: "Too many wrong secrets: wait, or reset the lockout.",
  TPM_RC_OBJECT_MEMORY: "Others left objects in the TPM: use /dev/tpmrm0, or flush them.",
  TPM_RC_SESSION_MEMORY: "Others left sessions in the TPM: use /dev/tpmrm0, or flush them.",
  TPM_RC_DISABLED: "The hierarchy is switched off: switch it on in the firmware's setup.",
  TPM_RC_HIERARCHY: "The hierarchy is switched off: switch it on in the firmware's setup.",
};
