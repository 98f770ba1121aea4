// SPDX-License-Identifier: Apache-2.0
import { toHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { parseJsonDocument } from "@adyton/core/json";
import { fixtureText, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEnclaveIdentity, parseTcbEvaluationDataNumbers, parseTcbInfo } from "./documents.ts";

const DATES = { issueDate: "2025-01-01T00:00:00Z", nextUpdate: "2025-02-01T00:00:00Z" };
const SIXTEEN = Array.from({ length: 16 }, (_, i) => ({ svn: i }));
const VERDICT = { tcbDate: "2024-11-13T00:00:00Z", tcbStatus: "UpToDate", advisoryIDs: ["INTEL-SA-00001"] };

const SGX_INFO = {
  id: "SGX",
  version: 3,
  ...DATES,
  fmspc: "00A067110000",
  pceId: "0000",
  tcbType: 0,
  tcbEvaluationDataNumber: 17,
  tcbLevels: [{ tcb: { sgxtcbcomponents: SIXTEEN, pcesvn: 13 }, ...VERDICT }],
};
const SIGNER = { mrsigner: "00".repeat(48), attributes: "00".repeat(8), attributesMask: "FF".repeat(8) };
const ISV_LEVEL = { tcb: { isvsvn: 6 }, tcbDate: "2024-11-13T00:00:00Z", tcbStatus: "UpToDate" };
const TDX_INFO = {
  ...SGX_INFO,
  id: "TDX",
  tdxModule: SIGNER,
  tdxModuleIdentities: [{ id: "TDX_01", ...SIGNER, tcbLevels: [ISV_LEVEL] }],
  tcbLevels: [{ tcb: { sgxtcbcomponents: SIXTEEN, pcesvn: 13, tdxtcbcomponents: SIXTEEN }, ...VERDICT }],
};
const IDENTITY = {
  id: "QE",
  version: 2,
  ...DATES,
  tcbEvaluationDataNumber: 17,
  miscselect: "00000000",
  miscselectMask: "FFFFFFFF",
  attributes: "11".repeat(16),
  attributesMask: "FB".repeat(16),
  mrsigner: "8C".repeat(32),
  isvprodid: 1,
  tcbLevels: [ISV_LEVEL],
};
const NUMBERS = {
  id: "SGX",
  version: 1,
  ...DATES,
  tcbEvalNumbers: [
    {
      tcbEvaluationDataNumber: 17,
      tcbRecoveryEventDate: "2024-03-12T00:00:00Z",
      tcbDate: "2024-03-13T00:00:00Z",
    },
  ],
};

function errorOf(parse: () => unknown): AdytonError | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (error instanceof AdytonError) return error;
    throw error;
  }
}

