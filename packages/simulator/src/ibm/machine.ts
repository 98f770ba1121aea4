// SPDX-License-Identifier: Apache-2.0
// A simulated machine with an ultravisor: it unwraps requests with its host key and measures what its guest runs.

import { type Bytes, concat, fromBase64 } from "@adyton/core/bytes";
import type { CryptoProvider } from "@adyton/core/crypto";
import { isJsonObject, type JsonValue } from "@adyton/core/json";
import type { Certificate } from "@adyton/core/x509";
import {
  encodeSeEvidence,
  hasSeFlag,
  openSeRequest,
  parseSeExchangeRequest,
  parseSeHeader,
  parseSeRequest,
  parseSeTags,
  phkhOf,
  SE_FLAGS,
  type SeHeaderTags,
  type SeMeasured,
  type SeResponse,
  seMeasurement,
  unwrapProtectionKey,
} from "@adyton/evidence/se";
import type { Authority } from "../intel/authority.ts";

/** What a guest attests, and what the answer says otherwise than the machine would. */
export interface SeAttestOptions {
  /** At most 256 bytes. */
  readonly userData?: Uint8Array;
  /** Of the running guest, 16 bytes. Default: random. */
  readonly cuid?: Uint8Array;
  /** What the ultravisor adds, instead. */
  readonly additional?: Uint8Array;
  /** Measured instead of the image that runs. */
  readonly measuredTags?: SeHeaderTags;
  /** Computes the measurement, instead of the request's. */
  readonly measurementKey?: Uint8Array;
}

export interface SeMachine {
  /** The host-key document. */
  readonly document: Certificate;
  /** The public host key hash. */
  readonly phkh: Uint8Array;
  /** Answers a request in pvattest's exchange format, for a guest of the image with this header. */
  exchange(request: Uint8Array, header: Uint8Array, options?: SeAttestOptions): Promise<Bytes>;
  /** Answers a challenge of Confidential Containers, as their attester does: a SeAttestationResponse. */
  respond(challenge: JsonValue, options?: SeAttestOptions): Promise<Bytes>;
}

/** Bytes of what is added on request. */
const SECRET_STORE = 64;
const FIRMWARE = 320;

/** The machine with this host key. */
export async function createSeMachine(host: Authority, crypto: CryptoProvider): Promise<SeMachine> {
  const phkh = await phkhOf(host.key.publicKey.spki, crypto);

  const answer = async (
    request: Uint8Array,
    tags: SeHeaderTags,
    options: SeAttestOptions,
  ): Promise<Omit<SeMeasured, "tags" | "nonce"> & { readonly measurement: Bytes }> => {
    const { flags } = parseSeRequest(request);
    const secrets = await openSeRequest(request, await unwrapProtectionKey(request, host.key, crypto));
    const additional =
      options.additional ??
      concat(
        ...(
          [
            [SE_FLAGS.imagePhkh, phkh],
            [SE_FLAGS.attestationPhkh, phkh],
            [SE_FLAGS.secretStoreHash, new Uint8Array(SECRET_STORE).fill(3)],
            [SE_FLAGS.firmwareState, new Uint8Array(FIRMWARE).fill(4)],
          ] as const
        ).map(([flag, value]) => (hasSeFlag(flags, flag) ? value : new Uint8Array())),
      );
    const { userData = new Uint8Array(), cuid = crypto.randomBytes(16) } = options;
    const measured = { cuid, userData, additional };
    const key = options.measurementKey ?? secrets.measurementKey;
    const measurement = await seMeasurement(key, {
      ...measured,
      tags: options.measuredTags ?? tags,
      nonce: secrets.nonce,
    });
    return { ...measured, measurement };
  };

  return {
    document: host.certificate,
    phkh,
    exchange: async (bytes, header, options = {}) => {
      const { request } = parseSeExchangeRequest(bytes);
      return encodeSeEvidence({
        form: "exchange",
        request,
        ...(await answer(request, parseSeHeader(header), options)),
      });
    },
    respond: async (challenge, options = {}) => {
      const tags = parseSeTags(member(challenge, "image_hdr_tags"));
      const response: SeResponse = {
        form: "response",
        ...(await answer(member(challenge, "request_blob"), tags, options)),
        sealedMeasurementKey: member(challenge, "encr_measurement_key"),
        sealedNonce: member(challenge, "encr_request_nonce"),
        tags,
      };
      return encodeSeEvidence(response);
    },
  };
}

function member(challenge: JsonValue, name: string): Bytes {
  const text = isJsonObject(challenge) ? challenge[name] : undefined;
  if (typeof text !== "string") throw new TypeError(`respond: the challenge has no ${name}`);
  return fromBase64(text);
}
