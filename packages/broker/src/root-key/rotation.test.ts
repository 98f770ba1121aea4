// SPDX-License-Identifier: Apache-2.0
// Root keys that several brokers share: rotated under load, by several at once, by one that is killed, on a full disk.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { equal, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { codeOf, codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarness, type Harness } from "../../test/harness.ts";
import { ROUNDS, startWriter, useWriter } from "../../test/killed.ts";
import { hasPostgres, newSchema, useServer } from "../../test/postgres.ts";
import { countingWriter } from "../../test/store-suite.ts";
import { storeBackend } from "../backends/store-backend.ts";
import { silentLogger } from "../log.ts";
import { type BrokerState, openBrokerState, type StateOptions } from "../state.ts";
import { openPostgresStore } from "../store/postgres.ts";
import type { WholeStore } from "../store/types.ts";
import { sealedUnder } from "../vault.ts";
import { rootKeyProvider } from "./access.ts";
import { withRootKeys } from "./folder.ts";
import { RootKeys } from "./keeper.ts";
import { keyedStore } from "./keyed-store.ts";
import { ringInStore, ringRow } from "./ring-place.ts";
import { RootKeyService } from "./service.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const clock = { now: () => NOW };

useWriter();
const server = useServer();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adyton-rotation-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function withState<T>(options: StateOptions, act: (state: BrokerState) => Promise<T>): Promise<T> {
  const state = await openBrokerState(folder, options);
  try {
    return await act(state);
  } finally {
    await state.rootKeys.close();
    await state.store.close();
  }
}

async function idsIn(store: WholeStore): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const row of store.snapshot()) {
    const id = row.kind === "value" ? sealedUnder(row.value) : undefined;
    if (id !== undefined) ids.add(id);
  }
  return ids;
}

describe.skipIf(!hasPostgres)("two replicas", () => {
  let a: Harness;
  let b: Harness;

  beforeEach(async () => {
    const postgres = { url: server().url, schema: newSchema() };
    a = await createHarness({ rateLimit: false }, { postgres });
    b = await createHarness({ rateLimit: false }, { postgres, keysOf: a });
  });
  afterEach(async () => {
    await a.close();
    await b.close();
  });

  const put = async (to: Harness, name: string): Promise<void> => {
    const answer = await to.admin("POST", `/kbs/v0/resource/default/r/${name}`, name);
    expect([name, answer.status]).toEqual([name, 200]);
  };
  const read = async ({ state }: Harness, name: string): Promise<string> =>
    toUtf8((await storeBackend(state).get(`default/r/${name}`))?.secret ?? new Uint8Array());

  it("read what the other sealed under a new root key, and seal under it themselves", async () => {
    await put(a, "before");
    await a.state.rootKeys.rotate();
    await put(a, "after");
    expect(await read(b, "after")).toBe("after");
    const active = a.state.vault.keyId;
    await put(b, "theirs");
    expect(b.state.vault.keyId).toBe(active);
    await a.state.rootKeys.settled();
    expect(await idsIn(b.state.store)).toEqual(new Set([active]));
    for (const name of ["before", "after", "theirs"])
      expect([await read(a, name), await read(b, name)]).toEqual([name, name]);
  });

  it("rotate both at once, under load, and lose nothing", async () => {
    const names: string[] = [];
    let over = false;
    const load = async (to: Harness, who: string): Promise<void> => {
      for (let n = 0; !over; n++) {
        await put(to, `${who}${n}`);
        names.push(`${who}${n}`);
      }
    };
    const loads = [load(a, "a"), load(b, "b"), load(a, "c"), load(b, "d")];
    const rotated = async ({ state: { rootKeys } }: Harness): Promise<void> => {
      for (let n = 0; n < 4; n++) {
        await rootKeys.rotate();
        await rootKeys.settled();
        if (n % 2 === 1) await rootKeys.retire();
      }
    };
    await Promise.all([rotated(a), rotated(b)]);
    over = true;
    await Promise.all(loads);
    await a.state.rootKeys.retire();
    await b.state.rootKeys.keys.refresh();
    const active = a.state.vault.keyId;
    for (const { state } of [a, b]) {
      expect(state.vault.keyId).toBe(active);
      expect(state.rootKeys.status().generations.map(({ id }) => id)).toEqual([active]);
    }
    expect(await idsIn(a.state.store)).toEqual(new Set([active]));
    for (const name of names) expect([await read(a, name), await read(b, name)]).toEqual([name, name]);
    expect(names.length).toBeGreaterThan(20);
  }, 30_000);
});

