// SPDX-License-Identifier: Apache-2.0
import { concat, fromUtf8, toHex, toUtf8 } from "@adyton/core/bytes";
import { parseCrl, verifyCrl } from "@adyton/core/crl";
import { ecdsaFromDer } from "@adyton/core/crypto";
import { parseJson } from "@adyton/core/json";
import { parsePem } from "@adyton/core/pem";
import { isSignedBy, parseCertificates, publicKeyOf } from "@adyton/core/x509";
import { mergeEndorsements, readEndorsement } from "@adyton/evidence/endorsements";
import { encodeQuote, parseQuote, pckExtensionOf } from "@adyton/evidence/tdx";
import { describe, expect, it } from "vitest";
import { AT, after } from "../../test/scene.ts";
import { responseText, toCollateralJson, toEndorsements, toPcsResponses } from "./collateral.ts";
import { createIntelVendor } from "./vendor.ts";

const ECDSA = { name: "ECDSA", hash: "SHA-256" } as const;
const vendor = await createIntelVendor({ at: AT });
const platform = await vendor.platform();
const crl = await vendor.rootCrl();

describe("the simulated PKI", () => {
  it.each([
    ["root", vendor.root, "SGX Root CA"],
    ["Platform CA", vendor.platformCa, "SGX PCK Platform CA"],
    ["Processor CA", vendor.processorCa, "SGX PCK Processor CA"],
    ["TCB signer", vendor.tcbSigner, "SGX TCB Signing"],
    ["PCK", platform.pck, "SGX PCK Certificate"],
  ])("%s: its CN states the role, its O the simulator", (_, { certificate }, role) => {
    expect(certificate.subject.commonName).toContain(role);
    expect(certificate.subject.text).toContain("O=Adyton Simulator");
    expect(certificate.notBefore < AT && AT < certificate.notAfter).toBe(true);
  });

  it("signs downwards from the root", async () => {
    const root = vendor.root.certificate;
    expect(await isSignedBy(root, root)).toBe(true);
    for (const { certificate } of [vendor.platformCa, vendor.processorCa, vendor.tcbSigner]) {
      expect(await isSignedBy(certificate, root)).toBe(true);
    }
    expect(await isSignedBy(platform.pck.certificate, vendor.platformCa.certificate)).toBe(true);
    expect(ecdsaFromDer("P-256", platform.pck.certificate.signature)).toHaveLength(64);
  });

  it("lets the caller choose certificates' members, issuer and key", async () => {
    const signer = await vendor.certifyTcbSigner({
      serial: "2a",
      notAfter: after(1),
      issuer: vendor.platformCa,
      key: vendor.tcbSigner.key,
    });
    expect(signer.certificate).toMatchObject({ serial: "2a", notAfter: after(1) });
    expect(signer.certificate.spki).toEqual(vendor.tcbSigner.certificate.spki);
    expect(await isSignedBy(signer.certificate, vendor.platformCa.certificate)).toBe(true);
  });

  it("revokes whom the caller names", async () => {
    const revoking = parseCrl(await vendor.pckCrl("platform", { revoked: [platform.pck.certificate, "2b"] }));
    await verifyCrl(revoking, vendor.platformCa.certificate, AT);
    expect([...revoking.revoked.keys()]).toEqual([platform.pck.certificate.serial, "2b"]);
    expect(parseCrl(crl).revoked.size).toBe(0);
  });
});

describe("simulated platforms", () => {
  it("certify their TCB, with instance and configuration under the Platform CA", () => {
    const extension = pckExtensionOf(platform.pck.certificate);
    expect(extension).toEqual(platform.extension);
    expect(extension).toMatchObject({ sgxType: "scalable", configuration: { cachedKeys: true } });
    expect(extension.platformInstanceId).toHaveLength(16);
  });

  it("have neither under the Processor CA", async () => {
    const client = await vendor.platform({ ca: "processor", fmspc: "00906EA10000", components: [255, 1] });
    const extension = pckExtensionOf(client.pck.certificate);
    expect(extension.configuration).toBeUndefined();
    expect(extension.platformInstanceId).toBeUndefined();
    expect(extension.components.slice(0, 3)).toEqual([255, 1, 0]);
    expect(toHex(extension.fmspc)).toBe("00906ea10000");
    expect(client.ca).toBe(vendor.processorCa);
  });

  it.each([
    ["SGX version 3", { tee: "sgx" }, 3, 48 + 384],
    ["SGX version 4", { tee: "sgx", version: 4 }, 4, 48 + 384],
    ["SGX version 5", { tee: "sgx", version: 5 }, 5, 48 + 6 + 384],
    ["TDX version 4", { tee: "tdx" }, 4, 48 + 584],
    ["TDX version 5, TD 1.0", { tee: "tdx", version: 5 }, 5, 48 + 6 + 584],
    ["TDX version 5, TD 1.5", { tee: "tdx", td15: {} }, 5, 48 + 6 + 648],
  ] as const)(
    "%s: the quote parses, is signed, and encodes to the same bytes",
    async (_, options, version, signed) => {
      const bytes = await platform.quote({ ...options, reportData: Uint8Array.of(1, 2, 3) });
      const quote = parseQuote(bytes);
      expect(quote.header.version).toBe(version);
      expect(quote.signedPart).toHaveLength(signed);
      expect(quote.body.report.reportData.subarray(0, 4)).toEqual(Uint8Array.of(1, 2, 3, 0));
      expect(encodeQuote(quote)).toEqual(bytes);
      const pckKey = await publicKeyOf(platform.pck.certificate);
      expect(await pckKey.verify(ECDSA, quote.qeReportSignature, quote.signedQeReport)).toBe(true);
      const chain = parseCertificates(toUtf8(quote.certification.data));
      expect(chain.map(({ der }) => toHex(der))).toEqual(platform.chain.map(({ der }) => toHex(der)));
    },
  );

  it("refuse report data that does not fit", async () => {
    await expect(platform.quote({ tee: "sgx", reportData: new Uint8Array(65) })).rejects.toMatchObject({
      code: "TOO_LARGE",
    });
  });
});

