// SPDX-License-Identifier: Apache-2.0
// A simulated machine: a PCK certificate for one TCB, and quoting enclaves that issue byte-exact quotes.

import { type Bytes, concat, fromHex, fromUtf8, padRight } from "@adyton/core/bytes";
import type { CryptoProvider, PrivateKey } from "@adyton/core/crypto";
import { toPem } from "@adyton/core/pem";
import type { Certificate } from "@adyton/core/x509";
import {
  ATTESTATION_KEY_ECDSA_P256,
  CERTIFICATION_TYPE,
  type CertificationData,
  type EnclaveReport,
  encodeEnclaveReport,
  encodePckExtension,
  encodeQuote,
  encodeSignedPart,
  INTEL_QE_VENDOR_ID,
  type PckConfiguration,
  type PckExtension,
  type QuoteBody,
  type QuoteFields,
  type QuoteHeader,
  SGX_EXTENSION_OID,
  type TdReport,
  TEE_TYPE,
} from "@adyton/evidence/tdx";
import {
  type Authority,
  type CertificateChange,
  createAuthority,
  type Period,
  simulatorName,
} from "./authority.ts";
import {
  DEFAULT_COMPONENTS,
  DEFAULT_FMSPC,
  DEFAULT_PCE_ID,
  DEFAULT_PCE_SVN,
  defaultEnclave,
  defaultTd,
  ENCLAVES,
  quotingEnclave,
} from "./defaults.ts";

export interface PlatformOptions {
  /** 6 bytes in hex. */
  readonly fmspc?: string;
  /** 2 bytes in hex. */
  readonly pceId?: string;
  /** SVNs of the 16 TCB components; fewer are filled up with zeros. */
  readonly components?: readonly number[];
  readonly pceSvn?: number;
  /** Which CA certifies it: Platform (server, the default) or Processor (no platform instance, no configuration). */
  readonly ca?: "platform" | "processor";
  readonly configuration?: PckConfiguration;
  /** Members of the SGX extension that shall differ from what the options above make. */
  readonly extension?: Partial<PckExtension>;
  readonly pck?: CertificateChange;
}

export interface QuoteOptions {
  readonly tee: "sgx" | "tdx";
  /** Default: 3 for SGX, 4 for TDX, 5 with `td15`. */
  readonly version?: 3 | 4 | 5;
  /** At most 64 bytes, zero-padded on the right. */
  readonly reportData?: Uint8Array;
  readonly header?: Partial<QuoteHeader>;
  /** The enclave, where `tee` is "sgx". */
  readonly enclave?: Partial<EnclaveReport>;
  /** The trust domain, where `tee` is "tdx". */
  readonly td?: Partial<Omit<TdReport, "td15">>;
  /** Makes the body a TD 1.5 one; `teeTcbSvn2` is `teeTcbSvn` unless given. */
  readonly td15?: Partial<NonNullable<TdReport["td15"]>>;
  readonly qeReport?: Partial<EnclaveReport>;
  readonly qeAuthData?: Uint8Array;
  readonly certification?: CertificationData;
  /** Signs the quoting enclave's report instead of the PCK key. */
  readonly pckKey?: PrivateKey;
  /** Signs the quote instead of the attestation key that the quote names. */
  readonly attestationKey?: PrivateKey;
  /** Changes the finished quote: nothing is signed again. */
  readonly alter?: (quote: QuoteFields) => QuoteFields;
}

/** A simulated machine. */
export interface IntelPlatform {
  readonly extension: PckExtension;
  /** Who certified it. */
  readonly ca: Authority;
  readonly pck: Authority;
  /** PCK certificate, its CA, the root. */
  readonly chain: readonly [pck: Certificate, ca: Certificate, root: Certificate];
  /** Evidence, signed as the hardware would. */
  quote(options: QuoteOptions): Promise<Bytes>;
}

const ECDSA = { name: "ECDSA", hash: "SHA-256" } as const;
const P256 = { name: "EC", curve: "P-256" } as const;
const QE_AUTH_DATA = Uint8Array.from({ length: 32 }, (_, i) => i);

/** Builds a machine that `ca` certifies. */
export async function createPlatform(
  options: PlatformOptions,
  ca: Authority,
  root: Certificate,
  period: Period,
  crypto: CryptoProvider,
): Promise<IntelPlatform> {
  const extension = pckExtension(options, crypto);
  const pck = await createAuthority(
    {
      subject: simulatorName("Adyton Simulator SGX PCK Certificate"),
      keyUsage: [0, 1], // digitalSignature, nonRepudiation: as Intel's
      extensions: [{ oid: SGX_EXTENSION_OID, value: encodePckExtension(extension) }],
    },
    period,
    ca,
    options.pck ?? {},
    crypto,
  );
  const attestationKey = await crypto.generateKey(P256);
  const chain = [pck.certificate, ca.certificate, root] as const;
  const machine: Machine = { extension, pck, chain, attestationKey, qeId: crypto.randomBytes(16), crypto };
  return { extension, ca, pck, chain, quote: (request) => quoteOf(machine, request) };
}

