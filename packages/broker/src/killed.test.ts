// SPDX-License-Identifier: Apache-2.0
// Brokers that are killed while they write, over each database: what was acknowledged is there, with its place in the log.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toUtf8 } from "@adyton/core/bytes";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROUNDS, startWriter, useWriter } from "../test/killed.ts";
import { hasPostgres, newSchema, useServer } from "../test/postgres.ts";
import { verifyAuditLog } from "./audit/verify.ts";
import { readAuditLog } from "./audit.ts";
import { storeBackend } from "./backends/store-backend.ts";
import { type BrokerState, openBrokerState, type StateOptions } from "./state.ts";

useWriter();
const server = useServer();
let folder: string;
let postgres: StateOptions["postgres"] & { schema: string };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adyton-kill-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

async function withState<T>(options: StateOptions, act: (state: BrokerState) => Promise<T>): Promise<T> {
  const state = await openBrokerState(folder, options);
  try {
    return await act(state);
  } finally {
    await state.store.close();
  }
}

/** Every secret that should be there is, and each put stands with its audit entry: neither came without the other. */
async function checkState(
  { store, vault, logKey }: BrokerState,
  acknowledged: ReadonlyMap<string, string>,
  whole: boolean,
): Promise<void> {
  const backend = storeBackend({ store, vault });
  for (const [name, value] of acknowledged)
    expect(toUtf8((await backend.get(name))?.secret ?? new Uint8Array(0))).toBe(value);
  const size = (await verifyAuditLog(store, logKey))?.size ?? 0;
  const names = await backend.list();
  expect(size).toBe(names.length);
  if (!whole) return;
  const logged = (await readAuditLog(store, 0, size)).map(({ event }) => String(event.resource));
  expect(logged.toSorted()).toEqual(names.toSorted());
}

/** How many acknowledgements to wait for before the kill: moments that differ, without a clock. */
function momentOf(round: number): number {
  return 1 + ((round * 37) % 90);
}

describe.each([
  ["SQLite", false],
  ["PostgreSQL", true],
])("a broker over %s", (_database, remote) => {
  it.skipIf(remote && !hasPostgres)(
    "has every acknowledged secret when it comes back",
    async () => {
      const all = new Map<string, string>();
      postgres = { url: remote ? server().url : "", schema: newSchema() };
      const options = remote ? { postgres } : {};
      for (let round = 0; round < ROUNDS; round++) {
        const writer = startWriter(folder, `round${round}`, remote ? postgres : undefined);
        await writer.until(momentOf(round));
        await writer.kill();
        for (const [name, value] of writer.acknowledged) all.set(name, value);
        await withState(options, (state) => checkState(state, writer.acknowledged, false));
      }
      expect(all.size).toBeGreaterThanOrEqual(ROUNDS);
      await withState(options, (state) => checkState(state, all, true));
    },
    60_000 + ROUNDS * 10_000,
  );
});

describe.skipIf(!hasPostgres)("replicas in processes of their own", () => {
  it("write one log without a gap, also when one is killed", async () => {
    postgres = { url: server().url, schema: newSchema() };
    await withState({ postgres }, async () => {});
    const [a, b] = [startWriter(folder, "a", postgres), startWriter(folder, "b", postgres)];
    await Promise.all([a.until(20), b.until(20)]);
    await a.kill();
    await b.until(b.acknowledged.size + 20);
    await b.kill();
    await withState({ postgres }, (state) =>
      checkState(state, new Map([...a.acknowledged, ...b.acknowledged]), true),
    );
  }, 60_000);

  it("lose nothing when the server is killed under them", async () => {
    postgres = { url: server().url, schema: newSchema() };
    for (let round = 0; round < Math.max(1, ROUNDS / 10); round++) {
      const writer = startWriter(folder, `round${round}`, postgres);
      await writer.until(momentOf(round + 1));
      await server().stop("crash");
      await writer.kill().catch(() => undefined);
      await server().start();
      await withState({ postgres }, (state) => checkState(state, writer.acknowledged, false));
    }
  }, 120_000);
});
