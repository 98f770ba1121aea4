// SPDX-License-Identifier: Apache-2.0
import { concat, fromHex, toHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { fixtureBytes, fixtureText, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCertification } from "./certification.ts";
import {
  encodeQuote,
  encodeSignedPart,
  INTEL_QE_VENDOR_ID,
  parseQuote,
  parseQuoteHeader,
  type QuoteFields,
} from "./evidence.ts";
import { type EnclaveReport, encodeEnclaveReport, parseEnclaveReport, parseTdReport } from "./reports.ts";

const QUOTES: readonly (readonly [path: string, tee: "sgx" | "tdx", version: number, trailing: number])[] = [
  ["sgx/dcap-qvl/sgx_quote", "sgx", 3, 0],
  ["sgx/automata/quotev3.hex", "sgx", 3, 0],
  ["sgx/intel-qvl-sample/quote.dat", "sgx", 3, 0],
  ["tdx/intel-qvl-sample/quote.dat", "tdx", 4, 0],
  ["tdx/dcap-qvl/tdx_quote", "tdx", 4, 70],
  ["tdx/dcap-qvl/tdx-quote.hex", "tdx", 4, 70],
  ["tdx/dcap-qvl/quote-from-tappd.hex", "tdx", 4, 70],
  ["tdx/dcap-qvl/tdx_quote_outdated", "tdx", 5, 0],
  ["tdx/go-tdx-guest/quote_v5_sample.dat", "tdx", 5, 0],
  ["tdx/go-tdx-guest/tdx_prod_quote_SPR_E4.dat", "tdx", 4, 39],
  ["tdx/automata/quotev4.hex", "tdx", 4, 3065],
  ["tdx/automata/quotev5.dat", "tdx", 5, 0],
  ["tdx/dcap-rs/quote_tdx_00806f050000.dat", "tdx", 4, 3065],
  ["tdx/trustee/tdx_quote_4.dat", "tdx", 4, 0],
  ["tdx/trustee/tdx_quote_5.dat", "tdx", 5, 0],
];

async function quoteBytes(path: string): Promise<Uint8Array> {
  return path.endsWith(".hex")
    ? fromHex((await fixtureText(path)).trim().replace(/^0x/, ""))
    : fixtureBytes(path);
}

/** Runs `parse`; its AdytonError's code, or undefined when it passes. Any other error is a failure of the test. */
function codeOf(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (error instanceof AdytonError) return error.code;
    throw error;
  }
}

const bytes = (length: number): fc.Arbitrary<Uint8Array<ArrayBuffer>> =>
  fc.uint8Array({ minLength: length, maxLength: length }) as fc.Arbitrary<Uint8Array<ArrayBuffer>>;
const anyBytes = fc.uint8Array({ maxLength: 100 });
const u16 = fc.nat(0xffff);

const enclaveReports: fc.Arbitrary<EnclaveReport> = fc.record({
  cpuSvn: bytes(16),
  miscSelect: fc.nat(0xffff_ffff),
  isvExtProdId: bytes(16),
  attributes: bytes(16),
  mrEnclave: bytes(32),
  mrSigner: bytes(32),
  configId: bytes(64),
  isvProdId: u16,
  isvSvn: u16,
  configSvn: u16,
  isvFamilyId: bytes(16),
  reportData: bytes(64),
});

const tdReports = fc.record(
  {
    teeTcbSvn: bytes(16),
    mrSeam: bytes(48),
    mrSignerSeam: bytes(48),
    seamAttributes: bytes(8),
    tdAttributes: bytes(8),
    xfam: bytes(8),
    mrTd: bytes(48),
    mrConfigId: bytes(48),
    mrOwner: bytes(48),
    mrOwnerConfig: bytes(48),
    rtmrs: fc.tuple(bytes(48), bytes(48), bytes(48), bytes(48)),
    reportData: bytes(64),
    td15: fc.record({ teeTcbSvn2: bytes(16), mrServiceTd: bytes(48) }),
  },
  {
    requiredKeys: [
      "teeTcbSvn",
      "mrSeam",
      "mrSignerSeam",
      "seamAttributes",
      "tdAttributes",
      "xfam",
      "mrTd",
      "mrConfigId",
      "mrOwner",
      "mrOwnerConfig",
      "rtmrs",
      "reportData",
    ],
  },
);

