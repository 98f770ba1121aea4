// SPDX-License-Identifier: Apache-2.0
// Root keys, recovery shares and backups from the command line, on one state through its whole life.

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBrokerState, silentLogger } from "@adyton/broker";
import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { hasPostgres, startPostgres } from "@adyton/testing/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BufferIoOptions, createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";
import { type Services, startServices } from "./start.ts";

let folder: string;
let dir: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adyton-root-key-"));
  dir = join(folder, "state");
  await writeFile(join(folder, "words.txt"), "six words nobody would guess\n");
  await writeFile(join(folder, "wrong.txt"), "six other words of somebody\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function adyton(argv: readonly string[], options: BufferIoOptions = {}) {
  const io = createBufferIo({ cwd: folder, env: { ADYTON_DIR: dir }, ...options });
  const exit = await run(argv, io);
  return { exit, ...io.output(), answer: () => JSON.parse(io.output().stdout) };
}

async function running<T>(use: (services: Services) => Promise<T>, state = dir, words?: string): Promise<T> {
  const services = await startServices({
    ...{ dir: state, port: 0, dev: false, now: () => new Date(), logger: silentLogger },
    ...(words === undefined ? {} : { rootKey: { passphrase: async () => words } }),
  });
  try {
    return await use(services);
  } finally {
    await services.close();
  }
}

describe("a state, in the order of its life", () => {
  let active: string;
  let shares: readonly string[];

  it("rotates while the broker runs", async () => {
    await running(async ({ admin }) => {
      await admin.putResource("default/a/b", "open sesame");
      const before = (await adyton(["root-key", "show", "--json"])).answer();
      expect(before).toMatchObject({ provider: "file", recipients: [] });
      const { exit, answer } = await adyton(["root-key", "rotate", "--json"]);
      expect(exit).toBe(0);
      active = answer().active;
      expect(active).not.toBe(before.active);
      expect(answer().generations).toHaveLength(2);
      const { stdout } = await adyton(["root-key", "show"]);
      expect(stdout).toContain(active);
      expect(stdout).toContain("kept by file");
    });
  });

  it("destroys at once what nothing uses", async () => {
    await running(async () => {
      const { exit, answer } = await adyton(["root-key", "retire", "--json"]);
      expect([exit, answer().generations.length, answer().active]).toEqual([0, 1, active]);
    });
  });

  it("needs the admin token to show and to rotate", async () => {
    await writeFile(join(folder, "token"), "x".repeat(43));
    await running(async () => {
      for (const verb of ["show", "rotate", "retire"]) {
        const { exit, answer } = await adyton(["root-key", verb, "--json", "--token-file", "token"]);
        expect([exit, answer().error.code]).toEqual([3, "ADMIN_REFUSED"]);
      }
    });
  });

  it("moves to a passphrase", async () => {
    const moved = await adyton([
      "root-key",
      "move",
      "passphrase",
      "--root-passphrase-file",
      "words.txt",
      "--json",
    ]);
    expect([moved.exit, moved.answer()]).toEqual([0, { provider: "passphrase", was: "file" }]);
    expect(await readdir(dir)).not.toContain("root.key");
    const without = await adyton(["up", "--port", "0", "--json"]);
    expect([without.exit, without.answer().error.code]).toEqual([1, "ROOT_KEY_REFUSED"]);
    const wrong = await adyton(["up", "--port", "0", "--json", "--root-passphrase-file", "wrong.txt"]);
    expect([wrong.exit, wrong.answer().error.code]).toEqual([3, "ROOT_KEY_REFUSED"]);
    await running(
      async ({ admin }) => expect((await admin.rootKeys.state()).active).toBe(active),
      dir,
      "six words nobody would guess",
    );
  });

  it("is split into shares", async () => {
    const { exit, answer } = await adyton([
      ...["recovery", "split", "--threshold", "2", "--shares", "3", "--json"],
      ...["--root-passphrase-file", "words.txt"],
    ]);
    expect(exit).toBe(0);
    ({ shares } = answer());
    expect(shares).toHaveLength(3);
    for (const line of shares) expect(line).toMatch(/^adyton-share-[123] [0-9a-z-]+$/);
    await writeFile(join(folder, "shares.txt"), `${shares.slice(1).join("\n")}\n`);
  });

  it("is backed up, verified and restored", async () => {
    const open = ["--root-passphrase-file", "words.txt"];
    const made = await adyton([
      "backup",
      "create",
      "a.bak",
      "--passphrase-file",
      "words.txt",
      ...open,
      "--json",
    ]);
    expect([made.exit, made.answer().file]).toEqual([0, "a.bak"]);
    const again = await adyton(["backup", "create", "a.bak", ...open, "--json"]);
    expect([again.exit, again.answer().error.code]).toEqual([6, "FILE_NOT_WRITABLE"]);
    for (const opener of [
      ["--passphrase-file", "words.txt"],
      ["--shares-file", "shares.txt"],
    ]) {
      const { exit, answer } = await adyton(["backup", "verify", "a.bak", ...opener, "--json"]);
      expect([exit, answer().values > 0]).toEqual([0, true]);
    }
    const wrong = await adyton(["backup", "verify", "a.bak", "--passphrase-file", "wrong.txt", "--json"]);
    expect([wrong.exit, wrong.answer().error.code]).toEqual([3, "BACKUP_INVALID"]);
    expect((await adyton(["backup", "verify", "a.bak"])).exit).toBe(1);
    expect((await adyton(["backup", "verify", "none", "--passphrase-file", "words.txt"])).exit).toBe(1);
    const over = await adyton(["backup", "restore", "a.bak", "--shares-file", "shares.txt", "--json"]);
    expect([over.exit, over.answer().error.code]).toEqual([1, "STATE_NOT_EMPTY"]);
    const restored = await adyton([
      "backup",
      "restore",
      "a.bak",
      "--dir",
      "new",
      "--shares-file",
      "shares.txt",
    ]);
    expect(restored.exit).toBe(0);
    await running(
      async ({ admin }) => {
        expect(await admin.listResources()).toEqual(["default/a/b"]);
        expect((await admin.rootKeys.state()).recipients).toMatchObject([{ threshold: 2, shares: 3 }]);
      },
      join(folder, "new"),
    );
  });

  it("opens by shares when the passphrase is forgotten", async () => {
    const few = await adyton(["recovery", "open", "file", "--json"], { stdin: Buffer.from(shares[0] ?? "") });
    expect([few.exit, few.answer().error.code]).toEqual([2, "SHARE_INVALID"]);
    const { exit, answer } = await adyton(["recovery", "open", "file", "shares.txt", "--json"]);
    expect([exit, answer()]).toEqual([0, { provider: "file" }]);
    await running(async ({ admin }) => expect(await admin.listResources()).toEqual(["default/a/b"]));
    expect(await readFile(join(dir, "root-keys.json"), "utf8")).not.toContain("scrypt");
  });
});

