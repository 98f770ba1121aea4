// SPDX-License-Identifier: Apache-2.0
// Drivers that answer to ioctl, played in memory: the Nitro Secure Module and Hygon's CSV guest device.

import type { DeviceCalls, FileSystem, IoctlWord } from "@adyton/attester";
import { equal, toUtf8 } from "@adyton/core/bytes";
import { type CborValue, encodeCbor, isCborMap, parseCbor } from "@adyton/core/cbor";
import { sm3 } from "@adyton/core/sm";
import { errno } from "./fake-tsm.ts";

/** What a call does; it may write into the argument's buffers. */
type Driver = (
  request: number,
  argument: readonly IoctlWord[],
) => readonly bigint[] | Promise<readonly bigint[]>;

/** Calls to one device; any other path does not exist. */
export function callsTo(path: string, driver: Driver): DeviceCalls {
  return {
    ready: async () => true,
    ioctl: async (opened, request, argument) => {
      if (opened !== path) throw errno("ENOENT");
      return driver(request, argument);
    },
  };
}

/** A machine with these files and nothing else. */
export function filesWith(contents: Readonly<Record<string, Uint8Array>>): FileSystem {
  return {
    exists: async (path) => path in contents,
    mkdir: () => Promise.reject(errno("EACCES")),
    rmdir: () => Promise.reject(errno("EACCES")),
    readFile: async (path) => {
      const content = contents[path];
      if (content === undefined) throw errno("ENOENT");
      return content;
    },
    writeFile: () => Promise.reject(errno("EACCES")),
  };
}

/** The members of a request for a document. */
export interface NsmAttestation {
  readonly user_data: CborValue;
  readonly nonce: CborValue;
  readonly public_key: CborValue;
}

/** The module behind /dev/nsm; `answer` makes its answer to a request for a document. */
export function fakeNsm(answer: (request: NsmAttestation) => Promise<Uint8Array>): DeviceCalls {
  return callsTo("/dev/nsm", async (request, argument) => {
    const [input, inputLength, output, room] = argument;
    if (request !== 0xc0200a00) throw errno("ENOTTY");
    if (!(input instanceof Uint8Array && output instanceof Uint8Array)) throw errno("EFAULT");
    if (inputLength !== BigInt(input.length) || input.length > 0x1000) throw errno("EMSGSIZE");
    if (room !== BigInt(output.length)) throw errno("EFAULT");
    const parsed = parseCbor(input, "NSM request");
    const members = isCborMap(parsed) ? parsed.get("Attestation") : undefined;
    const response = isCborMap(members)
      ? await answer({
          user_data: members.get("user_data"),
          nonce: members.get("nonce"),
          public_key: members.get("public_key"),
        })
      : encodeCbor(new Map([["Error", "InvalidOperation"]]));
    output.set(response);
    return [0n, inputLength, 0n, BigInt(response.length)];
  });
}

/** What a CSV guest and its kernel are like. */
export interface FakeCsvOptions {
  readonly report: (request: { reportData: Uint8Array; mnonce: Uint8Array; version: 1 | 2 }) => Uint8Array;
  /** The firmware's answer to a question about RTMRs, or what the driver says; default ENOTTY. */
  readonly registers?: bigint | string;
  /** What the driver says to requests for a report, one after the other, before it answers. */
  readonly failures?: string[];
}

/** /dev/csv-guest: it refuses a request whose digest is wrong, as firmware does. */
export function fakeCsvGuest({ report, registers = "ENOTTY", failures = [] }: FakeCsvOptions): DeviceCalls {
  return callsTo("/dev/csv-guest", (request, argument) => {
    const [buffer, length, subcommand] = argument;
    if (!(buffer instanceof Uint8Array) || length !== BigInt(buffer.length)) throw errno("EFAULT");
    if (request === 0xc0184402) {
      if (subcommand !== 1n || buffer.length < 3) throw errno("EINVAL");
      if (typeof registers === "string") throw errno(registers);
      return [0n, length, subcommand | (registers << 32n)];
    }
    if (request !== 0xc0104401) throw errno("ENOTTY");
    const failure = failures.shift();
    if (failure !== undefined) throw errno(failure);
    const [reportData, mnonce] = [buffer.slice(0, 64), buffer.slice(64, 80)];
    if (!equal(sm3(buffer.subarray(0, 80)), buffer.subarray(80, 112))) throw errno("EIO");
    const extended = toUtf8(buffer.subarray(112, 127)) === "ATTESTATION_EXT" && buffer[128] === 1;
    buffer.fill(0);
    buffer.set(report({ reportData, mnonce, version: extended ? 2 : 1 }));
    return [0n, length];
  });
}
