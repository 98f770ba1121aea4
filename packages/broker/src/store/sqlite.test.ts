// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { equal, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDriver } from "./driver.ts";
import { openSqliteStore } from "./sqlite.ts";
import type { Change, LogEntry, Store } from "./types.ts";

let folder: string;
let file: string;
let store: Store;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "adyton-store-"));
  file = join(folder, "broker.db");
  store = await openSqliteStore(file);
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const put = (key: string, text: string): Change => ({
  kind: "put",
  space: "resource",
  key,
  value: fromUtf8(text),
});
const remove = (key: string): Change => ({ kind: "delete", space: "resource", key });
const failing: Change = {
  kind: "append",
  link: () => {
    throw new Error("refused");
  },
};
const append = (event: string): Change => ({
  kind: "append",
  link: (last) => ({
    entry: { seq: (last?.seq ?? 0) + 1, time: "t", event, previous: last?.hash ?? "", hash: `h${event}` },
    head: `head ${event}`,
  }),
});

async function textAt(key: string, from: Store = store): Promise<string | undefined> {
  const value = await from.get("resource", key);
  return value === undefined ? undefined : toUtf8(value);
}

describe("the store", () => {
  it("keeps, replaces, lists and deletes values", async () => {
    expect(await store.write([put("b", "1"), put("a", "2")])).toEqual([1, 1]);
    await store.write([put("b", "3")]);
    expect(await textAt("b")).toBe("3");
    expect(await store.keys("resource")).toEqual(["a", "b"]);
    expect(await store.keys("reference-value")).toEqual([]);
    expect([...(await store.entries("resource"))].map(([key, value]) => [key, toUtf8(value)])).toEqual([
      ["a", "2"],
      ["b", "3"],
    ]);
    expect(await store.write([remove("b"), remove("b")])).toEqual([1, 0]);
    expect(await textAt("b")).toBeUndefined();
  });

  it("keeps empty and large values as they are", async () => {
    const large = new Uint8Array(2_000_000).fill(7);
    await store.write([put("empty", ""), { kind: "put", space: "resource", key: "large", value: large }]);
    expect(await textAt("empty")).toBe("");
    expect(equal((await store.get("resource", "large")) ?? new Uint8Array(0), large)).toBe(true);
  });

  it("answers writes of one turn in order", async () => {
    const touched = await Promise.all([
      store.write([put("k", "1")]),
      store.write([remove("k")]),
      store.write([remove("k")]),
    ]);
    expect(touched).toEqual([[1], [1], [0]]);
  });

  it("applies all changes of a write or none", async () => {
    expect(await codeOfAsync(() => store.write([put("k", "1"), failing]))).toBe("STORE_FAILED");
    expect(await textAt("k")).toBeUndefined();
  });

  it("does not let one failing write take its neighbours down", async () => {
    const outcome = await Promise.allSettled([
      store.write([put("a", "1")]),
      store.write([put("b", "2"), failing]),
      store.write([put("c", "3")]),
    ]);
    expect(outcome.map((one) => one.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await store.keys("resource")).toEqual(["a", "c"]);
  });

  it("links log entries in order, also those of one turn", async () => {
    await Promise.all(["x", "y", "z"].map((event) => store.write([append(event)])));
    const entries = await store.log(0, 10);
    expect(entries.map((entry: LogEntry) => [entry.seq, entry.event, entry.previous])).toEqual([
      [1, "x", ""],
      [2, "y", "hx"],
      [3, "z", "hy"],
    ]);
    expect((await store.log(1, 1)).map((entry: LogEntry) => entry.seq)).toEqual([2]);
    expect(await store.logHead()).toBe("head z");
  });

  it("does not change or remove log entries", async () => {
    await store.write([append("x")]);
    const driver = await openDriver(file);
    expect(() => driver.exec("UPDATE log SET event = 'y'")).toThrow(/only grows/);
    expect(() => driver.exec("DELETE FROM log")).toThrow(/only grows/);
    driver.close();
  });

  it("finds everything again after closing", async () => {
    await store.write([put("k", "1"), append("x")]);
    await store.close();
    store = await openSqliteStore(file);
    expect(await textAt("k")).toBe("1");
    expect(await store.logHead()).toBe("head x");
  });

  it("writes what is queued before it closes, and nothing after", async () => {
    const queued = store.write([put("k", "1")]);
    await store.close();
    await queued;
    expect(await codeOfAsync(() => store.write([put("k", "2")]))).toBe("STORE_CLOSED");
    expect(await codeOfAsync(() => store.get("resource", "k"))).toBe("STORE_CLOSED");
    store = await openSqliteStore(file);
    expect(await textAt("k")).toBe("1");
  });

  it("shares its file with a second process's store", async () => {
    const second = await openSqliteStore(file);
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? store : second).write([append(`e${i}`)])),
    );
    const entries = await second.log(0, 100);
    expect(entries.map((entry: LogEntry) => entry.seq)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    await second.close();
  });

  it("refuses a file of a newer release", async () => {
    await store.close();
    const driver = await openDriver(file);
    driver.exec("PRAGMA user_version = 99");
    driver.close();
    expect(await codeOfAsync(() => openSqliteStore(file))).toBe("STATE_INVALID");
  });

  it("refuses a file that is no database", async () => {
    expect(await codeOfAsync(() => openSqliteStore(folder))).toBe("STORE_FAILED");
  });
});

describe("a full disk", () => {
  it("refuses the write, keeps what was acknowledged, and goes on when there is room", async () => {
    await store.close();
    store = await openSqliteStore(file, { maxBytes: 200_000 });
    await store.write([put("kept", "1")]);
    const big = "x".repeat(1_000_000);
    const outcome = await Promise.allSettled([
      store.write([put("kept", big)]),
      store.write([put("lost", big), append("never")]),
      store.write([put("small", "2")]),
    ]);
    expect(outcome.map((one) => one.status)).toEqual(["rejected", "rejected", "fulfilled"]);
    expect(await codeOfAsync(() => store.write([put("kept", big)]))).toBe("STORE_FAILED");
    expect(await textAt("kept")).toBe("1");
    expect(await textAt("lost")).toBeUndefined();
    expect(await store.log(0, 10)).toEqual([]);
    await store.close();
    store = await openSqliteStore(file);
    await store.write([put("lost", big)]);
    expect(await store.keys("resource")).toEqual(["kept", "lost", "small"]);
  });
});
