// SPDX-License-Identifier: Apache-2.0
// The simulated Intel: a root of its own, the CAs below it, and everything they publish, with real signatures.
//
// Faults need no switches. Each builder takes a change: say something else (any member), let somebody else sign it
// (`issuer`, `signer`), or alter the result, which is plain data.

import { type Bytes, toHex } from "@adyton/core/bytes";
import { type CryptoProvider, defaultCrypto } from "@adyton/core/crypto";
import type { Issuer } from "@adyton/core/issue";
import type { JsonObject } from "@adyton/core/json";
import type { Endorsements, SignedDocument } from "@adyton/evidence/endorsements";
import {
  type Authority,
  type CertificateChange,
  type CrlChange,
  caTemplate,
  createAuthority,
  createCrl,
  type Period,
  simulatorName,
} from "./authority.ts";
import { type IntelCollateral, toEndorsements } from "./collateral.ts";
import {
  before,
  DEFAULT_EVALUATION_NUMBER,
  DEFAULT_FMSPC,
  DEFAULT_PCE_ID,
  defaultModuleIdentities,
  defaultTcbLevels,
  ENCLAVES,
  type EnclaveKind,
  IDENTITY_ATTRIBUTES,
  IDENTITY_ATTRIBUTES_MASK,
  isvLevels,
  MODULE,
} from "./defaults.ts";
import {
  type EnclaveIdentityTemplate,
  type EvaluationNumbersTemplate,
  enclaveIdentityJson,
  evaluationNumbersJson,
  signDocument,
  type TcbInfoTemplate,
  tcbInfoJson,
} from "./documents.ts";
import { createPlatform, type IntelPlatform, type PlatformOptions } from "./platform.ts";

export interface IntelVendorOptions {
  /** The present, as the vendor sees it: what it issues is valid around this time. Default: now. */
  readonly at?: Date;
  readonly crypto?: CryptoProvider;
  readonly root?: CertificateChange;
  readonly platformCa?: CertificateChange;
  readonly processorCa?: CertificateChange;
  readonly tcbSigner?: CertificateChange;
}

/** What a signed document says otherwise than usual, and who signs it. */
export type DocumentChange<T> = Partial<T> & {
  readonly signer?: Pick<Issuer, "key">;
  /** Edits the JSON before it is signed. */
  readonly edit?: (json: JsonObject) => JsonObject;
};

/** A fake Intel. Nothing it issues chains to Intel's root, so verifiers take it only where its root is named. */
export interface IntelVendor {
  /** Name this, and only in tests and demos, as a trusted root. */
  readonly root: Authority;
  readonly platformCa: Authority;
  readonly processorCa: Authority;
  readonly tcbSigner: Authority;
  /** A machine with a PCK certificate. */
  platform(options?: PlatformOptions): Promise<IntelPlatform>;
  /** Another TCB signing certificate, by the root. */
  certifyTcbSigner(change?: CertificateChange): Promise<Authority>;
  /** The root's CRL, DER. */
  rootCrl(change?: CrlChange): Promise<Bytes>;
  /** The CRL of a PCK CA, DER. */
  pckCrl(ca: "platform" | "processor", change?: CrlChange): Promise<Bytes>;
  /** For the default platform model unless `fmspc` says otherwise. */
  tcbInfo(tee: "sgx" | "tdx", change?: DocumentChange<TcbInfoTemplate>): Promise<SignedDocument>;
  identity(kind: EnclaveKind, change?: DocumentChange<EnclaveIdentityTemplate>): Promise<SignedDocument>;
  evaluationNumbers(
    tee: "sgx" | "tdx",
    change?: DocumentChange<EvaluationNumbersTemplate>,
  ): Promise<SignedDocument>;
  /** Everything published for a platform, with parts replaced. */
  collateral(
    platform: IntelPlatform,
    tee: "sgx" | "tdx",
    replace?: Partial<IntelCollateral>,
  ): Promise<IntelCollateral>;
  /** The same as a bag for verification. */
  endorsements(
    platform: IntelPlatform,
    tee: "sgx" | "tdx",
    replace?: Partial<IntelCollateral>,
  ): Promise<Endorsements>;
}

