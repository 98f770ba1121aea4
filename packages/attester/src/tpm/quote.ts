// SPDX-License-Identifier: Apache-2.0
// Quotes, with the values that they are about: TPM2_Quote. TPM 2.0 Library 1.59, part 3, section 18.4.

import { concat, equal } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { Reader } from "@adyton/core/cursor";
import {
  ALGORITHM,
  digestOf,
  encodeSized,
  type PcrBank,
  type PcrSelection,
  parseQuoteAttest,
  parseTpmSignature,
  type TpmQuote,
} from "@adyton/evidence/tpm";
import { AttesterError } from "../errors.ts";
import type { Tpm } from "./connection.ts";
import { COMMAND } from "./constants.ts";
import { asResponse, invalidResponse } from "./error.ts";
import { NO_AUTH, type TpmAuthorization, u16 } from "./frame.ts";
import { readSized, type TpmKey } from "./keys.ts";
import { CONFLICT_TRIES, readPcrs } from "./pcr.ts";
import { encodeSelection } from "./selection.ts";

export interface QuoteRequest {
  /** A restricted signing key that the TPM holds. */
  readonly ak: Pick<TpmKey, "handle">;
  readonly authorization?: TpmAuthorization;
  /** The nonce: at most two bytes more than the TPM's longest digest. */
  readonly qualifyingData: Uint8Array;
  readonly selection: readonly PcrSelection[];
}

const NAME = "TPM2_Quote";

/** What the TPM signs, without the PCRs' values. Throws `TPM_REFUSED`, `INVALID_TPM_RESPONSE`. */
export async function quoteOnly(tpm: Tpm, request: QuoteRequest): Promise<Omit<TpmQuote, "pcrs">> {
  const { ak, authorization = NO_AUTH, qualifyingData, selection } = request;
  const { parameters } = await tpm.run({
    name: NAME,
    code: COMMAND.quote,
    handles: [ak.handle],
    authorizations: [authorization],
    // The scheme is the key's own.
    parameters: concat(encodeSized(qualifyingData), u16(ALGORITHM.null), encodeSelection(selection)),
  });
  return parseQuoteResponse(parameters, qualifyingData);
}

/**
 * A quote and the values of the quoted PCRs: again and again until they are of one moment. Throws `REPORT_CONFLICT` when
 * they never are, and as `readPcrs` and `quoteOnly`.
 */
export async function quotePcrs(tpm: Tpm, request: QuoteRequest): Promise<TpmQuote> {
  for (let attempt = 1; attempt <= CONFLICT_TRIES; attempt++) {
    const pcrs = await readPcrs(tpm, request.selection);
    const quote = { ...(await quoteOnly(tpm, request)), pcrs };
    if (await agrees(quote)) return quote;
  }
  throw new AttesterError(
    "REPORT_CONFLICT",
    "unavailable",
    `Cannot collect evidence: others extended PCRs at each of ${CONFLICT_TRIES} tries`,
    { hint: "Try again when less is being measured." },
  );
}

/** The parameters of TPM2_Quote's response, over `qualifyingData`. Throws `INVALID_TPM_RESPONSE`. */
export function parseQuoteResponse(
  parameters: Uint8Array,
  qualifyingData: Uint8Array,
): Omit<TpmQuote, "pcrs"> {
  return asResponse(NAME, () => {
    const reader = new Reader(parameters, NAME);
    const message = readSized(reader, "quoted");
    const signature = parseTpmSignature(reader.rest());
    if (!equal(parseQuoteAttest(message).extraData, qualifyingData)) {
      throw invalidResponse(NAME, "the quote is not over the caller's data");
    }
    return { message, signature };
  });
}

/** Whether the quote is about the values beside it. */
async function agrees({ message, signature, pcrs }: TpmQuote): Promise<boolean> {
  const { selection, pcrDigest } = parseQuoteAttest(message);
  const values = selection.flatMap(({ hash, indices }) => {
    const bank: PcrBank | undefined = pcrs.find((each) => each.hash === hash);
    return indices.map((index) => bank?.values.get(index) ?? new Uint8Array());
  });
  return equal(await digestOf(signature.hash, concat(...values), defaultCrypto), pcrDigest);
}
