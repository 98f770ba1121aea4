// SPDX-License-Identifier: Apache-2.0
// Root keys from making to destroying, with a death at each write, and everything somebody could do to their file.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { codeOf, codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { countingWriter } from "../../test/store-suite.ts";
import { BrokerError } from "../errors.ts";
import { silentLogger } from "../log.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import type { WholeStore } from "../store/types.ts";
import { sealedUnder } from "../vault.ts";
import { type RootKeyAccess, rootKeyProvider } from "./access.ts";
import { RootKeys } from "./keeper.ts";
import { keyedStore } from "./keyed-store.ts";
import { ringFileIn } from "./ring-file.ts";
import type { RingPlace } from "./ring-place.ts";
import { RootKeyService } from "./service.ts";
import { recipientOfShares } from "./shares.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const HOUR = 3_600_000;
const VALUES = 150;
/** Cheap: tests guess no passphrase. */
const CHEAP = { logN: 4, r: 1, p: 1 };
const phrase = (text: string): RootKeyAccess => ({
  kind: "passphrase",
  passphrase: async () => text,
  cost: CHEAP,
});
const WORDS = phrase("correct horse battery");

let folder: string;
let clock: { time: Date; now(): Date };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adyton-root-"));
  clock = { time: NOW, now: () => clock.time };
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(file: RingPlace = ringFileIn(folder), access: RootKeyAccess = WORDS): Promise<RootKeys> {
  return RootKeys.open(file, (kind) => rootKeyProvider(kind, folder, access), NOW);
}

const openStore = (): Promise<WholeStore> => openSqliteStore(join(folder, "broker.db"), countingWriter);

/** A file whose writes fail from the `after`th on, before or after they happened. */
function dying(after: number, when: "before" | "after"): RingPlace {
  const file = ringFileIn(folder);
  let writes = 0;
  return {
    ...file,
    replace: async (from, to) => {
      writes += 1;
      if (writes === after && when === "before") throw dead();
      const done = await file.replace(from, to);
      if (writes === after) throw dead();
      return done;
    },
  };
}

function dead(): BrokerError {
  return new BrokerError("STATE_INVALID", "unavailable", "Cannot write: ENOSPC");
}

async function filled(keys: RootKeys, store: WholeStore): Promise<void> {
  await store.write(
    Array.from({ length: VALUES }, (_, index) => ({
      kind: "put" as const,
      ...{ space: index % 2 === 0 ? "resource" : "team/resource", key: `k${index}` },
      value: keys.vault.seal(
        index % 2 === 0 ? "resource" : "team/resource",
        `k${index}`,
        fromUtf8(`v${index}`),
      ),
    })),
  );
  await store.write([{ kind: "put", space: "other", key: "plain", value: fromUtf8("not sealed") }]);
}

async function checkAll(keys: RootKeys, store: WholeStore): Promise<Set<string | undefined>> {
  const under = new Set<string | undefined>();
  for (let index = 0; index < VALUES; index++) {
    const space = index % 2 === 0 ? "resource" : "team/resource";
    const value = (await store.get(space, `k${index}`)) ?? new Uint8Array();
    expect(toUtf8(keys.vault.open(space, `k${index}`, value))).toBe(`v${index}`);
    under.add(sealedUnder(value));
  }
  return under;
}

function serviceOf(keys: RootKeys, store: WholeStore): RootKeyService {
  return new RootKeyService({ store, keys, clock, logger: silentLogger });
}

