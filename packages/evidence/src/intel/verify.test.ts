// SPDX-License-Identifier: Apache-2.0
import { fromHex, toHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { type JsonObject, parseJson } from "@adyton/core/json";
import { type Certificate, parseCertificates } from "@adyton/core/x509";
import { fixtureBytes, fixtureText, hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { createCache } from "../cache.ts";
import { type Endorsements, mergeEndorsements, readEndorsement } from "../endorsements.ts";
import { detectTee, inspectEvidence, verifyEvidence } from "../registry.ts";
import { assertVerified, type Tcb, type VerifiedEvidence } from "../verified.ts";
import { encodeQuote, parseQuote, type Quote, type QuoteFields } from "./evidence.ts";
import { sgx, tdx } from "./scheme.ts";

interface Case {
  readonly path: string;
  readonly at: string;
  readonly endorsements: readonly string[];
  readonly root?: string;
}

const SCHEME = { sgx, tdx } as const;
const GO_15 = [
  "tdx/go-tdx-guest/sample_tcbInfo_response",
  "tdx/go-tdx-guest/sample_qeIdentity_response",
  "tdx/go-tdx-guest/pckcrl",
  "tdx/go-tdx-guest/rootcrl.der",
  "tdx/dcap-rs/signing_cert.pem",
];
const TDX_17 = ["tdx/dcap-qvl/tdx_quote_collateral.json"];
const TDX_18 = ["tdx/dcap-qvl/tdx_quote_outdated_collateral.json"];
const below = (folder: string, ...names: readonly string[]): string[] =>
  names.map((name) => `${folder}/${name}`);

const SGX_PHALA: Case = {
  path: "sgx/dcap-qvl/sgx_quote",
  at: "2025-07-01T00:00:00Z",
  endorsements: ["sgx/dcap-qvl/sgx_quote_collateral.json"],
};
const TDX_PHALA: Case = {
  path: "tdx/dcap-qvl/tdx_quote",
  at: "2025-07-01T00:00:00Z",
  endorsements: TDX_17,
};
const SGX_SAMPLE: Case = {
  path: "sgx/intel-qvl-sample/quote.dat",
  at: "2024-01-01T00:00:00Z",
  endorsements: below(
    "sgx/intel-qvl-sample",
    "pckCert.pem",
    "pckSignChain.pem",
    "intermediateCaCrl.pem",
    "rootCaCrl.der",
    "tcbInfo.json",
    "qeIdentity.json",
    "qveIdentity.json",
    "tcbSignChain.pem",
  ),
  root: "sgx/intel-qvl-sample/trustedRootCaCert.pem",
};

async function quoteOf(path: string): Promise<Uint8Array> {
  if (!path.endsWith(".hex")) return fixtureBytes(path);
  return fromHex((await fixtureText(path)).trim().replace(/^0x/, ""));
}

async function bagOf(paths: readonly string[]): Promise<Endorsements> {
  const files = await Promise.all(
    paths.map(async (name) => readEndorsement({ name, bytes: await fixtureBytes(name) })),
  );
  return mergeEndorsements(...files);
}

async function rootsOf(path: string | undefined): Promise<Certificate[]> {
  return path === undefined ? [] : parseCertificates(await fixtureText(path));
}

async function verify(
  { path, at, endorsements, root }: Case,
  change: (bag: Endorsements) => Endorsements = (bag) => bag,
): Promise<VerifiedEvidence> {
  return verifyEvidence(await quoteOf(path), {
    now: new Date(at),
    endorsements: change(await bagOf(endorsements)),
    roots: await rootsOf(root),
  });
}

/** The AdytonError that `run` ends in; anything else fails the test. */
async function refusal(run: () => Promise<unknown>): Promise<AdytonError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof AdytonError) return error;
    throw error;
  }
  throw new Error("the evidence was accepted");
}

const INTEL = (number: number): string => `INTEL-SA-${String(number).padStart(5, "0")}`;

