// SPDX-License-Identifier: Apache-2.0
// What somebody can do who recorded everything between a guest and the broker, or stole what the guest holds, but for its
// private key: nothing. And what clocks that jump can do: make clients attest again.

import { toUtf8 } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  attestBody,
  createHarness,
  GOOD_VALUES,
  type Harness,
  jsonOf,
  newTeePair,
  openedOf,
  PAIR,
  refusalOf,
} from "../../test/harness.ts";
import { verifyAuditLog } from "../audit/verify.ts";
import { readAuditLog } from "../audit.ts";

const ATTEST = "/kbs/v0/attest";
const SECRET = "/kbs/v0/resource/default/hello/secret";
const START = new Date("2026-03-01T12:00:00Z");
const HOUR = 3_600_000;

let harness: Harness;

beforeEach(async () => {
  harness = await createHarness({ rateLimit: false });
  await harness.setReferenceValues(GOOD_VALUES);
  await harness.admin("POST", SECRET, "open sesame");
});

afterEach(() => harness.close());

const at = (milliseconds: number): void => {
  harness.clock.time = new Date(START.getTime() + milliseconds);
};
const ask = (headers: Record<string, string>, of: Harness = harness): Promise<Response> =>
  of.call("GET", SECRET, { headers });
const send = (body: unknown, cookie: string, of: Harness = harness): Promise<Response> =>
  of.call("POST", ATTEST, { body: JSON.stringify(body), headers: { cookie } });

/** An answer opens for the attested key, and for no other. */
async function expectOpensFor(answer: Response): Promise<void> {
  const copy = answer.clone();
  await expect(openedOf(copy, newTeePair().privateKey)).rejects.toThrow();
  expect(toUtf8(await openedOf(answer, PAIR.privateKey))).toBe("open sesame");
}

describe("whoever stole", () => {
  it("a cookie or a token gets answers that only the attested key opens", async () => {
    const { cookie, token } = await harness.attested();
    await expectOpensFor(await ask({ cookie }));
    await expectOpensFor(await ask({ authorization: `Bearer ${token}` }));
  });

  it("a cookie before it was attested cannot bind the session to another key", async () => {
    const challenge = await harness.auth();
    const thief = newTeePair();
    // Evidence of the victim's machine is all there is: it binds the victim's key.
    const stolen = (await attestBody(challenge, harness.machine, {})) as JsonObject;
    const swapped = { ...stolen, "runtime-data": { nonce: challenge.nonce, "tee-pubkey": thief.jwk } };
    expect(await refusalOf(await send(swapped, challenge.cookie))).toMatchObject({
      status: 401,
      code: "REPORT_DATA_MISMATCH",
    });
    expect((await send(stolen, challenge.cookie)).status).toBe(200);
    await expectOpensFor(await ask({ cookie: challenge.cookie }));
  });

  it("a cookie after it was attested gets the same token for another key's evidence", async () => {
    const { cookie, nonce, token } = await harness.attested();
    const answer = await harness.attest({ cookie, nonce }, { pair: newTeePair() });
    expect((await jsonOf(answer)).token).toBe(token);
    await expectOpensFor(await ask({ cookie }));
  });

  it("a token of another broker that trusts the same machines gets nothing here", async () => {
    const other = await createHarness({ rateLimit: false });
    await other.setReferenceValues(GOOD_VALUES);
    const { cookie, token } = await other.attested();
    expect(await refusalOf(await ask({ authorization: `Bearer ${token}` }))).toMatchObject({
      status: 401,
      code: "TOKEN_REFUSED",
    });
    expect(await refusalOf(await ask({ cookie }))).toMatchObject({ status: 401, code: "TOKEN_MISSING" });
    await other.close();
  });
});

