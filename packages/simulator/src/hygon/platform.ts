// SPDX-License-Identifier: Apache-2.0
// A simulated machine with CSV: its keys, reports signed by its PEK, and the firmware's side of a launch.

import { type Bytes, concat, fromUtf8, padRight } from "@adyton/core/bytes";
import type { CryptoProvider } from "@adyton/core/crypto";
import { hmacSm3 } from "@adyton/core/sm";
import {
  acceptCsvLaunch,
  CSV_PAGE_SIZE,
  CSV_USAGE,
  type CsvLaunchExpectation,
  type CsvLaunchSecret,
  type CsvLaunchStart,
  type CsvReportFields,
  type CsvReportV1,
  type CsvReportV2,
  type CsvSigner,
  csvLaunchMeasure,
  csvMacPartOf,
  csvSignedPartOf,
  encodeCsvEvidence,
  encodeCsvPolicy,
  encodeCsvReport,
  openCsvSecret,
  parseCsvReport,
} from "@adyton/evidence/csv";
import {
  certifyKey,
  certifyOwner,
  type HygonAuthority,
  type HygonCertificateChange,
  type HygonKey,
  type Sm2Signer,
  sign,
} from "./keys.ts";

export interface HygonPlatformOptions {
  /** Default: random. */
  readonly serialNumber?: string;
  readonly cek?: HygonCertificateChange;
  readonly pek?: HygonCertificateChange;
  readonly oca?: HygonCertificateChange;
  readonly pdh?: HygonCertificateChange;
}

/** What a report says otherwise than usual, and who signs it. */
export interface CsvReportOptions
  extends Partial<Omit<CsvReportV1, "version" | "signature" | "signer">>,
    Partial<Omit<CsvReportV2, "version" | "signature" | "signer">> {
  /** Default: 1. */
  readonly version?: 1 | 2;
  /** Signs instead of the PEK. */
  readonly key?: Sm2Signer;
  /** Changes the bytes that are about to be signed, which in version 1 stand under the mask. */
  readonly edit?: (unsigned: Bytes) => void;
  /** Other than the PEK's certificate, the machine's serial number and the MAC over them. */
  readonly signer?: Partial<CsvSigner>;
  /** Lifts the mask from PEK and serial number and zeroes what else the MAC covers, as csv-rs' attester does. */
  readonly opened?: boolean;
}

/** A guest that the firmware launched in a session. */
export interface HygonGuest {
  /** The firmware's answer to LAUNCH_MEASURE: measure and a fresh mnonce. */
  measure(launched: CsvLaunchExpectation): Bytes;
  /** What LAUNCH_SECRET puts into the guest. Throws `INVALID_CSV_SESSION`. */
  openSecret(measure: Uint8Array, secret: CsvLaunchSecret): Bytes;
}

export interface HygonPlatform {
  readonly serialNumber: string;
  readonly cek: HygonKey;
  readonly pek: HygonKey;
  /** The owner's authority, which also signed the PEK. */
  readonly oca: HygonKey;
  readonly pdh: HygonKey;
  /** HSK and CEK, one after the other: what Hygon's service answers for the serial number. */
  readonly hskCek: Bytes;
  report(options?: CsvReportOptions): Bytes;
  /** The report padded to a page, with HSK and CEK behind it. */
  reportWithChain(options?: CsvReportOptions): Bytes;
  /** LAUNCH_START. Throws `INVALID_CSV_SESSION` when the session is not for this machine and policy. */
  launch(start: Pick<CsvLaunchStart, "certificate" | "session">, policy: number): HygonGuest;
}

const SERIAL_DIGITS = 12;
const MEASURE = new Uint8Array(32).fill(0x3d);

