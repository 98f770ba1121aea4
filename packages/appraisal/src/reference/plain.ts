// SPDX-License-Identifier: Apache-2.0
// Reference values as plain JSON: an object of id to value or values. Nobody signs it.

import { toUtf8 } from "@adyton/core/bytes";
import { parseJson } from "@adyton/core/json";
import { parseReferenceValues } from "../reference.ts";
import { documentOf, sha256Of, unsigned, type VouchedValue, type Voucher } from "./voucher.ts";

export interface PlainOptions {
  /** Must be true: plain JSON carries no signature. */
  readonly allowUnsigned?: boolean;
  /** Who gave it, as far as the caller knows. */
  readonly name?: string;
}

/**
 * Reads plain JSON. No value is verified.
 * Throws `REFERENCE_UNSIGNED`, `TOO_LARGE`, `INVALID_UTF8`, `INVALID_JSON` or `INVALID_REFERENCE_VALUES`.
 */
export async function readPlainReferences(
  bytes: Uint8Array,
  options: PlainOptions = {},
): Promise<VouchedValue[]> {
  if (options.allowUnsigned !== true) throw unsigned("plain reference values");
  const document = documentOf(bytes, "plain reference values");
  const values = parseReferenceValues(parseJson(toUtf8(document)));
  const voucher: Voucher = {
    kind: "json",
    ...(options.name === undefined ? {} : { name: options.name }),
    document: await sha256Of(document),
    verified: false,
  };
  return Object.entries(values).flatMap(([id, list]) => list.map((value) => ({ id, value, voucher })));
}
