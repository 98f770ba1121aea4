// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { errno } from "../../test/fake-tsm.ts";
import { type CharacterDevice, openDevice } from "./device.ts";

interface Played extends CharacterDevice {
  readonly written: Uint8Array[];
  closed: boolean;
}

function play(changes: Partial<CharacterDevice> = {}): Played {
  const written: Uint8Array[] = [];
  const device: Played = {
    written,
    closed: false,
    isCharacterDevice: async () => true,
    write: async (bytes) => {
      written.push(bytes.slice());
      return bytes.length;
    },
    read: async (buffer) => {
      buffer.set([1, 2, 3]);
      return 3;
    },
    close: async () => {
      device.closed = true;
    },
    ...changes,
  };
  return device;
}

const fail = (code: string) => () => Promise.reject(errno(code));
const over = (device: CharacterDevice) => openDevice("/dev/tpmrm0", { open: async () => device });
const COMMAND = new Uint8Array(12).fill(7);

describe("a character device", () => {
  it("takes a command whole and gives its response in one read", async () => {
    const device = play();
    const transport = await over(device);
    expect(await transport.send(COMMAND)).toEqual(Uint8Array.of(1, 2, 3));
    expect(device.written).toEqual([COMMAND]);
    await transport.close();
    expect(device.closed).toBe(true);
  });

  it("reads at most 4096 bytes", async () => {
    const transport = await over(play({ read: async (buffer) => buffer.length }));
    expect(await transport.send(COMMAND)).toHaveLength(4096);
  });

  it.each<[rule: string, changes: Partial<CharacterDevice>, code: string]>([
    ["that takes a part only", { write: async () => 5 }, "DEVICE_FAILED"],
    ["that fails to write", { write: fail("EIO") }, "DEVICE_FAILED"],
    ["that fails to read", { read: fail("ETIME") }, "DEVICE_FAILED"],
    ["that gives nothing", { read: async () => 0 }, "INVALID_TPM_RESPONSE"],
  ])("one %s is of no more use", async (_rule, changes, code) => {
    let calls = 0;
    const device = play(changes);
    const { write } = device;
    const counting = (bytes: Uint8Array): Promise<number> => {
      calls++;
      return write(bytes);
    };
    const transport = await over({ ...device, write: counting });
    expect(await codeOfAsync(() => transport.send(COMMAND))).toBe(code);
    // What is left unread would pass for the answer to this.
    expect(await codeOfAsync(() => transport.send(COMMAND))).toBe(code);
    expect(calls).toBe(1);
  });

  it("waits while another has it open", async () => {
    const waits: number[] = [];
    const wait = async (milliseconds: number): Promise<void> => void waits.push(milliseconds);
    let tries = 0;
    const open = async (): Promise<CharacterDevice> => {
      if (++tries < 3) throw errno("EBUSY");
      return play();
    };
    await openDevice("/dev/tpm0", { open, wait });
    expect(waits).toEqual([50, 100]);
    const busy = openDevice("/dev/tpm0", { open: fail("EBUSY"), wait });
    expect(await codeOfAsync(() => busy)).toBe("DEVICE_BUSY");
  });

  it("is closed when it is none", async () => {
    const device = play({ isCharacterDevice: async () => false });
    expect(await codeOfAsync(() => over(device))).toBe("DEVICE_FAILED");
    expect(device.closed).toBe(true);
  });
});

describe("files of this system", () => {
  it.each([
    ["/dev/null", "INVALID_TPM_RESPONSE"],
    ["/dev/full", "DEVICE_FAILED"],
  ])("%s is no TPM", async (path, code) => {
    const transport = await openDevice(path);
    expect(await codeOfAsync(() => transport.send(COMMAND))).toBe(code);
    await transport.close();
  });

  it("/dev/zero answers", async () => {
    const transport = await openDevice("/dev/zero");
    expect(await transport.send(COMMAND)).toEqual(new Uint8Array(4096));
    await transport.close();
  });

  it("a file is not written to", async () => {
    const folder = await mkdtemp(join(tmpdir(), "adyton-device-"));
    const path = join(folder, "tpmrm0");
    await writeFile(path, "precious");
    expect(await codeOfAsync(() => openDevice(path))).toBe("DEVICE_FAILED");
    expect(await readFile(path, "utf8")).toBe("precious");
    expect(await codeOfAsync(() => openDevice(join(folder, "none")))).toBe("DEVICE_FAILED");
    await rm(folder, { recursive: true });
  });
});
