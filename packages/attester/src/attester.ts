// SPDX-License-Identifier: Apache-2.0
// The seam between the house and a way to collect evidence: one AttesterKind per TEE, and one line in registry.ts.

import type { Envelope, TeeName } from "@adyton/evidence";
import type { FileSystem } from "./lib/filesystem.ts";
import type { DeviceCalls } from "./lib/ioctl.ts";

/** What a look at the machine found. */
export interface Probe {
  readonly available: boolean;
  /** Interfaces that are there, one line each. */
  readonly found: readonly string[];
  /** What is not there and has to be. */
  readonly missing: readonly string[];
  /** The next thing to try, a sentence. */
  readonly next?: string;
}

/** Collects evidence on the machine, or in the enclave, that it runs in. */
export interface Attester {
  readonly tee: TeeName;
  /** For people: "Intel TDX through configfs-tsm". */
  readonly title: string;
  /** Looks, without asking the hardware for a report. Never throws. */
  probe(): Promise<Probe>;
  /**
   * Evidence over at most 64 bytes of report data, zero-padded on the right: see `reportDataOf` in `@adyton/evidence`.
   * Throws an `AttesterError`.
   */
  collect(reportData: Uint8Array): Promise<Envelope>;
}

export interface AttesterOptions {
  /** Folder that stands for "/": another root file system, or a test's. */
  readonly root?: string;
  readonly files?: FileSystem;
  /** Calls to devices that files cannot serve (Nitro, CSV). */
  readonly calls?: DeviceCalls;
  /** Environment variables; default those of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Waits between tries of a busy device; tests do without the waiting. */
  readonly wait?: (milliseconds: number) => Promise<void>;
}

export interface AttesterKind {
  readonly tee: TeeName;
  readonly title: string;
  /** Never chosen unless named: it tells what the machine started, and keeps nothing from the machine's owner. */
  readonly byNameOnly?: boolean;
  create(options?: AttesterOptions): Attester;
}
