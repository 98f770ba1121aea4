// SPDX-License-Identifier: Apache-2.0
// Options of `adyton evidence verify` as arguments of verification and rules of appraisal.

import { builtinPolicy, type Policy, type ReferenceValues, type Rules, regoPolicy } from "@adyton/appraisal";
import {
  type ReferenceTrust,
  readReferenceDocument,
  referenceValuesOf,
  type VouchedValue,
  voucherLookup,
} from "@adyton/appraisal/reference";
import { equal, fromHex, toUtf8 } from "@adyton/core/bytes";
import { type PublicKey, verifyingCrypto } from "@adyton/core/crypto";
import type { JsonValue } from "@adyton/core/json";
import { looksLikePem, parsePem } from "@adyton/core/pem";
import { type Certificate, parseCertificate } from "@adyton/core/x509";
import type { TcbStatus } from "@adyton/evidence";
import {
  type Endorsements,
  mergeEndorsements,
  NO_ENDORSEMENTS,
  readEndorsement,
} from "@adyton/evidence/endorsements";
import { CliError } from "../errors.ts";
import { readInput } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import type { Io } from "../io.ts";
import { hexOf, integerOf, listOf, numbersOf, timeOf } from "../values.ts";

/** Intel's words, best first, without Revoked and NotSupported: those are never verified. */
const TCB_STATUSES: readonly TcbStatus[] = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "TdRelaunchAdvised",
  "TdRelaunchAdvisedConfigurationNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
];

/** Keys are short; in hex, with a line's end, twice as long. */
const MAX_KEY_FILE = 256;

/** Highest number of a register in an event log: TPMs have 24 PCRs, some firmware 32. */
const MAX_REGISTER = 31;

/** `--at`, or now. */
export function verificationTime(invocation: Invocation, io: Io): Date {
  const at = invocation.value("at");
  return at === undefined ? io.now() : timeOf("at", at);
}

/** `--report-data`, or undefined. */
export function reportDataOption(invocation: Invocation): Uint8Array | undefined {
  const hex = invocation.value("report-data");
  return hex === undefined ? undefined : hexOf("report-data", hex);
}

/** Every `--event-log` file, in order. */
export async function readEventLogs(paths: readonly string[], io: Io): Promise<Uint8Array[]> {
  const logs: Uint8Array[] = [];
  for (const path of paths) logs.push(await readInput(path, io));
  return logs;
}

/** `--event-log-registers`, or undefined. */
export function registersOption(invocation: Invocation): number[] | undefined {
  const text = invocation.value("event-log-registers");
  return text?.split(",").map((part) => integerOf("event-log-registers", part.trim(), 0, MAX_REGISTER));
}

/**
 * The rules that findings must meet. Simulated evidence is allowed: it verifies only under a root that the caller
 * named, and naming the root is the consent.
 */
export function rulesOf(invocation: Invocation): Rules {
  const statuses = invocation.value("require-tcb");
  const date = invocation.value("min-tcb-date");
  const number = invocation.value("min-evaluation-number");
  const minTcb = invocation.value("min-tcb");
  return {
    allowSimulated: true,
    allowDebug: invocation.flag("allow-debug"),
    requireRevocation: invocation.flag("require-revocation"),
    ...(statuses === undefined ? {} : { acceptedTcbStatuses: listOf("require-tcb", statuses, TCB_STATUSES) }),
    ...(date === undefined ? {} : { minTcbDate: timeOf("min-tcb-date", date).toISOString() }),
    ...(number === undefined
      ? {}
      : { minEvaluationNumber: integerOf("min-evaluation-number", number, 0, 2 ** 31) }),
    ...(minTcb === undefined ? {} : { minTcb: numbersOf("min-tcb", minTcb) }),
  };
}

/** What judges evidence once it verified. */
export interface AppraisalOption {
  readonly policy: Policy;
  readonly referenceValues: ReferenceValues;
  readonly vouchersOf?: (id: string, found: JsonValue) => JsonValue | undefined;
}

