// SPDX-License-Identifier: Apache-2.0
// The two parts that are all our own: SM2, for which no runtime has a native path, and event logs.

import { defaultCrypto } from "@adyton/core/crypto";
import { sm2Verify } from "@adyton/core/sm";
import { parseCsvCertificate, parseCsvEvidence } from "@adyton/evidence/csv";
import {
  digestOf,
  digestSize,
  initialValues,
  isExtending,
  type LogEvent,
  parseEventLog,
  replay,
  type TpmHash,
} from "@adyton/evidence/eventlog";
import { fixtureBytes } from "@adyton/testing";
import { type Effort, measure } from "./measure.ts";

/** Of a log: parsed, and every register of one bank replayed. */
export interface LogReport {
  readonly log: string;
  readonly bank: TpmHash;
  readonly events: number;
  readonly fileBytes: number;
  /** Without what fills the table up behind the last event. */
  readonly eventBytes: number;
  /** Median, microseconds. */
  readonly microseconds: number;
  /** Of the digests alone that a replay consists of. */
  readonly bareMicroseconds: number;
  /** Million bytes a second. */
  readonly fileMegabytes: number;
  readonly eventMegabytes: number;
}

export interface RatesReport {
  /** Median, microseconds, of one verification on real evidence. */
  readonly sm2Verify: number;
  readonly logs: readonly LogReport[];
}

const LOGS: readonly (readonly [path: string, bank: TpmHash, kind: "pcr" | "rtmr"])[] = [
  ["tdx/trustee/CCEL_data_ovmf", "SHA-384", "rtmr"],
  ["eventlog/trustee/CCEL_data_csv", "SM3", "rtmr"],
  ["eventlog/trustee/CCEL_AAEL_alibabacloud", "SHA-384", "rtmr"],
  ["tpm2/go-tpm-tools/eventlogs/ubuntu-2404-amd-sevsnp.bin", "SHA-256", "pcr"],
  ["tpm2/go-tpm-tools/eventlogs/rhel8-uefi.bin", "SHA-384", "pcr"],
  ["tpm2/go-attestation/option_rom_eventlog", "SHA-1", "pcr"],
];

export async function measureRates(effort: Effort): Promise<RatesReport> {
  const logs: LogReport[] = [];
  for (const [path, bank, kind] of LOGS) logs.push(await logReport(path, bank, kind, effort));
  return { sm2Verify: await sm2Time(effort), logs };
}

async function sm2Time(effort: Effort): Promise<number> {
  const { report } = parseCsvEvidence(await fixtureBytes("csv/csv-rs/report.cert"));
  const { publicKey, userId } = parseCsvCertificate(report.signer.pek);
  const run = (): void => {
    if (!sm2Verify(publicKey, userId, report.signedPart, report.signature)) {
      throw new Error("the report's signature does not verify");
    }
  };
  const [timing] = await measure([{ name: "sm2", run }], effort);
  return timing?.median ?? Number.NaN;
}

async function logReport(
  path: string,
  bank: TpmHash,
  kind: "pcr" | "rtmr",
  effort: Effort,
): Promise<LogReport> {
  const bytes = await fixtureBytes(path);
  const { events, size } = parseEventLog(bytes);
  const extending = events.filter(isExtending);
  const value = new Uint8Array(2 * digestSize(bank));
  const timings = await measure(
    [
      { name: "replay", run: () => replayAll(bytes, bank, kind) },
      {
        name: "bare",
        run: async () => {
          for (const _ of extending) await digestOf(bank, value, defaultCrypto);
        },
      },
    ],
    effort,
  );
  const median = (name: string): number => timings.find((each) => each.name === name)?.median ?? Number.NaN;
  const microseconds = median("replay");
  return {
    log: path.slice(path.lastIndexOf("/") + 1),
    bank,
    events: events.length,
    fileBytes: bytes.length,
    eventBytes: size,
    microseconds,
    bareMicroseconds: median("bare"),
    fileMegabytes: bytes.length / microseconds,
    eventMegabytes: size / microseconds,
  };
}

async function replayAll(bytes: Uint8Array, bank: TpmHash, kind: "pcr" | "rtmr"): Promise<void> {
  const { events } = parseEventLog(bytes);
  for (const index of new Set(events.filter(isExtending).map((event: LogEvent) => event.index))) {
    for (const initial of initialValues({ kind, index, hash: bank }, events)) {
      const replayed = await replay(index, bank, initial, events, defaultCrypto);
      if (replayed === undefined) throw new Error(`the log has no ${bank} bank`);
    }
  }
}
