// SPDX-License-Identifier: Apache-2.0
// Calls of ioctl(2), which Node has no function for: through the optional library koffi, loaded when it is first needed.

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { constants as system } from "node:os";
import { AttesterError } from "../errors.ts";

/** One word of an argument: a number, or the address of a buffer that the driver reads and writes. */
export type IoctlWord = bigint | Uint8Array;

/** Calls to device drivers, so that a driver can be played in memory. */
export interface DeviceCalls {
  /** Whether calls can be made here at all. Never throws. */
  ready(): Promise<boolean>;
  /**
   * Opens the device, calls ioctl(2) and closes it. The argument is a structure of words of 8 bytes in the machine's own
   * order; resolves to the words as the driver left them. The thread waits as long as the driver does.
   * Rejects with `FFI_MISSING`, or with a system error: an `Error` whose `code` is the name of an errno.
   */
  ioctl(path: string, request: number, argument: readonly IoctlWord[]): Promise<readonly bigint[]>;
}

/** What is used of koffi. */
interface ForeignFunctions {
  load(path: null): { func(definition: string): (...values: unknown[]) => unknown };
  address(buffer: Uint8Array): bigint;
  errno(): number;
}

const WORD = 8;
const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(system.errno).map(([name, number]) => [number, name]),
);

/** Calls through the library that `load` gives. */
export function createDeviceCalls(load: () => Promise<ForeignFunctions>): DeviceCalls {
  return {
    ready: () =>
      load().then(
        () => true,
        () => false,
      ),
    ioctl: async (path, request, argument) => {
      const functions = await load().catch((cause: unknown) => {
        throw missing(cause);
      });
      const device = await open(path, constants.O_RDWR);
      try {
        return callIoctl(functions, device.fd, request, argument);
      } finally {
        await device.close();
      }
    },
  };
}

/** The calls of this machine. */
export const realDeviceCalls: DeviceCalls = createDeviceCalls(() => import("koffi"));

/** ioctl(2) on an open file. Throws a system error. */
export function callIoctl(
  { load, address, errno }: ForeignFunctions,
  fd: number,
  request: number,
  argument: readonly IoctlWord[],
): bigint[] {
  const words = BigUint64Array.from(argument, (word) => (typeof word === "bigint" ? word : address(word)));
  const bytes = new Uint8Array(words.buffer, 0, argument.length * WORD);
  const ioctl = load(null).func("int ioctl(int fd, unsigned long request, _Inout_ void *argument)");
  if (ioctl(fd, request, bytes) === -1) {
    const number = errno();
    const code = ERRNO_NAMES.get(number) ?? `errno ${number}`;
    throw Object.assign(new Error(`ioctl failed with ${code}`), { code });
  }
  return [...words];
}

function missing(cause: unknown): AttesterError {
  return new AttesterError(
    "FFI_MISSING",
    "unavailable",
    "Cannot call the device: the library koffi, which makes the system call, cannot be loaded",
    { cause, hint: "Install it beside this package: npm install koffi." },
  );
}
