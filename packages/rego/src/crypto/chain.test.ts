// SPDX-License-Identifier: Apache-2.0
// crypto.x509.parse_and_verify_certificates: every check, one certificate wrong at a time.
import { fromUtf8, toBase64 } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { encodeDer } from "@adyton/core/der";
import { KEY_USAGE } from "@adyton/core/x509";
import { describe, expect, it } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import {
  AT,
  type Authority,
  alternativeNames,
  authority,
  type GeneralNames,
  issue,
  nameConstraints,
  newKey,
  pemOf,
  purposes,
  YEAR,
} from "../../test/pki.ts";
import type { Value } from "../value.ts";
import { cryptoBuiltins } from "./index.ts";

const call = callerOf(cryptoBuiltins, { now: AT });
const VERIFY = "crypto.x509.parse_and_verify_certificates";
const WITH_OPTIONS = "crypto.x509.parse_and_verify_certificates_with_options";
const SERVER = "1.3.6.1.5.5.7.3.1";
const CLIENT = "1.3.6.1.5.5.7.3.2";
const ANY = "2.5.29.37.0";

const root = await authority("root");
const middle = await authority("middle", root);
const leaf = await issue("leaf", middle);

/** The common names of the chain that was found, or nothing. */
function chainOf(certificates: readonly Authority[], options?: Value): readonly string[] | undefined {
  const [valid, chain] = (
    options === undefined
      ? call(VERIFY, pemOf(...certificates))
      : call(WITH_OPTIONS, pemOf(...certificates), options)
  ) as [boolean, readonly { readonly Subject: { readonly CommonName: string } }[]];
  if (!valid) expect(chain).toEqual([]);
  return valid ? chain.map(({ Subject }) => Subject.CommonName) : undefined;
}

describe("paths", () => {
  it("leaf to root, the leaf first", () => {
    expect(chainOf([root, middle, leaf])).toEqual(["leaf", "middle", "root"]);
  });
  it("intermediates stand in any order, others are passed over", async () => {
    const lower = await authority("lower", middle);
    const last = await issue("last", lower);
    expect(chainOf([root, leaf, lower, middle, last])).toEqual(["last", "lower", "middle", "root"]);
  });
  it("base64 of DER does as well", () => {
    const der = [root, middle, leaf].flatMap(({ certificate }) => [...certificate]);
    expect(call(VERIFY, toBase64(Uint8Array.from(der)))).toMatchObject([true, [{}, {}, {}]]);
  });
  it("the root itself is a chain of one", () => {
    expect(chainOf([root, root])).toEqual(["root"]);
  });
  it("authorities that sign each other make no circle", async () => {
    const [a, b] = [await newKey(), await newKey()];
    const one = await authority("one", { name: [["CN", "two"]], key: b }, {}, a);
    const two = await authority("two", { name: [["CN", "one"]], key: a }, {}, b);
    const end = await issue("end", one);
    expect(chainOf([root, one, two, end])).toBeUndefined();
  });
  it("a search does not go on for ever", async () => {
    // Each may have issued each: paths grow with the factorial.
    const key = await newKey();
    const same = { name: [["CN", "same"]] as const, key };
    const many = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        authority("same", same, { extensions: [alternativeNames({ dns: [`${i}`] })] }, key),
      ),
    );
    const end = await issue("end", same);
    expect(chainOf([root, ...many, end])).toBeUndefined();
  });
});