/** Quotes of every version and body that go together. */
const quotes: fc.Arbitrary<QuoteFields> = fc
  .record({
    version: fc.constantFrom(3, 4, 5) as fc.Arbitrary<3 | 4 | 5>,
    td: fc.boolean(),
    enclave: enclaveReports,
    tdReport: tdReports,
    header: fc.record({ qeSvn: u16, pceSvn: u16, qeVendorId: bytes(16), userData: bytes(20) }),
    rest: fc.record({
      signature: bytes(64),
      attestationKey: bytes(64),
      qeReport: enclaveReports,
      qeReportSignature: bytes(64),
      qeAuthData: anyBytes,
      certification: fc.record({ type: u16, data: anyBytes }),
      trailing: anyBytes,
    }),
  })
  .map(({ version, td, enclave, tdReport, header, rest }): QuoteFields => {
    const { td15, ...td10 } = tdReport;
    const tdx = td && version > 3;
    const report = version === 5 && td15 !== undefined ? { ...td10, td15 } : td10;
    return {
      header: { ...header, version, attestationKeyType: 2, teeType: tdx ? 0x81 : 0 },
      body: tdx ? { tee: "tdx", report } : { tee: "sgx", report: enclave },
      ...rest,
    };
  });

describe("the quote's layout", () => {
  it("parses what it encoded", () => {
    fc.assert(
      fc.property(quotes, (quote) => {
        const { signedPart, signedQeReport, ...fields } = parseQuote(encodeQuote(quote));
        expect(fields).toEqual(quote);
        expect(signedPart).toEqual(encodeSignedPart(quote));
        expect(signedQeReport).toEqual(encodeEnclaveReport(quote.qeReport));
      }),
    );
  });

  it("answers any bytes with a quote or a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (input) => void codeOf(() => parseQuote(input))),
    );
  });

  it("answers any change of a few bytes with a quote or a typed error", () => {
    fc.assert(
      fc.property(quotes, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), (quote, changes) => {
        const encoded = encodeQuote(quote);
        for (const [at, value] of changes) encoded[at % encoded.length] = value;
        codeOf(() => parseQuote(encoded));
      }),
    );
  });

  const header = (version: number, keyType: number, teeType: number): Uint8Array =>
    concat(
      Uint8Array.of(version, version >> 8, keyType, 0, teeType, 0, 0, 0, 0, 0, 0, 0),
      INTEL_QE_VENDOR_ID,
      new Uint8Array(20),
    );
  it.each([
    ["version 2", header(2, 2, 0), "UNSUPPORTED_QUOTE_FORMAT"],
    ["version 6", header(6, 2, 0), "UNSUPPORTED_QUOTE_FORMAT"],
    ["version 3 with bits in its high byte", header(0x103, 2, 0), "UNSUPPORTED_QUOTE_FORMAT"],
    ["TDX in version 3", header(3, 2, 0x81), "UNSUPPORTED_QUOTE_FORMAT"],
    ["a TEE type nobody has", header(4, 2, 0x82), "UNSUPPORTED_QUOTE_FORMAT"],
    ["an EPID key", header(3, 0, 0), "UNSUPPORTED_QUOTE_FORMAT"],
    ["a P-384 key", header(4, 3, 0x81), "UNSUPPORTED_QUOTE_FORMAT"],
    ["a header cut short", header(4, 2, 0x81).subarray(0, 47), "OUT_OF_BOUNDS"],
    ["version 3 for SGX", header(3, 2, 0), undefined],
    ["version 5 for TDX", header(5, 2, 0x81), undefined],
  ])("header: %s", (_, input, code) => {
    expect(codeOf(() => parseQuoteHeader(input))).toBe(code);
  });

  const descriptor = (teeType: number, type: number, size: number): Uint8Array =>
    concat(header(5, 2, teeType), Uint8Array.of(type, 0, size, size >> 8, 0, 0), new Uint8Array(2000));
  it.each([
    ["TD 1.0 with the size of TD 1.5", descriptor(0x81, 2, 648)],
    ["TD 1.5 with the size of TD 1.0", descriptor(0x81, 3, 584)],
    ["a type nobody has", descriptor(0x81, 4, 648)],
    ["an enclave in a TDX quote", descriptor(0x81, 1, 384)],
    ["a TD in an SGX quote", descriptor(0, 2, 584)],
  ])("version 5 body: %s", (_, input) => {
    expect(codeOf(() => parseQuote(input))).toBe("UNSUPPORTED_QUOTE_FORMAT");
  });

  it("refuses to encode a body that the version lacks", () => {
    fc.assert(
      fc.property(quotes, (quote) => {
        fc.pre(quote.body.tee === "tdx");
        const header = { ...quote.header, version: 3 as const };
        expect(codeOf(() => encodeQuote({ ...quote, header }))).toBe("UNSUPPORTED_QUOTE_FORMAT");
      }),
    );
  });

  it("refuses fields of a wrong size", () => {
    fc.assert(
      fc.property(
        quotes,
        fc.constantFrom("signature", "attestationKey", "qeReportSignature"),
        (quote, field) => {
          expect(codeOf(() => encodeQuote({ ...quote, [field]: new Uint8Array(63) }))).toBe("OUT_OF_BOUNDS");
        },
      ),
    );
  });

  it("refuses an input beyond its bound", () => {
    expect(codeOf(() => parseQuote(new Uint8Array(1024 * 1024 + 1)))).toBe("UNSUPPORTED_QUOTE_FORMAT");
  });

  it("keeps reserved areas of enclave reports that are not zero", () => {
    fc.assert(
      fc.property(bytes(384), (input) => {
        expect(encodeEnclaveReport(parseEnclaveReport(input))).toEqual(input);
      }),
    );
  });

  it.each([583, 585, 647, 649])("refuses a TD report body of %i bytes", (size) => {
    expect(["OUT_OF_BOUNDS", "TRAILING_BYTES"]).toContain(codeOf(() => parseTdReport(new Uint8Array(size))));
  });
});

