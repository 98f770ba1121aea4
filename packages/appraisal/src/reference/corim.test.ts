// SPDX-License-Identifier: Apache-2.0
import { concat, fromHex, toHex } from "@adyton/core/bytes";
import { type CborKey, CborTag, type CborValue, encodeCbor } from "@adyton/core/cbor";
import { protectedHeader, signedBytes } from "@adyton/core/cose";
import { defaultCrypto, type PrivateKey, type SignatureAlgorithm } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { issueCertificate } from "@adyton/core/issue";
import { type Certificate, fingerprintOf, KEY_USAGE, parseCertificate } from "@adyton/core/x509";
import { codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type CorimMeasurement,
  type CorimOptions,
  type CorimSigner,
  encodeCorim,
  readCorim,
  referenceValuesOf,
  signCorim,
  type VouchedValue,
} from "./index.ts";

const AT = new Date("2026-03-01T12:00:00Z");
const PAST = new Date("2026-02-01T00:00:00Z");
const FUTURE = new Date("2026-04-01T00:00:00Z");
const ES256: SignatureAlgorithm = { name: "ECDSA", hash: "SHA-256" };
const DIGEST = "a3".repeat(32);
const MEASUREMENT: CorimMeasurement = {
  vendor: "ACME",
  model: "RoadRunner",
  key: "kernel",
  digests: [["sha-256", DIGEST]],
};
const CORIM = encodeCorim({ id: "corim:acme:1", measurements: [MEASUREMENT] });
const UNSIGNED: CorimOptions = { at: AT, allowUnsigned: true };

let key: PrivateKey;
let stranger: PrivateKey;
let root: Certificate;
let otherRoot: Certificate;
let leaf: Certificate;
let expiredLeaf: Certificate;
let encryptingLeaf: Certificate;
let authority: Certificate;

beforeAll(async () => {
  [key, stranger] = await Promise.all([newKey(), newKey()]);
  const rootKey = await newKey();
  const strangeKey = await newKey();
  root = await certificate("Root", rootKey, "Root", rootKey, { ca: {} });
  otherRoot = await certificate("Other", strangeKey, "Other", strangeKey, { ca: {} });
  leaf = await certificate("Signer", key, "Root", rootKey);
  expiredLeaf = await certificate("Signer", key, "Root", rootKey, { notAfter: PAST });
  encryptingLeaf = await certificate("Signer", key, "Root", rootKey, { keyUsage: [2] });
  authority = await certificate("Signer", key, "Root", rootKey, { ca: {} });
});

