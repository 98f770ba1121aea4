// SPDX-License-Identifier: Apache-2.0
// Authenticity of TPM evidence, step by step: who vouches for the attestation key, what it signed, which values that is
// about. A key in the evidence proves nothing by itself: anybody can make one.

import { equal, padRight, toBase64, toHex } from "@adyton/core/bytes";
import { verifyingCrypto } from "@adyton/core/crypto";
import type { JsonObject } from "@adyton/core/json";
import { ALIBABA_ROOTS } from "../alibaba/form.ts";
import type { VendorKey } from "../bag.ts";
import { checkReportData } from "../binding.ts";
import { EvidenceError } from "../errors.ts";
import { verifyEventLog } from "../eventlog/verify.ts";
import { carriesTeeEvidence, GOOGLE_ROOTS } from "../gcp/form.ts";
import { instanceClaims } from "../gcp/instance.ts";
import { preparedKey } from "../remember.ts";
import type { VerifyOptions } from "../scheme.ts";
import { checkTime } from "../time.ts";
import { endorsementsUsed, holdingsOf } from "../used.ts";
import {
  type EndorsementsUsed,
  type MeasurementRegister,
  seal,
  type Trust,
  type VerifiedEvidence,
  type Warning,
} from "../verified.ts";
import { type TrustedCertificate, trustAkCertificate } from "./certificates.ts";
import { attestClaims, pcrClaims } from "./claims.ts";
import { quoteRefusal } from "./error.ts";
import type { TpmEvidence } from "./evidence.ts";
import { parseTpmEvidence } from "./forms.ts";
import { AK_NAME, EK_DIGEST } from "./identifiers.ts";
import { isAttestationKey, nameOf, spkiOfTpmPublic } from "./public.ts";
import { type CheckedQuote, checkQuote } from "./quote.ts";

/** Roots of clouds that certify their vTPMs' attestation keys. */
export const TPM_ROOTS: ReadonlySet<string> = new Set([...GOOGLE_ROOTS, ...ALIBABA_ROOTS]);

/** Report data as everywhere; quotes hold up to as much. */
const REPORT_DATA_SIZE = 64;
/** Where Confidential Containers' agents extend the init-data digest. */
const INIT_DATA_PCR = 8;

/** Why an attestation key is believed. */
interface TrustedAk {
  readonly trust: Trust;
  readonly endorsements: EndorsementsUsed;
  readonly claims: JsonObject;
  readonly explanation: string;
}

/**
 * Verifies TPM quotes in any of their forms: Confidential Containers' JSON, Google Cloud's message, Alibaba Cloud's
 * JSON. The attestation key is trusted when `options.anchors` names it, or by a certificate (in the evidence or in
 * `options.endorsements`) under a pinned or named root. An event log that comes along must replay to the quoted PCRs.
 *
 * Report data is the quote's nonce. Throws an `AdytonError` on the first step that fails.
 */
export async function verifyTpm(bytes: Uint8Array, options: VerifyOptions): Promise<VerifiedEvidence> {
  const { now, cache, crypto = verifyingCrypto, eventLogRegisters } = options;
  checkTime(now, "TPM evidence");
  const evidence = parseTpmEvidence(bytes);
  checkAttributes(evidence);
  const { key, keep } = await preparedKey(evidence.akSpki, cache, now, crypto);
  const quotes: CheckedQuote[] = [];
  for (const quote of evidence.quotes) quotes.push(await checkQuote(quote, key, crypto));
  const nonce = nonceOf(quotes);
  if (options.reportData !== undefined) checkNonce(nonce, options.reportData, evidence.reportDataSize);
  const ak = await trustAk(evidence, options);
  keep();
  const registers = quotes.flatMap((quote) => quote.registers);
  const initData = registers.find(({ index, hash }) => index === INIT_DATA_PCR && hash === "SHA-256");
  const verified = seal({
    tee: "tpm",
    at: now,
    trust: ak.trust,
    tcb: { status: null, evaluationNumber: null, date: null, advisoryIds: [], components: {} },
    debug: false,
    confidential: false,
    device: toHex(await crypto.digest("SHA-256", evidence.akSpki)),
    reportData: padRight(nonce, REPORT_DATA_SIZE),
    initDataField: initData?.value ?? null,
    initDataForm: "extended",
    registers,
    claims: { ...claimsOf(evidence, quotes, registers, nonce), ...ak.claims },
    endorsements: ak.endorsements,
    warnings: warningsOf(bytes, ak, registers),
    explanation: [
      ak.explanation,
      `The attestation key signed ${quotes.length === 1 ? "the quote" : `all ${quotes.length} quotes`}.`,
      `The values of ${registers.length} PCRs are the quoted ones.`,
      ...(options.reportData === undefined ? [] : ["The nonce is the expected report data."]),
    ],
  });
  if (evidence.eventLogs.length === 0) return verified;
  return verifyEventLog(verified, evidence.eventLogs, {
    crypto,
    ...(eventLogRegisters === undefined ? {} : { registers: eventLogRegisters }),
  });
}