/** `--policy`, `--reference` and `--reference-trust`; undefined without the first two. */
export async function appraisalOption(
  invocation: Invocation,
  rules: Rules,
  at: Date,
  io: Io,
): Promise<AppraisalOption | undefined> {
  const files = invocation.values("policy");
  const references = invocation.values("reference");
  if (files.length === 0 && references.length === 0) return undefined;
  const modules: Record<string, string> = {};
  for (const path of files) modules[path] = toUtf8(await readInput(path, io));
  const trust = await readSuppliers(invocation.values("reference-trust"), io);
  const vouched: VouchedValue[] = [];
  for (const path of references) {
    // Naming a file of plain values is the consent to what it says; what can be signed has to be.
    const options = { ...trust, at, name: path, allowPlain: true };
    vouched.push(...(await readReferenceDocument(await readInput(path, io), options)));
  }
  const policy =
    files.length === 0 ? builtinPolicy(rules) : regoPolicy({ id: files.join(" "), modules, rules });
  return {
    policy,
    referenceValues: referenceValuesOf(vouched, { at, allowUnverified: true }),
    vouchersOf: voucherLookup(vouched),
  };
}

/** The keys and root certificates (PEM) of every `--reference-trust` file: whose documents are taken. */
async function readSuppliers(paths: readonly string[], io: Io): Promise<ReferenceTrust> {
  const keys: PublicKey[] = [];
  const roots: Certificate[] = [];
  for (const path of paths) {
    const text = toUtf8(await readInput(path, io));
    const blocks = looksLikePem(text) ? parsePem(text) : [];
    for (const { label, der } of blocks) {
      if (label === "CERTIFICATE") roots.push(parseCertificate(der));
      else if (label === "PUBLIC KEY") keys.push(await verifyingCrypto.importPublicKey(der));
    }
    if (!blocks.some(({ label }) => label === "CERTIFICATE" || label === "PUBLIC KEY")) {
      throw new CliError(
        "INVALID_VALUE",
        "misuse",
        `Cannot trust ${path}: it holds no root certificate and no public key in PEM`,
        { detail: { path } },
      );
    }
  }
  return { keys, roots };
}

/** What the caller trusts by itself. */
export interface NamedAnchors {
  readonly roots: readonly Certificate[];
  /** Vendors' own certificates and device keys. */
  readonly anchors: Endorsements;
}

/**
 * The self-issued certificates, vendors' own certificates and public keys of every `--root` file. Throws when a file
 * holds none of them.
 */
export async function readAnchors(paths: readonly string[], io: Io): Promise<NamedAnchors> {
  const roots: Certificate[] = [];
  const bags: Endorsements[] = [];
  for (const path of paths) {
    const bag = readEndorsement({ name: path, bytes: await readInput(path, io) });
    const { certificates, vendorCertificates = [], keys = [] } = bag;
    const found = certificates.filter((each) => equal(each.issuer.der, each.subject.der));
    if (found.length + vendorCertificates.length + keys.length === 0) {
      throw new CliError(
        "INVALID_VALUE",
        "misuse",
        `Cannot trust ${path}: it holds no root certificate and no key`,
        {
          detail: { path, certificates: certificates.map((each) => each.subject.text) },
          hint: "Name a file with a self-issued certificate or a public key; intermediates belong to --endorsements.",
        },
      );
    }
    roots.push(...found);
    bags.push({ ...NO_ENDORSEMENTS, vendorCertificates, keys });
  }
  return { roots, anchors: mergeEndorsements(...bags) };
}

/** The keys in every `--verifier-key` file: raw bytes, or hex with white space around it. */
export async function readVerifierKeys(paths: readonly string[], io: Io): Promise<Uint8Array[]> {
  const keys: Uint8Array[] = [];
  for (const path of paths) {
    const bytes = await readInput(path, io);
    if (bytes.length === 0 || bytes.length > MAX_KEY_FILE) {
      throw new CliError(
        "INVALID_VALUE",
        "misuse",
        `Cannot use ${path} as a key: ${bytes.length} bytes, expected 1 to ${MAX_KEY_FILE}`,
        { detail: { path } },
      );
    }
    const text = String.fromCharCode(...bytes).trim();
    keys.push(/^([0-9a-fA-F]{2})+$/.test(text) ? fromHex(text) : bytes);
  }
  return keys;
}