describe("readCorim", () => {
  it("reads every kind of value under Trustee's ids", async () => {
    const corim = encodeCorim({
      id: "a",
      measurements: [
        {
          ...MEASUREMENT,
          digests: [
            ["sha-256", DIGEST],
            ["sha-384", "11".repeat(48)],
          ],
        },
        { vendor: "ACME", key: 7, rawValue: "00ff", svn: 3 },
        { model: "M", name: "boot", minSvn: 4, version: "1.2.3", flags: { is_debug: false, is_tcb: true } },
      ],
    });
    expect(referenceValuesOf(await readCorim(corim, UNSIGNED), { at: AT, allowUnverified: true })).toEqual({
      "ACME/RoadRunner/kernel/digests": [DIGEST, "11".repeat(48)],
      "ACME/claim7/raw_bytes": ["00ff"],
      "ACME/claim7/svn": [3],
      "M/boot/min_svn": [4],
      "M/boot/version": ["1.2.3"],
      "M/boot/flags/is_debug": [false],
      "M/boot/flags/is_tcb": [true],
    });
  });

  it("collects the values of one id from several measurements", async () => {
    const other = { ...MEASUREMENT, digests: [["sha-256", "b4".repeat(32)]] } as const;
    const values = await readCorim(encodeCorim({ id: "a", measurements: [MEASUREMENT, other] }), UNSIGNED);
    expect(values.map(({ value }) => value)).toEqual([DIGEST, "b4".repeat(32)]);
  });

  it("keeps names apart that hold what ids cannot", async () => {
    const corim = encodeCorim({ id: "a", measurements: [{ ...MEASUREMENT, vendor: "A/B Ltd. %20é" }] });
    const [value] = await readCorim(corim, UNSIGNED);
    expect(value?.id).toBe("A%2FB%20Ltd.%20%2520%C3%A9/RoadRunner/kernel/digests");
  });

  it("says who vouches for an unsigned one: nobody", async () => {
    const [value] = await readCorim(CORIM, UNSIGNED);
    const document = toHex(await defaultCrypto.digest("SHA-256", CORIM));
    expect(value?.voucher).toEqual({ kind: "corim", document, verified: false });
  });

  it("says which key vouches", async () => {
    const signed = await signCorim(CORIM, signer({ expires: FUTURE }));
    const [value] = await readCorim(signed, { at: AT, keys: [stranger.publicKey, key.publicKey] });
    expect(value).toEqual({
      id: "ACME/RoadRunner/kernel/digests",
      value: DIGEST,
      voucher: {
        kind: "corim",
        name: "ACME signing",
        keyId: toHex(await defaultCrypto.digest("SHA-256", key.publicKey.spki)),
        document: toHex(await defaultCrypto.digest("SHA-256", signed)),
        verified: true,
      },
      expires: FUTURE,
    });
  });

  it("says which certificate vouches, and holds no longer than it", async () => {
    const signed = await signCorim(CORIM, signer({ chain: [leaf.der] }));
    const [value] = await readCorim(signed, { at: AT, roots: [root] });
    expect(value).toMatchObject({
      voucher: { certificate: await fingerprintOf(leaf), verified: true },
      expires: leaf.notAfter,
    });
  });

  it.each([
    ["tag 500 around an unsigned one", () => tagged(500, CORIM), UNSIGNED],
    ["tags 500 and 502 around a signed one", async () => tagged(500, tagged(502, await signed())), withKey],
    [
      "a signature over a payload without its tag",
      async () => signCorim(CORIM.subarray(3), signer()),
      withKey,
    ],
    [
      "bytes that begin with tag 506",
      () => corimOf({ 1: [concat(fromHex("d901fa"), encodeCbor(comid()))] }),
      UNSIGNED,
    ],
    [
      "a profile that was named",
      () => corimOf({ 3: new CborTag(32, "http://p") }),
      { ...UNSIGNED, profiles: ["http://p"] },
    ],
    [
      "members of a profile that was named",
      () => corimOf({ 3: new CborTag(32, "http://p"), [-1]: "foo" }),
      { ...UNSIGNED, profiles: ["http://p"] },
    ],
    [
      "a profile by OID",
      () => corimOf({ 3: new CborTag(111, fromHex("2a0304")) }),
      { ...UNSIGNED, profiles: ["1.2.3.4"] },
    ],
    ["times without a tag", () => corimOf({ 4: map({ 0: 1, 1: 4_000_000_000 }) }), UNSIGNED],
    [
      "CWT claims",
      () => signedWith({ 3: "application/rim+cbor", 15: map({ 1: "me", 4: 4_000_000_000, 5: 1 }) }),
      withKey,
    ],
  ] as const)("accepts %s", async (_what, make, options) => {
    const how = typeof options === "function" ? options() : options;
    const values = await readCorim(await make(), how);
    expect(values.map(({ id, value }) => [id, value])).toEqual([["ACME/RoadRunner/kernel/digests", DIGEST]]);
  });

  it.each([
    ["an unsigned one", () => CORIM, () => ({ at: AT }), "REFERENCE_UNSIGNED"],
    ["an unsigned one, with keys", () => CORIM, withKey, "REFERENCE_UNSIGNED"],
    ["a signed one without a key", () => signed(), () => ({ at: AT }), "REFERENCE_KEY_MISSING"],
    ["a signed one that may be unsigned", () => signed(), () => UNSIGNED, "REFERENCE_KEY_MISSING"],
    ["another key", () => signed(), () => ({ at: AT, keys: [stranger.publicKey] }), "REFERENCE_SIGNATURE"],
    ["no chain", () => signed(), () => ({ at: AT, roots: [root] }), "REFERENCE_SIGNATURE"],
    [
      "a chain of another root",
      () => signed({ chain: [leaf.der] }),
      () => ({ at: AT, roots: [otherRoot] }),
      "ISSUER_NOT_FOUND",
    ],
    ["an expired certificate", () => signed({ chain: [expiredLeaf.der] }), withRoot, "CERTIFICATE_EXPIRED"],
    [
      "a certificate that may not sign",
      () => signed({ chain: [encryptingLeaf.der] }),
      withRoot,
      "REFERENCE_SIGNATURE",
    ],
    [
      "a certificate of an authority",
      () => signed({ chain: [authority.der] }),
      withRoot,
      "REFERENCE_SIGNATURE",
    ],
    [
      "a certificate of another key",
      () => signed({ chain: [leaf.der], key: stranger }),
      withRoot,
      "REFERENCE_SIGNATURE",
    ],
    ["too many certificates", () => signed({ chain: Array(6).fill(leaf.der) }), withRoot, "INVALID_CORIM"],
    ["a signature that ended", () => signed({ expires: PAST }), withKey, "REFERENCE_EXPIRED"],
    [
      "CWT claims that ended",
      () => signedWith({ 3: "application/rim+cbor", 15: map({ 1: "me", 4: 1 }) }),
      withKey,
      "REFERENCE_EXPIRED",
    ],
    [
      "CWT claims without issuer",
      () => signedWith({ 3: "application/rim+cbor", 15: map({}) }),
      withKey,
      "INVALID_CORIM",
    ],
    ["another content type", () => signedWith({ 3: "text/plain" }), withKey, "INVALID_CORIM"],
    ["no content type", () => signedWith({}), withKey, "INVALID_CORIM"],
    ["a critical header", () => signedWith({ 2: [3], 3: "application/rim+cbor" }), withKey, "INVALID_COSE"],
    [
      "a validity that ended",
      () => encodeCorim({ id: "a", measurements: [MEASUREMENT], expires: AT }),
      () => UNSIGNED,
      "REFERENCE_EXPIRED",
    ],
    [
      "a validity to come",
      () =>
        encodeCorim({
          id: "a",
          measurements: [MEASUREMENT],
          notBefore: FUTURE,
          expires: new Date("2027-01-01"),
        }),
      () => UNSIGNED,
      "REFERENCE_NOT_YET_VALID",
    ],
    [
      "a time that is none",
      () => CORIM,
      () => ({ at: new Date(Number.NaN), allowUnsigned: true }),
      "INVALID_APPRAISAL_INPUT",
    ],
    ["too many bytes", () => new Uint8Array(1_048_577), () => UNSIGNED, "TOO_LARGE"],
    ["no CBOR", () => fromHex("ff"), () => UNSIGNED, "INVALID_CBOR"],
    ["another tag", () => tagged(505, CORIM), () => UNSIGNED, "INVALID_CORIM"],
  ] as const)("refuses %s", async (_what, make, options, code) => {
    const bytes = await make();
    expect(await codeOfAsync(() => readCorim(bytes, options()))).toBe(code);
  });

  it.each<readonly [string, Uint8Array, string]>([
    ["no map", encodeCbor(new CborTag(501, 1)), "INVALID_CORIM"],
    ["an unknown member", corimOf({ 9: 1 }), "UNSUPPORTED_CORIM"],
    ["an unknown profile", corimOf({ 3: new CborTag(32, "http://p") }), "UNSUPPORTED_CORIM"],
    ["a profile's member without a profile", corimOf({ [-1]: "foo" }), "UNSUPPORTED_CORIM"],
    [
      "a profile's measurement value without a profile",
      measured({ 2: [[1, fromHex(DIGEST)]], [-1]: 1_720_782_190 }),
      "UNSUPPORTED_CORIM",
    ],
    ["no tags", corimOf({ 1: undefined }), "INVALID_CORIM"],
    ["an empty list of tags", corimOf({ 1: [] }), "INVALID_CORIM"],
    ["too many tags", corimOf({ 1: Array(65).fill(new CborTag(506, encodeCbor(comid()))) }), "INVALID_CORIM"],
    ["a CoSWID", corimOf({ 1: [new CborTag(505, Uint8Array.of(1))] }), "UNSUPPORTED_CORIM"],
    ["a CoSWID in bytes", corimOf({ 1: [fromHex("d901f9a0")] }), "UNSUPPORTED_CORIM"],
    ["no reference triple", corimOf({ 1: [wrap(map({ 1: map({}), 4: map({}) }))] }), "UNSUPPORTED_CORIM"],
    ["no end of validity", corimOf({ 4: map({ 0: 1 }) }), "INVALID_CORIM"],
    ["a time beyond all", corimOf({ 4: map({ 1: 253_402_300_800 }) }), "INVALID_CORIM"],
    [
      "an unknown member of a CoMID",
      corimOf({ 1: [wrap(new Map<CborKey, CborValue>([...comid(), [9, 1]]))] }),
      "UNSUPPORTED_CORIM",
    ],
    ["a triple of three", triple([environment(), [claim()], 1]), "INVALID_CORIM"],
    ["an instance", triple([map({ ...asObject(environment()), 1: 1 }), [claim()]]), "UNSUPPORTED_CORIM"],
    ["no class", triple([map({}), [claim()]]), "INVALID_CORIM"],
    ["a class without a name", triple([map({ 0: map({ 3: 1 }) }), [claim()]]), "UNSUPPORTED_CORIM"],
    ["a class id without a tag", triple([map({ 0: map({ 0: 1 }) }), [claim()]]), "INVALID_CORIM"],
    [
      "a class id of another kind",
      triple([map({ 0: map({ 0: new CborTag(600, 1) }) }), [claim()]]),
      "UNSUPPORTED_CORIM",
    ],
    [
      "a class id that is a short UUID",
      triple([map({ 0: map({ 0: new CborTag(37, fromHex("00")) }) }), [claim()]]),
      "INVALID_CORIM",
    ],
    ["an empty vendor", triple([map({ 0: map({ 1: "" }) }), [claim()]]), "INVALID_CORIM"],
    ["a vendor that is a path", triple([map({ 0: map({ 1: ".." }) }), [claim()]]), "INVALID_CORIM"],
    ["a long vendor", triple([map({ 0: map({ 1: "v".repeat(300) }) }), [claim()]]), "UNSUPPORTED_CORIM"],
    ["a negative layer", triple([map({ 0: map({ 1: "v", 3: -1 }) }), [claim()]]), "INVALID_CORIM"],
    [
      "someone else's authority",
      triple([environment(), [map({ 1: map({ 1: 1 }), 2: [1] })]]),
      "UNSUPPORTED_CORIM",
    ],
    ["a key of another type", measured({ 1: 1 }, true), "UNSUPPORTED_CORIM"],
    ["an unknown claim", measured({ 6: fromHex("00") }), "UNSUPPORTED_CORIM"],
    ["nothing to compare with", measured({ 11: "name" }), "UNSUPPORTED_CORIM"],
    ["a negative svn", measured({ 1: -1 }), "INVALID_CORIM"],
    ["an svn beyond 2^53", measured({ 1: 2n ** 60n }), "INVALID_CORIM"],
    ["an svn of another kind", measured({ 1: new CborTag(554, 1) }), "UNSUPPORTED_CORIM"],
    ["a digest of another length", measured({ 2: [[1, fromHex("00")]] }), "INVALID_CORIM"],
    ["a digest of three parts", measured({ 2: [[1, fromHex(DIGEST), 1]] }), "INVALID_CORIM"],
    ["an unknown digest", measured({ 2: [[2, fromHex(DIGEST)]] }), "UNSUPPORTED_CORIM"],
    ["an unknown flag", measured({ 3: map({ 10: true }) }), "UNSUPPORTED_CORIM"],
    ["a flag that is none", measured({ 3: map({ 1: 1 }) }), "INVALID_CORIM"],
    [
      "a masked raw value",
      measured({ 4: new CborTag(563, [fromHex("00"), fromHex("00")]) }),
      "UNSUPPORTED_CORIM",
    ],
    [
      "a raw value with its mask beside",
      measured({ 4: fromHex("00"), 5: fromHex("00") }),
      "UNSUPPORTED_CORIM",
    ],
    ["a large raw value", measured({ 4: new Uint8Array(2_049) }), "UNSUPPORTED_CORIM"],
    ["a version without text", measured({ 0: map({ 1: 1 }) }), "INVALID_CORIM"],
  ])("refuses %s", async (_what, bytes, code) => {
    expect(await codeOfAsync(() => readCorim(bytes, UNSIGNED))).toBe(code);
  });

  it.each([
    [
      "environments that the id does not tell apart",
      { 0: new CborTag(37, new Uint8Array(16)), 1: "ACME", 2: "RoadRunner" },
    ],
    ["layers", { 1: "ACME", 2: "RoadRunner", 3: 1 }],
    ["indexes", { 1: "ACME", 2: "RoadRunner", 4: 0 }],
  ])("refuses one id for two %s", async (_what, more) => {
    const bytes = triples([environment(), [claim()]], [map({ 0: map(more) }), [claim()]]);
    expect(await codeOfAsync(() => readCorim(bytes, UNSIGNED))).toBe("UNSUPPORTED_CORIM");
  });

  it.each([
    ["uuid", new CborTag(37, new Uint8Array(16).fill(0xab)), "abababab-abab-abab-abab-abababababab"],
    ["oid", new CborTag(111, fromHex("2a0304")), "1.2.3.4"],
    ["bytes", new CborTag(560, fromHex("c0de")), "c0de"],
  ])("names a class without vendor and model by its %s", async (_what, id, step) => {
    const values = await readCorim(triple([map({ 0: map({ 0: id }) }), [claim()]]), UNSIGNED);
    expect(values.map((one) => one.id)).toEqual([`${step}/kernel/digests`]);
  });

  it("refuses every change of one byte of a signed one", async () => {
    const bytes = await signed();
    const start = 4; // the tag and the head of the protected header carry no content of their own
    for (let at = start; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte));
      await expect(readCorim(changed, withKey()), `byte ${at}`).rejects.toBeInstanceOf(AdytonError);
    }
  });

  it("throws typed errors for any change and any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(CORIM.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Uint8Array.from(CORIM, (byte, i) => (i === at ? byte ^ flip : byte));
        await readsOrRefuses(changed);
        await readsOrRefuses(concat(fromHex("d901f5"), changed.subarray(at)));
      }),
    );
  });

  it("reads what is written", async () => {
    const name = fc
      .string({ minLength: 1, maxLength: 4, unit: "grapheme" })
      .filter((text) => !/^\.\.?$/.test(text));
    const hex = (size: number) => fc.uint8Array({ minLength: size, maxLength: size }).map(toHex);
    const measurement = fc.record({
      vendor: name,
      model: name,
      key: fc.oneof(fc.nat(), name),
      digests: fc.tuple(fc.tuple(fc.constant("sha-512" as const), hex(64))),
      rawValue: hex(9),
      svn: fc.maxSafeNat(),
    });
    await fc.assert(
      fc.asyncProperty(measurement, async (one) => {
        const values = await readCorim(encodeCorim({ id: "a", measurements: [one] }), UNSIGNED);
        expect(values.map(({ value }) => value)).toEqual([one.svn, one.digests[0][1], one.rawValue]);
        expect(values.every(({ id }) => id.split("/").length === 4)).toBe(true);
      }),
    );
  });
});

