// SPDX-License-Identifier: Apache-2.0
// Several brokers over one PostgreSQL: to their clients they are one.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Challenge,
  createHarness,
  GOOD_VALUES,
  type Harness,
  jsonOf,
  PAIR,
  refusalOf,
  secretOf,
} from "../test/harness.ts";
import { hasPostgres, newSchema, useServer } from "../test/postgres.ts";
import { verifyAuditLog } from "./audit/verify.ts";
import { openBrokerState } from "./state.ts";

const SECRET = "/kbs/v0/resource/default/hello/secret";

describe.skipIf(!hasPostgres)("replicas", () => {
  const server = useServer();
  let postgres: { readonly url: string; readonly schema: string };
  let a: Harness;
  let b: Harness;

  beforeEach(async () => {
    postgres = { url: server().url, schema: newSchema() };
    a = await createHarness({}, { postgres });
    b = await createHarness({}, { postgres, keysOf: a });
    await a.setReferenceValues(GOOD_VALUES);
    await a.admin("POST", SECRET, "open sesame");
  });

  afterEach(async () => {
    await a.close();
    await b.close();
  });

  const tokenOf = async (answer: Response): Promise<string> => {
    expect(answer.status).toBe(200);
    return String((await jsonOf(answer)).token);
  };
  const secretFrom = async (replica: Harness, { cookie }: Pick<Challenge, "cookie">): Promise<string> =>
    secretOf(await replica.call("GET", SECRET, { headers: { cookie } }), PAIR.privateKey);

  it("go on with each other's sessions", async () => {
    const challenge = await a.auth();
    const token = await tokenOf(await b.attest(challenge));
    expect(await secretFrom(a, challenge)).toBe("open sesame");
    const headers = { authorization: `Bearer ${token}` };
    expect(await secretOf(await a.call("GET", SECRET, { headers }))).toBe("open sesame");
  });

  it("answer a challenge once", async () => {
    const challenge = await a.auth();
    const tokens = await Promise.all([a, b, a, b].map(async (one) => tokenOf(await one.attest(challenge))));
    expect(new Set(tokens).size).toBe(1);
    expect(await tokenOf(await b.attest(challenge))).toBe(tokens[0]);
  });

  it("refuse evidence for another replica's nonce", async () => {
    const [mine, yours] = [await a.auth(), await b.auth()];
    const answer = await b.attest({ cookie: yours.cookie, nonce: mine.nonce });
    expect((await refusalOf(answer)).code).toBe("NONCE_MISMATCH");
  });

  it("lose no session when they are restarted one after the other", async () => {
    const challenged = await a.auth();
    const attested = await a.attested();
    await a.restart();
    expect(await secretFrom(b, attested)).toBe("open sesame");
    await b.restart();
    expect(await secretFrom(a, attested)).toBe("open sesame");
    await tokenOf(await b.attest(challenged));
    expect(await secretFrom(a, challenged)).toBe("open sesame");
  });

  it("follow each other's changes at once", async () => {
    const { cookie } = await a.attested();
    await b.admin("POST", SECRET, "changed");
    expect(await secretFrom(a, { cookie })).toBe("changed");
    await a.setReferenceValues({ launch_digest: ["00"] });
    const other = { cookie: (await b.attested()).cookie };
    expect((await refusalOf(await b.call("GET", SECRET, { headers: other }))).code).toBe("POLICY_REFUSED");
  });

  it("write one log without a gap", async () => {
    const puts = Array.from({ length: 40 }, (_, i) =>
      (i % 2 === 0 ? a : b).admin("POST", `/kbs/v0/resource/default/many/n${i}`, "x"),
    );
    for (const answer of await Promise.all(puts)) expect(answer.status).toBe(200);
    const ends = await Promise.all([a, b].map(({ state }) => verifyAuditLog(state.store, state.logKey)));
    expect(ends[0]?.size).toBeGreaterThanOrEqual(42);
    expect(ends[0]?.size).toBe(ends[1]?.size);
  });

  it("count sessions together", async () => {
    const [one, two] = [
      await createHarness({ maxSessions: 2 }, { postgres, keysOf: a }),
      await createHarness({ maxSessions: 2 }, { postgres, keysOf: a }),
    ];
    await one.auth();
    await one.auth();
    const body = JSON.stringify({ version: "0.4.0", tee: "sample", "extra-params": {} });
    expect((await refusalOf(await two.call("POST", "/kbs/v0/auth", { body }))).code).toBe("SESSIONS_FULL");
    two.clock.time = new Date(two.clock.time.getTime() + 301_000);
    expect((await two.call("POST", "/kbs/v0/auth", { body })).status).toBe(200);
    await one.close();
    await two.close();
  });

  it("each go by their own clock", async () => {
    const attested = await a.attested();
    b.clock.time = new Date(b.clock.time.getTime() + 301_000);
    expect(
      (await refusalOf(await b.call("GET", SECRET, { headers: { cookie: attested.cookie } }))).code,
    ).toBe("TOKEN_MISSING");
    expect(await secretFrom(a, attested)).toBe("open sesame");
    b.clock.time = new Date(a.clock.time.getTime() - 301_000);
    expect((await b.auth()).nonce).toHaveLength(44);
    expect(await secretFrom(a, attested)).toBe("open sesame");
  });

  it("outlive an orderly restart of the server with their sessions", async () => {
    const challenge = await a.auth();
    await server().stop("fast");
    expect(await refusalOf(await b.attest(challenge))).toMatchObject({ status: 503, code: "STORE_FAILED" });
    await server().start();
    await tokenOf(await b.attest(challenge));
    expect(await secretFrom(a, challenge)).toBe("open sesame");
  });

  it("outlive a crash of the server with their secrets; clients attest again", async () => {
    const attested = await a.attested();
    await server().stop("crash");
    await server().start();
    expect(await refusalOf(await b.attest(attested))).toMatchObject({ status: 401, code: "SESSION_UNKNOWN" });
    expect(await secretFrom(a, await b.attested())).toBe("open sesame");
    expect(await verifyAuditLog(a.state.store, a.state.logKey)).toBeDefined();
  });

  it("with another root key do not start", async () => {
    const folder = join(a.folder, "other");
    expect(await codeOfAsync(() => openBrokerState(folder, { postgres }))).toBe("STATE_INVALID");
  });

  it("with another owner's token say so, and have the same signing keys", async () => {
    const c = await createHarness({}, { postgres, keysOf: a });
    rmSync(join(c.folder, "state", "admin.token"));
    await c.restart();
    expect(c.logged.map(({ event }) => event)).toContain(
      "the owner's token is another than before: replicas take each its own",
    );
    expect(await c.state.tokenKeys.publicKeys()).toEqual(await a.state.tokenKeys.publicKeys());
    expect(c.state.logKey).toEqual(a.state.logKey);
    await c.close();
  });
});
