// SPDX-License-Identifier: Apache-2.0
// Event logs of real machines, whole and broken; generated ones round trip.

import { concat, equal, fromUtf8 } from "@adyton/core/bytes";
import { codeOf, fixtureBytes, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestSize, type TpmHash } from "../tpm/algorithms.ts";
import { type EventLog, encodeEventLog, parseEventLog } from "./log.ts";
import { EVENT_TYPE, eventTypeName } from "./types.ts";

const TPM_BANKS = ["SHA-1", "SHA-256", "SHA-384"] as const;
const ALL_BANKS = [...TPM_BANKS, "SHA-512"] as const;
const LOGS: readonly (readonly [
  path: string,
  format: string,
  hashes: readonly TpmHash[],
  events: number,
  size: number,
])[] = [
  ["tpm2/go-attestation/coreos_36_shielded_vm_no_secure_boot_eventlog", "crypto-agile", TPM_BANKS, 75, 31063],
  ["tpm2/go-attestation/crypto_agile_eventlog", "crypto-agile", ["SHA-256"], 26, 14056],
  ["tpm2/go-attestation/ebs_event_missing_eventlog", "sha1", ["SHA-1"], 38, 16337],
  ["tpm2/go-attestation/option_rom_eventlog", "sha1", ["SHA-1"], 61, 72817],
  ["tpm2/go-attestation/sb_cert_eventlog", "crypto-agile", TPM_BANKS, 14, 18947],
  ["tpm2/go-attestation/short_no_action_eventlog", "sha1", ["SHA-1"], 1, 49],
  [
    "tpm2/go-attestation/ubuntu_2104_shielded_vm_no_secure_boot_eventlog",
    "crypto-agile",
    TPM_BANKS,
    105,
    38268,
  ],
  ["tpm2/go-tpm-tools/eventlogs/arch-linux-workstation.bin", "crypto-agile", ["SHA-1", "SHA-256"], 24, 15579],
  ["tpm2/go-tpm-tools/eventlogs/cos-101-amd-sev.bin", "crypto-agile", TPM_BANKS, 48, 23050],
  ["tpm2/go-tpm-tools/eventlogs/debian-10.bin", "sha1", ["SHA-1"], 25, 22220],
  ["tpm2/go-tpm-tools/eventlogs/rhel8-uefi.bin", "crypto-agile", TPM_BANKS, 82, 34034],
  ["tpm2/go-tpm-tools/eventlogs/ubuntu-2104-no-secure-boot.bin", "crypto-agile", TPM_BANKS, 105, 38268],
  ["tpm2/go-tpm-tools/eventlogs/ubuntu-2404-amd-sevsnp.bin", "crypto-agile", TPM_BANKS, 116, 45300],
  ["eventlog/trustee/CCEL_AAEL_alibabacloud", "crypto-agile", ["SHA-384"], 87, 11707],
  ["eventlog/trustee/CCEL_data_csv", "crypto-agile", ["SM3"], 82, 9565],
  ["eventlog/trustee/CCEL_data_grub", "crypto-agile", ["SHA-384"], 37, 15130],
  ["tdx/trustee/CCEL_data_ovmf", "crypto-agile", ["SHA-384"], 20, 2120],
  ["measure/tdx/ccel/CCEL_unpadded.data.bin", "crypto-agile", ["SHA-384"], 19, 2026],
  ["measure/tdx/ccel/cctrusted_ccel_data.bin", "crypto-agile", ["SHA-384"], 98, 15812],
  ["measure/tpm/boots/direct/eventlog", "crypto-agile", ALL_BANKS, 28, 6077],
  ["measure/tpm/boots/q11-uki257/eventlog", "crypto-agile", ALL_BANKS, 48, 10888],
];

describe.skipIf(!hasFixtures)("real event logs", () => {
  it.each(LOGS)("%s", async (path, format, hashes, events, size) => {
    const log = parseEventLog(await fixtureBytes(path));
    expect({ format: log.format, hashes: log.hashes, events: log.events.length, size: log.size }).toEqual({
      format,
      hashes,
      events,
      size,
    });
    for (const { type } of log.events) expect(eventTypeName(type)).toMatch(/^EV_[A-Z]/);
  });

  it.each(LOGS)("%s is written as it was read", async (path) => {
    const bytes = await fixtureBytes(path);
    const log = parseEventLog(bytes);
    const again = encodeEventLog(log);
    // The header's versions and vendor info are the firmware's own.
    const events = again.length - 32;
    expect(equal(again.subarray(-events), bytes.subarray(log.size - events, log.size))).toBe(true);
    expect(parseEventLog(again).events).toEqual(log.events);
  });

  it.each(LOGS)("%s cut anywhere is refused or shorter", async (path, _format, _hashes, events) => {
    const bytes = await fixtureBytes(path);
    const { size } = parseEventLog(bytes);
    const ends = new Set<number>();
    const step = Math.max(1, Math.floor(size / 400));
    for (let length = 0; length < size; length += step) {
      const cut = bytes.subarray(0, length);
      const code = codeOf(() => ends.add(parseEventLog(cut).events.length));
      expect(["INVALID_EVENT_LOG", "nothing"]).toContain(code);
    }
    for (const count of ends) expect(count).toBeLessThan(events);
  });
});

