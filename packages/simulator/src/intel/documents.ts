// SPDX-License-Identifier: Apache-2.0
// Intel's signed documents as the simulator says them: TCB info (version 2 and 3), enclave identities (version 2), TCB
// evaluation data numbers (version 1). Formats: Intel PCS API v4. The signature covers the exact text.

import { fromUtf8, toHex } from "@adyton/core/bytes";
import type { PrivateKey } from "@adyton/core/crypto";
import type { JsonObject } from "@adyton/core/json";
import type { SignedDocument } from "@adyton/evidence/endorsements";

/** One TCB level. `status` is any text, so that unknown ones can be said. */
export interface TcbLevelTemplate {
  /** Sixteen SGX component SVNs; fewer are filled up with zeros. */
  readonly sgx: readonly number[];
  readonly pceSvn: number;
  /** Sixteen TDX component SVNs; only in TCB info of TDX. */
  readonly tdx?: readonly number[];
  readonly status: string;
  readonly date: Date;
  readonly advisoryIds?: readonly string[];
}

/** A level of an enclave or a TDX module: judged by its ISV SVN alone. */
export interface IsvLevelTemplate {
  readonly isvSvn: number;
  readonly status: string;
  readonly date: Date;
  readonly advisoryIds?: readonly string[];
}

/** What a TDX module must be signed by, and the SEAM attributes it must have. */
export interface ModuleSignerTemplate {
  /** 48 bytes. */
  readonly mrSigner: Uint8Array;
  /** 8 bytes. */
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
}

export interface ModuleIdentityTemplate extends ModuleSignerTemplate {
  /** "TDX_" and the module's version as two hex digits. */
  readonly id: string;
  readonly levels: readonly IsvLevelTemplate[];
}

interface Dated {
  readonly issueDate: Date;
  readonly nextUpdate: Date;
}

export interface TcbInfoTemplate extends Dated {
  readonly id: string;
  readonly version: number;
  /** Hex, in the case it shall be written in. */
  readonly fmspc: string;
  readonly pceId: string;
  readonly tcbType: number;
  readonly tcbEvaluationDataNumber: number;
  readonly tdxModule?: ModuleSignerTemplate;
  readonly tdxModuleIdentities?: readonly ModuleIdentityTemplate[];
  /** Written in this order, sorted or not. */
  readonly levels: readonly TcbLevelTemplate[];
}

export interface EnclaveIdentityTemplate extends Dated {
  readonly id: string;
  readonly version: number;
  readonly tcbEvaluationDataNumber: number;
  /** 4 bytes, in memory order. */
  readonly miscSelect: Uint8Array;
  readonly miscSelectMask: Uint8Array;
  /** 16 bytes, in memory order. */
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
  /** 32 bytes. */
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly levels: readonly IsvLevelTemplate[];
}

export interface EvaluationNumbersTemplate extends Dated {
  readonly id: string;
  readonly version: number;
  readonly numbers: readonly {
    readonly tcbEvaluationDataNumber: number;
    readonly tcbRecoveryEventDate: Date;
    readonly tcbDate: Date;
  }[];
}

const COMPONENTS = 16;
const ECDSA = { name: "ECDSA", hash: "SHA-256" } as const;

/** Signs `json` as it is written by JSON.stringify. */
export async function signDocument(
  kind: SignedDocument["kind"],
  json: JsonObject,
  key: PrivateKey,
): Promise<SignedDocument> {
  const body = JSON.stringify(json);
  return { kind, body, signature: await key.sign(ECDSA, fromUtf8(body)) };
}