describe("encodeCorim", () => {
  it.each([
    ["svn and minSvn", { id: "a", measurements: [{ ...MEASUREMENT, svn: 1, minSvn: 1 }] }],
    ["a beginning without an end", { id: "a", measurements: [MEASUREMENT], notBefore: AT }],
  ])("refuses %s", async (_what, template) => {
    expect(await codeOfAsync(async () => encodeCorim(template))).toBe("INVALID_APPRAISAL_INPUT");
  });
});

describe("as Trustee's example", () => {
  // Its CoMID has a profile's own members in a measurement's values and beside the triples.
  const values = map({ 2: [[1, fromHex(DIGEST)]], 8: "SN 1", [-1]: 1_720_782_190 });
  const own = comid([environment(), [map({ 0: "kernel", 1: values })]]);
  const corim = corimOf({ 1: [wrap(map({ ...asObject(own), [-1]: "mine" }))], 3: "http://p", [-1]: "foo" });

  it("is read where its profile was named", async () => {
    const [value, ...more] = await readCorim(corim, { ...UNSIGNED, profiles: ["http://p"] });
    expect([value?.id, value?.value, more]).toEqual(["ACME/RoadRunner/kernel/SN%201/digests", DIGEST, []]);
  });

  it("is refused where it was not", async () => {
    expect(await codeOfAsync(() => readCorim(corim, UNSIGNED))).toBe("UNSUPPORTED_CORIM");
  });
});