describe.skipIf(!hasPostgres)("a replica that noticed nothing", () => {
  let store: WholeStore;
  let late: RootKeys;
  let service: RootKeyService;

  beforeEach(async () => {
    store = await openPostgresStore(server().url, countingWriter, { schema: newSchema() });
    const open = () => RootKeys.open(ringInStore(store), (kind) => rootKeyProvider(kind, folder), NOW);
    const keys = await open();
    late = await open();
    service = new RootKeyService({ store: keyedStore(store, keys), keys, clock, logger: silentLogger });
  });
  afterEach(() => store.close());

  const put = (text: string) => ({
    ...{ kind: "put" as const, space: "resource", key: "late" },
    value: late.vault.seal("resource", "late", fromUtf8(text)),
  });

  it("writes under the new root key all the same", async () => {
    const change = put("late");
    await service.rotate();
    await service.settled();
    expect(await keyedStore(store, late).write([change])).toEqual([1]);
    const value = (await store.get("resource", "late")) ?? new Uint8Array();
    expect(sealedUnder(value)).toBe(service.vault.keyId);
    expect(toUtf8(service.vault.open("resource", "late", value))).toBe("late");
  });

  it("cannot leave a value under a root key that was destroyed", async () => {
    const change = put("late");
    await service.rotate();
    await service.retire();
    expect(await codeOfAsync(() => keyedStore(store, late).write([change]))).toBe("STORE_CONFLICT");
    expect(await store.get("resource", "late")).toBeUndefined();
    expect(await keyedStore(store, late).write([put("again")])).toEqual([1]);
  });

  it("has its own conditions told apart from that of the root keys", async () => {
    const check = { kind: "check", space: "resource", key: "late", expect: fromUtf8("x") } as const;
    await service.rotate();
    const error: unknown = await keyedStore(store, late)
      .write([check, put("late")])
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "STORE_CONFLICT", detail: { key: "late" } });
  });

  it("takes no root keys that somebody set back", async () => {
    const old = toUtf8((await store.get("key", "root-keys")) ?? new Uint8Array());
    await service.rotate();
    await late.refresh();
    const active = late.vault.keyId;
    await store.write([{ kind: "put", ...ringRow(old) }]);
    expect(await codeOfAsync(() => late.refresh())).toBe("STATE_INVALID");
    expect(late.vault.keyId).toBe(active);
    expect(await codeOfAsync(() => keyedStore(store, late).write([put("x")]))).toBe("STATE_INVALID");
  });

  it("takes no root keys of another provider, or of another key service, than the one it was told", async () => {
    const pinned = (kind: string) =>
      codeOf(() => rootKeyProvider(kind, folder, { kind: "file", pinned: true }));
    expect(pinned("vault-transit")).toBe("ROOT_KEY_REFUSED");
    const asked: string[] = [];
    const provider = rootKeyProvider("vault-transit", folder, {
      kind: "vault-transit",
      pinned: true,
      vaultTransit: {
        token: async () => "token",
        place: { url: "https://vault.example", key: "adyton" },
        fetch: async (url) => {
          asked.push(url);
          throw new Error("not there");
        },
      },
    });
    const record = {
      ciphertext: "vault:v1:x",
      url: "https://vault.example",
      mount: "transit",
      key: "adyton",
    };
    for (const change of [
      { url: "https://vault.elsewhere" },
      { key: "other" },
      { mount: "other" },
      { namespace: "other" },
    ])
      expect(await codeOfAsync(() => provider.recover({ ...record, ...change }))).toBe("ROOT_KEY_REFUSED");
    expect(asked).toEqual([]);
    expect(await codeOfAsync(() => provider.recover(record))).toBe("ROOT_KEY_UNAVAILABLE");
    expect(asked).toHaveLength(1);
  });
});