describe("a passphrase that is typed", () => {
  const words = "six words nobody would type";

  it("is asked for twice when it is new, and once afterwards", async () => {
    const state = ["--dir", join(folder, "typed")];
    await running(async () => {}, join(folder, "typed"));
    const differ = await adyton(["root-key", "move", "passphrase", "--json", ...state], {
      typed: [words, "x"],
    });
    expect([differ.exit, differ.answer().error.code]).toEqual([1, "INVALID_VALUE"]);
    const moved = await adyton(["root-key", "move", "passphrase", ...state], { typed: [words, words] });
    expect([moved.exit, moved.stderr]).toEqual([
      0,
      expect.stringContaining("New passphrase of the root keys: "),
    ]);
    const split = await adyton(["recovery", "split", ...state], { typed: [words] });
    expect([split.exit, split.stderr]).toEqual([0, expect.stringContaining("Passphrase of the root keys: ")]);
    const wrong = await adyton(["recovery", "split", "--json", ...state], { typed: ["six other words"] });
    expect([wrong.exit, wrong.answer().error.code]).toEqual([3, "ROOT_KEY_REFUSED"]);
    const again = await adyton(["root-key", "move", "passphrase", ...state], {
      typed: [words, "six new words nobody types", "six new words nobody types"],
    });
    expect(again.exit).toBe(0);
    expect((await adyton(["recovery", "split", ...state], { typed: [words] })).exit).toBe(3);
    expect((await adyton(["recovery", "split", ...state])).exit).toBe(1);
  });

  it("opens a backup", async () => {
    for (const [typed, exit] of [
      ["six words nobody would guess", 0],
      ["six other words", 3],
    ] as const)
      expect((await adyton(["backup", "verify", "a.bak"], { typed: [typed] })).exit).toBe(exit);
  });
});

