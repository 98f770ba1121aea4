// SPDX-License-Identifier: Apache-2.0
// Parts of a launch session that have known answers; whole launches are in the simulator's tests.

import { fromHex, toHex } from "@adyton/core/bytes";
import { hmacSm3 } from "@adyton/core/sm";
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deriveCsvKey } from "./handshake.ts";
import { csvLaunchMeasure } from "./launch.ts";
import { CSV_SESSION_SIZE, type CsvSession, encodeCsvSession, parseCsvSession } from "./session.ts";

const zeros = (length: number): Uint8Array => new Uint8Array(length);

describe("derivations, known answers of csv-rs (src/session/key.rs)", () => {
  it("key", () => {
    expect(toHex(deriveCsvKey(zeros(16), 16, "csv-master-secret", zeros(16)))).toBe(
      "19e8d550e3a799b2917bc59146aaadae",
    );
  });

  it("MAC", () => {
    expect(toHex(hmacSm3(zeros(16), zeros(4)))).toBe(
      "5f08f19a7d6d8aceb7a6955b1533173cdd342039d4f76a117fe1aaaab7b27fec",
    );
  });
});

describe("the measure", () => {
  it("covers context, firmware, policy, digest and mnonce, in this order", () => {
    const tik = fromHex("66320db73158a35a255d051758e95ed4");
    const mnonce = fromHex("4fbe0bedbad6c86ae8f68971d103e554");
    const digest = zeros(32).fill(9);
    const expected = { firmware: { major: 1, minor: 2, build: 3 }, policy: 0x04000005, digest };
    const message = fromHex(`0401020305000004${toHex(digest)}${toHex(mnonce)}`);
    expect(toHex(csvLaunchMeasure({ tik }, expected, mnonce))).toBe(
      toHex(hmacSm3(tik, message)) + toHex(mnonce),
    );
  });
});

describe("the session", () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const session = fc.record({
    nonce: bytes(16),
    wrapTk: bytes(32),
    wrapIv: bytes(16),
    wrapMac: bytes(32),
    sessionMac: bytes(32),
    sealedMaster: bytes(256),
    vmDigest: bytes(32),
    pubkeyDigest: bytes(32),
    vmId: bytes(16),
    vmVersion: bytes(16),
    userData: bytes(64),
    signature: bytes(64),
  });

  it("comes back field for field", () => {
    fc.assert(
      fc.property(session, (fields) => {
        const encoded = encodeCsvSession(fields);
        expect(encoded).toHaveLength(CSV_SESSION_SIZE);
        expect(parseCsvSession(encoded)).toEqual(fields);
      }),
    );
  });

  it("refuses other sizes and fields that nobody uses", () => {
    const encoded = encodeCsvSession(fc.sample(session, { numRuns: 1, seed: 7 })[0] as CsvSession);
    for (const length of [0, 771]) {
      expect(codeOf(() => parseCsvSession(encoded.subarray(0, length)))).toBe("INVALID_CSV_SESSION");
    }
    encoded[128] = 1;
    expect(codeOf(() => parseCsvSession(encoded))).toBe("INVALID_CSV_SESSION");
  });
});
