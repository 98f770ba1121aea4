// SPDX-License-Identifier: Apache-2.0
// Google Cloud's form of TPM evidence: the Attestation message of go-tpm-tools (proto/attest.proto): the attestation
// key's public area, one quote per PCR bank, the event log, the key's certificate and its issuers'.

import type { Bytes } from "@adyton/core/bytes";
import { type Certificate, parseCertificate } from "@adyton/core/x509";
import { hashOfId, idOfHash } from "../tpm/algorithms.ts";
import { encodeTpmSignature, parseTpmSignature } from "../tpm/attest.ts";
import { asStructure, invalidStructure } from "../tpm/error.ts";
import type { TpmEvidence, TpmForm } from "../tpm/evidence.ts";
import { parseTpmPublic, spkiOfTpmPublic } from "../tpm/public.ts";
import type { PcrBank, TpmQuote } from "../tpm/quote.ts";
import { encodeMessage, type Field, parseMessage } from "./protobuf.ts";

/** SHA-256 of Google's roots for vTPM keys: "EK/AK CA Root" (2022) and "tpm_ek_v1_cloud_host_root" (2018). */
export const GOOGLE_ROOTS: readonly string[] = [
  "594759594b9b61524f6c8ef668f7177f7b9066bc0674f2f49fe9e052be78beb2",
  "9bd5285f8fb18502a7947e621ffd470266f49fcd3b73e19a190f690ad32a7caf",
];

/** Fields of Attestation. */
const FIELD = {
  akPub: 1,
  quote: 2,
  eventLog: 3,
  akCert: 6,
  intermediate: 7,
} as const;
/** Evidence of the TEE that the machine runs in, as messages of their own. */
const TEE_FIELDS: ReadonlySet<number> = new Set([8, 9]);
const QUOTE_FIELD = { quote: 1, signature: 2, pcrs: 3 } as const;
const MAX_QUOTES = 8;
const MAX_CERTIFICATES = 8;
const WHAT = "Google Cloud attestation";

export const gceForm: TpmForm = {
  title: "Google Cloud",
  // The first field is the key's public area, which begins with RSA or ECC.
  detect: (bytes) => {
    const at = (bytes[1] ?? 0) < 0x80 ? 2 : 3;
    return bytes[0] === 0x0a && bytes[at] === 0 && (bytes[at + 1] === 0x01 || bytes[at + 1] === 0x23);
  },
  parse: (bytes) => asStructure(() => parseAttestation(bytes)),
};

/** The message; what it does not carry (instance info, canonical log) is left out. */
export function encodeGceAttestation(evidence: Omit<TpmEvidence, "reportDataSize">): Bytes {
  const { akPublic, akSpki: _spki, quotes, certificates, eventLogs } = evidence;
  if (akPublic === undefined) throw invalidStructure(WHAT, "the attestation key's public area is missing");
  const [akCert, ...intermediates] = certificates;
  return encodeMessage(
    { number: FIELD.akPub, value: akPublic.encoded },
    ...quotes.map((quote) => ({ number: FIELD.quote, value: encodeQuote(quote) })),
    ...eventLogs.map((value) => ({ number: FIELD.eventLog, value })),
    ...(akCert === undefined ? [] : [{ number: FIELD.akCert, value: akCert.der }]),
    ...intermediates.map(({ der }) => ({ number: FIELD.intermediate, value: der })),
  );
}

/** Whether the message carries evidence of a TEE beside the TPM's, which is not read here. */
export function carriesTeeEvidence(bytes: Uint8Array): boolean {
  return gceForm.detect(bytes) && parseMessage(bytes, WHAT).some(({ number }) => TEE_FIELDS.has(number));
}

