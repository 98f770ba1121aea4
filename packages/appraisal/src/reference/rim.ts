// SPDX-License-Identifier: Apache-2.0
// Integrity manifests (SWID tags after the TCG's RIM information model, as NVIDIA publishes them): the signature is that of
// the manifest, the ids are Trustee's.

import { toUtf8 } from "@adyton/core/bytes";
import { type Certificate, fingerprintOf } from "@adyton/core/x509";
import { parseRim, type Rim, rimReferenceValues, verifyRim } from "@adyton/evidence/nvidia";
import { referenceStep } from "./step.ts";
import { documentOf, sha256Of, unsigned, type VouchedValue, type Voucher } from "./voucher.ts";

export interface RimReadOptions {
  /** The time to read it for. */
  readonly at: Date;
  /** Roots trusted to sign manifests besides NVIDIA's, which is pinned. */
  readonly roots?: readonly Certificate[];
  /** Also take manifests that nobody signed. Default false. */
  readonly allowUnsigned?: boolean;
}

const SIGNATURE = /<(?:[A-Za-z_][\w.-]*:)?Signature[\s>]/;

/**
 * The values of a manifest. Throws `REFERENCE_UNSIGNED`, and the errors of `verifyRim` and of reading text:
 * `INVALID_RIM`, `INVALID_RIM_SIGNATURE`, `TOO_LARGE`, `INVALID_UTF8` and those about certificates.
 */
export async function readRim(bytes: Uint8Array, options: RimReadOptions): Promise<VouchedValue[]> {
  const { at, roots = [], allowUnsigned = false } = options;
  const received = documentOf(bytes, "integrity manifest");
  const document = await sha256Of(received);
  const text = toUtf8(received);
  // What looks signed has to verify, also where unsigned manifests are taken.
  if (!SIGNATURE.test(text)) {
    if (!allowUnsigned) throw unsigned("integrity manifest");
    const rim = parseRim(text);
    return valuesOf(rim, { kind: "rim", name: rim.manufacturer, document, verified: false });
  }
  const rim = await verifyRim(text, { now: at, roots });
  const voucher: Voucher = {
    kind: "rim",
    name: rim.signer.subject.text,
    keyId: await sha256Of(rim.signer.spki),
    certificate: await fingerprintOf(rim.signer),
    document,
    verified: true,
  };
  return valuesOf(rim, voucher).map((value) => ({ ...value, expires: rim.validUntil }));
}

function valuesOf(rim: Rim, voucher: Voucher): VouchedValue[] {
  return Object.entries(rimReferenceValues(rim)).flatMap(([id, values]) =>
    // The names in it are the vendor's: what an id cannot hold stands encoded.
    values.map((value) => ({ id: referenceStep(id), value, voucher })),
  );
}