describe.skipIf(!hasPostgres)("a state in PostgreSQL", () => {
  it("is backed up, restored into an empty database, moved and opened by shares", async () => {
    const server = await startPostgres();
    try {
      const from = { url: server.url, schema: "first" };
      const at = join(folder, "replica");
      const state = await openBrokerState(at, { postgres: from });
      const value = state.vault.seal("resource", "a", fromUtf8("open sesame"));
      await state.store.write([{ kind: "put", space: "resource", key: "a", value }]);
      const place = ["--dir", at, "--postgres-schema", "first"];
      const env = { ADYTON_POSTGRES: server.url };
      const made = await adyton(["backup", "create", "pg.bak", "--passphrase-file", "words.txt", ...place], {
        env,
      });
      expect([made.exit, made.stderr]).toEqual([0, expect.stringContaining("Wrote")]);
      const restore = (...more: string[]) =>
        adyton(["backup", "restore", "pg.bak", "--passphrase-file", "words.txt", "--json", ...more], { env });
      const full = await restore("--dir", "second", "--postgres-schema", "first");
      expect([full.exit, full.answer().error.code]).toEqual([1, "STATE_NOT_EMPTY"]);
      expect(await readdir(folder)).not.toContain("second");
      expect((await restore("--dir", "second", "--postgres-schema", "second")).exit).toBe(0);
      expect((await readdir(join(folder, "second"))).sort()).toEqual(["admin.token", "root.key"]);
      const second = ["--dir", "second", "--postgres", server.url, "--postgres-schema", "second"];
      const split = await adyton([
        "recovery",
        "split",
        "--threshold",
        "2",
        "--shares",
        "2",
        "--json",
        ...second,
      ]);
      await writeFile(join(folder, "pg-shares.txt"), split.answer().shares.join("\n"));
      expect(
        (await adyton(["root-key", "move", "passphrase", "--root-passphrase-file", "words.txt", ...second]))
          .exit,
      ).toBe(0);
      // Who can write to the database does not choose who is asked.
      const unsaid = await adyton([
        "recovery",
        "split",
        "--json",
        ...second,
        "--root-passphrase-file",
        "words.txt",
      ]);
      expect([unsaid.exit, unsaid.answer().error.code]).toEqual([1, "ROOT_KEY_REFUSED"]);
      const opened = await adyton(["recovery", "open", "file", "pg-shares.txt", "--json", ...second]);
      expect([opened.exit, opened.answer()]).toEqual([0, { provider: "file" }]);
      const back = await openBrokerState(join(folder, "second"), { postgres: { ...from, schema: "second" } });
      const found = (await back.store.get("resource", "a")) ?? new Uint8Array();
      expect(toUtf8(back.vault.open("resource", "a", found))).toBe("open sesame");
      expect(await back.tokenKeys.publicKeys()).toEqual(await state.tokenKeys.publicKeys());
      for (const one of [state, back]) {
        await one.rootKeys.close();
        await one.store.close();
      }
    } finally {
      await server.remove();
    }
  }, 60_000);
});

describe("the keys of tokens", () => {
  it("are listed and rotated", async () => {
    await running(async () => {
      const before = (await adyton(["token-key", "list", "--json"])).answer().keys;
      expect(before).toMatchObject([{ algorithm: "ES256" }]);
      const { exit, answer } = await adyton(["token-key", "rotate", "--algorithm", "EdDSA", "--json"]);
      expect([exit, answer().keys]).toMatchObject([0, [{ algorithm: "EdDSA" }, { id: before[0].id }]]);
      const { stdout } = await adyton(["token-key", "list"]);
      expect(stdout).toContain(before[0].id);
      expect(stdout).toContain("signs");
      expect((await adyton(["token-key", "rotate", "--algorithm", "none"])).exit).toBe(1);
    });
  });
});

it.each([
  [["root-key", "move", "oracle"], 1],
  [["recovery", "split", "--threshold", "1"], 1],
  [["recovery", "split", "--dir", "nothing"], 1],
  [["backup", "create", "b.bak", "--dir", "nothing"], 1],
])("adyton %j exits %i", async (argv, exit) => {
  expect((await adyton(argv as string[])).exit).toBe(exit);
});