function parseAttestation(bytes: Uint8Array): TpmEvidence {
  const fields = parseMessage(bytes, WHAT);
  const akPublic = parseTpmPublic(required(one(fields, FIELD.akPub), "ak_pub"));
  const quotes = all(fields, FIELD.quote, MAX_QUOTES).map(parseQuote);
  if (quotes.length === 0) throw invalidStructure(WHAT, "it has no quote");
  const eventLog = one(fields, FIELD.eventLog);
  const akCert = one(fields, FIELD.akCert);
  const certificates: Certificate[] = [
    ...(akCert === undefined || akCert.length === 0 ? [] : [parseCertificate(akCert)]),
    ...all(fields, FIELD.intermediate, MAX_CERTIFICATES).map(parseCertificate),
  ];
  return {
    akSpki: spkiOfTpmPublic(akPublic),
    akPublic,
    quotes,
    certificates,
    eventLogs: eventLog === undefined || eventLog.length === 0 ? [] : [eventLog],
    reportDataSize: 64,
  };
}

/** tpm.Quote: TPMS_ATTEST, TPMT_SIGNATURE, PCRs. */
function parseQuote(bytes: Uint8Array): TpmQuote {
  const fields = parseMessage(bytes, `${WHAT}'s quote`);
  return {
    message: required(one(fields, QUOTE_FIELD.quote), "quote"),
    signature: parseTpmSignature(required(one(fields, QUOTE_FIELD.signature), "raw_sig")),
    pcrs: [parsePcrs(required(one(fields, QUOTE_FIELD.pcrs), "pcrs"))],
  };
}

/** tpm.PCRs: {hash: the TPM's algorithm id, pcrs: map of number to value}. */
function parsePcrs(bytes: Uint8Array): PcrBank {
  const fields = parseMessage(bytes, `${WHAT}'s PCRs`);
  const id = fields.find(({ number }) => number === 1)?.value;
  const hash = typeof id === "number" ? hashOfId(id) : undefined;
  if (hash === undefined) throw invalidStructure(WHAT, `PCR bank ${id} is unknown`, { found: id });
  const values = new Map<number, Uint8Array>();
  for (const entry of all(fields, 2, 32)) {
    const members = parseMessage(entry, `${WHAT}'s PCR`);
    // Zero is the default of a number and is not written.
    const number = members.find((field) => field.number === 1)?.value ?? 0;
    const value = one(members, 2);
    if (typeof number !== "number" || value === undefined || values.has(number)) {
      throw invalidStructure(WHAT, "a PCR without number and value, or twice");
    }
    values.set(number, value);
  }
  return { hash, values };
}

function encodeQuote({ message, signature, pcrs }: TpmQuote): Bytes {
  return encodeMessage(
    { number: QUOTE_FIELD.quote, value: message },
    { number: QUOTE_FIELD.signature, value: encodeTpmSignature(signature) },
    ...pcrs.map((bank) => ({ number: QUOTE_FIELD.pcrs, value: encodePcrs(bank) })),
  );
}

function encodePcrs({ hash, values }: PcrBank): Bytes {
  return encodeMessage(
    { number: 1, value: idOfHash(hash) },
    ...[...values].map(([number, value]) => ({
      number: 2,
      value: encodeMessage({ number: 1, value: number }, { number: 2, value }),
    })),
  );
}

/** The bytes of a field that may stand once. */
function one(fields: readonly Field[], number: number): Uint8Array | undefined {
  const [first, ...more] = all(fields, number, 2);
  if (more.length > 0) throw invalidStructure(WHAT, `field ${number} stands twice`, { field: number });
  return first;
}

function all(fields: readonly Field[], number: number, most: number): Uint8Array[] {
  const values = fields.filter((field) => field.number === number).map(({ value }) => value);
  if (values.length > most) throw invalidStructure(WHAT, `field ${number} stands more than ${most} times`);
  return values.map((value) => {
    if (value instanceof Uint8Array) return value;
    throw invalidStructure(WHAT, `field ${number} is a number, expected bytes`, { field: number });
  });
}

function required(value: Uint8Array | undefined, field: string): Uint8Array {
  if (value === undefined) throw invalidStructure(WHAT, `${field} is missing`, { field });
  return value;
}
