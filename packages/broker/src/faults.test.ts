// SPDX-License-Identifier: Apache-2.0
// What happens to secrets when the machine fails: failing stores, full disks, damaged databases.

import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarness, GOOD_VALUES, type Harness, refusalOf, secretOf } from "../test/harness.ts";
import { verifyAuditLog } from "./audit/verify.ts";
import { BrokerError } from "./errors.ts";
import { openBrokerState } from "./state.ts";
import { openDriver } from "./store/driver.ts";
import type { WholeStore } from "./store/types.ts";

const SECRET = "/kbs/v0/resource/default/hello/secret";

let harness: Harness;

beforeEach(async () => {
  harness = await createHarness();
  await harness.setReferenceValues(GOOD_VALUES);
  await harness.admin("POST", SECRET, "open sesame");
});

afterEach(() => harness.close());

/** The store, with writes that fail while `failing()`. */
function failingStore(store: WholeStore, failing: () => boolean): WholeStore {
  return {
    ephemeral: store.ephemeral,
    get: (space, key) => store.get(space, key),
    keys: (space, prefix) => store.keys(space, prefix),
    entries: (space) => store.entries(space),
    spaces: () => store.spaces(),
    snapshot: () => store.snapshot(),
    load: (rows) => store.load(rows),
    log: (after, limit) => store.log(after, limit),
    logHead: () => store.logHead(),
    logNodes: (places) => store.logNodes(places),
    close: () => store.close(),
    write: (changes) =>
      failing()
        ? Promise.reject(
            new BrokerError("STORE_FAILED", "unavailable", "Cannot write to the store: /dev/sdz1"),
          )
        : store.write(changes),
  };
}

describe("a store that fails", () => {
  it("acknowledges nothing and shows nothing of itself", async () => {
    let failing = false;
    const state = await openBrokerState(join(harness.folder, "state"));
    await harness.restart({ store: failingStore(state.store, () => failing) });
    failing = true;
    for (const call of [
      harness.admin("POST", SECRET, "changed"),
      harness.admin("DELETE", SECRET),
      harness.setReferenceValues({ svn: ["9"] }),
    ]) {
      const refusal = await refusalOf(await call);
      expect(refusal).toMatchObject({ status: 503, type: "Unavailable", code: "STORE_FAILED" });
      expect(refusal.detail).not.toContain("/dev");
    }
    failing = false;
    const { cookie } = await harness.attested();
    expect(await secretOf(await harness.call("GET", SECRET, { headers: { cookie } }))).toBe("open sesame");
  });

  it("releases nothing that it cannot record", async () => {
    let failing = false;
    const state = await openBrokerState(join(harness.folder, "state"));
    await harness.restart({ store: failingStore(state.store, () => failing) });
    const { cookie } = await harness.attested();
    failing = true;
    const answer = await harness.call("GET", SECRET, { headers: { cookie } });
    expect(await refusalOf(answer)).toMatchObject({ status: 503, code: "STORE_FAILED" });
  });

  it("that is closed answers 503", async () => {
    await harness.broker.close();
    expect(await refusalOf(await harness.admin("GET", "/kbs/v0/resources"))).toMatchObject({
      status: 503,
      code: "STORE_CLOSED",
    });
  });
});

describe("a full disk", () => {
  it("loses no secret, keeps no half of one, and recovers when there is room", async () => {
    const state = await openBrokerState(join(harness.folder, "state"), { maxBytes: 300_000 });
    await harness.restart({ store: state.store });
    const big = "x".repeat(1_000_000);
    const [full, fits] = await Promise.all([
      harness.admin("POST", SECRET, big),
      harness.admin("POST", "/kbs/v0/resource/default/hello/other", "fits"),
    ]);
    expect(await refusalOf(full)).toMatchObject({ status: 503, type: "Unavailable", code: "STORE_FAILED" });
    expect(fits.status).toBe(200);
    const { cookie } = await harness.attested();
    expect(await secretOf(await harness.call("GET", SECRET, { headers: { cookie } }))).toBe("open sesame");
    await harness.restart();
    expect((await harness.admin("POST", SECRET, big)).status).toBe(200);
    expect(await verifyAuditLog(harness.state.store, harness.state.logKey)).toMatchObject({ size: 6 });
  });
});

describe("a database that somebody changed", () => {
  const releasing = async (): Promise<{ status: number; code: string }> => {
    const { cookie } = await harness.attested();
    return refusalOf(await harness.call("GET", SECRET, { headers: { cookie } }));
  };
  const changing = async (sql: string): Promise<void> => {
    const driver = await openDriver(join(harness.folder, "state", "broker.db"));
    driver.exec(sql);
    driver.close();
  };

  it("does not give one secret under the name of another", async () => {
    await harness.admin("POST", "/kbs/v0/resource/default/hello/other", "other");
    await changing(
      `UPDATE entry SET value = (SELECT value FROM entry WHERE key = 'default/hello/other')
       WHERE key = 'default/hello/secret'`,
    );
    expect(await releasing()).toMatchObject({ status: 500, code: "SECRET_CORRUPT" });
  });

  it("does not give a changed secret", async () => {
    await changing(`UPDATE entry SET value = CAST('changed' AS BLOB) WHERE key = 'default/hello/secret'`);
    expect(await releasing()).toMatchObject({ status: 500, code: "SECRET_CORRUPT" });
  });

  it("does not accept reference values that nobody registered", async () => {
    await changing(`UPDATE entry SET value = CAST('{"value":["x"]}' AS BLOB) WHERE key = 'launch_digest'`);
    const answer = await harness.attest(await harness.auth());
    expect(await refusalOf(answer)).toMatchObject({ status: 500, code: "SECRET_CORRUPT" });
  });
});