describe.skipIf(!hasFixtures)("real quotes: what Intel's algorithm finds", () => {
  it.each([
    [SGX_PHALA, "ConfigurationAndSWHardeningNeeded", 17, "2024-03-13T00:00:00Z", [289, 615]],
    [
      {
        path: "sgx/automata/quotev3.hex",
        at: "2025-09-01T00:00:00Z",
        endorsements: [
          ...below(
            "sgx/automata-0825",
            "platform_crl.der",
            "sgx_qeidentity_v4.json",
            "sgx_tcbinfov3_00606a000000.json",
            "sgxtcbeval.json",
          ),
          "sgx/dcap-qvl/sgx_quote_collateral.json",
        ],
      },
      "SWHardeningNeeded",
      17,
      "2024-03-13T00:00:00Z",
      [615],
    ],
    [TDX_PHALA, "UpToDate", 17, "2024-03-13T00:00:00Z", []],
    [
      { path: "tdx/go-tdx-guest/quote_v5_sample.dat", at: "2026-03-01T00:00:00Z", endorsements: TDX_18 },
      "UpToDate",
      18,
      "2024-11-13T00:00:00Z",
      [],
    ],
    [
      { path: "tdx/automata/quotev5.dat", at: "2026-03-01T00:00:00Z", endorsements: TDX_18 },
      "OutOfDate",
      18,
      "2024-03-13T00:00:00Z",
      [1036, 1079, 1099, 1103, 1111],
    ],
    [
      {
        path: "tdx/automata/quotev4.hex",
        at: "2025-02-13T04:00:32Z",
        endorsements: ["tdx/assembled/collateral_00806f050000_2025-02-13.json"],
      },
      "OutOfDate",
      17,
      "2023-08-09T00:00:00Z",
      [960, 982, 986],
    ],
    [
      { path: "tdx/trustee/tdx_quote_4.dat", at: "2023-07-01T00:00:00Z", endorsements: GO_15 },
      "UpToDate",
      15,
      "2023-02-15T00:00:00Z",
      [],
    ],
    [SGX_SAMPLE, "UpToDate", 0, "2019-09-01T00:00:00Z", []],
  ] as const)("$path", async (test: Case, status, evaluationNumber, date, advisories) => {
    const verified = await verify(test);
    expect(() => assertVerified(verified)).not.toThrow();
    expect(verified.tcb).toMatchObject({
      status,
      evaluationNumber,
      date,
      advisoryIds: advisories.map(INTEL),
    });
    expect(verified.endorsements.revocation).toBe("checked");
    expect(verified.trust.simulated).toBe(test.root !== undefined);
    expect(verified.debug).toBe(test.path === "tdx/trustee/tdx_quote_4.dat");
  });

  it.each([
    [
      { path: "tdx/dcap-qvl/tdx-quote.hex", at: "2025-07-01T00:00:00Z", endorsements: TDX_17 },
      "sgx[7]",
      3,
      5,
    ],
    [
      { path: "tdx/dcap-qvl/quote-from-tappd.hex", at: "2025-07-01T00:00:00Z", endorsements: TDX_17 },
      "sgx[7]",
      3,
      5,
    ],
    [
      { path: "tdx/dcap-qvl/tdx_quote_outdated", at: "2026-03-01T00:00:00Z", endorsements: TDX_18 },
      "sgx[7]",
      3,
      5,
    ],
    [
      { path: "tdx/go-tdx-guest/tdx_prod_quote_SPR_E4.dat", at: "2023-07-01T00:00:00Z", endorsements: GO_15 },
      "sgx[0]",
      3,
      5,
    ],
    [
      { path: "tdx/trustee/tdx_quote_5.dat", at: "2026-03-01T00:00:00Z", endorsements: TDX_18 },
      "sgx[0]",
      1,
      2,
    ],
  ] as const)("$path is not supported", async (test: Case, component, found, least) => {
    const error = await refusal(() => verify(test));
    expect([error.code, error.category]).toEqual(["TCB_NOT_SUPPORTED", "not-authentic"]);
    expect(error.detail.shortfalls).toContainEqual({ component, found, least });
    expect((error.detail.tcb as Tcb).status).toBe("NotSupported");
  });

  it("Intel's TDX sample, whose module version has no identity, is refused there", async () => {
    const folder = "tdx/intel-qvl-sample";
    const error = await refusal(() =>
      verify({
        path: `${folder}/quote.dat`,
        at: "2024-01-01T00:00:00Z",
        endorsements: below(
          folder,
          "pckCert.pem",
          "pckSignChain.pem",
          "intermediateCaCrl.der",
          "rootCaCrl.der",
          "tcbInfo.json",
          "qeIdentity.json",
          "tcbSignChain.pem",
        ),
        root: `${folder}/trustedRootCaCert.pem`,
      }),
    );
    expect([error.code, error.category]).toEqual(["TCB_INFO_MISMATCH", "not-authentic"]);
  });

  it("tells apart platform, module and quoting enclave", async () => {
    const { tcb, explanation } = await verify({
      path: "tdx/automata/quotev5.dat",
      at: "2026-03-01T00:00:00Z",
      endorsements: TDX_18,
    });
    const { platform, module, qe, sgx: partial } = tcb.components;
    expect(platform).toMatchObject({ status: "OutOfDate", svn: { sgx7: 5, pceSvn: 13, tdx0: 5, tdx2: 2 } });
    expect(module).toMatchObject({
      status: "OutOfDate",
      date: "2024-03-13T00:00:00Z",
      advisoryIds: [1036, 1099].map(INTEL),
      svn: { isvSvn: 5, version: 1, runningSvn: 5, runningVersion: 1 },
    });
    expect(qe).toMatchObject({ status: "UpToDate", date: "2024-11-13T00:00:00Z", svn: { isvSvn: 6 } });
    expect(partial?.status).toBe("OutOfDate");
    expect(explanation.join("\n")).toContain("the module that runs now is the latest");
  });

  it("an old platform under a module that is up to date is out of date", async () => {
    const { tcb } = await verify({
      path: "tdx/automata/quotev4.hex",
      at: "2025-02-13T04:00:32Z",
      endorsements: ["tdx/assembled/collateral_00806f050000_2025-02-13.json"],
    });
    expect(tcb.components.module?.status).toBe("UpToDate");
    expect(tcb.components.platform?.status).toBe("OutOfDate");
  });

  it("under an older evaluation number the same quote is up to date", async () => {
    const older = await verify({ ...TDX_PHALA, path: "tdx/dcap-qvl/tdx_quote" });
    expect(older.tcb.evaluationNumber).toBe(17);
    expect(older.tcb.status).toBe("UpToDate");
  });

  it("module version 0 has no module component", async () => {
    const { tcb } = await verify({
      path: "tdx/trustee/tdx_quote_4.dat",
      at: "2023-07-01T00:00:00Z",
      endorsements: GO_15,
    });
    expect(Object.keys(tcb.components)).toEqual(["platform", "sgx", "qe"]);
  });

  it("warns of bytes behind the quote", async () => {
    const { warnings } = await verify(TDX_PHALA);
    expect(warnings.map(({ code }) => code)).toEqual(["TRAILING_BYTES"]);
  });

  it("warns when TCB info and QE identity have different evaluation numbers", async () => {
    const { warnings } = await verify(SGX_SAMPLE);
    expect(warnings.map(({ code }) => code)).toEqual(["SIMULATED", "EVALUATION_NUMBERS_DIFFER"]);
  });

  it("says what it relied on, and until when", async () => {
    const { endorsements } = await verify(SGX_PHALA);
    expect(endorsements.items.map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: 4 }, () => "certificate"),
      "crl",
      "crl",
      "tcbInfo",
      "qeIdentity",
    ]);
    expect(endorsements.earliestIssue).toBe("2018-05-21T10:45:10Z");
    const expiries = endorsements.items.map(({ expires }) => expires).sort();
    expect(endorsements.earliestExpiry).toBe(expiries[0]);
  });
});