describe("whoever recorded an attestation", () => {
  it("gets nothing for it in a session of their own, here or elsewhere", async () => {
    const challenge = await harness.auth();
    const body = await attestBody(challenge, harness.machine, {});
    expect((await send(body, challenge.cookie)).status).toBe(200);
    const own = await harness.auth();
    expect(await refusalOf(await send(body, own.cookie))).toMatchObject({ code: "NONCE_MISMATCH" });
    const other = await createHarness();
    expect(await refusalOf(await send(body, challenge.cookie, other))).toMatchObject({
      code: "SESSION_UNKNOWN",
    });
    const elsewhere = await other.auth();
    expect(await refusalOf(await send(body, elsewhere.cookie, other))).toMatchObject({
      code: "NONCE_MISMATCH",
    });
    await other.close();
  });

  it("gets nothing for it after the session, nor after a restart", async () => {
    const challenge = await harness.auth();
    const body = await attestBody(challenge, harness.machine, {});
    const unused = await harness.auth();
    const late = await attestBody(unused, harness.machine, {});
    expect((await send(body, challenge.cookie)).status).toBe(200);
    at(300_000);
    for (const [sent, cookie] of [
      [body, challenge.cookie],
      [late, unused.cookie],
    ] as const)
      expect(await refusalOf(await send(sent, cookie))).toMatchObject({ code: "SESSION_UNKNOWN" });
    at(0);
    await harness.restart();
    expect(await refusalOf(await send(body, challenge.cookie))).toMatchObject({ code: "SESSION_UNKNOWN" });
  });
});

describe("two who answer one challenge", () => {
  it("at once, with a key each: one key counts, and the other opens nothing", async () => {
    const challenge = await harness.auth();
    const pairs = [PAIR, newTeePair()];
    const answers = await Promise.all(pairs.map((pair) => harness.attest(challenge, { pair })));
    const tokens = await Promise.all(answers.map(async (answer) => String((await jsonOf(answer)).token)));
    expect(new Set(tokens).size).toBe(1);
    const opened = await Promise.allSettled(
      pairs.map(async ({ privateKey }) =>
        toUtf8(await openedOf(await ask({ cookie: challenge.cookie }), privateKey)),
      ),
    );
    expect(opened.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  });
});

describe("a clock that jumps", () => {
  it("forwards: sessions and tokens end, and who attests again goes on", async () => {
    const { cookie, token } = await harness.attested();
    const waiting = await harness.auth();
    at(24 * HOUR);
    expect(await refusalOf(await ask({ cookie }))).toMatchObject({ code: "TOKEN_MISSING" });
    expect(await refusalOf(await ask({ authorization: `Bearer ${token}` }))).toMatchObject({
      code: "TOKEN_REFUSED",
    });
    expect(await refusalOf(await harness.attest(waiting))).toMatchObject({ code: "SESSION_UNKNOWN" });
    await expectOpensFor(await ask({ cookie: (await harness.attested()).cookie }));
  });

  it("forwards beyond what values hold for: nothing is affirmed, and nothing released", async () => {
    at(400 * 24 * HOUR);
    const { cookie } = await harness.attested();
    expect(await refusalOf(await ask({ cookie }))).toMatchObject({ code: "POLICY_REFUSED" });
  });

  it("back: what was made in that future is not believed, and who attests again goes on", async () => {
    const { token } = await harness.attested();
    at(-HOUR);
    expect(await refusalOf(await ask({ authorization: `Bearer ${token}` }))).toMatchObject({
      code: "TOKEN_REFUSED",
    });
    await expectOpensFor(await ask({ cookie: (await harness.attested()).cookie }));
  });

  it("there and back again: a session lives no longer than it was given, and the log has every entry in order", async () => {
    const { cookie } = await harness.attested();
    for (const jump of [HOUR, -HOUR, 2 * HOUR, 0, -24 * HOUR]) {
      at(jump);
      await expectOpensFor(await ask({ cookie: (await harness.attested()).cookie }));
    }
    at(300_000);
    expect((await ask({ cookie })).status).toBe(401);
    const { store, logKey } = harness.state;
    const { size = 0 } = (await verifyAuditLog(store, logKey)) ?? {};
    const entries = await readAuditLog(store, 0, size);
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, i) => i + 1));
    await harness.restart();
    expect((await verifyAuditLog(harness.state.store, harness.state.logKey))?.size).toBe(size);
  });
});
