// SPDX-License-Identifier: Apache-2.0
// The command line as a function, for programs and tests; the executable is bin.ts.

export { type BufferIo, type BufferIoOptions, createBufferIo } from "./buffer-io.ts";
export { CliError, type CliErrorCode } from "./errors.ts";
export { EXIT, EXIT_MEANING, type ExitCode, exitCodeOf } from "./exit.ts";
export type { Io, Output } from "./io.ts";
export { run } from "./main.ts";
export { VERSION } from "./version.ts";
