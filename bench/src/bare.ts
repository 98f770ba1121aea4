// SPDX-License-Identifier: Apache-2.0
// The bare cryptography of a verification: which signatures it checks is recorded once, then the same checks are
// repeated with node:crypto alone, keys prepared. What a verification costs beyond that is our own doing.

import { constants, createDecipheriv, createHmac, createPublicKey, verify } from "node:crypto";
import { concat, equal } from "@adyton/core/bytes";
import {
  type CryptoProvider,
  defaultCrypto,
  type PublicKey,
  type SignatureAlgorithm,
} from "@adyton/core/crypto";
import { sm2Verify } from "@adyton/core/sm";
import { CSV_USAGE, parseCsvCa, parseCsvCertificate, parseCsvEvidence } from "@adyton/evidence/csv";
import { type MadeSeRequest, parseSeEvidence, parseSeHeader, parseSeRequest } from "@adyton/evidence/se";
import type { BareCheck, Case } from "./case.ts";

interface Check {
  readonly spki: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  readonly data: Uint8Array;
}

export interface Recorder {
  /** To be passed to the verification that is recorded. */
  readonly crypto: CryptoProvider;
  /** Forgets what was recorded. */
  clear(): void;
  /** The recorded checks, for bare cryptography. */
  checks(): BareCheck[];
}

/** Records signature checks made through its provider. */
export function createRecorder(): Recorder {
  let checks: Check[] = [];
  const recording = (key: PublicKey): PublicKey => ({
    ...key,
    verify: (algorithm, signature, data) => {
      checks.push({ spki: key.spki, algorithm, signature, data });
      return key.verify(algorithm, signature, data);
    },
  });
  return {
    crypto: {
      ...defaultCrypto,
      importPublicKey: async (spki) => recording(await defaultCrypto.importPublicKey(spki)),
    },
    clear: () => {
      checks = [];
    },
    checks: () => checks.map(prepare),
  };
}

/** All of these checks and nothing else. Throws when one fails: a refusal must not look fast. */
export function runChecks(checks: readonly BareCheck[]): () => void {
  return () => {
    for (const check of checks) if (!check()) throw new Error("a bare check does not hold");
  };
}

/** SM2, which no provider has: the report by its PEK; cold PEK by CEK, CEK by HSK and HSK by HRK, too. */
export function csvChecks(
  evidence: Uint8Array,
  hrkBytes: Uint8Array,
  hskBytes: Uint8Array,
  cekBytes: Uint8Array,
): NonNullable<Case["bare"]> {
  const { report } = parseCsvEvidence(evidence);
  const [hrk, hsk] = [parseCsvCa(hrkBytes), parseCsvCa(hskBytes)];
  const [cek, pek] = [parseCsvCertificate(cekBytes), parseCsvCertificate(report.signer.pek)];
  const by =
    (
      holder: Pick<typeof hrk, "publicKey" | "userId">,
      signed: Uint8Array,
      signature: Uint8Array,
    ): BareCheck =>
    () =>
      sm2Verify(holder.publicKey, holder.userId, signed, signature);
  const slotOf = ({ slots }: typeof pek, usage: number): Uint8Array =>
    slots.find((slot) => slot.usage === usage)?.signature ?? new Uint8Array();
  const warm = [by(pek, report.signedPart, report.signature)];
  return {
    warm,
    cold: [
      ...warm,
      by(cek, pek.signedPart, slotOf(pek, CSV_USAGE.CEK)),
      by(hsk, cek.signedPart, slotOf(cek, CSV_USAGE.HSK)),
      by(hrk, hsk.signedPart, hsk.signature),
    ],
  };
}

/** Secure Execution's MAC: the request is opened, and the measurement computed with the key in it. */
export function seChecks(
  evidence: Uint8Array,
  header: Uint8Array,
  { request, protectionKey, secrets }: MadeSeRequest,
): BareCheck[] {
  const { iv, sealed } = parseSeRequest(request);
  const head = request.subarray(0, request.length - sealed.length);
  const { pld, ald, tld, tag } = parseSeHeader(header);
  const { cuid, userData, additional, measurement } = parseSeEvidence(evidence);
  const lengths = new DataView(new ArrayBuffer(8));
  lengths.setUint16(0, userData.length);
  lengths.setUint32(4, additional.length);
  const sizes = new Uint8Array(lengths.buffer);
  const nonce = secrets.nonce ?? new Uint8Array();
  const measured = concat(pld, ald, tld, tag, cuid, sizes, userData, nonce, additional);
  const opens: BareCheck = () => {
    const cipher = createDecipheriv("aes-256-gcm", protectionKey, iv);
    cipher.setAAD(head);
    cipher.setAuthTag(sealed.subarray(-16));
    const plain = concat(cipher.update(sealed.subarray(0, -16)), cipher.final());
    return equal(plain.subarray(0, secrets.measurementKey.length), secrets.measurementKey);
  };
  const fits: BareCheck = () =>
    equal(createHmac("sha512", secrets.measurementKey).update(measured).digest(), measurement);
  return [opens, fits];
}

function prepare({ spki, algorithm, signature, data }: Check): () => boolean {
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  const hash = algorithm.name === "Ed25519" ? null : algorithm.hash.replace("-", "").toLowerCase();
  const parameters =
    algorithm.name === "RSA-PSS"
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: algorithm.saltLength }
      : { dsaEncoding: "ieee-p1363" as const };
  return () => verify(hash, data, { key, ...parameters }, signature);
}
