// SPDX-License-Identifier: Apache-2.0
// IBM Secure Execution: requests, exchanges, responses, image headers.

import { schemeOf } from "@adyton/evidence";
import * as se from "@adyton/evidence/se";
import { seExchange } from "../simulated.ts";
import { roundTrip, tolerant } from "../tolerant.ts";

const scheme = schemeOf("se");

export function fuzz(data: Uint8Array): void {
  roundTrip(data, se.parseSeRequest, se.encodeSeRequest);
  scheme.detect(data);
  tolerant(
    () => se.parseSeEvidence(data),
    () => se.parseSeExchangeRequest(data),
    () => se.parseSeHeader(data),
    () => se.parseSeTags(data),
    () => se.parseAdditionalData(data, se.seFlags(se.SE_FLAGS.imagePhkh, se.SE_FLAGS.firmwareState)),
    () => scheme.inspect(data),
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const { header, request, exchangeRequest, evidence } = await seExchange();
  return [header, request, exchangeRequest, ...evidence];
}

export const fixtures: readonly string[] = ["ibm-se"];