/** Founds a vendor with fresh keys. */
export async function createIntelVendor(options: IntelVendorOptions = {}): Promise<IntelVendor> {
  const { crypto = defaultCrypto } = options;
  const at = wholeSeconds(options.at ?? new Date());
  const years: Period = { from: before(at, 365), until: before(at, -7 * 365) };
  const month: Period = { from: before(at, 1), until: before(at, -29) };

  const certify = (
    role: string,
    usual: Partial<CertificateChange>,
    issuer: Issuer | undefined,
    change: CertificateChange = {},
  ): Promise<Authority> =>
    createAuthority(
      { subject: simulatorName(`Adyton Simulator ${role}`), ...usual },
      years,
      issuer,
      change,
      crypto,
    );
  const root = await certify("SGX Root CA", caTemplate(1), undefined, options.root);
  const platformCa = await certify("SGX PCK Platform CA", caTemplate(0), root, options.platformCa);
  const processorCa = await certify("SGX PCK Processor CA", caTemplate(0), root, options.processorCa);
  const certifyTcbSigner = (change: CertificateChange = {}): Promise<Authority> =>
    certify("SGX TCB Signing", { keyUsage: [0, 1] }, root, change);
  const tcbSigner = await certifyTcbSigner(options.tcbSigner);

  const pckCa = (kind: "platform" | "processor" = "platform"): Authority =>
    kind === "platform" ? platformCa : processorCa;
  const dates = { issueDate: month.from, nextUpdate: month.until };
  const sign = <T>(
    kind: SignedDocument["kind"],
    usual: T,
    write: (document: T) => JsonObject,
    change: DocumentChange<T>,
  ): Promise<SignedDocument> => {
    const { signer = tcbSigner, edit = (json) => json, ...said } = change;
    return signDocument(kind, edit(write({ ...usual, ...said })), signer.key);
  };

  const vendor: IntelVendor = {
    root,
    platformCa,
    processorCa,
    tcbSigner,
    certifyTcbSigner,
    platform: (request = {}) => createPlatform(request, pckCa(request.ca), root.certificate, years, crypto),
    rootCrl: (change = {}) => createCrl(root, month, change, crypto),
    pckCrl: (ca, change = {}) => createCrl(pckCa(ca), month, change, crypto),
    tcbInfo: (tee, change = {}) =>
      sign<TcbInfoTemplate>(
        "intel.tcbInfo",
        {
          ...dates,
          id: tee.toUpperCase(),
          version: 3,
          fmspc: DEFAULT_FMSPC,
          pceId: DEFAULT_PCE_ID,
          tcbType: 0,
          tcbEvaluationDataNumber: DEFAULT_EVALUATION_NUMBER,
          ...(tee === "tdx" ? { tdxModule: MODULE, tdxModuleIdentities: defaultModuleIdentities(at) } : {}),
          levels: defaultTcbLevels(tee, at),
        },
        tcbInfoJson,
        change,
      ),
    identity: (kind, change = {}) =>
      sign<EnclaveIdentityTemplate>(
        "intel.enclaveIdentity",
        {
          ...dates,
          id: kind,
          version: 2,
          tcbEvaluationDataNumber: DEFAULT_EVALUATION_NUMBER,
          miscSelect: new Uint8Array(4),
          miscSelectMask: new Uint8Array(4).fill(0xff),
          attributes: IDENTITY_ATTRIBUTES,
          attributesMask: IDENTITY_ATTRIBUTES_MASK,
          mrSigner: ENCLAVES[kind].mrSigner,
          isvProdId: ENCLAVES[kind].isvProdId,
          levels: isvLevels(ENCLAVES[kind].isvSvn, at),
        },
        enclaveIdentityJson,
        change,
      ),
    evaluationNumbers: (tee, change = {}) =>
      sign<EvaluationNumbersTemplate>(
        "intel.tcbEvaluationDataNumbers",
        {
          ...dates,
          id: tee.toUpperCase(),
          version: 1,
          numbers: [0, 1, 2].map((back) => ({
            tcbEvaluationDataNumber: DEFAULT_EVALUATION_NUMBER - back,
            tcbRecoveryEventDate: before(at, 90 + 180 * back),
            tcbDate: before(at, 90 + 180 * back),
          })),
        },
        evaluationNumbersJson,
        change,
      ),
    collateral: async (platform, tee, replace = {}) => {
      const pckCaKind = platform.ca === processorCa ? "processor" : "platform";
      const fmspc = toHex(platform.extension.fmspc);
      return {
        tee,
        fmspc,
        pckCaKind,
        root: root.certificate,
        pckCa: platform.ca.certificate,
        tcbSigner: tcbSigner.certificate,
        rootCrl: await vendor.rootCrl(),
        pckCrl: await vendor.pckCrl(pckCaKind),
        tcbInfo: await vendor.tcbInfo(tee, { fmspc, pceId: toHex(platform.extension.pceId) }),
        qeIdentity: await vendor.identity(tee === "sgx" ? "QE" : "TD_QE"),
        ...replace,
      };
    },
    endorsements: async (platform, tee, replace = {}) =>
      toEndorsements(await vendor.collateral(platform, tee, replace)),
  };
  return vendor;
}

/** X.509 and Intel's JSON know whole seconds only. */
function wholeSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}
