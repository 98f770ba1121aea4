// SPDX-License-Identifier: Apache-2.0
// The certificates of NVIDIA's devices: which root, which chip, and the digest of the firmware that a key was made for.

import { equal } from "@adyton/core/bytes";
import { type DerValue, parseDer, TAG } from "@adyton/core/der";
import { AdytonError } from "@adyton/core/errors";
import type { Certificate } from "@adyton/core/x509";
import { EvidenceError } from "../errors.ts";
import { refusal } from "./refusal.ts";

/** SHA-256 of the certificates that NVIDIA publishes as roots: "NVIDIA Device Identity CA", P-384. */
export const NVIDIA_DEVICE_ROOTS: ReadonlySet<string> = new Set([
  "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48",
]);

/** tcg-dice-TcbInfo (TCG DICE Attestation Architecture 1.1, section 6.1). */
export const DICE_TCB_INFO = "2.23.133.5.4.1";
const SHA_384 = "2.16.840.1.101.3.4.2.2";
const FWID_SIZE = 48;
/** fwids [6] of DiceTcbInfo. */
const FWIDS = 0xa6;
const SERIAL_NUMBER = "2.5.4.5";

/** What sort of device answers. */
export type NvidiaDeviceKind = "gpu" | "switch";

export interface NvidiaChip {
  /** As the certificates write it: GH100. */
  readonly chip: string;
  /** NVIDIA's name of the architecture, as Trustee writes it. */
  readonly arch: "Hopper" | "Blackwell" | "LS10";
  readonly kind: NvidiaDeviceKind;
}

const CHIPS: readonly (readonly [RegExp, NvidiaChip["arch"], NvidiaDeviceKind])[] = [
  [/^GH\d{3}$/, "Hopper", "gpu"],
  [/^GB\d{3}$/, "Blackwell", "gpu"],
  [/^LS10$/, "LS10", "switch"],
];
const CHIP_IN_NAME = /\b(GH\d{3}|GB\d{3}|LS10)\b/;

/** Whether the certificate is one for a firmware's signing key. */
export function isFirmwareCertificate(certificate: Certificate): boolean {
  return certificate.extensions.has(DICE_TCB_INFO);
}

/**
 * SHA-384 of the firmware that the certificate's key was made for. The extension holds either the CompositeDeviceID
 * `{version, deviceID, fwid}` of NVIDIA's GPUs or a DiceTcbInfo; either way, exactly one digest.
 * Throws `INVALID_NVIDIA_CERTIFICATE`.
 */
export function firmwareIdOf(certificate: Certificate): Uint8Array {
  const extension = certificate.extensions.get(DICE_TCB_INFO);
  if (extension === undefined) throw invalidCertificate(certificate, "it names no firmware digest");
  try {
    const parts = parseDer(extension.value, "firmware digest extension").sequence();
    const composite = parts[0]?.is(TAG.INTEGER) === true;
    const found = composite ? parts.slice(2) : (parts.find((part) => part.is(FWIDS))?.elements(FWIDS) ?? []);
    const [fwid, ...more] = found;
    if (fwid === undefined || more.length > 0) {
      throw invalidCertificate(certificate, `it names ${found.length} firmware digests, expected 1`);
    }
    const [algorithm, digest] = fwid.sequence(2) as [DerValue, DerValue];
    const id = digest.octetString();
    if (algorithm.oid() !== SHA_384 || id.length !== FWID_SIZE) {
      throw invalidCertificate(certificate, "its firmware digest is not SHA-384");
    }
    return id;
  } catch (cause) {
    if (!(cause instanceof AdytonError) || cause instanceof EvidenceError) throw cause;
    throw invalidCertificate(certificate, `its firmware digest is malformed. ${cause.message}`);
  }
}

/**
 * The chip that a verified chain (leaf first) was issued for. Every name in it that names a chip must name the same one.
 * Throws `UNKNOWN_PRODUCT` or `PRODUCT_MISMATCH`.
 */
export function chipOf(chain: readonly Certificate[]): NvidiaChip {
  const named = chain.flatMap(({ subject }) => CHIP_IN_NAME.exec(subject.commonName ?? "")?.[1] ?? []);
  const [chip] = named;
  const known = CHIPS.find(([pattern]) => chip !== undefined && pattern.test(chip));
  if (chip === undefined || known === undefined) {
    const leaf = chain[0]?.subject.text ?? "nothing";
    throw refusal("UNKNOWN_PRODUCT", `its certificates name no known chip: ${leaf}`, { subject: leaf });
  }
  if (named.some((other) => other !== chip)) {
    throw refusal("PRODUCT_MISMATCH", `its certificates name several chips: ${named.join(", ")}`, { named });
  }
  const [, arch, kind] = known;
  return { chip, arch, kind };
}

/** The serial number in the certificate's subject: which key of which device it is. Undefined where there is none. */
export function deviceSerialOf(certificate: Certificate): string | undefined {
  for (const set of parseDer(certificate.subject.der, "subject").sequence()) {
    for (const pair of set.elements(TAG.SET)) {
      const [type, value] = pair.sequence(2) as [DerValue, DerValue];
      if (type.oid() === SERIAL_NUMBER) return value.string();
    }
  }
  return undefined;
}

/** Each certificate once. */
export function withoutTwins(certificates: readonly Certificate[]): Certificate[] {
  return certificates.filter(
    (certificate, index) => certificates.findIndex((twin) => equal(twin.der, certificate.der)) === index,
  );
}

function invalidCertificate(certificate: Certificate, why: string): EvidenceError {
  return new EvidenceError(
    "INVALID_NVIDIA_CERTIFICATE",
    "not-authentic",
    `Cannot use certificate ${certificate.subject.text}: ${why}`,
    { detail: { subject: certificate.subject.text } },
  );
}
