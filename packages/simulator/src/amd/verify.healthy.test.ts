// SPDX-License-Identifier: Apache-2.0
// The SNP verifier against the simulated AMD: what is healthy verifies, and findings are warnings.

import { concat, toHex } from "@adyton/core/bytes";
import { assertVerified, detectTee, verifyEvidence } from "@adyton/evidence";
import {
  encodeCertificateTable,
  encodePlatformInfo,
  encodePolicy,
  encodeReport,
  encodeTcbVersion,
  parsePlatformInfo,
  parsePolicy,
  parseReport,
  type TcbVersion,
  VMPL_HOST,
} from "@adyton/evidence/snp";
import { describe, expect, it } from "vitest";
import { AT, after, type Case, createAmdScene } from "../../test/amd-scene.ts";
import type { AmdVendor } from "./vendor.ts";

const scene = await createAmdScene();
const { milan, genoa, turin, venice, platform } = scene;
const SVNS = { bootloader: 4, tee: 1, snp: 24, microcode: 219 } as const;

describe("what is healthy verifies", () => {
  const products: readonly (readonly [string, AmdVendor, number])[] = [
    ["Milan", milan, 0x01],
    ["Genoa", genoa, 0x11],
    ["Genoa (Bergamo, Siena)", genoa, 0xa0],
    ["Turin", turin, 0x02],
    ["Venice", venice, 0x50],
  ];
  const cases = products.flatMap(([name, vendor, model]) =>
    ([2, 3, 4, 5] as const).flatMap((version) =>
      (["VCEK", "VLEK"] as const).map((signer) => [name, version, signer, vendor, model] as const),
    ),
  );
  it.each(cases)("%s, version %i, %s", async (_name, version, signer, vendor, model) => {
    const { family } = vendor.product;
    const machine = await vendor.platform({ cpuid: { family, model, stepping: 1 } });
    const evidence = await machine.report({ version, signer });
    expect(detectTee(evidence)).toBe("snp");
    expect(toHex(encodeReport(parseReport(evidence)))).toBe(toHex(evidence));
    const verified = await scene.verify({ vendor, platform: machine, evidence: () => evidence });
    assertVerified(verified);
    expect(verified.trust).toMatchObject({ simulated: true, root: vendor.ark.certificate.subject.text });
    expect(verified.warnings.map(({ code }) => code)).toEqual(["SIMULATED", "REVOCATION_UNCHECKED"]);
    expect(verified.tcb.components.reported?.svn).toEqual(machine.tcb);
    expect(verified.claims).toMatchObject({
      version,
      product: vendor.product.name,
      signing_key: signer,
      ...(signer === "VLEK" ? { csp_id: "CN=simulator.adyton.invalid" } : { chip_id: toHex(machine.chipId) }),
      ...(version >= 3 ? { cpuid_family: family, cpuid_model: model } : {}),
      ...(version >= 5 ? { launch_mit_vector: "0000000000000000" } : {}),
      ...("fmc" in machine.tcb ? { reported_tcb_fmc: 1 } : {}),
    });
  });

  it("with hwID in an OCTET STRING, with SPLs above 127, and as an extended report", async () => {
    for (const vendor of [milan, turin]) {
      const fmc = vendor === turin ? { fmc: 128 } : {};
      const machine = await vendor.platform({ hwIdForm: "octetString", tcb: { ...SVNS, ...fmc, snp: 255 } });
      const evidence = await machine.extendedReport();
      expect(detectTee(evidence)).toBe("snp");
      const verified = await verifyEvidence(evidence, { now: AT, roots: [vendor.ark.certificate] });
      expect(verified.claims).toMatchObject({ reported_tcb_snp: 255 });
    }
  });

  it("with a masked chip id", async () => {
    const verified = await scene.verify({
      report: {
        chipId: new Uint8Array(64),
        keyInfo: { authorKeyEnabled: false, maskChipKey: true, signingKey: 0 },
      },
    });
    expect(verified.claims.mask_chip_key).toBe(true);
    expect(verified.explanation).toContain("The chip id is masked.");
  });

  it("with a CRL that does not list its issuer", async () => {
    const revoked = [milan.asvk.certificate, "0123"];
    const crl = await milan.crl({ revoked });
    const verified = await scene.verify({ crl, options: { requireRevocation: true } });
    expect(verified.endorsements.revocation).toBe("checked");
    expect(verified.endorsements.earliestExpiry).toBe(after(29).toISOString());
    expect(verified.warnings.map(({ code }) => code)).toEqual(["SIMULATED"]);
  });

  it("with a CRL in the certificate table", async () => {
    const table = encodeCertificateTable([
      { kind: "VCEK", data: platform.vcek.certificate.der },
      { kind: "ASK", data: milan.ask.certificate.der },
      { kind: "ARK", data: milan.ark.certificate.der },
      { kind: "CRL", data: await milan.crl() },
    ]);
    const options = { now: AT, roots: [milan.ark.certificate], requireRevocation: true };
    const verified = await verifyEvidence(concat(await platform.report(), table), options);
    expect(verified.endorsements.revocation).toBe("checked");
  });

  it("with another issuer's CRL, which is none", async () => {
    const verified = await scene.verify({ crl: await genoa.crl() });
    expect(verified.endorsements.revocation).toBe("unchecked");
  });

  it("whichever VCEK of the bag is its own: renewed, of an older TCB, of another chip", async () => {
    const older = await milan.platform({
      chipId: platform.chipId,
      tcb: { ...SVNS, microcode: 218 },
    });
    const expired = await milan.platform({
      chipId: platform.chipId,
      vcek: { key: platform.vcek.key, notAfter: after(-1) },
    });
    const other = await milan.platform();
    const keys = [older, expired, other, platform].map(({ vcek }) => vcek.certificate);
    await scene.verify({ keys });
    const impostor = await milan.platform({ chipId: platform.chipId });
    await scene.verify({ keys: [impostor.vcek.certificate, ...keys] });
  });

  it("a debug policy is reported, not refused", async () => {
    const policy = encodePolicy({ ...parsePolicy(0n), debugAllowed: true });
    const verified = await scene.verify({ report: { policy } });
    expect(verified.debug).toBe(true);
    expect(verified.claims.policy_debug_allowed).toBe(true);
  });
});

describe("findings are warnings", () => {
  const lower = (change: Partial<TcbVersion>): Uint8Array => encodeTcbVersion({ ...SVNS, ...change });
  it.each<readonly [string, NonNullable<Case["report"]>]>([
    ["REPORTED_TCB_BELOW_CURRENT", { currentTcb: lower({ snp: 25, microcode: 0 }) }],
    ["REPORTED_TCB_BELOW_COMMITTED", { committedTcb: lower({ tee: 2 }), currentTcb: lower({ tee: 2 }) }],
    ["CURRENT_TCB_BELOW_COMMITTED", { currentTcb: lower({ bootloader: 3 }) }],
    ["UNKNOWN_POLICY_BITS", { policy: encodePolicy(parsePolicy(0n)) | (1n << 26n) }],
    ["UNKNOWN_POLICY_BITS", { policy: encodePolicy(parsePolicy(0n)) | (1n << 63n) }],
    ["UNKNOWN_PLATFORM_INFO_BITS", { platformInfo: encodePlatformInfo(parsePlatformInfo(0n)) | (1n << 8n) }],
    ["HOST_REQUESTED", { vmpl: VMPL_HOST }],
  ])("%s", async (code, report) => {
    const { warnings } = await scene.verify({ report });
    expect(warnings.map((warning) => warning.code)).toContain(code);
  });
});