describe("certification data", () => {
  it.each([
    [1, 16, false],
    [2, 256, true],
    [3, 384, true],
  ])("type %i names the platform by %i bytes", (type, size, encrypted) => {
    const data = concat(new Uint8Array(size).fill(1), new Uint8Array(16).fill(2), Uint8Array.of(3, 0, 4, 0));
    expect(parseCertification({ type, data })).toEqual({
      kind: "platform",
      encrypted,
      ppid: data.subarray(0, size),
      cpuSvn: data.subarray(size, size + 16),
      pceSvn: 3,
      pceId: 4,
    });
    const short = parseCertification({ type, data: data.subarray(0, -2) });
    expect(short.kind === "platform" && short.pceId).toBe(undefined);
    expect(codeOf(() => parseCertification({ type, data: data.subarray(0, -1) }))).toBe("OUT_OF_BOUNDS");
    expect(codeOf(() => parseCertification({ type, data: concat(data, Uint8Array.of(0)) }))).toBe(
      "TRAILING_BYTES",
    );
  });

  it.each([0, 6, 8, 0xffff])("type %i is refused", (type) => {
    expect(codeOf(() => parseCertification({ type, data: new Uint8Array(0) }))).toBe(
      "UNSUPPORTED_CERT_FORMAT",
    );
  });

  it("type 7 is a platform manifest", () => {
    expect(parseCertification({ type: 7, data: Uint8Array.of(1) }).kind).toBe("manifest");
  });

  it("answers any data with a typed error or certification", () => {
    fc.assert(
      fc.property(fc.nat(8), anyBytes, (type, data) => void codeOf(() => parseCertification({ type, data }))),
    );
  });
});

describe.skipIf(!hasFixtures)("real quotes", () => {
  it.each(QUOTES)(
    "%s: encoding what was parsed gives the same bytes",
    async (path, tee, version, trailing) => {
      const input = await quoteBytes(path);
      const quote = parseQuote(input);
      expect(quote.body.tee).toBe(tee);
      expect(quote.header.version).toBe(version);
      expect(toHex(quote.header.qeVendorId)).toBe(toHex(INTEL_QE_VENDOR_ID));
      expect(quote.trailing).toHaveLength(trailing);
      expect(encodeQuote(quote)).toEqual(input);
    },
  );

  it.each(QUOTES)("%s: every prefix is refused", async (path, _tee, _version, trailing) => {
    const input = await quoteBytes(path);
    const codes = new Set<string | undefined>();
    for (let length = 0; length < input.length - trailing; length++) {
      codes.add(codeOf(() => parseQuote(input.subarray(0, length))));
    }
    expect([...codes]).toEqual(["OUT_OF_BOUNDS"]);
  });

  it("a length that leaves bytes over is refused", async () => {
    const quote = parseQuote(await quoteBytes("tdx/dcap-qvl/tdx_quote_outdated"));
    const input = encodeQuote(quote);
    const offset = quote.signedPart.length;
    const auth = new DataView(input.buffer).getUint32(offset, true);
    const longer = concat(input, new Uint8Array(1));
    new DataView(longer.buffer).setUint32(offset, auth + 1, true);
    expect(codeOf(() => parseQuote(longer))).toBe("TRAILING_BYTES");
  });
});
