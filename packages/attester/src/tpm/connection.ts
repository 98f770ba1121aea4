// SPDX-License-Identifier: Apache-2.0
// A TPM that commands run on: patient while it asks for patience, strict about what it answers.

import { AttesterError } from "../errors.ts";
import { realWait } from "../lib/devices.ts";
import { COMMAND } from "./constants.ts";
import { openDevice } from "./device.ts";
import {
  checkEmpty,
  encodeCommand,
  parseResponse,
  responseCodeOf,
  type TpmCommand,
  type TpmResponse,
  u32,
} from "./frame.ts";
import { describeResponseCode, parseResponseCode } from "./response-code.ts";
import { openSocket } from "./socket.ts";
import { parseTpmAddress, type TpmAddress, type TpmTransport } from "./transport.ts";

export interface Tpm {
  /**
   * Runs a command. Throws `TPM_REFUSED` with the response code taken apart in `detail`, `DEVICE_BUSY` when the TPM
   * still asks for patience at the last try, `INVALID_TPM_RESPONSE`, `DEVICE_FAILED`.
   */
  run(command: TpmCommand): Promise<TpmResponse>;
  close(): Promise<void>;
}

export interface OpenTpmOptions {
  /** As in `ADYTON_TPM`, or read already. Default: `device:/dev/tpmrm0`. */
  readonly address?: string | TpmAddress;
  /** What carries commands, instead of an address. */
  readonly transport?: TpmTransport;
  /** Milliseconds for one response over a socket. */
  readonly deadline?: number;
  /** Waits between tries of a busy TPM; tests do without the waiting. */
  readonly wait?: (milliseconds: number) => Promise<void>;
}

export const DEFAULT_DEVICE = "/dev/tpmrm0";
/** A self-test may take seconds: eight tries take six and a half. */
const TRIES = 8;
const FIRST_WAIT_MS = 50;

/** Opens a TPM; close it. Throws `INVALID_TPM_ARGUMENT`, `DEVICE_FAILED` or `DEVICE_BUSY`. */
export async function openTpm(options: OpenTpmOptions = {}): Promise<Tpm> {
  const { wait = realWait } = options;
  const transport = await openTransport(options);
  return {
    run: async (command) => {
      const bytes = encodeCommand(command);
      for (let attempt = 1; ; attempt++) {
        const response = await transport.send(bytes);
        const code = parseResponseCode(responseCodeOf(response, command.name));
        if (!code.transient) return parseResponse(response, command);
        if (attempt === TRIES) {
          throw new AttesterError(
            "DEVICE_BUSY",
            "unavailable",
            `Cannot run ${command.name}: the TPM still said ${describeResponseCode(code)} at try ${TRIES}`,
            { detail: { command: command.name, ...code }, hint: "It is busy: try again in a moment." },
          );
        }
        await wait(FIRST_WAIT_MS * 2 ** (attempt - 1));
      }
    },
    close: () => transport.close(),
  };
}

/** Forgets an object or a session that the TPM holds. */
export async function flushContext(tpm: Tpm, handle: number): Promise<void> {
  // The handle is a parameter here (part 3, section 28.4).
  const name = "TPM2_FlushContext";
  checkEmpty(await tpm.run({ name, code: COMMAND.flushContext, parameters: u32(handle) }), name);
}

/**
 * What `use` makes of something that the TPM holds, and flushes it, whatever happens: a TPM has room for three objects.
 */
export async function withLoaded<T extends { readonly handle: number }, R>(
  tpm: Tpm,
  loaded: Promise<T>,
  use: (loaded: T) => Promise<R>,
): Promise<R> {
  const held = await loaded;
  let result: R;
  try {
    result = await use(held);
  } catch (error) {
    // What went wrong first is what the caller has to know.
    await flushContext(tpm, held.handle).catch(() => undefined);
    throw error;
  }
  await flushContext(tpm, held.handle);
  return result;
}

function openTransport({ address, transport, deadline, wait }: OpenTpmOptions): Promise<TpmTransport> {
  if (transport !== undefined) return Promise.resolve(transport);
  const where =
    address === undefined
      ? { kind: "device" as const, path: DEFAULT_DEVICE }
      : typeof address === "string"
        ? parseTpmAddress(address)
        : address;
  switch (where.kind) {
    case "device":
      return openDevice(where.path, wait === undefined ? {} : { wait });
    case "tcp":
      return openSocket({ host: where.host, port: where.port }, deadline);
    case "unix":
      return openSocket({ path: where.path }, deadline);
  }
}
