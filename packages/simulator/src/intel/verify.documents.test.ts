// SPDX-License-Identifier: Apache-2.0
// TCB info and enclave identities: signatures, dates, and whether they speak about this platform and this TEE.
import { fromHex } from "@adyton/core/bytes";
import type { SignedDocument } from "@adyton/evidence/endorsements";
import { describe, expect, it } from "vitest";
import { after, createScene, expectRefusal } from "../../test/scene.ts";
import { ENCLAVES } from "./defaults.ts";

const scene = await createScene();
const { vendor } = scene;
const TEES = ["sgx", "tdx"] as const;
type Tee = (typeof TEES)[number];
const quotingEnclaveOf = { sgx: "QE", tdx: "TD_QE" } as const;

describe.each(TEES)("the documents of %s", (tee) => {
  const kinds = [
    ["TCB info", "tcbInfo", "TCB_INFO", (change: object) => vendor.tcbInfo(tee, change)],
    [
      "identity",
      "qeIdentity",
      "QE_IDENTITY",
      (change: object) => vendor.identity(quotingEnclaveOf[tee], change),
    ],
  ] as const;
  describe.each(kinds)("%s", (_, part, prefix, make) => {
    const refused = (
      document: SignedDocument | undefined,
      code: string,
      category: "endorsements" | "not-authentic",
    ) => expectRefusal(scene.verify(tee, { replace: { [part]: document } }), `${prefix}_${code}`, category);

    it("missing", () => refused(undefined, "MISSING", "endorsements"));

    it("expired", async () => refused(await make({ nextUpdate: after(-0.5) }), "EXPIRED", "endorsements"));

    it("not valid yet", async () =>
      refused(await make({ issueDate: after(1) }), "NOT_YET_VALID", "endorsements"));

    it("signed by the root instead of the TCB signer", async () =>
      refused(await make({ signer: vendor.root }), "INVALID_SIGNATURE", "not-authentic"));

    it("with one signature bit changed", async () => {
      const document = await make({});
      const signature = Uint8Array.from(document.signature, (byte, i) => (i === 40 ? byte ^ 1 : byte));
      await refused({ ...document, signature }, "INVALID_SIGNATURE", "not-authentic");
    });

    it("with an all-zero signature", async () =>
      refused({ ...(await make({})), signature: new Uint8Array(64) }, "INVALID_SIGNATURE", "not-authentic"));

    it("with a signature of another length", async () =>
      refused({ ...(await make({})), signature: new Uint8Array(70) }, "INVALID_SIGNATURE", "not-authentic"));

    it("with a status changed after it was signed", async () => {
      const document = await make({});
      const body = document.body.replace('"OutOfDate"', '"UpToDate"');
      expect(body).not.toBe(document.body);
      await refused({ ...document, body }, "INVALID_SIGNATURE", "not-authentic");
    });

    it("with a space added after it was signed", async () => {
      const document = await make({});
      await refused(
        { ...document, body: document.body.replace(",", ", ") },
        "INVALID_SIGNATURE",
        "not-authentic",
      );
    });
  });

  it.each([
    [
      "without levels",
      { edit: ({ tcbLevels: _dropped, ...rest }: object & { tcbLevels?: unknown }) => rest },
    ],
    ["of an unknown version", { version: 9 }],
    [
      "without a date",
      { edit: ({ nextUpdate: _dropped, ...rest }: object & { nextUpdate?: unknown }) => rest },
    ],
  ])("TCB info %s does not parse", async (_, change) => {
    const tcbInfo = await vendor.tcbInfo(tee, change as object);
    await expectRefusal(scene.verify(tee, { replace: { tcbInfo } }), "TCB_INFO_INVALID", "malformed");
  });
});

