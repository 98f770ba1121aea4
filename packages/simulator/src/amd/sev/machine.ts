// SPDX-License-Identifier: Apache-2.0
// A simulated machine with SEV: a CEK of its chip, an owner's OCA, PEK and PDH, and the firmware's side of launches.

import { type Bytes, concat } from "@adyton/core/bytes";
import type { CryptoProvider, PrivateKey } from "@adyton/core/crypto";
import {
  encodeSevReport,
  encodeSevReportBody,
  measureSevLaunch,
  parseSevPlatformCertificate,
  parseSevSession,
  type SevAlgorithm,
  type SevCurve,
  type SevLaunch,
  type SevReportFields,
  type SevSecret,
  type SevSecretPacket,
  type SevSession,
  sevSpkiOf,
  unpackSevSecrets,
  unwrapSevSession,
} from "@adyton/evidence/sev";
import {
  certifySevPlatform,
  rsaAlgorithmOf,
  type SevCaAuthority,
  type SevPlatformAuthority,
  type SevPlatformChange,
  signEc,
} from "./keys.ts";

export interface SevMachineOptions {
  /** Of the firmware. Default: API 1.55, build 22. */
  readonly apiMajor?: number;
  readonly apiMinor?: number;
  readonly build?: number;
  /** Of all of its keys. Default: P-384 and ECDSA with SHA-256, as machines have. */
  readonly curve?: SevCurve;
  readonly hash?: "SHA256" | "SHA384";
  readonly cek?: SevPlatformChange;
  readonly oca?: SevPlatformChange;
  readonly pek?: SevPlatformChange;
  readonly pdh?: SevPlatformChange;
}

/** What a report says otherwise than usual, and who signs it. */
export interface SevReportOptions extends Partial<Omit<SevReportFields, "signature">> {
  /** Signs instead of the PEK. */
  readonly key?: PrivateKey;
}

export interface SevMachine {
  readonly cek: SevPlatformAuthority;
  readonly oca: SevPlatformAuthority;
  readonly pek: SevPlatformAuthority;
  readonly pdh: SevPlatformAuthority;
  /** PDH, PEK, OCA and CEK, in the order in which sevctl exports them. */
  readonly certificates: readonly Bytes[];
  /** What its firmware says of itself in measurements. */
  readonly firmware: Pick<SevLaunch, "apiMajor" | "apiMinor" | "build">;
  /** The ATTESTATION command: 208 bytes. */
  report(options?: SevReportOptions): Promise<Bytes>;
  /** A report followed by PEK, CEK and OCA, as attestation-evidence-broker sends it. */
  evidence(options?: SevReportOptions): Promise<Bytes>;
  /** LAUNCH_START to LAUNCH_MEASURE of a guest with this digest. Throws `SEV_MAC_MISMATCH`. */
  launch(session: Pick<SevSession, "godh" | "blob" | "policy">, launchDigest: Uint8Array): Promise<SevGuest>;
}

/** A launched guest that waits for its secrets. */
export interface SevGuest {
  /** 48 bytes. */
  readonly measurement: Bytes;
  /** LAUNCH_SECRET: what the guest finds in its memory. Throws `SEV_MAC_MISMATCH`. */
  inject(packet: SevSecretPacket): Promise<SevSecret[]>;
  /** The ATTESTATION command for this guest. */
  report(mnonce: Uint8Array): Promise<Bytes>;
}

/** NODBG, NOKS, ES, NOSEND: what an owner who trusts nobody asks for. */
const STRICT_POLICY = 0x0f;

/** Certifies a machine's keys. */
export async function createSevMachine(
  options: SevMachineOptions,
  ask: SevCaAuthority,
  crypto: CryptoProvider,
): Promise<SevMachine> {
  const { apiMajor = 1, apiMinor = 55, build = 22, curve = "P-384", hash = "SHA256" } = options;
  const signing: SevAlgorithm = `ECDSA-${hash}`;
  const usual = { apiMajor, apiMinor, curve, algorithm: signing };
  const cek = await certifySevPlatform(
    { ...usual, usage: "CEK" },
    () => [{ usage: "ASK", algorithm: rsaAlgorithmOf(ask.key), key: ask.key }],
    options.cek ?? {},
    crypto,
  );
  const oca = await certifySevPlatform(
    { ...usual, usage: "OCA" },
    (key) => [{ usage: "OCA", algorithm: signing, key }],
    options.oca ?? {},
    crypto,
  );
  const pek = await certifySevPlatform(
    { ...usual, usage: "PEK" },
    () => [
      { usage: "OCA", algorithm: oca.algorithm, key: oca.key },
      { usage: "CEK", algorithm: cek.algorithm, key: cek.key },
    ],
    options.pek ?? {},
    crypto,
  );
  const pdh = await certifySevPlatform(
    { ...usual, algorithm: `ECDH-${hash}`, usage: "PDH" },
    () => [{ usage: "PEK", algorithm: pek.algorithm, key: pek.key }],
    options.pdh ?? {},
    crypto,
  );
  const firmware = { apiMajor, apiMinor, build };

  const report: SevMachine["report"] = async (change = {}) => {
    const { key = pek.key, ...said } = change;
    const fields = {
      mnonce: crypto.randomBytes(16),
      launchDigest: new Uint8Array(32).fill(0x3d),
      policy: STRICT_POLICY,
      algorithm: hash === "SHA256" ? ("ECDSA-SHA256" as const) : ("ECDSA-SHA384" as const),
      ...said,
    };
    const { algorithm } = fields;
    const signature = await signEc({ key, algorithm }, encodeSevReportBody(fields));
    return encodeSevReport({ ...fields, signature });
  };
  return {
    cek,
    oca,
    pek,
    pdh,
    certificates: [pdh.certificate, pek.certificate, oca.certificate, cek.certificate],
    firmware,
    report,
    evidence: async (change) =>
      concat(await report(change), pek.certificate, cek.certificate, oca.certificate),
    launch: async ({ godh, blob, policy }, launchDigest) => {
      const owner = await crypto.importPublicKey(sevSpkiOf(parseSevPlatformCertificate(godh)));
      const shared = await crypto.agree(pdh.key, owner);
      const keys = await unwrapSevSession(shared, parseSevSession(blob), policy, crypto);
      const launched: SevLaunch = { ...firmware, policy, launchDigest };
      const measurement = await measureSevLaunch(launched, crypto.randomBytes(16), keys.tik, crypto);
      return {
        measurement,
        inject: (packet) => unpackSevSecrets(packet, keys, measurement, crypto),
        report: (mnonce) => report({ mnonce, launchDigest, policy }),
      };
    },
  };
}
