// SPDX-License-Identifier: Apache-2.0
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { createCcaPlatform } from "@adyton/simulator";
import { codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { vendor } from "../test/harness.ts";
import { auditChange } from "./audit.ts";
import { folderEndorsements } from "./folder-endorsements.ts";
import { silentLogger } from "./log.ts";
import { type BrokerState, openBrokerState } from "./state.ts";
import { sealedUnder } from "./vault.ts";

let base: string;
let folder: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "adyton-state-"));
  folder = join(base, "deep", "state");
});

afterEach(() => rmSync(base, { recursive: true }));

async function opened<T>(use: (state: BrokerState) => T | Promise<T>): Promise<T> {
  const state = await openBrokerState(folder);
  try {
    return await use(state);
  } finally {
    await state.store.close();
  }
}

const opening = () => codeOfAsync(() => opened(() => undefined));

describe("the state folder", () => {
  it("is made for its owner alone", async () => {
    await opened(() => {
      expect(readdirSync(folder).sort()).toEqual([
        "admin.token",
        "broker.db",
        "broker.db-shm",
        "broker.db-wal",
        "root-keys.json",
        "root.key",
      ]);
      expect(statSync(folder).mode & 0o777).toBe(0o700);
      for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    });
  });

  it("holds the same keys and tokens each time", async () => {
    const facts = async ({ adminToken, tokenKeys, vault }: BrokerState) => [
      adminToken,
      await tokenKeys.publicKeys(),
      vault.keyId,
    ];
    const first = await opened(facts);
    expect(await opened(facts)).toEqual(first);
    expect(readFileSync(join(folder, "admin.token"), "utf8").trim()).toBe(first[0]);
  });

  it("opened twice at once on first use gives both the same keys", async () => {
    const [one, two] = await Promise.all([openBrokerState(folder), openBrokerState(folder)]);
    expect(one.vault.keyId).toBe(two.vault.keyId);
    expect(one.adminToken).toBe(two.adminToken);
    await one.store.close();
    await two.store.close();
  });

  it("leaves no draft behind", async () => {
    await opened(({ rootKeys }) => rootKeys.rotate());
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("does not make a new root key beside old secrets", async () => {
    await opened(({ store, vault }) =>
      store.write([
        {
          kind: "put",
          space: "resource",
          key: "a/b/c",
          value: vault.seal("resource", "a/b/c", fromUtf8("x")),
        },
      ]),
    );
    const ring = readFileSync(join(folder, "root-keys.json"));
    rmSync(join(folder, "root-keys.json"));
    expect(await opening()).toBe("STATE_INVALID");
    writeFileSync(join(folder, "root-keys.json"), ring, { mode: 0o600 });
    rmSync(join(folder, "root.key"));
    expect(await opening()).toBe("STATE_INVALID");
  });

  it("does not make a new key beside an old log", async () => {
    const remove = { kind: "delete", space: "key", key: "log-signing" } as const;
    await opened(({ store }) => store.write([remove, auditChange(new Date(), { type: "test" })]));
    expect(await opening()).toBe("STATE_INVALID");
  });

  it("keeps no signing key in the clear", async () => {
    await opened(async ({ store }) => {
      for (const name of ["token-signing", "log-signing"])
        expect(sealedUnder((await store.get("key", name)) ?? new Uint8Array())).toBeDefined();
    });
    for (const name of readdirSync(folder))
      expect(readFileSync(join(folder, name)).includes('"d":')).toBe(false);
  });

  it.each(["token-signing", "log-signing"])("refuses a %s key that was changed or swapped", async (name) => {
    const [other] = ["token-signing", "log-signing"].filter((each) => each !== name);
    await opened(async ({ store }) => {
      const value = (await store.get("key", other ?? "")) ?? new Uint8Array();
      await store.write([{ kind: "put", space: "key", key: name, value }]);
    });
    expect(await opening()).toBe("SECRET_CORRUPT");
  });

  it.each(["root.key", "root-keys.json", "admin.token"])("refuses %s that others may read", async (name) => {
    await opened(() => undefined);
    chmodSync(join(folder, name), 0o640);
    expect(await opening()).toBe("STATE_INVALID");
  });

  it("refuses to live where others may write", async () => {
    await opened(() => undefined);
    chmodSync(folder, 0o777);
    expect(await opening()).toBe("STATE_INVALID");
  });

  it.each([
    ["root.key", "short"],
    ["root.key", "not base64url!"],
    ["root.key", ""],
    ["root.key", "A".repeat(70_000)],
    ["root-keys.json", "{}"],
    ["root-keys.json", "no JSON"],
    ["admin.token", "short"],
    ["admin.token", `${"a".repeat(40)} ${"b".repeat(40)}`],
  ])("refuses %s of %j", async (name, content) => {
    await opened(() => undefined);
    writeFileSync(join(folder, name), content);
    expect(await opening()).toBe("STATE_INVALID");
  });

  it("shows no key when it refuses one", async () => {
    await opened(() => undefined);
    writeFileSync(join(folder, "root.key"), "S3CRET");
    const error: unknown = await openBrokerState(folder).catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error) + String(error) + String((error as Error).cause)).not.toContain("S3CRET");
  });

  it("refuses a folder that is a file", async () => {
    mkdirSync(join(base, "deep"));
    writeFileSync(folder, "");
    expect(await opening()).toBe("STATE_INVALID");
  });
});