describe("what is wrong with a path", () => {
  const issueWith = (more: Parameters<typeof authority>[2]): Promise<Authority> =>
    authority("middle", root, more);
  const expired = { notBefore: new Date(AT.getTime() - 2 * YEAR), notAfter: new Date(AT.getTime() - YEAR) };
  const future = { notBefore: new Date(AT.getTime() + YEAR), notAfter: new Date(AT.getTime() + 2 * YEAR) };

  it.each([
    { title: "one certificate", certificates: async () => [root] },
    { title: "no intermediate", certificates: async () => [root, leaf] },
    { title: "another root of that name", certificates: async () => [await authority("root"), middle, leaf] },
    {
      title: "another intermediate of that name",
      certificates: async () => [root, await issueWith({}), leaf],
    },
    {
      title: "an expired leaf",
      certificates: async () => [root, middle, await issue("leaf", middle, expired)],
    },
    {
      title: "a leaf from the future",
      certificates: async () => [root, middle, await issue("leaf", middle, future)],
    },
    ...[
      { title: "an expired intermediate", more: expired },
      { title: "an intermediate from the future", more: future },
      { title: "an intermediate that is no authority", more: { ca: undefined } as never },
      { title: "an intermediate that may not sign", more: { keyUsage: [KEY_USAGE.digitalSignature] } },
      {
        title: "an intermediate with an unknown critical extension",
        more: { extensions: [{ oid: "1.2.3.4", critical: true, value: encodeDer.null() }] },
      },
      {
        title: "an intermediate with policy constraints",
        more: {
          extensions: [
            {
              oid: "2.5.29.36",
              critical: true,
              value: encodeDer.sequence(encodeDer.value(0x80, Uint8Array.of(9))),
            },
          ],
        },
      },
      {
        title: "an intermediate for another purpose",
        more: { extensions: [purposes(CLIENT)] },
      },
    ].map(({ title, more }) => ({
      title,
      certificates: async (): Promise<Authority[]> => {
        const bad = await issueWith(more);
        return [root, bad, await issue("leaf", bad)];
      },
    })),
    {
      title: "an expired root",
      certificates: async () => {
        const old = await authority("old", undefined, expired);
        return [old, await issue("leaf", old)];
      },
    },
    {
      title: "a root that is no authority",
      certificates: async () => {
        const plain = await issue("plain", undefined);
        return [plain, await issue("leaf", plain)];
      },
    },
    {
      title: "more authorities than the root allows",
      certificates: async () => {
        const narrow = await authority("narrow", undefined, { ca: { pathLength: 0 } });
        const below = await authority("below", narrow);
        return [narrow, below, await issue("leaf", below)];
      },
    },
    {
      title: "a leaf with an unknown critical extension",
      certificates: async () => [
        root,
        middle,
        await issue("leaf", middle, {
          extensions: [{ oid: "1.2.3.4", critical: true, value: encodeDer.null() }],
        }),
      ],
    },
    {
      title: "a leaf for another purpose",
      certificates: async () => [
        root,
        middle,
        await issue("leaf", middle, { extensions: [purposes(CLIENT)] }),
      ],
    },
    {
      title: "a leaf that names nothing critically",
      certificates: async () => [
        root,
        middle,
        await issue("leaf", middle, { extensions: [alternativeNames({}, true)] }),
      ],
    },
    {
      title: "a leaf whose signature was changed",
      certificates: async () => {
        const certificate = Uint8Array.from(leaf.certificate);
        certificate[certificate.length - 1] = (certificate.at(-1) ?? 0) ^ 1;
        return [root, middle, { ...leaf, certificate }];
      },
    },
  ])("$title", async ({ certificates }) => {
    expect(chainOf(await certificates())).toBeUndefined();
  });

  it("as many authorities as the root allows", async () => {
    const narrow = await authority("narrow", undefined, { ca: { pathLength: 1 } });
    const below = await authority("below", narrow, { ca: { pathLength: 0 } });
    expect(chainOf([narrow, below, await issue("leaf", below)])).toEqual(["leaf", "below", "narrow"]);
  });

  it.each([
    "",
    "nope",
    "AAAA",
    "-----BEGIN X-----\nAAAA\n-----END X-----\n",
    toBase64(fromUtf8("-----BEGIN ")),
  ])("%j is no chain", (text) => {
    expect(call(VERIFY, text)).toEqual([false, []]);
    expect(call(WITH_OPTIONS, text, {})).toEqual([false, []]);
  });

  it("every byte of a leaf counts", async () => {
    const { certificate } = leaf;
    for (let at = 0; at < certificate.length; at += 3) {
      const changed = Uint8Array.from(certificate);
      changed[at] = (changed[at] ?? 0) ^ 0x40;
      expect(chainOf([root, middle, { ...leaf, certificate: changed }])).toBeUndefined();
    }
  });
});

