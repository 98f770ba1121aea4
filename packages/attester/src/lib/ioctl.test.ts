// SPDX-License-Identifier: Apache-2.0
// The real system call, on calls that change nothing.

import { open } from "node:fs/promises";
import { codeOfAsync } from "@adyton/testing";
import koffi from "koffi";
import { describe, expect, it } from "vitest";
import { errnoOf } from "./filesystem.ts";
import { callIoctl, createDeviceCalls, realDeviceCalls } from "./ioctl.ts";

/** asm-generic/ioctls.h and linux/sockios.h, the same on all machines that koffi is built for but MIPS and the like. */
const FIONREAD = 0x541b;
const SIOCGIFCONF = 0x8912;
const [AF_INET, SOCK_DGRAM] = [2, 2];

describe.skipIf(process.platform !== "linux")("ioctl on Linux", () => {
  it("can be made here", async () => {
    expect(await realDeviceCalls.ready()).toBe(true);
  });

  it("brings back what the kernel wrote", async () => {
    const file = await open(import.meta.filename, "r");
    try {
      const [left] = callIoctl(koffi, file.fd, FIONREAD, [0n]);
      expect(left).toBe(BigInt((await file.stat()).size));
    } finally {
      await file.close();
    }
  });

  it("hands the kernel addresses of buffers, and shows what it wrote there", async () => {
    const libc = koffi.load(null);
    const socket: number = libc.func("int socket(int domain, int type, int protocol)")(
      AF_INET,
      SOCK_DGRAM,
      0,
    );
    try {
      const list = new Uint8Array(4096);
      const [length = 0n] = callIoctl(koffi, socket, SIOCGIFCONF, [BigInt(list.length), list]);
      // Entries of 40 bytes begin with the interface's name; the loopback interface has an address everywhere.
      expect(Number(length) % 40).toBe(0);
      const names = Array.from({ length: Number(length) / 40 }, (_, i) =>
        new TextDecoder().decode(list.subarray(40 * i, 40 * i + 16)).replace(/\0.*$/s, ""),
      );
      expect(names).toContain("lo");
    } finally {
      libc.func("int close(int fd)")(socket);
    }
  });

  it.each([
    ["a device that knows no such call", "/dev/null", "ENOTTY"],
    ["a device that is not there", "/dev/adyton-none", "ENOENT"],
  ])("names the error of %s", async (_what, path, code) => {
    const error = await realDeviceCalls.ioctl(path, FIONREAD, [0n]).catch((caught: unknown) => caught);
    expect(errnoOf(error)).toBe(code);
  });
});

describe("without the library", () => {
  const calls = createDeviceCalls(() => Promise.reject(new Error("Cannot find package")));

  it("is not ready, and says what to install", async () => {
    expect(await calls.ready()).toBe(false);
    expect(await codeOfAsync(() => calls.ioctl("/dev/null", FIONREAD, [0n]))).toBe("FFI_MISSING");
    await expect(calls.ioctl("/dev/null", FIONREAD, [0n])).rejects.toMatchObject({
      category: "unavailable",
      hint: expect.stringContaining("npm install koffi"),
    });
  });
});
