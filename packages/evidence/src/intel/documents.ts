// SPDX-License-Identifier: Apache-2.0
// What Intel says about platforms, enclaves and TDX modules: TCB info (version 2 and 3), enclave identities (version 2)
// and TCB evaluation data numbers (version 1), as in Intel's PCS API v4. Signatures are verified elsewhere.

import { type DocumentKind, type Fields, fieldsOf } from "./fields.ts";

/** A TCB level's status as Intel writes it; anything unknown is `Unrecognized`, which never passes. */
export type LevelStatus =
  | "UpToDate"
  | "SWHardeningNeeded"
  | "ConfigurationNeeded"
  | "ConfigurationAndSWHardeningNeeded"
  | "OutOfDate"
  | "OutOfDateConfigurationNeeded"
  | "Revoked"
  | "Unrecognized";

export interface Level<Status extends LevelStatus = LevelStatus> {
  readonly status: Status;
  /** RFC 3339. */
  readonly date: string;
  readonly advisoryIds: readonly string[];
}

export interface TcbLevel extends Level {
  /** SVNs of the 16 SGX components. */
  readonly sgxComponents: readonly number[];
  readonly pceSvn: number;
  /** SVNs of the 16 TDX components; TDX only. */
  readonly tdxComponents?: readonly number[];
}

/** Modules and enclaves are in or out of date or revoked: any other word is `Unrecognized`. */
export interface IsvLevel extends Level<"UpToDate" | "OutOfDate" | "Revoked" | "Unrecognized"> {
  readonly isvSvn: number;
}

/** What a TDX module must be signed by, and the SEAM attributes it must have. */
export interface ModuleSigner {
  /** 48 bytes. */
  readonly mrSigner: Uint8Array;
  /** 8 bytes. */
  readonly attributes: Uint8Array;
  /** 8 bytes. */
  readonly attributesMask: Uint8Array;
}

export interface ModuleIdentity extends ModuleSigner {
  /** "TDX_" and the module's version in two hex digits. */
  readonly id: string;
  /** In Intel's order, the highest ISV SVN first. */
  readonly levels: readonly IsvLevel[];
}

interface Dated {
  readonly issueDate: Date;
  readonly nextUpdate: Date;
}

export interface TcbInfo extends Dated {
  readonly id: "SGX" | "TDX";
  readonly version: 2 | 3;
  /** 6 bytes. */
  readonly fmspc: Uint8Array;
  /** 2 bytes. */
  readonly pceId: Uint8Array;
  readonly tcbEvaluationDataNumber: number;
  /** The module of version 0; TDX only. */
  readonly tdxModule?: ModuleSigner;
  /** Modules of later versions; TDX only. */
  readonly tdxModuleIdentities?: readonly ModuleIdentity[];
  /** As received, in any order. */
  readonly levels: readonly TcbLevel[];
}

export interface EnclaveIdentity extends Dated {
  /** The quoting enclave of SGX, the one of TDX, or the quote verification enclave. */
  readonly id: "QE" | "TD_QE" | "QVE";
  readonly version: 2;
  readonly tcbEvaluationDataNumber: number;
  /** 4 bytes in memory order. */
  readonly miscSelect: Uint8Array;
  readonly miscSelectMask: Uint8Array;
  /** 16 bytes in memory order. */
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
  /** 32 bytes. */
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  /** In Intel's order, the highest ISV SVN first. */
  readonly levels: readonly IsvLevel[];
}

export interface TcbEvaluationDataNumbers extends Dated {
  readonly id: "SGX" | "TDX";
  readonly numbers: readonly {
    readonly tcbEvaluationDataNumber: number;
    readonly tcbRecoveryEventDate: Date;
    readonly tcbDate: Date;
  }[];
}

const TCB_INFO: DocumentKind = { code: "TCB_INFO_INVALID", title: "TCB info" };
const IDENTITY: DocumentKind = { code: "QE_IDENTITY_INVALID", title: "enclave identity" };
const NUMBERS: DocumentKind = {
  code: "TCB_EVALUATION_DATA_NUMBERS_INVALID",
  title: "TCB evaluation data numbers",
};
const STATUSES: readonly LevelStatus[] = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
];
const ISV_STATUSES: readonly IsvLevel["status"][] = ["UpToDate", "OutOfDate", "Revoked"];
const COMPONENTS = 16;
const U32 = 0xffff_ffff;

/** Parses the signed text of TCB info. Throws `TCB_INFO_INVALID`. */
export function parseTcbInfo(body: string): TcbInfo {
  const fields = fieldsOf(body, TCB_INFO);
  const version = fields.version([2, 3]);
  // Version 2 knows SGX only and does not say so.
  const id = version === 2 ? "SGX" : fields.text("id");
  if (id !== "SGX" && id !== "TDX") return fields.refuse("id", JSON.stringify(id), '"SGX" or "TDX"');
  if (fields.integer("tcbType", U32) !== 0) fields.refuse("tcbType", "unknown", "0");
  const info: TcbInfo = {
    id,
    version,
    ...datesOf(fields),
    fmspc: fields.hex("fmspc", 6),
    pceId: fields.hex("pceId", 2),
    tcbEvaluationDataNumber: fields.integer("tcbEvaluationDataNumber", U32),
    levels: fields.objects("tcbLevels", (level) => readTcbLevel(level, version, id === "TDX")),
  };
  if (id === "SGX") return info;
  const tdx = { ...info, tdxModule: readModuleSigner(fields.object("tdxModule")) };
  if (!fields.has("tdxModuleIdentities")) return tdx;
  return { ...tdx, tdxModuleIdentities: fields.objects("tdxModuleIdentities", readModuleIdentity) };
}

