// SPDX-License-Identifier: Apache-2.0
// What policies see of an SEV guest and its platform. Trustee has no SEV; where its CSV, which descends from SEV, has
// a name, that name is used.

import { toHex } from "@adyton/core/bytes";
import type { VerifyingCrypto } from "@adyton/core/crypto";
import type { JsonObject } from "@adyton/core/json";
import { sevKeyIdOf, type TrustedPek } from "./chain.ts";
import type { SevReport } from "./evidence.ts";
import type { SevLaunch } from "./launch.ts";
import { ALGORITHM, USAGE } from "./numbers.ts";
import { parseSevPolicy } from "./policy.ts";

/** The claims of a report as it stands. */
export function sevReportClaims(report: SevReport): JsonObject {
  return {
    launch_digest: toHex(report.launchDigest),
    policy: policyClaims(report.policy),
    mnonce: toHex(report.mnonce),
    sig_usage: USAGE.PEK,
    sig_algo: ALGORITHM[report.algorithm],
  };
}

/** The claims of a measured launch. */
export function sevLaunchClaims(launch: SevLaunch, mnonce: Uint8Array): JsonObject {
  return {
    launch_digest: toHex(launch.launchDigest),
    policy: policyClaims(launch.policy),
    mnonce: toHex(mnonce),
    api_major: launch.apiMajor,
    api_minor: launch.apiMinor,
    build: launch.build,
  };
}

/** Which platform it is: keys by the SHA-256 of their SubjectPublicKeyInfo; the CEK's is the chip's own. */
export async function sevPlatformClaims(
  { generation, ark, ask, cek, oca, pek }: TrustedPek,
  crypto: VerifyingCrypto,
): Promise<JsonObject> {
  return {
    ...(generation === undefined ? {} : { generation }),
    ark_key_id: toHex(ark.keyId),
    ask_key_id: toHex(ask.keyId),
    cek_spki_sha256: await sevKeyIdOf(cek, crypto),
    oca_spki_sha256: await sevKeyIdOf(oca, crypto),
    pek_spki_sha256: await sevKeyIdOf(pek, crypto),
    pek_api_major: pek.apiMajor,
    pek_api_minor: pek.apiMinor,
  };
}

function policyClaims(word: number): JsonObject {
  const { apiMajor, apiMinor, ...flags } = parseSevPolicy(word);
  return { ...flags, api_major: apiMajor, api_minor: apiMinor };
}
