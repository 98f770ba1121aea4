// SPDX-License-Identifier: Apache-2.0
// What must verify: healthy evidence of every layout, and the oddities that real evidence shows.
import { concat, fromUtf8 } from "@adyton/core/bytes";
import { toPem } from "@adyton/core/pem";
import { detectTee } from "@adyton/evidence";
import { mergeEndorsements } from "@adyton/evidence/endorsements";
import { describe, expect, it } from "vitest";
import { AT, after, createScene, expectRefusal } from "../../test/scene.ts";
import type { IntelCollateral } from "./collateral.ts";
import { DEFAULT_COMPONENTS, svnBytes } from "./defaults.ts";

const scene = await createScene();
const { vendor, platform } = scene;

describe("healthy evidence is UpToDate", () => {
  it.each([
    ["SGX, version 3", "sgx", {}],
    ["SGX, version 4", "sgx", { version: 4 }],
    ["SGX, version 5", "sgx", { version: 5 }],
    ["TDX, version 4", "tdx", {}],
    ["TDX, version 5, TD 1.0", "tdx", { version: 5 }],
    ["TDX, version 5, TD 1.5", "tdx", { td15: {} }],
    ["TDX with a module of version 0", "tdx", { td: { teeTcbSvn: svnBytes(5, 0, 6) } }],
    ["TDX with a module of version 3", "tdx", { td: { teeTcbSvn: svnBytes(3, 3, 6) } }],
  ] as const)("%s", async (_, tee, quote) => {
    const reportData = Uint8Array.from({ length: 64 }, (_v, i) => i);
    const verified = await scene.verify(tee, { quote: { ...quote, reportData }, options: { reportData } });
    expect(verified).toMatchObject({ tee, debug: false, at: AT });
    expect(verified.tcb).toMatchObject({ status: "UpToDate", evaluationNumber: 18, advisoryIds: [] });
    expect(verified.tcb.components.platform?.status).toBe("UpToDate");
    expect(verified.tcb.components.qe?.status).toBe("UpToDate");
    expect(verified.reportData).toEqual(reportData);
    expect(verified.endorsements.revocation).toBe("checked");
    expect(verified.explanation.length).toBeGreaterThan(5);
  });

  it("says that the trust is simulated, and which root it ends in", async () => {
    const { trust } = await scene.verify("sgx");
    expect(trust.simulated).toBe(true);
    expect(trust.root).toContain("Adyton Simulator");
  });

  it("is refused where the root was not named: nobody pins the simulator's", async () => {
    for (const tee of ["sgx", "tdx"] as const) {
      await expectRefusal(
        scene.verify(tee, { options: { roots: [] } }),
        "PCK_CERT_CHAIN_UNTRUSTED",
        "not-authentic",
      );
    }
  });

  it("is refused where another vendor's root was named", async () => {
    const other = await createScene();
    const roots = [other.vendor.root.certificate];
    await expectRefusal(
      scene.verify("tdx", { options: { roots } }),
      "PCK_CERT_CHAIN_UNTRUSTED",
      "not-authentic",
    );
  });

  it("is refused with another report data", async () => {
    await expectRefusal(
      scene.verify("sgx", { options: { reportData: Uint8Array.of(1) } }),
      "REPORT_DATA_MISMATCH",
      "not-authentic",
    );
  });

  it("is told apart by its bytes", async () => {
    expect(detectTee(await platform.quote({ tee: "sgx" }))).toBe("sgx");
    expect(detectTee(await platform.quote({ tee: "tdx", td15: {} }))).toBe("tdx");
  });
});

describe("oddities of real evidence", () => {
  it("a PCK certificate by the Processor CA, without configuration", async () => {
    const client = await vendor.platform({ ca: "processor" });
    expect(await scene.status("sgx", { platform: client })).toBe("UpToDate");
  });

  it.each([
    ["upper", "A0D705000000"],
    ["lower", "a0d705000000"],
    ["mixed", "a0D705000000"],
  ])("an FMSPC in %s case", async (_, fmspc) => {
    expect(await scene.status("tdx", { replace: { tcbInfo: await vendor.tcbInfo("tdx", { fmspc }) } })).toBe(
      "UpToDate",
    );
  });

  it("a component of 255, which takes two bytes in DER", async () => {
    const components = DEFAULT_COMPONENTS.map((svn, i) => (i < 2 ? 255 : svn));
    const high = await vendor.platform({ components });
    expect(await scene.status("sgx", { platform: high })).toBe("UpToDate");
    expect(await scene.status("tdx", { platform: high })).toBe("UpToDate");
  });

  it("TCB info of version 2 for SGX", async () => {
    const tcbInfo = await vendor.tcbInfo("sgx", { version: 2 });
    expect(await scene.status("sgx", { replace: { tcbInfo } })).toBe("UpToDate");
  });

  it.each([0, 1, 32, 1000])("%i bytes of QE authentication data", async (length) => {
    expect(await scene.status("tdx", { quote: { qeAuthData: new Uint8Array(length).fill(7) } })).toBe(
      "UpToDate",
    );
  });

  it.each([
    ["root first", [2, 1, 0]],
    ["intermediate first", [1, 2, 0]],
  ])("a PCK chain with the %s", async (_, order) => {
    const pem = order.map((i) => toPem("CERTIFICATE", platform.chain[i as 0 | 1 | 2].der)).join("");
    expect(await scene.status("sgx", { quote: { certification: { type: 5, data: fromUtf8(pem) } } })).toBe(
      "UpToDate",
    );
  });

  it("a PCK certificate that stands apart from the quote", async () => {
    const leaf = fromUtf8(toPem("CERTIFICATE", platform.pck.certificate.der));
    expect(await scene.status("sgx", { quote: { certification: { type: 4, data: leaf } } })).toBe("UpToDate");
    const id = concat(
      platform.extension.ppid,
      platform.extension.cpuSvn,
      Uint8Array.of(platform.extension.pceSvn, 0),
      platform.extension.pceId,
    );
    const bag = await vendor.endorsements(platform, "sgx");
    const withLeaf = { ...bag, certificates: [...bag.certificates, platform.pck.certificate] };
    const quote = { certification: { type: 1, data: id } };
    expect(await scene.status("sgx", { quote, endorsements: withLeaf })).toBe("UpToDate");
    await expectRefusal(scene.verify("sgx", { quote, endorsements: bag }), "PCK_MISSING", "endorsements");
  });

  it("trailing bytes, which are not signed: a warning", async () => {
    const verified = await scene.verify("tdx", {
      quote: { alter: (quote) => ({ ...quote, trailing: Uint8Array.of(1, 2, 3) }) },
    });
    expect(verified.tcb.status).toBe("UpToDate");
    expect(verified.warnings.map(({ code }) => code)).toContain("TRAILING_BYTES");
  });

  it("a CPUSVN that differs from the components: a warning", async () => {
    const odd = await vendor.platform({ extension: { cpuSvn: new Uint8Array(16).fill(9) } });
    const verified = await scene.verify("sgx", { platform: odd });
    expect(verified.tcb.status).toBe("UpToDate");
    expect(verified.warnings.length).toBeGreaterThan(0);
  });
});

