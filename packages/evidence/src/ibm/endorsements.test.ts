// SPDX-License-Identifier: Apache-2.0
// Host-key documents: s390-tools' own test PKI, good and bad, as a table.

import { toHex } from "@adyton/core/bytes";
import { verifyingCrypto } from "@adyton/core/crypto";
import type { Certificate } from "@adyton/core/x509";
import { codeOfAsync, fixtureBytes, hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { mergeEndorsements } from "../bag.ts";
import { readEndorsement } from "../endorsements.ts";
import { assertHostKey, isHostKeyDocument, phkhOf, verifyHostKeyDocument } from "./endorsements.ts";
import { isSameService, isSigningServiceName } from "./names.ts";

const AT = new Date("2026-01-01T00:00:00Z");
const CHAIN = ["ibm.crt", "inter_ca.crt", "root_ca.crt", "ibm.crl", "inter_ca.crl", "root_ca.crl"];

async function load(...names: readonly string[]) {
  const files = names.map(async (name) =>
    readEndorsement({ name, bytes: await fixtureBytes(`ibm-se/pv/cert/${name}`) }),
  );
  return mergeEndorsements(...(await Promise.all(files)));
}

async function certificate(name: string): Promise<Certificate> {
  const [first] = (await load(name)).certificates;
  if (first === undefined) throw new Error(name);
  return first;
}

/** The usual chain with some files left out and others put in. */
async function verify(
  host: string,
  change: {
    readonly without?: readonly string[];
    readonly more?: readonly string[];
    readonly at?: Date;
  } = {},
) {
  const { without = [], more = [], at = AT } = change;
  const { certificates, crls } = await load(...CHAIN.filter((name) => !without.includes(name)), ...more);
  return verifyHostKeyDocument(await certificate(host), {
    now: at,
    certificates,
    crls,
    roots: [await certificate("root_ca.crt")],
    crypto: verifyingCrypto,
  });
}

describe.skipIf(!hasFixtures)("host-key documents", () => {
  it.each([
    ["host.crt", {}],
    ["host2.crt", {}],
    ["host_uri_na.crt", {}],
    ["host.crt", { without: ["ibm.crt", "ibm.crl"], more: ["der.crt", "der.crl"] }],
    ["host.crt", { without: ["ibm.crt", "inter_ca.crt"], more: ["ibm.chained.crt", "inter_ca.chained.crt"] }],
    ["host.crt", { without: ["root_ca.crl"], more: ["root_ca.chained.crt"] }],
    ["host.crt", { without: ["ibm.crt"], more: ["ibm_armonk.crt"] }],
    ["host.crt", { without: ["ibm.crt", "ibm.crl"], more: ["ibm_armonk.crt", "ibm_armonk.crl"] }],
    ["host_armonk.crt", { without: ["ibm.crt", "ibm.crl"], more: ["ibm_armonk.crt", "ibm_armonk.crl"] }],
    ["host_armonk.crt", {}],
    ["host.crt", { more: ["ibm_expired.crt", "ibm_rev.crt", "ibm_wrong_subject.crt"] }],
    ["host.crt", { more: ["ibm_outdated_early.crl", "ibm_outdated_late.crl", "ibm_invalid_hash.crl"] }],
    ["host.crt", { more: ["fake_ibm.crt", "fake_root_ca.crt", "fake_inter_ca.crt"] }],
  ] as const)("%s verifies with %j", async (host, change) => {
    const hostKey = await verify(host, change);
    expect(() => assertHostKey(hostKey)).not.toThrow();
    expect(hostKey.certificates).toHaveLength(4);
    expect(hostKey.crls).toHaveLength(3);
    expect(hostKey.trust.simulated).toBe(true);
    expect(hostKey.validUntil.getUTCFullYear()).toBe(2388);
    expect(toHex(hostKey.phkh)).toBe(toHex(await phkhOf(hostKey.document.spki, verifyingCrypto)));
  });

  it.each([
    ["host_rev.crt", {}, "CERTIFICATE_REVOKED"],
    ["host_crt_expired.crt", {}, "CERTIFICATE_EXPIRED"],
    ["host.crt", { at: new Date("2024-01-01T00:00:00Z") }, "CERTIFICATE_NOT_YET_VALID"],
    ["host.crt", { at: new Date(Number.NaN) }, "INVALID_TIME"],
    [
      "host_invalid_signing_key.crt",
      { more: ["ibm_wrong_subject.crt", "ibm_wrong_subject.crl"] },
      "ISSUER_NOT_FOUND",
    ],
    ["host.crt", { without: ["ibm.crt"] }, "ISSUER_NOT_FOUND"],
    ["host.crt", { without: ["ibm.crt"], more: ["ibm_wrong_subject.crt"] }, "ISSUER_NOT_FOUND"],
    ["host.crt", { without: ["ibm.crt"], more: ["ibm_rev.crt"] }, "CERTIFICATE_REVOKED"],
    ["host.crt", { without: ["ibm.crt"], more: ["ibm_expired.crt"] }, "CERTIFICATE_EXPIRED"],
    ["host.crt", { without: ["ibm.crt"], more: ["fake_ibm.crt"] }, "CERTIFICATE_SIGNATURE"],
    ["fake_host.crt", {}, "CERTIFICATE_SIGNATURE"],
    ["host.crt", { without: ["inter_ca.crt"] }, "ISSUER_NOT_FOUND"],
    ["host.crt", { without: ["inter_ca.crt"], more: ["fake_inter_ca.crt"] }, "CERTIFICATE_SIGNATURE"],
    ["host.crt", { without: ["ibm.crl"] }, "CRL_MISSING"],
    ["host.crt", { without: ["inter_ca.crl"] }, "CRL_MISSING"],
    ["host.crt", { without: ["root_ca.crl"] }, "CRL_MISSING"],
    ["host.crt", { without: ["ibm.crl"], more: ["ibm_outdated_early.crl"] }, "CRL_NOT_YET_VALID"],
    ["host.crt", { without: ["ibm.crl"], more: ["ibm_outdated_late.crl"] }, "CRL_EXPIRED"],
    ["host.crt", { without: ["ibm.crl"], more: ["ibm_invalid_hash.crl"] }, "CRL_SIGNATURE"],
    ["host.crt", { without: ["ibm.crl"], more: ["ibm_wrong_issuer.crl"] }, "CRL_MISSING"],
    ["host.crt", { without: ["ibm.crl"], more: ["ibm_wrong_subject.crl"] }, "CRL_MISSING"],
    ["host.crt", { without: ["inter_ca.crl"], more: ["inter_ca.invalid_date.crl"] }, "CRL_EXPIRED"],
    ["host.crt", { without: ["inter_ca.crl"], more: ["inter_ca.invalid_signer.crl"] }, "CRL_UNKNOWN_ISSUER"],
    ["host.crt", { without: ["root_ca.crl"], more: ["fake_root_ca.crl"] }, "CRL_UNKNOWN_ISSUER"],
    ["ibm.crt", {}, "INVALID_SE_HOST_KEY"],
  ] as const)("%s is refused with %j: %s", async (host, change, code) => {
    expect(await codeOfAsync(() => verify(host, change))).toBe(code);
  });

  it("only the pinned root and named ones anchor", async () => {
    const { certificates, crls } = await load(...CHAIN);
    const options = { now: AT, certificates, crls, roots: [], crypto: verifyingCrypto };
    const document = await certificate("host.crt");
    expect(await codeOfAsync(() => verifyHostKeyDocument(document, options))).toBe("NO_TRUST_ANCHOR");
    const roots = [await certificate("fake_root_ca.crt")];
    expect(await codeOfAsync(() => verifyHostKeyDocument(document, { ...options, roots }))).toBe(
      "ROOT_NOT_TRUSTED",
    );
  });

  it("a verified host key cannot be made up", async () => {
    const hostKey = await verify("host.crt");
    expect(await codeOfAsync(async () => assertHostKey({ ...hostKey }))).toBe("NOT_VERIFIED");
  });

  it("the service's name is known in each of its forms, and no other", async () => {
    const names = await Promise.all(
      ["ibm.crt", "ibm_armonk.crt", "ibm_wrong_subject.crt", "inter_ca.crt"].map(certificate),
    );
    expect(names.map(({ subject }) => isSigningServiceName(subject))).toEqual([true, true, false, false]);
    const [ibm, armonk, wrong] = names.map(({ subject }) => subject);
    if (ibm === undefined || armonk === undefined || wrong === undefined) throw new Error("names");
    expect(isSameService(ibm, armonk)).toBe(true);
    expect(isSameService(ibm, wrong)).toBe(false);
    expect(isHostKeyDocument(await certificate("host.crt"))).toBe(true);
    expect(isHostKeyDocument(await certificate("ibm.crt"))).toBe(false);
  });
});
