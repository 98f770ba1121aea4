// SPDX-License-Identifier: Apache-2.0
// A backup of a broker that goes on writing, opened by a passphrase or by shares, and everything that can be wrong with it.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { concat, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { auditChange } from "../audit.ts";
import { type RootKeyAccess, rootKeyProvider } from "../root-key/access.ts";
import { RootKeys } from "../root-key/keeper.ts";
import { ringFileIn } from "../root-key/ring-file.ts";
import { type BrokerState, openBrokerState } from "../state.ts";
import { createBackup, restoreBackup, verifyBackup } from "./backup.ts";
import { decryptBackup, encryptBackup } from "./envelope.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const cost = { logN: 4, r: 1, p: 1 };
const PASSPHRASE = "six words at random maybe";
const COUNT = 300;
/** Values of the broker itself: its two signing keys. */
const OWN = 2;

let base: string;
let folder: string;
let state: BrokerState;
let keys: RootKeys;

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), "adyton-backup-"));
  folder = join(base, "state");
  state = await openBrokerState(folder);
  keys = await RootKeys.open(ringFileIn(folder), (kind) => rootKeyProvider(kind, folder), NOW);
  for (let index = 0; index < COUNT; index++)
    void state.store.write([
      {
        ...{ kind: "put", space: "resource", key: `k${index}` },
        value: state.vault.seal("resource", `k${index}`, fromUtf8("x".repeat(index * 5))),
      },
      auditChange(NOW, { type: "resource.put", resource: `k${index}` }),
    ]);
  await state.store.write([auditChange(NOW, { type: "last" })]);
});
afterEach(async () => {
  await state.store.close();
  rmSync(base, { recursive: true });
});

async function backup(): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of createBackup(folder, state.store, keys, { passphrase: PASSPHRASE, cost }, NOW))
    parts.push(part);
  return concat(...parts);
}