/** The JSON that stands under `tcbInfo`. Version 2 has no id and names its components one by one. */
export function tcbInfoJson(info: TcbInfoTemplate): JsonObject {
  const { tdxModule, tdxModuleIdentities } = info;
  return {
    ...(info.version >= 3 ? { id: info.id } : {}),
    version: info.version,
    ...dates(info),
    fmspc: info.fmspc,
    pceId: info.pceId,
    tcbType: info.tcbType,
    tcbEvaluationDataNumber: info.tcbEvaluationDataNumber,
    ...(tdxModule === undefined ? {} : { tdxModule: signerJson(tdxModule) }),
    ...(tdxModuleIdentities === undefined
      ? {}
      : {
          tdxModuleIdentities: tdxModuleIdentities.map((identity) => ({
            id: identity.id,
            ...signerJson(identity),
            tcbLevels: identity.levels.map(isvLevelJson),
          })),
        }),
    tcbLevels: info.levels.map((level) => ({
      tcb: info.version >= 3 ? componentsJson(level) : flatComponentsJson(level),
      ...verdictJson(level),
    })),
  };
}

/** The JSON that stands under `enclaveIdentity`. */
export function enclaveIdentityJson(identity: EnclaveIdentityTemplate): JsonObject {
  return {
    id: identity.id,
    version: identity.version,
    ...dates(identity),
    tcbEvaluationDataNumber: identity.tcbEvaluationDataNumber,
    miscselect: upperHex(identity.miscSelect),
    miscselectMask: upperHex(identity.miscSelectMask),
    attributes: upperHex(identity.attributes),
    attributesMask: upperHex(identity.attributesMask),
    mrsigner: upperHex(identity.mrSigner),
    isvprodid: identity.isvProdId,
    tcbLevels: identity.levels.map(isvLevelJson),
  };
}

/** The JSON that stands under `tcbEvaluationDataNumbers`. */
export function evaluationNumbersJson(list: EvaluationNumbersTemplate): JsonObject {
  return {
    id: list.id,
    version: list.version,
    ...dates(list),
    tcbEvalNumbers: list.numbers.map((entry) => ({
      tcbEvaluationDataNumber: entry.tcbEvaluationDataNumber,
      tcbRecoveryEventDate: seconds(entry.tcbRecoveryEventDate),
      tcbDate: seconds(entry.tcbDate),
    })),
  };
}

function componentsJson(level: TcbLevelTemplate): JsonObject {
  return {
    sgxtcbcomponents: filled(level.sgx).map((svn) => ({ svn })),
    pcesvn: level.pceSvn,
    ...(level.tdx === undefined ? {} : { tdxtcbcomponents: filled(level.tdx).map((svn) => ({ svn })) }),
  };
}

function flatComponentsJson(level: TcbLevelTemplate): JsonObject {
  const members = filled(level.sgx).map(
    (svn, i) => [`sgxtcbcomp${String(i + 1).padStart(2, "0")}svn`, svn] as const,
  );
  return { ...Object.fromEntries(members), pcesvn: level.pceSvn };
}

function isvLevelJson(level: IsvLevelTemplate): JsonObject {
  return { tcb: { isvsvn: level.isvSvn }, ...verdictJson(level) };
}

function verdictJson(level: Pick<IsvLevelTemplate, "date" | "status" | "advisoryIds">): JsonObject {
  return {
    tcbDate: seconds(level.date),
    tcbStatus: level.status,
    ...(level.advisoryIds === undefined ? {} : { advisoryIDs: level.advisoryIds }),
  };
}

function signerJson(signer: ModuleSignerTemplate): JsonObject {
  return {
    mrsigner: upperHex(signer.mrSigner),
    attributes: upperHex(signer.attributes),
    attributesMask: upperHex(signer.attributesMask),
  };
}

function dates(document: Dated): JsonObject {
  return { issueDate: seconds(document.issueDate), nextUpdate: seconds(document.nextUpdate) };
}

function filled(svns: readonly number[]): number[] {
  return Array.from({ length: COMPONENTS }, (_, i) => svns[i] ?? 0);
}

function upperHex(bytes: Uint8Array): string {
  return toHex(bytes).toUpperCase();
}

/** RFC 3339 in whole seconds, as Intel writes dates. */
function seconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
