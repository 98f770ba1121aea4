// SPDX-License-Identifier: Apache-2.0
// What a verifier asks of Secure Execution guests in the Confidential Containers protocol: a request that every host key it
// knows can read, in the nonce's place.

import { canonicalJson } from "@adyton/core/json";
import { NO_ENDORSEMENTS } from "../bag.ts";
import { EvidenceError } from "../errors.ts";
import type { EvidenceRequest, EvidenceRequestOptions } from "../scheme.ts";
import { createSeChallenge, createSeRequest } from "./challenge.ts";
import { parseSeHeader, SE_HEADER_KIND } from "./header.ts";
import { hostKeysAtHand } from "./host-keys.ts";

const VERIFIER_KEY = 32;

/**
 * A challenge for any guest on a machine whose host-key document is at hand and holds now; other documents become
 * warnings. It names the first image whose header is at hand: a guest of another one is told by its measurement.
 * Throws `SE_HEADER_MISSING` without a header, and without a host key `SE_HOST_KEY_MISSING` or why the first is refused.
 */
export async function requestSe(options: EvidenceRequestOptions): Promise<EvidenceRequest> {
  const { now, endorsements = NO_ENDORSEMENTS, roots = [], cache, crypto } = options;
  const { certificates, crls, vendorCertificates = [] } = endorsements;
  const header = vendorCertificates.find(({ kind }) => kind === SE_HEADER_KIND);
  if (header === undefined) {
    throw missing(
      "SE_HEADER_MISSING",
      "no Secure Execution header of an image is at hand",
      "Supply the header, as pvextract-hdr takes it out of the image.",
    );
  }
  const { hostKeys, refused } = await hostKeysAtHand({ now, certificates, crls, roots, cache, crypto });
  if (hostKeys.length === 0) {
    throw (
      refused[0] ??
      missing(
        "SE_HOST_KEY_MISSING",
        "no host-key document is at hand",
        "Supply the host-key document of every machine that the guest may run on.",
      )
    );
  }
  const verifierKey = crypto.randomBytes(VERIFIER_KEY);
  const made = await createSeRequest({ hostKeys, crypto });
  return {
    nonce: canonicalJson(await createSeChallenge(made, parseSeHeader(header.bytes), verifierKey)),
    verifierKeys: [verifierKey],
    warnings: refused.map(({ message }) => ({ code: "HOST_KEY_LEFT_OUT", message })),
  };
}

function missing(
  code: "SE_HEADER_MISSING" | "SE_HOST_KEY_MISSING",
  why: string,
  hint: string,
): EvidenceError {
  return new EvidenceError(code, "endorsements", `Cannot ask for Secure Execution evidence: ${why}`, {
    hint,
  });
}
