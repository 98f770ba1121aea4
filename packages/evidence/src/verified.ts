// SPDX-License-Identifier: Apache-2.0
// What verification returns. A VerifiedEvidence cannot be made any other way: the type carries a private brand,
// and `assertVerified` asks a list that only `seal` writes to, so a copy or a cast is found out at run time.

import type { HashName } from "@adyton/core/crypto";
import type { JsonObject } from "@adyton/core/json";
import type { TeeName } from "./envelope.ts";
import { EvidenceError } from "./errors.ts";

/** Intel's words for the state of a TCB, best first. */
export type TcbStatus =
  | "UpToDate"
  | "SWHardeningNeeded"
  | "ConfigurationNeeded"
  | "ConfigurationAndSWHardeningNeeded"
  | "TdRelaunchAdvised"
  | "TdRelaunchAdvisedConfigurationNeeded"
  | "OutOfDate"
  | "OutOfDateConfigurationNeeded"
  | "NotSupported"
  | "Revoked";

export interface TcbComponent {
  /** Undefined where the vendor publishes no status (AMD). */
  readonly status?: TcbStatus;
  /** RFC 3339: the TCB level's date. */
  readonly date?: string;
  readonly advisoryIds?: readonly string[];
  /** Security version numbers by name. */
  readonly svn?: Readonly<Record<string, number>>;
}

/** The vendor's judgement of the platform's firmware and hardware. A finding; policies decide what to accept. */
export interface Tcb {
  /** Converged over the components; null where the vendor publishes no status (AMD, sample). */
  readonly status: TcbStatus | null;
  /** The smaller of TCB info's and QE identity's TCB evaluation data number. */
  readonly evaluationNumber: number | null;
  /** RFC 3339: date of the platform's matched TCB level. */
  readonly date: string | null;
  /** Of the platform's matched TCB level; the components list their own. */
  readonly advisoryIds: readonly string[];
  /** By component: platform, module, qe (Intel); reported, current, committed, launch (AMD). */
  readonly components: Readonly<Record<string, TcbComponent>>;
}

export interface Warning {
  /** Stable, UPPER_SNAKE. */
  readonly code: string;
  readonly message: string;
}

/** Which endorsements verification relied on. */
export interface EndorsementsUsed {
  /** RFC 3339. The oldest issue date among everything used. */
  readonly earliestIssue: string | null;
  /** RFC 3339. The verdict holds until here at most. */
  readonly earliestExpiry: string | null;
  readonly revocation: "checked" | "unchecked";
  /** One line each: what it is, who issued it, until when it holds. */
  readonly items: readonly { readonly kind: string; readonly subject: string; readonly expires: string }[];
}

export interface Trust {
  /** Subject of the anchor. */
  readonly root: string;
  /** SHA-256 of the anchor's certificate, hex. */
  readonly rootSha256: string;
  /** True unless the anchor is a hardware vendor's root that this package pins, or a key that the caller vouches for. */
  readonly simulated: boolean;
}

/** A register that only grows by hashing and that the evidence vouches for: a PCR, an RTMR. */
export interface MeasurementRegister {
  /** As claims name it: "rtmr_0", "pcr07". */
  readonly name: string;
  /** PCRs start as the TCG PC Client specifications say; all others at zeros. */
  readonly kind: "pcr" | "rtmr";
  /** What event logs call it. */
  readonly index: number;
  readonly hash: HashName | "SM3";
  readonly value: Uint8Array;
}

declare const brand: unique symbol;

/** Evidence whose authenticity was established. Judge it with `@adyton/appraisal`. */
export interface VerifiedEvidence {
  readonly [brand]: true;
  readonly tee: TeeName;
  /** The time it was verified for. */
  readonly at: Date;
  readonly trust: Trust;
  readonly tcb: Tcb;
  /** The TEE's owner can look inside (debug attribute or policy). */
  readonly debug: boolean;
  /** False: it is measured what runs, and nothing is hidden from the machine's owner (TPM). Absent: memory is protected. */
  readonly confidential?: false;
  /** At least 64 bytes (more in Nitro documents) chosen by what runs inside: the binding of nonce and key. */
  readonly reportData: Uint8Array;
  /** The field that holds the init-data digest (MRCONFIGID, HOST_DATA, CONFIGID), as it stands. */
  readonly initDataField: Uint8Array | null;
  /** "extended": the field is a register that started at zeros and that the digest was extended into. */
  readonly initDataForm?: "value" | "extended";
  /** What speaks; absent: a processor. */
  readonly kind?: "cpu" | "gpu" | "switch";
  /** Tells this very device from others of its kind, where the evidence does. */
  readonly device?: string;
  /** What an event log may explain: see `verifyEventLog`. Absent: the TEE has no such registers. */
  readonly registers?: readonly MeasurementRegister[];
  /** What policies see, named as Confidential Containers' Trustee names them. */
  readonly claims: JsonObject;
  readonly endorsements: EndorsementsUsed;
  readonly warnings: readonly Warning[];
  /** The checks that passed, in order, one sentence each. */
  readonly explanation: readonly string[];
}

const sealed = new WeakSet<object>();

/** Makes a VerifiedEvidence. Internal to this package: not exported from any subpath. */
export function seal(evidence: Omit<VerifiedEvidence, typeof brand>): VerifiedEvidence {
  const value = Object.freeze({ ...evidence }) as VerifiedEvidence;
  sealed.add(value);
  return value;
}

/** Throws `NOT_VERIFIED` unless `value` came from this package's verification in this process. */
export function assertVerified(value: VerifiedEvidence): void {
  if (!sealed.has(value)) {
    throw new EvidenceError(
      "NOT_VERIFIED",
      "misuse",
      "Cannot use evidence: it did not come from verifyEvidence",
      {
        hint: "Pass the value that verifyEvidence returned, not a copy of it.",
      },
    );
  }
}
