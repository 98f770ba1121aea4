// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf, codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readHead } from "./audit/head.ts";
import { generateLogKey, logSignerOf } from "./audit/log-key.ts";
import { merkleWriter } from "./audit/merkle-writer.ts";
import { verifyAtStart, verifyAuditLog } from "./audit/verify.ts";
import { auditChange, readAuditLog } from "./audit.ts";
import { openDriver } from "./store/driver.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import type { Store } from "./store/types.ts";
import { createVault } from "./vault.ts";

const vault = createVault([new Uint8Array(32).fill(1)]);
const signer = logSignerOf(generateLogKey());
const { key } = signer;
const NOW = new Date("2026-03-01T12:00:00Z");

let folder: string;
let file: string;
let store: Store;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "adyton-audit-"));
  file = join(folder, "broker.db");
  store = await openSqliteStore(file, merkleWriter(signer));
  for (let n = 1; n <= 4; n++) await store.write([auditChange(NOW, { type: "test", n })]);
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

/** What somebody with the database file but without the log's key can do. */
async function tamper(sql: string): Promise<void> {
  const driver = await openDriver(file);
  driver.exec(
    "DROP TRIGGER log_no_update; DROP TRIGGER log_no_delete; DROP TRIGGER log_node_no_update; DROP TRIGGER log_node_no_delete;",
  );
  driver.exec(sql);
  driver.close();
}

async function writeMany(count: number): Promise<void> {
  await store.write(Array.from({ length: count }, (_, n) => auditChange(NOW, { type: "many", n })));
}

