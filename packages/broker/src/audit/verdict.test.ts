// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarness, GOOD_VALUES, type Harness } from "../../test/harness.ts";
import { readAuditLog } from "../audit.ts";

let harness: Harness;

beforeEach(async () => {
  harness = await createHarness();
  await harness.setReferenceValues(GOOD_VALUES);
});

afterEach(() => harness.close());

const verdicts = async () =>
  (await readAuditLog(harness.state.store))
    .map(({ event }) => event)
    .filter(({ type }) => type === "attestation");

describe("the verdict on evidence", () => {
  it("stands in the log, with what every submodule came to, and nothing that opens anything", async () => {
    const { token, cookie, nonce } = await harness.attested();
    expect(await verdicts()).toEqual([
      {
        type: "attestation",
        tee: "sample",
        api: "kbs",
        verdict: "appraised",
        submods: { cpu0: "affirming" },
        id: expect.any(String),
      },
    ]);
    const text = JSON.stringify(await verdicts());
    for (const secret of [token, cookie, nonce]) expect(text).not.toContain(secret);
  });

  it("stands there when nothing is good", async () => {
    await harness.attested({ launchDigest: "cd".repeat(48) });
    expect(await verdicts()).toMatchObject([{ verdict: "appraised", submods: { cpu0: "warning" } }]);
  });

  it("stands there when the evidence is not authentic", async () => {
    const answer = await harness.attest(await harness.auth(), { boundNonce: "AAAA" });
    expect(answer.status).toBe(401);
    const [code] = (answer.headers.get("adyton-error") ?? "").split(";");
    expect(await verdicts()).toEqual([
      { type: "attestation", tee: "sample", api: "kbs", verdict: "refused", reason: code },
    ]);
  });

  it("is not told when it cannot be recorded", async () => {
    const challenge = await harness.auth();
    const write = harness.state.store.write.bind(harness.state.store);
    harness.state.store.write = () => Promise.reject(new Error("disk"));
    expect((await harness.attest(challenge)).status).toBe(500);
    harness.state.store.write = write;
    expect(await verdicts()).toEqual([]);
  });
});