async function readsOrRefuses(bytes: Uint8Array): Promise<readonly VouchedValue[]> {
  try {
    return await readCorim(bytes, UNSIGNED);
  } catch (error) {
    expect(error).toBeInstanceOf(AdytonError);
    return [];
  }
}

function newKey(): Promise<PrivateKey> {
  return defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
}

async function certificate(
  subject: string,
  subjectKey: PrivateKey,
  issuer: string,
  issuerKey: PrivateKey,
  more: { ca?: object; notAfter?: Date; keyUsage?: readonly number[] } = {},
): Promise<Certificate> {
  return parseCertificate(
    await issueCertificate(
      {
        subject: [["CN", subject]],
        spki: subjectKey.publicKey.spki,
        serial: "01",
        notBefore: new Date("2026-01-01T00:00:00Z"),
        notAfter: new Date("2027-01-01T00:00:00Z"),
        keyUsage: more.ca === undefined ? [KEY_USAGE.digitalSignature] : [KEY_USAGE.keyCertSign],
        ...more,
      },
      { name: [["CN", issuer]], key: issuerKey },
    ),
  );
}

function withKey(): CorimOptions {
  return { at: AT, keys: [key.publicKey] };
}

function withRoot(): CorimOptions {
  return { at: AT, roots: [root] };
}

