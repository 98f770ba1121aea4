// SPDX-License-Identifier: Apache-2.0
// A simulated machine with SEV-SNP: a VCEK for its chip, a VLEK of its cloud provider, and reports signed by either.

import { type Bytes, concat, padRight } from "@adyton/core/bytes";
import type { CryptoProvider, PrivateKey } from "@adyton/core/crypto";
import {
  type Cpuid,
  type EndorsementKey,
  encodeCertificateTable,
  encodeEndorsementExtensions,
  encodePlatformInfo,
  encodePolicy,
  encodeReport,
  encodeReportSignature,
  encodeTcbVersion,
  type Product,
  parsePlatformInfo,
  parsePolicy,
  type ReportFields,
  SIGNED_SIZE,
  type SignerKind,
  type TcbVersion,
} from "@adyton/evidence/snp";
import {
  type Authority,
  type CertificateChange,
  createAuthority,
  type Period,
  simulatorName,
} from "../intel/authority.ts";

export interface AmdPlatformOptions {
  /** As many bytes as the product's hwID has. Default: random. */
  readonly chipId?: Uint8Array;
  /** Runs, is committed to and is reported, unless a report says otherwise. */
  readonly tcb?: TcbVersion;
  /** Default: the product's first model. */
  readonly cpuid?: Cpuid;
  /** The cloud provider that the VLEK belongs to. */
  readonly cspId?: string;
  /** What the VCEK's and VLEK's extensions say otherwise than the platform. */
  readonly extensions?: Partial<EndorsementKeyText>;
  /** AMD writes hwID bare in most certificates, and as an OCTET STRING in some. */
  readonly hwIdForm?: "raw" | "octetString";
  readonly vcek?: CertificateChange;
  readonly vlek?: CertificateChange;
}

type EndorsementKeyText = Pick<EndorsementKey, "structVersion" | "productName" | "product" | "tcb">;

/** What a report says otherwise than usual, and who signs it. */
export interface ReportOptions extends Partial<Omit<ReportFields, "signature">> {
  /** The key it names as its signer, and is signed with. */
  readonly signer?: SignerKind;
  /** Signs instead. */
  readonly key?: Pick<PrivateKey, "sign">;
  /** Changes the bytes that are about to be signed. */
  readonly edit?: (unsigned: Bytes) => void;
}

export interface AmdPlatform {
  readonly vcek: Authority;
  readonly vlek: Authority;
  /** As it stands in reports: 64 bytes. */
  readonly chipId: Uint8Array;
  readonly tcb: TcbVersion;
  /** 1,184 bytes, version 3 unless told otherwise. */
  report(options?: ReportOptions): Promise<Bytes>;
  /** The report and a certificate table with its signer's chain, as an extended guest request gives them. */
  extendedReport(options?: ReportOptions): Promise<Bytes>;
}

/** The part of a vendor that a platform needs. */
interface Maker {
  readonly product: Product;
  readonly ark: Authority;
  readonly ask: Authority;
  readonly asvk: Authority;
}

const P384 = { name: "EC", curve: "P-384" } as const;
const SIGNING_KEY: Readonly<Record<SignerKind, number>> = { VCEK: 0, VLEK: 1 };
const DEFAULT_CSP = "CN=simulator.adyton.invalid";
const DEFAULT_SVNS = { bootloader: 4, tee: 1, snp: 24, microcode: 219 } as const;

