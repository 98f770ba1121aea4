// SPDX-License-Identifier: Apache-2.0
// The audit log with its own client: an auditor, a witness, and a workload that wants proof.

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AuditLog, createAuditLog, createClient, fetchLogKey } from "@adyton/client";
import { toUtf8 } from "@adyton/core/bytes";
import { checkLogProof, parseLogProof } from "@adyton/core/log-proof";
import { codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarness, DIGEST, GOOD_VALUES, type Harness } from "../../test/harness.ts";

const NAME = "audit/test/secret";

let harness: Harness;
let log: AuditLog;

const wire = {
  url: "http://127.0.0.1:1",
  fetch: (url: string, init: RequestInit) => harness.broker.fetch(new Request(url, init)),
};

beforeEach(async () => {
  harness = await createHarness();
  const { adminToken, logKey } = harness.state;
  log = createAuditLog({ ...wire, logKey, token: adminToken });
});

afterEach(() => harness.close());

const put = (text: string) => harness.admin("POST", `/kbs/v0/resource/${NAME}`, text);

describe("the audit log of a broker", () => {
  it("is verified from outside, and goes on from what was noted", async () => {
    expect(await log.verify()).toBeUndefined();
    await put("one");
    expect(await fetchLogKey(wire)).toEqual(harness.state.logKey);
    const noted = await log.verify();
    await put("two");
    await put("three");
    expect((await log.verify(noted))?.size).toBe(3);
    const file = await log.prove(2);
    expect(checkLogProof(parseLogProof(file), harness.state.logKey).index).toBe(1);
    expect((await log.entries(0, 10)).map(({ event }) => event?.type)).toEqual(Array(3).fill("resource.put"));
  });

  it("that was set back as a whole, and went on, shows to a witness", async () => {
    await put("one");
    const copy = mkdtempSync(join(tmpdir(), "adyton-back-"));
    const state = join(harness.folder, "state");
    await harness.broker.close();
    cpSync(state, copy, { recursive: true });
    await harness.restart();
    await put("two");
    const noted = await log.follow(undefined);
    await harness.broker.close();
    rmSync(state, { recursive: true });
    cpSync(copy, state, { recursive: true });
    await harness.restart();
    expect(await codeOfAsync(() => log.follow(noted))).toBe("LOG_TAMPERED");
    await put("another");
    expect(await codeOfAsync(() => log.follow(noted))).toBe("LOG_TAMPERED");
    await put("and another");
    expect(await codeOfAsync(() => log.follow(noted))).toBe("LOG_TAMPERED");
    rmSync(copy, { recursive: true });
  });

  it("shows a tenant what is its own, and lets it verify all of it", async () => {
    await put("of the house");
    expect((await harness.admin("POST", "/v1/tenants", JSON.stringify({ name: "alpha" }))).status).toBe(201);
    await harness.admin("POST", `/tenants/alpha/kbs/v0/resource/${NAME}`, "of alpha");
    const { adminToken, logKey } = harness.state;
    const own = createAuditLog({ ...wire, url: `${wire.url}/tenants/alpha`, logKey, token: adminToken });
    const entries = await own.entries(0, 10);
    expect(entries.map(({ seq, event }) => [seq, event?.type])).toEqual([
      [1, undefined],
      [2, "tenant.create"],
      [3, "resource.put"],
    ]);
    expect((await own.verify())?.size).toBe(3);
    expect(await codeOfAsync(() => own.prove(1))).toBe("RESOURCE_MISSING");
    expect(await codeOfAsync(() => own.witnesses())).not.toBe("nothing");
  });

  it("proves to a workload that its release is logged", async () => {
    await put("open sesame");
    await harness.setReferenceValues(GOOD_VALUES);
    const files: string[] = [];
    const attester = {
      tee: "sample" as const,
      collect: async (reportData: Uint8Array) => ({
        tee: "sample" as const,
        evidence: await harness.machine.evidence({ launchDigest: DIGEST, reportData }),
      }),
    };
    const client = createClient({
      ...wire,
      attester,
      now: harness.clock.now,
      proof: { logKey: harness.state.logKey, keep: (_name, file) => void files.push(file) },
    });
    expect(toUtf8(await client.getResource(NAME))).toBe("open sesame");
    expect(files).toHaveLength(1);
    const foreign = { ...harness.state.logKey, publicKey: new Uint8Array(32).fill(9) };
    const strict = createClient({ ...wire, attester, now: harness.clock.now, proof: { logKey: foreign } });
    expect(await codeOfAsync(() => strict.getResource(NAME))).toBe("PROOF_REFUSED");
  });
});