function signer(more: Partial<CorimSigner> = {}): CorimSigner {
  return { key, algorithm: ES256, name: "ACME signing", ...more };
}

function signed(more: Partial<CorimSigner> = {}): Promise<Uint8Array> {
  return signCorim(CORIM, signer(more));
}

/** Signed by the trusted key under a protected header with these members. */
async function signedWith(members: Readonly<Record<number, CborValue>>): Promise<Uint8Array> {
  const entries = [[1, -7], ...map(members)] as const;
  const header = encodeCbor(new Map(entries as Iterable<readonly [CborKey, CborValue]>));
  expect(toHex(protectedHeader(ES256))).toBe("a10126");
  const signature = await key.sign(ES256, signedBytes(header, CORIM));
  return encodeCbor(new CborTag(18, [header, new Map(), CORIM, signature]));
}

function tagged(tag: number, bytes: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(0xd9, tag >> 8, tag & 0xff), bytes);
}

function map(members: Readonly<Record<number, CborValue>>): ReadonlyMap<CborKey, CborValue> {
  return new Map(
    Object.entries(members)
      .filter(([, value]) => value !== undefined)
      .map(([label, value]) => [Number(label), value]),
  );
}

function asObject(members: ReadonlyMap<CborKey, CborValue>): Record<number, CborValue> {
  return Object.fromEntries(members);
}