describe("rotation", () => {
  it("seals everything anew, keeps the old generation for a while, then destroys it", async () => {
    const store = await openStore();
    const keys = await open();
    await filled(keys, store);
    const before = keys.facts().active;
    const service = serviceOf(keys, store);
    await service.rotate();
    await service.settled();
    expect(keys.facts().active).not.toBe(before);
    expect(await checkAll(keys, store)).toEqual(new Set([keys.vault.keyId]));
    expect(service.status().reseal).toEqual({
      running: false,
      seen: VALUES + 1,
      total: VALUES + 1,
      resealed: VALUES,
    });
    expect(keys.facts().generations.map(({ id, retired }) => [id, retired])).toEqual([
      [keys.vault.keyId, undefined],
      [before, NOW.toISOString()],
    ]);
    clock.time = new Date(NOW.getTime() + HOUR);
    service.start();
    await service.settled();
    expect(keys.facts().generations.map(({ id }) => id)).toEqual([keys.vault.keyId]);
    expect(toUtf8((await store.get("other", "plain")) ?? new Uint8Array())).toBe("not sealed");
    await store.close();
  });

  it("keeps a generation that a slow writer still used", async () => {
    const store = await openStore();
    const keys = await open();
    const late = await open();
    const service = serviceOf(keys, store);
    await service.rotate();
    await service.settled();
    // Another process that has not noticed yet.
    const value = late.vault.seal("resource", "late", fromUtf8("late"));
    await store.write([{ kind: "put", space: "resource", key: "late", value }]);
    clock.time = new Date(NOW.getTime() + HOUR);
    service.start();
    await service.settled();
    const found = (await store.get("resource", "late")) ?? new Uint8Array();
    expect(sealedUnder(found)).toBe(keys.vault.keyId);
    expect(toUtf8(keys.vault.open("resource", "late", found))).toBe("late");
    // And it reads what the new generation sealed: it looks for the key.
    const read = (await keyedStore(store, late).get("resource", "late")) ?? new Uint8Array();
    expect(toUtf8(late.vault.open("resource", "late", read))).toBe("late");
    await store.close();
  });

  it("leaves what a writer changes meanwhile", async () => {
    const store = await openStore();
    const keys = await open();
    await filled(keys, store);
    const service = serviceOf(keys, store);
    await service.rotate();
    const value = keys.vault.seal("resource", "k0", fromUtf8("changed"));
    await store.write([{ kind: "put", space: "resource", key: "k0", value }]);
    await service.settled();
    const found = (await store.get("resource", "k0")) ?? new Uint8Array();
    expect(toUtf8(keys.vault.open("resource", "k0", found))).toBe("changed");
    await store.close();
  });

  it.each([
    [1, "before"],
    [1, "after"],
    [2, "before"],
    [2, "after"],
  ] as const)("goes on after a death at write %i of the keys, %s it", async (at, when) => {
    const store = await openStore();
    await filled(await open(), store);
    const doomed = serviceOf(await open(dying(at, when)), store);
    await doomed.rotate().catch(() => undefined);
    await doomed.settled();
    // Another process takes over what is on disk.
    const keys = await open();
    await checkAll(keys, store);
    const service = serviceOf(keys, store);
    service.start();
    await service.settled();
    expect(await checkAll(keys, store)).toEqual(new Set([keys.vault.keyId]));
    await store.close();
  });

  it.each([0, 1, 70, 149])("goes on after a death at value %i", async (at) => {
    const store = await openStore();
    const keys = await open();
    await filled(keys, store);
    let writes = 0;
    const dyingStore = Object.create(store, {
      write: {
        value: (changes: Parameters<WholeStore["write"]>[0]) =>
          writes++ >= at ? Promise.reject(dead()) : store.write(changes),
      },
      get: { value: (space: string, key: string) => store.get(space, key) },
      keys: { value: (space: string) => store.keys(space) },
      spaces: { value: () => store.spaces() },
    }) as WholeStore;
    const doomed = serviceOf(keys, dyingStore);
    await doomed.rotate();
    await doomed.settled();
    const next = await open();
    await checkAll(next, store);
    expect(next.facts().generations).toHaveLength(2);
    const service = serviceOf(next, store);
    service.start();
    await service.settled();
    expect(await checkAll(next, store)).toEqual(new Set([next.vault.keyId]));
    await store.close();
  });

  it("stops when the broker closes, and destroys nothing then", async () => {
    const store = await openStore();
    const keys = await open();
    await filled(keys, store);
    const service = serviceOf(keys, store);
    await service.rotate();
    await service.close();
    expect(keys.facts().generations).toHaveLength(2);
    await checkAll(keys, store);
    await store.close();
  });
});

describe("moving to another provider", () => {
  it("keeps every value, and leaves the old provider nothing that opens them", async () => {
    const keys = await open(undefined, {});
    const sealed = keys.vault.seal("resource", "a", fromUtf8("open sesame"));
    expect(readdirSync(folder).sort()).toEqual(["root-keys.json", "root.key"]);
    await keys.move(rootKeyProvider("passphrase", folder, WORDS), rootKeyProvider("file", folder));
    expect(readdirSync(folder)).toEqual(["root-keys.json"]);
    const again = await open();
    expect(again.facts().provider).toBe("passphrase");
    expect(toUtf8(again.vault.open("resource", "a", sealed))).toBe("open sesame");
    expect(await codeOfAsync(() => open(undefined, phrase("wrong horse battery")))).toBe("ROOT_KEY_REFUSED");
    expect(await codeOfAsync(() => open(undefined, {}))).toBe("ROOT_KEY_REFUSED");
  });

  it("changes nothing when it fails, and leaves nothing behind", async () => {
    const keys = await open(dying(1, "before"));
    const file = rootKeyProvider("file", folder);
    expect(await codeOfAsync(() => keys.move(file))).toBe("STATE_INVALID");
    expect(readdirSync(folder)).toEqual(["root-keys.json"]);
    expect((await open()).facts().provider).toBe("passphrase");
    expect(await codeOfAsync(() => keys.move(rootKeyProvider("passphrase", folder, phrase("short"))))).toBe(
      "ROOT_KEY_REFUSED",
    );
    expect((await open()).facts().active).toBe(keys.facts().active);
  });

  it("keeps what the new file needs when the disk fails right after it was written", async () => {
    const keys = await open(dying(1, "after"));
    const sealed = keys.vault.seal("resource", "a", fromUtf8("open sesame"));
    expect(await codeOfAsync(() => keys.move(rootKeyProvider("file", folder)))).toBe("STATE_INVALID");
    const again = await open(undefined, {});
    expect(toUtf8(again.vault.open("resource", "a", sealed))).toBe("open sesame");
  });

  it("from file to file gives a new file, and takes the old one away", async () => {
    const keys = await open(undefined, {});
    const file = rootKeyProvider("file", folder);
    await keys.move(file, file);
    expect(readdirSync(folder).sort()).toEqual([
      expect.stringMatching(/^root-[0-9a-f]{8}\.key$/),
      "root-keys.json",
    ]);
    expect((await open(undefined, {})).facts().active).toBe(keys.facts().active);
  });
});

