// SPDX-License-Identifier: Apache-2.0
// The verifier of NVIDIA's reports against the simulated NVIDIA, check by check.

import { type Bytes, toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { encodeDer } from "@adyton/core/der";
import { AdytonError } from "@adyton/core/errors";
import type { Certificate } from "@adyton/core/x509";
import {
  detectTee,
  schemeOf,
  type VerifiedEvidence,
  type VerifyOptions,
  verifyEvidence,
} from "@adyton/evidence";
import { readEndorsement } from "@adyton/evidence/endorsements";
import { OCSP_KIND, parseNvidiaReport } from "@adyton/evidence/nvidia";
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAuthority, simulatorName } from "../intel/authority.ts";
import {
  createNvidiaVendor,
  type NvidiaDevice,
  type NvidiaReportOptions,
  type NvidiaVendor,
} from "./vendor.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const after = (days: number): Date => new Date(AT.getTime() + days * 24 * 60 * 60 * 1000);

const vendor = await createNvidiaVendor({ at: AT });
const gpu = await vendor.device();

/** How a case differs from health. */
interface Case {
  readonly vendor?: NvidiaVendor;
  readonly device?: NvidiaDevice;
  readonly report?: NvidiaReportOptions;
  readonly certificates?: readonly Certificate[];
  readonly crls?: readonly Bytes[];
  readonly ocsp?: readonly Bytes[];
  readonly options?: Partial<VerifyOptions>;
}

async function verify(change: Case = {}): Promise<VerifiedEvidence> {
  const { vendor: from = vendor, device = gpu, certificates = device.chain.slice(0, 2) } = change;
  const { crls = [], ocsp = [] } = change;
  return verifyEvidence(await device.report(change.report), {
    now: AT,
    roots: [from.root.certificate],
    endorsements: from.endorsements({ certificates, crls, ocsp }),
    ...change.options,
  });
}

async function refusal(change: Case): Promise<readonly [string, string]> {
  try {
    await verify(change);
    return ["", ""];
  } catch (error) {
    if (error instanceof AdytonError) return [error.code, error.category];
    throw error;
  }
}

describe("a healthy device", () => {
  it("verifies, is simulated, and says so", async () => {
    const nonce = defaultCrypto.randomBytes(32);
    const verified = await verify({ report: { nonce }, options: { reportData: nonce } });
    expect(verified).toMatchObject({ tee: "nvidia", kind: "gpu", trust: { simulated: true } });
    expect(verified.claims).toMatchObject({
      arch: "Hopper",
      chip: "GH100",
      nonce: toHex(nonce),
      measurements: { 1: "00".repeat(48), 64: "3f".repeat(48) },
      config: { driver_version: "570.0.0", vbios_version: "96.00.9f.00.01", fwid: toHex(gpu.fwid) },
    });
    expect(verified.warnings.map(({ code }) => code)).toEqual([
      "SIMULATED",
      "REVOCATION_UNCHECKED",
      "DEBUG_UNKNOWN",
    ]);
    expect(verified.explanation).toHaveLength(5);
  });

  it.each([
    ["GB100", "Blackwell", "gpu"],
    ["GB202", "Blackwell", "gpu"],
    ["LS10", "LS10", "switch"],
  ])("%s is a %s %s", async (chip, arch, kind) => {
    const other = await createNvidiaVendor({ at: AT, chip });
    const verified = await verify({ vendor: other, device: await other.device() });
    expect(verified).toMatchObject({ kind, claims: { arch, chip } });
  });

  it("with its firmware digest in a DiceTcbInfo", async () => {
    await verify({ device: await vendor.device({ fwidForm: "tcb-info" }) });
  });

  it("is found among others with the same firmware", async () => {
    const twin = await vendor.device({ fwid: gpu.fwid });
    const certificates = [...twin.chain.slice(0, 2), ...gpu.chain.slice(0, 2)];
    const both = [await verify({ certificates }), await verify({ device: twin, certificates })];
    expect(new Set(both.map(({ device }) => device)).size).toBe(2);
  });

  it("may say what nobody here knows, which is a warning", async () => {
    const { opaque } = parseNvidiaReport(await gpu.report());
    const unknown = { type: 99, data: Uint8Array.of(1, 2) };
    const verified = await verify({ report: { opaque: [...opaque, unknown] } });
    expect(verified.claims).toMatchObject({ config: { unknown_99: "0102" } });
    expect(verified.warnings.map(({ code }) => code)).toContain("UNKNOWN_OPAQUE_FIELDS");
  });

  it("may have one stray byte after its signature, which is a warning", async () => {
    const verified = await verify({ report: { trailing: new Uint8Array(1) } });
    expect(verified.warnings.map(({ code }) => code)).toContain("TRAILING_BYTES");
  });
});

