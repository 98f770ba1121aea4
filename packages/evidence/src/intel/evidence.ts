// SPDX-License-Identifier: Apache-2.0
// The DCAP quote, versions 3, 4 and 5, with an ECDSA-P256 attestation key (Intel SGX ECDSA QuoteLibReference appendix A;
// Intel TDX DCAP Quoting Library API appendix A). All integers are little-endian.

import { type Bytes, concat, fromHex } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { type EvidenceError, unknownVersion } from "../errors.ts";
import { malformed } from "./refusal.ts";
import {
  ENCLAVE_REPORT_SIZE,
  type EnclaveReport,
  encodeEnclaveReport,
  encodeTdReport,
  readEnclaveReport,
  readTdReport,
  TD10_REPORT_SIZE,
  TD15_REPORT_SIZE,
  type TdReport,
} from "./reports.ts";

/** The quoting enclaves of Intel: 939a7233-f79c-4ca9-940a-0db3957f0607. */
export const INTEL_QE_VENDOR_ID: Bytes = fromHex("939a7233f79c4ca9940a0db3957f0607");

/** Values of the header's tee_type. */
export const TEE_TYPE = { sgx: 0, tdx: 0x81 } as const;

/** ECDSA with P-256 and SHA-256: the only attestation key type in use. */
export const ATTESTATION_KEY_ECDSA_P256 = 2;

/** Values of the certification data type. */
export const CERTIFICATION_TYPE = {
  ppid: 1,
  ppidRsa2048: 2,
  ppidRsa3072: 3,
  pckLeaf: 4,
  pckChain: 5,
  qeReport: 6,
  platformManifest: 7,
} as const;

export interface QuoteHeader {
  readonly version: 3 | 4 | 5;
  readonly attestationKeyType: number;
  /** Version 3 knows SGX only. */
  readonly teeType: number;
  /** Version 3: the quoting enclave's SVN. Versions 4 and 5: reserved, zero. */
  readonly qeSvn: number;
  /** Version 3: the provisioning certification enclave's SVN. Versions 4 and 5: reserved, zero. */
  readonly pceSvn: number;
  /** 16 bytes. */
  readonly qeVendorId: Uint8Array;
  /** 20 bytes; the first 16 are the QE id. */
  readonly userData: Uint8Array;
}

export type QuoteBody =
  | { readonly tee: "sgx"; readonly report: EnclaveReport }
  | { readonly tee: "tdx"; readonly report: TdReport };

/** How the quoting enclave's key is certified: see `parseCertification`. */
export interface CertificationData {
  readonly type: number;
  readonly data: Uint8Array;
}

/** A quote's fields, as `encodeQuote` takes them. */
export interface QuoteFields {
  readonly header: QuoteHeader;
  readonly body: QuoteBody;
  /** By the attestation key over header and body; r || s, 64 bytes. */
  readonly signature: Uint8Array;
  /** x || y, 64 bytes. */
  readonly attestationKey: Uint8Array;
  readonly qeReport: EnclaveReport;
  /** By the PCK key over the quoting enclave's report; r || s, 64 bytes. */
  readonly qeReportSignature: Uint8Array;
  readonly qeAuthData: Uint8Array;
  readonly certification: CertificationData;
  /** Bytes after the quote's own end: unsigned, without meaning, and seen in real quotes. */
  readonly trailing?: Uint8Array;
}

/** A parsed quote. Every byte array is a view of the input. */
export interface Quote extends QuoteFields {
  /** What `signature` covers, as received. */
  readonly signedPart: Uint8Array;
  /** What `qeReportSignature` covers, as received. */
  readonly signedQeReport: Uint8Array;
  readonly trailing: Uint8Array;
}

