// SPDX-License-Identifier: Apache-2.0
import { fromHex } from "@adyton/core/bytes";
import { fixtureBytes, fixtureText, hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { encodeQuote, parseQuote } from "./evidence.ts";

const QUOTES = [
  "sgx/dcap-qvl/sgx_quote",
  "sgx/automata/quotev3.hex",
  "sgx/intel-qvl-sample/quote.dat",
  "tdx/intel-qvl-sample/quote.dat",
  "tdx/dcap-qvl/tdx_quote",
  "tdx/dcap-qvl/tdx-quote.hex",
  "tdx/dcap-qvl/quote-from-tappd.hex",
  "tdx/dcap-qvl/tdx_quote_outdated",
  "tdx/go-tdx-guest/quote_v5_sample.dat",
  "tdx/go-tdx-guest/tdx_prod_quote_SPR_E4.dat",
  "tdx/automata/quotev4.hex",
  "tdx/automata/quotev5.dat",
  "tdx/dcap-rs/quote_tdx_00806f050000.dat",
  "tdx/trustee/tdx_quote_4.dat",
  "tdx/trustee/tdx_quote_5.dat",
];

async function quoteBytes(path: string): Promise<Uint8Array> {
  if (!path.endsWith(".hex")) return fixtureBytes(path);
  return fromHex((await fixtureText(path)).trim().replace(/^0x/, ""));
}

describe.skipIf(!hasFixtures)("real quotes", () => {
  it.each(QUOTES)("%s: encoding what was parsed gives the same bytes", async (path) => {
    const bytes = await quoteBytes(path);
    expect(encodeQuote(parseQuote(bytes))).toEqual(bytes);
  });
});