describe.skipIf(!hasFixtures)("endorsements that are missing or out of their time", () => {
  const without =
    (part: "crls" | "certificates" | "documents", drop: (index: number, bag: Endorsements) => boolean) =>
    (bag: Endorsements): Endorsements => ({
      ...bag,
      [part]: bag[part].filter((_, index) => !drop(index, bag)),
    });
  const issuerOf = (index: number, bag: Endorsements): string => bag.crls[index]?.issuer.commonName ?? "";
  const kindOf = (index: number, bag: Endorsements): string => bag.documents[index]?.kind ?? "";
  const nameOf = (index: number, bag: Endorsements): string =>
    bag.certificates[index]?.subject.commonName ?? "";

  it.each([
    ["root CRL", "ROOT_CA_CRL_MISSING", without("crls", (i, bag) => issuerOf(i, bag).includes("Root"))],
    ["PCK CRL", "PCK_CRL_MISSING", without("crls", (i, bag) => !issuerOf(i, bag).includes("Root"))],
    ["TCB info", "TCB_INFO_MISSING", without("documents", (i, bag) => kindOf(i, bag) === "intel.tcbInfo")],
    [
      "QE identity",
      "QE_IDENTITY_MISSING",
      without("documents", (i, bag) => kindOf(i, bag) === "intel.enclaveIdentity"),
    ],
    [
      "TCB signing certificate",
      "TCB_SIGNING_CERT_MISSING",
      without("certificates", (i, bag) => nameOf(i, bag).includes("TCB Signing")),
    ],
    ["everything", "ROOT_CA_CRL_MISSING", () => ({ certificates: [], crls: [], documents: [] })],
  ] as const)("%s missing: %s", async (_, code, change) => {
    for (const test of [SGX_PHALA, TDX_PHALA]) {
      const error = await refusal(() => verify(test, change));
      expect([error.code, error.category]).toEqual([code, "endorsements"]);
    }
  });

  it.each([
    ["before the certificates", "PCK_CERT_CHAIN_NOT_YET_VALID", SGX_PHALA, "2018-01-01T00:00:00Z"],
    ["after the certificates", "PCK_CERT_CHAIN_EXPIRED", SGX_PHALA, "2060-01-01T00:00:00Z"],
    ["before the CRLs", "CRL_NOT_YET_VALID", TDX_PHALA, "2025-03-01T00:00:00Z"],
    ["after the CRLs", "CRL_EXPIRED", TDX_PHALA, "2027-01-01T00:00:00Z"],
  ] as const)("%s: %s", async (_, code, test, at) => {
    const error = await refusal(() => verify({ ...test, at }));
    expect([error.code, error.category]).toEqual([code, "endorsements"]);
  });

  /** TCB info of one month, with CRLs and certificates of another. */
  const mixed: Case = {
    path: "tdx/go-tdx-guest/quote_v5_sample.dat",
    at: "2026-03-01T00:00:00Z",
    endorsements: TDX_18,
  };
  it.each(["tcbInfo", "qeIdentity"] as const)("%s out of its time is never a pass", async (kind) => {
    const { endorsements } = await verify(mixed);
    const item = endorsements.items.find((candidate) => candidate.kind === kind);
    const after = new Date(Date.parse(item?.expires ?? "") + 1000).toISOString();
    const error = await refusal(() => verify({ ...mixed, at: after }));
    expect(error.category).toBe("endorsements");
    expect(error.code).toMatch(/_EXPIRED$/);
  });

  it("TCB info for another platform is a mismatch", async () => {
    const error = await refusal(() =>
      verify({ ...TDX_PHALA, at: "2026-03-01T00:00:00Z", endorsements: TDX_18 }),
    );
    expect([error.code, error.category]).toEqual(["TCB_INFO_MISMATCH", "not-authentic"]);
  });

  it("SGX's documents do not judge a TD", async () => {
    const error = await refusal(() =>
      verify({
        ...TDX_PHALA,
        endorsements: [...SGX_PHALA.endorsements, ...below("tdx/dcap-rs", "pck_platform_crl.der")],
      }),
    );
    expect(["TCB_INFO_MISMATCH", "CRL_EXPIRED"]).toContain(error.code);
  });

  it("a PCK certificate that the quote only names must be supplied", async () => {
    const error = await refusal(() =>
      verify(
        SGX_SAMPLE,
        without("certificates", (i, bag) => nameOf(i, bag).includes("PCK Certificate")),
      ),
    );
    expect([error.code, error.category]).toEqual(["PCK_MISSING", "endorsements"]);
  });

  it("a root that nobody named is not trusted", async () => {
    const { root, ...unnamed } = SGX_SAMPLE;
    expect(root).toBeDefined();
    const error = await refusal(() => verify(unnamed));
    expect([error.code, error.category]).toEqual(["PCK_CERT_CHAIN_UNTRUSTED", "not-authentic"]);
  });

  it("a named root does not make another root's documents count", async () => {
    const [root] = await rootsOf(SGX_SAMPLE.root);
    const sample = await bagOf(SGX_SAMPLE.endorsements);
    const quote = await quoteOf(SGX_PHALA.path);
    const real = await bagOf(SGX_PHALA.endorsements);
    const signers = sample.certificates.filter((c) => c.subject.commonName?.includes("TCB Signing"));
    const error = await refusal(() =>
      verifyEvidence(quote, {
        now: new Date(SGX_PHALA.at),
        roots: root === undefined ? [] : [root],
        endorsements: {
          ...real,
          certificates: [
            ...real.certificates.filter((c) => !c.subject.commonName?.includes("TCB Signing")),
            ...signers,
          ],
        },
      }),
    );
    expect([error.code, error.category]).toEqual(["TCB_SIGNING_CERT_CHAIN_UNTRUSTED", "not-authentic"]);
  });

  it("of several candidates the one that verifies is taken", async () => {
    const verified = await verify(
      { ...TDX_PHALA, endorsements: [...TDX_18, ...GO_15, ...TDX_17, ...SGX_PHALA.endorsements] },
      (bag) => ({
        ...bag,
        documents: [
          ...bag.documents.map((document) => ({
            ...document,
            body: document.body.replace(/"tcbEvaluationDataNumber":\d+/, '"tcbEvaluationDataNumber":99'),
          })),
          ...bag.documents.map((document) => ({ ...document, body: "{}" })),
          ...bag.documents,
        ],
      }),
    );
    expect(verified.tcb).toMatchObject({ status: "UpToDate", evaluationNumber: 17 });
  });

  it.each([
    ["intel.tcbInfo", "TCB_INFO_INVALID_SIGNATURE"],
    ["intel.enclaveIdentity", "QE_IDENTITY_INVALID_SIGNATURE"],
  ] as const)("%s with a changed text", async (kind, code) => {
    const error = await refusal(() =>
      verify(SGX_PHALA, (bag) => ({
        ...bag,
        documents: bag.documents.map((document) =>
          document.kind === kind ? { ...document, body: `${document.body} ` } : document,
        ),
      })),
    );
    expect([error.code, error.category]).toEqual([code, "not-authentic"]);
  });

  it.each([
    ["intel.tcbInfo", "TCB_INFO_INVALID"],
    ["intel.enclaveIdentity", "QE_IDENTITY_INVALID"],
  ] as const)("%s that says nothing", async (kind, code) => {
    const error = await refusal(() =>
      verify(SGX_PHALA, (bag) => ({
        ...bag,
        documents: bag.documents.map((document) =>
          document.kind === kind ? { ...document, body: "{}" } : document,
        ),
      })),
    );
    expect([error.code, error.category]).toEqual([code, "malformed"]);
  });
});

