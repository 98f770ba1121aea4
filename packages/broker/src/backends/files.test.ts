// SPDX-License-Identifier: Apache-2.0
// Secrets in a folder: read, never followed elsewhere, never changed.

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { beside } from "../../test/backend-suite.ts";
import { filesBackend } from "./files.ts";
import type { ResourceBackend } from "./types.ts";

let folder: string;
let backend: ResourceBackend;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adyton-files-"));
  backend = filesBackend({ folder, maxBytes: 100 });
  mkdirSync(join(folder, "a/b"), { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "a/b/c"), "secret", { mode: 0o600 });
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("secrets in files", () => {
  it("are read and listed", async () => {
    expect(toUtf8((await backend.get("a/b/c"))?.secret ?? new Uint8Array(0))).toBe("secret");
    expect(await backend.list()).toEqual(["a/b/c"]);
    expect(await backend.list("b")).toEqual([]);
    expect(await backend.get("a/b/d")).toBeUndefined();
    expect(await backend.get("x/y/z")).toBeUndefined();
    expect(await backend.get("a/b/c", 2)).toBeUndefined();
    expect((await backend.versions("a/b/c"))?.versions).toMatchObject([{ version: 1, bytes: 6 }]);
    expect(await backend.versions("a/b/d")).toBeUndefined();
  });

  it("are not changed", async () => {
    await expect(backend.put("a/b/c", fromUtf8("x"), beside)).rejects.toMatchObject({
      code: "BACKEND_READ_ONLY",
    });
    await expect(backend.delete("a/b/c", beside)).rejects.toMatchObject({ code: "BACKEND_READ_ONLY" });
    expect([backend.restore, backend.purge]).toEqual([undefined, undefined]);
  });

  it.each<[string, () => void]>([
    ["a link in place of the file", () => replaceByLink("a/b/c", "/etc/hostname")],
    ["a link in place of a folder", () => replaceByLink("a/b", "/etc")],
    ["a file that everybody may read", () => chmodSync(join(folder, "a/b/c"), 0o644)],
    ["a file that its group may write", () => chmodSync(join(folder, "a/b/c"), 0o660)],
    ["a folder that others may write", () => chmodSync(join(folder, "a/b"), 0o777)],
    ["a file that is too large", () => writeFileSync(join(folder, "a/b/c"), "x".repeat(101))],
    [
      "a pipe",
      () => {
        rmSync(join(folder, "a/b/c"));
        execFileSync("mkfifo", ["-m", "600", join(folder, "a/b/c")]);
      },
    ],
  ])("are refused behind %s", async (_name, prepare) => {
    prepare();
    await expect(backend.get("a/b/c")).rejects.toMatchObject({ code: "BACKEND_FAILED" });
  });

  it.each(["../a/b", "a/../c", "a/b", "/etc/passwd", "a/b/c/d", "a/b/.c"])(
    "have no name %s",
    async (name) => {
      const outcome = await backend.get(name).then(
        (stored) => stored,
        (error: { code: string }) => error.code,
      );
      expect(outcome === undefined || outcome === "INVALID_PATH").toBe(true);
    },
  );
});

function replaceByLink(path: string, target: string): void {
  rmSync(join(folder, path), { recursive: true });
  symlinkSync(target, join(folder, path));
}