const expired = { issueDate: after(-60), nextUpdate: after(-30) };
const expiredCrl = { thisUpdate: after(-60), nextUpdate: after(-30) };
const wronglySigned = { signer: vendor.root };
const sound = await vendor.endorsements(platform, "tdx");

/** Collateral that is of no use, by what is wrong with it. */
const USELESS: readonly (readonly [string, () => Promise<Partial<IntelCollateral>>])[] = [
  [
    "TCB info of another model",
    async () => ({ tcbInfo: await vendor.tcbInfo("tdx", { fmspc: "112233445566" }) }),
  ],
  ["TCB info of SGX", async () => ({ tcbInfo: await vendor.tcbInfo("sgx") })],
  ["expired TCB info", async () => ({ tcbInfo: await vendor.tcbInfo("tdx", expired) })],
  ["TCB info by the wrong signer", async () => ({ tcbInfo: await vendor.tcbInfo("tdx", wronglySigned) })],
  ["the identity of the SGX enclave", async () => ({ qeIdentity: await vendor.identity("QE") })],
  ["an expired identity", async () => ({ qeIdentity: await vendor.identity("TD_QE", expired) })],
  [
    "an identity by the wrong signer",
    async () => ({ qeIdentity: await vendor.identity("TD_QE", wronglySigned) }),
  ],
  ["an expired root CRL", async () => ({ rootCrl: await vendor.rootCrl(expiredCrl) })],
  ["an expired PCK CRL", async () => ({ pckCrl: await vendor.pckCrl("platform", expiredCrl) })],
  ["the Processor CA's CRL", async () => ({ pckCrl: await vendor.pckCrl("processor") })],
  [
    "an expired TCB signing certificate over the same key",
    async () => ({
      tcbSigner: (await vendor.certifyTcbSigner({ key: vendor.tcbSigner.key, notAfter: after(-1) }))
        .certificate,
    }),
  ],
  [
    "a TCB signing certificate over another key",
    async () => ({ tcbSigner: (await vendor.certifyTcbSigner()).certificate }),
  ],
];

describe("several candidates in the bag: the one that fits is taken", () => {
  it.each(USELESS)("beside %s, before and after", async (_, replace) => {
    const useless = await vendor.endorsements(platform, "tdx", await replace());
    for (const endorsements of [mergeEndorsements(useless, sound), mergeEndorsements(sound, useless)]) {
      expect(await scene.status("tdx", { endorsements })).toBe("UpToDate");
    }
  });

  it("of two evaluation numbers the higher one", async () => {
    const higher = await vendor.endorsements(platform, "tdx", {
      tcbInfo: await vendor.tcbInfo("tdx", { tcbEvaluationDataNumber: 20 }),
      qeIdentity: await vendor.identity("TD_QE", { tcbEvaluationDataNumber: 19 }),
    });
    for (const endorsements of [mergeEndorsements(higher, sound), mergeEndorsements(sound, higher)]) {
      const { tcb } = await scene.verify("tdx", { endorsements });
      expect(tcb.evaluationNumber).toBe(19);
    }
  });
});

describe("the evaluation number that judged", () => {
  it.each([
    [17, 19, 17],
    [19, 17, 17],
    [18, 18, 18],
  ])("is the smaller of TCB info's %i and the identity's %i", async (info, identity, expected) => {
    const { tcb } = await scene.verify("sgx", {
      replace: {
        tcbInfo: await vendor.tcbInfo("sgx", { tcbEvaluationDataNumber: info }),
        qeIdentity: await vendor.identity("QE", { tcbEvaluationDataNumber: identity }),
      },
    });
    expect(tcb.evaluationNumber).toBe(expected);
  });
});
