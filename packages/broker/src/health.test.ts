// SPDX-License-Identifier: Apache-2.0
// What probes learn, and when.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarness, type Harness } from "../test/harness.ts";
import { createBroker } from "./broker.ts";
import { BrokerError } from "./errors.ts";

let harness: Harness;
beforeEach(async () => {
  harness = await createHarness();
});
afterEach(() => harness.close());

const OK = { serving: "ok", store: "ok", rootKey: "ok", auditLog: "ok", policies: "ok" };
const look = async () => {
  const response = await harness.call("GET", "/readyz");
  return { status: response.status, ...((await response.json()) as object) };
};

describe("/readyz", () => {
  it("says yes to anyone, and that nothing may keep the answer", async () => {
    const response = await harness.call("GET", "/readyz");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({ ready: true, checks: OK });
  });

  it("says no at once when the broker is on its way out, which goes on answering", async () => {
    expect(await look()).toMatchObject({ status: 200 });
    harness.broker.retire();
    expect(await look()).toEqual({ status: 503, ready: false, checks: { ...OK, serving: "failed" } });
    expect((await harness.call("GET", "/healthz")).status).toBe(200);
    expect((await harness.auth()).nonce).not.toBe("");
  });

  it.each([
    ["store", { get: "fails" }],
    ["auditLog", { logHead: "fails" }],
    ["auditLog", { logHead: "forged" }],
    ["rootKey", { vault: "fails" }],
  ] as const)("says no without a reason when %s does not hold (%o)", async (check, how) => {
    const { store, vault } = harness.state;
    const down = async (): Promise<never> => {
      throw new BrokerError("STORE_FAILED", "unavailable", "Cannot read: password=hunter2 refused");
    };
    let broken = false;
    const failing = {
      ...harness.state,
      store: {
        ...store,
        get: (space: string, key: string) =>
          broken && "get" in how && space === "health" ? down() : store.get(space, key),
        keys: store.keys.bind(store),
        write: store.write.bind(store),
        log: store.log.bind(store),
        close: async () => {},
        logHead: async () => {
          if (!broken || !("logHead" in how)) return store.logHead();
          return how.logHead === "fails" ? down() : JSON.stringify({ note: "forged", frontier: [] });
        },
      },
      vault: {
        keyId: vault.keyId,
        seal: vault.seal.bind(vault),
        open: (...args: Parameters<typeof vault.open>) => {
          if (broken && "vault" in how)
            throw new BrokerError("SECRET_CORRUPT", "not-authentic", "Cannot open");
          return vault.open(...args);
        },
      },
    };
    const broker = createBroker({ ...failing, clock: harness.clock });
    const ask = async () => {
      const response = await broker.fetch(new Request("http://broker.test/readyz"));
      return { status: response.status, text: await response.text() };
    };
    expect(await ask()).toMatchObject({ status: 200 });
    broken = true;
    // Looked at once a second.
    expect(await ask()).toMatchObject({ status: 200 });
    harness.clock.time = new Date(harness.clock.time.getTime() + 1000);
    const { status, text } = await ask();
    expect(status).toBe(503);
    expect(JSON.parse(text)).toEqual({ ready: false, checks: { ...OK, [check]: "failed" } });
    broken = false;
    harness.clock.time = new Date(harness.clock.time.getTime() + 1000);
    expect(await ask()).toMatchObject({ status: 200 });
  });

  it("is the house's: a tenant has none", async () => {
    await harness.admin("POST", "/v1/tenants", JSON.stringify({ name: "alpha" }));
    expect((await harness.call("GET", "/tenants/alpha/healthz")).status).toBe(200);
    expect((await harness.call("GET", "/tenants/alpha/readyz")).status).toBe(404);
    expect((await harness.call("GET", "/tenants/alpha/metrics")).status).toBe(404);
  });
});