describe("TCB info", () => {
  it("version 3 of SGX", () => {
    const info = parseTcbInfo(JSON.stringify(SGX_INFO));
    expect(info).toMatchObject({ id: "SGX", version: 3, tcbEvaluationDataNumber: 17 });
    expect(toHex(info.fmspc)).toBe("00a067110000");
    expect(info.levels).toEqual([
      {
        status: "UpToDate",
        date: "2024-11-13T00:00:00Z",
        advisoryIds: ["INTEL-SA-00001"],
        sgxComponents: SIXTEEN.map(({ svn }) => svn),
        pceSvn: 13,
      },
    ]);
  });

  it("version 3 of TDX", () => {
    const info = parseTcbInfo(JSON.stringify(TDX_INFO));
    expect(info.levels[0]?.tdxComponents).toEqual(SIXTEEN.map(({ svn }) => svn));
    expect(info.tdxModuleIdentities?.[0]).toMatchObject({ id: "TDX_01", levels: [{ isvSvn: 6 }] });
  });

  it("version 2 names its components one by one and is SGX's", () => {
    const flat = Object.fromEntries(
      SIXTEEN.map(({ svn }, i) => [`sgxtcbcomp${String(i + 1).padStart(2, "0")}svn`, svn]),
    );
    const { id, ...rest } = SGX_INFO;
    const tcbLevels = [{ tcb: { ...flat, pcesvn: 13 }, ...VERDICT }];
    expect(parseTcbInfo(JSON.stringify({ ...rest, version: 2, tcbLevels }))).toEqual({
      ...parseTcbInfo(JSON.stringify(SGX_INFO)),
      id,
      version: 2,
    });
  });

  it.each(["UnheardOf", "uptodate", "TdRelaunchAdvised", ""])(
    "the status %j is Unrecognized",
    (tcbStatus) => {
      const [level] = SGX_INFO.tcbLevels;
      const info = parseTcbInfo(JSON.stringify({ ...SGX_INFO, tcbLevels: [{ ...level, tcbStatus }] }));
      expect(info.levels[0]?.status).toBe("Unrecognized");
    },
  );

  it("modules know fewer words than platforms", () => {
    const levels = [{ ...ISV_LEVEL, tcbStatus: "SWHardeningNeeded" }];
    const tdxModuleIdentities = [{ ...TDX_INFO.tdxModuleIdentities[0], tcbLevels: levels }];
    const info = parseTcbInfo(JSON.stringify({ ...TDX_INFO, tdxModuleIdentities }));
    expect(info.tdxModuleIdentities?.[0]?.levels[0]?.status).toBe("Unrecognized");
  });

  const levelWith = (tcb: object): object => ({ tcbLevels: [{ tcb, ...VERDICT }] });
  it.each([
    ["version", { version: 4 }],
    ["version", { version: "3" }],
    ["id", { id: "SEV" }],
    ["id", { id: undefined }],
    ["tcbType", { tcbType: 1 }],
    ["issueDate", { issueDate: "yesterday" }],
    ["issueDate", { issueDate: "2025-02-30T00:00:00Z" }],
    ["nextUpdate", { nextUpdate: "2024-01-01T00:00:00Z" }],
    ["nextUpdate", { nextUpdate: "2025-02-01T00:00:00+01:00" }],
    ["fmspc", { fmspc: "00A06711000" }],
    ["fmspc", { fmspc: "00A06711000G" }],
    ["pceId", { pceId: 0 }],
    ["tcbEvaluationDataNumber", { tcbEvaluationDataNumber: -1 }],
    ["tcbEvaluationDataNumber", { tcbEvaluationDataNumber: 1.5 }],
    ["tcbLevels", { tcbLevels: {} }],
    ["tcbLevels", { tcbLevels: Array.from({ length: 257 }, () => SGX_INFO.tcbLevels[0]) }],
    ["tcbLevels[0]", { tcbLevels: [null] }],
    ["tcbLevels[0].tcb", { tcbLevels: [VERDICT] }],
    ["tcbLevels[0].tcb.pcesvn", levelWith({ sgxtcbcomponents: SIXTEEN, pcesvn: 65536 })],
    ["tcbLevels[0].tcb.sgxtcbcomponents", levelWith({ sgxtcbcomponents: SIXTEEN.slice(1), pcesvn: 1 })],
    [
      "tcbLevels[0].tcb.sgxtcbcomponents[0].svn",
      levelWith({ sgxtcbcomponents: [{ svn: "0" }, ...SIXTEEN.slice(1)], pcesvn: 1 }),
    ],
    ["tcbLevels[0].advisoryIDs[0]", { tcbLevels: [{ ...SGX_INFO.tcbLevels[0], advisoryIDs: [1] }] }],
  ])("refuses a wrong %s", (field, change) => {
    const error = errorOf(() => parseTcbInfo(JSON.stringify({ ...SGX_INFO, ...change })));
    expect(error?.code).toBe("TCB_INFO_INVALID");
    expect(error?.detail.field).toBe(field);
  });

  it.each([
    ["tdxModule", { tdxModule: undefined }],
    ["tdxModule.mrsigner", { tdxModule: { ...SIGNER, mrsigner: "00" } }],
    ["tcbLevels[0].tcb.tdxtcbcomponents", { tcbLevels: SGX_INFO.tcbLevels }],
    ["tdxModuleIdentities[0].tcbLevels", { tdxModuleIdentities: [{ id: "TDX_01", ...SIGNER }] }],
  ])("of TDX: refuses a wrong %s", (field, change) => {
    const error = errorOf(() => parseTcbInfo(JSON.stringify({ ...TDX_INFO, ...change })));
    expect(error?.code).toBe("TCB_INFO_INVALID");
    expect(error?.detail.field).toBe(field);
  });

  it.each(["", "null", "[]", "{", '{"version":3,"version":3}'])("refuses %j", (body) => {
    expect(errorOf(() => parseTcbInfo(body))?.code).toBe("TCB_INFO_INVALID");
  });
});