describe("algorithms", () => {
  it.each([
    {
      spec: { name: "RSA", bits: 2048 } as const,
      how: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const,
    },
    {
      spec: { name: "RSA", bits: 2048 } as const,
      how: { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 } as const,
    },
    { spec: { name: "EC", curve: "P-384" } as const, how: { name: "ECDSA", hash: "SHA-384" } as const },
    { spec: { name: "EC", curve: "P-521" } as const, how: { name: "ECDSA", hash: "SHA-512" } as const },
  ])("$how.name with $how.hash", async ({ spec, how }) => {
    const key = await defaultCrypto.generateKey(spec);
    const ca = await issue("ca", undefined, { ca: {} }, key, how);
    expect(chainOf([ca, await issue("leaf", ca, {}, undefined, how)])).toEqual(["leaf", "ca"]);
  });
  it("a PSS salt that is not as long as its hash is refused", async () => {
    const key = await defaultCrypto.generateKey({ name: "RSA", bits: 2048 });
    const ca = await issue("ca", undefined, { ca: {} }, key);
    const how = { name: "RSA-PSS", hash: "SHA-256", saltLength: 20 } as const;
    expect(chainOf([ca, await issue("leaf", ca, {}, undefined, how)])).toBeUndefined();
  });
});

describe("options", () => {
  const named = issue("named", middle, {
    extensions: [
      alternativeNames({
        dns: ["a.example.com", "*.b.example.com", "under_score.example.com"],
        ip: [
          [10, 0, 0, 1],
          [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        ],
      }),
      purposes(CLIENT),
    ],
  });
  const any = { KeyUsages: ["KeyUsageAny"] };

  it.each([
    ["a.example.com", true],
    ["A.Example.COM", true],
    ["a.example.com.", true],
    ["x.b.example.com", true],
    ["under_score.example.com", true],
    ["b.example.com", false],
    ["x.y.b.example.com", false],
    ["c.example.com", false],
    ["example.com", false],
    ["10.0.0.1", true],
    ["[10.0.0.1]", true],
    ["::ffff:10.0.0.1", true],
    ["10.0.0.2", false],
    ["2001:db8::1", true],
    ["2001:db8::2", false],
    ["named", false],
    ["*.b.example.com", true],
  ])("DNSName %s: %s", async (name, expected) => {
    const chain = chainOf([root, middle, await named], { ...any, DNSName: name });
    expect(chain).toEqual(expected ? ["named", "middle", "root"] : undefined);
  });

  it.each([
    [["KeyUsageClientAuth"], true],
    [["KeyUsageServerAuth"], false],
    [["KeyUsageServerAuth", "KeyUsageClientAuth"], true],
    [["KeyUsageAny"], true],
    [[], false],
  ])("KeyUsages %j: %s", async (usages, expected) => {
    expect(chainOf([root, middle, await named], { KeyUsages: usages }) !== undefined).toBe(expected);
  });

  it("an authority for any purpose allows all", async () => {
    const broad = await authority("broad", root, { extensions: [purposes(ANY)] });
    expect(
      chainOf([root, broad, await issue("leaf", broad, { extensions: [purposes(SERVER)] })]),
    ).toHaveLength(3);
  });

  it.each([
    [0, true],
    [YEAR, true],
    [YEAR + 1, false],
    [-YEAR, true],
    [-YEAR - 1, false],
  ])("CurrentTime %i ms from now: %s", (offset, expected) => {
    const time = BigInt(AT.getTime() + offset) * 1_000_000n;
    expect(chainOf([root, middle, leaf], { CurrentTime: time }) !== undefined).toBe(expected);
    // As JSON gives it: a double.
    if (Math.abs(offset % 1000) !== 1)
      expect(chainOf([root, middle, leaf], { CurrentTime: Number(time) }) !== undefined).toBe(expected);
  });

  it.each([
    { DNSName: 1 },
    { CurrentTime: "now" },
    { CurrentTime: 1.5 },
    { CurrentTime: 1n << 63n },
    { MaxConstraintComparisons: "1" },
    { KeyUsages: "KeyUsageAny" },
    { KeyUsages: ["ServerAuth"] },
    { Unknown: 1 },
  ])("%o is a failure", (options) => {
    expect(failureOf(() => call(WITH_OPTIONS, pemOf(root, middle, leaf), options as Value))).toMatchObject({
      kind: "builtin",
    });
  });
});

describe("name constraints", () => {
  const MASK8 = [255, 0, 0, 0];
  it.each<{ permitted?: GeneralNames; excluded?: GeneralNames; names: GeneralNames; ok: boolean }>([
    { permitted: { dns: ["example.com"] }, names: { dns: ["example.com", "a.Example.com"] }, ok: true },
    { permitted: { dns: ["example.com"] }, names: { dns: ["notexample.com"] }, ok: false },
    { permitted: { dns: ["example.com"] }, names: { email: ["a@other.com"] }, ok: true },
    { permitted: { dns: [".example.com"] }, names: { dns: ["example.com"] }, ok: false },
    { permitted: { dns: [".example.com"] }, names: { dns: ["a.example.com"] }, ok: true },
    { permitted: { dns: [""] }, names: { dns: ["anything"] }, ok: true },
    { permitted: { dns: ["a.com", "b.com"] }, names: { dns: ["b.com"] }, ok: true },
    { permitted: { dns: ["a.com"] }, names: { dns: ["a.com", "b.com"] }, ok: false },
    { excluded: { dns: ["bad.example.com"] }, names: { dns: ["good.example.com"] }, ok: true },
    { excluded: { dns: ["bad.example.com"] }, names: { dns: ["x.bad.example.com"] }, ok: false },
    { excluded: { dns: ["bad.example.com"] }, names: { dns: ["*.example.com"] }, ok: false },
    { excluded: { dns: [""] }, names: { dns: ["a"] }, ok: false },
    {
      permitted: { dns: ["example.com"] },
      excluded: { dns: ["x.example.com"] },
      names: { dns: ["x.example.com"] },
      ok: false,
    },
    { permitted: { dns: ["example.com"] }, names: { dns: ["a..example.com"] }, ok: false },
    { permitted: { ip: [[10, 0, 0, 0, ...MASK8]] }, names: { ip: [[10, 1, 2, 3]] }, ok: true },
    { permitted: { ip: [[10, 0, 0, 0, ...MASK8]] }, names: { ip: [[11, 1, 2, 3]] }, ok: false },
    {
      permitted: { ip: [[10, 0, 0, 0, ...MASK8]] },
      names: { ip: [Array.from({ length: 16 }, () => 1)] },
      ok: false,
    },
    { excluded: { ip: [[10, 0, 0, 0, ...MASK8]] }, names: { ip: [[10, 1, 2, 3]] }, ok: false },
    { permitted: { email: ["example.com"] }, names: { email: ["a@example.com"] }, ok: true },
    { permitted: { email: ["a@example.com"] }, names: { email: ["a@EXAMPLE.com"] }, ok: true },
    { permitted: { email: ["a@example.com"] }, names: { email: ["b@example.com"] }, ok: false },
    { permitted: { email: ["example.com"] }, names: { email: ["nonsense"] }, ok: false },
    { permitted: { uri: [".example.com"] }, names: { uri: ["https://a.example.com:443/x"] }, ok: true },
    { permitted: { uri: [".example.com"] }, names: { uri: ["https://other.com/x"] }, ok: false },
    { permitted: { uri: [".example.com"] }, names: { uri: ["urn:a:b"] }, ok: false },
    { permitted: { uri: [".example.com"] }, names: { uri: ["https://10.0.0.1/"] }, ok: false },
    { excluded: { uri: ["example.com"] }, names: { uri: ["https://example.com/"] }, ok: false },
  ])(
    "permitted $permitted, excluded $excluded, names $names: $ok",
    async ({ permitted = {}, excluded = {}, names, ok }) => {
      const narrow = await authority("narrow", root, { extensions: [nameConstraints(permitted, excluded)] });
      const end = await issue("end", narrow, { extensions: [alternativeNames(names)] });
      expect(chainOf([root, narrow, end]) !== undefined).toBe(ok);
    },
  );

  it("hold for authorities, too", async () => {
    const narrow = await authority("narrow", root, {
      extensions: [nameConstraints({ dns: ["example.com"] })],
    });
    const below = await authority("below", narrow, {
      extensions: [alternativeNames({ dns: ["other.com"] })],
    });
    expect(chainOf([root, narrow, below, await issue("end", below)])).toBeUndefined();
  });

  it("of a kind that nobody knows are refused", async () => {
    const directory = encodeDer.sequence(encodeDer.sequence());
    const value = encodeDer.sequence(
      encodeDer.explicit(0, encodeDer.sequence(encodeDer.explicit(4, directory))),
    );
    const narrow = await authority("narrow", root, {
      extensions: [{ oid: "2.5.29.30", critical: true, value }],
    });
    expect(chainOf([root, narrow, await issue("end", narrow)])).toBeUndefined();
  });
});

it("signature checks are counted", () => {
  const poor = callerOf(cryptoBuiltins, { now: AT, steps: 3_000 });
  expect(() => poor(VERIFY, pemOf(root, middle, leaf))).toThrow(RangeError);
});
