// SPDX-License-Identifier: Apache-2.0
// Evidence of Azure confidential VMs as Trustee's attesters write it: JSON of versions 0 (byte arrays, no version
// member), 1 and 2 (hex and base64url), and the quote in bincode, as az-cvm-vtpm's tools store it.

import { type Bytes, concat, fromBase64Url, toBase64Url, toHex, toUtf8 } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { AdytonError } from "@adyton/core/errors";
import { canonicalJsonBytes, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { parsePem, toPem } from "@adyton/core/pem";
import { type Certificate, parseCertificate } from "@adyton/core/x509";
import { unknownVersion } from "../errors.ts";
import { digestSize } from "../tpm/algorithms.ts";
import {
  bankOfList,
  hexMember,
  invalid,
  jsonMembers,
  listMember,
  membersOf,
  PCR_COUNT,
} from "../tpm/evidence.ts";
import type { TpmQuote } from "../tpm/quote.ts";

export type AzureTee = "az-snp-vtpm" | "az-tdx-vtpm";

export interface AzureEvidence {
  readonly tee: AzureTee;
  readonly version: 0 | 1 | 2;
  readonly quote: TpmQuote;
  /** The HCL report as it stands in the vTPM. */
  readonly hclReport: Uint8Array;
  /** SNP: the VCEK. */
  readonly vcek?: Certificate;
  /** TDX: the TD quote that the metadata service made of the TDREPORT. */
  readonly tdQuote?: Uint8Array;
}

const MAX_REPORT = 64 * 1024;
const MAX_QUOTE = 64 * 1024;
const PCR_SIZE = digestSize("SHA-256");

/** Which kind of Azure evidence `bytes` are, or undefined. Cheap; never throws. */
export function azureTeeOf(bytes: Uint8Array): AzureTee | undefined {
  const members = jsonMembers(bytes);
  if (members === undefined || !("hcl_report" in members || "report" in members)) return undefined;
  if ("td_quote" in members) return "az-tdx-vtpm";
  return "vcek" in members ? "az-snp-vtpm" : undefined;
}

/** Parses evidence of any version. Throws `INVALID_ENVELOPE`, or why a part does not parse. */
export function parseAzureEvidence(bytes: Uint8Array, tee: AzureTee): AzureEvidence {
  const members = membersOf(parseJson(toUtf8(bytes)), "evidence");
  const { version: declared = 0 } = members;
  if (declared !== 0 && declared !== 1 && declared !== 2) {
    const found = JSON.stringify(declared);
    throw unknownVersion("INVALID_ENVELOPE", "read Azure evidence", "version", found, "0 to 2");
  }
  const version: AzureEvidence["version"] = declared;
  const quote = membersOf(members.tpm_quote ?? members.quote, "tpm_quote");
  const parts = {
    tee,
    version,
    quote: version === 0 ? quoteOfArrays(quote) : quoteOfHex(quote),
    hclReport: binary(members.hcl_report ?? members.report, version, "hcl_report", MAX_REPORT),
  };
  if (tee === "az-tdx-vtpm")
    return { ...parts, tdQuote: binary(members.td_quote, version, "td_quote", MAX_QUOTE) };
  return { ...parts, vcek: vcekOf(members.vcek, version) };
}

/** Evidence as JSON of its version. */
export function encodeAzureEvidence(evidence: AzureEvidence): Bytes {
  const { tee, version, quote, hclReport, vcek, tdQuote } = evidence;
  const pcrs = pcrList(quote);
  const [signature = new Uint8Array()] = quote.signature.values;
  if (version === 0) {
    const arrays: JsonObject = {
      message: [...quote.message],
      signature: [...signature],
      pcrs: pcrs.map((pcr) => [...pcr]),
    };
    return canonicalJsonBytes(
      tee === "az-tdx-vtpm"
        ? { tpm_quote: arrays, hcl_report: [...hclReport], td_quote: [...(tdQuote ?? [])] }
        : {
            quote: arrays,
            report: [...hclReport],
            vcek: toPem("CERTIFICATE", vcek?.der ?? new Uint8Array()),
          },
    );
  }
  return canonicalJsonBytes({
    version,
    tpm_quote: { message: toHex(quote.message), signature: toHex(signature), pcrs: pcrs.map(toHex) },
    hcl_report: padded(hclReport),
    ...(tdQuote === undefined ? {} : { td_quote: padded(tdQuote) }),
    ...(vcek === undefined ? {} : { vcek: padded(vcek.der) }),
  });
}

/** Parses a quote in bincode: signature, message and PCRs, each list with its length in 64 bits, little-endian. */
export function parseBincodeQuote(bytes: Uint8Array): TpmQuote {
  const reader = new Reader(bytes, "vTPM quote");
  const list = (field: string): Uint8Array => reader.bytes(length(reader, field), field);
  const signature = list("signature");
  const message = list("message");
  const count = length(reader, "PCRs");
  if (count > PCR_COUNT) throw invalid(`it has ${count} PCRs, at most ${PCR_COUNT}`);
  const pcrs = Array.from({ length: count }, (_, i) => reader.bytes(PCR_SIZE, `PCR ${i}`));
  reader.end();
  return quoteOf(signature, message, pcrs);
}

/** The bytes of a quote in bincode. */
export function encodeBincodeQuote(quote: TpmQuote): Bytes {
  const [signature = new Uint8Array()] = quote.signature.values;
  const pcrs = pcrList(quote);
  const size = (value: number): Bytes => new Writer(8).u64le(BigInt(value)).finish();
  return concat(
    size(signature.length),
    signature,
    size(quote.message.length),
    quote.message,
    size(pcrs.length),
    ...pcrs,
  );
}

/** The vTPM's key is RSA and signs with PKCS #1 v1.5 over SHA-256; its bank is SHA-256. */
function quoteOf(signature: Uint8Array, message: Uint8Array, pcrs: readonly Uint8Array[]): TpmQuote {
  return {
    message,
    signature: { scheme: "RSASSA", hash: "SHA-256", values: [signature] },
    pcrs: [bankOfList(pcrs, message, "SHA-256")],
  };
}

function quoteOfHex(quote: JsonObject): TpmQuote {
  const pcrs = listMember(quote.pcrs, "tpm_quote.pcrs", PCR_COUNT).map((pcr, i) =>
    hexMember(pcr, `tpm_quote.pcrs[${i}]`),
  );
  return quoteOf(
    hexMember(quote.signature, "tpm_quote.signature"),
    hexMember(quote.message, "tpm_quote.message"),
    pcrs,
  );
}

function quoteOfArrays(quote: JsonObject): TpmQuote {
  const pcrs = listMember(quote.pcrs, "quote.pcrs", PCR_COUNT).map((pcr, i) =>
    byteArray(pcr, `quote.pcrs[${i}]`, PCR_SIZE),
  );
  return quoteOf(
    byteArray(quote.signature, "quote.signature", 512),
    byteArray(quote.message, "quote.message", 1024),
    pcrs,
  );
}

function binary(value: JsonValue | undefined, version: number, name: string, most: number): Uint8Array {
  if (version === 0) return byteArray(value, name, most);
  if (typeof value !== "string" || value.length > 2 * most)
    throw invalid(`${name} is no base64url`, { field: name });
  try {
    return fromBase64Url(value.replace(/=+$/, ""));
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    throw invalid(`${name} is no base64url`, { field: name });
  }
}

function vcekOf(value: JsonValue | undefined, version: number): Certificate {
  if (version !== 0) return parseCertificate(binary(value, version, "vcek", MAX_REPORT));
  if (typeof value !== "string") throw invalid("vcek is no string, expected PEM", { field: "vcek" });
  const [block] = parsePem(value);
  if (block === undefined) throw invalid("vcek holds no certificate", { field: "vcek" });
  return parseCertificate(block.der);
}

function byteArray(value: JsonValue | undefined, name: string, most: number): Uint8Array {
  const items = listMember(value, name, most);
  const isByte = (item: JsonValue): boolean =>
    typeof item === "number" && Number.isInteger(item) && item >= 0 && item < 256;
  if (!items.every(isByte)) throw invalid(`${name} is no list of bytes`, { field: name });
  return Uint8Array.from(items as readonly number[]);
}

/** All of the bank by number, zeros for what it lacks. */
function pcrList({ pcrs: [bank] }: TpmQuote): Uint8Array[] {
  return Array.from({ length: PCR_COUNT }, (_, i) => bank?.values.get(i) ?? new Uint8Array(PCR_SIZE));
}

function length(reader: Reader, field: string): number {
  const value = reader.u64le(`length of ${field}`);
  return value > 0xffffffffn ? 0xffffffff : Number(value);
}

/** base64url with padding, as Rust's URL_SAFE writes it. */
function padded(bytes: Uint8Array): string {
  const text = toBase64Url(bytes);
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}