async function* streamOf(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const opener = { passphrase: PASSPHRASE };

describe("a backup", () => {
  it("brings everything back: values, log, keys, under another provider", async () => {
    const bytes = await backup();
    expect(await verifyBackup(streamOf(bytes), opener)).toEqual({
      created: NOW.toISOString(),
      values: COUNT + OWN,
      entries: COUNT + 1,
    });
    const place = join(base, "deep", "restored");
    const access: RootKeyAccess = { kind: "passphrase", passphrase: async () => "another passphrase", cost };
    await restoreBackup(streamOf(bytes), opener, place, access);
    expect(readdirSync(join(base, "deep"))).toEqual(["restored"]);
    const restored = await openBrokerState(place, { rootKey: access });
    expect(restored.adminToken).toBe(state.adminToken);
    expect(restored.logKey).toEqual(state.logKey);
    expect(await restored.tokenKeys.publicKeys()).toEqual(await state.tokenKeys.publicKeys());
    const value = (await restored.store.get("resource", "k299")) ?? new Uint8Array();
    expect(toUtf8(restored.vault.open("resource", "k299", value))).toBe("x".repeat(1495));
    expect(await restored.store.logHead()).toBe(await state.store.logHead());
    // The log goes on.
    await restored.store.write([auditChange(NOW, { type: "after" })]);
    await restored.store.close();
  });

  it("is of one moment, while the broker goes on writing", async () => {
    const parts: Uint8Array[] = [];
    for await (const part of createBackup(folder, state.store, keys, { passphrase: PASSPHRASE, cost }, NOW)) {
      parts.push(part);
      await state.store.write([
        { kind: "delete", space: "resource", key: `k${COUNT - parts.length}` },
        auditChange(NOW, { type: "resource.delete" }),
      ]);
    }
    expect(parts.length).toBeGreaterThan(3);
    const facts = await verifyBackup(streamOf(concat(...parts)), opener);
    // As many entries as values and one: neither was seen without the other.
    const deleted = facts.entries - (COUNT + 1);
    expect(facts.values).toBe(COUNT + OWN - deleted);
    await restoreBackup(streamOf(concat(...parts)), opener, join(base, "restored"));
  });

  it("opens with recovery shares", async () => {
    const lines = await keys.split({ threshold: 2, shares: 3 }, rootKeyProvider("file", folder), NOW);
    const parts: Uint8Array[] = [];
    for await (const part of createBackup(folder, state.store, keys, {}, NOW)) parts.push(part);
    const bytes = concat(...parts);
    expect(await verifyBackup(streamOf(bytes), { shares: lines.slice(1) })).toMatchObject({
      values: COUNT + OWN,
    });
    expect(await codeOfAsync(() => verifyBackup(streamOf(bytes), { shares: lines.slice(2) }))).toBe(
      "SHARE_INVALID",
    );
    expect(await codeOfAsync(() => verifyBackup(streamOf(bytes), opener))).toBe("BACKUP_INVALID");
  });

  it("that nobody could open is not made", async () => {
    const make = async () => {
      for await (const _ of createBackup(folder, state.store, keys, {}, NOW));
    };
    expect(await codeOfAsync(make)).toBe("BACKUP_INVALID");
  });

  it("shows no secret and no key", async () => {
    const text = Buffer.from(await backup()).toString("latin1");
    expect(text).not.toContain(state.adminToken);
    expect(text).not.toContain("resource");
  });

  it("is not restored over something, and nothing is left of the try", async () => {
    const bytes = await backup();
    const restore = (place: string) => codeOfAsync(() => restoreBackup(streamOf(bytes), opener, place));
    expect(await restore(folder)).toBe("STATE_NOT_EMPTY");
    const file = join(base, "file");
    writeFileSync(file, "");
    expect(await restore(file)).toBe("STATE_NOT_EMPTY");
    const empty = join(base, "empty");
    mkdirSync(empty);
    await restoreBackup(streamOf(bytes), opener, empty);
    expect(readdirSync(base).sort()).toEqual(["empty", "file", "state"]);
    expect(await codeOfAsync(() => state.store.load(state.store.snapshot()))).toBe("STATE_NOT_EMPTY");
  });

  it("is refused when it is cut off anywhere, longer, or changed anywhere", async () => {
    const bytes = await backup();
    const verify = (changed: Uint8Array) =>
      codeOfAsync(() => verifyBackup(streamOf(changed, 65_536), opener));
    const step = Math.floor(bytes.length / 40);
    for (let at = 0; at < bytes.length; at += step) {
      expect(await verify(bytes.subarray(0, at))).toBe("BACKUP_INVALID");
      const mutant = Uint8Array.from(bytes);
      mutant[at] = (mutant[at] ?? 0) ^ 1;
      expect(["BACKUP_INVALID", "STATE_INVALID"]).toContain(await verify(mutant));
    }
    expect(await verify(concat(bytes, Uint8Array.of(0)))).toBe("BACKUP_INVALID");
    expect(await verify(concat(bytes, bytes))).toBe("BACKUP_INVALID");
    expect(await codeOfAsync(() => verifyBackup(streamOf(bytes), { passphrase: "wrong" }))).toBe(
      "BACKUP_INVALID",
    );
    const place = join(base, "restored");
    expect(
      await codeOfAsync(() => restoreBackup(streamOf(bytes.subarray(0, bytes.length - 9)), opener, place)),
    ).toBe("BACKUP_INVALID");
    expect(readdirSync(base)).toEqual(["state"]);
  });

  it.each([
    ["", "nothing"],
    ["{}\n", "no state"],
    ["nonsense\n", "no JSON"],
    ['{"kind":"state"', "half a line"],
    ['{"kind":"state","created":"2026-03-01T12:00:00Z","files":{},"ring":{}}\n', "no files"],
  ])("of %j is refused: %s", async (text) => {
    const parts: Uint8Array[] = [];
    for await (const part of encryptBackup(
      streamOf(fromUtf8(text)),
      { recipients: [], passphrase: PASSPHRASE, cost },
      NOW,
    ))
      parts.push(part);
    expect(await codeOfAsync(() => verifyBackup(streamOf(concat(...parts)), opener))).toBe("BACKUP_INVALID");
  });
});

it.each([0, 1, 65_535, 65_536, 65_537, 200_000])("an envelope holds %i bytes as they are", async (length) => {
  const content = Uint8Array.from({ length }, (_, index) => index % 251);
  const parts: Uint8Array[] = [];
  const readers = { recipients: [], passphrase: PASSPHRASE, cost };
  for await (const part of encryptBackup(streamOf(content, 7777), readers, NOW)) parts.push(part);
  const opened: Uint8Array[] = [];
  for await (const part of decryptBackup(streamOf(concat(...parts), 999), opener)) opened.push(part);
  expect(Buffer.concat(opened).equals(content)).toBe(true);
});
