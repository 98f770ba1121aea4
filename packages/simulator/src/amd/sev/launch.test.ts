// SPDX-License-Identifier: Apache-2.0
// A launch from end to end: the owner verifies the platform, opens a session, checks the measurement, sends a secret.

import { fromBase64, fromUtf8, toHex, toUtf8 } from "@adyton/core/bytes";
import { assertVerified } from "@adyton/evidence";
import {
  createSevSession,
  packSevSecrets,
  parseSevPlatformCertificate,
  type SevLaunch,
  sevSessionFiles,
  type VerifySevLaunchOptions,
  verifySev,
  verifySevLaunch,
  verifySevPlatform,
} from "@adyton/evidence/sev";
import { codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { createSevVendor } from "./vendor.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const POLICY = 0x0f;
const vendor = await createSevVendor({ rsaBits: 2048 });
const machine = await vendor.machine();
const { anchors } = vendor;
const platform = await verifySevPlatform(vendor.endorsements(machine), { anchors });
const launchDigest = new Uint8Array(32).fill(0x11);
const launch: SevLaunch = { ...machine.firmware, policy: POLICY, launchDigest };
const secrets = [{ guid: "736869e5-84f0-4973-92ec-06879ce3da0b", data: fromUtf8("passphrase") }];

describe("a launch", async () => {
  const session = await createSevSession(platform, POLICY);
  const guest = await machine.launch(session, launchDigest);
  const options: VerifySevLaunchOptions = { now: AT, platform, launch, tik: session.keys.tik };

  it("is measured, verified as evidence, and given its secrets", async () => {
    const verified = await verifySevLaunch(guest.measurement, options);
    assertVerified(verified);
    expect(verified).toMatchObject({ tee: "sev", debug: false, at: AT });
    expect(verified.trust).toEqual(platform.trust);
    expect(verified.tcb.components.current?.svn).toEqual({ apiMajor: 1, apiMinor: 55, build: 22 });
    expect(verified.claims).toMatchObject({
      launch_digest: "11".repeat(32),
      api_major: 1,
      api_minor: 55,
      build: 22,
      policy: { es: true },
      platform: { ark_key_id: toHex(vendor.ark.keyId) },
    });
    expect(verified.warnings.map(({ code }) => code)).toEqual([
      "SIMULATED",
      "REVOCATION_UNCHECKED",
      "NO_REPORT_DATA",
    ]);
    const packet = await packSevSecrets(secrets, session.keys, guest.measurement);
    expect(await guest.inject(packet)).toEqual(secrets);
  });

  it("and its report afterwards are of one device", async () => {
    const report = await guest.report(new Uint8Array(16).fill(5));
    const later = await verifySev(report, { now: AT, endorsements: vendor.endorsements(machine), anchors });
    const verified = await verifySevLaunch(guest.measurement, options);
    expect(later.device).toBe(verified.device);
    expect(later.claims.launch_digest).toBe(verified.claims.launch_digest);
  });

  it.each<[string, Partial<VerifySevLaunchOptions>, string]>([
    [
      "of something else",
      { launch: { ...launch, launchDigest: new Uint8Array(32) } },
      "SEV_MEASUREMENT_MISMATCH",
    ],
    ["under another policy", { launch: { ...launch, policy: 0x0e } }, "SEV_MEASUREMENT_MISMATCH"],
    ["by other firmware", { launch: { ...launch, build: 23 } }, "SEV_MEASUREMENT_MISMATCH"],
    ["in another session", { tik: session.keys.tek }, "SEV_MEASUREMENT_MISMATCH"],
    ["on a platform that was not verified", { platform: { ...platform } }, "NOT_VERIFIED"],
    ["at no time", { now: new Date("never") }, "INVALID_TIME"],
  ])("%s is refused", async (_, change, code) => {
    expect(await codeOfAsync(() => verifySevLaunch(guest.measurement, { ...options, ...change }))).toBe(code);
  });

  it("takes no secret of another session or guest", async () => {
    const other = await createSevSession(platform, POLICY);
    const foreign = await packSevSecrets(secrets, other.keys, guest.measurement);
    expect(await codeOfAsync(() => guest.inject(foreign))).toBe("SEV_MAC_MISMATCH");
    const twin = await machine.launch(session, launchDigest);
    const packet = await packSevSecrets(secrets, session.keys, twin.measurement);
    expect(await codeOfAsync(() => guest.inject(packet))).toBe("SEV_MAC_MISMATCH");
  });
});

describe("a session", () => {
  it("opens on the platform it was made for, under its policy only", async () => {
    const session = await createSevSession(platform, POLICY);
    const other = await vendor.machine();
    expect(await codeOfAsync(() => other.launch(session, launchDigest))).toBe("SEV_MAC_MISMATCH");
    const weaker = { ...session, policy: 0 };
    expect(await codeOfAsync(() => machine.launch(weaker, launchDigest))).toBe("SEV_MAC_MISMATCH");
  });

  it("opens on platforms with P-256 keys as well", async () => {
    const small = await vendor.machine({ curve: "P-256" });
    const verified = await verifySevPlatform(vendor.endorsements(small), { anchors });
    const guest = await small.launch(await createSevSession(verified, POLICY), launchDigest);
    expect(guest.measurement).toHaveLength(48);
  });

  it("is written into the files that sevctl writes", async () => {
    const session = await createSevSession(platform, POLICY);
    const files = sevSessionFiles(session, "guest");
    expect(Object.keys(files)).toEqual([
      "guest_tik.bin",
      "guest_tek.bin",
      "guest_godh.b64",
      "guest_session.b64",
    ]);
    expect(files["guest_tik.bin"]).toEqual(session.keys.tik);
    expect(files["guest_tek.bin"]).toEqual(session.keys.tek);
    const godh = fromBase64(toUtf8(files["guest_godh.b64"] ?? new Uint8Array()));
    const blob = fromBase64(toUtf8(files["guest_session.b64"] ?? new Uint8Array()));
    expect(parseSevPlatformCertificate(godh)).toMatchObject({
      usage: "PDH",
      algorithm: "ECDH-SHA256",
      signatures: [undefined, undefined],
    });
    await machine.launch({ godh, blob, policy: POLICY }, launchDigest);
    expect(Object.keys(sevSessionFiles(session))[0]).toBe("vm_tik.bin");
  });

  it("forgets its keys when it is wiped", async () => {
    const session = await createSevSession(platform, POLICY);
    session.wipe();
    expect([...session.keys.tek, ...session.keys.tik].every((byte) => byte === 0)).toBe(true);
  });
});

describe("a platform", () => {
  it.each([
    ["whose PDH is not for key agreement", { pdh: { algorithm: "ECDSA-SHA256" } }, "UNSUPPORTED_ALGORITHM"],
    ["whose PDH nobody signed", { pdh: { signers: [] } }, "CERTIFICATE_SIGNATURE"],
    [
      "whose PDH its OCA signed as PEK",
      { pdh: { signers: [{ usage: "PEK", algorithm: "ECDSA-SHA256", key: machine.oca.key }] } },
      "CERTIFICATE_SIGNATURE",
    ],
  ] as const)("%s is refused", async (_, options, code) => {
    const bag = vendor.endorsements(await vendor.machine(options));
    expect(await codeOfAsync(() => verifySevPlatform(bag, { anchors }))).toBe(code);
  });

  it("under a root that nobody named is refused", async () => {
    const bag = vendor.endorsements(machine);
    expect(await codeOfAsync(() => verifySevPlatform(bag))).toBe("ROOT_NOT_TRUSTED");
  });
});
