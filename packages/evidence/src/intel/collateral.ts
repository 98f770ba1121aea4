// SPDX-License-Identifier: Apache-2.0
// The documents that judge a platform, picked and verified: TCB info for its FMSPC and PCEID, and the identity of the
// quoting enclave. Both must be signed by a TCB signing key of the platform's own root, and be current.

import { equal, fromUtf8, toHex } from "@adyton/core/bytes";
import type { AdytonError } from "@adyton/core/errors";
import { type Certificate, publicKeyOf } from "@adyton/core/x509";
import type { EvidenceErrorCode } from "../errors.ts";
import { byCurrency, type Circumstances } from "./authority.ts";
import type { Bag, Candidate } from "./bag.ts";
import type { EnclaveIdentity, TcbInfo, TcbLevel } from "./documents.ts";
import type { PckExtension } from "./pck.ts";
import { notAuthentic, notEndorsed } from "./refusal.ts";
import { sortedLevels } from "./tcb.ts";
import type { Span } from "./window.ts";

export interface Collateral {
  readonly tcbInfo: TcbInfo;
  /** Of the TCB info, highest first. */
  readonly levels: readonly TcbLevel[];
  readonly identity: EnclaveIdentity;
  /** Whose keys signed the two. */
  readonly signers: readonly Certificate[];
  /** When each document that was considered holds. */
  readonly spans: readonly Span[];
}

interface Dated {
  readonly issueDate: Date;
  readonly nextUpdate: Date;
  readonly tcbEvaluationDataNumber: number;
}

/** What a document is called in messages, and the codes under which it fails. */
interface Names {
  readonly title: string;
  readonly signature: EvidenceErrorCode;
  readonly expired: EvidenceErrorCode;
  readonly notYetValid: EvidenceErrorCode;
}

const TCB_INFO: Names = {
  title: "TCB info",
  signature: "TCB_INFO_INVALID_SIGNATURE",
  expired: "TCB_INFO_EXPIRED",
  notYetValid: "TCB_INFO_NOT_YET_VALID",
};
const IDENTITY: Names = {
  title: "QE identity",
  signature: "QE_IDENTITY_INVALID_SIGNATURE",
  expired: "QE_IDENTITY_EXPIRED",
  notYetValid: "QE_IDENTITY_NOT_YET_VALID",
};
const ECDSA_P256 = { name: "ECDSA", hash: "SHA-256" } as const;

/**
 * The documents for one platform: of several that fit, the current one with the highest TCB evaluation data number.
 * Throws `TCB_INFO_…` and `QE_IDENTITY_…`: `MISSING`, `INVALID`, `MISMATCH`, `INVALID_SIGNATURE`, `EXPIRED`,
 * `NOT_YET_VALID`.
 */
export async function verifyCollateral(
  bag: Bag,
  tee: "sgx" | "tdx",
  pck: PckExtension,
  signers: readonly Certificate[],
  circumstances: Circumstances,
): Promise<Collateral> {
  const infos = fittingTcbInfos(bag, tee, pck);
  const info = await firstVerified(infos, TCB_INFO, signers, circumstances);
  const identities = fittingIdentities(bag, tee);
  const identity = await firstVerified(identities, IDENTITY, signers, circumstances);
  return {
    tcbInfo: info.content,
    levels: sortedLevels(info.content),
    identity: identity.content,
    signers: info.signer === identity.signer ? [info.signer] : [info.signer, identity.signer],
    spans: [...infos, ...identities].map(({ content }) => spanOfDocument(content)),
  };
}

export function spanOfDocument(content: Dated): Span {
  return { from: content.issueDate, until: content.nextUpdate };
}

type Parsed<T> = Candidate<T> & { readonly content: T };

