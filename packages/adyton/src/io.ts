// SPDX-License-Identifier: Apache-2.0
// The world as a command sees it. Commands are functions of (argv, Io), so tests need no child process.

/** stdout (the answer) or stderr (the talk). */
export interface Output {
  readonly isTTY: boolean;
  /** Width of the terminal, or a sensible width for a file. */
  readonly columns: number;
  write(chunk: string | Uint8Array): void;
}

export interface Io {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths start from. */
  readonly cwd: string;
  now(): Date;
  /** Asks whoever sits at the terminal for a secret, without showing it. Absent where nobody does. */
  readonly askSecret?: (question: string) => Promise<string>;
  /** Resolves when the user asks to stop (Ctrl-C, SIGTERM). Until it is called, these end the process at once. */
  interruption(): Promise<void>;
}
