// SPDX-License-Identifier: Apache-2.0
// The measurement of a launch: an HMAC by the firmware under the integrity key (TIK) that the guest's owner chose, over
// what was launched. SEV API (55766) section 6.5 (LAUNCH_MEASURE).

import { type Bytes, concat, equalConstantTime } from "@adyton/core/bytes";
import { type CryptoProvider, defaultCrypto } from "@adyton/core/crypto";
import { Writer } from "@adyton/core/cursor";
import { checkTime } from "../../time.ts";
import { seal, type VerifiedEvidence } from "../../verified.ts";
import { sevKeyIdOf } from "./chain.ts";
import { sevLaunchClaims, sevPlatformClaims } from "./claims.ts";
import { SEV_ENDORSEMENTS_USED, sevWarnings } from "./findings.ts";
import { assertVerifiedSevPlatform, type VerifiedSevPlatform } from "./pdh.ts";
import { parseSevPolicy } from "./policy.ts";
import { invalidField, refusal } from "./refusal.ts";
import { checkSevKey } from "./session.ts";
import { explainSevChain } from "./verify.ts";

/** What was launched, and by which firmware. */
export interface SevLaunch {
  /** Of the firmware's API: `sevctl show version`, QEMU's query-sev. */
  readonly apiMajor: number;
  readonly apiMinor: number;
  /** The firmware's build id. */
  readonly build: number;
  /** See `encodeSevPolicy`. */
  readonly policy: number;
  /** 32 bytes, as predicted from the firmware image and what goes with it. */
  readonly launchDigest: Uint8Array;
}

/** What LAUNCH_MEASURE gives. */
export interface SevMeasurement {
  /** 32 bytes: the HMAC. */
  readonly measure: Uint8Array;
  /** 16 bytes, chosen by the firmware. */
  readonly mnonce: Uint8Array;
}

/** Bytes of a measurement. */
export const SEV_MEASUREMENT_SIZE = 48;
const MEASURE = 32;
const CONTEXT = 0x04;

/** Takes the 48 bytes of a measurement apart. Throws `INVALID_SEV_SESSION`. */
export function parseSevMeasurement(bytes: Uint8Array): SevMeasurement {
  if (bytes.length !== SEV_MEASUREMENT_SIZE) {
    const expected = `${SEV_MEASUREMENT_SIZE} bytes`;
    throw invalidField("INVALID_SEV_SESSION", "measurement", "its size", bytes.length, expected);
  }
  return { measure: bytes.subarray(0, MEASURE), mnonce: bytes.subarray(MEASURE) };
}

/** The measurement that the firmware gives for a launch. Throws `INVALID_SEV_SESSION` or `OUT_OF_BOUNDS`. */
export async function measureSevLaunch(
  launch: SevLaunch,
  mnonce: Uint8Array,
  tik: Uint8Array,
  crypto: Pick<CryptoProvider, "hmac"> = defaultCrypto,
): Promise<Bytes> {
  checkSevKey("TIK", tik);
  const text = new Writer(8 + MEASURE + 16)
    .u8(CONTEXT)
    .u8(launch.apiMajor)
    .u8(launch.apiMinor)
    .u8(launch.build)
    .u32le(launch.policy)
    .bytes(launch.launchDigest, 32, "launch digest")
    .bytes(mnonce, 16, "mnonce")
    .finish();
  return concat(await crypto.hmac("SHA-256", tik, text), mnonce);
}

/**
 * Checks that the firmware measured exactly this launch. Throws `SEV_MEASUREMENT_MISMATCH` when anything differs:
 * digest, policy, firmware or key; `INVALID_SEV_SESSION` for another size.
 */
export async function verifyLaunchMeasurement(
  measurement: Uint8Array,
  launch: SevLaunch,
  tik: Uint8Array,
  crypto: Pick<CryptoProvider, "hmac"> = defaultCrypto,
): Promise<void> {
  const { mnonce } = parseSevMeasurement(measurement);
  const expected = await measureSevLaunch(launch, mnonce, tik, crypto);
  if (equalConstantTime(measurement, expected)) return;
  throw refusal("SEV_MEASUREMENT_MISMATCH", "launch", "the firmware measured something else", {
    detail: {
      apiMajor: launch.apiMajor,
      apiMinor: launch.apiMinor,
      build: launch.build,
      policy: launch.policy,
    },
    hint: "Check the launch digest, the policy, the firmware's version and build, and that the TIK is this session's.",
  });
}

export interface VerifySevLaunchOptions {
  readonly now: Date;
  /** The platform that the session was made for: only it could learn the TIK. */
  readonly platform: VerifiedSevPlatform;
  readonly launch: SevLaunch;
  /** The integrity key of the session. */
  readonly tik: Uint8Array;
  readonly crypto?: CryptoProvider;
}

/**
 * Establishes that `platform` launched exactly `launch` in the session of `tik`, and makes it evidence that can be
 * appraised. The TIK must be of a session made for this platform and used once: that, not the nonce, is what makes the
 * measurement fresh. Throws `INVALID_TIME`, `NOT_VERIFIED`, `SEV_MEASUREMENT_MISMATCH` or `INVALID_SEV_SESSION`.
 */
export async function verifySevLaunch(
  measurement: Uint8Array,
  options: VerifySevLaunchOptions,
): Promise<VerifiedEvidence> {
  const { now, platform, launch, tik, crypto = defaultCrypto } = options;
  checkTime(now, "SEV launch");
  assertVerifiedSevPlatform(platform);
  await verifyLaunchMeasurement(measurement, launch, tik, crypto);
  const { mnonce } = parseSevMeasurement(measurement);
  const { apiMajor, apiMinor, build, policy } = launch;
  return seal({
    tee: "sev",
    at: now,
    trust: platform.trust,
    tcb: {
      status: null,
      evaluationNumber: null,
      date: null,
      advisoryIds: [],
      components: { current: { svn: { apiMajor, apiMinor, build } } },
    },
    debug: !parseSevPolicy(policy).nodbg,
    reportData: mnonce,
    device: await sevKeyIdOf(platform.cek, crypto),
    initDataField: null,
    claims: { ...sevLaunchClaims(launch, mnonce), platform: await sevPlatformClaims(platform, crypto) },
    endorsements: SEV_ENDORSEMENTS_USED,
    warnings: sevWarnings(
      platform.trust,
      policy,
      "The measurement binds the owner's session, nothing that the guest chose: no key is attested.",
    ),
    explanation: [
      "The PDH is signed by the PEK.",
      ...explainSevChain(platform),
      "The firmware measured this launch digest under this policy, with the session's integrity key.",
    ],
  });
}
