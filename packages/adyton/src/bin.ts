#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The executable: hands this process's streams, environment and signals to `run`.

import type { WriteStream } from "node:tty";
import type { Io, Output } from "./io.ts";
import { run } from "./main.ts";
import { askSecret } from "./terminal.ts";

const DEFAULT_COLUMNS = 96;
const INTERRUPTED = 130;

/** stdout and stderr are WriteStreams on a terminal and plain streams otherwise. */
function outputOf(stream: Partial<Pick<WriteStream, "isTTY" | "columns">> & NodeJS.WritableStream): Output {
  return {
    get isTTY() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns ?? DEFAULT_COLUMNS;
    },
    write: (chunk) => {
      stream.write(chunk);
    },
  };
}

/** The reader of a pipe may leave early (`| head`): that is no failure of ours. */
function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(process.exitCode);
  throw error;
}

const io: Io = {
  stdin: process.stdin,
  stdout: outputOf(process.stdout),
  stderr: outputOf(process.stderr),
  env: process.env,
  cwd: process.cwd(),
  now: () => new Date(),
  ...(process.stdin.isTTY && process.stderr.isTTY
    ? {
        askSecret: (question: string) =>
          askSecret(question, process.stdin, (text) => void process.stderr.write(text)),
      }
    : {}),
  interruption: () =>
    new Promise((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        process.once(signal, () => {
          process.once(signal, () => process.exit(INTERRUPTED));
          resolve();
        });
      }
    }),
};

process.stdout.on("error", leaveQuietly);
process.stderr.on("error", leaveQuietly);
process.exitCode = await run(process.argv.slice(2), io);
