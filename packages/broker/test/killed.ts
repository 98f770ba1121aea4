// SPDX-License-Identifier: Apache-2.0
// Brokers in processes of their own that write until they are killed.

import { type ChildProcess, fork } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { afterAll, beforeAll } from "vitest";

/** How often to kill: a few times at a desk, more where there is time for it. */
export const ROUNDS: number = Number(process.env.ADYTON_FAULT_ROUNDS ?? "4");

export interface Writer {
  /** What it acknowledged, by the secret's name. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** Resolves once so many are acknowledged in all. */
  until(count: number): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** Other people's packages stay what they are, and are imported. */
const ownCodeOnly: Plugin = {
  name: "own-code-only",
  setup: (bundler) => {
    bundler.onResolve({ filter: /^[^.#/]/ }, ({ path }) =>
      path.startsWith("@adyton/") ? undefined : { path, external: true },
    );
  },
};

/** Builds a program of this folder for the tests of a file, and answers where it is: Node 20 runs no TypeScript. */
export function useProgram(name: string): string {
  const program = join(
    import.meta.dirname,
    "../../../node_modules/.cache",
    `adyton-${name}-${process.pid}.mjs`,
  );
  beforeAll(async () => {
    await build({
      entryPoints: [join(import.meta.dirname, `${name}.ts`)],
      outfile: program,
      bundle: true,
      platform: "node",
      format: "esm",
      conditions: ["@adyton/source"],
      plugins: [ownCodeOnly],
      logLevel: "error",
    });
  });
  afterAll(() => rmSync(program, { force: true }));
  return program;
}

let writer = "";

/** `startWriter` can be called in the tests of this file. */
export function useWriter(): void {
  writer = useProgram("writer");
}

/** Starts a writer over a state folder, and PostgreSQL where that is named. `round` is part of the names it writes. */
export function startWriter(
  folder: string,
  round: string,
  postgres?: { url: string; schema: string },
): Writer {
  const place = postgres === undefined ? [] : [postgres.url, postgres.schema];
  const child: ChildProcess = fork(writer, [folder, round, ...place], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const acknowledged = new Map<string, string>();
  const waiting = new Set<() => void>();
  const over = new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) =>
      signal === "SIGKILL" ? resolve() : reject(new Error(`the writer ended with ${code ?? signal}`)),
    );
  });
  over.catch(() => undefined);
  child.on("message", (message: { readonly key: string; readonly value: string }) => {
    acknowledged.set(message.key, message.value);
    for (const look of waiting) look();
  });
  return {
    acknowledged,
    until: (count) => {
      const reached = new Promise<void>((resolve) => {
        const look = (): void => {
          if (acknowledged.size < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
      return Promise.race([reached, over]);
    },
    kill: () => {
      child.kill("SIGKILL");
      return over;
    },
  };
}