describe("what must be refused: the report", () => {
  const fwid = (data: Uint8Array): NvidiaReportOptions => ({ opaque: [{ type: 20, data }] });
  it.each<readonly [string, NvidiaReportOptions, string]>([
    ["a newer SPDM version", { edit: (b) => b.set([0x12]) }, "INVALID_NVIDIA_REPORT"],
    ["another protocol", { edit: (b) => b.set([0x21]) }, "UNKNOWN_EVIDENCE"],
    ["no signature asked for", { edit: (b) => b.set([0], 2) }, "INVALID_NVIDIA_REPORT"],
    ["one measurement asked for", { edit: (b) => b.set([1], 3) }, "INVALID_NVIDIA_REPORT"],
    ["another slot than asked for", { responseParam2: 1 }, "INVALID_NVIDIA_REPORT"],
    ["another block count", { edit: (b) => b.set([63], 41) }, "TRAILING_BYTES"],
    ["a record too long", { edit: (b) => b.set([1], 44) }, "OUT_OF_BOUNDS"],
    ["a measurement in another form", { edit: (b) => b.set([2], 46) }, "INVALID_NVIDIA_REPORT"],
    ["a value too short for its block", { edit: (b) => b.set([47], 50) }, "TRAILING_BYTES"],
    [
      "a measurement twice",
      { measurements: [1, 1].map((index) => ({ index, type: 1, value: new Uint8Array(48) })) },
      "INVALID_NVIDIA_REPORT",
    ],
    [
      "a field twice",
      { opaque: [1, 1].map((type) => ({ type, data: new Uint8Array(1) })) },
      "INVALID_NVIDIA_REPORT",
    ],
    ["no firmware digest", { opaque: [] }, "NVIDIA_FWID_MISMATCH"],
    ["another firmware digest", fwid(new Uint8Array(48)), "NVIDIA_FWID_MISMATCH"],
    ["a firmware digest cut short", fwid(gpu.fwid.subarray(0, 47)), "NVIDIA_FWID_MISMATCH"],
    ["the boot ROM's signature", { key: gpu.bootRom.key }, "INVALID_NVIDIA_SIGNATURE"],
    ["two stray bytes", { trailing: new Uint8Array(2) }, "TRAILING_BYTES"],
  ])("%s", async (_name, report, code) => {
    expect((await refusal({ report }))[0]).toBe(code);
  });

  it.each<readonly [string, number, Uint8Array]>([
    ["text that is not printable", 3, Uint8Array.of(0x35, 7)],
    ["text after its end", 3, Uint8Array.of(0x35, 0, 0x35)],
    ["a BIOS version of no bytes", 6, new Uint8Array()],
    ["a BIOS version of an odd size", 6, new Uint8Array(7)],
    ["counts cut short", 12, new Uint8Array(7)],
    ["a switch's id cut short", 22, new Uint8Array(7)],
    ["a number too wide", 34, new Uint8Array(9)],
    ["a number too large", 34, new Uint8Array(8).fill(255)],
  ])("%s", async (_name, type, data) => {
    const opaque = [{ type: 20, data: gpu.fwid }].concat({ type, data });
    expect(await refusal({ report: { opaque } })).toEqual(["INVALID_NVIDIA_REPORT", "malformed"]);
  });

  it("fields are shown as NVIDIA shows them", async () => {
    const opaque = [
      { type: 20, data: gpu.fwid },
      { type: 22, data: new Uint8Array(16).fill(7) },
      { type: 34, data: Uint8Array.of(1, 1) },
      { type: 36, data: Uint8Array.of(2) },
    ];
    expect((await verify({ report: { opaque } })).claims.config).toEqual({
      fwid: toHex(gpu.fwid),
      switch_pdi: ["07".repeat(8), "07".repeat(8)],
      opaque_data_version: 257,
      feature_flag: "PPCIE",
    });
  });

  it("any bytes give typed errors only", async () => {
    const healthy = await gpu.report();
    fc.assert(
      fc.property(fc.nat(healthy.length - 1), fc.uint8Array({ maxLength: 64 }), (at, noise) => {
        const bytes = Uint8Array.from(healthy);
        bytes.set(noise.subarray(0, bytes.length - at), at);
        codeOf(() => schemeOf("nvidia").inspect(bytes));
        codeOf(() => schemeOf("nvidia").inspect(noise));
        codeOf(() => schemeOf("nvidia").inspect(bytes.subarray(0, at)));
      }),
    );
  });
});

