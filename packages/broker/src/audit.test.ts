// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { auditChange, auditWriter, readAuditLog, verifyAuditLog } from "./audit.ts";
import { openDriver } from "./store/driver.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import type { Store } from "./store/types.ts";
import { createVault } from "./vault.ts";

const vault = createVault([new Uint8Array(32).fill(1)]);
const NOW = new Date("2026-03-01T12:00:00Z");

let folder: string;
let file: string;
let store: Store;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "adyton-audit-"));
  file = join(folder, "broker.db");
  store = await openSqliteStore(file, auditWriter(vault));
  for (let n = 1; n <= 4; n++) await store.write([auditChange(NOW, { type: "test", n })]);
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

/** What somebody with the database file but without the root key can do. */
async function tamper(sql: string): Promise<void> {
  const driver = await openDriver(file);
  driver.exec("DROP TRIGGER log_no_update; DROP TRIGGER log_no_delete;");
  driver.exec(sql);
  driver.close();
}

describe("the audit log", () => {
  it("verifies, and tells where it ends", async () => {
    const [, , , last] = await readAuditLog(store);
    expect(last?.event).toEqual({ type: "test", n: 4 });
    expect(await verifyAuditLog(store, vault)).toEqual({ seq: 4, hash: last?.hash });
  });

  it("verifies while empty", async () => {
    const empty = await openSqliteStore(join(folder, "empty.db"), auditWriter(vault));
    expect(await verifyAuditLog(empty, vault)).toBeUndefined();
    await empty.close();
  });

  it("verifies over many pages", async () => {
    await store.write(Array.from({ length: 1200 }, (_, n) => auditChange(NOW, { type: "many", n })));
    expect((await verifyAuditLog(store, vault))?.seq).toBe(1204);
  });

  it("still contains an end that was noted", async () => {
    const noted = await verifyAuditLog(store, vault);
    await store.write([auditChange(NOW, { type: "later" })]);
    expect((await verifyAuditLog(store, vault, noted))?.seq).toBe(5);
  });

  it.each([
    ["a changed event", `UPDATE log SET leaf = replace(leaf, '"n":2', '"n":9') WHERE seq = 2`],
    ["a changed time", `UPDATE log SET leaf = replace(leaf, '2026-', '2020-') WHERE seq = 1`],
    ["a changed hash", `UPDATE log SET leaf = replace(leaf, '"hash":"', '"hash":"a') WHERE seq = 4`],
    ["a missing first entry", "DELETE FROM log WHERE seq = 1"],
    ["a missing entry", "DELETE FROM log WHERE seq = 2"],
    ["a missing end", "DELETE FROM log WHERE seq = 4"],
    ["a missing end and seal", "DELETE FROM log WHERE seq = 4; DELETE FROM log_head"],
    ["no entries", "DELETE FROM log"],
    [
      "a missing end, its seal moved",
      "DELETE FROM log WHERE seq = 4; UPDATE log_head SET head = replace(head, '4 ', '3 ')",
    ],
    [
      "swapped events",
      `UPDATE log SET leaf = CASE seq WHEN 2 THEN (SELECT leaf FROM log WHERE seq = 3)
       ELSE (SELECT leaf FROM log WHERE seq = 2) END WHERE seq IN (2, 3)`,
    ],
    ["an entry that was never written", `INSERT INTO log SELECT 5, leaf FROM log WHERE seq = 4`],
  ])("does not verify with %s", async (_what, sql) => {
    await tamper(sql);
    expect(await codeOfAsync(() => verifyAuditLog(store, vault))).toBe("AUDIT_TAMPERED");
  });

  it("does not verify under another root key", async () => {
    const other = createVault([new Uint8Array(32).fill(2)]);
    expect(await codeOfAsync(() => verifyAuditLog(store, other))).toBe("AUDIT_TAMPERED");
  });

  it("set back as a whole does not contain the end that was noted", async () => {
    const noted = { seq: 5, hash: "aa" };
    expect(await codeOfAsync(() => verifyAuditLog(store, vault, noted))).toBe("AUDIT_TAMPERED");
  });
});
