// SPDX-License-Identifier: Apache-2.0
// What every home of values that expire must do.

import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ephemeral } from "../src/store/ephemeral.ts";

export interface EphemeralHome {
  readonly ephemeral: Ephemeral;
  remove(): Promise<void>;
}

const START = Date.parse("2026-03-01T12:00:00Z");
const at = (seconds: number): Date => new Date(START + seconds * 1000);

export function describeEphemeral(name: string, create: () => Promise<EphemeralHome>): void {
  let home: EphemeralHome;
  let values: Ephemeral;

  const put = (key: string, text: string, until: number, now = 0, space = "s"): Promise<void> =>
    values.put(space, key, fromUtf8(text), at(until), at(now));
  const get = async (key: string, now = 0, space = "s"): Promise<string | undefined> => {
    const value = await values.get(space, key, at(now));
    return value === undefined ? undefined : toUtf8(value);
  };
  const replace = (key: string, from: string, to: string, now = 0): Promise<boolean> =>
    values.replace("s", key, fromUtf8(from), fromUtf8(to), at(now));

  describe(name, () => {
    beforeEach(async () => {
      home = await create();
      values = home.ephemeral;
    });

    afterEach(() => home.remove());

    it("keeps values until they expire", async () => {
      await put("k", "1", 10);
      expect(await get("k", 9.999)).toBe("1");
      expect(await get("k", 10)).toBeUndefined();
      expect(await replace("k", "1", "2", 10)).toBe(false);
      expect(await values.delete("s", "k", at(10))).toBe(false);
    });

    it("replaces values and their expiry", async () => {
      await put("k", "1", 10);
      await put("k", "", 20);
      expect(await get("k", 15)).toBe("");
    });

    it("keeps spaces apart", async () => {
      await put("k", "1", 10, 0, "a");
      expect(await get("k", 0, "a/s")).toBeUndefined();
      expect(await values.count("a", at(0))).toBe(1);
      expect(await values.count("s", at(0))).toBe(0);
    });

    it("changes what it finds unchanged, and keeps the expiry", async () => {
      await put("k", "1", 10);
      expect(await replace("k", "2", "3")).toBe(false);
      expect(await replace("other", "", "3")).toBe(false);
      expect(await replace("k", "1", "2", 5)).toBe(true);
      expect(await get("k", 9)).toBe("2");
      expect(await get("k", 10)).toBeUndefined();
    });

    it("lets one of several change or delete a value", async () => {
      await put("k", "1", 10);
      const changed = await Promise.all(["a", "b", "c"].map((text) => replace("k", "1", text)));
      expect(changed.filter(Boolean)).toHaveLength(1);
      const deleted = await Promise.all([1, 2, 3].map(() => values.delete("s", "k", at(0))));
      expect(deleted.filter(Boolean)).toHaveLength(1);
      expect(await get("k")).toBeUndefined();
    });

    it("counts what has not expired, its own at once", async () => {
      for (let i = 0; i < 5; i++) await put(`k${i}`, "", 10 + i);
      expect(await values.count("s", at(0))).toBe(5);
      await put("k5", "", 100);
      expect(await values.count("s", at(0))).toBe(6);
      await values.delete("s", "k5", at(0));
      expect(await values.count("s", at(0))).toBe(5);
      expect(await values.count("s", at(12))).toBe(2);
      expect(await values.count("s", at(20))).toBe(0);
    });

    it("adds to counters, which are no values", async () => {
      const add = async (amounts: Record<string, number>, until: number, now = 0): Promise<object> =>
        Object.fromEntries(await values.add("s", new Map(Object.entries(amounts)), at(until), at(now)));
      expect(await add({ a: 2, b: 1 }, 10)).toEqual({ a: 2, b: 1 });
      expect(await add({ a: 3 }, 20, 5)).toEqual({ a: 5 });
      expect(await add({ a: 1, b: 1 }, 20, 10)).toEqual({ a: 6, b: 1 });
      expect(await add({ a: 1 }, 40, 30)).toEqual({ a: 1 });
      expect(await add({}, 40, 30)).toEqual({});
      expect(await get("a")).toBeUndefined();
      expect(await values.count("s", at(0))).toBe(0);
    });

    it("adds up what comes at the same time", async () => {
      const sums = await Promise.all(
        Array.from({ length: 20 }, (_, i) => {
          const keys = i % 2 === 0 ? ["a", "b"] : ["b", "a"];
          return values.add("s", new Map(keys.map((key) => [key, 1])), at(10), at(0));
        }),
      );
      expect(Math.max(...sums.map((sum) => sum.get("a") ?? 0))).toBe(20);
      expect(Math.max(...sums.map((sum) => sum.get("b") ?? 0))).toBe(20);
    });

    it("is calm when the clock jumps, forward and back", async () => {
      await put("k", "1", 10);
      expect(await get("k", 1_000_000)).toBeUndefined();
      await put("l", "1", 1_000_010, 1_000_000);
      await put("m", "1", 10, 0);
      expect(await get("m", 0)).toBe("1");
      expect(await get("l", 0)).toBe("1");
      expect(await values.count("s", at(-1_000_000))).toBeGreaterThanOrEqual(2);
      await put("n", "1", -999_990, -1_000_000);
      expect(await get("n", -999_999)).toBe("1");
    });

    it("does what a map with times does", async () => {
      const key = fc.constantFrom("a", "b", "c");
      const text = fc.constantFrom("", "1", "2");
      const step = fc.oneof(
        fc.record({ kind: fc.constant("put" as const), key, text, life: fc.integer({ min: 1, max: 5 }) }),
        fc.record({ kind: fc.constant("replace" as const), key, text, to: text }),
        fc.record({ kind: fc.constant("delete" as const), key }),
        fc.record({ kind: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 3 }) }),
      );
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          run += 1;
          const prefix = `${run} `;
          const model = new Map<string, { text: string; until: number }>();
          const live = (name: string, now: number): string | undefined => {
            const held = model.get(name);
            return held !== undefined && held.until > now ? held.text : undefined;
          };
          let now = 0;
          for (const one of steps) {
            if (one.kind === "wait") now += one.seconds;
            else if (one.kind === "put") {
              await put(prefix + one.key, one.text, now + one.life, now);
              model.set(one.key, { text: one.text, until: now + one.life });
            } else if (one.kind === "replace") {
              const holds = live(one.key, now) === one.text;
              expect(await replace(prefix + one.key, one.text, one.to, now)).toBe(holds);
              const held = model.get(one.key);
              if (holds && held !== undefined) model.set(one.key, { ...held, text: one.to });
            } else {
              expect(await values.delete("s", prefix + one.key, at(now))).toBe(
                live(one.key, now) !== undefined,
              );
              model.delete(one.key);
            }
            for (const name of ["a", "b", "c"]) expect(await get(prefix + name, now)).toBe(live(name, now));
          }
        }),
        { numRuns: 40 },
      );
    });
  });
}
