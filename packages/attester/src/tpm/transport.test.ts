// SPDX-License-Identifier: Apache-2.0
import { AdytonError } from "@adyton/core/errors";
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oneAtATime, parseTpmAddress, type TpmAddress } from "./transport.ts";

describe("addresses", () => {
  it.each<[text: string, address: TpmAddress]>([
    ["device:/dev/tpmrm0", { kind: "device", path: "/dev/tpmrm0" }],
    ["swtpm:host=10.0.0.2,port=2330", { kind: "tcp", host: "10.0.0.2", port: 2330 }],
    ["swtpm:port=65535,host=::1", { kind: "tcp", host: "::1", port: 65535 }],
    ["swtpm:port=1", { kind: "tcp", host: "127.0.0.1", port: 1 }],
    ["swtpm:host=tpm", { kind: "tcp", host: "tpm", port: 2321 }],
    ["swtpm:", { kind: "tcp", host: "127.0.0.1", port: 2321 }],
    ["swtpm", { kind: "tcp", host: "127.0.0.1", port: 2321 }],
    ["swtpm:path=/run/x=1.sock", { kind: "unix", path: "/run/x=1.sock" }],
  ])("%s", (text, address) => {
    expect(parseTpmAddress(text)).toEqual(address);
  });

  it.each([
    "",
    "device",
    "device:",
    "device:tpmrm0",
    "mssim:host=a",
    "/dev/tpmrm0",
    "swtpm:port=0",
    "swtpm:port=65536",
    "swtpm:port=02321",
    "swtpm:port=23x",
    "swtpm:host=",
    "swtpm:host=a,host=b",
    "swtpm:path=x.sock",
    "swtpm:path=/x.sock,port=1",
    "swtpm:file=/x",
    "swtpm:port=1,",
  ])("refuses %j", (text) => {
    expect(codeOf(() => parseTpmAddress(text))).toBe("INVALID_TPM_ARGUMENT");
  });

  it("refuses anything else by type", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((rest) => `swtpm:${rest}`),
        ),
        (text) => {
          try {
            parseTpmAddress(text);
          } catch (error) {
            expect(error).toBeInstanceOf(AdytonError);
          }
        },
      ),
    );
  });
});

describe("one exchange at a time", () => {
  it("keeps commands apart, also after one failed", async () => {
    const events: string[] = [];
    const send = oneAtATime(async ([byte = 0]) => {
      events.push(`begin ${byte}`);
      await Promise.resolve();
      events.push(`end ${byte}`);
      if (byte === 2) throw new Error("two");
      return Uint8Array.of(byte);
    });
    const results = await Promise.allSettled([1, 2, 3].map((byte) => send(Uint8Array.of(byte))));
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(events).toEqual(["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]);
  });
});