describe.skipIf(!hasFixtures)("every byte counts", () => {
  it.each([
    ["SGX", SGX_PHALA],
    ["TDX", TDX_PHALA],
  ] as const)("of a signed %s quote", async (_, test) => {
    const bytes = Uint8Array.from(await quoteOf(test.path));
    const options = {
      now: new Date(test.at),
      endorsements: await bagOf(test.endorsements),
      cache: createCache(),
    };
    const quote = parseQuote(bytes);
    const tee = quote.body.tee;
    await SCHEME[tee].verify(bytes, options);
    const accepted: number[] = [];
    const flip = async (at: number): Promise<void> => {
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      await SCHEME[tee].verify(bytes, options).then(
        () => accepted.push(at),
        (error: unknown) => {
          if (!(error instanceof AdytonError)) throw error;
        },
      );
      bytes[at] = (bytes[at] ?? 0) ^ 1;
    };
    // Header, body, length, signature, key, the quoting enclave's report, its signature and data: all but the PEM.
    const end = bytes.length - quote.trailing.length - quote.certification.data.length;
    for (let at = 0; at < end; at++) await flip(at);
    expect(accepted).toEqual([]);
  });

  it("of the certificates in a quote", async () => {
    const bytes = Uint8Array.from(await quoteOf(SGX_PHALA.path));
    const options = { now: new Date(SGX_PHALA.at), endorsements: await bagOf(SGX_PHALA.endorsements) };
    const { certification } = parseQuote(bytes);
    const text = new TextDecoder().decode(certification.data);
    const start = bytes.length - certification.data.length;
    const accepted: number[] = [];
    const end = text.indexOf("-----END");
    // The leaf's base64: every character is changed to another one.
    for (let i = text.indexOf("\n") + 1; i < end; i++) {
      if (text[i] === "\n") continue;
      bytes[start + i] = text[i] === "A" ? 0x42 : 0x41;
      await sgx.verify(bytes, options).then(
        () => accepted.push(i),
        (error: unknown) => {
          if (!(error instanceof AdytonError)) throw error;
        },
      );
      bytes[start + i] = text.charCodeAt(i);
    }
    expect(accepted).toEqual([]);
  });

  it("bytes behind the quote do not", async () => {
    const bytes = Uint8Array.from(await quoteOf(TDX_PHALA.path));
    bytes[bytes.length - 1] = 1;
    const options = { now: new Date(TDX_PHALA.at), endorsements: await bagOf(TDX_PHALA.endorsements) };
    const { warnings } = await tdx.verify(bytes, options);
    expect(warnings[0]?.message).toContain("not all zero");
  });
});

