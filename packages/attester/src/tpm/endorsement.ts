// SPDX-License-Identifier: Apache-2.0
// The endorsement key, which says whose TPM this is, and the certificates that its manufacturer left in the TPM. TCG EK
// Credential Profile 2.5, sections 2.2.1.4 (indices) and 2.2.1.5.

import { isZero } from "@adyton/core/bytes";
import { handlesBetween } from "./capability.ts";
import type { Tpm } from "./connection.ts";
import { type CreateKeyOptions, createPrimary, type TpmKey } from "./keys.ts";
import { readNv } from "./nv.ts";
import { type EkKind, ekTemplate, templateWithNonce } from "./templates.ts";

/** A certificate as the TPM holds it; whether it holds is for `verifyEkCertificate` to say. */
export interface EkCertificate {
  readonly index: number;
  /** DER. */
  readonly der: Uint8Array;
}

/** Certificate, nonce and template of the endorsement keys that every PC client has. */
const INDEX: Readonly<Record<EkKind, { readonly nonce: number; readonly template: number }>> = {
  RSA: { nonce: 0x01c00003, template: 0x01c00004 },
  EC: { nonce: 0x01c0000b, template: 0x01c0000c },
};
/** RSA 2048 and P-256, and in the high range RSA 2048, P-256, P-384, P-521, SM2, RSA 3072, RSA 4096. */
const CERTIFICATES: readonly number[] = [
  0x01c00002, 0x01c0000a, 0x01c00012, 0x01c00014, 0x01c00016, 0x01c00018, 0x01c0001a, 0x01c0001c, 0x01c0001e,
];
const SEQUENCE = 0x30;

/**
 * The endorsement key by the TCG's template L-1 (RSA 2048) or L-2 (P-256), or by the manufacturer's where the TPM holds
 * one. Flush it: see `withLoaded`. Throws `TPM_REFUSED`, `INVALID_TPM_RESPONSE`, `TPM_UNSUITABLE`.
 */
export async function createEndorsementKey(
  tpm: Tpm,
  kind: EkKind,
  options: CreateKeyOptions = {},
): Promise<TpmKey> {
  const own = await readNv(tpm, INDEX[kind].template);
  const nonce = own === undefined ? undefined : await readNv(tpm, INDEX[kind].nonce);
  const template =
    own === undefined ? ekTemplate(kind) : nonce === undefined ? own : templateWithNonce(own, nonce);
  return createPrimary(tpm, "endorsement", template, options);
}

/** The certificates of endorsement keys that the TPM holds, by index. Throws as `readNv`. */
export async function readEkCertificates(tpm: Tpm): Promise<EkCertificate[]> {
  const first = CERTIFICATES[0] ?? 0;
  const there = await handlesBetween(tpm, first, CERTIFICATES.at(-1) ?? first);
  const found: EkCertificate[] = [];
  for (const index of CERTIFICATES.filter((each) => there.includes(each))) {
    const bytes = await readNv(tpm, index);
    if (bytes !== undefined) found.push({ index, der: withoutFill(bytes) });
  }
  return found;
}

/** Indices may be larger than what they hold: zeros or ones behind the certificate are fill. */
export function withoutFill(bytes: Uint8Array): Uint8Array {
  // Certificates have between 256 and 65535 bytes: DER gives their length in two.
  if (bytes.length < 4 || bytes[0] !== SEQUENCE || bytes[1] !== 0x82) return bytes;
  const end = 4 + (((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0));
  const fill = bytes.subarray(end);
  return isZero(fill) || fill.every((byte) => byte === 0xff) ? bytes.subarray(0, end) : bytes;
}