/** Certifies a platform's keys. */
export function createHygonPlatform(
  options: HygonPlatformOptions,
  hsk: HygonAuthority,
  crypto: CryptoProvider,
): HygonPlatform {
  const { serialNumber = randomSerial(crypto) } = options;
  const none = new Uint8Array(16);
  const cek = certifyKey(
    { role: "CEK", version: 2, signingKeyId: hsk.certificate.keyId },
    [{ usage: CSV_USAGE.HSK, signer: hsk }],
    options.cek ?? {},
    crypto,
  );
  const oca = certifyOwner(options.oca ?? {}, crypto);
  const pek = certifyKey(
    { role: "PEK", version: 1, signingKeyId: none },
    [
      { usage: CSV_USAGE.CEK, signer: cek },
      { usage: CSV_USAGE.OCA, signer: oca },
    ],
    options.pek ?? {},
    crypto,
  );
  const pdh = certifyKey(
    { role: "PDH", version: 1, signingKeyId: none },
    [{ usage: CSV_USAGE.PEK, signer: pek }],
    options.pdh ?? {},
    crypto,
  );
  const hskCek = concat(hsk.certificate.bytes, cek.certificate.bytes);

  const platform: HygonPlatform = {
    serialNumber,
    cek,
    pek,
    oca,
    pdh,
    hskCek,
    report: (change = {}) => {
      const { version = 1, key = pek, edit, signer = {}, opened = false, ...said } = change;
      const common = {
        ...usualReport(crypto),
        signer: {
          pek: pek.certificate.bytes,
          serialNumber: padRight(fromUtf8(serialNumber), 64),
          reserved: crypto.randomBytes(32),
          mac: new Uint8Array(32),
          masked: version === 1,
          ...signer,
        },
      };
      const unsigned: CsvReportFields =
        version === 1
          ? { ...common, version, anonce: crypto.randomBytes(4), ...said }
          : { ...common, version, ...usualExtension(), ...said };
      return finish(unsigned, { key, edit, mac: signer.mac, opened }, crypto);
    },
    reportWithChain: (change) => encodeCsvEvidence(platform.report(change), hskCek),
    launch: (start, policy) => {
      const keys = acceptCsvLaunch(start, policy, pdh.key);
      return {
        measure: (launched) => csvLaunchMeasure(keys, launched, crypto.randomBytes(16)),
        openSecret: (measure, secret) => openCsvSecret(keys, measure, secret),
      };
    },
  };
  return platform;
}

/** The report's page, as a guest's kernel hands it out. */
export function csvPage(report: Uint8Array): Bytes {
  return padRight(report, CSV_PAGE_SIZE);
}

/** Signs, then puts the MAC over the signer. */
function finish(
  unsigned: CsvReportFields,
  how: {
    readonly key: Sm2Signer;
    readonly edit: ((unsigned: Bytes) => void) | undefined;
    readonly mac: Uint8Array | undefined;
    readonly opened: boolean;
  },
  crypto: CryptoProvider,
): Bytes {
  const bytes = encodeCsvReport(unsigned);
  how.edit?.(bytes);
  // Read back: an edit may have changed any field.
  const signature = sign(how.key, csvSignedPartOf(bytes, unsigned.version), crypto);
  const report = { ...parseCsvReport(bytes), signature };
  const mac = how.mac ?? hmacSm3(report.mnonce, csvMacPartOf(report));
  const opened = how.opened ? { masked: false, reserved: new Uint8Array(32) } : {};
  return encodeCsvReport({ ...report, signer: { ...report.signer, mac, ...opened } });
}

/** A guest with encrypted state and without session, debugging not allowed. */
function usualReport(crypto: CryptoProvider): Omit<CsvReportV1, "version" | "anonce" | "signer"> {
  return {
    userPubkeyDigest: new Uint8Array(32),
    vmId: new Uint8Array(16),
    vmVersion: new Uint8Array(16),
    reportData: new Uint8Array(64),
    mnonce: crypto.randomBytes(16),
    measure: MEASURE,
    policy: encodeCsvPolicy({ nodbg: 1, es: 1 }),
    signature: new Uint8Array(64),
  };
}

/** What version 2 has besides: nothing was extended into RTMR 1 to 4. */
function usualExtension(): Pick<CsvReportV2, "build" | "rtmrVersion" | "reserved0" | "rtmrs" | "reserved1"> {
  return {
    build: 2337,
    rtmrVersion: 1,
    reserved0: new Uint8Array(14),
    rtmrs: [MEASURE, ...Array.from({ length: 4 }, () => new Uint8Array(32))],
    reserved1: new Uint8Array(656),
  };
}

/** Capital letters and digits, as Hygon's are. */
function randomSerial(crypto: CryptoProvider): string {
  const digits = [...crypto.randomBytes(SERIAL_DIGITS)].map((byte) => byte % 10);
  return `SIM${digits.join("")}`;
}
