// SPDX-License-Identifier: Apache-2.0
// What certifies the quoting enclave's key inside a quote: a PCK certificate, or what is needed to look one up
// (Intel SGX ECDSA QuoteLibReference, appendix A.4, "QE Certification Data").

import { toUtf8 } from "@adyton/core/bytes";
import { Reader } from "@adyton/core/cursor";
import { DerValue, TAG } from "@adyton/core/der";
import { type Certificate, parseCertificate, parseCertificates } from "@adyton/core/x509";
import type { EvidenceError } from "../errors.ts";
import { CERTIFICATION_TYPE, type CertificationData } from "./evidence.ts";
import { malformed } from "./refusal.ts";

export type Certification =
  /** Types 4 and 5: the PCK certificate, alone or with its chain, in any order. */
  | { readonly kind: "certificates"; readonly certificates: readonly Certificate[] }
  /** Types 1, 2 and 3: the platform's name, plain or encrypted to Intel, and its TCB. */
  | {
      readonly kind: "platform";
      readonly encrypted: boolean;
      readonly ppid: Uint8Array;
      readonly cpuSvn: Uint8Array;
      readonly pceSvn: number;
      /** Absent in samples of the oldest layout. */
      readonly pceId: number | undefined;
    }
  /** Type 7. */
  | { readonly kind: "manifest"; readonly manifest: Uint8Array };

/** Bytes of the PPID by type: plain, or as long as the RSA key it is encrypted to. */
const PPID_SIZE: Readonly<Record<number, number>> = {
  [CERTIFICATION_TYPE.ppid]: 16,
  [CERTIFICATION_TYPE.ppidRsa2048]: 256,
  [CERTIFICATION_TYPE.ppidRsa3072]: 384,
};

/** Parses certification data. Throws `UNSUPPORTED_CERT_FORMAT`, or what is wrong with the certificates in it. */
export function parseCertification({ type, data }: CertificationData): Certification {
  switch (type) {
    case CERTIFICATION_TYPE.pckLeaf:
    case CERTIFICATION_TYPE.pckChain:
      return { kind: "certificates", certificates: readCertificates(type, data) };
    case CERTIFICATION_TYPE.ppid:
    case CERTIFICATION_TYPE.ppidRsa2048:
    case CERTIFICATION_TYPE.ppidRsa3072:
      return readPlatform(type, data);
    case CERTIFICATION_TYPE.platformManifest:
      return { kind: "manifest", manifest: data };
    default:
      throw unsupported("type", String(type), "1 to 5 or 7");
  }
}

/** PEM, usually with a NUL at its end; Intel's own samples have DER certificates one after the other. */
function readCertificates(type: number, data: Uint8Array): Certificate[] {
  const certificates =
    data[0] === TAG.SEQUENCE
      ? new DerValue(TAG.SEQUENCE, data, data, "certification data", 0)
          .sequence()
          .map((value) => parseCertificate(value.encoded))
      : parseCertificates(toUtf8(data));
  // The type is not signed, but it says how many there are.
  if (type === CERTIFICATION_TYPE.pckLeaf && certificates.length !== 1) {
    throw unsupported("type 4", `${certificates.length} certificates`, "one");
  }
  return certificates;
}

function readPlatform(type: number, data: Uint8Array): Certification {
  const reader = new Reader(data, "certification data");
  const ppid = reader.bytes(PPID_SIZE[type] ?? 0, "ppid");
  const cpuSvn = reader.bytes(16, "cpuSvn");
  const pceSvn = reader.u16le("pceSvn");
  const pceId = reader.remaining === 0 ? undefined : reader.u16le("pceId");
  reader.end();
  return {
    kind: "platform",
    encrypted: type !== CERTIFICATION_TYPE.ppid,
    ppid,
    cpuSvn,
    pceSvn,
    pceId,
  };
}

function unsupported(field: string, found: string, expected: string): EvidenceError {
  return malformed("UNSUPPORTED_CERT_FORMAT", "parse certification data", field, found, expected);
}