describe("recovery", () => {
  it("opens the root keys without their provider, and gives them to a new one", async () => {
    const keys = await open();
    const sealed = keys.vault.seal("resource", "a", fromUtf8("open sesame"));
    const lines = await keys.split(
      { threshold: 2, shares: 3 },
      rootKeyProvider(undefined, folder, { ...WORDS, kind: "passphrase" }),
      NOW,
    );
    await keys.rotate(NOW);
    const pair = recipientOfShares(lines.slice(1));
    const found = await RootKeys.recover(ringFileIn(folder), pair);
    expect(toUtf8(found.vault.open("resource", "a", sealed))).toBe("open sesame");
    await found.move(rootKeyProvider("passphrase", folder, phrase("a new holder's words")));
    const again = await open(undefined, phrase("a new holder's words"));
    expect(toUtf8(again.vault.open("resource", "a", sealed))).toBe("open sesame");
    expect(again.facts().recipients).toMatchObject([{ threshold: 2, shares: 3, created: NOW.toISOString() }]);
  });

  it("is refused to shares that were replaced, or are of another state", async () => {
    const keys = await open();
    const provider = rootKeyProvider("passphrase", folder, WORDS);
    const first = await keys.split({ threshold: 2, shares: 2 }, provider, NOW);
    const second = await keys.split({ threshold: 2, shares: 2 }, provider, NOW);
    const third = await keys.split({ threshold: 2, shares: 2, keep: true }, provider, NOW);
    const recover = (lines: readonly string[]) =>
      codeOfAsync(() => RootKeys.recover(ringFileIn(folder), recipientOfShares(lines)));
    expect(await recover(first)).toBe("SHARE_INVALID");
    for (const good of [second, third])
      expect((await RootKeys.recover(ringFileIn(folder), recipientOfShares(good))).vault.keyId).toBe(
        keys.vault.keyId,
      );
  });
});

describe("root-keys.json", () => {
  it("is refused when any letter changes", async () => {
    const keys = await open();
    await keys.split({ threshold: 2, shares: 2 }, rootKeyProvider("passphrase", folder, WORDS), NOW);
    await keys.rotate(NOW);
    const file = ringFileIn(folder);
    const text = (await file.read()) ?? "";
    const members = /[A-Za-z0-9](?=[A-Za-z0-9_:.-]*"[,\n}])/g;
    const places = [...text.matchAll(members)].filter((_, index) => index % 7 === 0);
    for (const { index } of places) {
      const letter = text[index] === "a" ? "b" : "a";
      const changed = { ...file, read: async () => text.slice(0, index) + letter + text.slice(index + 1) };
      const code = await codeOfAsync(() => open(changed));
      expect(["STATE_INVALID", "ROOT_KEY_REFUSED"]).toContain(code);
    }
    expect(places.length).toBeGreaterThan(50);
  });

  it("shows no key", async () => {
    const keys = await open();
    const text = (await ringFileIn(folder).read()) ?? "";
    for (const { key } of keys.ring.generations) {
      expect(text).not.toContain(Buffer.from(key).toString("base64url"));
      expect(text).not.toContain(Buffer.from(key).toString("hex"));
      expect(JSON.stringify(keys.facts())).not.toContain(Buffer.from(key).toString("base64url"));
    }
  });

  it("of a running broker that vanishes or is another's is not taken", async () => {
    const file = ringFileIn(folder);
    let text = await file.read();
    const keys = await open({ ...file, read: async () => text ?? (await file.read()) });
    const id = keys.vault.keyId;
    text = "{}";
    expect(await codeOfAsync(() => keys.refresh())).toBe("STATE_INVALID");
    expect(keys.vault.keyId).toBe(id);
  });

  it("of a kind that nobody knows is refused", () => {
    expect(codeOf(() => rootKeyProvider("oracle", folder))).toBe("STATE_INVALID");
    for (const kind of ["passphrase", "pkcs11", "vault-transit"])
      expect(codeOf(() => rootKeyProvider(kind, folder))).toBe("ROOT_KEY_REFUSED");
  });
});
