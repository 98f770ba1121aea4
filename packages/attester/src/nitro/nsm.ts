// SPDX-License-Identifier: Apache-2.0
// The Nitro Secure Module: CBOR requests and answers through one ioctl of /dev/nsm (Linux, include/uapi/linux/nsm.h; the
// messages are those of AWS's NSM API).

import { type Bytes, equal } from "@adyton/core/bytes";
import { type CborValue, encodeCbor, isCborMap, parseCbor } from "@adyton/core/cbor";
import { parseNitroDocument } from "@adyton/evidence/nitro";
import { AttesterError } from "../errors.ts";
import { patiently } from "../lib/devices.ts";
import type { DeviceCalls } from "../lib/ioctl.ts";
import { checkSize, invalidOutput, wholeEvidence } from "../lib/report-data.ts";

/** A secure module that answers one request at a time. */
export interface NsmDevice {
  /** The answer to a request, CBOR both. Throws `DEVICE_FAILED`, `DEVICE_BUSY`, `FFI_MISSING`, `INVALID_DEVICE_OUTPUT`. */
  exchange(request: Uint8Array): Promise<Uint8Array>;
}

/** NSM_IOCTL_RAW: _IOWR(0x0A, 0, struct nsm_raw of 32 bytes). */
const NSM_IOCTL_RAW = 0xc0200a00;
/** NSM_RESPONSE_MAX_SIZE. */
const MAX_RESPONSE = 0x3000;
const SOURCE = "the Nitro Secure Module";

/** The module behind a device file. */
export function nsmDevice(
  path: string,
  calls: DeviceCalls,
  wait: (milliseconds: number) => Promise<void>,
): NsmDevice {
  return {
    exchange: (request) =>
      patiently(`ask ${path}`, wait, async () => {
        const response = new Uint8Array(MAX_RESPONSE);
        const argument = [Uint8Array.from(request), BigInt(request.length), response, BigInt(MAX_RESPONSE)];
        const length = (await calls.ioctl(path, NSM_IOCTL_RAW, argument))[3];
        if (length === undefined || length > BigInt(MAX_RESPONSE)) {
          throw invalidOutput(SOURCE, `an answer of ${length} bytes`, `at most ${MAX_RESPONSE}`);
        }
        return response.subarray(0, Number(length));
      }),
  };
}

/** An attestation document with these bytes as its user data. Throws as `exchange`. */
export async function attestationDocument(device: NsmDevice, userData: Uint8Array): Promise<Uint8Array> {
  const document = documentIn(await device.exchange(attestationRequest(userData)));
  checkSize(document, 1, SOURCE);
  const { claims } = wholeEvidence(SOURCE, () => parseNitroDocument(document));
  if (claims.userData === null || !equal(claims.userData, userData)) {
    throw invalidOutput(SOURCE, "a document with other user data", "that of the request");
  }
  return document;
}

function attestationRequest(userData: Uint8Array): Bytes {
  const members = new Map<string, CborValue>([
    ["user_data", userData],
    ["nonce", null],
    ["public_key", null],
  ]);
  return encodeCbor(new Map([["Attestation", members]]));
}

/** The document in `{"Attestation": {"document": bytes}}`. */
function documentIn(response: Uint8Array): Uint8Array {
  const answer = wholeEvidence(SOURCE, () => parseCbor(response, "answer of the Nitro Secure Module"));
  const error = isCborMap(answer) ? answer.get("Error") : undefined;
  if (typeof error === "string") throw refused(error.slice(0, 40));
  const attestation = isCborMap(answer) ? answer.get("Attestation") : undefined;
  const document = isCborMap(attestation) ? attestation.get("document") : undefined;
  if (!(document instanceof Uint8Array)) throw invalidOutput(SOURCE, "another answer", "a document");
  // A copy: what was parsed is a view of the device's buffer.
  return Uint8Array.from(document);
}

function refused(error: string): AttesterError {
  return new AttesterError(
    "DEVICE_FAILED",
    "unavailable",
    `Cannot collect evidence: ${SOURCE} answered ${JSON.stringify(error)}`,
    { detail: { answer: error } },
  );
}