function fittingTcbInfos(bag: Bag, tee: "sgx" | "tdx", pck: PckExtension): Parsed<TcbInfo>[] {
  const infos = parsedOf(
    bag.tcbInfos,
    "TCB_INFO_MISSING",
    "Cannot judge the platform's TCB: no TCB info was given",
  );
  const id = tee === "sgx" ? "SGX" : "TDX";
  const fitting = infos.filter(
    ({ content }) => content.id === id && equal(content.fmspc, pck.fmspc) && equal(content.pceId, pck.pceId),
  );
  if (fitting.length > 0) return fitting;
  const wanted = `${id} FMSPC ${toHex(pck.fmspc)} PCEID ${toHex(pck.pceId)}`;
  const found = infos.map(
    ({ content }) => `${content.id} FMSPC ${toHex(content.fmspc)} PCEID ${toHex(content.pceId)}`,
  );
  throw notAuthentic(
    "TCB_INFO_MISMATCH",
    `Cannot judge the platform's TCB: TCB info is for ${found.slice(0, 3).join("; ")}, expected ${wanted}`,
    { found, expected: wanted },
    `Supply the TCB info for ${wanted}.`,
  );
}

function fittingIdentities(bag: Bag, tee: "sgx" | "tdx"): Parsed<EnclaveIdentity>[] {
  const identities = parsedOf(
    bag.identities,
    "QE_IDENTITY_MISSING",
    "Cannot judge the quoting enclave: no QE identity was given",
  );
  const id = tee === "sgx" ? "QE" : "TD_QE";
  const fitting = identities.filter(({ content }) => content.id === id);
  if (fitting.length > 0) return fitting;
  const found = identities.map(({ content }) => content.id);
  throw notAuthentic(
    "QE_IDENTITY_MISMATCH",
    `Cannot judge the quoting enclave: the identity is of ${found.join(", ")}, expected ${id}`,
    { field: "id", found, expected: id },
    `Supply the enclave identity ${id}.`,
  );
}

/** What could be parsed. Throws `code` when there is nothing, or the parse error when nothing else is left. */
function parsedOf<T>(
  candidates: readonly Candidate<T>[],
  code: EvidenceErrorCode,
  message: string,
): Parsed<T>[] {
  const parsed: Parsed<T>[] = [];
  let first: AdytonError | undefined;
  for (const candidate of candidates) {
    if ("error" in candidate) first ??= candidate.error;
    else parsed.push(candidate);
  }
  if (parsed.length > 0) return parsed;
  throw first ?? notEndorsed(code, message, {}, "Fetch it from Intel's service or a PCCS.");
}

/** Current ones first, then the highest evaluation number, then the newest; of these, the first that verifies. */
async function firstVerified<T extends Dated>(
  candidates: readonly Parsed<T>[],
  names: Names,
  signers: readonly Certificate[],
  circumstances: Circumstances,
): Promise<{ readonly content: T; readonly signer: Certificate }> {
  const ordered = [...candidates].sort(
    ({ content: a }, { content: b }) =>
      b.tcbEvaluationDataNumber - a.tcbEvaluationDataNumber || b.issueDate.getTime() - a.issueDate.getTime(),
  );
  let first: unknown;
  for (const candidate of byCurrency(ordered, ({ content }) => spanOfDocument(content), circumstances.now)) {
    try {
      return {
        content: candidate.content,
        signer: await verifyDocument(candidate, names, signers, circumstances),
      };
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

async function verifyDocument<T extends Dated>(
  { document, content }: Parsed<T>,
  names: Names,
  signers: readonly Certificate[],
  { now, crypto }: Circumstances,
): Promise<Certificate> {
  const text = fromUtf8(document.body);
  const detail = {
    evaluationNumber: content.tcbEvaluationDataNumber,
    issueDate: content.issueDate.toISOString(),
    nextUpdate: content.nextUpdate.toISOString(),
  };
  let signer: Certificate | undefined;
  for (const candidate of signers) {
    const key = await publicKeyOf(candidate, crypto);
    if (await key.verify(ECDSA_P256, document.signature, text)) {
      signer = candidate;
      break;
    }
  }
  if (signer === undefined) {
    throw notAuthentic(
      names.signature,
      `Cannot use ${names.title}: its signature is not by a TCB signing key`,
      detail,
    );
  }
  if (now < content.issueDate) {
    throw notEndorsed(
      names.notYetValid,
      `Cannot use ${names.title}: issued ${detail.issueDate}, after ${now.toISOString()}`,
      detail,
    );
  }
  if (now > content.nextUpdate) {
    throw notEndorsed(
      names.expired,
      `Cannot use ${names.title}: its next update was due ${detail.nextUpdate}, now is ${now.toISOString()}`,
      detail,
      "Fetch the current one, or appraise for an earlier time.",
    );
  }
  return signer;
}
