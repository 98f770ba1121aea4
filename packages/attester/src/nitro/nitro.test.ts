// SPDX-License-Identifier: Apache-2.0

import { toHex } from "@adyton/core/bytes";
import { encodeCbor } from "@adyton/core/cbor";
import { verifyEvidence } from "@adyton/evidence";
import { createNitroVendor } from "@adyton/simulator";
import { codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callsTo, fakeNsm, filesWith, type NsmAttestation } from "../../test/fake-drivers.ts";
import { errno } from "../../test/fake-tsm.ts";
import type { DeviceCalls } from "../lib/ioctl.ts";
import { nitroAttester } from "./attester.ts";

const REPORT_DATA = new Uint8Array(64).fill(0x5a);
const AT = new Date("2026-03-01T12:00:00Z");
const vendor = await createNitroVendor({ at: AT });
const enclave = await vendor.enclave();

const answerWith = (document: Uint8Array): Uint8Array =>
  encodeCbor(new Map([["Attestation", new Map([["document", document]])]]));
const honest = async ({ user_data: userData }: NsmAttestation): Promise<Uint8Array> =>
  answerWith(await enclave.document({ userData: userData instanceof Uint8Array ? userData : null }));
const attesterOn = (calls: DeviceCalls, waits: number[] = []): ReturnType<typeof nitroAttester.create> =>
  nitroAttester.create({
    calls,
    files: filesWith({ "/dev/nsm": new Uint8Array() }),
    wait: async (milliseconds) => void waits.push(milliseconds),
  });

