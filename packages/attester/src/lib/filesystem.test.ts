// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { patiently, realWait } from "./devices.ts";
import { errnoOf, realFileSystem } from "./filesystem.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adyton-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("does the few operations for real", async () => {
  const entry = join(folder, "entry");
  const file = join(entry, "file");
  expect(await realFileSystem.exists(entry)).toBe(false);
  await realFileSystem.mkdir(entry);
  await realFileSystem.writeFile(file, Uint8Array.of(1, 2));
  expect([...(await realFileSystem.readFile(file))]).toEqual([1, 2]);
  expect(await realFileSystem.exists(join(file, "below"))).toBe(false);
  await rm(file);
  await realFileSystem.rmdir(entry);
  expect(await realFileSystem.exists(entry)).toBe(false);
});

it("tells system errors from others", async () => {
  const error = await realFileSystem.rmdir(join(folder, "none")).catch((caught: unknown) => caught);
  expect(errnoOf(error)).toBe("ENOENT");
  expect(errnoOf(new Error("other"))).toBeUndefined();
  expect(errnoOf("text")).toBeUndefined();
});

it("passes on what is no system error", async () => {
  const failure = new RangeError("a defect");
  await expect(patiently("read", realWait, () => Promise.reject(failure))).rejects.toBe(failure);
  await expect(realWait(0)).resolves.toBeUndefined();
});