describe.skipIf(!hasFixtures)("refusals on real quotes", () => {
  const changed = async (test: Case, change: (quote: Quote) => QuoteFields): Promise<AdytonError> => {
    const quote = parseQuote(await quoteOf(test.path));
    const options = { now: new Date(test.at), endorsements: await bagOf(test.endorsements) };
    return refusal(() => SCHEME[quote.body.tee].verify(encodeQuote(change(quote)), options));
  };
  const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
    bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));

  it.each([
    [
      "another vendor's quoting enclave",
      "UNSUPPORTED_QUOTE_FORMAT",
      (quote: Quote) => ({ ...quote, header: { ...quote.header, qeVendorId: new Uint8Array(16) } }),
    ],
    [
      "reserved header bytes",
      "UNSUPPORTED_QUOTE_FORMAT",
      (quote: Quote) => ({ ...quote, header: { ...quote.header, qeSvn: 1 } }),
    ],
    [
      "the header's user data",
      "INVALID_QUOTE_SIGNATURE",
      (quote: Quote) => ({ ...quote, header: { ...quote.header, userData: new Uint8Array(20) } }),
    ],
    [
      "the quote's signature",
      "INVALID_QUOTE_SIGNATURE",
      (quote: Quote) => ({ ...quote, signature: flipped(quote.signature, 40) }),
    ],
    [
      "a signature of zeros",
      "INVALID_QUOTE_SIGNATURE",
      (quote: Quote) => ({ ...quote, signature: new Uint8Array(64) }),
    ],
    [
      "the attestation key",
      "INVALID_QE_REPORT_DATA",
      (quote: Quote) => ({ ...quote, attestationKey: flipped(quote.attestationKey, 0) }),
    ],
    [
      "the quoting enclave's authentication data",
      "INVALID_QE_REPORT_DATA",
      (quote: Quote) => ({ ...quote, qeAuthData: flipped(quote.qeAuthData, 0) }),
    ],
    [
      "the quoting enclave's report",
      "INVALID_QE_REPORT_SIGNATURE",
      (quote: Quote) => ({ ...quote, qeReport: { ...quote.qeReport, isvSvn: 99 } }),
    ],
    [
      "the quoting enclave's signature",
      "INVALID_QE_REPORT_SIGNATURE",
      (quote: Quote) => ({ ...quote, qeReportSignature: flipped(quote.qeReportSignature, 0) }),
    ],
    [
      "a platform manifest for a certificate",
      "UNSUPPORTED_CERT_FORMAT",
      (quote: Quote) => ({ ...quote, certification: { ...quote.certification, type: 7 } }),
    ],
    [
      "no certificate in the chain",
      "PCK_MISSING",
      (quote: Quote) => ({ ...quote, certification: { type: 5, data: Uint8Array.of(0) } }),
    ],
  ] as const)("%s: %s", async (_, code, change) => {
    expect((await changed(TDX_PHALA, change)).code).toBe(code);
  });

  it.each([
    ["mrSignerSeam", 48],
    ["seamAttributes", 8],
  ] as const)("a module with another %s is a mismatch", async (field, size) => {
    const error = await changed(TDX_PHALA, (quote) =>
      quote.body.tee === "tdx"
        ? {
            ...quote,
            body: { tee: "tdx", report: { ...quote.body.report, [field]: new Uint8Array(size).fill(1) } },
          }
        : quote,
    );
    expect(error.code).toBe("TDX_MODULE_MISMATCH");
  });

  it("a module version that TCB info does not know is a mismatch", async () => {
    const error = await changed(TDX_PHALA, (quote) =>
      quote.body.tee === "tdx"
        ? {
            ...quote,
            body: {
              tee: "tdx",
              report: { ...quote.body.report, teeTcbSvn: Uint8Array.of(1, 9, ...new Uint8Array(14)) },
            },
          }
        : quote,
    );
    expect([error.code, error.detail.module]).toEqual(["TDX_MODULE_MISMATCH", "TDX_09"]);
  });

  it("a quote of the other TEE", async () => {
    const options = { now: new Date(SGX_PHALA.at), endorsements: await bagOf(SGX_PHALA.endorsements) };
    for (const [tee, test] of [
      ["tdx", SGX_PHALA],
      ["sgx", TDX_PHALA],
    ] as const) {
      const quote = await quoteOf(test.path);
      const error = await refusal(() => SCHEME[tee].verify(quote, options));
      expect(error.code).toBe("UNSUPPORTED_QUOTE_FORMAT");
      expect(() => (tee === "tdx" ? tdx : sgx).inspect(quote)).toThrow(AdytonError);
    }
  });

  it("a time that is no date", async () => {
    const error = await refusal(() => verify({ ...SGX_PHALA, at: "no date" }));
    expect([error.code, error.category]).toEqual(["INVALID_TIME", "misuse"]);
  });

  it("other report data than expected", async () => {
    const quote = await quoteOf(SGX_PHALA.path);
    const options = { now: new Date(SGX_PHALA.at), endorsements: await bagOf(SGX_PHALA.endorsements) };
    const { reportData } = await verifyEvidence(quote, options);
    await expect(verifyEvidence(quote, { ...options, reportData })).resolves.toBeDefined();
    const error = await refusal(() =>
      verifyEvidence(quote, { ...options, reportData: flipped(reportData, 63) }),
    );
    expect([error.code, error.category]).toEqual(["REPORT_DATA_MISMATCH", "not-authentic"]);
  });
});