describe("simulated documents", () => {
  it.each([
    ["TCB info", () => vendor.tcbInfo("sgx"), { id: "SGX", version: 3, tcbEvaluationDataNumber: 18 }],
    ["TCB info of TDX", () => vendor.tcbInfo("tdx"), { id: "TDX", version: 3 }],
    ["enclave identity", () => vendor.identity("TD_QE"), { id: "TD_QE", version: 2, isvprodid: 2 }],
    ["enclave identity of the verifier", () => vendor.identity("QVE"), { id: "QVE" }],
    ["evaluation numbers", () => vendor.evaluationNumbers("tdx"), { id: "TDX", version: 1 }],
  ])("%s is signed over its exact text", async (_, make, members) => {
    const document = await make();
    expect(parseJson(document.body)).toMatchObject(members);
    const key = await publicKeyOf(vendor.tcbSigner.certificate);
    expect(await key.verify(ECDSA, document.signature, fromUtf8(document.body))).toBe(true);
    const read = readEndorsement({ name: "response", bytes: fromUtf8(responseText(document)) });
    expect(read.documents).toEqual([document]);
  });

  it("writes version 2 with flat components and no id", async () => {
    const level = { sgx: [1, 2, 255], pceSvn: 9, status: "UpToDate", date: AT };
    const { body } = await vendor.tcbInfo("sgx", { version: 2, levels: [level] });
    expect(parseJson(body)).toMatchObject({
      version: 2,
      tcbLevels: [{ tcb: { sgxtcbcomp01svn: 1, sgxtcbcomp03svn: 255, sgxtcbcomp16svn: 0, pcesvn: 9 } }],
    });
    expect(body).not.toContain('"id"');
  });

  it("edits the JSON before it is signed, and lets another key sign", async () => {
    const document = await vendor.tcbInfo("sgx", {
      edit: ({ fmspc: _dropped, ...rest }) => rest,
      signer: vendor.root,
    });
    expect(document.body).not.toContain("fmspc");
    const key = await publicKeyOf(vendor.root.certificate);
    expect(await key.verify(ECDSA, document.signature, fromUtf8(document.body))).toBe(true);
  });
});

describe("simulated collateral", () => {
  it.each(["sgx", "tdx"] as const)("%s: bag, collateral JSON and responses hold the same", async (tee) => {
    const collateral = await vendor.collateral(platform, tee);
    const bag = toEndorsements(collateral);
    const fromJson = readEndorsement({ name: "json", bytes: fromUtf8(toCollateralJson(collateral)) });
    const responses = toPcsResponses(collateral);
    const fromResponses = mergeEndorsements(
      ...responses.map(({ url, body }) => readEndorsement({ name: url, bytes: body })),
    );
    for (const read of [fromJson, fromResponses]) {
      expect(read.documents).toEqual(bag.documents);
      expect(new Set(read.crls.map(({ der }) => toHex(der)))).toEqual(
        new Set(bag.crls.map(({ der }) => toHex(der))),
      );
    }
    const chains = responses.flatMap(({ headers }) => Object.values(headers)).map(decodeURIComponent);
    const certificates = new Set(chains.flatMap(parsePem).map(({ der }) => toHex(der)));
    expect(certificates).toEqual(new Set(bag.certificates.map(({ der }) => toHex(der))));
    expect(new Set(fromJson.certificates.map(({ der }) => toHex(der)))).toEqual(certificates);
    expect(responses.map(({ url }) => new URL(url).pathname)).toContain(`/${tee}/certification/v4/tcb`);
  });

  it("leaves out what is replaced by nothing", async () => {
    const nothing = { rootCrl: undefined, pckCrl: undefined, tcbInfo: undefined, qeIdentity: undefined };
    const collateral = await vendor.collateral(platform, "sgx", nothing);
    expect(toEndorsements(collateral)).toMatchObject({ crls: [], documents: [] });
    expect(toPcsResponses(collateral)).toEqual([]);
    expect(Object.keys(parseJson(toCollateralJson(collateral)) as object)).not.toContain("pck_crl");
  });

  it.each([
    ["empty", new Uint8Array(0)],
    ["cut", crl.subarray(0, 60)],
    ["followed by a byte", concat(crl, Uint8Array.of(0))],
  ])("an unparsable CRL is an error, never no revocations: %s", async (_, rootCrl) => {
    await expect(vendor.endorsements(platform, "sgx", { rootCrl })).rejects.toMatchObject({
      category: "malformed",
    });
    expect(() => readEndorsement({ name: "root.crl", bytes: rootCrl })).toThrow(
      expect.objectContaining({ code: "UNKNOWN_ENDORSEMENT", category: "malformed" }),
    );
  });
});
