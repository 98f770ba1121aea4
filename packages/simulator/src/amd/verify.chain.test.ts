// SPDX-License-Identifier: Apache-2.0
// The SNP verifier against the simulated AMD: chains, roles, dates, signature parameters, revocation.

import { createCache } from "@adyton/evidence";
import { describe, expect, it } from "vitest";
import { AT, after, type Case, createAmdScene } from "../../test/amd-scene.ts";

const scene = await createAmdScene();
const { milan, genoa, venice, platform } = scene;

describe("what must be refused: the chain", () => {
  const pss = { name: "RSA-PSS", hash: "SHA-384" } as const;
  const OTHER_ALGORITHMS = [
    ["PSS with salt 32", { ...pss, saltLength: 32 }],
    ["PSS with SHA-256", { name: "RSA-PSS", hash: "SHA-256", saltLength: 48 }],
    ["PKCS #1 v1.5", { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" }],
  ] as const;

  it.each(OTHER_ALGORITHMS)("%s in VCEK, ASK and ARK", async (_name, algorithm) => {
    const own = await milan.platform({ vcek: { algorithm } });
    const expected = ["UNSUPPORTED_ALGORITHM", "not-authentic"];
    expect(await scene.refusal({ platform: own })).toEqual(expected);
    for (const change of [{ ask: { algorithm } }, { ark: { algorithm } }]) {
      expect(await scene.refusal({ vendor: await milan.recertify(change) })).toEqual(expected);
    }
  });

  it.each([
    ["expired", { notBefore: after(-9), notAfter: after(-1) }, "CERTIFICATE_EXPIRED"],
    ["not valid yet", { notBefore: after(1) }, "CERTIFICATE_NOT_YET_VALID"],
  ])("VCEK, VLEK, ASK, ASVK and ARK: %s", async (_name, change, code) => {
    const expected = [code, "endorsements"];
    const own = await milan.platform({ vcek: change, vlek: change });
    for (const signer of ["VCEK", "VLEK"] as const) {
      expect(await scene.refusal({ platform: own, report: { signer } })).toEqual(expected);
      for (const ca of ["ask", "asvk", "ark"] as const) {
        if (ca === (signer === "VCEK" ? "asvk" : "ask")) continue;
        const vendor = await milan.recertify({ [ca]: change });
        expect(await scene.refusal({ vendor, report: { signer } })).toEqual(expected);
      }
    }
  });

  it.each([
    ["ASK that is no CA", { ask: { ca: undefined } }, "NOT_A_CA"],
    ["ASK that may not sign certificates", { ask: { keyUsage: [0] } }, "KEY_USAGE"],
    ["ARK that is no CA", { ark: { ca: undefined } }, "NOT_A_CA"],
    ["ARK that allows no CA below it", { ark: { ca: { pathLength: 0 } } }, "PATH_LENGTH_EXCEEDED"],
    [
      "ASK with an unknown critical extension",
      { ask: { extensions: [{ oid: "1.2.3.4", critical: true, value: new Uint8Array() }] } },
      "UNKNOWN_CRITICAL_EXTENSION",
    ],
  ])("%s", async (_name, change, code) => {
    const vendor = await milan.recertify(change);
    expect(await scene.refusal({ vendor })).toEqual([code, "not-authentic"]);
  });

  it("a root that nobody named, a foreign root with the same name, no root", async () => {
    expect(await scene.refusal({ options: { roots: [] } })).toEqual(["ROOT_NOT_TRUSTED", "not-authentic"]);
    const foreign = await genoa.recertify({ product: "Milan", ark: { key: milan.ask.key } });
    expect(await scene.refusal({ options: { roots: [foreign.ark.certificate] } })).toEqual([
      "ROOT_NOT_TRUSTED",
      "not-authentic",
    ]);
    const { certificates } = milan.endorsements(platform.vcek.certificate);
    const rootless = certificates.filter((certificate) => certificate !== milan.ark.certificate);
    const endorsements = { certificates: rootless, crls: [], documents: [] };
    expect(await scene.refusal({ endorsements, options: { roots: [] } })).toEqual([
      "NO_TRUST_ANCHOR",
      "endorsements",
    ]);
    await scene.verify({ endorsements });
  });

  it.each([
    ["VCEK", "VCEK_MISSING"],
    ["VLEK", "VLEK_MISSING"],
  ] as const)("no %s", async (signer, code) => {
    const refusal = await scene.refusal({ keys: [], report: { signer } });
    expect(refusal).toEqual([code, "endorsements"]);
  });

  it("Venice without its root named: nobody has published one", async () => {
    const refusal = await scene.refusal({ vendor: venice, options: { roots: [] } });
    expect(refusal).toEqual(["ROOT_NOT_TRUSTED", "not-authentic"]);
  });

  it.each([
    [
      "VCEK by the ASVK",
      "VCEK",
      () => milan.platform({ vcek: { issuer: milan.asvk } }),
      "SIGNER_KEY_MISMATCH",
    ],
    ["VLEK by the ASK", "VLEK", () => milan.platform({ vlek: { issuer: milan.ask } }), "SIGNER_KEY_MISMATCH"],
    ["VCEK by the ARK", "VCEK", () => milan.platform({ vcek: { issuer: milan.ark } }), "SIGNER_KEY_MISMATCH"],
    ["VLEK by the ARK", "VLEK", () => milan.platform({ vlek: { issuer: milan.ark } }), "SIGNER_KEY_MISMATCH"],
  ] as const)("%s", async (_name, signer, make, code) => {
    const own = await make();
    expect(await scene.refusal({ platform: own, report: { signer } })).toEqual([code, "not-authentic"]);
  });

  it("VCEK of Milan under Genoa's ASK", async () => {
    const own = await milan.platform({ vcek: { issuer: genoa.ask } });
    const endorsements = genoa.endorsements(own.vcek.certificate);
    const roots = [genoa.ark.certificate];
    expect(await scene.refusal({ platform: own, endorsements, options: { roots } })).toEqual([
      "PRODUCT_MISMATCH",
      "not-authentic",
    ]);
  });

  it("ASK of Milan under Genoa's root", async () => {
    const vendor = await milan.recertify({ ask: { issuer: genoa.ark } });
    const endorsements = vendor.endorsements(genoa.ark.certificate, platform.vcek.certificate);
    const roots = [genoa.ark.certificate];
    expect(await scene.refusal({ endorsements, options: { roots } })).toEqual([
      "PRODUCT_MISMATCH",
      "not-authentic",
    ]);
  });

  it("a VCEK that the ASK did not sign", async () => {
    const own = await milan.platform({ vcek: { issuer: { name: milan.ask.name, key: milan.asvk.key } } });
    expect(await scene.refusal({ platform: own })).toEqual(["CERTIFICATE_SIGNATURE", "not-authentic"]);
  });
});

describe("what must be refused: revocation", () => {
  it("a revoked ASK or ASVK", async () => {
    for (const [signer, ca] of [["VCEK", milan.ask] as const, ["VLEK", milan.asvk] as const]) {
      const crl = await milan.crl({ revoked: [ca.certificate] });
      expect(await scene.refusal({ crl, report: { signer } })).toEqual(["ASK_REVOKED", "not-authentic"]);
    }
  });

  it("no CRL where revocation must be checked, the cache notwithstanding", async () => {
    const cache = createCache();
    await scene.verify({ options: { cache } });
    expect(await scene.refusal({ options: { cache, requireRevocation: true } })).toEqual([
      "CRL_MISSING",
      "endorsements",
    ]);
  });

  it.each([
    [
      "expired",
      () => milan.crl({ thisUpdate: after(-9), nextUpdate: after(-1) }),
      "CRL_EXPIRED",
      "endorsements",
    ],
    ["not valid yet", () => milan.crl({ thisUpdate: after(1) }), "CRL_NOT_YET_VALID", "endorsements"],
    [
      "by the ASK in the ARK's name",
      () => milan.crl({ issuer: { name: milan.ark.name, key: milan.ask.key } }),
      "CRL_UNKNOWN_ISSUER",
      "not-authentic",
    ],
  ])("a CRL that is %s is never taken for none", async (_name, make, code, category) => {
    expect(await scene.refusal({ crl: await make() })).toEqual([code, category]);
  });

  it("a CRL with a broken signature", async () => {
    const crl = await milan.crl();
    crl[crl.length - 1] = (crl[crl.length - 1] ?? 0) ^ 1;
    expect(await scene.refusal({ crl })).toEqual(["CRL_SIGNATURE", "not-authentic"]);
  });

  it("a root that may not sign CRLs", async () => {
    const vendor = await milan.recertify({ ark: { keyUsage: [5] } });
    expect(await scene.refusal({ vendor, crl: await vendor.crl() })).toEqual(["KEY_USAGE", "not-authentic"]);
  });

  it("an ASK that a newer CRL revokes, the cache notwithstanding", async () => {
    const older = await milan.crl();
    const newer = await milan.crl({ thisUpdate: after(3), revoked: [milan.ask.certificate] });
    const endorsements = milan.endorsements(platform.vcek.certificate, older, newer);
    const cache = createCache();
    const at = (now: Date): Case => ({ endorsements, options: { cache, now } });
    await scene.verify(at(AT));
    await scene.verify(at(after(2)));
    expect(await scene.refusal(at(after(3)))).toEqual(["ASK_REVOKED", "not-authentic"]);
  });
});