describe("roots", () => {
  it("are the certificates in roots/", async () => {
    await opened(({ roots }) => expect(roots).toEqual([]));
    mkdirSync(join(folder, "roots"));
    const sample = await vendor();
    writeFileSync(join(folder, "roots", "sample.pem"), sample.rootPem);
    await opened(({ roots }) =>
      expect(roots.map((root) => root.subject.text)).toEqual([sample.root.subject.text]),
    );
  });

  it("may be device keys, which become anchors", async () => {
    await opened(({ anchors }) => expect(anchors.keys ?? []).toEqual([]));
    mkdirSync(join(folder, "roots"));
    const { trustAnchors } = await createCcaPlatform();
    writeFileSync(join(folder, "roots", "platforms.json"), JSON.stringify(trustAnchors));
    await opened(({ roots, anchors }) => {
      expect(roots).toEqual([]);
      expect(anchors.keys).toHaveLength(1);
    });
  });

  it("stop the start when one cannot be read", async () => {
    mkdirSync(join(folder, "roots"), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, "roots", "note.txt"), "trust me");
    expect(await opening()).toBe("STATE_INVALID");
  });
});

describe("endorsements", () => {
  it("are read again after a minute, and kept when reading fails", async () => {
    const clock = { time: new Date("2026-03-01T12:00:00Z"), now: () => clock.time };
    const warned: string[] = [];
    const note = (event: string) => void warned.push(event);
    const place = join(base, "endorsements");
    const endorsements = folderEndorsements(place, clock, { ...silentLogger, warn: note, error: note });
    const count = async () => (await endorsements()).certificates.length;
    const later = (seconds: number) => {
      clock.time = new Date(clock.time.getTime() + seconds * 1000);
    };
    expect(await count()).toBe(0);
    mkdirSync(place);
    writeFileSync(join(place, "root.pem"), (await vendor()).rootPem);
    writeFileSync(join(place, "note.txt"), "hello");
    later(59);
    expect(await count()).toBe(0);
    later(1);
    expect(await count()).toBe(1);
    expect(warned).toEqual(["endorsement left out"]);
    rmSync(place, { recursive: true });
    writeFileSync(place, "");
    later(60);
    expect(await count()).toBe(1);
    expect(warned).toEqual(["endorsement left out", "endorsements not read"]);
    rmSync(place);
    later(60);
    expect(await count()).toBe(0);
  });
});

it("gives endorsements to all who come while they are read", async () => {
  const place = join(base, "endorsements");
  mkdirSync(place);
  writeFileSync(join(place, "root.pem"), (await vendor()).rootPem);
  const endorsements = folderEndorsements(
    place,
    { now: () => new Date("2026-03-01T12:00:00Z") },
    silentLogger,
  );
  const [first, second] = await Promise.all([endorsements(), endorsements()]);
  expect(first.certificates).toHaveLength(1);
  expect(second).toBe(first);
});

it("keeps secrets that only its own root key opens", async () => {
  await opened(async ({ store, vault }) => {
    const value = vault.seal("resource", "a/b/c", fromUtf8("open sesame"));
    await store.write([{ kind: "put", space: "resource", key: "a/b/c", value }]);
  });
  await opened(async ({ store, vault }) => {
    const value = (await store.get("resource", "a/b/c")) ?? new Uint8Array(0);
    expect(toUtf8(vault.open("resource", "a/b/c", value))).toBe("open sesame");
  });
});
