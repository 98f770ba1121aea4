// SPDX-License-Identifier: Apache-2.0
// Reference values with who vouches for them: the one shape that every format is read into.

import { type Bytes, toHex } from "@adyton/core/bytes";
import { verifyingCrypto } from "@adyton/core/crypto";
import { CoreError } from "@adyton/core/errors";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { AppraisalError } from "../errors.ts";
import { parseReferenceValues, type ReferenceValues, sameReference } from "../reference.ts";

/** What documents of reference values are: plain JSON, CoRIM, an integrity manifest (SWID), provenance (in-toto). */
export type VoucherKind = (typeof VOUCHER_KINDS)[number];
export const VOUCHER_KINDS = ["json", "corim", "rim", "provenance"] as const;

/** Who says that a value is good, and how that is known. */
export interface Voucher {
  readonly kind: VoucherKind;
  /** What the signer, or for an unsigned document the caller, is called. */
  readonly name?: string;
  /** SHA-256 of the SubjectPublicKeyInfo of the key that made the signature, lower-case hex. */
  readonly keyId?: string;
  /** SHA-256 of the signer's certificate, lower-case hex. */
  readonly certificate?: string;
  /** Who built what the values are of, as provenance names it. */
  readonly builder?: string;
  /** The repository it was built from, as provenance names it. */
  readonly source?: string;
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
/** Tokens carry them. */
const MAX_SHOWN = 8;

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

/** A value that matched, with one who vouches for it, as explanations and tokens show it. */
export type MatchedVoucher = Pick<Voucher, "kind" | "name" | "keyId" | "builder" | "source" | "verified"> & {
  readonly value: JsonValue;
};

/**
 * What `AppraiseOptions.vouchersOf` asks: which values of `id` a claim met, and who vouches for each. Those equal to the
 * claim; for a number that equals none, those that it is not below. Undefined when there are none.
 */
export function voucherLookup(
  values: readonly VouchedValue[],
): (id: string, found: JsonValue) => JsonValue | undefined {
  const byId = new Map<string, VouchedValue[]>();
  for (const value of values) byId.set(value.id, [...(byId.get(value.id) ?? []), value]);
  return (id, found) => {
    const known = byId.get(id) ?? [];
    const equal = known.filter(({ value }) => sameReference(found, value));
    const met =
      equal.length > 0 || typeof found !== "number"
        ? equal
        : known.filter(({ value }) => typeof value === "number" && value <= found);
    return met.length === 0 ? undefined : met.slice(0, MAX_SHOWN).map(matchedOf);
  };
}

function matchedOf({ value, voucher }: VouchedValue): JsonObject {
  const { kind, name, keyId, builder, source, verified } = voucher;
  const shown: MatchedVoucher = {
    value,
    kind,
    ...(name === undefined ? {} : { name }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(builder === undefined ? {} : { builder }),
    ...(source === undefined ? {} : { source }),
    verified,
  };
  return shown;
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
