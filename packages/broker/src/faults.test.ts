// SPDX-License-Identifier: Apache-2.0
// What happens to secrets when the machine fails: killed processes, full disks, damaged databases.

import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toUtf8 } from "@adyton/core/bytes";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createHarness, GOOD_VALUES, type Harness, refusalOf, secretOf } from "../test/harness.ts";
import { verifyAuditLog } from "./audit/verify.ts";
import { BrokerError } from "./errors.ts";
import { openBrokerState } from "./state.ts";
import { openDriver } from "./store/driver.ts";
import type { Store } from "./store/types.ts";

const WRITER = join(import.meta.dirname, "../../../node_modules/.cache", `adyton-writer-${process.pid}.mjs`);
const SECRET = "/kbs/v0/resource/default/hello/secret";

let harness: Harness;

beforeEach(async () => {
  harness = await createHarness();
  await harness.setReferenceValues(GOOD_VALUES);
  await harness.admin("POST", SECRET, "open sesame");
});

afterEach(() => harness.close());

/** The store, with writes that fail while `failing()`. */
function failingStore(store: Store, failing: () => boolean): Store {
  return {
    ephemeral: store.ephemeral,
    get: (space, key) => store.get(space, key),
    keys: (space, prefix) => store.keys(space, prefix),
    entries: (space) => store.entries(space),
    log: (after, limit) => store.log(after, limit),
    logHead: () => store.logHead(),
    logNodes: (places) => store.logNodes(places),
    close: () => store.close(),
    write: (changes) =>
      failing()
        ? Promise.reject(
            new BrokerError("STORE_FAILED", "unavailable", "Cannot write to the store: /dev/sdz1"),
          )
        : store.write(changes),
  };
}

describe("a store that fails", () => {
  it("acknowledges nothing and shows nothing of itself", async () => {
    let failing = false;
    const state = await openBrokerState(join(harness.folder, "state"));
    await harness.restart({ store: failingStore(state.store, () => failing) });
    failing = true;
    for (const call of [
      harness.admin("POST", SECRET, "changed"),
      harness.admin("DELETE", SECRET),
      harness.setReferenceValues({ svn: ["9"] }),
    ]) {
      const refusal = await refusalOf(await call);
      expect(refusal).toMatchObject({ status: 503, type: "Unavailable", code: "STORE_FAILED" });
      expect(refusal.detail).not.toContain("/dev");
    }
    failing = false;
    const { cookie } = await harness.attested();
    expect(await secretOf(await harness.call("GET", SECRET, { headers: { cookie } }))).toBe("open sesame");
  });

  it("releases nothing that it cannot record", async () => {
    let failing = false;
    const state = await openBrokerState(join(harness.folder, "state"));
    await harness.restart({ store: failingStore(state.store, () => failing) });
    const { cookie } = await harness.attested();
    failing = true;
    const answer = await harness.call("GET", SECRET, { headers: { cookie } });
    expect(await refusalOf(answer)).toMatchObject({ status: 503, code: "STORE_FAILED" });
  });

  it("that is closed answers 503", async () => {
    await harness.broker.close();
    expect(await refusalOf(await harness.admin("GET", "/kbs/v0/resources"))).toMatchObject({
      status: 503,
      code: "STORE_CLOSED",
    });
  });
});

describe("a full disk", () => {
  it("loses no secret, keeps no half of one, and recovers when there is room", async () => {
    const state = await openBrokerState(join(harness.folder, "state"), { maxBytes: 300_000 });
    await harness.restart({ store: state.store });
    const big = "x".repeat(1_000_000);
    const [full, fits] = await Promise.all([
      harness.admin("POST", SECRET, big),
      harness.admin("POST", "/kbs/v0/resource/default/hello/other", "fits"),
    ]);
    expect(await refusalOf(full)).toMatchObject({ status: 503, type: "Unavailable", code: "STORE_FAILED" });
    expect(fits.status).toBe(200);
    const { cookie } = await harness.attested();
    expect(await secretOf(await harness.call("GET", SECRET, { headers: { cookie } }))).toBe("open sesame");
    await harness.restart();
    expect((await harness.admin("POST", SECRET, big)).status).toBe(200);
    expect(await verifyAuditLog(harness.state.store, harness.state.logKey)).toMatchObject({ size: 5 });
  });
});

