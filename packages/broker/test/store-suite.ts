// SPDX-License-Identifier: Apache-2.0
// What every store must do, whatever database it stands on.

import { equal, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LogWriter } from "../src/audit/writer.ts";
import { BrokerError } from "../src/errors.ts";
import type { Change, SnapshotRow, Store, WholeStore } from "../src/store/types.ts";

/** Opens stores on one and the same database. */
export interface StoreDatabase {
  open(log: LogWriter): Promise<WholeStore>;
  /** Closes nothing that `open` gave; removes the database. */
  remove(): Promise<void>;
  /** Runs SQL beside the store; rejects with what the database says. */
  sql(text: string): Promise<void>;
}

const NOW = new Date("2026-03-01T12:00:00Z");
const SPACES = ["resource", "a/resource", "a", "policy"];

/** Counts entries in the head, puts one node for each; refuses events of type `refused`. */
export const countingWriter: LogWriter = {
  append: (head, leaves) => {
    const before = Number(head ?? 0);
    const entries = leaves.map(({ event }, index) => {
      if (event.type === "refused") throw new Error("refused");
      return { seq: before + index + 1, leaf: event.type };
    });
    const nodes = entries.map(({ seq, leaf }) => ({ level: 0, index: seq - 1, hash: fromUtf8(leaf) }));
    return { head: String(before + leaves.length), entries, nodes };
  },
};

export const put = (key: string, text: string, space = "resource"): Change => ({
  kind: "put",
  space,
  key,
  value: fromUtf8(text),
});
export const remove = (key: string, space = "resource"): Change => ({ kind: "delete", space, key });
export const append = (type: string): Change => ({ kind: "append", time: NOW, event: { type } });
export const check = (key: string, expected: string | undefined, space = "resource"): Change => ({
  kind: "check",
  space,
  key,
  expect: expected === undefined ? undefined : fromUtf8(expected),
});

export async function textAt(store: Store, key: string, space = "resource"): Promise<string | undefined> {
  const value = await store.get(space, key);
  return value === undefined ? undefined : toUtf8(value);
}

