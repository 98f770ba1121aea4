// SPDX-License-Identifier: Apache-2.0
// PostgreSQL stopped, killed, cut off and silent: what was acknowledged is there, everything else is told with a code, and
// the same store goes on once the server is back.

import { codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasPostgres, newSchema, runSql, useServer } from "../../test/postgres.ts";
import { startProxy, type Wire } from "../../test/proxy.ts";
import { append, check, countingWriter, put, textAt } from "../../test/store-suite.ts";
import { BrokerError } from "../errors.ts";
import { openPostgresStore } from "./postgres.ts";
import type { Store } from "./types.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const LATER = new Date("2026-03-01T12:05:00Z");

describe.skipIf(!hasPostgres)("a PostgreSQL store", () => {
  const server = useServer();
  let proxy: Wire;
  let schema: string;
  let store: Store;

  const open = (timeoutMs: number): Promise<Store> => {
    const url = server().url.replace(`:${server().port}/`, `:${proxy.port}/`);
    return openPostgresStore(url, countingWriter, { schema, timeoutMs });
  };

  beforeEach(async () => {
    proxy = await startProxy(server().port);
    schema = newSchema();
    store = await open(10_000);
  });

  afterEach(async () => {
    await store.close();
    await proxy.close();
  });

  /** Writers that put and append until they are told to stop; what was acknowledged, and the codes of what was not. */
  const load = (writers: number) => {
    const acknowledged: string[] = [];
    const codes: string[] = [];
    let stopped = false;
    let progress = (): void => undefined;
    const write = async (name: string): Promise<void> => {
      for (let n = 0; !stopped; n++) {
        const key = `${name}${n}`;
        const code = await codeOfAsync(() =>
          store.write([put(key, key), append(key), check(key, undefined)]),
        );
        if (code === "nothing") acknowledged.push(key);
        else codes.push(code);
        progress();
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const running = Array.from({ length: writers }, (_, i) => write(`w${i} `));
    return {
      acknowledged,
      codes,
      until: (holds: () => boolean) =>
        new Promise<void>((resolve) => {
          progress = () => holds() && resolve();
        }),
      stop: async () => {
        stopped = true;
        await Promise.all(running);
      },
    };
  };

  /** All that was acknowledged is there, each value has its entry and each entry its value, and no number is missing. */
  const checkAll = async (acknowledged: readonly string[]): Promise<void> => {
    const keys = await store.keys("resource");
    const entries = await store.log(0, 1_000_000);
    expect(acknowledged.filter((key) => !keys.includes(key))).toEqual([]);
    expect(entries.map(({ leaf }) => leaf).toSorted()).toEqual(keys.toSorted());
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
  };

  it.each(["fast", "crash"] as const)("goes on after the server was stopped (%s) under load", async (how) => {
    const { acknowledged, codes, until, stop } = load(4);
    await until(() => acknowledged.length >= 20);
    await server().stop(how);
    await until(() => codes.length >= 4);
    const before = acknowledged.length;
    await server().start();
    await until(() => acknowledged.length >= before + 20);
    await stop();
    expect(new Set(codes)).toEqual(new Set(["STORE_FAILED"]));
    await checkAll(acknowledged);
  });

  it("goes on when an administrator ends all its sessions under load", async () => {
    const { acknowledged, codes, until, stop } = load(4);
    for (let round = 0; round < 5; round++) {
      const before = acknowledged.length;
      await until(() => acknowledged.length >= before + 10);
      await runSql(
        server().url,
        "public",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'adyton'",
      );
    }
    const before = acknowledged.length;
    await until(() => acknowledged.length >= before + 10);
    await stop();
    for (const code of codes) expect(code).toBe("STORE_FAILED");
    await checkAll(acknowledged);
  });

  it("goes on when its connections are cut under load", async () => {
    const { acknowledged, codes, until, stop } = load(4);
    for (let round = 0; round < 5; round++) {
      const before = acknowledged.length;
      await until(() => acknowledged.length >= before + 10);
      proxy.cut();
    }
    const before = acknowledged.length;
    await until(() => acknowledged.length >= before + 10);
    await stop();
    for (const code of codes) expect(code).toBe("STORE_FAILED");
    await checkAll(acknowledged);
  });

  it("reads again over new connections without a failure", async () => {
    await store.write([put("k", "1")]);
    proxy.cut();
    expect(await textAt(store, "k")).toBe("1");
    proxy.cut();
    expect(await store.write([put("k", "2")])).toEqual([1]);
    await store.ephemeral.put("s", "k", Uint8Array.of(1), LATER, NOW);
    proxy.cut();
    expect(await store.ephemeral.get("s", "k", NOW)).toEqual(Uint8Array.of(1));
  });

  it("says within its deadline that a silent server does not answer, and goes on when it does", async () => {
    await store.close();
    store = await open(300);
    await store.write([put("k", "1")]);
    proxy.block();
    const outcome = await Promise.allSettled([
      store.write([put("k", "2"), append("x")]),
      store.get("resource", "k"),
      store.ephemeral.get("s", "k", NOW),
    ]);
    for (const one of outcome) {
      expect(one.status).toBe("rejected");
      if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "STORE_FAILED" });
    }
    expect(await codeOfAsync(() => store.write([put("k", "3")]))).toBe("STORE_FAILED");
    proxy.unblock();
    expect(await textAt(store, "k")).toBe("1");
    expect(await store.write([put("k", "4")])).toEqual([1]);
  });

  it("says that it does not know when the answer to a commit is lost, and does not write twice", async () => {
    await store.write([put("k", "1")]);
    proxy.cutAfter("COMMIT\0");
    const error = await store.write([put("k", "2"), append("x")]).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(BrokerError);
    expect(error).toMatchObject({ code: "STORE_FAILED", detail: { uncertain: true } });
    expect(await textAt(store, "k")).toBe("2");
    expect(await store.log(0, 10)).toHaveLength(1);
  });

  it("tells at once that nobody listens", async () => {
    await proxy.close();
    const error = await store.get("resource", "k").then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "STORE_FAILED", detail: { reason: "ECONNREFUSED" } });
    expect(await codeOfAsync(() => open(10_000))).toBe("STORE_FAILED");
    proxy = await startProxy(server().port);
  });

  it("waits no longer for another replica's transaction than its deadline", async () => {
    await store.close();
    store = await open(500);
    const held = runSql(
      server().url,
      schema,
      "BEGIN; SELECT * FROM log_head FOR UPDATE; SELECT pg_sleep(1.2); COMMIT",
    );
    let code = "";
    while (code === "") {
      const found = await codeOfAsync(() => store.write([put("k", "1")]));
      if (found !== "nothing") code = found;
    }
    expect(code).toBe("STORE_FAILED");
    await held;
    expect(await store.write([put("k", "2")])).toEqual([1]);
  });

  it("shows no password in what it says", async () => {
    await proxy.close();
    for (const act of [
      () => open(1000),
      () => store.get("resource", "k"),
      () => store.write([put("k", "1")]),
    ]) {
      const error: unknown = await act().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(BrokerError);
      if (error instanceof BrokerError)
        expect(`${error.message} ${error.hint} ${JSON.stringify(error.detail)}`).not.toContain(
          "in-tests-only",
        );
    }
    proxy = await startProxy(server().port);
  });

  it("refuses a schema of another release", async () => {
    await runSql(server().url, schema, "UPDATE version SET version = 99");
    expect(await codeOfAsync(() => open(10_000))).toBe("STATE_INVALID");
  });

  it("is made once by replicas that start at the same time", async () => {
    schema = newSchema();
    const stores = await Promise.all(Array.from({ length: 5 }, () => open(10_000)));
    await Promise.all(stores.map((one, i) => one.write([put(`k${i}`, ""), append(`e${i}`)])));
    expect(await stores[0]?.keys("resource")).toHaveLength(5);
    await Promise.all(stores.map((one) => one.close()));
  });
});