describe("a database that somebody changed", () => {
  const releasing = async (): Promise<{ status: number; code: string }> => {
    const { cookie } = await harness.attested();
    return refusalOf(await harness.call("GET", SECRET, { headers: { cookie } }));
  };
  const changing = async (sql: string): Promise<void> => {
    const driver = await openDriver(join(harness.folder, "state", "broker.db"));
    driver.exec(sql);
    driver.close();
  };

  it("does not give one secret under the name of another", async () => {
    await harness.admin("POST", "/kbs/v0/resource/default/hello/other", "other");
    await changing(
      `UPDATE entry SET value = (SELECT value FROM entry WHERE key = 'default/hello/other')
       WHERE key = 'default/hello/secret'`,
    );
    expect(await releasing()).toMatchObject({ status: 500, code: "SECRET_CORRUPT" });
  });

  it("does not give a changed secret", async () => {
    await changing(`UPDATE entry SET value = CAST('changed' AS BLOB) WHERE key = 'default/hello/secret'`);
    expect(await releasing()).toMatchObject({ status: 500, code: "SECRET_CORRUPT" });
  });

  it("does not accept reference values that nobody registered", async () => {
    await changing(`UPDATE entry SET value = CAST('{"value":["x"]}' AS BLOB) WHERE key = 'launch_digest'`);
    const answer = await harness.attest(await harness.auth());
    expect(await refusalOf(answer)).toMatchObject({ status: 500, code: "SECRET_CORRUPT" });
  });
});

describe("a broker that is killed", () => {
  beforeAll(async () => {
    // Node 20 runs no TypeScript: the writer is bundled, beside the packages that it keeps importing.
    await build({
      entryPoints: [join(import.meta.dirname, "../test/writer.ts")],
      outfile: WRITER,
      bundle: true,
      platform: "node",
      format: "esm",
      conditions: ["@adyton/source"],
      external: ["libsql"],
      logLevel: "error",
    });
  });

  afterAll(() => rmSync(WRITER));

  it("has every acknowledged secret when it comes back", async () => {
    const folder = mkdtempSync(join(tmpdir(), "adyton-kill-"));
    const acknowledged = new Map<string, string>();
    // How many acknowledgements to wait for before the kill: moments that differ, without a clock.
    for (const [round, after] of [1, 7, 40, 41, 90].entries()) {
      await killedAfter(after, folder, round, acknowledged);
      const state = await openBrokerState(folder);
      for (const [key, value] of acknowledged) {
        const sealed = await state.store.get("resource", key);
        expect(sealed && toUtf8(state.vault.open("resource", key, sealed))).toBe(value);
      }
      // Each put stands with its audit entry: neither came without the other.
      const keys = await state.store.keys("resource");
      expect((await verifyAuditLog(state.store, state.logKey))?.size).toBe(keys.length);
      await state.store.close();
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(179);
    rmSync(folder, { recursive: true });
  }, 120_000);
});

/** Runs a writer, kills it (SIGKILL) after so many acknowledgements, and notes what it acknowledged. */
function killedAfter(
  count: number,
  folder: string,
  round: number,
  acknowledged: Map<string, string>,
): Promise<void> {
  const writer: ChildProcess = fork(WRITER, [folder, String(round)], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  let seen = 0;
  return new Promise((resolve, reject) => {
    writer.on("message", (message: { readonly key: string; readonly value: string }) => {
      acknowledged.set(message.key, message.value);
      seen += 1;
      if (seen === count) writer.kill("SIGKILL");
    });
    writer.on("error", reject);
    writer.on("exit", (code, signal) =>
      signal === "SIGKILL" ? resolve() : reject(new Error(`the writer ended with ${code ?? signal}`)),
    );
  });
}