describe("the audit log", () => {
  it("verifies, and tells where it ends", async () => {
    const [, , , last] = await readAuditLog(store);
    expect(last).toEqual({ seq: 4, time: NOW.toISOString(), event: { type: "test", n: 4 } });
    const end = await verifyAuditLog(store, key);
    expect(end).toMatchObject({ size: 4, extensions: ["time 2026-03-01T12:00:00.000Z"] });
    expect(end).toEqual((await readHead(store, key))?.checkpoint);
  });

  it("verifies while empty", async () => {
    const empty = await openSqliteStore(join(folder, "empty.db"), merkleWriter(signer));
    expect(await verifyAuditLog(empty, key)).toBeUndefined();
    await verifyAtStart(empty, vault, key);
    await empty.close();
  });

  it("verifies over many pages, and while it grows", async () => {
    await writeMany(1200);
    expect((await verifyAuditLog(store, key))?.size).toBe(1204);
    const [end] = await Promise.all([verifyAuditLog(store, key), ...[1, 2, 3].map(() => writeMany(300))]);
    expect(end?.size).toBeGreaterThanOrEqual(1204);
    expect((await verifyAuditLog(store, key, { noted: end as NonNullable<typeof end> }))?.size).toBe(2104);
  });

  it("goes on after another process wrote to it", async () => {
    const second = await openSqliteStore(file, merkleWriter(signer));
    await second.write([auditChange(NOW, { type: "second" })]);
    await store.write([auditChange(NOW, { type: "first" })]);
    await second.close();
    expect((await verifyAuditLog(store, key))?.size).toBe(6);
  });

  it("still contains an end that was noted", async () => {
    const noted = await verifyAuditLog(store, key);
    await writeMany(10);
    expect(noted).toBeDefined();
    expect((await verifyAuditLog(store, key, noted === undefined ? {} : { noted }))?.size).toBe(14);
  });

  it("gives entries of one content different hashes", async () => {
    await store.write([auditChange(NOW, { type: "same" }), auditChange(NOW, { type: "same" })]);
    const [one, two] = await store.logNodes([
      { level: 0, index: 4 },
      { level: 0, index: 5 },
    ]);
    expect(one?.hash).not.toEqual(two?.hash);
    const salts = (await store.log(4, 2)).map(({ leaf }) => (JSON.parse(leaf) as { salt: string }).salt);
    expect(new Set(salts).size).toBe(2);
  });

  const HEAD_OF = (seq: number): string =>
    `UPDATE log_head SET head = (SELECT head FROM old_head WHERE size = ${seq})`;
  const TAMPERED: readonly (readonly [what: string, sql: string])[] = [
    ["a changed event", `UPDATE log SET leaf = replace(leaf, '"n":2', '"n":9') WHERE seq = 2`],
    ["a changed time", `UPDATE log SET leaf = replace(leaf, '2026', '2020') WHERE seq = 1`],
    ["a changed last entry", `UPDATE log SET leaf = replace(leaf, '"n":4', '"n":9') WHERE seq = 4`],
    ["a missing first entry", "DELETE FROM log WHERE seq = 1"],
    ["a missing entry", "DELETE FROM log WHERE seq = 2"],
    ["a missing end", "DELETE FROM log WHERE seq = 4"],
    ["a missing end and head", "DELETE FROM log WHERE seq = 4; DELETE FROM log_head"],
    ["a missing head", "DELETE FROM log_head"],
    ["no entries", "DELETE FROM log"],
    ["an older head", HEAD_OF(3)],
    ["a changed root", `UPDATE log_head SET head = replace(head, substr(head, 60, 4), 'AAAA')`],
    ["a head that is no JSON", "UPDATE log_head SET head = 'x'"],
    ["a head of another shape", "UPDATE log_head SET head = '{}'"],
    ["a changed frontier", `UPDATE log_head SET head = substr(head, 1, length(head) - 4) || '00"]}'`],
    ["a frontier of no hex", `UPDATE log_head SET head = substr(head, 1, length(head) - 4) || 'xx"]}'`],
    ["a longer frontier", `UPDATE log_head SET head = substr(head, 1, length(head) - 2) || ',"00"]}'`],
    ["a changed hash of an entry", "UPDATE log_node SET hash = zeroblob(32) WHERE level = 0 AND place = 1"],
    ["a changed node", "UPDATE log_node SET hash = zeroblob(32) WHERE level = 2 AND place = 0"],
    ["a missing node", "DELETE FROM log_node WHERE level = 1 AND place = 1"],
    [
      "swapped entries",
      `UPDATE log SET leaf = CASE seq WHEN 2 THEN (SELECT leaf FROM log WHERE seq = 3)
       ELSE (SELECT leaf FROM log WHERE seq = 2) END WHERE seq IN (2, 3)`,
    ],
    [
      "swapped entries and their hashes",
      `UPDATE log SET leaf = CASE seq WHEN 2 THEN (SELECT leaf FROM log WHERE seq = 3)
       ELSE (SELECT leaf FROM log WHERE seq = 2) END WHERE seq IN (2, 3);
       UPDATE log_node SET hash = CASE place WHEN 1 THEN (SELECT hash FROM log_node WHERE level = 0 AND place = 2)
       ELSE (SELECT hash FROM log_node WHERE level = 0 AND place = 1) END WHERE level = 0 AND place IN (1, 2)`,
    ],
    ["an entry that was never written", "INSERT INTO log SELECT 5, leaf FROM log WHERE seq = 4"],
  ];

  it.each(TAMPERED)("does not verify with %s", async (_what, sql) => {
    const older = await openSqliteStore(join(folder, "older.db"), merkleWriter(signer));
    for (let n = 1; n <= 3; n++) await older.write([auditChange(NOW, { type: "test", n })]);
    const head = (await older.logHead()) ?? "";
    await older.close();
    await tamper("CREATE TABLE old_head (size INTEGER, head TEXT)");
    const driver = await openDriver(file);
    driver.run("INSERT INTO old_head VALUES (3, ?)", head);
    driver.exec(sql);
    driver.close();
    expect(await codeOfAsync(() => verifyAuditLog(store, key))).toBe("AUDIT_TAMPERED");
    expect(await codeOfAsync(() => verifyAtStart(store, vault, key))).toBe("AUDIT_TAMPERED");
  });

  it("tells the entry where it was changed", async () => {
    await tamper(`UPDATE log SET leaf = replace(leaf, '"n":3', '"n":9') WHERE seq = 3`);
    await expect(verifyAuditLog(store, key)).rejects.toMatchObject({ detail: { seq: 3 } });
  });

  it("does not grow from an end that nobody signed", async () => {
    await tamper("UPDATE log_head SET head = replace(head, 'time', 'tyme')");
    expect(await codeOfAsync(() => writeMany(1))).toBe("AUDIT_TAMPERED");
  });

  it("does not verify with another key, nor go on with it", async () => {
    const other = logSignerOf(generateLogKey());
    expect(await codeOfAsync(() => verifyAuditLog(store, other.key))).toBe("AUDIT_TAMPERED");
    const foreign = await openSqliteStore(file, merkleWriter(other));
    expect(await codeOfAsync(() => foreign.write([auditChange(NOW, { type: "x" })]))).toBe("AUDIT_TAMPERED");
    await foreign.close();
  });

  it("set back or replaced as a whole does not contain the end that was noted", async () => {
    const beyond = { size: 5, root: new Uint8Array(32) };
    expect(await codeOfAsync(() => verifyAuditLog(store, key, { noted: beyond }))).toBe("AUDIT_TAMPERED");
    const other = { size: 3, root: new Uint8Array(32) };
    expect(await codeOfAsync(() => verifyAuditLog(store, key, { noted: other }))).toBe("AUDIT_TAMPERED");
    const empty = { size: 0, root: new Uint8Array(32) };
    expect(await codeOfAsync(() => verifyAuditLog(store, key, { noted: empty }))).toBe("AUDIT_TAMPERED");
  });
});

