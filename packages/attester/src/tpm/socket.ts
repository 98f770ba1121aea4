// SPDX-License-Identifier: Apache-2.0
// A TPM behind a socket that carries bare commands and responses: the data channel of swtpm's `--server`.

import { connect, type NetConnectOpts, type Socket } from "node:net";
import { concat } from "@adyton/core/bytes";
import { AttesterError } from "../errors.ts";
import { deviceFailure } from "../lib/devices.ts";
import { HEADER_SIZE, MAX_MESSAGE } from "./constants.ts";
import { invalidResponse } from "./error.ts";
import { oneAtATime, type TpmTransport } from "./transport.ts";

interface Waiting {
  resolve(response: Uint8Array): void;
  reject(error: unknown): void;
}

/** Longer than any command takes: RSA keys are looked for, not computed. */
const DEADLINE_MS = 60_000;

/** The TPM at a socket. `deadline` is for one response, in milliseconds. Throws `DEVICE_FAILED`. */
export async function openSocket(
  address: NetConnectOpts,
  deadline: number = DEADLINE_MS,
): Promise<TpmTransport> {
  const name = "path" in address ? address.path : `${address.host ?? "localhost"}:${address.port}`;
  const socket = await connected(address, name, deadline);
  let waiting: Waiting | undefined;
  let received: Uint8Array = new Uint8Array();
  let broken: unknown;
  let timer: NodeJS.Timeout | undefined;

  const settle = (): Waiting | undefined => {
    clearTimeout(timer);
    const settled = waiting;
    waiting = undefined;
    return settled;
  };
  const fail = (error: unknown): void => {
    broken ??= error;
    socket.destroy();
    settle()?.reject(error);
  };
  socket.on("data", (chunk: Uint8Array) => {
    if (waiting === undefined) return fail(invalidResponse(name, "bytes that nobody asked for"));
    received = concat(received, chunk);
    if (received.length < HEADER_SIZE) return;
    const size = new DataView(received.buffer, received.byteOffset).getUint32(2);
    if (size < HEADER_SIZE || size > MAX_MESSAGE || received.length > size) {
      return fail(invalidResponse(name, `it says ${size} bytes, ${received.length} are there`));
    }
    if (received.length < size) return;
    const response = received;
    received = new Uint8Array();
    settle()?.resolve(response);
  });
  socket.on("error", (error) => fail(deviceFailure(`use the TPM at ${name}`, error)));
  socket.on("close", () => fail(failure(`the TPM at ${name} closed the connection`)));

  const exchange = (command: Uint8Array): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      if (broken !== undefined) return reject(broken);
      waiting = { resolve, reject };
      timer = setTimeout(
        () => fail(failure(`the TPM at ${name} did not answer in ${deadline} ms`)),
        deadline,
      );
      socket.write(command);
    });
  return {
    send: oneAtATime(exchange),
    close: () =>
      new Promise((resolve) => {
        if (socket.closed) return resolve();
        socket.once("close", () => resolve());
        socket.end();
        socket.destroySoon();
      }),
  };
}

function connected(address: NetConnectOpts, name: string, deadline: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(failure(`the TPM at ${name} did not answer in ${deadline} ms`));
    }, deadline);
    const refused = (error: Error): void => {
      clearTimeout(timer);
      reject(deviceFailure(`reach the TPM at ${name}`, error));
    };
    socket.once("error", refused);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", refused).setNoDelay(true);
      resolve(socket);
    });
  });
}

/** `why` ends the sentence "Cannot use TPM: …". */
function failure(why: string): AttesterError {
  return new AttesterError("DEVICE_FAILED", "unavailable", `Cannot use TPM: ${why}`);
}