/** Parses the signed text of an enclave identity. Throws `QE_IDENTITY_INVALID`. */
export function parseEnclaveIdentity(body: string): EnclaveIdentity {
  const fields = fieldsOf(body, IDENTITY);
  const version = fields.version([2]);
  const id = fields.text("id");
  if (id !== "QE" && id !== "TD_QE" && id !== "QVE")
    return fields.refuse("id", JSON.stringify(id), '"QE", "TD_QE" or "QVE"');
  return {
    id,
    version,
    ...datesOf(fields),
    tcbEvaluationDataNumber: fields.integer("tcbEvaluationDataNumber", U32),
    miscSelect: fields.hex("miscselect", 4),
    miscSelectMask: fields.hex("miscselectMask", 4),
    attributes: fields.hex("attributes", 16),
    attributesMask: fields.hex("attributesMask", 16),
    mrSigner: fields.hex("mrsigner", 32),
    isvProdId: fields.integer("isvprodid", 0xffff),
    levels: fields.objects("tcbLevels", readIsvLevel),
  };
}

/** Parses the signed text of TCB evaluation data numbers. Throws `TCB_EVALUATION_DATA_NUMBERS_INVALID`. */
export function parseTcbEvaluationDataNumbers(body: string): TcbEvaluationDataNumbers {
  const fields = fieldsOf(body, NUMBERS);
  fields.version([1]);
  const id = fields.text("id");
  if (id !== "SGX" && id !== "TDX") return fields.refuse("id", JSON.stringify(id), '"SGX" or "TDX"');
  return {
    id,
    ...datesOf(fields),
    numbers: fields.objects("tcbEvalNumbers", (number) => ({
      tcbEvaluationDataNumber: number.integer("tcbEvaluationDataNumber", U32),
      tcbRecoveryEventDate: number.date("tcbRecoveryEventDate"),
      tcbDate: number.date("tcbDate"),
    })),
  };
}

function datesOf(fields: Fields): Dated {
  const issueDate = fields.date("issueDate");
  const nextUpdate = fields.date("nextUpdate");
  if (nextUpdate < issueDate) fields.refuse("nextUpdate", "before issueDate", "a later date");
  return { issueDate, nextUpdate };
}

function readTcbLevel(level: Fields, version: 2 | 3, tdx: boolean): TcbLevel {
  const tcb = level.object("tcb");
  const read: TcbLevel = {
    ...readLevel(level, STATUSES),
    sgxComponents: version === 2 ? readFlatComponents(tcb) : readComponents(tcb, "sgxtcbcomponents"),
    pceSvn: tcb.integer("pcesvn", 0xffff),
  };
  return tdx ? { ...read, tdxComponents: readComponents(tcb, "tdxtcbcomponents") } : read;
}

/** Intel's samples ask for SVNs above 255, which no platform reaches: they are read, and never met. */
function readComponents(tcb: Fields, name: string): number[] {
  const svns = tcb.objects(name, (component) => component.integer("svn", 0xffff));
  if (svns.length !== COMPONENTS) tcb.refuse(name, `${svns.length} components`, String(COMPONENTS));
  return svns;
}

/** Version 2 names its components one by one: sgxtcbcomp01svn to sgxtcbcomp16svn. */
function readFlatComponents(tcb: Fields): number[] {
  return Array.from({ length: COMPONENTS }, (_, i) =>
    tcb.integer(`sgxtcbcomp${String(i + 1).padStart(2, "0")}svn`, 0xffff),
  );
}

function readModuleSigner(fields: Fields): ModuleSigner {
  return {
    mrSigner: fields.hex("mrsigner", 48),
    attributes: fields.hex("attributes", 8),
    attributesMask: fields.hex("attributesMask", 8),
  };
}

function readModuleIdentity(fields: Fields): ModuleIdentity {
  return {
    id: fields.text("id"),
    ...readModuleSigner(fields),
    levels: fields.objects("tcbLevels", readIsvLevel),
  };
}

function readIsvLevel(level: Fields): IsvLevel {
  return { ...readLevel(level, ISV_STATUSES), isvSvn: level.object("tcb").integer("isvsvn", 0xffff) };
}

function readLevel<Status extends LevelStatus>(
  level: Fields,
  known: readonly Status[],
): Level<Status | "Unrecognized"> {
  const status = level.text("tcbStatus");
  level.date("tcbDate");
  return {
    status: known.find((candidate) => candidate === status) ?? "Unrecognized",
    date: level.text("tcbDate"),
    advisoryIds: level.texts("advisoryIDs"),
  };
}