/** Certifies a platform's keys. */
export async function createAmdPlatform(
  options: AmdPlatformOptions,
  maker: Maker,
  period: Period,
  crypto: CryptoProvider,
): Promise<AmdPlatform> {
  const { product } = maker;
  const {
    chipId: hwId = crypto.randomBytes(product.chipIdSize),
    tcb = product.layout === "family1Ah" ? { fmc: 1, ...DEFAULT_SVNS } : DEFAULT_SVNS,
    cpuid = { family: product.family, model: product.models[0]?.[0] ?? 0, stepping: 1 },
    cspId = DEFAULT_CSP,
  } = options;
  const rawTcb = encodeTcbVersion(tcb);
  const text: EndorsementKeyText = {
    structVersion: product.layout === "family1Ah" ? 1 : 0,
    productName: product.name,
    product,
    tcb: rawTcb,
    ...options.extensions,
  };
  const certify = async (kind: SignerKind, change: CertificateChange = {}): Promise<Authority> => {
    const identity = kind === "VCEK" ? { hwId, cspId: undefined } : { hwId: undefined, cspId };
    return createAuthority(
      {
        subject: simulatorName(`SEV-${kind}`),
        extensions: encodeEndorsementExtensions({ ...text, ...identity }, options.hwIdForm),
      },
      period,
      kind === "VCEK" ? maker.ask : maker.asvk,
      { key: await crypto.generateKey(P384), ...change },
      crypto,
    );
  };
  const keys: Readonly<Record<SignerKind, Authority>> = {
    VCEK: await certify("VCEK", options.vcek),
    VLEK: await certify("VLEK", options.vlek),
  };
  const chipId = padRight(hwId, 64);

  const platform: AmdPlatform = {
    vcek: keys.VCEK,
    vlek: keys.VLEK,
    chipId,
    tcb,
    report: async (change = {}) => {
      const { signer = "VCEK", key = keys[signer].key, edit, version = 3, ...said } = change;
      const unsigned = encodeReport({
        ...usualReport(version, cpuid),
        currentTcb: rawTcb,
        reportedTcb: rawTcb,
        committedTcb: rawTcb,
        launchTcb: rawTcb,
        chipId: signer === "VCEK" ? chipId : new Uint8Array(64),
        keyInfo: { authorKeyEnabled: false, maskChipKey: false, signingKey: SIGNING_KEY[signer] },
        reportId: crypto.randomBytes(32),
        ...said,
        version,
        signature: new Uint8Array(96),
      }).subarray(0, SIGNED_SIZE);
      const signed = new Uint8Array(unsigned);
      edit?.(signed);
      return concat(
        signed,
        encodeReportSignature(await key.sign({ name: "ECDSA", hash: "SHA-384" }, signed)),
      );
    },
    extendedReport: async (change = {}) => {
      const signer = change.signer ?? "VCEK";
      const issuer = signer === "VCEK" ? maker.ask : maker.asvk;
      const table = encodeCertificateTable([
        { kind: signer, data: keys[signer].certificate.der },
        { kind: "ASK", data: issuer.certificate.der },
        { kind: "ARK", data: maker.ark.certificate.der },
      ]);
      return concat(await platform.report(change), table);
    },
  };
  return platform;
}

/** What does not depend on the machine's keys: a guest that runs at VMPL 0 with SMT allowed. */
function usualReport(
  version: number,
  cpuid: Cpuid,
): Omit<
  ReportFields,
  | "currentTcb"
  | "reportedTcb"
  | "committedTcb"
  | "launchTcb"
  | "chipId"
  | "keyInfo"
  | "reportId"
  | "signature"
> {
  const firmware = { major: 1, minor: 55, build: 40 };
  return {
    version,
    guestSvn: 1,
    policy: encodePolicy({ ...parsePolicy(0n), abiMinor: 31, smtAllowed: true }),
    familyId: new Uint8Array(16),
    imageId: new Uint8Array(16),
    vmpl: 0,
    platformInfo: encodePlatformInfo({
      ...parsePlatformInfo(0n),
      smtEnabled: true,
      aliasCheckComplete: true,
    }),
    reportData: new Uint8Array(64),
    measurement: new Uint8Array(48).fill(0x3d),
    hostData: new Uint8Array(32),
    idKeyDigest: new Uint8Array(48),
    authorKeyDigest: new Uint8Array(48),
    reportIdMa: new Uint8Array(32).fill(0xff),
    cpuid: version < 3 ? undefined : cpuid,
    current: firmware,
    committed: firmware,
    launchMitVector: version < 5 ? undefined : 0n,
    currentMitVector: version < 5 ? undefined : 0n,
  };
}
