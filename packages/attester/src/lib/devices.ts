// SPDX-License-Identifier: Apache-2.0
// Kernel files: errors with a name and a next step, and patience with a device that says "later".

import { setTimeout } from "node:timers/promises";
import type { Probe } from "../attester.ts";
import { AttesterError } from "../errors.ts";
import { errnoOf, type FileSystem } from "./filesystem.ts";
import type { DeviceCalls } from "./ioctl.ts";

/** The errnos by which a device says that it may work later. */
const TRANSIENT: ReadonlySet<string> = new Set(["EBUSY", "EAGAIN", "EINTR"]);
const TRIES = 6;
const FIRST_WAIT_MS = 50;

const HINTS: Readonly<Record<string, string>> = {
  EACCES: "Run as root, or give the process access to the interface.",
  EPERM: "Run as root, or give the process access to the interface.",
  ENXIO: "Load the guest driver: tdx-guest, sev-guest or arm-cca-guest.",
  EIO: "The firmware or the host refused; see the kernel log.",
  ETIMEDOUT: "The host did not answer; see that its quote generation service runs.",
};

/** Waits for real. */
export async function realWait(milliseconds: number): Promise<void> {
  await setTimeout(milliseconds);
}

/** `work`'s result; tries again, with doubling waits, while the device is busy. Throws `DEVICE_BUSY`, `DEVICE_FAILED`. */
export async function patiently<T>(
  action: string,
  wait: (milliseconds: number) => Promise<void>,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined || !TRANSIENT.has(errno)) throw deviceFailure(action, error);
      if (attempt === TRIES) {
        throw new AttesterError(
          "DEVICE_BUSY",
          "unavailable",
          `Cannot ${action}: the device still said ${errno} at try ${TRIES}`,
          { cause: error, detail: { errno }, hint: "Another request is in flight: try again in a moment." },
        );
      }
      await wait(FIRST_WAIT_MS * 2 ** (attempt - 1));
    }
  }
}

/** A system error as `DEVICE_FAILED`; anything else as it is. */
export function deviceFailure(action: string, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || error instanceof AttesterError) return error;
  const hint = HINTS[errno];
  return new AttesterError("DEVICE_FAILED", "unavailable", `Cannot ${action}: the system said ${errno}`, {
    cause: error,
    detail: { errno },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Whether a device that answers to ioctl alone is there, and can be called. `next` helps where it is not. */
export async function probeDevice(
  path: string,
  next: string,
  files: FileSystem,
  calls: DeviceCalls,
): Promise<Probe> {
  if (!(await files.exists(path))) return { available: false, found: [], missing: [path], next };
  if (await calls.ready()) return { available: true, found: [path], missing: [] };
  return {
    available: false,
    found: [path],
    missing: ["the library koffi, which makes the system call"],
    next: "Install it: npm install koffi.",
  };
}