interface Machine extends Pick<IntelPlatform, "extension" | "pck" | "chain"> {
  readonly attestationKey: PrivateKey;
  /** 16 bytes: the quoting enclave's own name for itself. */
  readonly qeId: Uint8Array;
  readonly crypto: CryptoProvider;
}

async function quoteOf(machine: Machine, options: QuoteOptions): Promise<Bytes> {
  const { pck, chain, crypto } = machine;
  const header = headerOf(machine, options);
  const body = bodyOf(machine, options);
  const attestationKey = pointOf(machine.attestationKey);
  const qeAuthData = options.qeAuthData ?? QE_AUTH_DATA;
  const binding = await crypto.digest("SHA-256", concat(attestationKey, qeAuthData));
  const qeReport: EnclaveReport = {
    ...quotingEnclave(options.tee === "sgx" ? "QE" : "TD_QE", machine.extension.cpuSvn),
    reportData: padRight(binding, 64),
    ...options.qeReport,
  };
  const quote: QuoteFields = {
    header,
    body,
    signature: await (options.attestationKey ?? machine.attestationKey).sign(
      ECDSA,
      encodeSignedPart({ header, body }),
    ),
    attestationKey,
    qeReport,
    qeReportSignature: await (options.pckKey ?? pck.key).sign(ECDSA, encodeEnclaveReport(qeReport)),
    qeAuthData,
    certification: options.certification ?? { type: CERTIFICATION_TYPE.pckChain, data: pckChain(chain) },
  };
  return encodeQuote(options.alter?.(quote) ?? quote);
}

function headerOf(machine: Machine, options: QuoteOptions): QuoteHeader {
  const { tee, td15 } = options;
  const version = options.version ?? (td15 !== undefined ? 5 : tee === "tdx" ? 4 : 3);
  return {
    version,
    attestationKeyType: ATTESTATION_KEY_ECDSA_P256,
    teeType: TEE_TYPE[tee],
    qeSvn: version === 3 ? ENCLAVES.QE.isvSvn : 0,
    pceSvn: version === 3 ? machine.extension.pceSvn : 0,
    qeVendorId: INTEL_QE_VENDOR_ID,
    userData: padRight(machine.qeId, 20),
    ...options.header,
  };
}

function bodyOf(machine: Machine, options: QuoteOptions): QuoteBody {
  const { tee, td15 } = options;
  const reportData = padRight(options.reportData ?? new Uint8Array(0), 64);
  if (tee === "sgx") {
    const report = { ...defaultEnclave(machine.extension.cpuSvn), reportData, ...options.enclave };
    return { tee, report };
  }
  const td = { ...defaultTd(), reportData, ...options.td };
  if (td15 === undefined) return { tee, report: td };
  const added = { teeTcbSvn2: td.teeTcbSvn, mrServiceTd: new Uint8Array(48), ...td15 };
  return { tee, report: { ...td, td15: added } };
}

function pckExtension(options: PlatformOptions, crypto: CryptoProvider): PckExtension {
  const svns = options.components ?? DEFAULT_COMPONENTS;
  const components = Array.from({ length: 16 }, (_, i) => svns[i] ?? 0);
  const server = options.ca !== "processor";
  return {
    ppid: crypto.randomBytes(16),
    components,
    pceSvn: options.pceSvn ?? DEFAULT_PCE_SVN,
    cpuSvn: Uint8Array.from(components),
    pceId: fromHex(options.pceId ?? DEFAULT_PCE_ID),
    fmspc: fromHex(options.fmspc ?? DEFAULT_FMSPC),
    sgxType: server ? "scalable" : "standard",
    ...(server
      ? {
          platformInstanceId: crypto.randomBytes(16),
          configuration: options.configuration ?? {
            dynamicPlatform: true,
            cachedKeys: true,
            smtEnabled: true,
          },
        }
      : {}),
    ...options.extension,
  };
}

/** PEM, leaf first, with the NUL that real quotes end with. */
function pckChain(chain: readonly Certificate[]): Bytes {
  const text = chain.map((certificate) => toPem("CERTIFICATE", certificate.der)).join("");
  return fromUtf8(`${text}\0`);
}

/** x || y of a P-256 key. */
function pointOf(key: PrivateKey): Uint8Array {
  return key.publicKey.spki.subarray(-64);
}