const MAX_QUOTE = 1024 * 1024;
const HEADER_SIZE = 48;
const BODY_DESCRIPTOR_SIZE = 6;
/** body_type of version 5, with the size that belongs to it. */
const BODY = {
  1: { tee: "sgx", size: ENCLAVE_REPORT_SIZE, td15: false },
  2: { tee: "tdx", size: TD10_REPORT_SIZE, td15: false },
  3: { tee: "tdx", size: TD15_REPORT_SIZE, td15: true },
} as const;
type BodyType = keyof typeof BODY;

/** The header and nothing else. Throws `OUT_OF_BOUNDS` or `UNSUPPORTED_QUOTE_FORMAT`. */
export function parseQuoteHeader(bytes: Uint8Array): QuoteHeader {
  return readHeader(new Reader(bytes, "quote"));
}

/**
 * Parses a quote; nothing is verified. Throws `UNSUPPORTED_QUOTE_FORMAT` for what this version of the format does not
 * allow, `OUT_OF_BOUNDS`, `TRAILING_BYTES` or `TOO_LARGE` where lengths do not fit.
 */
export function parseQuote(bytes: Uint8Array): Quote {
  if (bytes.length > MAX_QUOTE) {
    throw unsupported("its size", `${bytes.length} bytes`, `at most ${MAX_QUOTE}`);
  }
  const reader = new Reader(bytes, "quote");
  const header = readHeader(reader);
  const body = readBody(reader, header);
  const signedPart = bytes.subarray(0, reader.offset);
  const auth = reader.sub(reader.u32le("authDataSize"), "quote authentication data");
  const signature = auth.bytes(64, "signature");
  const attestationKey = auth.bytes(64, "attestationKey");
  // Versions 4 and 5 wrap what follows as certification data of type 6.
  const inner = header.version === 3 ? auth : readQeCertification(auth);
  const signedQeReport = inner.bytes(ENCLAVE_REPORT_SIZE, "qeReport");
  const qeReport = readEnclaveReport(new Reader(signedQeReport, "quoting enclave's report"));
  const qeReportSignature = inner.bytes(64, "qeReportSignature");
  const qeAuthData = inner.bytes(inner.u16le("qeAuthDataSize"), "qeAuthData");
  const type = inner.u16le("certificationType");
  const data = inner.bytes(inner.u32le("certificationSize"), "certification");
  inner.end();
  auth.end();
  return {
    header,
    body,
    signature,
    attestationKey,
    qeReport,
    qeReportSignature,
    qeAuthData,
    certification: { type, data },
    signedPart,
    signedQeReport,
    trailing: reader.rest(),
  };
}

/** The bytes of a quote. Throws `OUT_OF_BOUNDS` when a field has another size than the layout gives it. */
export function encodeQuote(quote: QuoteFields): Bytes {
  const { certification, qeAuthData } = quote;
  const certified = concat(
    exactly(encodeEnclaveReport(quote.qeReport), ENCLAVE_REPORT_SIZE, "qeReport"),
    exactly(quote.qeReportSignature, 64, "qeReportSignature"),
    new Writer(2).u16le(qeAuthData.length).finish(),
    qeAuthData,
    encodeCertificationData(certification),
  );
  const auth = concat(
    exactly(quote.signature, 64, "signature"),
    exactly(quote.attestationKey, 64, "attestationKey"),
    quote.header.version === 3
      ? certified
      : encodeCertificationData({ type: CERTIFICATION_TYPE.qeReport, data: certified }),
  );
  return concat(
    encodeSignedPart(quote),
    new Writer(4).u32le(auth.length).finish(),
    auth,
    quote.trailing ?? new Uint8Array(0),
  );
}

