// SPDX-License-Identifier: Apache-2.0
// PostgreSQL on a disk that is full: a small one in memory, which takes root to mount.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { hasPostgres, newSchema, runSql, useServer } from "../../test/postgres.ts";
import { countingWriter } from "../../test/store-suite.ts";
import { openPostgresStore } from "./postgres.ts";
import type { Store } from "./types.ts";

const SPACE = "resource";
// Not to be compressed.
const VALUE = new Uint8Array(randomBytes(256 * 1024));
const folder = mkdtempSync(join(tmpdir(), "adyton-disk-"));
const mounted = hasPostgres && mounts();
if (!mounted) console.warn("No disk can be mounted: the test with PostgreSQL on a full one is skipped.");

function mounts(): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const server = useServer();
let store: Store | undefined;

beforeAll(async () => {
  if (!mounted) return;
  const { url, folder: data } = server();
  const { uid, gid } = statSync(data);
  chownSync(folder, uid, gid);
  await runSql(url, "public", `CREATE TABLESPACE small LOCATION '${folder}'`);
  await runSql(url, "public", "ALTER ROLE tester SET default_tablespace = 'small'");
  store = await openPostgresStore(url, countingWriter, { schema: newSchema() });
});
afterAll(async () => {
  await store?.close();
  // Lazily: the server may still have files open there.
  if (mounted) execFileSync("umount", ["--lazy", folder]);
  rmSync(folder, { recursive: true });
});

it.skipIf(!mounted)(
  "refuses what does not fit, whole, reads on, and writes again once there is room",
  async () => {
    const opened = store;
    if (opened === undefined) throw new Error("the store is not open");
    const put = (key: string) =>
      opened.write([
        { kind: "put", space: SPACE, key, value: VALUE },
        { kind: "put", space: SPACE, key: `${key}-2`, value: VALUE },
      ]);
    await put("before");
    const { bavail, bsize } = statfsSync(folder);
    const filler = join(folder, "filler");
    writeFileSync(filler, new Uint8Array(bavail * bsize - 128 * 1024));
    for (const key of ["a", "b", "c"])
      await expect(put(key)).rejects.toMatchObject({ code: "STORE_FAILED", category: "unavailable" });
    expect(await opened.get(SPACE, "before")).toEqual(VALUE);
    expect([...(await opened.keys(SPACE))].sort()).toEqual(["before", "before-2"]);
    rmSync(filler);
    await put("after");
    expect(await opened.get(SPACE, "after-2")).toEqual(VALUE);
    expect([...(await opened.keys(SPACE))].sort()).toEqual(["after", "after-2", "before", "before-2"]);
  },
);