describe("what must be refused: the certificates", () => {
  const extension = (...fwids: Uint8Array[]): Uint8Array =>
    encodeDer.sequence(
      encodeDer.explicit(
        6,
        ...fwids.map((digest) =>
          encodeDer.sequence(encodeDer.oid("2.16.840.1.101.3.4.2.2"), encodeDer.octetString(digest)),
        ),
      ),
    );
  const wrongHash = encodeDer.sequence(
    encodeDer.explicit(
      6,
      encodeDer.sequence(encodeDer.oid("2.16.840.1.101.3.4.2.1"), encodeDer.octetString(gpu.fwid)),
    ),
  );
  it.each([
    ["two firmware digests", extension(gpu.fwid, gpu.fwid)],
    ["no firmware digest", extension()],
    ["a digest of another hash", wrongHash],
    ["a digest of another size", extension(new Uint8Array(32))],
    ["no DER", Uint8Array.of(1, 2, 3)],
  ])("%s", async (_name, fwidExtension) => {
    const device = await vendor.device({ fwid: gpu.fwid, fwidExtension });
    expect(await refusal({ device })).toEqual(["INVALID_NVIDIA_CERTIFICATE", "not-authentic"]);
  });

  it.each([
    ["no firmware key's certificate", { certificates: [] }, "NVIDIA_CERTIFICATE_MISSING", "endorsements"],
    ["no boot ROM", { certificates: gpu.chain.slice(0, 1) }, "ISSUER_NOT_FOUND", "endorsements"],
    ["no root named", { options: { roots: [] } }, "NO_TRUST_ANCHOR", "endorsements"],
    ["a time that is none", { options: { now: new Date(Number.NaN) } }, "INVALID_TIME", "misuse"],
    [
      "after everything",
      { options: { now: new Date(Date.UTC(10000, 0)) } },
      "CERTIFICATE_EXPIRED",
      "endorsements",
    ],
    [
      "another nonce",
      { options: { reportData: new Uint8Array(32) } },
      "REPORT_DATA_MISMATCH",
      "not-authentic",
    ],
  ] as const)("%s", async (_name, change, code, category) => {
    expect(await refusal(change)).toEqual([code, category]);
  });

  it.each([
    ["a boot ROM that is no CA", { bootRom: { ca: undefined } }, "NOT_A_CA"],
    ["a boot ROM that may not certify", { bootRom: { keyUsage: [0] } }, "KEY_USAGE"],
    ["an expired boot ROM", { bootRom: { notAfter: after(-1) } }, "CERTIFICATE_EXPIRED"],
    ["an expired firmware key", { firmware: { notAfter: after(-1) } }, "CERTIFICATE_EXPIRED"],
    ["a firmware key by the provisioner's namesake", {}, "CERTIFICATE_SIGNATURE"],
  ])("%s", async (_name, change, code) => {
    const issuer = { name: gpu.bootRom.name, key: vendor.root.key };
    const firmware = code === "CERTIFICATE_SIGNATURE" ? { firmware: { issuer } } : {};
    const device = await vendor.device({ ...change, ...firmware });
    const certificates = [device.firmware.certificate, device.bootRom.certificate];
    expect((await refusal({ device, certificates }))[0]).toBe(code);
  });

  it("a chip that nobody knows, and chips that disagree", async () => {
    const other = await createNvidiaVendor({ at: AT, chip: "XX100" });
    expect((await refusal({ vendor: other, device: await other.device() }))[0]).toBe("UNKNOWN_PRODUCT");
    const device = await vendor.device({ bootRom: { subject: simulatorName("LS10 A01 GSP BROM") } });
    expect((await refusal({ device }))[0]).toBe("PRODUCT_MISMATCH");
  });

  it("a firmware key that is itself named as a root", async () => {
    const selfMade = await vendor.device({
      firmware: {
        issuer: { name: simulatorName("GH100 A01 GSP FMC LF"), key: gpu.bootRom.key },
        key: gpu.bootRom.key,
      },
      fwid: gpu.fwid,
    });
    const root = selfMade.firmware.certificate;
    const change = { device: selfMade, certificates: [root], options: { roots: [root] } };
    expect((await refusal(change))[0]).toBe("ROOT_NOT_TRUSTED");
  });
});

