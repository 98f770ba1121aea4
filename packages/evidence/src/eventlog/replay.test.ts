// SPDX-License-Identifier: Apache-2.0
// Replayed logs against the registers that were read on the machines (provenance: the README beside the fixtures).

import { fromHex, toHex } from "@adyton/core/bytes";
import { verifyingCrypto } from "@adyton/core/crypto";
import { fixtureBytes, fixtureText, hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import type { TpmHash } from "../tpm/algorithms.ts";
import type { MeasurementRegister } from "../verified.ts";
import { type EventLog, parseEventLog } from "./log.ts";
import { initialValues, replay } from "./replay.ts";

const HASH: Readonly<Record<string, TpmHash>> = {
  sha1: "SHA-1",
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
};

async function replayed(
  log: EventLog,
  kind: MeasurementRegister["kind"],
  index: number,
  hash: TpmHash,
): Promise<string> {
  const [initial = new Uint8Array()] = initialValues({ kind, index, hash }, log.events);
  return toHex((await replay(index, hash, initial, log.events, verifyingCrypto)) ?? new Uint8Array());
}

describe.skipIf(!hasFixtures)("replayed logs", () => {
  const BOOTS = ["direct", "q11-direct", "q11-ovmf25", "q11-sb", "q11-uki257"];
  it.each(BOOTS)("boot %s makes every PCR of four banks but that of Linux's IMA", async (name) => {
    const folder = `measure/tpm/boots/${name}`;
    const log = parseEventLog(await fixtureBytes(`${folder}/eventlog`));
    const banks = JSON.parse(await fixtureText(`${folder}/pcrs.json`)) as Record<
      string,
      Record<string, string>
    >;
    expect(Object.keys(banks)).toEqual(["sha1", "sha256", "sha384", "sha512"]);
    for (const [bank, pcrs] of Object.entries(banks)) {
      for (const [index, value] of Object.entries(pcrs)) {
        if (index === "10" || Number(index) >= 17) continue;
        expect(`${bank} ${index} ${await replayed(log, "pcr", Number(index), HASH[bank] as TpmHash)}`).toBe(
          `${bank} ${index} ${value}`,
        );
      }
    }
  });

  it("logs of cloud machines make the PCRs that were read there", async () => {
    const { logs } = JSON.parse(await fixtureText("measure/tpm/upstream-log-pcrs.json")) as {
      logs: Record<string, { pcrs: Record<string, Record<string, string>> }>;
    };
    let compared = 0;
    for (const [name, { pcrs }] of Object.entries(logs)) {
      const log = parseEventLog(await fixtureBytes(`tpm2/go-tpm-tools/eventlogs/${name}`));
      for (const [bank, values] of Object.entries(pcrs)) {
        for (const [index, value] of Object.entries(values)) {
          if (!log.events.some((event) => event.index === Number(index))) continue;
          expect(
            await replayed(log, "pcr", Number(index), HASH[bank] as TpmHash),
            `${name} ${bank} ${index}`,
          ).toBe(value);
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(100);
  });

  it("CCEL logs make the RTMRs that quotes and other implementations have", async () => {
    const all = JSON.parse(await fixtureText("measure/tdx/ccel/replayed-rtmrs.json")) as Record<
      string,
      Record<string, string | number>
    >;
    for (const [name, expected] of Object.entries(all)) {
      const path = name.startsWith("../../../") ? name.slice(9) : `measure/tdx/ccel/${name}`;
      const log = parseEventLog(await fixtureBytes(path));
      expect(log.events).toHaveLength(expected.events as number);
      for (const index of [1, 2, 3]) {
        const value = expected[`RTMR${index - 1}`];
        if (value === undefined) continue;
        expect(await replayed(log, "rtmr", index, "SHA-384"), `${name} ${index}`).toBe(value);
      }
    }
  });

  it("a SHA-1 log that begins with the startup locality starts PCR 0 there", async () => {
    const log = parseEventLog(await fixtureBytes("tpm2/go-attestation/short_no_action_eventlog"));
    expect(await replayed(log, "pcr", 0, "SHA-1")).toBe(`${"00".repeat(19)}03`);
    expect(await replayed(log, "rtmr", 0, "SHA-1")).toBe("00".repeat(20));
  });
});

describe("replay", () => {
  it("starts dynamic PCRs at zeros or FFh, others at zeros", () => {
    const register = (index: number) => ({ kind: "pcr" as const, index, hash: "SHA-256" as const });
    expect(initialValues(register(16), []).map(toHex)).toEqual(["00".repeat(32)]);
    expect(initialValues(register(17), []).map(toHex)).toEqual(["00".repeat(32), "ff".repeat(32)]);
    expect(initialValues(register(22), [])).toHaveLength(2);
    expect(initialValues(register(23), [])).toHaveLength(1);
    expect(initialValues({ ...register(17), kind: "rtmr" }, [])).toHaveLength(1);
  });

  it("extends with SM3 as GB/T 32905 says", async () => {
    const digest = fromHex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    const events = [
      { index: 1, type: 4, digests: [{ hash: "SM3" as const, digest }], data: new Uint8Array() },
    ];
    const value = await replay(1, "SM3", new Uint8Array(32), events, verifyingCrypto);
    // SM3 over 32 zeros and SM3("abc"), computed with OpenSSL 3.
    expect(toHex(value ?? new Uint8Array())).toBe(
      "ee1ade12bac480c9bc7aff12f344bf9cdd92324fc83f7d79386f3c5426185506",
    );
  });

  it("has no value when an event lacks a digest of the bank", async () => {
    const events = [{ index: 1, type: 4, digests: [], data: new Uint8Array() }];
    expect(await replay(1, "SHA-256", new Uint8Array(32), events, verifyingCrypto)).toBeUndefined();
    for (const size of [31, 33]) {
      const odd = [
        {
          index: 1,
          type: 6,
          digests: [{ hash: "SHA-256", digest: new Uint8Array(size) }],
          data: new Uint8Array(),
        },
      ] as const;
      expect(await replay(1, "SHA-256", new Uint8Array(32), odd, verifyingCrypto)).toBeUndefined();
    }
    expect(await replay(2, "SHA-256", new Uint8Array(32), events, verifyingCrypto)).toEqual(
      new Uint8Array(32),
    );
  });
});