/** Header and body: what the attestation key signs. Throws `UNSUPPORTED_QUOTE_FORMAT` for a body the version lacks. */
export function encodeSignedPart(quote: Pick<QuoteFields, "header" | "body">): Bytes {
  const { header, body } = quote;
  const report = body.tee === "sgx" ? encodeEnclaveReport(body.report) : encodeTdReport(body.report);
  const type: BodyType = body.tee === "sgx" ? 1 : body.report.td15 === undefined ? 2 : 3;
  if (header.version < 5 && type === 3) throw unsupported("body", "TD 1.5's", "one that version 4 has");
  if (header.version === 3 && type !== 1) throw unsupported("body", "a TD's", "one that version 3 has");
  if (header.version < 5) return concat(encodeHeader(header), report);
  const descriptor = new Writer(BODY_DESCRIPTOR_SIZE).u16le(type).u32le(report.length).finish();
  return concat(encodeHeader(header), descriptor, report);
}

function encodeHeader(header: QuoteHeader): Bytes {
  return new Writer(HEADER_SIZE)
    .u16le(header.version)
    .u16le(header.attestationKeyType)
    .u32le(header.teeType)
    .u16le(header.qeSvn)
    .u16le(header.pceSvn)
    .bytes(header.qeVendorId, 16, "qeVendorId")
    .bytes(header.userData, 20, "userData")
    .finish();
}

function encodeCertificationData({ type, data }: CertificationData): Bytes {
  return concat(new Writer(6).u16le(type).u32le(data.length).finish(), data);
}

function readHeader(reader: Reader): QuoteHeader {
  const version = reader.u16le("version");
  if (version !== 3 && version !== 4 && version !== 5) {
    throw unknownVersion("UNSUPPORTED_QUOTE_FORMAT", "parse quote", "version", version, "3 to 5");
  }
  const attestationKeyType = reader.u16le("attestationKeyType");
  const teeType = reader.u32le("teeType");
  const allowed = version === 3 ? [TEE_TYPE.sgx] : [TEE_TYPE.sgx, TEE_TYPE.tdx];
  if (!allowed.some((value) => value === teeType)) {
    throw unsupported("teeType", hex(teeType), allowed.map(hex).join(" or "));
  }
  if (attestationKeyType !== ATTESTATION_KEY_ECDSA_P256) {
    throw unsupported("attestationKeyType", String(attestationKeyType), "2, ECDSA with P-256");
  }
  return {
    version,
    attestationKeyType,
    teeType,
    qeSvn: reader.u16le("qeSvn"),
    pceSvn: reader.u16le("pceSvn"),
    qeVendorId: reader.bytes(16, "qeVendorId"),
    userData: reader.bytes(20, "userData"),
  };
}

function readBody(reader: Reader, header: QuoteHeader): QuoteBody {
  let type: number = header.teeType === TEE_TYPE.sgx ? 1 : 2;
  if (header.version === 5) {
    type = reader.u16le("bodyType");
    const size = reader.u32le("bodySize");
    const known = isBodyType(type) ? BODY[type] : undefined;
    const tee = header.teeType === TEE_TYPE.sgx ? "sgx" : "tdx";
    if (known?.tee !== tee || known.size !== size) {
      throw unsupported(
        "bodyType",
        `${type} of ${size} bytes in a quote of ${tee}`,
        "1 of 384 for sgx, 2 of 584 or 3 of 648 for tdx",
      );
    }
  }
  return type === 1
    ? { tee: "sgx", report: readEnclaveReport(reader) }
    : { tee: "tdx", report: readTdReport(reader, type === 3) };
}

function isBodyType(type: number): type is BodyType {
  return type in BODY;
}

function readQeCertification(auth: Reader): Reader {
  const type = auth.u16le("certificationType");
  if (type !== CERTIFICATION_TYPE.qeReport) {
    throw unsupported("outer certification type", String(type), "6, QE report certification data");
  }
  return auth.sub(auth.u32le("certificationSize"), "QE report certification data");
}

function exactly(bytes: Uint8Array, length: number, field: string): Bytes {
  return new Writer(length).bytes(bytes, length, field).finish();
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function unsupported(field: string, found: string, expected: string): EvidenceError {
  return malformed("UNSUPPORTED_QUOTE_FORMAT", "parse quote", field, found, expected);
}
