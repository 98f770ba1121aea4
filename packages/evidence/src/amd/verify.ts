// SPDX-License-Identifier: Apache-2.0
// Authenticity of SNP evidence, step by step: format, product, signing key, its chain, its binding to chip and TCB,
// signature. SEV-SNP Firmware ABI (56860) section 7.3; VCEK specification (57230) chapters 2 and 3.

import { type SignatureAlgorithm, verifyingCrypto } from "@adyton/core/crypto";
import { checkReportData } from "../binding.ts";
import type { VerifyOptions } from "../scheme.ts";
import { checkTime } from "../time.ts";
import { seal, type VerifiedEvidence } from "../verified.ts";
import { type Binding, chipBinding, productBinding, tcbBinding } from "./bindings.ts";
import { type ChainMaterial, type TrustedKey, trustKey } from "./chain.ts";
import { claimsOf } from "./claims.ts";
import type { EndorsementKey, SignerKind } from "./endorsements.ts";
import type { Report } from "./evidence.ts";
import { tcbOf, warningsOf } from "./findings.ts";
import { candidateKeys, tableMaterial } from "./material.ts";
import { parsePolicy } from "./policy.ts";
import { productOfCpuid } from "./products.ts";
import { refusal } from "./refusal.ts";
import { parseSnpEvidence } from "./table.ts";

const REPORT_SIGNATURE: SignatureAlgorithm = { name: "ECDSA", hash: "SHA-384" };
/** SIGNING_KEY of key_info; 2 to 6 are reserved. */
const SIGNING_KEY: Readonly<Record<number, SignerKind>> = { 0: "VCEK", 1: "VLEK" };
const NO_KEY = 7;

/**
 * Verifies a bare report (1,184 bytes) or an extended one (report and certificate table). The VCEK or VLEK, its
 * issuer and the ARK may come in the table, in `options.endorsements` or, the ARK, in `options.roots`.
 *
 * Without a CRL of the ARK the result says `revocation: "unchecked"`; with `requireRevocation` that is `CRL_MISSING`.
 * Throws an `AdytonError` on the first step that fails.
 */
export async function verifySnp(bytes: Uint8Array, options: VerifyOptions): Promise<VerifiedEvidence> {
  const {
    now,
    endorsements,
    roots = [],
    requireRevocation = false,
    cache,
    crypto = verifyingCrypto,
  } = options;
  checkTime(now, "SNP report");
  const evidence = parseSnpEvidence(bytes);
  const { report } = evidence;
  const kind = signerOf(report);
  checkProductKnown(report);
  const own = await tableMaterial(evidence, cache, now, crypto);
  const material: ChainMaterial = {
    certificates: [...own.certificates, ...(endorsements?.certificates ?? [])],
    crls: [...own.crls, ...(endorsements?.crls ?? [])],
    roots,
    now,
    requireRevocation,
    cache,
    crypto,
  };
  let first: unknown;
  for (const key of candidateKeys(report, kind, material.certificates, now)) {
    try {
      return conclude(report, key, await authenticate(report, key, material, options), options);
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

/** The steps that make a report authentic under one endorsement key, in order. */
async function authenticate(
  report: Report,
  key: EndorsementKey,
  material: ChainMaterial,
  options: VerifyOptions,
): Promise<TrustedKey> {
  demand(productBinding, report, key);
  const trusted = await trustKey(key, material);
  demand(chipBinding, report, key);
  demand(tcbBinding, report, key);
  if (!(await trusted.publicKey.verify(REPORT_SIGNATURE, report.signature, report.signedPart))) {
    throw refusal("INVALID_REPORT_SIGNATURE", `its signature is not by the ${key.kind}`, {
      detail: { signer: key.certificate.subject.text, product: key.productName },
    });
  }
  if (options.reportData !== undefined) checkReportData(report.reportData, options.reportData);
  return trusted;
}

function conclude(
  report: Report,
  key: EndorsementKey,
  trusted: TrustedKey,
  options: VerifyOptions,
): VerifiedEvidence {
  const { layout } = key.product;
  return seal({
    tee: "snp",
    at: options.now,
    trust: trusted.trust,
    tcb: tcbOf(report, layout),
    debug: parsePolicy(report.policy).debugAllowed,
    reportData: report.reportData,
    initDataField: report.hostData,
    claims: {
      ...claimsOf(report, layout),
      product: key.product.name,
      product_name: key.productName,
      ...(key.cspId === undefined ? {} : { csp_id: key.cspId }),
    },
    endorsements: trusted.endorsements,
    warnings: warningsOf(report, layout, trusted),
    explanation: explain(report, key, trusted, options),
  });
}

function explain(report: Report, key: EndorsementKey, trusted: TrustedKey, options: VerifyOptions): string[] {
  const [, issuer, root] = trusted.certificates;
  const [by, under] = [issuer?.subject.commonName, root?.subject.commonName];
  const { kind, hwId, cspId, productName } = key;
  const masked = report.keyInfo.maskChipKey ? "The chip id is masked." : "The chip id is the VCEK's hwID.";
  return [
    `The report of version ${report.version} names a ${kind} as its signer.`,
    `The ${kind} of ${productName} stands under ${by} and ${under}, all valid at ${options.now.toISOString()}.`,
    trusted.crl === undefined
      ? `Whether ${by} is revoked was not checked.`
      : `${by} is not revoked by the CRL of ${trusted.crl.thisUpdate.toISOString()}.`,
    hwId === undefined ? `The VLEK belongs to ${cspId}, not to one chip.` : masked,
    `The reported TCB is the ${kind}'s.`,
    `The signature is by the ${kind}.`,
    ...(options.reportData === undefined ? [] : ["The report data is the expected one."]),
  ];
}

function signerOf(report: Report): SignerKind {
  const { signingKey } = report.keyInfo;
  const kind = SIGNING_KEY[signingKey];
  if (kind !== undefined) return kind;
  throw refusal("SIGNER_KEY_MISMATCH", `SIGNING_KEY is ${signingKey}, expected 0 (VCEK) or 1 (VLEK)`, {
    detail: { field: "key_info", found: signingKey, expected: [0, 1] },
    ...(signingKey === NO_KEY ? { hint: "The host masks the chip key: the firmware signed nothing." } : {}),
  });
}

/** From version 3 on a report names its processor: one that nobody knows is refused, never guessed. */
function checkProductKnown(report: Report): void {
  const { cpuid } = report;
  if (cpuid === undefined || productOfCpuid(cpuid) !== undefined) return;
  const hex = (value: number): string => `${value.toString(16)}h`;
  const { family, model } = cpuid;
  throw refusal("UNKNOWN_PRODUCT", `no known product has CPUID family ${hex(family)}, model ${hex(model)}`, {
    detail: { ...cpuid },
  });
}

function demand(binding: Binding, report: Report, key: EndorsementKey): void {
  if (!binding.holds(report, key)) throw binding.refuse(report, key);
}
