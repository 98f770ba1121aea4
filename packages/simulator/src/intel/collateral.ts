// SPDX-License-Identifier: Apache-2.0
// What Intel publishes for one platform and TEE, as a plain object: leave a part out or replace it to make a fault.
// Handed on as a bag of endorsements, as the responses of Intel's service, or as PCCS-style collateral JSON.

import { type Bytes, concat, fromUtf8, toHex } from "@adyton/core/bytes";
import { parseCrl } from "@adyton/core/crl";
import { toPem } from "@adyton/core/pem";
import type { Certificate } from "@adyton/core/x509";
import type { Endorsements, SignedDocument } from "@adyton/evidence/endorsements";

/** Undefined parts are missing: no bag, response or JSON will hold them. */
export interface IntelCollateral {
  readonly tee: "sgx" | "tdx";
  readonly fmspc: string;
  readonly pckCaKind: "platform" | "processor";
  readonly root: Certificate;
  readonly pckCa: Certificate;
  readonly tcbSigner: Certificate;
  /** DER. */
  readonly rootCrl: Uint8Array | undefined;
  /** DER. */
  readonly pckCrl: Uint8Array | undefined;
  readonly tcbInfo: SignedDocument | undefined;
  readonly qeIdentity: SignedDocument | undefined;
}

/** One answer of Intel's provisioning certification service. */
export interface PcsResponse {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Bytes;
}

const PCS = "https://api.trustedservices.intel.com";
const ROOT_CRL = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
const MEMBER = {
  "intel.tcbInfo": "tcbInfo",
  "intel.enclaveIdentity": "enclaveIdentity",
  "intel.tcbEvaluationDataNumbers": "tcbEvaluationDataNumbers",
} as const;

/** The bag that verification takes. Throws as `parseCrl` when a CRL was replaced by something else. */
export function toEndorsements(collateral: IntelCollateral): Endorsements {
  const { root, pckCa, tcbSigner, rootCrl, pckCrl, tcbInfo, qeIdentity } = collateral;
  return {
    certificates: [pckCa, tcbSigner, root],
    crls: present(rootCrl, pckCrl).map(parseCrl),
    documents: present(tcbInfo, qeIdentity),
  };
}

/** The text of a response: the signed object and its signature. */
export function responseText(document: SignedDocument): string {
  return `{"${MEMBER[document.kind]}":${document.body},"signature":"${toHex(document.signature)}"}`;
}

/** What Intel's service answers (PCS API v4), by URL; issuer chains stand percent-encoded in headers. */
export function toPcsResponses(collateral: IntelCollateral): PcsResponse[] {
  const { tee, fmspc, root, pckCa, pckCaKind, tcbSigner, rootCrl, pckCrl, tcbInfo, qeIdentity } = collateral;
  const signers = encodeURIComponent(pem(tcbSigner, root));
  const api = `${PCS}/${tee}/certification/v4`;
  return [
    ...present(tcbInfo).map((document) => ({
      url: `${api}/tcb?fmspc=${fmspc}`,
      headers: { "TCB-Info-Issuer-Chain": signers },
      body: fromUtf8(responseText(document)),
    })),
    ...present(qeIdentity).map((document) => ({
      url: `${api}/qe/identity`,
      headers: { "SGX-Enclave-Identity-Issuer-Chain": signers },
      body: fromUtf8(responseText(document)),
    })),
    ...present(pckCrl).map((crl) => ({
      url: `${PCS}/sgx/certification/v4/pckcrl?ca=${pckCaKind}&encoding=der`,
      headers: { "SGX-PCK-CRL-Issuer-Chain": encodeURIComponent(pem(pckCa, root)) },
      body: concat(crl),
    })),
    ...present(rootCrl).map((crl) => ({ url: ROOT_CRL, headers: {}, body: concat(crl) })),
  ];
}

/** PCCS-style collateral: documents as strings of their signed text, CRLs as hex of their DER, chains as PEM. */
export function toCollateralJson(collateral: IntelCollateral): string {
  const { root, pckCa, tcbSigner, rootCrl, pckCrl, tcbInfo, qeIdentity } = collateral;
  const signers = pem(tcbSigner, root);
  return JSON.stringify({
    pck_crl_issuer_chain: pem(pckCa, root),
    ...(rootCrl === undefined ? {} : { root_ca_crl: toHex(rootCrl) }),
    ...(pckCrl === undefined ? {} : { pck_crl: toHex(pckCrl) }),
    tcb_info_issuer_chain: signers,
    ...(tcbInfo === undefined
      ? {}
      : { tcb_info: tcbInfo.body, tcb_info_signature: toHex(tcbInfo.signature) }),
    qe_identity_issuer_chain: signers,
    ...(qeIdentity === undefined
      ? {}
      : { qe_identity: qeIdentity.body, qe_identity_signature: toHex(qeIdentity.signature) }),
  });
}

function pem(...chain: readonly Certificate[]): string {
  return chain.map((certificate) => toPem("CERTIFICATE", certificate.der)).join("");
}

function present<T>(...parts: readonly (T | undefined)[]): T[] {
  return parts.filter((part) => part !== undefined);
}