describe("enclave identities", () => {
  it.each(["QE", "TD_QE", "QVE"])("of %s", (id) => {
    expect(parseEnclaveIdentity(JSON.stringify({ ...IDENTITY, id }))).toMatchObject({
      id,
      isvProdId: 1,
      levels: [{ isvSvn: 6, status: "UpToDate", advisoryIds: [] }],
    });
  });

  it.each([
    ["version", { version: 1 }],
    ["id", { id: "PCE" }],
    ["miscselect", { miscselect: "00" }],
    ["miscselectMask", { miscselectMask: "0000000000" }],
    ["attributes", { attributes: "11" }],
    ["attributesMask", { attributesMask: null }],
    ["mrsigner", { mrsigner: "8C".repeat(48) }],
    ["isvprodid", { isvprodid: 65536 }],
    ["tcbLevels[0].tcb.isvsvn", { tcbLevels: [{ ...ISV_LEVEL, tcb: {} }] }],
    ["tcbLevels[0].tcbDate", { tcbLevels: [{ ...ISV_LEVEL, tcbDate: "2024-11-13" }] }],
  ])("refuse a wrong %s", (field, change) => {
    const error = errorOf(() => parseEnclaveIdentity(JSON.stringify({ ...IDENTITY, ...change })));
    expect(error?.code).toBe("QE_IDENTITY_INVALID");
    expect(error?.detail.field).toBe(field);
  });
});

describe("TCB evaluation data numbers", () => {
  it.each([
    ["version", { version: 2 }],
    ["id", { id: "QE" }],
    ["tcbEvalNumbers[0].tcbDate", { tcbEvalNumbers: [{ ...NUMBERS.tcbEvalNumbers[0], tcbDate: 1 }] }],
  ])("refuse a wrong %s", (field, change) => {
    const error = errorOf(() => parseTcbEvaluationDataNumbers(JSON.stringify({ ...NUMBERS, ...change })));
    expect(error?.code).toBe("TCB_EVALUATION_DATA_NUMBERS_INVALID");
    expect(error?.detail.field).toBe(field);
  });
});

describe("any JSON", () => {
  it.each([
    ["TCB info", parseTcbInfo, TDX_INFO],
    ["an enclave identity", parseEnclaveIdentity, IDENTITY],
    ["TCB evaluation data numbers", parseTcbEvaluationDataNumbers, NUMBERS],
  ] as const)("in place of any member of %s passes or gives a typed error", (_, parse, valid) => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(valid)), fc.jsonValue(), (member, value) => {
        errorOf(() => parse(JSON.stringify({ ...valid, [member]: value })));
      }),
    );
  });
});

describe.skipIf(!hasFixtures)("Intel's own", () => {
  const inner = async (path: string, member: string): Promise<string> =>
    parseJsonDocument(await fixtureText(path)).text(member) ?? "";

  it.each([
    ["sgx/automata-0825/sgx_tcbinfov3_00606a000000.json", "SGX", 17],
    ["sgx/intel-qvl-sample/tcbInfo.json", "SGX", 3],
    ["tdx/dcap-rs/tcbinfov3_00806f050000.json", "TDX", 17],
    ["tdx/go-tdx-guest/sample_tcbInfo_response", "TDX", 15],
    ["tdx/go-tdx-guest/sample_tcbinfo_response_v5", "TDX", 18],
    ["tdx/intel-qvl-sample/tcbInfo.json", "TDX", 0],
  ] as const)("TCB info %s", async (path, id, number) => {
    const info = parseTcbInfo(await inner(path, "tcbInfo"));
    expect([info.id, info.tcbEvaluationDataNumber]).toEqual([id, number]);
  });

  it.each([
    ["sgx/automata-0825/sgx_qeidentity_v4.json", "QE", 17],
    ["sgx/intel-qvl-sample/qeIdentity.json", "QE", 0],
    ["sgx/intel-qvl-sample/qveIdentity.json", "QVE", 0],
    ["tdx/dcap-rs/qeidentityv2_apiv4.json", "TD_QE", 17],
    ["tdx/go-tdx-guest/sample_qeIdentity_response", "TD_QE", 15],
  ] as const)("identity %s", async (path, id, number) => {
    const identity = parseEnclaveIdentity(await inner(path, "enclaveIdentity"));
    expect([identity.id, identity.tcbEvaluationDataNumber]).toEqual([id, number]);
  });

  it("TCB evaluation data numbers", async () => {
    const body = await inner("sgx/automata-0825/sgxtcbeval.json", "tcbEvaluationDataNumbers");
    const { id, numbers } = parseTcbEvaluationDataNumbers(body);
    expect(id).toBe("SGX");
    expect(numbers.map(({ tcbEvaluationDataNumber }) => tcbEvaluationDataNumber)).toEqual([20, 19, 18, 17]);
  });
});