/** The claims as they stand. Throws typed errors on malformed bytes. */
export function inspectTpm(bytes: Uint8Array): JsonObject {
  const evidence = parseTpmEvidence(bytes);
  const registers = evidence.quotes.flatMap(({ pcrs }) =>
    pcrs.flatMap(({ hash, values }) => [...values].map(([index, value]) => ({ hash, index, value }))),
  );
  const [quote] = evidence.quotes;
  return {
    ak_public: toBase64(evidence.akSpki),
    ...(quote === undefined ? {} : attestClaims(quote.message)),
    ...pcrClaims(registers),
    certificates: evidence.certificates.map(({ subject, issuer }) => ({
      subject: subject.text,
      issuer: issuer.text,
    })),
    event_logs: evidence.eventLogs.length,
  };
}

/** A key that may sign anything could sign a quote that no TPM made: where attributes are known, they must rule it out. */
function checkAttributes({ akPublic, akSpki }: TpmEvidence): void {
  if (akPublic === undefined) return;
  if (!equal(spkiOfTpmPublic(akPublic), akSpki)) {
    throw quoteRefusal("INVALID_AK", "the attestation key's public area is another key's");
  }
  if (isAttestationKey(akPublic)) return;
  throw quoteRefusal("INVALID_AK", "the key is no restricted signing key that is fixed to its TPM", {
    detail: { attributes: akPublic.attributes },
    hint: "Make the attestation key with the attributes fixedtpm, restricted and sign.",
  });
}

/** The nonce that all quotes have. */
function nonceOf([first, ...others]: readonly CheckedQuote[]): Uint8Array {
  const nonce = first?.attest.extraData ?? new Uint8Array();
  if (others.some(({ attest }) => !equal(attest.extraData, nonce))) {
    throw quoteRefusal("REPORT_DATA_MISMATCH", "its quotes have different nonces");
  }
  return nonce;
}

/** Forms that cut report data bind its front alone. */
function checkNonce(nonce: Uint8Array, expected: Uint8Array, size: number): void {
  const cut = expected.length > size && size < REPORT_DATA_SIZE ? expected.subarray(0, size) : expected;
  checkReportData(padRight(nonce, REPORT_DATA_SIZE), cut);
}

async function trustAk(evidence: TpmEvidence, options: VerifyOptions): Promise<TrustedAk> {
  const {
    anchors,
    endorsements,
    roots = [],
    now,
    requireRevocation = false,
    cache,
    crypto = verifyingCrypto,
  } = options;
  const sha256 = toHex(await crypto.digest("SHA-256", evidence.akSpki));
  const name = evidence.akPublic === undefined ? undefined : toHex(await nameOf(evidence.akPublic, crypto));
  const named = anchors?.keys?.find((key) => equal(key.spki, evidence.akSpki) && isMeant(key, name));
  if (named !== undefined && !requireRevocation) return namedAk(named, sha256);
  const pool = [...evidence.certificates, ...(endorsements?.certificates ?? [])];
  const own = pool.filter(({ spki }) => equal(spki, evidence.akSpki));
  const sources = {
    certificates: pool,
    crls: endorsements?.crls ?? [],
    roots,
    pins: TPM_ROOTS,
    now,
    requireRevocation,
    cache,
    crypto,
  };
  let first: unknown;
  for (const certificate of own) {
    try {
      return certifiedAk(await trustAkCertificate(certificate, sources));
    } catch (error) {
      first ??= error;
    }
  }
  throw first ?? notTrusted(sha256, named);
}

