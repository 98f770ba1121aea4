// SPDX-License-Identifier: Apache-2.0
// The seam between the house and a TEE: one Scheme per TEE, in its vendor's folder, and one line in registry.ts.

import type { CryptoProvider, HashName, VerifyingCrypto } from "@adyton/core/crypto";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import type { Certificate } from "@adyton/core/x509";
import type { Endorsements } from "./bag.ts";
import type { VerificationCache } from "./cache.ts";
import type { Envelope, TeeName } from "./envelope.ts";
import type { VerifiedEvidence, Warning } from "./verified.ts";

export interface VerifyOptions {
  /** The time to verify for. Verification never reads a clock. */
  readonly now: Date;
  /** Certificates, CRLs and signed documents. Verification never touches the network. */
  readonly endorsements?: Endorsements;
  /** Roots that the caller trusts besides the vendors' pinned ones. What they anchor is reported as `simulated`. */
  readonly roots?: readonly Certificate[];
  /**
   * Anchors that are no X.509 certificates: vendor certificates and keys in this bag are trusted by themselves, as
   * `roots` are, because the caller named them. Its other members mean nothing here.
   */
  readonly anchors?: Endorsements;
  /** Expected report data, at most the TEE's width; shorter values are zero-padded on the right. */
  readonly reportData?: Uint8Array;
  /** Without a valid revocation list from the vendor, refuse (AMD; Intel always requires them). */
  readonly requireRevocation?: boolean;
  /** Registers that an event log must explain, by its index. Default: all that it has events for. */
  readonly eventLogRegisters?: readonly number[];
  /**
   * Keys that only this verifier has, for TEEs whose evidence answers a request that it encrypted (IBM SE). Secret: never
   * logged, never in a bag.
   */
  readonly verifierKeys?: readonly Uint8Array[];
  /** Keeps verified chains and documents between calls; see `createCache`. */
  readonly cache?: VerificationCache;
  readonly crypto?: VerifyingCrypto;
}

export interface EvidenceRequestOptions
  extends Pick<VerifyOptions, "now" | "endorsements" | "roots" | "anchors" | "cache"> {
  readonly crypto: CryptoProvider;
}

/** What a verifier asks of a TEE whose evidence answers a request of the verifier's, not just a nonce. */
export interface EvidenceRequest {
  /** Stands in the nonce's place in the Confidential Containers protocol, and is bound like one. */
  readonly nonce: string;
  /** What the answer has to be verified with: see `VerifyOptions`. Secret, and good for this answer alone. */
  readonly verifierKeys: readonly Uint8Array[];
  /** What was left out of the request, and why. */
  readonly warnings: readonly Warning[];
}

export interface Scheme {
  readonly tee: TeeName;
  /** For people: "Intel SGX quote". */
  readonly title: string;
  /** Bytes of the report data field; absent: 64. A longer digest is cut to this where several TEEs bind it. */
  readonly reportDataWidth?: number;
  /** Makes report data of nonce and key in the Confidential Containers protocol; absent: SHA-384. */
  readonly runtimeDataHash?: HashName;
  /** Whether `evidence` has this TEE's shape. Cheap; never throws. */
  detect(evidence: Uint8Array): boolean;
  /** The claims as they stand, unverified. Throws typed errors on malformed bytes. */
  inspect(evidence: Uint8Array): JsonObject;
  /** Authenticity, step by step. Throws an AdytonError on the first step that fails. */
  verify(evidence: Uint8Array, options: VerifyOptions): Promise<VerifiedEvidence>;
  /** A fresh request, where evidence needs one; absent: a random nonce does. Throws an AdytonError. */
  request?(options: EvidenceRequestOptions): Promise<EvidenceRequest>;
  /** From the TEE's `primary_evidence` JSON in the Confidential Containers protocol. */
  fromKbs(value: JsonValue): Pick<Envelope, "evidence" | "endorsements" | "eventLog">;
  /** To that JSON. */
  toKbs(envelope: Pick<Envelope, "evidence" | "endorsements" | "eventLog">): JsonValue;
  /** Where that JSON may speak of several devices: one JSON for each, as `fromKbs` takes it. */
  split?(value: JsonValue): readonly JsonValue[];
}
