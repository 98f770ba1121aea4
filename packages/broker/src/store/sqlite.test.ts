// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { append, countingWriter, describeStore, put, textAt } from "../../test/store-suite.ts";
import { openDriver } from "./driver.ts";
import { openSqliteStore } from "./sqlite.ts";
import type { Store } from "./types.ts";

describeStore("SQLite", async () => {
  const folder = mkdtempSync(join(tmpdir(), "adyton-store-"));
  const file = join(folder, "broker.db");
  return {
    open: (log) => openSqliteStore(file, log),
    remove: async () => rmSync(folder, { recursive: true }),
    sql: async (text) => {
      const driver = await openDriver(file);
      try {
        driver.exec(text);
      } finally {
        driver.close();
      }
    },
  };
});

describe("a database file", () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "adyton-store-"));
    file = join(folder, "broker.db");
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it.each([1, 99])("of schema %i is refused", async (version) => {
    const driver = await openDriver(file);
    driver.exec(`PRAGMA user_version = ${version}`);
    driver.close();
    expect(await codeOfAsync(() => openSqliteStore(file, countingWriter))).toBe("STATE_INVALID");
  });

  it("that is no database is refused", async () => {
    expect(await codeOfAsync(() => openSqliteStore(folder, countingWriter))).toBe("STORE_FAILED");
  });

  it("that may not grow refuses the write, keeps what was acknowledged, and goes on when there is room", async () => {
    let store: Store = await openSqliteStore(file, countingWriter, { maxBytes: 200_000 });
    await store.write([put("kept", "1")]);
    const big = "x".repeat(1_000_000);
    const outcome = await Promise.allSettled([
      store.write([put("kept", big)]),
      store.write([put("lost", big), append("never")]),
      store.write([put("small", "2")]),
    ]);
    expect(outcome.map((one) => one.status)).toEqual(["rejected", "rejected", "fulfilled"]);
    expect(await codeOfAsync(() => store.write([put("kept", big)]))).toBe("STORE_FAILED");
    expect(await textAt(store, "kept")).toBe("1");
    expect(await textAt(store, "lost")).toBeUndefined();
    expect(await store.log(0, 10)).toEqual([]);
    await store.close();
    store = await openSqliteStore(file, countingWriter);
    await store.write([put("lost", big)]);
    expect(await store.keys("resource")).toEqual(["kept", "lost", "small"]);
    await store.close();
  });
});