const BANKS: readonly TpmHash[] = ["SHA-1", "SHA-256", "SHA-384", "SHA-512", "SM3"];
const bytesOf = (size: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: size, maxLength: size });
const anyLog: fc.Arbitrary<Pick<EventLog, "format" | "hashes" | "events">> = fc
  .oneof(
    fc.constant({ format: "sha1" as const, hashes: ["SHA-1" as TpmHash] }),
    fc.record({
      format: fc.constant("crypto-agile" as const),
      hashes: fc.shuffledSubarray([...BANKS], { minLength: 1 }),
    }),
  )
  .chain(({ format, hashes }) =>
    fc
      .array(
        fc.record({
          index: fc.nat(23),
          type: fc.constantFrom(1, 4, 8, 13, 0x80000001, 0x800000e0),
          digests: fc.tuple(
            ...hashes.map((hash) => bytesOf(digestSize(hash)).map((digest) => ({ hash, digest }))),
          ),
          data: fc.uint8Array({ maxLength: 64 }),
        }),
        { minLength: 1, maxLength: 12 },
      )
      .map((events) => ({ format, hashes, events })),
  );

describe("event logs", () => {
  it("filling that is uniform wherever it begins, and one byte in it that is not", () => {
    fc.assert(
      fc.property(
        anyLog,
        fc.constantFrom(0, 0xff),
        fc.integer({ min: 5, max: 64 }),
        fc.nat(7),
        fc.nat(63),
        (log, filling, padding, shift, at) => {
          const written = encodeEventLog(log);
          const table = concat(new Uint8Array(shift), written, new Uint8Array(padding).fill(filling));
          const bytes = table.subarray(shift);
          expect(parseEventLog(bytes).size).toBe(written.length);
          // Four bytes of filling end a log: among them another one would be a register's number.
          const other = written.length + 4 + (at % (padding - 4));
          bytes[other] = 0x7e;
          // What is no filling is read: as an event where it happens to make one.
          const sizes: number[] = [];
          const code = codeOf(() => sizes.push(parseEventLog(bytes).size));
          expect(code === "INVALID_EVENT_LOG" || (sizes[0] ?? 0) > written.length).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("round trip, with filling and without", () => {
    fc.assert(
      fc.property(anyLog, fc.constantFrom(0, 0xff), fc.nat(64), (log, filling, padding) => {
        const bytes = encodeEventLog(log);
        const parsed = parseEventLog(concat(bytes, new Uint8Array(padding).fill(filling)));
        expect(parsed).toEqual({ ...log, size: bytes.length });
      }),
    );
  });

  it("any bytes give a log or a typed error", () => {
    const header = encodeEventLog({ format: "crypto-agile", hashes: ["SHA-256"], events: [] });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, withHeader) => {
        const code = codeOf(() => parseEventLog(withHeader ? concat(header, noise) : noise));
        expect(["nothing", "INVALID_EVENT_LOG"]).toContain(code);
      }),
      { numRuns: 500 },
    );
  });

  const event = {
    index: 1,
    type: 4,
    digests: [{ hash: "SHA-256" as const, digest: new Uint8Array(32) }],
    data: fromUtf8("x"),
  };
  const good = encodeEventLog({ format: "crypto-agile", hashes: ["SHA-256", "SHA-384"], events: [event] });
  const COUNT = 32 + 24;
  const EVENT = 32 + 24 + 4 + 8 + 1;
  it.each<readonly [rule: string, offset: number, value: readonly number[]]>([
    ["no algorithm", COUNT, [0]],
    ["17 algorithms", COUNT, [17]],
    ["an algorithm twice", COUNT + 8, [0x0b, 0, 32, 0]],
    ["an algorithm of the wrong size", COUNT + 4, [0x0b, 0, 33, 0]],
    ["vendor info beyond the header", COUNT + 12, [1]],
    ["17 digests", EVENT + 8, [17]],
    ["a digest of an algorithm that the header lacks", EVENT + 12, [0x0d]],
    ["two digests of one bank", EVENT + 8, [2]],
    ["data beyond the end", EVENT + 46, [2]],
    ["a gigantic size of data", EVENT + 46, [0xff, 0xff, 0xff, 0xff]],
  ])("%s", (_rule, offset, value) => {
    const broken = Uint8Array.from(good);
    broken.set(value, offset);
    expect(codeOf(() => parseEventLog(broken))).toBe("INVALID_EVENT_LOG");
  });
  it("the same log, not broken", () => {
    expect(parseEventLog(good).events).toEqual([event]);
  });

  it.each([
    ["nothing", new Uint8Array()],
    ["zeros", new Uint8Array(64)],
    ["FFh", new Uint8Array(64).fill(0xff)],
    ["more than 16 MiB", new Uint8Array(16 * 1024 * 1024 + 1)],
    ["filling that is not uniform", concat(good, new Uint8Array(40), Uint8Array.of(1))],
  ])("%s", (_rule, bytes) => {
    expect(codeOf(() => parseEventLog(bytes))).toBe("INVALID_EVENT_LOG");
  });

  it("skips digests of algorithms that are unknown but declared", () => {
    const unknown = Uint8Array.from(good);
    unknown.set([0x27, 0], COUNT + 8);
    expect(parseEventLog(unknown).hashes).toEqual(["SHA-256"]);
  });

  it("names types that no specification has by their number", () => {
    expect(eventTypeName(0x400)).toBe("EV_0x00000400");
    expect(eventTypeName(EVENT_TYPE.efiVariableAuthority)).toBe("EV_EFI_VARIABLE_AUTHORITY");
  });
});
