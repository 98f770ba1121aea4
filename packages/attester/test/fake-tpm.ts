// SPDX-License-Identifier: Apache-2.0
// TPMs played from a list of exchanges, or by a function.

import { type OpenTpmOptions, openTpm, type Tpm, type TpmTransport } from "@adyton/attester/tpm";
import { concat, fromHex, toHex } from "@adyton/core/bytes";
import { Writer } from "@adyton/core/cursor";
import type { Exchange } from "./swtpm-exchanges.ts";

export interface FakeTransport extends TpmTransport {
  /** Commands that came, hex. */
  readonly sent: readonly string[];
  readonly closed: boolean;
}

/** Answers each command as `respond` does, given also how many came before. */
export function answering(respond: (command: Uint8Array, before: number) => Uint8Array): FakeTransport {
  const sent: string[] = [];
  let closed = false;
  return {
    sent,
    get closed() {
      return closed;
    },
    send: async (command) => {
      sent.push(toHex(command));
      return respond(command, sent.length - 1);
    },
    close: async () => {
      closed = true;
    },
  };
}

/** Takes these commands in this order and no others. */
export function replaying(exchanges: readonly Exchange[]): FakeTransport {
  return answering((command, before) => {
    const [expected, response] = exchanges[before] ?? ["nothing more", ""];
    if (toHex(command) !== expected) throw new Error(`got command ${toHex(command)}, expected ${expected}`);
    return fromHex(response);
  });
}

/** A TPM over a transport, without waiting. */
export function tpmOver(transport: TpmTransport, options: OpenTpmOptions = {}): Promise<Tpm> {
  return openTpm({ transport, wait: () => Promise.resolve(), ...options });
}

/** A response of this code with a body behind it. */
export function response(code: number, body: Uint8Array = new Uint8Array(), tag = 0x8001): Uint8Array {
  return concat(
    new Writer(10)
      .u16be(tag)
      .u32be(10 + body.length)
      .u32be(code)
      .finish(),
    body,
  );
}

/** A command's code. */
export function codeOfCommand(command: Uint8Array): number {
  return new DataView(command.buffer, command.byteOffset).getUint32(6);
}
