// SPDX-License-Identifier: Apache-2.0
// What a command is: its page of the manual, and where its code is. The page is data, so that help, completion and
// the parser agree; the code is loaded only when the command runs.

import type { ExitCode } from "../exit.ts";
import type { Io } from "../io.ts";

export interface OptionSpec {
  /** Without the dashes. */
  readonly name: string;
  readonly summary: string;
  /** Placeholder of its value, upper case; without one the option is a flag. */
  readonly value?: string;
  /** May be given more than once. */
  readonly multiple?: boolean;
  /** The only values it takes; also what completion offers. */
  readonly choices?: readonly string[];
  /** Completion offers files. */
  readonly file?: boolean;
}

export interface ArgumentSpec {
  /** Upper case. */
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
  /** Takes all words that are left, none too. Only the last argument. */
  readonly rest?: boolean;
  readonly choices?: readonly string[];
  readonly file?: boolean;
}

export interface Example {
  readonly line: string;
  readonly what: string;
}

export interface Command {
  readonly kind: "command";
  readonly name: string;
  /** One line, no full stop. */
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /** Exit codes it may end with, beyond 0, 1 and 70. */
  readonly exits: readonly ExitCode[];
  readonly examples: readonly Example[];
  /** What to do afterwards. */
  readonly next: string;
  readonly load: () => Promise<Run>;
}

export interface Group {
  readonly kind: "group";
  readonly name: string;
  readonly summary: string;
  readonly description: readonly string[];
  readonly commands: readonly (Command | Group)[];
}

/**
 * Runs a command. Returns its exit code (an `ExitCode`, or that of a program it ran), or throws an AdytonError that
 * maps to one.
 */
export type Run = (invocation: Invocation, io: Io) => Promise<number>;

/** The words after the command, parsed. Asking for an option the command does not have is a TypeError. */
export interface Invocation {
  readonly arguments: readonly string[];
  readonly json: boolean;
  flag(name: string): boolean;
  value(name: string): string | undefined;
  values(name: string): readonly string[];
}

/** Options that every command takes. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: "json", summary: "write the answer as JSON, a stable form: fields are added, never changed" },
  { name: "help", summary: "show this page (also -h)" },
];
