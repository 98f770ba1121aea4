// SPDX-License-Identifier: Apache-2.0
// The platform that a guest owner prepares a launch for: its PDH, under its whole chain.

import { equal } from "@adyton/core/bytes";
import { type VerifyingCrypto, verifyingCrypto } from "@adyton/core/crypto";
import { CoreError } from "@adyton/core/errors";
import type { Endorsements } from "../../bag.ts";
import type { VerificationCache } from "../../cache.ts";
import { EvidenceError } from "../../errors.ts";
import {
  missing,
  platforms,
  type SevMaterial,
  sevMaterial,
  signerOf,
  slotSigned,
  type TrustedPek,
  trustPek,
} from "./chain.ts";
import type { SevPlatformCertificate } from "./platform.ts";

declare const brand: unique symbol;

/** A platform whose chain holds, down to the key that launches are prepared for. */
export interface VerifiedSevPlatform extends TrustedPek {
  readonly [brand]: true;
  readonly pdh: SevPlatformCertificate;
}

export interface VerifySevPlatformOptions {
  /** The PDH to verify, 2,084 bytes, when the bag holds several. */
  readonly pdh?: Uint8Array;
  /** Roots trusted besides AMD's, as `VerifyOptions.anchors`. */
  readonly anchors?: Endorsements;
  readonly cache?: VerificationCache;
  readonly crypto?: VerifyingCrypto;
}

const verified = new WeakSet<object>();

/**
 * Verifies the platform whose PDH, PEK, OCA, CEK, ASK and ARK are in the bag. Throws `SEV_CERTIFICATE_MISSING`,
 * `INVALID_SEV_CERTIFICATE` (also when the bag holds several PDHs and none was named), or of `@adyton/core`
 * `CERTIFICATE_SIGNATURE`, `ROOT_NOT_TRUSTED`, `UNSUPPORTED_ALGORITHM`, `INVALID_KEY`.
 */
export async function verifySevPlatform(
  endorsements: Endorsements,
  options: VerifySevPlatformOptions = {},
): Promise<VerifiedSevPlatform> {
  const { anchors, cache, crypto = verifyingCrypto } = options;
  const material = sevMaterial([endorsements], anchors, cache, crypto);
  const pdh = onlyPdh(material, options.pdh);
  if (!pdh.algorithm.startsWith("ECDH")) {
    throw new CoreError(
      "UNSUPPORTED_ALGORITHM",
      "not-authentic",
      `Cannot trust SEV platform: its PDH is for ${pdh.algorithm}, expected ECDH`,
      { detail: { found: pdh.algorithm } },
    );
  }
  const signed = (pek: SevPlatformCertificate): Promise<boolean> => slotSigned(pdh, "PEK", pek, crypto);
  const pek = await signerOf(pdh, platforms(material, "PEK"), signed, "PEK");
  const platform = Object.freeze({ ...(await trustPek(pek, material)), pdh }) as VerifiedSevPlatform;
  verified.add(platform);
  return platform;
}

/** Throws `NOT_VERIFIED` unless `platform` came from `verifySevPlatform` in this process. */
export function assertVerifiedSevPlatform(platform: VerifiedSevPlatform): void {
  if (verified.has(platform)) return;
  throw new EvidenceError(
    "NOT_VERIFIED",
    "misuse",
    "Cannot use SEV platform: it did not come from verifySevPlatform",
    { hint: "Pass the value that verifySevPlatform returned, not a copy of it." },
  );
}

function onlyPdh(material: SevMaterial, named: Uint8Array | undefined): SevPlatformCertificate {
  const all = platforms(material, "PDH").filter(({ bytes }) => named === undefined || equal(bytes, named));
  const [first] = all;
  if (first === undefined) throw missing("PDH");
  if (all.every(({ bytes }) => equal(bytes, first.bytes))) return first;
  throw new EvidenceError(
    "INVALID_SEV_CERTIFICATE",
    "misuse",
    `Cannot verify SEV platform: the endorsements hold ${all.length} PDH certificates, expected one`,
    { detail: { found: all.length }, hint: "Name the PDH, or give one platform's certificates." },
  );
}
