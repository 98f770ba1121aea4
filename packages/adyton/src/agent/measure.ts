// SPDX-License-Identifier: Apache-2.0
// Events that containers want in the machine's measurements (the attestation agent's event log, AAEL): the digest of
// `<domain> <operation> <content>` goes into a register that the evidence shows, the text into a log for the verifier.

import { createHash } from "node:crypto";
import { appendFile, writeFile } from "node:fs/promises";
import { extendPcr, openTpm } from "@adyton/attester/tpm";
import { fromUtf8, toHex } from "@adyton/core/bytes";
import { CliError } from "../errors.ts";
import type { MeasureKind } from "./choices.ts";

export interface AgentEvent {
  readonly domain: string;
  readonly operation: string;
  readonly content: string;
}

export interface Measurer {
  /** Resolves once the register is extended and the log has the event. Rejects with what the hardware says. */
  extend(event: AgentEvent): Promise<void>;
}

export interface MeasurerOptions {
  /** Where the log goes; it is begun anew. */
  readonly log: string;
  /** As in `ADYTON_TPM`. */
  readonly tpm?: string;
  /** Default 13. */
  readonly pcr?: number;
  /** Where Linux shows the RTMRs of TDX (since 6.16). */
  readonly registers?: string;
}

/** Neither firmware nor boot loaders use it, software may extend it, and nothing resets it while the machine runs. */
const PCR = 13;
const RTMR = "rtmr3:sha384";
const REGISTERS = "/sys/class/misc/tdx_guest/measurements";

/** A measurer, one event after the other. Rejects with `FILE_NOT_WRITABLE` when the log cannot be begun. */
export async function createMeasurer(kind: MeasureKind, options: MeasurerOptions): Promise<Measurer> {
  const hash = kind === "tpm" ? "sha256" : "sha384";
  const zeros = toHex(new Uint8Array(hash === "sha256" ? 32 : 48));
  await logged(options.log, () => writeFile(options.log, `INIT ${hash}/${zeros}\n`, { mode: 0o644 }));
  const register = kind === "tpm" ? pcrRegister(options) : rtmrRegister(options);
  let last: Promise<void> = Promise.resolve();
  return {
    extend: (event) => {
      const { domain, operation, content } = event;
      const text = `${domain} ${operation} ${content}`;
      const next = last.then(async () => {
        await register(new Uint8Array(createHash(hash).update(fromUtf8(text)).digest()));
        await logged(options.log, () => appendFile(options.log, `${text}\n`));
      });
      last = next.catch(() => undefined);
      return next;
    },
  };
}

function pcrRegister({ tpm: address, pcr = PCR }: MeasurerOptions): (digest: Uint8Array) => Promise<void> {
  return async (digest) => {
    const tpm = await openTpm(address === undefined ? {} : { address });
    try {
      await extendPcr(tpm, pcr, [{ hash: "SHA-256", digest }]);
    } finally {
      await tpm.close();
    }
  };
}

function rtmrRegister({ registers = REGISTERS }: MeasurerOptions): (digest: Uint8Array) => Promise<void> {
  const path = `${registers}/${RTMR}`;
  // "r+": a register that is not there is no file to make.
  return (digest) => logged(path, () => writeFile(path, digest, { flag: "r+" }));
}

async function logged(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    const { code = "it failed" } = cause as NodeJS.ErrnoException;
    throw new CliError("FILE_NOT_WRITABLE", "unavailable", `Cannot write ${path}: ${code}`, {
      cause,
      detail: { path },
    });
  }
}
