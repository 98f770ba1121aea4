// SPDX-License-Identifier: Apache-2.0
// The embedded back end: the common suite, writers at once, and what stands on disk.

import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { beside, testBackend } from "../../test/backend-suite.ts";
import { type BrokerState, openBrokerState } from "../state.ts";
import { storeBackend } from "./store-backend.ts";

let folder: string;
let state: BrokerState;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "adyton-backend-"));
  state = await openBrokerState(join(folder, "state"));
});
afterEach(async () => {
  await state.store.close();
  rmSync(folder, { recursive: true });
});

describe("secrets in the store", () => {
  testBackend(async () => storeBackend(state), { versions: true, restores: true });

  it("get a version each when many are put at once", async () => {
    const backend = storeBackend(state);
    const texts = ["a", "b", "c", "d", "e"];
    const versions = await Promise.all(texts.map((text) => backend.put("a/b/c", fromUtf8(text), beside)));
    expect([...versions].sort()).toEqual([1, 2, 3, 4, 5]);
    for (const [index, version] of versions.entries()) {
      const stored = await backend.get("a/b/c", version);
      expect(toUtf8(stored?.secret ?? new Uint8Array(0))).toBe(texts[index]);
    }
  });

  it("lose their oldest versions beyond the limit", async () => {
    const backend = storeBackend({ ...state, maxVersions: 2 });
    for (const text of ["one", "two", "three"]) await backend.put("a/b/c", fromUtf8(text), beside);
    expect((await backend.versions("a/b/c"))?.versions.map(({ version }) => version)).toEqual([3, 2]);
    expect(await backend.get("a/b/c", 1)).toBeUndefined();
    expect(toUtf8((await backend.get("a/b/c", 2))?.secret ?? new Uint8Array(0))).toBe("two");
    expect(await state.store.keys("resource-version")).toEqual(["a/b/c@2"]);
  });

  it("leave nothing behind when purged, and no plaintext on disk at any time", async () => {
    const backend = storeBackend(state);
    const secret = fromUtf8(randomBytes(24).toString("hex"));
    await backend.put("a/b/c", secret, beside);
    await backend.put("a/b/c", fromUtf8("other"), beside);
    for (const file of readdirSync(join(folder, "state"), { withFileTypes: true })) {
      if (file.isFile())
        expect(readFileSync(join(folder, "state", file.name)).includes(Buffer.from(secret))).toBe(false);
    }
    await backend.delete("a/b/c", beside);
    await backend.purge?.("a/b/c", beside);
    for (const space of ["resource", "resource-version", "resource-deleted"])
      expect(await state.store.keys(space)).toEqual([]);
  });

  it("cannot be swapped: a version in another's place does not open", async () => {
    const backend = storeBackend(state);
    await backend.put("a/b/c", fromUtf8("one"), beside);
    await backend.put("a/b/c", fromUtf8("two"), beside);
    const value = await state.store.get("resource-version", "a/b/c@1");
    if (value === undefined) throw new Error("no value");
    await state.store.write([{ kind: "put", space: "resource", key: "a/b/c", value }]);
    await expect(backend.get("a/b/c")).rejects.toMatchObject({ code: "SECRET_CORRUPT" });
  });
});
