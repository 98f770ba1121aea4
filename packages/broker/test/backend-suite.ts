// SPDX-License-Identifier: Apache-2.0
// What every back end for secrets must do, as tests.

import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { expect, it } from "vitest";
import type { Beside, ResourceBackend } from "../src/backends/types.ts";

export interface BackendTraits {
  /** Keeps older versions. */
  readonly versions: boolean;
  /** Keeps what is deleted until it is purged. */
  readonly restores: boolean;
}

const NOW = new Date("2026-03-01T12:00:00Z");
export const beside: Beside = { now: NOW, changes: () => [] };

/** Registers the tests. `make` gives an empty back end. */
export function testBackend(make: () => Promise<ResourceBackend>, traits: BackendTraits): void {
  const textOf = async (backend: ResourceBackend, name: string, version?: number) => {
    const stored = await backend.get(name, version);
    return stored === undefined ? undefined : [toUtf8(stored.secret), stored.version];
  };

  it("gives back what was put, byte by byte", async () => {
    const backend = await make();
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(await backend.get("a/b/c")).toBeUndefined();
    expect(await backend.put("a/b/c", bytes, beside)).toBe(1);
    expect((await backend.get("a/b/c"))?.secret).toEqual(bytes);
    expect(await backend.get("a/b/d")).toBeUndefined();
  });

  it("gives the newest, and older versions where it keeps them", async () => {
    const backend = await make();
    await backend.put("a/b/c", fromUtf8("one"), beside);
    await backend.put("a/b/c", fromUtf8("two"), beside);
    const newest = traits.versions ? 2 : 1;
    expect(await textOf(backend, "a/b/c")).toEqual(["two", newest]);
    expect(await textOf(backend, "a/b/c", newest)).toEqual(["two", newest]);
    if (traits.versions) expect(await textOf(backend, "a/b/c", 1)).toEqual(["one", 1]);
    expect(await textOf(backend, "a/b/c", 9)).toBeUndefined();
    const { versions = [], deleted } = (await backend.versions("a/b/c")) ?? {};
    expect([versions.map(({ version }) => version), deleted]).toEqual([
      traits.versions ? [2, 1] : [1],
      undefined,
    ]);
    expect(await backend.versions("never/put/this")).toBeUndefined();
  });

  it("lists names, sorted, by prefix", async () => {
    const backend = await make();
    for (const name of ["b/x/1", "a/y/2", "a/x/3"]) await backend.put(name, fromUtf8("s"), beside);
    expect(await backend.list()).toEqual(["a/x/3", "a/y/2", "b/x/1"]);
    expect(await backend.list("a/")).toEqual(["a/x/3", "a/y/2"]);
    expect(await backend.list("c")).toEqual([]);
  });

  it("deletes once, and what is deleted is gone from sight", async () => {
    const backend = await make();
    await backend.put("a/b/c", fromUtf8("one"), beside);
    expect(await backend.delete("a/b/c", beside)).toBe(true);
    expect(await backend.delete("a/b/c", beside)).toBe(false);
    expect(await backend.get("a/b/c")).toBeUndefined();
    expect(await backend.get("a/b/c", 1)).toBeUndefined();
    expect(await backend.list()).toEqual([]);
  });

  if (!traits.restores) return;

  it("keeps the name of what is deleted until it is restored", async () => {
    const backend = await make();
    await backend.put("a/b/c", fromUtf8("one"), beside);
    await backend.put("a/b/c", fromUtf8("two"), beside);
    await backend.delete("a/b/c", beside);
    expect((await backend.versions("a/b/c"))?.deleted).toBeDefined();
    await expect(backend.put("a/b/c", fromUtf8("three"), beside)).rejects.toMatchObject({
      code: "RESOURCE_DELETED",
    });
    expect(await backend.restore?.("a/b/c", beside)).toBe(true);
    expect(await backend.restore?.("a/b/c", beside)).toBe(false);
    expect(await textOf(backend, "a/b/c")).toEqual(["two", 2]);
    expect(await textOf(backend, "a/b/c", 1)).toEqual(["one", 1]);
    expect(await backend.put("a/b/c", fromUtf8("three"), beside)).toBe(3);
  });

  it("purges what is deleted, and nothing else", async () => {
    const backend = await make();
    await backend.put("a/b/c", fromUtf8("one"), beside);
    expect(await backend.purge?.("a/b/c", beside)).toBe(false);
    await backend.delete("a/b/c", beside);
    expect(await backend.purge?.("a/b/c", beside)).toBe(true);
    expect(await backend.purge?.("a/b/c", beside)).toBe(false);
    expect(await backend.versions("a/b/c")).toBeUndefined();
    expect(await backend.put("a/b/c", fromUtf8("new"), beside)).toBe(1);
  });
}
