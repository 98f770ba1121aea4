// SPDX-License-Identifier: Apache-2.0
// The software TEE: measures a program, launches it and signs evidence of that measurement. Simulated: it proves
// flows, not secrecy. Whoever owns the machine can look into the program and into the keys.

import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { realpath } from "node:fs/promises";
import type { Certificate } from "@adyton/core/x509";
import type { Envelope } from "@adyton/evidence";
import type { SampleMachine } from "@adyton/simulator";
import { AttesterError } from "../errors.ts";
import { errnoOf } from "../lib/filesystem.ts";
import { paddedReportData } from "../lib/report-data.ts";
import { IDLE_MS, SAMPLE_TEE_VARIABLE } from "../sample/protocol.ts";
import { commandOf, measureProgram } from "./program.ts";
import { type EvidenceServer, serveEvidence } from "./server.ts";
import { openState } from "./state.ts";

export interface SoftwareTeeOptions {
  /** Folder of the keys; made with mode 700 when it does not exist. */
  readonly dir: string;
  /** The clock; default the machine's. */
  readonly now?: () => Date;
  /** How long, in milliseconds, a program's connection may be silent. */
  readonly idle?: number;
}

export interface LaunchOptions {
  /** Path of the program: node runs `.js`, `.mjs` and `.cjs`, anything else is executed. */
  readonly program: string;
  readonly args?: readonly string[];
  /** Added to this process's environment, of which NODE_OPTIONS is left out: it would run code that is not measured. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** As in `node:child_process`; default "inherit". */
  readonly stdio?: StdioOptions;
  /** Digest of the init-data document, at most 64 bytes. */
  readonly initData?: Uint8Array;
  /** What evidence says about debugging; default false. */
  readonly debug?: boolean;
}

/** How a program ended: one of the two is null. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface LaunchedProgram {
  /** SHA-384 of the program file, hex. */
  readonly launchDigest: string;
  readonly process: ChildProcess;
  /** How it ended; by then its socket is gone. Never rejects. */
  readonly exited: Promise<Exit>;
  /** Asks it to end with SIGTERM and waits until it has. */
  stop(): Promise<void>;
}

export interface SoftwareTee {
  /** What a relying party has to name. */
  readonly root: Certificate;
  readonly rootPem: string;
  /** The file that holds `rootPem`. */
  readonly rootPath: string;
  /** The launch digest that a program would get, hex. Throws `PROGRAM_NOT_READABLE`. */
  measure(program: string): Promise<string>;
  /** Evidence of any launch digest, 96 hex digits: for tests and demonstrations. Throws `INVALID_LAUNCH_DIGEST`, `INVALID_REPORT_DATA`. */
  evidenceFor(launchDigest: string, reportData: Uint8Array): Promise<Envelope>;
  /** Measures and starts a program. Throws `PROGRAM_NOT_READABLE`, `LAUNCH_FAILED`. */
  launch(options: LaunchOptions): Promise<LaunchedProgram>;
}

/** Opens the software TEE in a folder, or makes one there. Throws as `openState`. */
export async function openSoftwareTee(options: SoftwareTeeOptions): Promise<SoftwareTee> {
  const { dir, now = () => new Date(), idle = IDLE_MS } = options;
  const { vendor, machine, rootPath } = await openState(dir, now());
  return {
    root: vendor.root,
    rootPem: vendor.rootPem,
    rootPath,
    measure: measureProgram,
    evidenceFor: async (launchDigest, reportData) => {
      if (!/^[0-9a-f]{96}$/.test(launchDigest)) {
        throw new AttesterError(
          "INVALID_LAUNCH_DIGEST",
          "misuse",
          "Cannot make evidence: the launch digest is not 96 lower-case hex digits",
        );
      }
      const padded = paddedReportData(reportData);
      return { tee: "sample", evidence: await machine.evidence({ launchDigest, reportData: padded }) };
    },
    launch: (launch) => launchProgram(machine, launch, idle),
  };
}

async function launchProgram(
  machine: SampleMachine,
  options: LaunchOptions,
  idle: number,
): Promise<LaunchedProgram> {
  // The file itself is measured and started, not a link that may point elsewhere in a moment.
  const program = await realpath(options.program).catch(() => options.program);
  const launchDigest = await measureProgram(program);
  const { initData, debug = false } = options;
  const server = await serveEvidence(async (reportData) => {
    await checkUnchanged(program, launchDigest);
    return machine.evidence({
      launchDigest,
      reportData,
      debug,
      ...(initData === undefined ? {} : { initData }),
    });
  }, idle);
  const child = await started(program, options, server);
  const exited = ended(child, server);
  return {
    launchDigest,
    process: child,
    exited,
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** What runs must still be what was measured, as far as a file tells. */
async function checkUnchanged(program: string, launchDigest: string): Promise<void> {
  if ((await measureProgram(program)) === launchDigest) return;
  throw new AttesterError(
    "PROGRAM_CHANGED",
    "not-authentic",
    `Cannot make evidence: ${program} changed since it was launched`,
    { hint: "Launch the program anew: it gets the launch digest of what it is now." },
  );
}

async function started(
  program: string,
  options: LaunchOptions,
  server: EvidenceServer,
): Promise<ChildProcess> {
  const { args = [], env = {}, cwd, stdio = "inherit" } = options;
  const [command, commandArgs] = commandOf(program, args);
  const { NODE_OPTIONS: _unmeasured, ...inherited } = process.env;
  try {
    const child = spawn(command, commandArgs, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...inherited, ...env, [SAMPLE_TEE_VARIABLE]: server.path },
      stdio,
    });
    await once(child, "spawn");
    // A signal that cannot be sent must not take the launcher down: how the program ends shows in "close".
    child.on("error", () => undefined);
    return child;
  } catch (cause) {
    await server.close();
    throw new AttesterError(
      "LAUNCH_FAILED",
      "unavailable",
      `Cannot launch ${program}: the system said ${errnoOf(cause) ?? "no"}`,
      {
        cause,
        detail: { program },
        hint: "A program that is no JavaScript must be an executable file of this machine.",
      },
    );
  }
}

async function ended(
  child: ChildProcess,
  server: EvidenceServer,
): ReturnType<() => LaunchedProgram["exited"]> {
  // "close" comes after "exit", when the output has been read to its end.
  const result = await new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  await server.close();
  return result;
}
