// SPDX-License-Identifier: Apache-2.0
// Brokers on sockets in processes of their own, and what their clients do meanwhile.

import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Admin, type Client, createAdmin, createClient } from "@adyton/client";
import type { SampleMachine } from "@adyton/simulator";
import { DIGEST, vendor } from "./harness.ts";

export interface RunningBroker {
  readonly url: string;
  readonly admin: Admin;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** Makes the state folder of a broker that trusts the tests' software TEE. */
export async function newStateFolder(folder: string): Promise<string> {
  const state = join(folder, "state");
  mkdirSync(join(state, "roots"), { recursive: true, mode: 0o700 });
  writeFileSync(join(state, "roots", "sample.pem"), (await vendor()).rootPem);
  return state;
}

/** Starts `program`, a build of served-broker.ts. */
export async function startBroker(
  program: string,
  folder: string,
  port: number,
  postgres?: { url: string; schema: string },
): Promise<RunningBroker> {
  const place = postgres === undefined ? [] : [postgres.url, postgres.schema];
  const child: ChildProcess = fork(program, [folder, String(port), ...place], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const { url, adminToken } = await new Promise<{ url: string; adminToken: string }>((resolve, reject) => {
    child.once("message", (message) => resolve(message as { url: string; adminToken: string }));
    child.once("error", reject);
    child.once("exit", (code, signal) => reject(new Error(`the broker ended with ${code ?? signal}`)));
  });
  return {
    url,
    admin: createAdmin({ url, token: adminToken }),
    kill: () => {
      child.kill("SIGKILL");
      return gone;
    },
  };
}

/** A guest with a key of its own that tries again at once. */
export function guestOf(url: string, machine: SampleMachine): Client {
  return createClient({
    url,
    wait: async () => {},
    attester: {
      tee: "sample",
      collect: async (reportData) => ({
        tee: "sample",
        evidence: await machine.evidence({ launchDigest: DIGEST, reportData }),
      }),
    },
  });
}

/** A port that nobody else has at the moment: a broker that comes back is found where it was. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** Work without end, by several at once, until it is told to stop; what fails is counted by its code. */
export interface Load {
  /** Secrets that were acknowledged, by name. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** Secrets that guests got. */
  released(): number;
  readonly failures: ReadonlyMap<string, number>;
  /** Resolves once so many secrets are acknowledged, and at least one was released. */
  until(acknowledged: number): Promise<void>;
  /** Resolves once something failed. */
  failed(): Promise<void>;
  /** Resolves once all have stopped. */
  stop(): Promise<void>;
}

/** Writers put secrets called `<round>/…`; guests attest and get `default/hello/secret`, each time anew. */
export function startLoad(broker: RunningBroker, machine: SampleMachine, round: string): Load {
  const acknowledged = new Map<string, string>();
  const failures = new Map<string, number>();
  let released = 0;
  let stopped = false;
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const each of waiting) each();
  };
  const when = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const each = (): void => {
        if (!holds()) return;
        waiting.delete(each);
        resolve();
      };
      waiting.add(each);
      each();
    });
  const forever = async (act: (n: number) => Promise<void>): Promise<void> => {
    for (let n = 0; !stopped; n++) {
      try {
        await act(n);
      } catch (error) {
        const code = (error as { code?: unknown }).code;
        const name = typeof code === "string" ? code : String(error);
        failures.set(name, (failures.get(name) ?? 0) + 1);
        // Those who are refused at once let the others have their turn.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      look();
    }
  };
  const writers = ["a", "b", "c"].map((name) =>
    forever(async (n) => {
      const key = `${round}/${name}/${n}`;
      const value = `${key} ${"x".repeat(n % 500)}`;
      await broker.admin.putResource(key, value);
      acknowledged.set(key, value);
    }),
  );
  const guests = ["d", "e"].map(() =>
    forever(async () => {
      await guestOf(broker.url, machine).getResource("default/hello/secret");
      released += 1;
    }),
  );
  return {
    acknowledged,
    failures,
    released: () => released,
    until: (count) => when(() => acknowledged.size >= count && released > 0),
    failed: () => when(() => failures.size > 0),
    stop: async () => {
      stopped = true;
      await Promise.all([...writers, ...guests]);
    },
  };
}
