// SPDX-License-Identifier: Apache-2.0
// Authenticity of an ATTESTATION report, step by step: the PEK that signed it, the PEK's chain, the nonce.
// SEV API (55766) sections 2.1 and 6.8.

import { verifyingCrypto } from "@adyton/core/crypto";
import { checkReportData } from "../../binding.ts";
import type { VerifyOptions } from "../../scheme.ts";
import { checkTime } from "../../time.ts";
import { seal, type VerifiedEvidence } from "../../verified.ts";
import {
  missing,
  platforms,
  type SevMaterial,
  sevKeyIdOf,
  sevMaterial,
  type TrustedPek,
  trustPek,
} from "./chain.ts";
import { sevPlatformClaims, sevReportClaims } from "./claims.ts";
import { parseSevEvidence, type SevReport } from "./evidence.ts";
import { checkSevRevocation, SEV_ENDORSEMENTS_USED, sevWarnings } from "./findings.ts";
import { platformSigned } from "./keys.ts";
import type { SevPlatformCertificate } from "./platform.ts";
import { parseSevPolicy } from "./policy.ts";
import { refusal } from "./refusal.ts";

/**
 * Verifies a report, bare or followed by certificates. PEK, CEK, OCA, ASK and ARK may come with the report or in
 * `options.endorsements`; a root of one's own comes in `options.anchors`.
 *
 * The report binds nothing that the guest chose: `reportData` is the 16-byte nonce that its requester gave the host.
 *
 * Throws `UNSUPPORTED_REPORT_FORMAT`, `RESERVED_NOT_ZERO`, `INVALID_SEV_CERTIFICATE`, `SEV_CERTIFICATE_MISSING`,
 * `INVALID_REPORT_SIGNATURE`, `REPORT_DATA_MISMATCH`, `INVALID_TIME`, or of `@adyton/core` `CERTIFICATE_SIGNATURE`,
 * `ROOT_NOT_TRUSTED`, `INVALID_KEY`, `CRL_MISSING`.
 */
export async function verifySev(bytes: Uint8Array, options: VerifyOptions): Promise<VerifiedEvidence> {
  const { now, anchors, endorsements, cache, crypto = verifyingCrypto } = options;
  checkTime(now, "SEV report");
  const { report, certificates } = parseSevEvidence(bytes);
  checkSevRevocation(options.requireRevocation);
  const own = { certificates: [], crls: [], documents: [], vendorCertificates: certificates };
  const material = sevMaterial([own, endorsements], anchors, cache, crypto);
  const trusted = await trustPek(await signingPek(report, material), material);
  if (options.reportData !== undefined) checkReportData(report.mnonce, options.reportData);
  const { trust } = trusted;
  return seal({
    tee: "sev",
    at: now,
    trust,
    tcb: { status: null, evaluationNumber: null, date: null, advisoryIds: [], components: {} },
    debug: !parseSevPolicy(report.policy).nodbg,
    reportData: report.mnonce,
    device: await sevKeyIdOf(trusted.cek, crypto),
    initDataField: null,
    claims: { ...sevReportClaims(report), platform: await sevPlatformClaims(trusted, crypto) },
    endorsements: SEV_ENDORSEMENTS_USED,
    warnings: sevWarnings(
      trust,
      report.policy,
      "The report binds a nonce that went through the host, nothing that the guest chose: no key is attested.",
    ),
    explanation: [
      "The report's signature is by the PEK.",
      ...explainSevChain(trusted),
      ...(options.reportData === undefined ? [] : ["The nonce is the expected one."]),
    ],
  });
}

/** The checks of `trustPek`, one sentence each. */
export function explainSevChain({ trust }: TrustedPek): string[] {
  return [
    "The PEK is signed by the platform's CEK and by its owner's OCA.",
    `The CEK is signed by AMD's ASK, the ASK by the ARK: ${trust.root}.`,
    "Whether any of these keys was revoked was not checked: SEV has no revocation list.",
  ];
}

/** The PEK that signed the report. A fleet's bag holds many. */
async function signingPek(report: SevReport, material: SevMaterial): Promise<SevPlatformCertificate> {
  const peks = platforms(material, "PEK");
  if (peks.length === 0) throw missing("PEK");
  for (const pek of peks) {
    if (await platformSigned(report, pek, report.signedPart, material.crypto)) return pek;
  }
  throw refusal(
    "INVALID_REPORT_SIGNATURE",
    "report",
    `its signature is by none of ${peks.length} PEK certificates`,
    {
      detail: { peks: peks.length },
    },
  );
}
