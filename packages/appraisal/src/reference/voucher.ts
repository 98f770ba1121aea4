// SPDX-License-Identifier: Apache-2.0
// Reference values with who vouches for them: the one shape that every format is read into.

import { type Bytes, toHex } from "@adyton/core/bytes";
import { verifyingCrypto } from "@adyton/core/crypto";
import { CoreError } from "@adyton/core/errors";
import type { JsonValue } from "@adyton/core/json";
import { AppraisalError } from "../errors.ts";
import { parseReferenceValues, type ReferenceValues } from "../reference.ts";

/** Who says that a value is good, and how that is known. */
export interface Voucher {
  readonly kind: "json" | "corim";
  /** What the signer, or for an unsigned document the caller, is called. */
  readonly name?: string;
  /** SHA-256 of the SubjectPublicKeyInfo of the key that made the signature, lower-case hex. */
  readonly keyId?: string;
  /** SHA-256 of the signer's certificate, lower-case hex. */
  readonly certificate?: string;
  /** SHA-256 of the whole document as received, lower-case hex. */
  readonly document: string;
  /** A trusted key signed the document. False: the caller took it without a signature. */
  readonly verified: boolean;
}

/** One acceptable value of one reference id. */
export interface VouchedValue {
  readonly id: string;
  /** A string, number or boolean. */
  readonly value: JsonValue;
  readonly voucher: Voucher;
  /** Not good before… */
  readonly notBefore?: Date;
  /** …and not after. */
  readonly expires?: Date;
}

export interface TakeOptions {
  /** The time to take values for. */
  readonly at: Date;
  /** Also take what nobody signed. Default false: such values are refused. */
  readonly allowUnverified?: boolean;
}

/** No document of reference values is larger. */
const MAX_DOCUMENT_BYTES = 1_048_576;

/**
 * The values as policies compare them, those out of their time left out.
 * Throws `REFERENCE_UNSIGNED` when one is not verified, `INVALID_REFERENCE_VALUES` or, for a time that is none,
 * `INVALID_APPRAISAL_INPUT`.
 */
export function referenceValuesOf(values: readonly VouchedValue[], options: TakeOptions): ReferenceValues {
  const at = options.at.getTime();
  if (Number.isNaN(at)) {
    throw new AppraisalError(
      "INVALID_APPRAISAL_INPUT",
      "misuse",
      "Cannot take reference values: the time is no date",
    );
  }
  const taken = new Map<string, JsonValue[]>();
  for (const { id, value, voucher, notBefore, expires } of values) {
    if (!voucher.verified && options.allowUnverified !== true) throw unsigned(`reference value ${id}`);
    if (notBefore !== undefined && !(notBefore.getTime() <= at)) continue;
    if (expires !== undefined && !(at < expires.getTime())) continue;
    const list = taken.get(id) ?? [];
    if (!list.includes(value)) list.push(value);
    taken.set(id, list);
  }
  return parseReferenceValues(Object.fromEntries(taken));
}

/** Everyone who vouches for `value` under `id`, in the order given. */
export function vouchersOf(values: readonly VouchedValue[], id: string, value: JsonValue): Voucher[] {
  return values.filter((one) => one.id === id && one.value === value).map(({ voucher }) => voucher);
}

/** SHA-256 in lower-case hex. */
export async function sha256Of(bytes: Uint8Array): Promise<string> {
  return toHex(await verifyingCrypto.digest("SHA-256", bytes));
}

/** A copy of a document: what is checked is what is read. Throws `TOO_LARGE`. */
export function documentOf(bytes: Uint8Array, what: string): Bytes {
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw new CoreError(
      "TOO_LARGE",
      "malformed",
      `Cannot read ${what}: got ${bytes.length} bytes, expected at most ${MAX_DOCUMENT_BYTES}`,
      { detail: { what, found: bytes.length } },
    );
  }
  return Uint8Array.from(bytes);
}

/** A document or value without a signature, where that was not allowed. */
export function unsigned(what: string): AppraisalError {
  return new AppraisalError(
    "REFERENCE_UNSIGNED",
    "not-authentic",
    `Cannot take ${what}: nobody signed it, expected a signature by a trusted key`,
    {
      hint: "Have it signed, or allow unsigned reference values where you know by other means who wrote them.",
    },
  );
}
