// SPDX-License-Identifier: Apache-2.0
// Credential activation between our verifier and a simulated TPM. A real software TPM is in the evidence package's tests.

import { equal } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import {
  acceptActivation,
  type CredentialRequest,
  encodeTpmPublic,
  OBJECT_ATTRIBUTE,
  openCredentialSession,
  parseTpmPublic,
  spkiOfTpmPublic,
  verifyEkCertificate,
  verifyTpm,
} from "@adyton/evidence/tpm";
import { describe, expect, it } from "vitest";
import type { CertificateChange } from "../intel/authority.ts";
import { createTpmVendor, purpose } from "./vendor.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const vendor = await createTpmVendor({ at: AT });
const [ec, banks] = await Promise.all([vendor.machine(), vendor.machine()]);

/** [code, category], empty when nothing is refused. */
async function refusal(attempt: Promise<unknown>): Promise<readonly [string, string]> {
  try {
    await attempt;
    return ["", ""];
  } catch (error) {
    if (error instanceof AdytonError) return [error.code, error.category];
    throw error;
  }
}

describe("credential activation", async () => {
  const { ek, ak } = ec.device;
  const ekTrusted = await verifyEkCertificate(ec.ekCertificate.certificate, {
    now: AT,
    roots: [vendor.root.certificate],
    endorsements: vendor.endorsements(),
  });

  it.each(["EC", "RSA"] as const)(
    "makes the key trusted that the TPM of an %s endorsement key has",
    async (name) => {
      const ekKind = name === "EC" ? { name, curve: "P-384" as const } : { name, bits: 2048 as const };
      const machine = await vendor.machine({ ekKind });
      const { device } = machine;
      const session = await openCredentialSession({ ek: device.ek.public, ak: device.ak.public });
      const key = acceptActivation(session, await device.activate(session));
      expect(equal(key.spki, spkiOfTpmPublic(device.ak.public))).toBe(true);
      expect(key.hardware).toBeUndefined();
      const evidence = await machine.evidence({ certificates: [] });
      const anchors = { ...NO_ENDORSEMENTS, keys: [key] };
      const verified = await verifyTpm(evidence, { now: AT, anchors });
      expect(verified.claims.ak_identifiers).toEqual(key.identifiers);
      expect(await refusal(verifyTpm(evidence, { now: AT, endorsements: anchors }))).toEqual([
        "AK_NOT_TRUSTED",
        "endorsements",
      ]);
    },
  );

  it("a key counts only as what the caller said it is", async () => {
    const session = await openCredentialSession({ ek: ek.public, ak: ak.public });
    const evidence = await ec.evidence({ certificates: [] });
    const attempt = (identifiers: Readonly<Record<string, string>>) =>
      refusal(
        verifyTpm(evidence, {
          now: AT,
          anchors: { ...NO_ENDORSEMENTS, keys: [{ ...session.key, identifiers }] },
        }),
      );
    expect(await attempt({})).toEqual(["", ""]);
    expect(await attempt(session.key.identifiers)).toEqual(["", ""]);
    expect(await attempt({ "ak-name": "00" })).toEqual(["AK_NOT_TRUSTED", "endorsements"]);
    expect(await attempt({ "instance-id": "00" })).toEqual(["AK_NOT_TRUSTED", "endorsements"]);
  });

  it("vouches for hardware only where the caller does", async () => {
    const request = { ek: ek.public, ak: ak.public, ekCertificate: ekTrusted };
    expect((await openCredentialSession(request)).key.hardware).toBeUndefined();
    expect((await openCredentialSession({ ...request, hardware: true })).key.hardware).toBe(true);
  });

  it("fails for any other answer, another TPM, another key", async () => {
    const session = await openCredentialSession({ ek: ek.public, ak: ak.public });
    const answer = await ec.device.activate(session);
    for (const wrong of [
      new Uint8Array(),
      answer.subarray(1),
      answer.map((byte, i) => byte ^ (i === 31 ? 1 : 0)),
    ]) {
      expect(() => acceptActivation(session, wrong)).toThrow(
        expect.objectContaining({ code: "CREDENTIAL_ACTIVATION_FAILED", category: "not-authentic" }),
      );
    }
    await expect(banks.device.activate(session)).rejects.toThrow("integrity");
    const forAnother = await openCredentialSession({ ek: ek.public, ak: banks.device.ak.public });
    await expect(ec.device.activate(forAnother)).rejects.toThrow("integrity");
  });

  const withAttributes = (attributes: number) =>
    parseTpmPublic(encodeTpmPublic({ ...ek.public, attributes }));
  it.each<readonly [rule: string, request: Partial<CredentialRequest>]>([
    [
      "another key's certificate",
      { ekCertificate: { ...ekTrusted, certificate: ec.akCertificate.certificate } },
    ],
    ["a key that signs", { ek: ak.public }],
    [
      "a key that may leave its TPM",
      { ek: withAttributes(ek.public.attributes & ~OBJECT_ATTRIBUTE.fixedTpm) },
    ],
    [
      "a key without a cipher",
      { ek: parseTpmPublic(encodeTpmPublic({ ...ek.public, symmetric: undefined })) },
    ],
    [
      "a key with another cipher",
      {
        ek: parseTpmPublic(
          encodeTpmPublic({ ...ek.public, symmetric: { algorithm: 0x13, bits: 128, mode: 0x43 } }),
        ),
      },
    ],
    [
      "a key with a name over SHA-1",
      { ek: parseTpmPublic(encodeTpmPublic({ ...ek.public, nameHash: "SHA-1" })) },
    ],
  ])("refuses %s as an endorsement key", async (_rule, request) => {
    const session = openCredentialSession({ ek: ek.public, ak: ak.public, ...request });
    expect(await refusal(session)).toEqual(["INVALID_EK_CERTIFICATE", "not-authentic"]);
  });

  it.each<readonly [rule: string, change: CertificateChange]>([
    ["a CA's", { ca: {} }],
    ["one for signatures", { keyUsage: [0] }],
    ["one of a web server", { extensions: [purpose("1.3.6.1.5.5.7.3.1")] }],
  ])("refuses %s certificate", async (_rule, ekCertificate) => {
    const { certificate } = (await vendor.machine({ ekCertificate })).ekCertificate;
    const options = { now: AT, roots: [vendor.root.certificate], endorsements: vendor.endorsements() };
    expect(await refusal(verifyEkCertificate(certificate, options))).toEqual([
      "INVALID_EK_CERTIFICATE",
      "not-authentic",
    ]);
  });
});