describe("revocation", () => {
  const { root, identity, provisioner } = vendor;
  const good = async (): Promise<Bytes[]> => [
    await vendor.ocsp(identity.certificate, root),
    await vendor.ocsp(provisioner.certificate, identity, { hash: "SHA-1" }),
    await vendor.ocsp(gpu.bootRom.certificate, provisioner, { hash: "SHA-256" }),
  ];

  it("is checked when every authority is spoken for, by OCSP or by CRL", async () => {
    const byOcsp = await verify({ ocsp: await good(), options: { requireRevocation: true } });
    expect(byOcsp.endorsements.revocation).toBe("checked");
    expect(byOcsp.endorsements.earliestExpiry).toBe(after(29).toISOString());
    const crls = [await vendor.crl(root), await vendor.crl(identity)];
    const [, , bootRom] = await good();
    const mixed = await verify({ crls, ocsp: bootRom === undefined ? [] : [bootRom] });
    expect(mixed.endorsements.revocation).toBe("checked");
    expect((await verify({ crls })).endorsements.revocation).toBe("unchecked");
    expect(await refusal({ crls, options: { requireRevocation: true } })).toEqual([
      "CRL_MISSING",
      "endorsements",
    ]);
  });

  it("answers are read out of files like any endorsement", async () => {
    const [bytes] = await good();
    if (bytes === undefined) throw new Error("no response");
    const read = readEndorsement({ name: "answer.ocsp", bytes });
    expect(read.vendorCertificates).toEqual([{ kind: OCSP_KIND, bytes }]);
  });

  it("an authority on a CRL is refused", async () => {
    const crls = [await vendor.crl(identity, { revoked: [provisioner.certificate] })];
    expect(await refusal({ crls })).toEqual(["CERTIFICATE_REVOKED", "not-authentic"]);
  });

  it.each([
    ["revoked", { status: { revoked: after(-9) } }, "CERTIFICATE_REVOKED", "not-authentic"],
    ["on hold", { status: { revoked: after(-9), reason: 6 } }, "CERTIFICATE_REVOKED", "not-authentic"],
    ["unknown to its issuer", { status: "unknown" }, "CERTIFICATE_REVOKED", "not-authentic"],
    ["good, long ago", { nextUpdate: after(-0.5) }, "INVALID_OCSP_RESPONSE", "endorsements"],
    ["good from tomorrow", { thisUpdate: after(1) }, "INVALID_OCSP_RESPONSE", "endorsements"],
    ["good until nobody knows", { nextUpdate: null }, "INVALID_OCSP_RESPONSE", "not-authentic"],
    ["good, says somebody else", { signer: root }, "INVALID_OCSP_RESPONSE", "not-authentic"],
    ["good, with a condition", { critical: "1.2.3.4" }, "INVALID_OCSP_RESPONSE", "malformed"],
  ] as const)("an authority is %s", async (_name, change, code, category) => {
    const ocsp = [await vendor.ocsp(provisioner.certificate, identity, change)];
    expect(await refusal({ ocsp })).toEqual([code, category]);
  });

  it("a younger good answer does not undo a revocation", async () => {
    const ocsp = [
      await vendor.ocsp(identity.certificate, root),
      await vendor.ocsp(identity.certificate, root, {
        status: { revoked: after(-9) },
        thisUpdate: after(-20),
      }),
    ];
    expect(await refusal({ ocsp })).toEqual(["CERTIFICATE_REVOKED", "not-authentic"]);
  });

  it("a responder must be certified for it", async () => {
    const make = (purpose: string, notAfter = after(9)) =>
      defaultCrypto.generateKey({ name: "EC", curve: "P-384" }).then((key) =>
        createAuthority(
          {
            subject: simulatorName("Simulated Responder"),
            extensions: [{ oid: "2.5.29.37", value: encodeDer.sequence(encodeDer.oid(purpose)) }],
          },
          { from: after(-9), until: notAfter },
          identity,
          { key },
          defaultCrypto,
        ),
      );
    const answer = async (signer: Awaited<ReturnType<typeof make>>): Promise<Bytes> =>
      vendor.ocsp(provisioner.certificate, identity, { signer, certificate: signer.certificate });
    const OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
    await verify({ ocsp: [await answer(await make(OCSP_SIGNING))] });
    for (const signer of [await make("1.3.6.1.5.5.7.3.1"), await make(OCSP_SIGNING, after(-1))])
      expect((await refusal({ ocsp: [await answer(signer)] }))[0]).toBe("INVALID_OCSP_RESPONSE");
  });

  it("an answer that is broken anywhere is refused or says the same", async () => {
    const [healthy] = await good();
    if (healthy === undefined) throw new Error("no response");
    for (let at = 0; at < healthy.length; at += 7) {
      const changed = Uint8Array.from(healthy);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      const [code] = await refusal({ ocsp: [changed] });
      // The responder's name and the id of another certificate are not looked at, or speak of something else.
      expect(["", "INVALID_OCSP_RESPONSE"]).toContain(code);
    }
    expect(await refusal({ ocsp: [healthy.subarray(0, 40)] })).toEqual([
      "INVALID_OCSP_RESPONSE",
      "malformed",
    ]);
    expect(await refusal({ ocsp: [encodeDer.sequence(encodeDer.enumerated(3))] })).toEqual([
      "INVALID_OCSP_RESPONSE",
      "malformed",
    ]);
  });
});