function environment(): ReadonlyMap<CborKey, CborValue> {
  return map({ 0: map({ 1: "ACME", 2: "RoadRunner" }) });
}

function claim(): ReadonlyMap<CborKey, CborValue> {
  return map({ 0: "kernel", 1: map({ 2: [[1, fromHex(DIGEST)]] }) });
}

function comid(...records: readonly CborValue[]): ReadonlyMap<CborKey, CborValue> {
  const all = records.length === 0 ? [[environment(), [claim()]]] : records;
  return map({ 1: map({ 0: "comid" }), 4: map({ 0: all }) });
}

function wrap(value: CborValue): CborTag {
  return new CborTag(506, encodeCbor(value));
}

function corimOf(members: Readonly<Record<number, CborValue>>): Uint8Array {
  return encodeCbor(new CborTag(501, map({ 0: "id", 1: [wrap(comid())], ...members })));
}

function triple(record: CborValue): Uint8Array {
  return corimOf({ 1: [wrap(comid(record))] });
}

function triples(...records: readonly CborValue[]): Uint8Array {
  return corimOf({ 1: [wrap(comid(...records))] });
}

function measured(value: Readonly<Record<number, CborValue>>, strangeKey = false): Uint8Array {
  const key = strangeKey ? new CborTag(602, "x") : "kernel";
  return triple([environment(), [map({ 0: key, 1: map(value) })]]);
}
