// SPDX-License-Identifier: Apache-2.0
// TPM 2.0: a quote over the PCRs of one bank by an attestation key of this TPM, with the firmware's event log.

import { join } from "node:path";
import { AdytonError } from "@adyton/core/errors";
import { type Certificate, parseCertificate } from "@adyton/core/x509";
import type { Envelope } from "@adyton/evidence";
import { NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import { encodeTpmEvidence, type PcrSelection, spkiOfTpmPublic, type TpmHash } from "@adyton/evidence/tpm";
import type { Attester, AttesterKind, AttesterOptions, Probe } from "../attester.ts";
import { AttesterError } from "../errors.ts";
import { deviceFailure } from "../lib/devices.ts";
import { errnoOf, realFileSystem } from "../lib/filesystem.ts";
import { paddedReportData, wholeEvidence } from "../lib/report-data.ts";
import {
  defaultAkScheme,
  deriveAttestationKey,
  type ProvisionedKey,
  persistentAttestationKey,
  provisionedAttestationKey,
} from "./attestation-key.ts";
import { pcrBanks, type TpmProperties, tpmProperties } from "./capability.ts";
import { DEFAULT_DEVICE, openTpm, type Tpm, withLoaded } from "./connection.ts";
import { readEkCertificates, withoutFill } from "./endorsement.ts";
import { invalidArgument, unsuitable } from "./error.ts";
import type { TpmKey } from "./keys.ts";
import { quotePcrs } from "./quote.ts";
import { PCR_COUNT } from "./selection.ts";
import type { AkScheme } from "./templates.ts";
import { parseTpmAddress, TPM_VARIABLE, type TpmAddress } from "./transport.ts";

/** The attestation key at a persistent handle, or the one that this TPM gives for a scheme. */
export type AkChoice = { readonly handle: number } | { readonly scheme: AkScheme };

export interface TpmAttesterOptions extends AttesterOptions {
  /** Instead of `ADYTON_TPM`. */
  readonly address?: string;
  /** Opens the TPM by other means than its address; it is closed after each use. */
  readonly open?: () => Promise<Tpm>;
  /** Default: the first that the TPM has of SHA-256, SHA-384, SHA-512, SM3, SHA-1. */
  readonly bank?: TpmHash;
  /** Instead of `ADYTON_TPM_AK`. Default: what the machine's maker provisioned, or else the one for ECDSA on P-256. */
  readonly ak?: AkChoice;
}

/** Environment variable with the persistent handle of the attestation key. */
export const AK_VARIABLE = "ADYTON_TPM_AK";

const TITLE = "TPM 2.0";
const BANKS: readonly TpmHash[] = ["SHA-256", "SHA-384", "SHA-512", "SM3", "SHA-1"];
/** Where the kernel shows the log of firmware's measurements into TPM number N (securityfs). */
const LOG = (number: string): string => `sys/kernel/security/tpm${number}/binary_bios_measurements`;
/** TPM2B_DATA holds a digest with its algorithm (TPM 2.0 Library 1.59, part 2, section 10.4.3). */
const DATA_BEYOND_DIGEST = 2;

export const tpmAttester: AttesterKind = {
  tee: "tpm",
  title: TITLE,
  byNameOnly: true,
  create: (options) => createTpmAttester(options),
};

/** The attester of a TPM, with choices that the environment has no words for. */
export function createTpmAttester(options: TpmAttesterOptions = {}): Attester {
  return {
    tee: "tpm",
    title: TITLE,
    probe: () => probe(options),
    collect: async (reportData) => {
      const padded = paddedReportData(reportData);
      const tpm = await open(options);
      let envelope: Envelope;
      try {
        envelope = await collect(tpm, padded, options);
      } catch (error) {
        await tpm.close().catch(() => undefined);
        throw error;
      }
      await tpm.close();
      return { ...envelope, ...(await eventLogOf(options)) };
    },
  };
}

async function collect(tpm: Tpm, reportData: Uint8Array, options: TpmAttesterOptions): Promise<Envelope> {
  const qualifyingData = fitting(reportData, await tpmProperties(tpm));
  const selection = [await chooseBank(tpm, options.bank)];
  const quoted = async (ak: TpmKey & Partial<ProvisionedKey>): Promise<Uint8Array> => {
    const quote = await quotePcrs(tpm, { ak, qualifyingData, selection });
    const { certificate } = ak;
    return encodeTpmEvidence({
      akSpki: spkiOfTpmPublic(ak.public),
      akPublic: ak.public,
      quotes: [quote],
      certificates:
        certificate === undefined
          ? []
          : [wholeEvidence("the TPM", () => parseCertificate(withoutFill(certificate)))],
      eventLogs: [],
    });
  };
  const choice = options.ak ?? akOf(options.env ?? process.env);
  const evidence =
    choice !== undefined && "handle" in choice
      ? await quoted(await persistentAttestationKey(tpm, choice.handle))
      : await withLoaded(tpm, loadedKey(tpm, choice), quoted);
  const certificates = await ekCertificates(tpm);
  return {
    tee: "tpm",
    evidence,
    ...(certificates.length === 0 ? {} : { endorsements: { ...NO_ENDORSEMENTS, certificates } }),
  };
}

async function loadedKey(
  tpm: Tpm,
  choice: { readonly scheme: AkScheme } | undefined,
): Promise<TpmKey & Partial<ProvisionedKey>> {
  if (choice !== undefined) return deriveAttestationKey(tpm, choice.scheme);
  const provisioned = await provisionedAttestationKey(tpm);
  return provisioned ?? deriveAttestationKey(tpm, await defaultAkScheme(tpm));
}

/** Report data as a quote takes it: whole, or without the zeros at its end where the TPM has no digest as long. */
function fitting(reportData: Uint8Array, { maxDigest }: TpmProperties): Uint8Array {
  const most = maxDigest + DATA_BEYOND_DIGEST;
  if (reportData.length <= most) return reportData;
  const end = reportData.findLastIndex((byte) => byte !== 0) + 1;
  if (end <= most) return reportData.subarray(0, end);
  throw unsuitable(
    `it binds ${most} bytes of report data, got ${end}`,
    { found: end, expected: most },
    "Pass a digest that is no longer: SHA-256 has 32 bytes.",
  );
}

async function chooseBank(tpm: Tpm, wanted: TpmHash | undefined): Promise<PcrSelection> {
  const banks = await pcrBanks(tpm);
  const hashes = wanted === undefined ? BANKS : [wanted];
  for (const hash of hashes) {
    const bank = banks.find((each) => each.hash === hash);
    if (bank !== undefined) return { hash, indices: bank.indices.filter((index) => index < PCR_COUNT) };
  }
  const found = banks.map(({ hash }) => hash);
  throw unsuitable(`its PCR banks are ${found.join(", ") || "none"}, expected ${hashes.join(" or ")}`, {
    found,
    expected: hashes,
  });
}

/** What is no certificate as RFC 5280 has it is left out: it vouches for nothing here, and the quote stands without. */
async function ekCertificates(tpm: Tpm): Promise<Certificate[]> {
  return (await readEkCertificates(tpm)).flatMap(({ der }) => {
    try {
      return [parseCertificate(der)];
    } catch (error) {
      if (error instanceof AdytonError) return [];
      throw error;
    }
  });
}

/** The event log of the device's TPM, where there is one and this user may read it. */
async function eventLogOf(options: TpmAttesterOptions): Promise<Pick<Envelope, "eventLog">> {
  const { root = "/", files = realFileSystem } = options;
  const address = addressOf(options);
  const [, number] = (address?.kind === "device" && /^\/dev\/tpm(?:rm)?(\d+)$/.exec(address.path)) || [];
  if (number === undefined) return {};
  const path = join(root, LOG(number));
  if (!(await files.exists(path))) return {};
  try {
    return { eventLog: await files.readFile(path) };
  } catch (error) {
    const errno = errnoOf(error);
    // Root's alone on most machines, while the TPM is open to its group.
    if (errno === "EACCES" || errno === "EPERM") return {};
    throw deviceFailure(`read ${path}`, error);
  }
}

async function probe(options: TpmAttesterOptions): Promise<Probe> {
  let name = TITLE;
  try {
    const address = addressOf(options);
    name = address === undefined ? TITLE : nameOf(address);
    const { root = "/", files = realFileSystem } = options;
    const device = address?.kind === "device" ? join(root, address.path) : undefined;
    if (device !== undefined && !(await files.exists(device))) {
      return {
        available: false,
        found: [],
        missing: [device],
        next: `Turn the TPM on in the firmware's setup, or name one in ${TPM_VARIABLE}.`,
      };
    }
    const tpm = await open(options);
    try {
      const { manufacturer, model } = await tpmProperties(tpm);
      const maker = `${manufacturer} ${model}`.trim().replace(/\s+/g, " ");
      return { available: true, found: [`${name}, a TPM 2.0 by ${maker}`], missing: [] };
    } finally {
      await tpm.close();
    }
  } catch (error) {
    return unavailable(name, error);
  }
}

function unavailable(name: string, error: unknown): Probe {
  const known = error instanceof AttesterError ? error : undefined;
  const errno = known?.detail.errno;
  if (errno === "EACCES" || errno === "EPERM") {
    const next = "Run as root, or let the user into the group that owns the device (tss on most systems).";
    return { available: false, found: [name], missing: [`permission to open ${name}`], next };
  }
  return {
    available: false,
    found: [],
    missing: [`an answer of ${name} (${known?.message ?? String(error)})`],
    next: known?.hint ?? "See that the TPM is running.",
  };
}

function open(options: TpmAttesterOptions): Promise<Tpm> {
  const { open: openOther, root = "/", wait } = options;
  const address = addressOf(options);
  if (openOther !== undefined) return openOther();
  return openTpm({
    ...(address === undefined ? {} : { address: below(root, address) }),
    ...(wait && { wait }),
  });
}

function below(root: string, address: TpmAddress): TpmAddress {
  return address.kind === "device" ? { ...address, path: join(root, address.path) } : address;
}

/** Undefined for a TPM that the caller opens and says no address of. */
function addressOf(options: TpmAttesterOptions): TpmAddress | undefined {
  const { address, open: openOther, env = process.env } = options;
  if (openOther !== undefined && address === undefined) return undefined;
  const text = address ?? env[TPM_VARIABLE] ?? "";
  return text === "" ? { kind: "device", path: DEFAULT_DEVICE } : parseTpmAddress(text);
}

function akOf(env: Readonly<Record<string, string | undefined>>): { readonly handle: number } | undefined {
  const text = env[AK_VARIABLE] ?? "";
  if (text === "") return undefined;
  if (/^0x[0-9a-fA-F]{8}$/.test(text)) return { handle: Number(text) };
  throw invalidArgument(
    `Cannot read ${AK_VARIABLE}: got ${JSON.stringify(text)}, expected a handle`,
    "Write it like 0x81010002.",
  );
}

function nameOf(address: TpmAddress): string {
  return address.kind === "tcp" ? `${address.host}:${address.port}` : address.path;
}
