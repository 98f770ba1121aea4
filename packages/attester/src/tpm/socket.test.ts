// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server, type Socket } from "node:net";
import { codeOfAsync } from "@adyton/testing";
import { afterEach, describe, expect, it } from "vitest";
import { response } from "../../test/fake-tpm.ts";
import { openSocket } from "./socket.ts";

const COMMAND = new Uint8Array(12).fill(7);
const ANSWER = response(0, Uint8Array.of(1, 2, 3));
const servers: Server[] = [];
const sockets: Socket[] = [];

/** A server that hands each connection to `serve`. */
async function serving(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => undefined));
    serve(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Answers every command with these pieces. */
const pieces =
  (...parts: readonly Uint8Array[]) =>
  (socket: Socket): void => {
    socket.setNoDelay(true).on("data", () => {
      for (const part of parts) socket.write(part);
    });
  };

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

describe("a socket", () => {
  it("gives responses whole, however they are cut", async () => {
    const bytes = [...ANSWER].map((byte) => Uint8Array.of(byte));
    const transport = await openSocket({ host: "127.0.0.1", port: await serving(pieces(...bytes)) });
    const both = await Promise.all([transport.send(COMMAND), transport.send(COMMAND)]);
    expect(both).toEqual([ANSWER, ANSWER]);
    await transport.close();
    await transport.close();
    expect(await codeOfAsync(() => transport.send(COMMAND))).toBe("DEVICE_FAILED");
  });

  it.each<[rule: string, serve: (socket: Socket) => void, code: string]>([
    ["a size beyond 4096", pieces(Uint8Array.of(128, 1, 0, 0, 16, 1, 0, 0, 0, 0)), "INVALID_TPM_RESPONSE"],
    ["a size below a header", pieces(Uint8Array.of(128, 1, 0, 0, 0, 9, 0, 0, 0, 0)), "INVALID_TPM_RESPONSE"],
    ["bytes behind the response", pieces(new Uint8Array([...ANSWER, 0])), "INVALID_TPM_RESPONSE"],
    [
      "an end within the response",
      (socket) => socket.once("data", () => socket.end(ANSWER.subarray(0, 11))),
      "DEVICE_FAILED",
    ],
    ["an end without response", (socket) => socket.once("data", () => socket.end()), "DEVICE_FAILED"],
    ["a reset", (socket) => socket.once("data", () => socket.resetAndDestroy()), "DEVICE_FAILED"],
    ["silence", () => undefined, "DEVICE_FAILED"],
  ])("refuses %s, and everything after it", async (_rule, serve, code) => {
    const transport = await openSocket({ host: "127.0.0.1", port: await serving(serve) }, 200);
    expect(await codeOfAsync(() => transport.send(COMMAND))).toBe(code);
    expect(await codeOfAsync(() => transport.send(COMMAND))).toBe(code);
    await transport.close();
  });

  it("refuses bytes that nobody asked for", async () => {
    let speak: () => void = () => undefined;
    const port = await serving((socket) => {
      pieces(ANSWER)(socket);
      speak = () => socket.write(ANSWER);
    });
    const transport = await openSocket({ host: "127.0.0.1", port });
    await transport.send(COMMAND);
    speak();
    // The connection is closed from this side once they are here.
    await new Promise((resolve) => sockets[0]?.once("close", resolve));
    expect(await codeOfAsync(() => transport.send(COMMAND))).toBe("INVALID_TPM_RESPONSE");
  });

  it("says when nobody listens", async () => {
    const port = await serving(() => undefined);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await codeOfAsync(() => openSocket({ host: "127.0.0.1", port }))).toBe("DEVICE_FAILED");
    expect(await codeOfAsync(() => openSocket({ path: "/no-such/socket" }))).toBe("DEVICE_FAILED");
  });
});
