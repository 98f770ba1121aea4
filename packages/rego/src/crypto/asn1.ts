// SPDX-License-Identifier: Apache-2.0
// Pieces of ASN.1 in the form that Go's JSON encoder gives them: that is what OPA's results show.

import { toBase64, toHex } from "@adyton/core/bytes";
import { type DerValue, TAG } from "@adyton/core/der";
import { formatAddress } from "../builtins/address.ts";
import { failure } from "../builtins/define.ts";
import { fromBigInt } from "../number.ts";
import { textOf } from "../utf8.ts";
import type { RegoNumber, Value } from "../value.ts";

const NUMERIC_STRING = 0x12;
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?*&]*$/;

/** Base64, or null for nothing, as Go shows bytes. */
export function bytesValue(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : toBase64(bytes);
}

/** Go shows an empty list that was never made as null. */
export function listValue(list: readonly Value[]): readonly Value[] | null {
  return list.length === 0 ? null : list;
}

/** The number of any length in an INTEGER that is not negative. */
export function integerOf(value: DerValue): bigint {
  return BigInt(`0x${toHex(value.unsigned())}`);
}

export function integerValue(value: bigint): RegoNumber {
  return fromBigInt(value);
}

export function oidValue(oid: string): readonly number[] {
  return oid.split(".").map(Number);
}

/** Text of any length in an ASN.1 string; characters outside its alphabet are a failure. */
export function stringOf(value: DerValue): string {
  const latin1 = (): string => Array.from(value.contents, (byte) => String.fromCharCode(byte)).join("");
  switch (value.tag) {
    case TAG.UTF8_STRING: {
      const text = textOf(value.contents);
      if (text.isWellFormed()) return text;
      throw failure("x509: invalid UTF8String");
    }
    case TAG.PRINTABLE_STRING:
      return matching(latin1(), PRINTABLE, "PrintableString");
    case NUMERIC_STRING:
      return matching(latin1(), /^[0-9 ]*$/, "NumericString");
    case TAG.IA5_STRING:
      return ia5(value.contents);
    case TAG.T61_STRING:
      return latin1();
    case TAG.BMP_STRING: {
      const units =
        latin1()
          .replace(/\0\0$/, "")
          .match(/[\s\S][\s\S]?/g) ?? [];
      if (value.contents.length % 2 !== 0) throw failure("x509: invalid BMPString");
      const text = units
        .map((pair) => String.fromCharCode((pair.charCodeAt(0) << 8) | pair.charCodeAt(1)))
        .join("");
      return matching(text, /^[^\ud800-\udfff\ufffe\uffff\ufdd0-\ufdef]*$/, "BMPString");
    }
    default:
      throw failure("x509: unsupported string type");
  }
}

/** ASCII, as names in extensions are written. */
export function ia5(bytes: Uint8Array): string {
  if (bytes.some((byte) => byte > 0x7f)) throw failure("x509: invalid IA5String");
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function matching(text: string, alphabet: RegExp, kind: string): string {
  if (alphabet.test(text)) return text;
  throw failure(`x509: invalid ${kind}`);
}

const NAME_LISTS: Readonly<Record<string, string>> = {
  "2.5.4.6": "Country",
  "2.5.4.7": "Locality",
  "2.5.4.8": "Province",
  "2.5.4.9": "StreetAddress",
  "2.5.4.10": "Organization",
  "2.5.4.11": "OrganizationalUnit",
  "2.5.4.17": "PostalCode",
};

/** A distinguished name as `pkix.Name` shows it. */
export function nameValue(name: DerValue): { readonly [key: string]: Value } {
  const lists: Record<string, string[]> = Object.fromEntries(
    Object.values(NAME_LISTS).map((list) => [list, []]),
  );
  const names: Value[] = [];
  let [commonName, serialNumber] = ["", ""];
  for (const set of name.sequence()) {
    for (const pair of set.elements(TAG.SET)) {
      const [type, content] = pair.sequence(2) as [DerValue, DerValue];
      const [oid, text] = [type.oid(), stringOf(content)];
      names.push({ Type: oidValue(oid), Value: text });
      if (oid === "2.5.4.3") commonName = text;
      else if (oid === "2.5.4.5") serialNumber = text;
      else lists[NAME_LISTS[oid] ?? ""]?.push(text);
    }
  }
  return {
    ...Object.fromEntries(Object.entries(lists).map(([key, list]) => [key, listValue(list)])),
    CommonName: commonName,
    SerialNumber: serialNumber,
    Names: listValue(names),
    ExtraNames: null,
  };
}

/** An address of 4 or 16 bytes; one of version 6 that maps one of version 4 is taken for that. */
export function addressText(bytes: Uint8Array): string {
  return formatAddress({ value: BigInt(`0x${toHex(bytes)}`), size: 8 * bytes.length });
}