describe("the protocol's JSON", async () => {
  const evidence = await gpu.report();
  const endorsements = vendor.endorsements({ certificates: gpu.chain.slice(0, 2) });
  const scheme = schemeOf("nvidia");

  it("goes and comes back", async () => {
    const value = scheme.toKbs({ evidence, endorsements });
    expect(value).toMatchObject({ device_evidence_list: [{ arch: "HOPPER" }] });
    const back = scheme.fromKbs(value);
    expect(detectTee(back.evidence)).toBe("nvidia");
    await verifyEvidence(back.evidence, {
      now: AT,
      roots: [vendor.root.certificate],
      endorsements: back.endorsements ?? endorsements,
    });
  });

  it("takes hex too, splits lists, and refuses what is neither", () => {
    const value = scheme.toKbs({ evidence, endorsements }) as {
      device_evidence_list: [{ certificate: string }];
    };
    const [{ certificate }] = value.device_evidence_list;
    const device = { arch: "HOPPER", uuid: "1", evidence: toHex(evidence), certificate };
    expect(toHex(scheme.fromKbs({ device_evidence_list: [device] }).evidence)).toBe(toHex(evidence));
    const two = { device_evidence_list: [device, { ...device, uuid: "2" }] };
    expect(scheme.split?.(two)).toHaveLength(2);
    for (const bad of [
      two,
      null,
      {},
      { device_evidence_list: [] },
      { device_evidence_list: [1] },
      { device_evidence_list: [{ certificate }] },
      { device_evidence_list: Array.from({ length: 25 }, () => device) },
      { device_evidence_list: [{ ...device, evidence: "0".repeat(300_000) }] },
    ]) {
      expect(codeOf(() => scheme.fromKbs(bad))).toBe("INVALID_ENVELOPE");
    }
  });
});
