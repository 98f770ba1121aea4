// SPDX-License-Identifier: Apache-2.0
// The simulated Hygon: a root (HRK), a signing key (HSK), and machines with CSV. User ids say "Adyton Simulator".
//
// Faults need no switches: builders take changes, and reports are plain bytes.

import { type CryptoProvider, defaultCrypto } from "@adyton/core/crypto";
import { CSV_CA_KIND, CSV_PLATFORM_KIND } from "@adyton/evidence/csv";
import { type Endorsements, NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import { certifyAuthority, type HygonAuthority, type HygonCaChange, type HygonKey } from "./keys.ts";
import { createHygonPlatform, type HygonPlatform, type HygonPlatformOptions } from "./platform.ts";

export interface HygonVendorOptions {
  readonly crypto?: CryptoProvider;
  readonly hrk?: HygonCaChange;
  readonly hsk?: HygonCaChange;
}

/** A fake Hygon. Nothing it issues chains to Hygon's root, so verifiers take it only where its root is named. */
export interface HygonVendor {
  readonly hrk: HygonAuthority;
  readonly hsk: HygonAuthority;
  /** The HRK as a bag. Name it, and only in tests and demos, as `anchors`. */
  readonly anchors: Endorsements;
  /** A machine with its keys. */
  platform(options?: HygonPlatformOptions): HygonPlatform;
  /** HSK and what else is given, as a bag for verification. */
  endorsements(...more: readonly (HygonKey | HygonAuthority)[]): Endorsements;
}

/** Founds a vendor with fresh keys. */
export function createHygonVendor(options: HygonVendorOptions = {}): HygonVendor {
  const { crypto = defaultCrypto } = options;
  const hrk = certifyAuthority("HRK", undefined, options.hrk ?? {}, crypto);
  const hsk = certifyAuthority("HSK", hrk, options.hsk ?? {}, crypto);
  return {
    hrk,
    hsk,
    anchors: hygonBag(hrk),
    platform: (request = {}) => createHygonPlatform(request, hsk, crypto),
    endorsements: (...more) => hygonBag(hsk, ...more),
  };
}

/** Certificates of Hygon's kinds as a bag. */
export function hygonBag(...items: readonly (HygonKey | HygonAuthority)[]): Endorsements {
  return {
    ...NO_ENDORSEMENTS,
    vendorCertificates: items.map(({ certificate }) => ({
      kind: certificate.role === "HRK" || certificate.role === "HSK" ? CSV_CA_KIND : CSV_PLATFORM_KIND,
      bytes: certificate.bytes,
    })),
  };
}
