// SPDX-License-Identifier: Apache-2.0
// A verifier's secrets, sealed to itself: they travel to the guest and back, so that the verifier need not remember them.

import { type Bytes, concat, fromUtf8 } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { unknownSeVersion } from "./refusal.ts";
import type { SeSecrets } from "./request.ts";
import { openBox, sealBox } from "./symmetric.ts";

/** What is sealed. */
export interface SealableSeSecrets {
  readonly secrets: SeSecrets;
  readonly flags: bigint;
  /** The host keys that can read the request. */
  readonly phkhs: readonly Uint8Array[];
}

/** What a verifier sealed to itself. */
export interface OpenedSeSecrets extends SeSecrets {
  readonly flags: bigint;
  /** The host keys that could read the request. */
  readonly phkhs: readonly Uint8Array[];
}

const MEASUREMENT_KEY = 64;
const PHKH = 32;
const HEAD = 10;
const BOX_VERSION = 1;
const KEY_BOX: Bytes = /* @__PURE__ */ fromUtf8("Adyton SE measurement key v1\0");
const NONCE_BOX: Bytes = /* @__PURE__ */ fromUtf8("Adyton SE request nonce v1\0");

/** Secrets as `openSeSecrets` takes them. The two belong together: neither opens beside another. */
export async function sealSeSecrets(
  { secrets, flags, phkhs }: SealableSeSecrets,
  verifierKey: Uint8Array,
): Promise<{ readonly sealedMeasurementKey: Bytes; readonly sealedNonce: Bytes }> {
  const head = new Writer(HEAD)
    .u8(BOX_VERSION)
    .u32be(Number(flags >> 32n))
    .u32be(Number(flags & 0xffffffffn))
    .u8(phkhs.length)
    .finish();
  const plain = concat(head, ...phkhs, secrets.measurementKey);
  const sealedMeasurementKey = await sealBox(verifierKey, KEY_BOX, plain);
  const sealedNonce = await sealBox(
    verifierKey,
    concat(NONCE_BOX, sealedMeasurementKey),
    secrets.nonce ?? new Uint8Array(),
  );
  return { sealedMeasurementKey, sealedNonce };
}

/** Throws `DECRYPTION_FAILED` for boxes that were not sealed together under this key, or `INVALID_SE_EVIDENCE`. */
export async function openSeSecrets(
  sealedMeasurementKey: Uint8Array,
  sealedNonce: Uint8Array,
  verifierKey: Uint8Array,
): Promise<OpenedSeSecrets> {
  const reader = new Reader(await openBox(verifierKey, KEY_BOX, sealedMeasurementKey), "sealed secrets");
  const nonce = await openBox(verifierKey, concat(NONCE_BOX, sealedMeasurementKey), sealedNonce);
  const version = reader.u8("version");
  if (version !== BOX_VERSION) throw unknownSeVersion("sealed secrets", `${version}`, `${BOX_VERSION}`);
  const flags = reader.u64be("flags");
  const phkhs = Array.from({ length: reader.u8("count") }, (_, i) => reader.bytes(PHKH, `host key ${i}`));
  const measurementKey = reader.bytes(MEASUREMENT_KEY, "measurement key");
  reader.end();
  return { flags, phkhs, measurementKey, nonce: nonce.length === 0 ? undefined : nonce };
}
