// SPDX-License-Identifier: Apache-2.0
// A simulated boot: what firmware, boot loader and an attestation agent would write into an event log, and the
// registers that these events make.

import { type Bytes, concat, fromHex, fromUtf8 } from "@adyton/core/bytes";
import { type CryptoProvider, defaultCrypto } from "@adyton/core/crypto";
import { Writer } from "@adyton/core/cursor";
import {
  digestOf,
  digestSize,
  EVENT_TYPE,
  encodeEventLog,
  initialValues,
  type LogEvent,
  replay,
  type TpmHash,
} from "@adyton/evidence/eventlog";

export interface BootOptions {
  /** PCRs of a TPM, or a confidential VM's RTMRs by CCEL's index. Default: pcr. */
  readonly registers?: "pcr" | "rtmr";
  /** Banks of the log. Default: SHA-256 for PCRs, SHA-384 for RTMRs. */
  readonly hashes?: readonly TpmHash[];
  /** Default: crypto-agile. The older form has SHA-1 alone. */
  readonly format?: "crypto-agile" | "sha1";
  /** Default: true. */
  readonly secureBoot?: boolean;
  /** Where TPM2_Startup came from, told by an event. */
  readonly startupLocality?: number;
  readonly commandLine?: string;
  /** Events of an attestation agent: [domain, operation, content]. */
  readonly agentEvents?: readonly (readonly [string, string, string])[];
  /** Changes the events before they are written and replayed. */
  readonly alter?: (events: readonly LogEvent[]) => readonly LogEvent[];
  readonly crypto?: CryptoProvider;
}

export interface SimulatedBoot {
  readonly log: Bytes;
  readonly events: readonly LogEvent[];
  /** The value of every register of a bank that has events, by the log's index. */
  values(hash: TpmHash): Promise<Map<number, Bytes>>;
}

const GLOBAL_VARIABLE = fromHex("61dfe48bca93d211aa0d00e098032b8c");
const AAEL_TAG = 0x4141454c;
/** What CCEL calls the register of a PCR (UEFI 2.11, section 38.4.1). */
const RTMR_INDEX: Readonly<Record<number, number>> = { 0: 1, 1: 1, 4: 2, 5: 2, 7: 1, 8: 3, 9: 3, 17: 4 };

/** Boots once. */
export async function simulateBoot(options: BootOptions = {}): Promise<SimulatedBoot> {
  const { registers = "pcr", format = "crypto-agile", crypto = defaultCrypto } = options;
  const usual: readonly TpmHash[] =
    format === "sha1" ? ["SHA-1"] : [registers === "pcr" ? "SHA-256" : "SHA-384"];
  const { hashes = usual, alter = (events) => events } = options;
  const written: LogEvent[] = [];
  for (const step of stepsOf(options)) {
    const index = registers === "pcr" ? step.pcr : (RTMR_INDEX[step.pcr] ?? step.pcr);
    const digests =
      step.type === EVENT_TYPE.noAction
        ? []
        : await Promise.all(
            hashes.map(async (hash) => ({ hash, digest: await digestOf(hash, step.measured, crypto) })),
          );
    written.push({ index, type: step.type, digests, data: step.data });
  }
  const events = alter(written);
  return {
    events,
    log: encodeEventLog({ format, hashes, events }),
    values: async (hash) => {
      const values = new Map<number, Bytes>();
      for (const index of new Set(
        events.filter(({ type }) => type !== EVENT_TYPE.noAction).map((e) => e.index),
      )) {
        const [initial = new Uint8Array(digestSize(hash))] = initialValues(
          { kind: registers, index, hash },
          events,
        );
        values.set(index, new Uint8Array((await replay(index, hash, initial, events, crypto)) ?? initial));
      }
      return values;
    },
  };
}

interface Step {
  readonly pcr: number;
  readonly type: number;
  readonly data: Bytes;
  /** What the digest is over. */
  readonly measured: Bytes;
}

function* stepsOf(options: BootOptions): Generator<Step> {
  const {
    secureBoot = true,
    startupLocality,
    commandLine = "/vmlinuz root=/dev/vda1 ro",
    agentEvents = [],
  } = options;
  const plain = (pcr: number, type: number, data: Bytes): Step => ({ pcr, type, data, measured: data });
  if (startupLocality !== undefined) {
    yield plain(
      0,
      EVENT_TYPE.noAction,
      concat(fromUtf8("StartupLocality\0"), Uint8Array.of(startupLocality)),
    );
  }
  yield plain(0, 0x08, utf16("Adyton Simulator firmware 1\0"));
  yield plain(
    7,
    EVENT_TYPE.efiVariableDriverConfig,
    variable("SecureBoot", Uint8Array.of(secureBoot ? 1 : 0)),
  );
  const bootOrder = Uint8Array.of(0, 0);
  yield { ...plain(1, EVENT_TYPE.efiVariableBoot, variable("BootOrder", bootOrder)), measured: bootOrder };
  for (const pcr of [0, 1, 4, 5, 7]) yield plain(pcr, EVENT_TYPE.separator, new Uint8Array(4));
  yield plain(4, EVENT_TYPE.efiAction, fromUtf8("Calling EFI Application from Boot Option"));
  yield {
    ...plain(4, EVENT_TYPE.efiBootServicesApplication, imageLoad("\\EFI\\BOOT\\BOOTX64.EFI")),
    measured: fromUtf8("boot loader"),
  };
  const named = (text: string): Bytes => fromUtf8(`${text}\0`);
  yield { ...plain(9, EVENT_TYPE.ipl, named("/vmlinuz")), measured: fromUtf8("kernel") };
  yield { ...plain(9, EVENT_TYPE.ipl, named("/initrd.img")), measured: fromUtf8("initrd") };
  yield {
    ...plain(8, EVENT_TYPE.ipl, named(`kernel_cmdline: ${commandLine}`)),
    measured: fromUtf8(commandLine),
  };
  yield plain(5, EVENT_TYPE.efiAction, fromUtf8("Exit Boot Services Invocation"));
  yield plain(5, EVENT_TYPE.efiAction, fromUtf8("Exit Boot Services Returned with Success"));
  for (const parts of agentEvents)
    yield plain(17, EVENT_TYPE.eventTag, tagged(AAEL_TAG, fromUtf8(parts.join(" "))));
}

function variable(name: string, data: Uint8Array): Bytes {
  const lengths = new Writer(16).u64le(BigInt(name.length)).u64le(BigInt(data.length)).finish();
  return concat(GLOBAL_VARIABLE, lengths, utf16(name), data);
}

/** UEFI_IMAGE_LOAD_EVENT with a path of one file and its end. */
function imageLoad(file: string): Bytes {
  const name = utf16(`${file}\0`);
  const path = concat(
    Uint8Array.of(4, 4),
    new Writer(2).u16le(name.length + 4).finish(),
    name,
    Uint8Array.of(0x7f, 0xff, 4, 0),
  );
  return concat(new Uint8Array(24), new Writer(8).u64le(BigInt(path.length)).finish(), path);
}

function tagged(tag: number, data: Uint8Array): Bytes {
  return concat(new Writer(8).u32le(tag).u32le(data.length).finish(), data);
}

function utf16(text: string): Bytes {
  const writer = new Writer(2 * text.length);
  for (let i = 0; i < text.length; i++) writer.u16le(text.charCodeAt(i));
  return writer.finish();
}
