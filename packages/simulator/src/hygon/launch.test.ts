// SPDX-License-Identifier: Apache-2.0
// Launches of CSV and CSV2, the owner on one side, the simulated firmware on the other.

import { fromUtf8, toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import {
  CSV_SESSION_SIZE,
  type CsvLaunchExpectation,
  checkCsvLaunchMeasure,
  encodeCsvPolicy,
  encodeCsvSession,
  parseCsvSession,
  sealCsvSecret,
  startCsvLaunch,
  verifyCsvPdh,
} from "@adyton/evidence/csv";
import { NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import { codeOf, codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { AT } from "../../test/hygon-scene.ts";
import { createHygonVendor } from "./vendor.ts";

const vendor = createHygonVendor();
const platform = vendor.platform();
const other = vendor.platform();
const options = { now: AT, anchors: vendor.anchors, endorsements: vendor.endorsements(platform.cek) };
const certificates = { pdh: platform.pdh.certificate.bytes, pek: platform.pek.certificate.bytes };
const pdh = await verifyCsvPdh(certificates, options);
const policy = encodeCsvPolicy({ nodbg: 1, es: 1, apiMajor: 1 });
const expected: CsvLaunchExpectation = {
  firmware: { major: 1, minor: 3, build: 37 },
  policy,
  digest: new Uint8Array(32).fill(0x5a),
};

describe("the platform's PDH", () => {
  it("stands under the named root", () => {
    expect(pdh.trust.simulated).toBe(true);
    expect(pdh.certificate.role).toBe("PDH");
  });

  it.each<readonly [string, () => Promise<unknown>, string]>([
    [
      "another machine's PDH",
      () => verifyCsvPdh({ ...certificates, pdh: other.pdh.certificate.bytes }, options),
      "INVALID_CSV_SESSION",
    ],
    [
      "a PEK as PDH",
      () => verifyCsvPdh({ ...certificates, pdh: certificates.pek }, options),
      "INVALID_CSV_SESSION",
    ],
    [
      "a PDH as PEK",
      () => verifyCsvPdh({ ...certificates, pek: certificates.pdh }, options),
      "INVALID_CSV_SESSION",
    ],
    [
      "no HSK and CEK",
      () => verifyCsvPdh(certificates, { ...options, endorsements: NO_ENDORSEMENTS }),
      "HSK_CEK_MISSING",
    ],
    [
      "no root named",
      () => verifyCsvPdh(certificates, { ...options, anchors: NO_ENDORSEMENTS }),
      "NO_TRUST_ANCHOR",
    ],
    [
      "bytes that are none",
      () => verifyCsvPdh({ ...certificates, pdh: new Uint8Array(9) }, options),
      "INVALID_CSV_CERTIFICATE",
    ],
  ])("refuses %s", async (_name, act, code) => {
    expect(await codeOfAsync(act)).toBe(code);
  });

  it("must be verified before keys are wrapped for it", () => {
    expect(codeOf(() => startCsvLaunch({ ...pdh }, policy, {}, defaultCrypto))).toBe("NOT_VERIFIED");
  });
});

describe("a launch", () => {
  const identity = { vmId: fromUtf8("a guest, 16 byte"), vmVersion: new Uint8Array(16).fill(2) };
  const start = startCsvLaunch(pdh, policy, identity, defaultCrypto);

  it("hands over keys, proves what was launched, and takes a secret", () => {
    const guest = platform.launch(start, policy);
    const measure = guest.measure(expected);
    checkCsvLaunchMeasure(measure, start.keys, expected);
    const secret = fromUtf8("the disk's key");
    const sealed = sealCsvSecret(start.keys, measure, secret, defaultCrypto);
    expect(toHex(sealed.ciphertext)).not.toBe(toHex(secret));
    expect(guest.openSecret(measure, sealed)).toEqual(secret);
  });

  it("never uses keys twice", () => {
    const again = startCsvLaunch(pdh, policy, identity, defaultCrypto);
    expect(toHex(again.keys.tek)).not.toBe(toHex(start.keys.tek));
    expect(toHex(again.keys.tik)).not.toBe(toHex(start.keys.tik));
    expect(toHex(again.certificate)).not.toBe(toHex(start.certificate));
  });

  it("says what it is for", () => {
    expect(parseCsvSession(start.session)).toMatchObject(identity);
  });

  it("is for one machine and one policy", () => {
    expect(codeOf(() => other.launch(start, policy))).toBe("INVALID_CSV_SESSION");
    expect(codeOf(() => platform.launch(start, policy ^ 1))).toBe("INVALID_CSV_SESSION");
  });

  it("is refused with a bit flipped in any byte", () => {
    const passed: number[] = [];
    const session = Uint8Array.from(start.session);
    for (let offset = 0; offset < CSV_SESSION_SIZE; offset += 3) {
      session[offset] = (session[offset] ?? 0) ^ (1 << (offset % 8));
      if (codeOf(() => platform.launch({ ...start, session }, policy)) !== "INVALID_CSV_SESSION")
        passed.push(offset);
      session[offset] = (session[offset] ?? 0) ^ (1 << (offset % 8));
    }
    expect(passed).toEqual([]);
  });

  it("is refused when the host replaced owner and signature", () => {
    const mallory = startCsvLaunch(pdh, policy, {}, defaultCrypto);
    const { certificate } = mallory;
    expect(codeOf(() => platform.launch({ ...start, certificate }, policy))).toBe("INVALID_CSV_SESSION");
    // Her own session with the owner's wrapped keys in it: the master secret is another.
    const theirs = parseCsvSession(start.session);
    const mixed = {
      ...parseCsvSession(mallory.session),
      wrapTk: theirs.wrapTk,
      wrapIv: theirs.wrapIv,
      wrapMac: theirs.wrapMac,
    };
    expect(codeOf(() => platform.launch({ certificate, session: encodeCsvSession(mixed) }, policy))).toBe(
      "INVALID_CSV_SESSION",
    );
  });
});

describe("the measure", () => {
  const start = startCsvLaunch(pdh, policy, {}, defaultCrypto);
  const guest = platform.launch(start, policy);

  it.each<readonly [string, CsvLaunchExpectation]>([
    ["another guest", { ...expected, digest: new Uint8Array(32) }],
    ["another policy", { ...expected, policy: policy ^ 1 }],
    ["another build", { ...expected, firmware: { ...expected.firmware, build: 38 } }],
    ["another API, major", { ...expected, firmware: { ...expected.firmware, major: 2 } }],
    ["another API, minor", { ...expected, firmware: { ...expected.firmware, minor: 4 } }],
  ])("finds %s out", (_name, launched) => {
    expect(codeOf(() => checkCsvLaunchMeasure(guest.measure(launched), start.keys, expected))).toBe(
      "CSV_MEASURE_MISMATCH",
    );
  });

  it("is the session's, whole and unchanged", () => {
    const measure = guest.measure(expected);
    const foreign = startCsvLaunch(pdh, policy, {}, defaultCrypto).keys;
    expect(codeOf(() => checkCsvLaunchMeasure(measure, foreign, expected))).toBe("CSV_MEASURE_MISMATCH");
    for (let offset = 0; offset < measure.length; offset++) {
      const changed = Uint8Array.from(measure);
      changed[offset] = (changed[offset] ?? 0) ^ 1;
      expect(codeOf(() => checkCsvLaunchMeasure(changed, start.keys, expected))).toBe("CSV_MEASURE_MISMATCH");
    }
    expect(codeOf(() => checkCsvLaunchMeasure(measure.subarray(1), start.keys, expected))).toBe(
      "CSV_MEASURE_MISMATCH",
    );
  });

  it("binds secrets: another launch, or anything changed, opens nothing", () => {
    const measure = guest.measure(expected);
    const sealed = sealCsvSecret(start.keys, measure, fromUtf8("secret"), defaultCrypto);
    expect(codeOf(() => guest.openSecret(guest.measure(expected), sealed))).toBe("INVALID_CSV_SESSION");
    for (let offset = 0; offset < sealed.header.length; offset++) {
      const header = Uint8Array.from(sealed.header);
      header[offset] = (header[offset] ?? 0) ^ 1;
      expect(codeOf(() => guest.openSecret(measure, { ...sealed, header }))).toBe("INVALID_CSV_SESSION");
    }
    const ciphertext = sealed.ciphertext.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
    expect(codeOf(() => guest.openSecret(measure, { ...sealed, ciphertext }))).toBe("INVALID_CSV_SESSION");
    const header = sealed.header.slice(1);
    expect(codeOf(() => guest.openSecret(measure, { ...sealed, header }))).toBe("INVALID_CSV_SESSION");
  });

  it.each([0, 16 * 1024 + 1])("takes no secret of %i bytes", (length) => {
    const measure = guest.measure(expected);
    const seal = () => sealCsvSecret(start.keys, measure, new Uint8Array(length), defaultCrypto);
    expect(codeOf(seal)).toBe("INVALID_CSV_SESSION");
  });
});
