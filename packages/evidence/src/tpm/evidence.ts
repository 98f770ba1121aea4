// SPDX-License-Identifier: Apache-2.0
// TPM evidence as the house reads it whatever form it travels in, and Confidential Containers' form: JSON with
// `ak_public` and `tpm_quote`, and members of ours for what that form has no place for.

import { type Bytes, fromBase64, fromHex, toBase64, toHex, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import {
  canonicalJsonBytes,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from "@adyton/core/json";
import { type Certificate, parseCertificate } from "@adyton/core/x509";
import { EvidenceError } from "../errors.ts";
import { digestSize, type TpmHash } from "./algorithms.ts";
import { encodeTpmSignature, parseQuoteAttest, parseTpmSignature } from "./attest.ts";
import { parseTpmPublic, type TpmPublic } from "./public.ts";
import type { PcrBank, TpmQuote } from "./quote.ts";

/** Parsed, nothing verified. */
export interface TpmEvidence {
  /** SubjectPublicKeyInfo of the attestation key, DER. Evidence cannot vouch for it. */
  readonly akSpki: Uint8Array;
  /** The key's public area, where the form has it: then its attributes are checked. */
  readonly akPublic?: TpmPublic;
  /** One or, where a form quotes each bank by itself, several. */
  readonly quotes: readonly TpmQuote[];
  /** What came along: the attestation key's certificate, its issuers'. */
  readonly certificates: readonly Certificate[];
  readonly eventLogs: readonly Uint8Array[];
  /** Bytes of report data that the form binds, from the front. */
  readonly reportDataSize: number;
}

/** A form that TPM evidence travels in. */
export interface TpmForm {
  /** For messages: "Confidential Containers". */
  readonly title: string;
  /** Cheap; never throws. */
  detect(bytes: Uint8Array): boolean;
  parse(bytes: Uint8Array): TpmEvidence;
}

/** PCRs of a PC client's TPM. */
export const PCR_COUNT = 24;
const MAX_CERTIFICATES = 8;
const HASH_NAMES: readonly TpmHash[] = ["SHA-1", "SHA-256", "SHA-384", "SHA-512", "SM3"];

/** Confidential Containers' form, as guest-components' TPM attester writes it. */
export const jsonForm: TpmForm = {
  title: "Confidential Containers",
  detect: (bytes) => {
    const members = jsonMembers(bytes);
    return members !== undefined && "ak_public" in members && isJsonObject(members.tpm_quote);
  },
  parse: (bytes) => parseMembers(membersOf(parseJson(toUtf8(bytes)), "evidence")),
};

/** Evidence in Confidential Containers' form; members beyond it only where they are needed. */
export function encodeTpmEvidence(evidence: Omit<TpmEvidence, "reportDataSize">): Bytes {
  const [quote, ...more] = evidence.quotes;
  if (quote === undefined || more.length > 0) {
    throw invalid(`it has ${evidence.quotes.length} quotes, the form has place for one`);
  }
  const [log, ...logs] = evidence.eventLogs;
  if (logs.length > 0)
    throw invalid(`it has ${evidence.eventLogs.length} event logs, the form has place for one`);
  return canonicalJsonBytes({
    ak_public: toBase64(evidence.akSpki),
    tpm_quote: {
      message: toBase64(quote.message),
      signature: toBase64(encodeTpmSignature(quote.signature)),
      pcrs: pcrsToJson(quote),
    },
    ...(evidence.akPublic === undefined ? {} : { ak_tpm_public: toBase64(evidence.akPublic.encoded) }),
    ...(evidence.certificates.length === 0
      ? {}
      : { ak_certificates: evidence.certificates.map(({ der }) => toBase64(der)) }),
    ...(log === undefined ? {} : { eventlog: toBase64(log) }),
  });
}

/** The members of a JSON object in UTF-8, undefined for anything else. */
export function jsonMembers(bytes: Uint8Array): JsonObject | undefined {
  if (bytes[0] !== 0x7b && !isBlank(bytes[0])) return undefined;
  try {
    const value = parseJson(toUtf8(bytes));
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof AdytonError) return undefined;
    throw error;
  }
}

/** `value` as an object. Throws `INVALID_ENVELOPE`. */
export function membersOf(value: JsonValue | undefined, name: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw invalid(`${name} is no object`, { field: name });
}

/** `value` as bytes in base64. Throws `INVALID_ENVELOPE`. */
export function base64Member(value: JsonValue | undefined, name: string): Bytes {
  return decoded(value, name, "base64", fromBase64);
}

/** `value` as bytes in hex. Throws `INVALID_ENVELOPE`. */
export function hexMember(value: JsonValue | undefined, name: string): Bytes {
  return decoded(value, name, "hex", fromHex);
}

/** `value` as a list. Throws `INVALID_ENVELOPE`. */
export function listMember(value: JsonValue | undefined, name: string, most: number): readonly JsonValue[] {
  if (Array.isArray(value) && value.length <= most) return value as readonly JsonValue[];
  throw invalid(`${name} is no list of at most ${most}`, { field: name });
}

/** The refusal of evidence in JSON. `why` ends the sentence "Cannot read TPM evidence: …". */
export function invalid(why: string, detail: Readonly<Record<string, unknown>> = {}): EvidenceError {
  return new EvidenceError("INVALID_ENVELOPE", "malformed", `Cannot read TPM evidence: ${why}`, { detail });
}

/**
 * PCR values in a list: all of a bank by number, or, when there are fewer, those that the quote names, in its order.
 * Throws `INVALID_ENVELOPE`.
 */
export function bankOfList(values: readonly Uint8Array[], message: Uint8Array, hash?: TpmHash): PcrBank {
  const { selection } = parseQuoteAttest(message);
  const selected = hash === undefined ? selection : selection.filter((each) => each.hash === hash);
  const [only, ...more] = selected;
  if (only === undefined || more.length > 0) {
    throw invalid(`a list of PCRs beside a quote of ${selected.length} selections, expected one`);
  }
  const numbers = values.length > (only.indices.at(-1) ?? -1) ? values.map((_, i) => i) : only.indices;
  if (numbers.length !== values.length) {
    throw invalid(`${values.length} PCRs beside a quote of ${only.indices.length}`);
  }
  return { hash: only.hash, values: new Map(values.map((value, i) => [numbers[i] ?? i, value])) };
}

function parseMembers(members: JsonObject): TpmEvidence {
  const quote = membersOf(members.tpm_quote, "tpm_quote");
  const message = base64Member(quote.message, "tpm_quote.message");
  const signature = parseTpmSignature(base64Member(quote.signature, "tpm_quote.signature"));
  const { ak_tpm_public: area = null, ak_certificates: chain = null, eventlog = null } = members;
  return {
    akSpki: base64Member(members.ak_public, "ak_public"),
    ...(area === null ? {} : { akPublic: parseTpmPublic(base64Member(area, "ak_tpm_public")) }),
    quotes: [{ message, signature, pcrs: pcrsFromJson(quote.pcrs, message) }],
    certificates:
      chain === null
        ? []
        : listMember(chain, "ak_certificates", MAX_CERTIFICATES).map((der, i) =>
            parseCertificate(base64Member(der, `ak_certificates[${i}]`)),
          ),
    eventLogs: eventlog === null ? [] : [base64Member(eventlog, "eventlog")],
    reportDataSize: 64,
  };
}

function pcrsFromJson(value: JsonValue | undefined, message: Uint8Array): PcrBank[] {
  if (Array.isArray(value)) {
    const values = listMember(value, "tpm_quote.pcrs", PCR_COUNT).map((pcr, i) =>
      hexMember(pcr, `tpm_quote.pcrs[${i}]`),
    );
    return [bankOfList(values, message)];
  }
  return Object.entries(membersOf(value, "tpm_quote.pcrs")).map(([name, bank]) => {
    const hash = HASH_NAMES.find((known) => known === name);
    if (hash === undefined) throw invalid(`tpm_quote.pcrs has the unknown bank ${JSON.stringify(name)}`);
    const values = Object.entries(membersOf(bank, `tpm_quote.pcrs.${name}`)).map(([number, pcr]) => {
      if (!/^(0|[1-9]\d?)$/.test(number))
        throw invalid(`tpm_quote.pcrs.${name} has no PCR ${JSON.stringify(number)}`);
      return [Number(number), hexMember(pcr, `tpm_quote.pcrs.${name}.${number}`)] as const;
    });
    return { hash, values: new Map(values) };
  });
}

/** A list of 24, as the form has it, for one bank; zeros stand for what was not quoted. */
function pcrsToJson({ pcrs }: TpmQuote): JsonValue {
  const [only, ...more] = pcrs;
  if (
    only !== undefined &&
    more.length === 0 &&
    [...only.values.keys()].every((number) => number < PCR_COUNT)
  ) {
    const none = new Uint8Array(digestSize(only.hash));
    return Array.from({ length: PCR_COUNT }, (_, i) => toHex(only.values.get(i) ?? none));
  }
  return Object.fromEntries(
    pcrs.map(({ hash, values }) => [
      hash,
      Object.fromEntries([...values].map(([number, value]) => [`${number}`, toHex(value)])),
    ]),
  );
}

function decoded(
  value: JsonValue | undefined,
  name: string,
  form: string,
  decode: (text: string) => Bytes,
): Bytes {
  if (typeof value !== "string") throw invalid(`${name} is no string, expected ${form}`, { field: name });
  try {
    return decode(value);
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    throw invalid(`${name} is no ${form}`, { field: name });
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
