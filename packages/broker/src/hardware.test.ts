// SPDX-License-Identifier: Apache-2.0
// Evidence as hardware makes it, from a simulated Intel: it needs endorsements, and the broker's own folder has them.

import { referenceValuesFrom } from "@adyton/appraisal";
import { defaultCrypto } from "@adyton/core/crypto";
import type { JsonObject } from "@adyton/core/json";
import { reportDataOf, schemeOf, verifyEvidence } from "@adyton/evidence";
import { type Endorsements, readEndorsement } from "@adyton/evidence/endorsements";
import { createCcaPlatform, createIntelVendor } from "@adyton/simulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authBody, createHarness, type Harness, jsonOf, PAIR, refusalOf, secretOf } from "../test/harness.ts";

const SECRET = "/kbs/v0/resource/default/hello/secret";
const NOW = new Date("2026-03-01T12:00:00Z");

let harness: Harness;
let held: Endorsements | undefined;
let quoteFor: (reportData: Uint8Array) => Promise<Uint8Array>;
let roots: Awaited<ReturnType<typeof createIntelVendor>>["root"]["certificate"][];
let full: Endorsements;

beforeAll(async () => {
  const intel = await createIntelVendor({ at: NOW });
  const platform = await intel.platform();
  quoteFor = (reportData) => platform.quote({ tee: "tdx", reportData });
  full = await intel.endorsements(platform, "tdx");
  roots = [intel.root.certificate];
  harness = await createHarness({
    roots,
    endorsements: async () => held ?? { certificates: [], crls: [], documents: [] },
  });
  harness.clock.time = NOW;
  const verified = await verifyEvidence(await quoteFor(new Uint8Array(64)), {
    now: NOW,
    endorsements: full,
    roots,
  });
  await harness.setReferenceValues({ ...referenceValuesFrom(verified) } as JsonObject);
  await harness.admin("POST", SECRET, "open sesame");
}, 60_000);

afterAll(() => harness.close());

async function attested(): Promise<{ answer: Response; cookie: string }> {
  const challenge = await harness.auth(authBody({ tee: "tdx" }));
  const data = { nonce: challenge.nonce, teePubkey: PAIR.jwk, additionalEvidence: "" };
  const evidence = await quoteFor(await reportDataOf(data, defaultCrypto));
  const primary = schemeOf("tdx").toKbs({ evidence });
  return { answer: await harness.attest(challenge, { primary }), cookie: challenge.cookie };
}

describe("a TDX quote", () => {
  it("is refused while its endorsements are missing", async () => {
    held = undefined;
    const { answer } = await attested();
    expect(answer.headers.get("adyton-error")).toMatch(/; category=endorsements$/);
    expect(await refusalOf(answer)).toMatchObject({ status: 401, type: "AttestationError" });
  });

  it("gets the secret once they are there", async () => {
    held = full;
    const { answer, cookie } = await attested();
    const { token } = await jsonOf(answer);
    expect(token).toBeTypeOf("string");
    expect(await secretOf(await harness.call("GET", SECRET, { headers: { cookie } }))).toBe("open sesame");
  });

  it("is refused as evidence of another TEE", async () => {
    held = full;
    const challenge = await harness.auth(authBody({ tee: "sgx" }));
    const data = { nonce: challenge.nonce, teePubkey: PAIR.jwk, additionalEvidence: "" };
    const evidence = await quoteFor(await reportDataOf(data, defaultCrypto));
    const answer = await harness.attest(challenge, { primary: schemeOf("tdx").toKbs({ evidence }) });
    expect(await refusalOf(answer)).toMatchObject({
      status: 401,
      type: "AttestationError",
      code: "UNSUPPORTED_QUOTE_FORMAT",
    });
  });
});

describe("an Arm CCA token", () => {
  it.each([
    [true, 200],
    [false, 401],
  ])("with the platform's key among the anchors: %s", async (named, status) => {
    const platform = await createCcaPlatform();
    const file = new TextEncoder().encode(JSON.stringify(platform.trustAnchors));
    const anchors = named ? { anchors: readEndorsement({ name: "platforms.json", bytes: file }) } : {};
    const other = await createHarness(anchors);
    try {
      const challenge = await other.auth(authBody({ tee: "cca" }));
      const data = { nonce: challenge.nonce, teePubkey: PAIR.jwk, additionalEvidence: "" };
      const evidence = await platform.token({ reportData: await reportDataOf(data, defaultCrypto) });
      const answer = await other.attest(challenge, { primary: schemeOf("cca").toKbs({ evidence }) });
      expect(answer.status).toBe(status);
      if (!named) expect(answer.headers.get("adyton-error")).toBe("CPAK_MISSING; category=endorsements");
    } finally {
      await other.close();
    }
  });
});
