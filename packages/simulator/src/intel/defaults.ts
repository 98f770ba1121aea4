// SPDX-License-Identifier: Apache-2.0
// What the simulated Intel says unless told otherwise: one platform model, its TCB levels, its quoting enclaves, its
// TDX modules. Values are made up; their shapes and relations are Intel's.

import { fromHex, padRight } from "@adyton/core/bytes";
import type { EnclaveReport, TdReport } from "@adyton/evidence/tdx";
import type {
  IsvLevelTemplate,
  ModuleIdentityTemplate,
  ModuleSignerTemplate,
  TcbLevelTemplate,
} from "./documents.ts";

/** Enclaves of Intel that have an identity: quoting for SGX, quoting for TDX, quote verification. */
export type EnclaveKind = "QE" | "TD_QE" | "QVE";

/** Family, model, stepping, platform type and SKU of the simulated processors; hex. */
export const DEFAULT_FMSPC = "a0d705000000";
export const DEFAULT_PCE_ID = "0000";
/** SVNs of an up-to-date platform. */
export const DEFAULT_COMPONENTS: readonly number[] = [11, 11, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0];
export const DEFAULT_PCE_SVN = 13;
/** SVNs of an up-to-date TDX module 1.5: ISV SVN 5, version 1, SEAMLDR 6. */
const DEFAULT_TEE_TCB_SVN: Uint8Array = svnBytes(5, 1, 6);
export const DEFAULT_EVALUATION_NUMBER = 18;

const DAY = 24 * 60 * 60 * 1000;
/** TCB levels of TDX leave the module's two bytes low: the module identities judge those. */
const TDX_COMPONENTS: readonly number[] = [5, 0, 6];

/** The same fields in a SEAM report and in Intel's documents: Intel's modules are signed by a zero key. */
export const MODULE: ModuleSignerTemplate = {
  mrSigner: new Uint8Array(48),
  attributes: new Uint8Array(8),
  attributesMask: new Uint8Array(8).fill(0xff),
};

/** How each enclave measures, and the ISV SVN its newest level asks for. */
export const ENCLAVES: Readonly<
  Record<EnclaveKind, { readonly mrSigner: Uint8Array; readonly isvProdId: number; readonly isvSvn: number }>
> = {
  QE: { mrSigner: new Uint8Array(32).fill(0x51), isvProdId: 1, isvSvn: 8 },
  TD_QE: { mrSigner: new Uint8Array(32).fill(0x7d), isvProdId: 2, isvSvn: 6 },
  QVE: { mrSigner: new Uint8Array(32).fill(0x51), isvProdId: 2, isvSvn: 3 },
};

/** Enclaves of Intel may hold the provision key; the identities' mask leaves MODE64 and XFRM open. */
const ENCLAVE_ATTRIBUTES: Uint8Array = fromHex("1500000000000000e700000000000000");
export const IDENTITY_ATTRIBUTES: Uint8Array = fromHex("11000000000000000000000000000000");
export const IDENTITY_ATTRIBUTES_MASK: Uint8Array = fromHex("fbffffffffffffff0000000000000000");

/** Up to sixteen SVNs as a field of 16 bytes. */
export function svnBytes(...svns: readonly number[]): Uint8Array {
  return padRight(Uint8Array.from(svns), 16);
}

/** Newest first: the default platform is up to date, older ones fall to OutOfDate. */
export function defaultTcbLevels(tee: "sgx" | "tdx", at: Date): TcbLevelTemplate[] {
  const level = (
    lag: number,
    pceSvn: number,
    days: number,
    verdict: Pick<TcbLevelTemplate, "status">,
  ): TcbLevelTemplate => ({
    sgx: DEFAULT_COMPONENTS.map((svn, i) => (i < 2 ? svn - lag : svn)),
    pceSvn,
    ...(tee === "tdx"
      ? { tdx: TDX_COMPONENTS.map((svn) => Math.max(0, svn - (svn > 0 ? Math.min(lag, 2) : 0))) }
      : {}),
    date: before(at, days),
    ...verdict,
  });
  const outdated = { status: "OutOfDate", advisoryIds: ["INTEL-SA-90001", "INTEL-SA-90002"] };
  return [
    level(0, DEFAULT_PCE_SVN, 90, { status: "UpToDate" }),
    level(2, DEFAULT_PCE_SVN, 270, outdated),
    level(6, 5, 900, outdated),
  ];
}

/** Modules 1.5 (TDX_01) and 2.0 (TDX_03). */
export function defaultModuleIdentities(at: Date): ModuleIdentityTemplate[] {
  return [
    { id: "TDX_03", ...MODULE, levels: isvLevels(3, at) },
    { id: "TDX_01", ...MODULE, levels: isvLevels(5, at) },
  ];
}

/** The newest `isvSvn` is up to date, anything older is not. */
export function isvLevels(isvSvn: number, at: Date): IsvLevelTemplate[] {
  return [
    { isvSvn, status: "UpToDate", date: before(at, 90) },
    { isvSvn: 1, status: "OutOfDate", date: before(at, 900), advisoryIds: ["INTEL-SA-90003"] },
  ];
}

/** An enclave that a user runs. */
export function defaultEnclave(cpuSvn: Uint8Array): EnclaveReport {
  return {
    ...emptyReport(cpuSvn),
    attributes: fromHex("0500000000000000e700000000000000"),
    mrEnclave: new Uint8Array(32).fill(0xe1),
    mrSigner: new Uint8Array(32).fill(0xe2),
    isvProdId: 1,
    isvSvn: 1,
  };
}

/** A quoting enclave. */
export function quotingEnclave(kind: EnclaveKind, cpuSvn: Uint8Array): EnclaveReport {
  const { mrSigner, isvProdId, isvSvn } = ENCLAVES[kind];
  return {
    ...emptyReport(cpuSvn),
    attributes: ENCLAVE_ATTRIBUTES,
    mrEnclave: new Uint8Array(32).fill(0x9e),
    mrSigner: mrSigner,
    isvProdId: isvProdId,
    isvSvn: isvSvn,
  };
}

/** A trust domain that a user runs: SEPT_VE_DISABLE set, no debug, the usual extended features. */
export function defaultTd(): TdReport {
  const measurement = (value: number): Uint8Array => new Uint8Array(48).fill(value);
  return {
    teeTcbSvn: DEFAULT_TEE_TCB_SVN,
    mrSeam: measurement(0x5e),
    mrSignerSeam: MODULE.mrSigner,
    seamAttributes: MODULE.attributes,
    tdAttributes: fromHex("0000001000000000"),
    xfam: fromHex("e702060000000000"),
    mrTd: measurement(0xd0),
    mrConfigId: measurement(0),
    mrOwner: measurement(0),
    mrOwnerConfig: measurement(0),
    rtmrs: [measurement(0xa0), measurement(0xa1), measurement(0xa2), measurement(0)],
    reportData: new Uint8Array(64),
  };
}

/** `days` before `at`. */
export function before(at: Date, days: number): Date {
  return new Date(at.getTime() - days * DAY);
}

function emptyReport(cpuSvn: Uint8Array): Omit<EnclaveReport, "attributes" | "mrEnclave" | "mrSigner"> {
  return {
    cpuSvn,
    miscSelect: 0,
    isvExtProdId: new Uint8Array(16),
    configId: new Uint8Array(64),
    isvProdId: 0,
    isvSvn: 0,
    configSvn: 0,
    isvFamilyId: new Uint8Array(16),
    reportData: new Uint8Array(64),
  };
}
