// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { PolicyMemory } from "./policy-memory.ts";
import type { Store } from "./store/types.ts";
import { createVault } from "./vault.ts";

const vault = createVault([new Uint8Array(32).fill(7)]);

function memoryOver(): { memory: PolicyMemory; change: () => void } {
  let mark: Uint8Array | undefined;
  const store: Pick<Store, "get"> = { get: async () => mark };
  const memory = new PolicyMemory(store as Store, vault);
  const change = (): void => {
    const made = memory.changed();
    if (made.kind === "put") mark = made.value;
  };
  return { memory, change };
}

it("reads once until something changes, also before anything ever did", async () => {
  const { memory, change } = memoryOver();
  let reads = 0;
  const ask = async (): Promise<number> => (await memory.current())("resource", async () => ++reads);
  expect([await ask(), await ask()]).toEqual([1, 1]);
  change();
  expect([await ask(), await ask()]).toEqual([2, 2]);
  change();
  expect(await ask()).toBe(3);
});

it("keeps that there is none", async () => {
  const { memory } = memoryOver();
  let reads = 0;
  const none = async (): Promise<undefined> => void reads++;
  expect(await (await memory.current())("a", none)).toBeUndefined();
  expect(await (await memory.current())("a", none)).toBeUndefined();
  expect(reads).toBe(1);
});

it("keeps nothing that was read before a change for those who ask after it", async () => {
  const { memory, change } = memoryOver();
  const before = await memory.current();
  change();
  const after = await memory.current();
  expect(await before("resource", async () => "old")).toBe("old");
  expect(await after("resource", async () => "new")).toBe("new");
});

it("keeps no failure", async () => {
  const { memory } = memoryOver();
  const failing = (await memory.current())("a", () => Promise.reject(new Error("away")));
  await expect(failing).rejects.toThrow("away");
  expect(await (await memory.current())("a", async () => 1)).toBe(1);
});