describe("collecting", () => {
  it("gives a document with the padded report data as user data, and no nonce or key", async () => {
    const asked: NsmAttestation[] = [];
    const attester = attesterOn(
      fakeNsm(async (request) => {
        asked.push(request);
        return honest(request);
      }),
    );
    const { tee, evidence } = await attester.collect(Uint8Array.of(1, 2, 3));
    expect(tee).toBe("nitro");
    expect(asked).toEqual([{ user_data: expect.any(Uint8Array), nonce: null, public_key: null }]);
    const verified = await verifyEvidence(evidence, { now: AT, roots: [vendor.root.certificate] });
    expect(toHex(verified.reportData)).toBe(`010203${"00".repeat(61)}`);
  });

  it("gives what the verifier accepts for this report data and for no other", async () => {
    const { evidence } = await attesterOn(fakeNsm(honest)).collect(REPORT_DATA);
    const options = { now: AT, roots: [vendor.root.certificate] };
    const verified = await verifyEvidence(evidence, { ...options, reportData: REPORT_DATA });
    expect(verified).toMatchObject({ tee: "nitro", debug: false, trust: { simulated: true } });
    expect(
      await codeOfAsync(() => verifyEvidence(evidence, { ...options, reportData: new Uint8Array(64) })),
    ).toBe("REPORT_DATA_MISMATCH");
  });

  it("hands out bytes of its own, not a view of the device's buffer", async () => {
    const { evidence } = await attesterOn(fakeNsm(honest)).collect(REPORT_DATA);
    expect(evidence.buffer.byteLength).toBe(evidence.length);
  });

  it("waits for a busy device", async () => {
    const busy = ["EBUSY", "EINTR"];
    const inner = fakeNsm(honest);
    const waits: number[] = [];
    const attester = attesterOn(
      {
        ready: inner.ready,
        ioctl: (path, request, argument) => {
          const code = busy.shift();
          return code === undefined ? inner.ioctl(path, request, argument) : Promise.reject(errno(code));
        },
      },
      waits,
    );
    await attester.collect(REPORT_DATA);
    expect(waits).toEqual([50, 100]);
  });

  const answering = (bytes: Uint8Array): DeviceCalls => fakeNsm(async () => bytes);
  it.each<[what: string, calls: DeviceCalls, code: string, category: string]>([
    [
      "a module that refuses",
      answering(encodeCbor(new Map([["Error", "InputTooLarge"]]))),
      "DEVICE_FAILED",
      "unavailable",
    ],
    [
      "a device that fails",
      callsTo("/dev/nsm", () => {
        throw errno("EIO");
      }),
      "DEVICE_FAILED",
      "unavailable",
    ],
    ["a device that is not there", callsTo("/dev/other", () => []), "DEVICE_FAILED", "unavailable"],
    [
      "a device that stays busy",
      callsTo("/dev/nsm", () => {
        throw errno("EBUSY");
      }),
      "DEVICE_BUSY",
      "unavailable",
    ],
    [
      "an answer longer than its buffer",
      callsTo("/dev/nsm", () => [0n, 0n, 0n, 0x3001n]),
      "INVALID_DEVICE_OUTPUT",
      "malformed",
    ],
    ["no length", callsTo("/dev/nsm", () => []), "INVALID_DEVICE_OUTPUT", "malformed"],
    ["no answer", answering(new Uint8Array()), "INVALID_DEVICE_OUTPUT", "malformed"],
    [
      "an answer of another kind",
      answering(encodeCbor(new Map([["GetRandom", new Uint8Array(4)]]))),
      "INVALID_DEVICE_OUTPUT",
      "malformed",
    ],
    ["an answer that is no map", answering(encodeCbor("Attestation")), "INVALID_DEVICE_OUTPUT", "malformed"],
    ["an empty document", answering(answerWith(new Uint8Array())), "INVALID_DEVICE_OUTPUT", "malformed"],
    [
      "a document that is none",
      answering(answerWith(Uint8Array.of(0x84, 1, 2, 3))),
      "INVALID_DEVICE_OUTPUT",
      "malformed",
    ],
    [
      "a document without user data",
      fakeNsm(async () => answerWith(await enclave.document())),
      "INVALID_DEVICE_OUTPUT",
      "malformed",
    ],
    [
      "a document with other user data",
      fakeNsm(async () => answerWith(await enclave.document({ userData: new Uint8Array(64) }))),
      "INVALID_DEVICE_OUTPUT",
      "malformed",
    ],
  ])("refuses %s", async (_what, calls, code, category) => {
    const error = await attesterOn(calls)
      .collect(REPORT_DATA)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "AttesterError", code, category });
  });

  it("says what the module answered", async () => {
    const attester = attesterOn(answering(encodeCbor(new Map([["Error", "InputTooLarge"]]))));
    await expect(attester.collect(REPORT_DATA)).rejects.toMatchObject({
      detail: { answer: "InputTooLarge" },
    });
  });

  it("refuses answers cut or changed anywhere with a typed error, or gives a document that does not verify", async () => {
    const whole = await honest({ user_data: REPORT_DATA, nonce: null, public_key: null });
    const roots = [vendor.root.certificate];
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, mask, cut) => {
          const changed = cut
            ? whole.subarray(0, at)
            : Uint8Array.from(whole, (byte, i) => (i === at ? byte ^ mask : byte));
          const code = await codeOfAsync(async () => {
            const { evidence } = await attesterOn(answering(changed)).collect(REPORT_DATA);
            await verifyEvidence(evidence, { now: AT, roots });
          });
          expect(code).toMatch(/^[A-Z_]+$/);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("refuses more than 64 bytes before it touches the device", async () => {
    const attester = attesterOn(
      callsTo("/dev/nsm", () => {
        throw new Error("the device was asked");
      }),
    );
    expect(await codeOfAsync(() => attester.collect(new Uint8Array(65)))).toBe("INVALID_REPORT_DATA");
  });
});

describe("probing", () => {
  const here = filesWith({ "/dev/nsm": new Uint8Array() });
  const callable = callsTo("/dev/nsm", () => {
    throw new Error("the device was asked");
  });

  it.each([
    ["an enclave", here, callable, true, /^$/, /^$/],
    ["no device", filesWith({}), callable, false, /\/dev\/nsm/, /Nitro enclave/],
    ["no library", here, { ...callable, ready: async () => false }, false, /koffi/, /npm install koffi/],
  ])("%s", async (_what, files, calls, available, missing, next) => {
    const probe = await nitroAttester.create({ files, calls }).probe();
    expect(probe.available).toBe(available);
    expect(probe.missing.join()).toMatch(missing);
    expect(probe.next ?? "").toMatch(next);
  });
});
