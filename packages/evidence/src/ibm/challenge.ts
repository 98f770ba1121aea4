// SPDX-License-Identifier: Apache-2.0
// Asking a Secure Execution guest for evidence: a request that only verified host keys can read, and the verifier's secrets
// sealed to itself, so that it need not remember them.

import { type Bytes, concat, equal, toBase64 } from "@adyton/core/bytes";
import {
  type CryptoProvider,
  defaultCrypto,
  fieldSize,
  type PrivateKey,
  type PublicKey,
  spkiOfPoint,
} from "@adyton/core/crypto";
import type { JsonObject } from "@adyton/core/json";
import { assertHostKey, coordinatesOf, phkhOf, type VerifiedHostKey } from "./endorsements.ts";
import { SE_MEASUREMENT_SIZE } from "./evidence.ts";
import { encodeSeTags, type SeHeaderTags } from "./header.ts";
import { additionalSizeOf, SE_FLAGS, seFlags } from "./measurement.ts";
import { refuseSe } from "./refusal.ts";
import { parseSeRequest, type SeSecrets, sealSeRequest } from "./request.ts";
import { sealSeSecrets } from "./secrets.ts";
import { openGcm, sealGcm } from "./symmetric.ts";

export interface SeRequestOptions {
  /** Who may read it: keys from `verifyHostKeyDocument`. */
  readonly hostKeys: readonly VerifiedHostKey[];
  /** What the ultravisor adds besides the two host key hashes, which it always does. */
  readonly ask?: readonly ("secretStoreHash" | "firmwareState")[];
  readonly crypto?: CryptoProvider;
}

/** A request and what its maker keeps. Everything but `request` and the sizes is secret. */
export interface MadeSeRequest {
  readonly request: Bytes;
  readonly measurementSize: number;
  readonly additionalSize: number;
  /** 32 bytes: opens the request when it comes back. Secret. */
  readonly protectionKey: Bytes;
  /** Secret. */
  readonly secrets: SeSecrets;
  readonly flags: bigint;
  readonly phkhs: readonly Uint8Array[];
}

const PROTECTION_KEY = 32;
const MEASUREMENT_KEY = 64;
const NONCE = 16;
const IV = 12;
const COORDINATE = 80;
/** The counter of the one-block key derivation (SP 800-56A section 5.8.1). */
const COUNTER = Uint8Array.of(0, 0, 0, 1);

/**
 * Makes a request with fresh keys: a nonce is always used, and both host key hashes are asked for. Throws
 * `NOT_VERIFIED` for a host key that nobody verified, or `INVALID_SE_EVIDENCE` for none or more than 255.
 */
export async function createSeRequest(options: SeRequestOptions): Promise<MadeSeRequest> {
  const { hostKeys, ask = [], crypto = defaultCrypto } = options;
  hostKeys.forEach(assertHostKey);
  const flags = seFlags(
    ...(["nonce", "imagePhkh", "attestationPhkh", ...ask] as const).map((name) => SE_FLAGS[name]),
  );
  const protectionKey = crypto.randomBytes(PROTECTION_KEY);
  const secrets = {
    measurementKey: crypto.randomBytes(MEASUREMENT_KEY),
    nonce: crypto.randomBytes(NONCE),
  };
  const customer = await crypto.generateKey({ name: "EC", curve: "P-521" });
  const slots = [];
  for (const { phkh, document } of hostKeys) {
    const key = await slotKey(customer, await crypto.importPublicKey(document.spki), crypto);
    slots.push({ phkh, wrapped: await sealGcm(key, new Uint8Array(IV), new Uint8Array(), protectionKey) });
  }
  const customerKey = coordinatesOf(customer.publicKey.spki);
  const iv = crypto.randomBytes(IV);
  return {
    request: await sealSeRequest({ flags, customerKey, slots, iv }, secrets, protectionKey),
    measurementSize: SE_MEASUREMENT_SIZE,
    additionalSize: additionalSizeOf(flags),
    protectionKey,
    secrets,
    flags,
    phkhs: hostKeys.map(({ phkh }) => phkh),
  };
}

/**
 * The protection key of a request, by a host key: what an ultravisor does, and what shows that a request can be read.
 * Throws `SE_HOST_KEY_MISMATCH` when the request is not for this key, or `DECRYPTION_FAILED`.
 */
export async function unwrapProtectionKey(
  request: Uint8Array,
  hostKey: PrivateKey,
  crypto: CryptoProvider = defaultCrypto,
): Promise<Bytes> {
  const { slots, customerKey } = parseSeRequest(request);
  const phkh = await phkhOf(hostKey.publicKey.spki, crypto);
  const slot = slots.find((each) => equal(each.phkh, phkh));
  if (slot === undefined) throw refuseSe("SE_HOST_KEY_MISMATCH", "the request is not for this host key");
  const size = fieldSize("P-521");
  const [x, y] = [COORDINATE - size, 2 * COORDINATE - size].map((at) => customerKey.subarray(at, at + size));
  const point = concat(x ?? new Uint8Array(), y ?? new Uint8Array());
  const customer = await crypto.importPublicKey(spkiOfPoint("P-521", point));
  const key = await slotKey(hostKey, customer, crypto);
  return openGcm(key, new Uint8Array(IV), new Uint8Array(), slot.wrapped);
}

/**
 * Confidential Containers' SeAttestationRequest, which is the nonce of its challenge. The secrets travel to the guest and
 * back, sealed under `verifierKey`, 32 bytes that only the verifier has; the guest adds `runtime_data_digest`.
 */
export async function createSeChallenge(
  made: MadeSeRequest,
  tags: SeHeaderTags,
  verifierKey: Uint8Array,
): Promise<JsonObject> {
  const { sealedMeasurementKey, sealedNonce } = await sealSeSecrets(made, verifierKey);
  return {
    request_blob: toBase64(made.request),
    measurement_size: made.measurementSize,
    additional_size: made.additionalSize,
    encr_measurement_key: toBase64(sealedMeasurementKey),
    encr_request_nonce: toBase64(sealedNonce),
    image_hdr_tags: toBase64(encodeSeTags(tags)),
  };
}

/** SHA-256 over the shared x-coordinate and the counter. */
async function slotKey(own: PrivateKey, peer: PublicKey, crypto: CryptoProvider): Promise<Bytes> {
  return crypto.digest("SHA-256", concat(await crypto.agree(own, peer), COUNTER));
}
