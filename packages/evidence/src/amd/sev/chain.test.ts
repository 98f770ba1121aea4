// SPDX-License-Identifier: Apache-2.0
// A real Naples platform, from AMD's root to its PDH (virtee/sev, tests/naples): whole, incomplete, and with every byte
// changed. Faults that only a key holder can make are in the simulator's tests.

import { toHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { codeOf, codeOfAsync, fixtureBytes, hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { type Endorsements, mergeEndorsements, NO_ENDORSEMENTS } from "../../bag.ts";
import { createCache } from "../../cache.ts";
import { sevMaterial } from "./chain.ts";
import { splitSevCertificates } from "./endorsements.ts";
import { assertVerifiedSevPlatform, verifySevPlatform } from "./pdh.ts";

const NAMES = ["ark", "ask", "cek", "oca", "pek", "pdh"] as const;
type Name = (typeof NAMES)[number];
type Files = Readonly<Record<Name, Uint8Array>>;

const empty = new Uint8Array(0);
const files = Object.fromEntries(
  await Promise.all(
    NAMES.map(async (name) => [name, hasFixtures ? await fixtureBytes(`sev/naples/${name}.cert`) : empty]),
  ),
) as Files;
const isNode = !("window" in globalThis);

function bagOf(...certificates: readonly Uint8Array[]): Endorsements {
  return { ...NO_ENDORSEMENTS, vendorCertificates: certificates.flatMap(splitSevCertificates) };
}
const without = (missing: Name): Endorsements =>
  bagOf(...NAMES.filter((name) => name !== missing).map((name) => files[name]));

describe.skipIf(!hasFixtures)("the Naples platform", () => {
  const whole = bagOf(...NAMES.map((name) => files[name]));

  it("verifies", async () => {
    const platform = await verifySevPlatform(whole);
    expect(platform.generation).toBe("Naples");
    expect(platform.trust).toEqual({
      root: "ARK of Naples, key id 1bb987c359494606b174945601c9ea5b",
      rootSha256: "dedabca561e1dece8cc00b7bda864cf5f20b95017864408cfe18eaee0dce24b9",
      simulated: false,
    });
    for (const name of NAMES) expect(toHex(platform[name].bytes)).toBe(toHex(files[name]));
    expect(() => assertVerifiedSevPlatform(platform)).not.toThrow();
    expect(codeOf(() => assertVerifiedSevPlatform({ ...platform }))).toBe("NOT_VERIFIED");
  });

  it("verifies among the certificates of other generations, and twice from the cache", async () => {
    const others = await Promise.all(
      ["rome", "milan", "genoa", "turin"].flatMap((generation) =>
        ["ark", "ask"].map((role) => fixtureBytes(`sev/${generation}/${role}.cert`)),
      ),
    );
    const cache = createCache();
    const bag = mergeEndorsements(bagOf(...others), whole);
    const first = await verifySevPlatform(bag, { cache });
    expect(first.generation).toBe("Naples");
    // The PEK is known to be good: what it was known by need not come again.
    const second = await verifySevPlatform(bagOf(files.pdh, files.pek), { cache });
    expect(second.trust).toEqual(first.trust);
    expect(await codeOfAsync(() => verifySevPlatform(bagOf(files.pdh, files.pek)))).toBe(
      "SEV_CERTIFICATE_MISSING",
    );
  });

  it.each(NAMES)("does not verify without its %s", async (name) => {
    try {
      await verifySevPlatform(without(name));
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof AdytonError)) throw error;
      expect(error.code).toBe("SEV_CERTIFICATE_MISSING");
      expect(error.category).toBe("endorsements");
      expect(error.detail.missing).toBe(name.toUpperCase());
      expect(error.hint).toMatch(/^Supply /);
    }
  });

  it("does not verify under another generation's CAs", async () => {
    const [ark, ask] = [await fixtureBytes("sev/milan/ark.cert"), await fixtureBytes("sev/milan/ask.cert")];
    const bag = bagOf(files.cek, files.oca, files.pek, files.pdh, ark, ask);
    expect(await codeOfAsync(() => verifySevPlatform(bag))).toBe("CERTIFICATE_SIGNATURE");
    const mixed = mergeEndorsements(without("ark"), bagOf(ark));
    expect(await codeOfAsync(() => verifySevPlatform(mixed))).toBe("CERTIFICATE_SIGNATURE");
  });

  it("names the PDH that is meant when there are several", async () => {
    const other = Uint8Array.from(files.pdh);
    other[5] = 99; // the API's minor version
    const bag = mergeEndorsements(whole, bagOf(other));
    expect(await codeOfAsync(() => verifySevPlatform(bag))).toBe("INVALID_SEV_CERTIFICATE");
    expect((await verifySevPlatform(bag, { pdh: files.pdh })).generation).toBe("Naples");
    expect(await codeOfAsync(() => verifySevPlatform(bag, { pdh: other }))).toBe("CERTIFICATE_SIGNATURE");
    expect(await codeOfAsync(() => verifySevPlatform(bag, { pdh: files.pek }))).toBe(
      "SEV_CERTIFICATE_MISSING",
    );
    // The same one twice is one.
    expect((await verifySevPlatform(mergeEndorsements(whole, bagOf(files.pdh)))).generation).toBe("Naples");
  });

  // Every byte in Node, some in the browser: signed or not, there is none that may change.
  it.each(NAMES)(
    "does not verify with any byte of its %s changed",
    async (name) => {
      const stride = isNode ? 1 : 97;
      const accepted: number[] = [];
      for (let at = 0; at < files[name].length; at += stride) {
        const changed = Uint8Array.from(files[name]);
        changed[at] = (changed[at] ?? 0) ^ 0x41;
        const parts = NAMES.map((each) => (each === name ? changed : files[each]));
        try {
          await verifySevPlatform(bagOf(...parts));
          accepted.push(at);
        } catch (error) {
          expect(error).toBeInstanceOf(AdytonError);
        }
      }
      expect(accepted).toEqual([]);
    },
    60_000,
  );
});

it("nothing but ARKs anchor, and other vendors' certificates are left alone", () => {
  const crypto = { name: "node" } as never;
  const other = { ...NO_ENDORSEMENTS, vendorCertificates: [{ kind: "hygon.ca", bytes: empty }] };
  expect(sevMaterial([other, undefined], undefined, undefined, crypto).certificates).toEqual([]);
  if (!hasFixtures) return;
  const material = sevMaterial([], bagOf(files.ask, files.ark, files.pek), undefined, crypto);
  expect(material.anchors.map(({ usage }) => usage)).toEqual(["ARK"]);
  expect(material.certificates).toHaveLength(3);
});
