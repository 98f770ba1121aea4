// SPDX-License-Identifier: Apache-2.0
// A TPM behind the kernel's character device: a command is written whole, its response read once.

import { constants, type FileHandle, open } from "node:fs/promises";
import { AttesterError } from "../errors.ts";
import { deviceFailure, patiently, realWait } from "../lib/devices.ts";
import { MAX_MESSAGE } from "./constants.ts";
import { invalidResponse } from "./error.ts";
import { oneAtATime, type TpmTransport } from "./transport.ts";

/** An open character device. */
export interface CharacterDevice {
  /** False: nothing is written to it. */
  isCharacterDevice(): Promise<boolean>;
  /** Writes at once; gives the number of bytes that were taken. */
  write(bytes: Uint8Array): Promise<number>;
  /** Reads once; gives the number of bytes that were there. */
  read(buffer: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

export interface DeviceOptions {
  /** Default: the file. */
  readonly open?: (path: string) => Promise<CharacterDevice>;
  readonly wait?: (milliseconds: number) => Promise<void>;
}

/**
 * The TPM at `path`: `/dev/tpmrm0`, where the kernel keeps callers apart, or `/dev/tpm0`, which one may open at a time.
 * Throws `DEVICE_FAILED`, `DEVICE_BUSY`.
 */
export async function openDevice(path: string, options: DeviceOptions = {}): Promise<TpmTransport> {
  const { open: openFile = openCharacterDevice, wait = realWait } = options;
  const device = await patiently(`open ${path}`, wait, () => openFile(path));
  if (!(await device.isCharacterDevice())) {
    await device.close();
    throw new AttesterError(
      "DEVICE_FAILED",
      "unavailable",
      `Cannot open ${path}: it is no character device`,
      {
        hint: "Name the TPM's device: /dev/tpmrm0.",
      },
    );
  }
  let broken: unknown;
  const exchange = async (command: Uint8Array): Promise<Uint8Array> => {
    if (broken !== undefined) throw broken;
    try {
      return await exchangeOnce(device, path, command);
    } catch (error) {
      // A response that was not read would be taken for that of the next command.
      broken = error;
      throw error;
    }
  };
  return { send: oneAtATime(exchange), close: () => device.close() };
}

async function exchangeOnce(device: CharacterDevice, path: string, command: Uint8Array): Promise<Uint8Array> {
  const failure = (error: unknown): never => {
    throw deviceFailure(`use ${path}`, error);
  };
  const written = await device.write(command).catch(failure);
  if (written !== command.length) {
    throw new AttesterError(
      "DEVICE_FAILED",
      "unavailable",
      `Cannot use ${path}: it took ${written} of ${command.length} bytes`,
    );
  }
  const buffer = new Uint8Array(MAX_MESSAGE);
  const length = await device.read(buffer).catch(failure);
  if (length === 0) throw invalidResponse(path, "no bytes");
  return buffer.slice(0, length);
}

async function openCharacterDevice(path: string): Promise<CharacterDevice> {
  const file: FileHandle = await open(path, constants.O_RDWR);
  return {
    isCharacterDevice: async () => (await file.stat()).isCharacterDevice(),
    write: async (bytes) => (await file.write(bytes, 0, bytes.length, null)).bytesWritten,
    read: async (buffer) => (await file.read(buffer, 0, buffer.length, null)).bytesRead,
    close: () => file.close(),
  };
}
