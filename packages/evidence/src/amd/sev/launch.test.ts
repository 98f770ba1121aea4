// SPDX-License-Identifier: Apache-2.0
// Measurements of launches: known answers of sevctl (tests/measurementbuild.rs) and of virtee/sev (src/session/mod.rs).

import { fromBase64, fromHex, toBase64 } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { codeOf, codeOfAsync, fixtureBytes, fixtureText, hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { measureSevLaunch, parseSevMeasurement, type SevLaunch, verifyLaunchMeasurement } from "./launch.ts";

/** virtee/sev: firmware 0.18 build 15, policy 0, the digest of nothing. */
const TIK = fromHex("66320db73158a35a255d051758e95ed4");
const LAUNCH: SevLaunch = {
  apiMajor: 0,
  apiMinor: 0x12,
  build: 0x0f,
  policy: 0,
  launchDigest: fromHex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
};
const MEASUREMENT = fromHex(
  "6faab2daae389bcd3405a05d6cafe33c0414f7bedd0bae19ba5f38b7fd1664ea4fbe0bedbad6c86ae8f68971d103e554",
);

describe("a launch measurement", () => {
  it("is the firmware's over this launch", async () => {
    await verifyLaunchMeasurement(MEASUREMENT, LAUNCH, TIK);
    const { measure, mnonce } = parseSevMeasurement(MEASUREMENT);
    expect(await measureSevLaunch(LAUNCH, mnonce, TIK)).toEqual(MEASUREMENT);
    expect(measure).toHaveLength(32);
  });

  it.each<[string, Partial<SevLaunch>]>([
    ["API major version", { apiMajor: 1 }],
    ["API minor version", { apiMinor: 0x13 }],
    ["build", { build: 0x10 }],
    ["policy", { policy: 1 }],
    ["high bit of the policy", { policy: 0x80000000 }],
    ["launch digest", { launchDigest: new Uint8Array(32) }],
  ])("is of no launch with another %s", async (_, change) => {
    const act = () => verifyLaunchMeasurement(MEASUREMENT, { ...LAUNCH, ...change }, TIK);
    expect(await codeOfAsync(act)).toBe("SEV_MEASUREMENT_MISMATCH");
  });

  it("changes with every byte, and with the key", async () => {
    for (let at = 0; at < MEASUREMENT.length; at++) {
      const changed = Uint8Array.from(MEASUREMENT);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      const act = () => verifyLaunchMeasurement(changed, LAUNCH, TIK);
      expect(await codeOfAsync(act)).toBe("SEV_MEASUREMENT_MISMATCH");
    }
    const other = () => verifyLaunchMeasurement(MEASUREMENT, LAUNCH, new Uint8Array(16));
    expect(await codeOfAsync(other)).toBe("SEV_MEASUREMENT_MISMATCH");
  });

  it("of another size, with another size of key or digest, is refused", async () => {
    expect(codeOf(() => parseSevMeasurement(new Uint8Array(32)))).toBe("INVALID_SEV_SESSION");
    const code = (measurement: Uint8Array, launch: SevLaunch, tik: Uint8Array): Promise<string> =>
      codeOfAsync(() => verifyLaunchMeasurement(measurement, launch, tik));
    expect(await code(MEASUREMENT.subarray(1), LAUNCH, TIK)).toBe("INVALID_SEV_SESSION");
    expect(await code(MEASUREMENT, LAUNCH, new Uint8Array(32))).toBe("INVALID_SEV_SESSION");
    expect(await code(MEASUREMENT, { ...LAUNCH, launchDigest: new Uint8Array(48) }, TIK)).toBe(
      "OUT_OF_BOUNDS",
    );
  });
});

interface KnownAnswer {
  readonly name: string;
  readonly apiMajor: number;
  readonly apiMinor: number;
  readonly buildId: number;
  readonly policy: number;
  readonly tik: string;
  readonly nonce: string;
  readonly launchDigest?: string;
  readonly firmware?: string;
  readonly kernel?: string;
  readonly expected: string;
}

describe.skipIf(!hasFixtures)("sevctl's known answers", async () => {
  const answers = hasFixtures
    ? (JSON.parse(await fixtureText("sev/sevctl/known-answers.json")) as { measurement: KnownAnswer[] })
    : { measurement: [] };
  // Digests over kernel and initrd are predicted elsewhere.
  const cases = answers.measurement.filter(({ kernel }) => kernel === undefined);
  it("are two here", () => {
    expect(cases).toHaveLength(2);
  });
  it.each(cases.map((each) => [each.name, each] as const))("%s", async (_, answer) => {
    const tik = await fixtureBytes(`sev/sevctl/${answer.tik}`);
    const launchDigest =
      answer.firmware === undefined
        ? fromBase64(answer.launchDigest ?? "")
        : await defaultCrypto.digest("SHA-256", await fixtureBytes(`sev/sevctl/${answer.firmware}`));
    const launch = { ...answer, build: answer.buildId, launchDigest };
    expect(toBase64(await measureSevLaunch(launch, fromBase64(answer.nonce), tik))).toBe(answer.expected);
    await verifyLaunchMeasurement(fromBase64(answer.expected), launch, tik);
  });
});
