// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

describe.skipIf(!canMount())("a disk that is full", () => {
  let disk: string;

  beforeEach(() => {
    disk = mkdtempSync(join(tmpdir(), "adyton-disk-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
  });

  afterEach(() => {
    // libsql lets go of its file when it is collected.
    execFileSync("umount", ["--lazy", disk]);
    rmSync(disk, { recursive: true });
  });

  it("refuses writes, keeps what was acknowledged, and takes writes again once there is room", async () => {
    const ballast = join(disk, "ballast");
    writeFileSync(ballast, new Uint8Array(300_000));
    let store: Store = await openSqliteStore(join(disk, "broker.db"), countingWriter);
    const acknowledged: string[] = [];
    const text = "x".repeat(20_000);
    let code = "nothing";
    for (let n = 0; code === "nothing" && n < 100; n++) {
      code = await codeOfAsync(() => store.write([put(`k${n}`, text), append(`e${n}`)]));
      if (code === "nothing") acknowledged.push(`k${n}`);
    }
    expect(code).toBe("STORE_FAILED");
    expect(acknowledged.length).toBeGreaterThan(0);
    expect((await store.keys("resource")).toSorted()).toEqual(acknowledged.toSorted());
    rmSync(ballast);
    await store.write([put("after", text), append("after")]);
    await store.close();
    store = await openSqliteStore(join(disk, "broker.db"), countingWriter);
    expect((await store.keys("resource")).toSorted()).toEqual([...acknowledged, "after"].toSorted());
    expect((await store.log(0, 1000)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: acknowledged.length + 1 }, (_, index) => index + 1),
    );
    await store.close();
  });
});

/** Only root may give a test a disk of its own. */
function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), "adyton-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]).status === 0;
  if (mounted) execFileSync("umount", [folder]);
  rmSync(folder, { recursive: true });
  if (!mounted) console.warn("No disk can be mounted here: the test with a full one is skipped.");
  return mounted;
}