describe("two processes on one folder", () => {
  it("that rotate at once lose no root key", async () => {
    await withState({}, async (one) => {
      const other = await openBrokerState(folder);
      for (let n = 0; n < 8; n++)
        await Promise.all([one.rootKeys.keys.rotate(NOW), other.rootKeys.keys.rotate(NOW)]);
      await one.rootKeys.keys.refresh();
      expect(one.rootKeys.status().generations).toHaveLength(17);
      expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
      await other.store.close();
    });
  });
});

describe.each([
  ["SQLite", false],
  ["PostgreSQL", true],
])("brokers over %s that rotate without end", (_database, remote) => {
  it.skipIf(remote && !hasPostgres)(
    "and are killed, leave every acknowledged secret",
    async () => {
      const postgres = remote ? { url: server().url, schema: newSchema() } : undefined;
      const options = postgres === undefined ? {} : { postgres };
      await withState(options, async () => {});
      const all = new Map<string, string>();
      const rounds = Math.max(2, Math.floor(ROUNDS / 2));
      for (let round = 0; round < rounds; round++) {
        const writers = [
          startWriter(folder, `rotating${round}`, postgres),
          ...(remote ? [startWriter(folder, `beside${round}`, postgres)] : []),
        ];
        await Promise.all(writers.map((writer) => writer.until(10 + ((round * 37) % 90))));
        await writers[0]?.kill();
        const [, beside] = writers;
        await beside?.until(beside.acknowledged.size + 10);
        await beside?.kill();
        for (const writer of writers) for (const [name, value] of writer.acknowledged) all.set(name, value);
        await withState(options, async (state) => {
          await state.rootKeys.settled();
          const backend = storeBackend(state);
          for (const [name, value] of all)
            expect(toUtf8((await backend.get(name))?.secret ?? new Uint8Array())).toBe(value);
          await state.rootKeys.retire();
          expect(await idsIn(state.store)).toEqual(new Set([state.vault.keyId]));
        });
      }
      expect(all.size).toBeGreaterThan(20);
    },
    60_000 + ROUNDS * 10_000,
  );
});

/** A file system of 4 MB of our own, where that is allowed. */
function smallDisk(): string | undefined {
  const place = mkdtempSync(join(tmpdir(), "adyton-full-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", place], { stdio: "ignore" });
    return place;
  } catch {
    rmSync(place, { recursive: true });
    return undefined;
  }
}

