// SPDX-License-Identifier: Apache-2.0
// An Io without a process: input from memory, output into memory. For programs that embed `run`, and for tests.

import { concat, toUtf8 } from "@adyton/core/bytes";
import type { Io } from "./io.ts";

export interface BufferIoOptions {
  readonly stdin?: Uint8Array;
  readonly env?: Io["env"];
  readonly cwd?: string;
  readonly now?: Date;
  /** Pretend that stdout and stderr are terminals. */
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** What somebody types who is asked for secrets, in order; without, nobody is there. */
  readonly typed?: readonly string[];
  /** What "the user asks to stop" waits for; without one, nobody ever asks. */
  readonly interruption?: Promise<void>;
}

export interface BufferIo extends Io {
  /** What was written so far. */
  output(): { readonly stdout: string; readonly stderr: string; readonly stdoutBytes: Uint8Array };
}

/** Without `now`, the clock is the machine's. */
export function createBufferIo(options: BufferIoOptions = {}): BufferIo {
  const chunks: { readonly out: Uint8Array[]; readonly err: Uint8Array[] } = { out: [], err: [] };
  const output = (to: Uint8Array[]): Io["stdout"] => ({
    isTTY: options.isTTY === true,
    columns: options.columns ?? 96,
    write: (chunk) => {
      to.push(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk.slice());
    },
  });
  const typed = [...(options.typed ?? [])];
  return {
    ...(options.typed === undefined
      ? {}
      : {
          askSecret: async (question: string) => {
            chunks.err.push(new TextEncoder().encode(`${question}\n`));
            return typed.shift() ?? "";
          },
        }),
    stdin: once(options.stdin),
    stdout: output(chunks.out),
    stderr: output(chunks.err),
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    now: () => (options.now === undefined ? new Date() : new Date(options.now)),
    interruption: () => options.interruption ?? new Promise(() => {}),
    output: () => {
      const stdoutBytes = concat(...chunks.out);
      const stdout = new TextDecoder().decode(stdoutBytes);
      return { stdout, stderr: toUtf8(concat(...chunks.err)), stdoutBytes };
    },
  };
}

async function* once(bytes: Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  if (bytes !== undefined) yield bytes;
}
