// SPDX-License-Identifier: Apache-2.0
// Keys in a TPM: TPM2_CreatePrimary, TPM2_Create, TPM2_Load, TPM2_ReadPublic. TPM 2.0 Library 1.59, part 3, sections
// 24.1, 12.1, 12.2 and 12.4.

import { concat, equal } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { Reader } from "@adyton/core/cursor";
import { encodeSized, nameOf, parseTpmPublic, type TpmPublic } from "@adyton/evidence/tpm";
import { flushContext, type Tpm } from "./connection.ts";
import { COMMAND, HANDLE } from "./constants.ts";
import { asResponse, invalidResponse } from "./error.ts";
import { NO_AUTH, type TpmAuthorization, u32 } from "./frame.ts";

/** A key that the TPM holds. */
export interface TpmKey {
  readonly handle: number;
  readonly public: TpmPublic;
  /** Name algorithm and digest of the public area. */
  readonly name: Uint8Array;
}

/** A key as it lies outside of its TPM: the private part is encrypted by its parent. */
export interface WrappedKey {
  /** TPM2B_PRIVATE's contents. */
  readonly private: Uint8Array;
  readonly public: TpmPublic;
}

export type Hierarchy = "owner" | "endorsement";

export interface CreateKeyOptions {
  /** For the hierarchy or the parent. Default: nobody set a secret. */
  readonly authorization?: TpmAuthorization;
}

const NONE = new Uint8Array();
/** TPM2B_SENSITIVE_CREATE without secret and data, and behind the template no outside data and no PCRs. */
const NO_SENSITIVE = encodeSized(concat(encodeSized(NONE), encodeSized(NONE)));
const NO_OUTSIDE_INFO_NO_PCRS = concat(encodeSized(NONE), u32(0));

/**
 * The primary key of a template: the same at every call, as long as nobody clears the hierarchy. Flush it: see
 * `withLoaded`. Throws `TPM_REFUSED`, `INVALID_TPM_RESPONSE`.
 */
export async function createPrimary(
  tpm: Tpm,
  hierarchy: Hierarchy,
  template: Uint8Array,
  { authorization = NO_AUTH }: CreateKeyOptions = {},
): Promise<TpmKey> {
  const name = "TPM2_CreatePrimary";
  const { handle, parameters } = await tpm.run({
    name,
    code: COMMAND.createPrimary,
    handles: [HANDLE[hierarchy]],
    authorizations: [authorization],
    parameters: concat(NO_SENSITIVE, encodeSized(template), NO_OUTSIDE_INFO_NO_PCRS),
    givesHandle: true,
  });
  return orFlush(tpm, handle, async () => {
    const created = asResponse(name, () => {
      const reader = new Reader(parameters, name);
      const area = parseTpmPublic(readSized(reader, "outPublic"));
      skipCreation(reader);
      const found = readSized(reader, "name");
      reader.end();
      return { handle, public: area, name: found };
    });
    await checkName(name, created.public, created.name);
    return created;
  });
}

/** A new key below `parent`; `loadKey` makes it usable. Throws `TPM_REFUSED`, `INVALID_TPM_RESPONSE`. */
export async function createKey(
  tpm: Tpm,
  parent: number,
  template: Uint8Array,
  { authorization = NO_AUTH }: CreateKeyOptions = {},
): Promise<WrappedKey> {
  const name = "TPM2_Create";
  const { parameters } = await tpm.run({
    name,
    code: COMMAND.create,
    handles: [parent],
    authorizations: [authorization],
    parameters: concat(NO_SENSITIVE, encodeSized(template), NO_OUTSIDE_INFO_NO_PCRS),
  });
  return asResponse(name, () => {
    const reader = new Reader(parameters, name);
    const wrapped = readSized(reader, "outPrivate");
    const area = parseTpmPublic(readSized(reader, "outPublic"));
    skipCreation(reader);
    reader.end();
    return { private: wrapped, public: area };
  });
}

/** Loads a key below the parent that it was made with. Flush it. Throws `TPM_REFUSED`, `INVALID_TPM_RESPONSE`. */
export async function loadKey(
  tpm: Tpm,
  parent: number,
  wrapped: WrappedKey,
  { authorization = NO_AUTH }: CreateKeyOptions = {},
): Promise<TpmKey> {
  const name = "TPM2_Load";
  const { handle, parameters } = await tpm.run({
    name,
    code: COMMAND.load,
    handles: [parent],
    authorizations: [authorization],
    parameters: concat(encodeSized(wrapped.private), encodeSized(wrapped.public.encoded)),
    givesHandle: true,
  });
  return orFlush(tpm, handle, async () => {
    const found = asResponse(name, () => {
      const reader = new Reader(parameters, name);
      const value = readSized(reader, "name");
      reader.end();
      return value;
    });
    await checkName(name, wrapped.public, found);
    return { handle, public: wrapped.public, name: found };
  });
}

/** The key at a handle. Throws `TPM_REFUSED`, `INVALID_TPM_RESPONSE`. */
export async function readPublic(tpm: Tpm, handle: number): Promise<TpmKey> {
  const name = "TPM2_ReadPublic";
  const { parameters } = await tpm.run({ name, code: COMMAND.readPublic, handles: [handle] });
  const key = asResponse(name, () => {
    const reader = new Reader(parameters, name);
    const area = parseTpmPublic(readSized(reader, "outPublic"));
    const found = readSized(reader, "name");
    readSized(reader, "qualifiedName");
    reader.end();
    return { handle, public: area, name: found };
  });
  await checkName(name, key.public, key.name);
  return key;
}

/** A TPM2B. */
export function readSized(reader: Reader, field: string): Uint8Array {
  return reader.bytes(reader.u16be(`size of ${field}`), field);
}

/** creationData, creationHash and creationTicket: what a key was made under, which nothing here asks for. */
export function skipCreation(reader: Reader): void {
  readSized(reader, "creationData");
  readSized(reader, "creationHash");
  reader.bytes(6, "tag and hierarchy of creationTicket");
  readSized(reader, "creationTicket");
}

/** The name is over the public area, or one of them is another key's. */
async function checkName(command: string, area: TpmPublic, found: Uint8Array): Promise<void> {
  if (equal(await nameOf(area, defaultCrypto), found)) return;
  throw invalidResponse(command, "the name is not that of the public area");
}

/** Runs `read`; when it fails the object that the TPM holds is flushed. */
async function orFlush<T>(tpm: Tpm, handle: number, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    await flushContext(tpm, handle).catch(() => undefined);
    throw error;
  }
}