describe("TCB info that speaks about something else", () => {
  it.each<[string, Tee, object, string]>([
    ["SGX evidence, another FMSPC", "sgx", { fmspc: "a0d705000001" }, "TCB_INFO_MISMATCH"],
    ["TDX evidence, another FMSPC", "tdx", { fmspc: "b0d705000000" }, "TCB_INFO_MISMATCH"],
    ["SGX evidence, another PCEID", "sgx", { pceId: "0001" }, "TCB_INFO_MISMATCH"],
    ["TDX evidence, another PCEID", "tdx", { pceId: "0100" }, "TCB_INFO_MISMATCH"],
  ])("%s", async (_, tee, change, code) => {
    const tcbInfo = await vendor.tcbInfo(tee, change);
    await expectRefusal(scene.verify(tee, { replace: { tcbInfo } }), code, "not-authentic");
  });

  it.each<[string, Tee, Tee]>([
    ["SGX evidence, TCB info of TDX", "sgx", "tdx"],
    ["TDX evidence, TCB info of SGX", "tdx", "sgx"],
  ])("%s", async (_, tee, other) => {
    const tcbInfo = await vendor.tcbInfo(other);
    await expectRefusal(scene.verify(tee, { replace: { tcbInfo } }), "TCB_INFO_MISMATCH", "not-authentic");
  });

  it("TDX evidence, TCB info of version 2", async () => {
    const tcbInfo = await vendor.tcbInfo("sgx", { version: 2 });
    await expectRefusal(scene.verify("tdx", { replace: { tcbInfo } }), "TCB_INFO_MISMATCH", "not-authentic");
  });
});

describe("the quoting enclave's identity", () => {
  const other32 = new Uint8Array(32).fill(1);
  const change = (name: string, value: unknown) => ({ [name]: value });

  describe.each(TEES)("of %s", (tee) => {
    const kind = quotingEnclaveOf[tee];
    it.each([
      ["another signer", change("mrSigner", other32)],
      ["another product", change("isvProdId", ENCLAVES[kind].isvProdId + 1)],
      ["MISCSELECT", change("miscSelect", fromHex("01000000"))],
      ["ATTRIBUTES", change("attributes", fromHex("11000000000000010000000000000000"))],
      [
        "ATTRIBUTES beyond the mask, never reachable",
        change("attributes", fromHex("15000000000000000000000000000000")),
      ],
    ])("asks for %s", async (_, said) => {
      const qeIdentity = await vendor.identity(kind, said);
      await expectRefusal(
        scene.verify(tee, { replace: { qeIdentity } }),
        "QE_IDENTITY_MISMATCH",
        "not-authentic",
      );
    });

    it.each([
      ["signer", change("mrSigner", other32)],
      ["product", change("isvProdId", 77)],
      ["MISCSELECT", change("miscSelect", 0x01000000)],
      ["DEBUG attribute", change("attributes", fromHex("1700000000000000e700000000000000"))],
      ["missing INIT attribute", change("attributes", fromHex("1400000000000000e700000000000000"))],
    ])("is not met by the enclave's %s", async (_, qeReport) => {
      await expectRefusal(
        scene.verify(tee, { quote: { qeReport } }),
        "QE_IDENTITY_MISMATCH",
        "not-authentic",
      );
    });

    it.each([
      ["masked MISCSELECT bits", change("miscSelectMask", fromHex("feffffff")), change("miscSelect", 1)],
      [
        "MODE64 and XFRM, which the mask leaves open",
        {},
        change("attributes", fromHex("1100000000000000ffffffffffffffff")),
      ],
    ])("leaves %s open", async (_, said, qeReport) => {
      const qeIdentity = await vendor.identity(kind, said);
      expect(await scene.status(tee, { replace: { qeIdentity }, quote: { qeReport } })).toBe("UpToDate");
    });
  });

  it.each<[string, Tee, "QE" | "TD_QE" | "QVE"]>([
    ["SGX evidence, identity of the TD quoting enclave", "sgx", "TD_QE"],
    ["TDX evidence, identity of the SGX quoting enclave", "tdx", "QE"],
    ["SGX evidence, identity of the verification enclave", "sgx", "QVE"],
  ])("%s", async (_, tee, kind) => {
    const qeIdentity = await vendor.identity(kind);
    await expectRefusal(
      scene.verify(tee, { replace: { qeIdentity } }),
      "QE_IDENTITY_MISMATCH",
      "not-authentic",
    );
  });

  it("of version 1 is not one", async () => {
    const qeIdentity = await vendor.identity("TD_QE", { version: 1 });
    await expectRefusal(scene.verify("tdx", { replace: { qeIdentity } }), "QE_IDENTITY_INVALID", "malformed");
  });
});
