// SPDX-License-Identifier: Apache-2.0
// The broker's audit log beside Go's transparency log packages (golang.org/x/mod/sumdb), built here where there is a Go
// toolchain that has or gets its modules.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type Broker, createBroker, openBrokerState } from "@adyton/broker";
import { fromUtf8, toBase64 } from "@adyton/core/bytes";
import { openCheckpoint, parseNoteKey } from "@adyton/core/note";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ENTRIES = 33;

const folder = mkdtempSync(join(tmpdir(), "adyton-sumdb-"));
const env = { ...process.env, PATH: [process.env.PATH, "/usr/local/go/bin"].join(delimiter) };
const checker = join(folder, "checker");
const built = buildChecker();
if (!built) console.warn("skipped: no Go toolchain that can build golang.org/x/mod");

function buildChecker(): boolean {
  const go = (...args: readonly string[]): boolean =>
    spawnSync("go", args, { cwd: folder, env, stdio: "ignore", timeout: 120_000 }).status === 0;
  if (!go("version")) return false;
  copyFileSync(new URL("go-sumdb/main.go", import.meta.url), join(folder, "main.go"));
  return (
    go("mod", "init", "checker") &&
    go("get", "golang.org/x/mod/sumdb/note@v0.27.0") &&
    go("build", "-o", checker, ".")
  );
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface CheckedLog {
  readonly Key: string;
  readonly Note: string;
  readonly Size: number;
  readonly Root: string;
  readonly Inclusion: readonly {
    readonly Index: number;
    readonly Leaf: string;
    readonly Proof: readonly string[];
  }[];
  readonly Consistency: readonly {
    readonly From: number;
    readonly Root: string;
    readonly Proof: readonly string[];
  }[];
}

describe.skipIf(!built)("Go's transparency log", () => {
  let broker: Broker;
  let log: CheckedLog;

  beforeAll(async () => {
    const state = await openBrokerState(join(folder, "state"));
    broker = createBroker({ ...state, rateLimit: false });
    const call = (path: string, body?: string): Promise<Response> =>
      broker.fetch(
        new Request(`http://broker.test${path}`, {
          headers: { authorization: `Bearer ${state.adminToken}` },
          ...(body === undefined ? {} : { method: "POST", body }),
        }),
      );
    const textOf = async (path: string): Promise<string> => (await call(`/v1/audit/${path}`)).text();
    const noteOf = async () => openCheckpoint(await textOf("checkpoint"), key);
    const key = parseNoteKey(await textOf("key"));
    const roots: string[] = [];
    for (let n = 0; n < ENTRIES; n++) {
      await call("/kbs/v0/resource/default/log/entry", String(n));
      roots.push(toBase64((await noteOf()).root));
    }
    const { entries } = JSON.parse(await textOf("entries")) as { entries: { seq: number; leaf: string }[] };
    const proofOf = async (query: string): Promise<readonly string[]> =>
      (JSON.parse(await textOf(`proof/${query}`)) as { hashes: string[] }).hashes;
    const { note, root, size } = await noteOf();
    log = {
      Key: (await textOf("key")).trim(),
      Note: note,
      Size: size,
      Root: toBase64(root),
      Inclusion: await Promise.all(
        entries.map(async ({ seq, leaf }) => ({
          Index: seq - 1,
          Leaf: toBase64(fromUtf8(leaf)),
          Proof: await proofOf(`inclusion?seq=${seq}`),
        })),
      ),
      Consistency: await Promise.all(
        roots.map(async (older, n) => ({
          From: n + 1,
          Root: older,
          Proof: await proofOf(`consistency?from=${n + 1}`),
        })),
      ),
    };
  });

  afterAll(() => broker.close());

  const check = (changed: CheckedLog) => {
    const { status, stdout } = spawnSync(checker, { input: JSON.stringify(changed), encoding: "utf8" });
    return { status, stdout };
  };

  it("accepts our checkpoint and every proof", () => {
    expect(check(log)).toEqual({ status: 0, stdout: `${ENTRIES} and ${ENTRIES} proofs hold\n` });
  });

  it.each<[what: string, change: (log: CheckedLog) => CheckedLog]>([
    ["a changed checkpoint", (good) => ({ ...good, Note: good.Note.replace("time 2", "time 3") })],
    ["another root", (good) => ({ ...good, Root: good.Consistency[0]?.Root ?? "" })],
    [
      "swapped entries",
      (good) => ({ ...good, Inclusion: good.Inclusion.map((one) => ({ ...one, Index: 0 })) }),
    ],
  ])("refuses %s", (_what, change) => {
    expect(check(change(log)).status).toBe(1);
  });
});
