// SPDX-License-Identifier: Apache-2.0
// A broker on a socket, in a process of its own, while clients attest, get secrets and put them: it is killed, its disk
// fills up, its PostgreSQL goes away. What it acknowledged is there, and what it says meanwhile has a code.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toUtf8 } from "@adyton/core/bytes";
import type { SampleMachine } from "@adyton/simulator";
import { codeOfAsync } from "@adyton/testing";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { GOOD_VALUES, vendor } from "../../test/harness.ts";
import { ROUNDS, useProgram } from "../../test/killed.ts";
import { hasPostgres, newSchema, useServer } from "../../test/postgres.ts";
import {
  freePort,
  guestOf,
  newStateFolder,
  type RunningBroker,
  startBroker,
  startLoad,
} from "../../test/served.ts";
import { verifyAuditLog } from "../audit/verify.ts";
import { readAuditLog } from "../audit.ts";
import { openBrokerState, type StateOptions } from "../state.ts";

const program = useProgram("served-broker");
const server = useServer();
const SECRET = "default/hello/secret";
/** Fewer than of brokers without clients, which `killed.test.ts` kills as often as it is told. */
const KILLS = Math.max(2, Math.ceil(ROUNDS / 10));

let machine: SampleMachine;
let folder: string;
let broker: RunningBroker | undefined;

beforeAll(async () => {
  machine = await (await vendor()).machine();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adyton-served-"));
});

afterEach(async () => {
  await broker?.kill();
  broker = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function prepared({ admin }: RunningBroker): Promise<void> {
  await admin.setReferenceValues(GOOD_VALUES);
  await admin.putResource(SECRET, "open sesame");
}

/** An attested guest gets each secret as it was put. */
async function expectAll(url: string, secrets: ReadonlyMap<string, string>): Promise<void> {
  const guest = guestOf(url, machine);
  for (const [name, value] of secrets) expect(toUtf8(await guest.getResource(name))).toBe(value);
}

/** Releases and puts in the log, which has to verify. */
async function logged(
  state: string,
  options: StateOptions = {},
): Promise<{ releases: number; puts: number }> {
  const { store, logKey } = await openBrokerState(state, options);
  try {
    const { size = 0 } = (await verifyAuditLog(store, logKey)) ?? {};
    const types = (await readAuditLog(store, 0, size)).map(({ event }) => event);
    return {
      releases: types.filter(({ type, decision }) => type === "resource.release" && decision === "allow")
        .length,
      puts: types.filter(({ type }) => type === "resource.put").length,
    };
  } finally {
    await store.close();
  }
}

describe("a broker that serves", () => {
  it(
    "keeps every secret it acknowledged, and tokens that it signed, through a kill under load",
    async () => {
      const state = await newStateFolder(folder);
      const port = await freePort();
      broker = await startBroker(program, state, port);
      await prepared(broker);
      const early = guestOf(broker.url, machine);
      const { token } = await early.getToken();
      let [releases, puts] = [0, 1];
      for (let round = 0; round < KILLS; round++) {
        const load = startLoad(broker, machine, `round${round}`);
        await load.until(5 + ((round * 37) % 50));
        await broker.kill();
        await load.stop();
        releases += load.released();
        puts += load.acknowledged.size;
        broker = await startBroker(program, state, port);
        await expectAll(broker.url, load.acknowledged);
        releases += load.acknowledged.size;
        // The guest that attested before the first kill goes on with its token, and its key opens the answer.
        expect(toUtf8(await early.getResource(SECRET))).toBe("open sesame");
        expect((await early.getToken()).token).toBe(token);
        releases += 1;
      }
      await broker.kill();
      const found = await logged(state);
      expect(found.releases).toBeGreaterThanOrEqual(releases);
      expect(found.puts).toBeGreaterThanOrEqual(puts);
    },
    60_000 + KILLS * 20_000,
  );

  it.skipIf(!hasPostgres)(
    "says that it cannot while PostgreSQL is away, and goes on when it is back",
    async () => {
      const postgres = { url: server().url, schema: newSchema() };
      const state = await newStateFolder(folder);
      broker = await startBroker(program, state, 0, postgres);
      await prepared(broker);
      const load = startLoad(broker, machine, "load");
      for (const how of ["fast", "crash"] as const) {
        await load.until(load.acknowledged.size + 10);
        await server().stop(how);
        await load.failed();
        expect(await codeOfAsync(() => broker?.admin.listResources() ?? Promise.resolve())).toBe(
          "BROKER_UNAVAILABLE",
        );
        await server().start();
        await load.until(load.acknowledged.size + 10);
      }
      await load.stop();
      await expectAll(broker.url, load.acknowledged);
      expect([...load.failures.keys()]).toEqual(["BROKER_UNAVAILABLE"]);
      await broker.kill();
      const found = await logged(state, { postgres });
      expect(found.puts).toBeGreaterThan(load.acknowledged.size);
      expect(found.releases).toBeGreaterThanOrEqual(load.released() + load.acknowledged.size);
    },
    90_000,
  );
});

describe.skipIf(!canMount())("a broker whose disk is full", () => {
  it("acknowledges nothing that it cannot keep, releases nothing that it cannot record, and recovers", async () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]);
    try {
      const state = await newStateFolder(folder);
      const ballast = join(folder, "ballast");
      writeFileSync(ballast, new Uint8Array(500_000));
      broker = await startBroker(program, state, 0);
      await prepared(broker);
      const guest = guestOf(broker.url, machine);
      await guest.getToken();
      const acknowledged = new Map<string, string>();
      let code = "nothing";
      for (let n = 0; code === "nothing" && n < 200; n++) {
        const value = `${n} ${"x".repeat(20_000)}`;
        code = await codeOfAsync(
          () => broker?.admin.putResource(`full/disk/${n}`, value) ?? Promise.resolve(),
        );
        if (code === "nothing") acknowledged.set(`full/disk/${n}`, value);
      }
      expect(code).toBe("BROKER_UNAVAILABLE");
      expect(acknowledged.size).toBeGreaterThan(0);
      rmSync(ballast);
      await broker.admin.putResource("full/disk/after", "after");
      await expectAll(broker.url, acknowledged.set("full/disk/after", "after"));
      await broker.kill();
      expect((await logged(state)).puts).toBe(acknowledged.size + 1);
    } finally {
      await broker?.kill();
      execFileSync("umount", ["--lazy", folder]);
    }
  }, 60_000);
});

/** Only root may give a test a disk of its own. */
function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  const place = mkdtempSync(join(tmpdir(), "adyton-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", place]).status === 0;
  if (mounted) execFileSync("umount", [place]);
  rmSync(place, { recursive: true });
  if (!mounted) console.warn("No disk can be mounted here: the test with a full one is skipped.");
  return mounted;
}