export function describeStore(name: string, create: () => Promise<StoreDatabase>): void {
  let database: StoreDatabase;
  let store: WholeStore;

  describe(name, () => {
    beforeEach(async () => {
      database = await create();
      store = await database.open(countingWriter);
    });

    afterEach(async () => {
      await store.close();
      await database.remove();
    });

    it("gives all of one moment, and takes it into an empty database", async () => {
      const events = Array.from({ length: 600 }, (_, index) => [
        put(`k${index}`, "x".repeat(index), index % 3 === 0 ? "a/resource" : "resource"),
        append(`event ${index}`),
      ]);
      await Promise.all(events.map((changes) => store.write(changes)));
      expect(await store.spaces()).toEqual(["a/resource", "resource"]);
      const rows: SnapshotRow[] = [];
      for await (const row of store.snapshot()) {
        rows.push(row);
        if (rows.length % 100 === 0) await store.write([remove(`k${rows.length}`), append("later")]);
      }
      const count = (kind: SnapshotRow["kind"]) => rows.filter((row) => row.kind === kind).length;
      expect(["value", "entry", "node", "head"].map((kind) => count(kind as SnapshotRow["kind"]))).toEqual([
        ...[600, 600, 600, 1],
      ]);
      const stream = async function* () {
        yield* rows;
      };
      expect(await codeOfAsync(() => store.load(stream()))).toBe("STATE_NOT_EMPTY");
      const other = await create();
      const copy = await other.open(countingWriter);
      await copy.load(stream());
      expect([await copy.logHead(), (await copy.log(0, 1000)).length]).toEqual(["600", 600]);
      expect((await textAt(copy, "k599", "resource"))?.length).toBe(599);
      await copy.write([append("goes on")]);
      expect(await copy.logHead()).toBe("601");
      await copy.close();
      await other.remove();
    });

    it("takes all of what it is given, or nothing", async () => {
      const broken = async function* (): AsyncGenerator<SnapshotRow> {
        yield { kind: "value", space: "resource", key: "a", value: fromUtf8("1") };
        throw new BrokerError("BACKUP_INVALID", "not-authentic", "Cannot read: broken");
      };
      expect(await codeOfAsync(() => store.load(broken()))).toBe("BACKUP_INVALID");
      expect(await store.spaces()).toEqual([]);
      await store.write([put("a", "2")]);
      expect(await textAt(store, "a")).toBe("2");
    });

    it("keeps, replaces, lists and deletes values", async () => {
      expect(await store.write([put("b", "1"), put("a", "2")])).toEqual([1, 1]);
      await store.write([put("b", "3")]);
      expect(await textAt(store, "b")).toBe("3");
      expect(await store.keys("resource")).toEqual(["a", "b"]);
      expect(await store.keys("reference-value")).toEqual([]);
      expect([...(await store.entries("resource"))].map(([key, value]) => [key, toUtf8(value)])).toEqual([
        ["a", "2"],
        ["b", "3"],
      ]);
      expect(await store.write([remove("b"), remove("b")])).toEqual([1, 0]);
      expect(await textAt(store, "b")).toBeUndefined();
    });

    it("keeps empty and large values as they are", async () => {
      const large = new Uint8Array(2_000_000).map((_, index) => index * 7);
      await store.write([put("empty", ""), { kind: "put", space: "resource", key: "large", value: large }]);
      expect(await textAt(store, "empty")).toBe("");
      expect(equal((await store.get("resource", "large")) ?? new Uint8Array(0), large)).toBe(true);
    });

    it("lists keys by prefix, sorted by their bytes", async () => {
      const keys = ["a", "a%", "a/b", "a/b/c", "a/é", "a/\u{1F512}", "a_", "b", "é"];
      await store.write([...keys].reverse().map((key) => put(key, key)));
      expect(await store.keys("resource")).toEqual(keys.toSorted(byBytes));
      expect(await store.keys("resource", "a/")).toEqual(["a/b", "a/b/c", "a/é", "a/\u{1F512}"]);
      expect(await store.keys("resource", "a_")).toEqual(["a_"]);
      expect(await store.keys("resource", "c")).toEqual([]);
    });

    it("keeps spaces apart, also one whose name is another's with a tenant before", async () => {
      await store.write([put("k", "1"), put("k", "2", "a/resource"), put("resource", "3", "a")]);
      await store.write([remove("k", "a/resource")]);
      expect(await store.keys("resource")).toEqual(["k"]);
      expect(await store.keys("a/resource")).toEqual([]);
      expect(await textAt(store, "resource", "a")).toBe("3");
    });

    it.each([
      ["NUL", "a\0b"],
      ["half a character", "a\uD800"],
      ["more than 1,024 bytes", "é".repeat(513)],
    ])("refuses a name with %s", async (_what, name) => {
      expect(await codeOfAsync(() => store.write([put(name, "")]))).toBe("STORE_FAILED");
      expect(await codeOfAsync(() => store.write([put("k", "", name)]))).toBe("STORE_FAILED");
      expect(await store.keys("resource")).toEqual([]);
    });

    it("answers writes of one turn in order", async () => {
      const touched = await Promise.all([
        store.write([put("k", "1")]),
        store.write([remove("k")]),
        store.write([remove("k")]),
      ]);
      expect(touched).toEqual([[1], [1], [0]]);
    });

    it("applies all changes of a write or none", async () => {
      expect(await codeOfAsync(() => store.write([put("k", "1"), append("refused")]))).toBe("STORE_FAILED");
      expect(await textAt(store, "k")).toBeUndefined();
      expect(await store.logHead()).toBeUndefined();
    });

    it("does not let one failing write take its neighbours down", async () => {
      const outcome = await Promise.allSettled([
        store.write([put("a", "1"), append("x")]),
        store.write([put("b", "2"), append("refused")]),
        store.write([put("c", "3"), check("a", "0")]),
        store.write([put("d", "4"), append("y")]),
      ]);
      expect(outcome.map((one) => one.status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
      expect(await store.keys("resource")).toEqual(["a", "d"]);
      expect((await store.log(0, 10)).map(({ leaf }) => leaf)).toEqual(["x", "y"]);
    });

    describe("a check", () => {
      it.each<[what: string, check: Change, held: boolean]>([
        ["the same value", check("k", "1"), true],
        ["another value", check("k", "2"), false],
        ["a longer value", check("k", "11"), false],
        ["an empty value", check("k", ""), false],
        ["nothing, where a value is", check("k", undefined), false],
        ["nothing, where nothing is", check("other", undefined), true],
        ["a value, where nothing is", check("other", ""), false],
        ["the same key in another space", check("k", "1", "policy"), false],
      ])("for %s", async (_what, condition, held) => {
        await store.write([put("k", "1")]);
        const code = await codeOfAsync(() => store.write([condition, put("done", "1"), append("done")]));
        expect(code).toBe(held ? "nothing" : "STORE_CONFLICT");
        expect(await textAt(store, "done")).toBe(held ? "1" : undefined);
        expect(await store.log(0, 10)).toHaveLength(held ? 1 : 0);
      });

      it("is about what stood there before its own write", async () => {
        expect(await store.write([put("k", "1"), check("k", undefined)])).toEqual([1, 0]);
        expect(await store.write([check("k", "1"), put("k", "2")])).toEqual([0, 1]);
      });

      it("lets one of several win", async () => {
        await store.write([put("n", "0")]);
        const increments = Array.from({ length: 5 }, (_, i) => [check("n", "0"), put("n", `by ${i}`)]);
        const outcome = await Promise.allSettled(increments.map((changes) => store.write(changes)));
        expect(outcome.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
        expect(await textAt(store, "n")).toBe("by 0");
      });
    });

    describe("the log", () => {
      it("has its entries in order, also those of one turn", async () => {
        const numbers = await Promise.all(
          ["x", "y", "z"].map((type) => store.write([put("k", type), append(type)])),
        );
        expect(numbers).toEqual([
          [1, 1],
          [1, 2],
          [1, 3],
        ]);
        expect(await store.log(0, 10)).toEqual([
          { seq: 1, leaf: "x" },
          { seq: 2, leaf: "y" },
          { seq: 3, leaf: "z" },
        ]);
        expect((await store.log(1, 1)).map(({ seq }) => seq)).toEqual([2]);
        expect(await store.logHead()).toBe("3");
      });

      it("gives the nodes that stand at the places asked for", async () => {
        await store.write([append("x"), append("y")]);
        const places = [1, 0, 2].map((index) => ({ level: 0, index }));
        const nodes = await store.logNodes([...places, { level: 1, index: 0 }]);
        expect(new Map(nodes.map(({ level, index, hash }) => [`${level} ${index}`, toUtf8(hash)]))).toEqual(
          new Map([
            ["0 0", "x"],
            ["0 1", "y"],
          ]),
        );
        expect(await store.logNodes([])).toEqual([]);
      });

      it.each([
        "UPDATE log SET leaf = 'y'",
        "DELETE FROM log",
        "UPDATE log_node SET level = 9",
        "DELETE FROM log_node",
      ])("does not let %s", async (sql) => {
        await store.write([append("x")]);
        await expect(database.sql(sql)).rejects.toThrow(/only grows/);
      });

      it("has no gap when two stores append to it", async () => {
        const second = await database.open(countingWriter);
        await Promise.all(
          Array.from({ length: 40 }, (_, i) =>
            (i % 2 === 0 ? store : second).write([append(`e${i}`), put(`k${i}`, "")]),
          ),
        );
        const entries = await second.log(0, 100);
        expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
        expect(new Set(entries.map(({ leaf }) => leaf)).size).toBe(40);
        expect(await store.keys("resource")).toHaveLength(40);
        await second.close();
      });
    });

    it("lets checks of two stores exclude each other", async () => {
      const second = await database.open(countingWriter);
      const stores = [store, second];
      const increment = async (own: Store): Promise<void> => {
        for (;;) {
          const before = await textAt(own, "n");
          const after = put("n", String(Number(before ?? 0) + 1));
          const code = await codeOfAsync(() => own.write([check("n", before), after]));
          if (code === "nothing") return;
          expect(code).toBe("STORE_CONFLICT");
        }
      };
      await Promise.all(Array.from({ length: 20 }, (_, i) => increment(stores[i % 2] as Store)));
      expect(await textAt(store, "n")).toBe("20");
      await second.close();
    });

    it("finds everything again after closing", async () => {
      await store.write([put("k", "1"), append("x")]);
      await store.close();
      store = await database.open(countingWriter);
      expect(await textAt(store, "k")).toBe("1");
      expect(await store.logHead()).toBe("1");
      expect(await store.logNodes([{ level: 0, index: 0 }])).toHaveLength(1);
    });

    it("writes what is queued before it closes, and nothing after", async () => {
      const queued = store.write([put("k", "1")]);
      await store.close();
      await queued;
      for (const use of [
        () => store.write([put("k", "2")]),
        () => store.get("resource", "k"),
        () => store.keys("resource"),
        () => store.entries("resource"),
        () => store.log(0, 1),
        () => store.logHead(),
        () => store.logNodes([{ level: 0, index: 0 }]),
      ])
        expect(await codeOfAsync(use)).toBe("STORE_CLOSED");
      store = await database.open(countingWriter);
      expect(await textAt(store, "k")).toBe("1");
    });

    it("does what a map does, whatever is written in one turn", async () => {
      const key = fc.constantFrom("a", "b");
      const space = fc.constantFrom(...SPACES);
      const value = fc.constantFrom("", "1", "2");
      const change = fc.oneof(
        fc.record({ kind: fc.constant("put" as const), space, key, value }),
        fc.record({ kind: fc.constant("delete" as const), space, key }),
        fc.record({
          kind: fc.constant("check" as const),
          space,
          key,
          value: fc.option(value, { nil: undefined }),
        }),
        fc.record({ kind: fc.constant("append" as const), type: fc.string() }),
      );
      type Step = typeof change extends fc.Arbitrary<infer T> ? T : never;
      const model = new Map<string, string>();
      const logged: string[] = [];
      const real = (step: Step): Change => {
        switch (step.kind) {
          case "put":
            return put(step.key, step.value, step.space);
          case "delete":
            return remove(step.key, step.space);
          case "check":
            return check(step.key, step.value, step.space);
          case "append":
            return append(`.${JSON.stringify(step.type)}`);
        }
      };
      const placeOf = (step: { space: string; key: string }): string => `${step.space} ${step.key}`;
      const applied = (step: Step): number => {
        switch (step.kind) {
          case "put":
            model.set(placeOf(step), step.value);
            return 1;
          case "delete":
            return model.delete(placeOf(step)) ? 1 : 0;
          case "check":
            return 0;
          case "append":
            return logged.push(`.${JSON.stringify(step.type)}`);
        }
      };
      const expected = (steps: readonly Step[]): number[] | "STORE_CONFLICT" => {
        if (steps.some((step) => step.kind === "check" && model.get(placeOf(step)) !== step.value))
          return "STORE_CONFLICT";
        return steps.map(applied);
      };
      const writes = fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(writes, async (turn) => {
          const outcome = await Promise.all(
            turn.map((steps) =>
              store.write(steps.map(real)).catch((error: { readonly code: string }) => error.code),
            ),
          );
          expect(outcome).toEqual(turn.map(expected));
          const found = new Map<string, string>();
          for (const name of SPACES)
            for (const [at, bytes] of await store.entries(name)) found.set(`${name} ${at}`, toUtf8(bytes));
          expect(found).toEqual(new Map(model));
          expect((await store.log(0, 10_000)).map(({ leaf }) => leaf)).toEqual(logged);
        }),
        { numRuns: 60 },
      );
    });
  });
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