describe.skipIf(!hasFixtures)("the cache", () => {
  it("gives the same verdict as no cache, and keeps no verdict beyond its time", async () => {
    const quote = await quoteOf(TDX_PHALA.path);
    const endorsements = await bagOf([...TDX_PHALA.endorsements, ...TDX_18]);
    const cache = createCache();
    for (const at of [
      TDX_PHALA.at,
      TDX_PHALA.at,
      "2025-07-02T00:00:00Z",
      "2026-03-01T00:00:00Z",
      TDX_PHALA.at,
    ]) {
      const now = new Date(at);
      const outcome = (run: Promise<VerifiedEvidence>): Promise<unknown> =>
        run.catch((error: unknown) => (error instanceof AdytonError ? error.code : error));
      const cached = await outcome(verifyEvidence(quote, { now, endorsements, cache }));
      expect(cached).toEqual(await outcome(verifyEvidence(quote, { now, endorsements })));
    }
  });

  it("does not carry over to other endorsements or roots", async () => {
    const quote = await quoteOf(TDX_PHALA.path);
    const now = new Date(TDX_PHALA.at);
    const cache = createCache();
    await verifyEvidence(quote, { now, endorsements: await bagOf(TDX_PHALA.endorsements), cache });
    const error = await refusal(() => verifyEvidence(quote, { now, cache }));
    expect(error.code).toBe("ROOT_CA_CRL_MISSING");
  });

  it("shares collateral between platforms of one family", async () => {
    const endorsements = await bagOf(TDX_18);
    const now = new Date("2026-03-01T00:00:00Z");
    const cache = createCache();
    const statuses: (string | null)[] = [];
    for (const path of ["tdx/go-tdx-guest/quote_v5_sample.dat", "tdx/automata/quotev5.dat"]) {
      statuses.push((await verifyEvidence(await quoteOf(path), { now, endorsements, cache })).tcb.status);
    }
    expect(statuses).toEqual(["UpToDate", "OutOfDate"]);
  });
});