/**
 * Whether what the caller said about a key holds here. Which endorsement key it was activated with does not show in
 * quotes; anything else that is said and not known closes.
 */
function isMeant({ identifiers }: VendorKey, name: string | undefined): boolean {
  return Object.entries(identifiers).every(([kind, value]) =>
    kind === AK_NAME ? name === undefined || name === value : kind === EK_DIGEST,
  );
}

function namedAk({ hardware, identifiers }: VendorKey, sha256: string): TrustedAk {
  const vouched = hardware === true ? "vouched for" : "named";
  return {
    trust: {
      root: `TPM attestation key ${vouched} by the caller`,
      rootSha256: sha256,
      simulated: hardware !== true,
    },
    endorsements: { earliestIssue: null, earliestExpiry: null, revocation: "unchecked", items: [] },
    claims: Object.keys(identifiers).length === 0 ? {} : { ak_identifiers: { ...identifiers } },
    explanation: "The attestation key is one that the caller named.",
  };
}

function certifiedAk({ certificate, chain, trust }: TrustedCertificate): TrustedAk {
  const { certificates, crls } = chain;
  return {
    trust,
    endorsements: endorsementsUsed(holdingsOf(certificates, crls), crls.length > 0),
    claims: instanceClaims(certificate),
    explanation: `The attestation key's certificate chains to ${trust.root}.`,
  };
}

function claimsOf(
  evidence: TpmEvidence,
  quotes: readonly CheckedQuote[],
  registers: readonly MeasurementRegister[],
  nonce: Uint8Array,
): JsonObject {
  const [quote] = evidence.quotes;
  const initData = registers.find(({ index, hash }) => index === INIT_DATA_PCR && hash === "SHA-256");
  return {
    ak_public: toBase64(evidence.akSpki),
    report_data: toHex(nonce),
    ...(initData === undefined ? {} : { init_data: toHex(initData.value) }),
    ...(quote === undefined || quotes.length === 0 ? {} : attestClaims(quote.message)),
    ...pcrClaims(registers),
  };
}

function warningsOf(bytes: Uint8Array, ak: TrustedAk, registers: readonly MeasurementRegister[]): Warning[] {
  const warnings: Warning[] = [
    {
      code: "MEMORY_NOT_PROTECTED",
      message: "A TPM tells what was started; it does not keep the machine's owner from looking in.",
    },
  ];
  if (ak.endorsements.revocation === "unchecked") {
    warnings.push({
      code: "REVOCATION_UNCHECKED",
      message: "Whether the attestation key was revoked or withdrawn was not checked.",
    });
  }
  if (registers.length > 0 && registers.every(({ hash }) => hash === "SHA-1")) {
    warnings.push({
      code: "SHA1_BANK",
      message: "Only PCRs of SHA-1 were quoted, for which collisions can be made.",
    });
  }
  if (carriesTeeEvidence(bytes)) {
    warnings.push({
      code: "TEE_EVIDENCE_NOT_READ",
      message:
        "The message also carries evidence of the machine's TEE, which was not read: verify it by itself.",
    });
  }
  return warnings;
}

function notTrusted(sha256: string, named: VendorKey | undefined): EvidenceError {
  return new EvidenceError(
    "AK_NOT_TRUSTED",
    "endorsements",
    named === undefined
      ? "Cannot accept TPM quote: nobody vouches for its attestation key"
      : "Cannot check revocation: the attestation key is named, and named keys have no revocation list",
    {
      detail: { akSha256: sha256 },
      hint: "Give the key's certificate and its issuers', or name the key after credential activation.",
    },
  );
}