describe("the start of a broker with a large log", () => {
  it("reads on from where the log was verified last", async () => {
    await writeMany(10_100);
    await verifyAtStart(store, vault, key);
    // An old change shows only to whoever reads the whole log.
    await tamper(`UPDATE log SET leaf = replace(leaf, '"n":2', '"n":9') WHERE seq = 2`);
    await verifyAtStart(store, vault, key);
    expect(await codeOfAsync(() => verifyAuditLog(store, key))).toBe("AUDIT_TAMPERED");
    // Without the root key nobody can make such a note.
    const [mark] = await store.keys("log");
    await store.write([{ kind: "put", space: "log", key: mark ?? "", value: new Uint8Array(99) }]);
    expect(await codeOfAsync(() => verifyAtStart(store, vault, key))).toBe("AUDIT_TAMPERED");
  });

  it("does not pass a log that was cut before there", async () => {
    await writeMany(10_100);
    await verifyAtStart(store, vault, key);
    const cut = await openSqliteStore(join(folder, "cut.db"), merkleWriter(signer));
    await cut.write(Array.from({ length: 10_001 }, (_, n) => auditChange(NOW, { type: "many", n })));
    const [mark = ""] = await store.keys("log");
    const value = (await store.get("log", mark)) ?? new Uint8Array(0);
    await cut.write([{ kind: "put", space: "log", key: mark, value }]);
    expect(await codeOfAsync(() => verifyAtStart(cut, vault, key))).toBe("AUDIT_TAMPERED");
    await cut.close();
  });
});

describe("the log's key", () => {
  it("names the log after itself", () => {
    const jwk = generateLogKey();
    expect(logSignerOf(jwk).key).toEqual(logSignerOf(jwk).key);
    expect(logSignerOf(jwk).key.name).toMatch(/^adyton-log\/[0-9a-f]{16}$/);
    expect(logSignerOf(generateLogKey()).key.name).not.toBe(logSignerOf(jwk).key.name);
  });

  it.each([
    "",
    "{}",
    "[]",
    `{"kty":"OKP","crv":"Ed25519","x":"AA"}`,
    generateLogKey().replace("Ed25519", "X25519"),
  ])("is not %s", (jwk) => {
    expect(codeOf(() => logSignerOf(jwk))).toBe("STATE_INVALID");
  });
});