describe.skipIf(!hasFixtures)("claims", () => {
  it("of a TD are Trustee's, and more", async () => {
    const quote = await quoteOf("tdx/trustee/tdx_quote_4.dat");
    const expected = parseJson(await fixtureText("tdx/trustee/parse_tdx_claims_expected.json")) as JsonObject;
    const { uefi_event_logs: _, td_attributes: attributes, ...rest } = expected;
    const claims = inspectEvidence(quote);
    expect(claims).toMatchObject(rest);
    expect(claims.td_attributes).toMatchObject(attributes as JsonObject);
    expect(claims.td_attributes).toMatchObject({ migratable: false, tud_bits: [0], reserved_bits: [] });
  });

  it("of TD 1.5 have what it adds", async () => {
    const { quote } = inspectEvidence(await quoteOf("tdx/automata/quotev5.dat"));
    expect(quote).toMatchObject({
      type: "0300",
      size: "88020000",
      header: { version: "0500" },
      body: { tee_tcb_svn2: "05010200000000000000000000000000" },
    });
  });

  it("of an enclave are Trustee's", async () => {
    const bytes = await quoteOf(SGX_PHALA.path);
    const claims = inspectEvidence(bytes);
    expect(claims).toMatchObject({
      header: {
        version: "0300",
        att_key_type: "0200",
        att_key_data_0: "00000000",
        qe_svn: "0a00",
        pce_svn: "0f00",
      },
      body: { mr_enclave: toHex(bytes.subarray(112, 144)), "attributes.xfrm": "e700000000000000" },
      report_data: toHex(bytes.subarray(368, 432)),
      init_data: "00".repeat(64),
      fmspc: "00a067110000",
    });
  });

  it("after verification carry the verdict and the platform", async () => {
    const { claims } = await verify(SGX_PHALA);
    expect(claims).toMatchObject({
      tcb_status: "ConfigurationAndSWHardeningNeeded",
      tcb_date: "2024-03-13T00:00:00Z",
      advisory_ids: [289, 615].map(INTEL),
      tcb_eval_num: 17,
      collateral_expiration_status: "0",
      earliest_issue_date: "2018-05-21T10:45:10Z",
      pck_crl_num: 1,
      root_ca_crl_num: 1,
      sgx_type: "Standard",
      root_key_id:
        "46e403bd34f05a3f2817ab9badcaacc7ffc98e0f261008cd30dae936cace18d5dcf58eef31463613de1570d516200993",
    });
  });
});