describe.skipIf(process.platform !== "linux")("a rotation on a full disk", () => {
  it("stops, loses nothing, and goes on when there is room again", async ({ skip }) => {
    const place = smallDisk() ?? skip("no file system can be mounted here");
    try {
      const told: string[] = [];
      const logger = { ...silentLogger, error: (event: string) => void told.push(event) };
      const state = await openBrokerState(join(place, "state"), { logger });
      const { rootKeys, store, vault } = state;
      const keys = Array.from({ length: 100 }, (_, n) => `k${n}`);
      const big = new Uint8Array(8_000);
      await store.write(
        keys.map((key) => ({ kind: "put", space: "resource", key, value: vault.seal("resource", key, big) })),
      );
      const before = vault.keyId;
      let files = 0;
      const fill = (): void => {
        for (const size of [65_536, 4_096, 1]) {
          for (;;) {
            try {
              writeFileSync(join(place, `filler${files++}`), new Uint8Array(size));
            } catch {
              break;
            }
          }
        }
      };
      const opens = async (): Promise<void> => {
        for (const key of keys) {
          const value = (await store.get("resource", key)) ?? new Uint8Array();
          expect(equal(vault.open("resource", key, value), big)).toBe(true);
        }
      };
      // Room for the root keys alone, then for nothing.
      mkdirSync(join(place, "room"));
      writeFileSync(join(place, "room", "a"), new Uint8Array(16_384));
      fill();
      expect(await codeOfAsync(() => rootKeys.rotate())).toBe("STATE_INVALID");
      expect(vault.keyId).toBe(before);
      await opens();
      rmSync(join(place, "room"), { recursive: true });
      await rootKeys.rotate();
      await rootKeys.settled();
      expect(vault.keyId).not.toBe(before);
      expect(told).toContain("root keys not tended");
      expect(rootKeys.status().generations).toHaveLength(2);
      await opens();
      for (let n = 0; n < files; n++) rmSync(join(place, `filler${n}`), { force: true });
      await rootKeys.retire();
      expect(await idsIn(store)).toEqual(new Set([vault.keyId]));
      await opens();
      await rootKeys.close();
      await store.close();
    } finally {
      execFileSync("umount", ["-l", place]);
      rmSync(place, { recursive: true });
    }
  });
});

describe("a running broker whose root keys are moved", () => {
  const words = { passphrase: async () => "six words nobody guesses", cost: { logN: 4, r: 1, p: 1 } };
  const move = () =>
    withRootKeys(folder, {}, NOW, (keys) =>
      keys.move(rootKeyProvider("passphrase", folder, words), rootKeyProvider("file", folder)),
    );

  it("goes on, when it was told what opens them now", async () => {
    await withState({ rootKey: words }, async ({ rootKeys }) => {
      await move();
      await rootKeys.rotate();
      await rootKeys.settled();
      expect(rootKeys.status()).toMatchObject({ provider: "passphrase", generations: [{}, {}] });
    });
    await withState({ rootKey: words }, async ({ rootKeys }) =>
      expect(rootKeys.status().generations).toHaveLength(2),
    );
  });

  it("says that it has to be restarted, when it was not", async () => {
    const told: unknown[] = [];
    const logger = {
      ...silentLogger,
      error: (event: string, facts: object = {}) => void told.push({ event, ...facts }),
    };
    await withState({ logger }, async ({ rootKeys, store, vault }) => {
      await rootKeys.settled();
      await move();
      rootKeys.start();
      await rootKeys.settled();
      rootKeys.start();
      await rootKeys.settled();
      expect(told).toEqual([
        expect.objectContaining({
          event: "root keys not tended",
          hint: expect.stringContaining("restart the broker"),
        }),
      ]);
      expect(await codeOfAsync(() => rootKeys.rotate())).toBe("STATE_INVALID");
      const sealed = vault.seal("resource", "a", fromUtf8("x"));
      await store.write([{ kind: "put", space: "resource", key: "a", value: sealed }]);
    });
    await withState({ rootKey: words }, async ({ store, vault }) => {
      const value = (await store.get("resource", "a")) ?? new Uint8Array();
      expect(toUtf8(vault.open("resource", "a", value))).toBe("x");
    });
  });

  it("destroys what is due without being asked or restarted", async () => {
    let now = NOW;
    const changing = { now: () => now };
    await withState({ clock: changing }, async ({ rootKeys, store }) => {
      await rootKeys.rotate();
      await rootKeys.settled();
      expect(rootKeys.status().generations).toHaveLength(2);
      now = new Date(NOW.getTime() + 3_600_000);
      const { keys } = rootKeys;
      const watching = new RootKeyService({ store, keys, clock: changing, logger: silentLogger });
      watching.watch(1);
      await expect.poll(() => rootKeys.status().generations.length).toBe(1);
      await watching.close();
    });
  });
});