describe.skipIf(!hasFixtures)("the schemes", () => {
  it.each([
    [SGX_PHALA.path, "sgx"],
    [TDX_PHALA.path, "tdx"],
    ["tdx/automata/quotev5.dat", "tdx"],
  ])("detect %s", async (path, tee) => {
    expect(detectTee(await quoteOf(path))).toBe(tee);
  });

  it("travel as Confidential Containers' JSON", async () => {
    const evidence = await quoteOf(TDX_PHALA.path);
    const eventLog = Uint8Array.of(1, 2, 3);
    expect(tdx.fromKbs(tdx.toKbs({ evidence, eventLog }))).toEqual({ evidence, eventLog });
    expect(tdx.toKbs({ evidence })).toMatchObject({ cc_eventlog: null });
    expect(tdx.fromKbs(tdx.toKbs({ evidence }))).toEqual({ evidence });
    expect(sgx.fromKbs(sgx.toKbs({ evidence }))).toEqual({ evidence });
  });
});

describe("Confidential Containers' JSON of Intel evidence", () => {
  it.each([
    [null],
    ["text"],
    [[]],
    [{}],
    [{ quote: 1 }],
    [{ quote: "a" }],
    [{ quote: "AA==", cc_eventlog: "?" }],
  ])("%j is refused", async (value) => {
    const error = await refusal(async () => tdx.fromKbs(value));
    expect([error.code, error.category]).toEqual(["INVALID_ENVELOPE", "malformed"]);
  });

  it("nothing is detected in nothing", () => {
    expect([sgx, tdx].map((scheme) => scheme.detect(new Uint8Array(0)))).toEqual([false, false]);
  });
});
