// SPDX-License-Identifier: Apache-2.0
import { concat, toHex } from "@adyton/core/bytes";
import { encodeDer } from "@adyton/core/der";
import { AdytonError } from "@adyton/core/errors";
import { parseCertificates } from "@adyton/core/x509";
import { fixtureText, hasFixtures } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cpuSvnAgrees,
  encodePckExtension,
  type PckExtension,
  parsePckExtension,
  pckExtensionOf,
  SGX_EXTENSION_OID,
} from "./pck.ts";

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });

const configurations = fc.record(
  { dynamicPlatform: fc.boolean(), cachedKeys: fc.boolean(), smtEnabled: fc.boolean() },
  { requiredKeys: [] },
);
const extensions: fc.Arbitrary<PckExtension> = fc.record(
  {
    ppid: bytes(16),
    components: fc.array(fc.nat(255), { minLength: 16, maxLength: 16 }),
    pceSvn: fc.nat(0xffff),
    cpuSvn: bytes(16),
    pceId: bytes(2),
    fmspc: bytes(6),
    sgxType: fc.constantFrom("standard", "scalable", "scalable-with-integrity"),
    platformInstanceId: bytes(16),
    configuration: configurations,
  },
  { requiredKeys: ["ppid", "components", "pceSvn", "cpuSvn", "pceId", "fmspc", "sgxType"] },
);

const COMPONENTS = Array.from({ length: 16 }, (_, i) => 16 * i);
const VALID: PckExtension = {
  ppid: new Uint8Array(16).fill(1),
  components: COMPONENTS,
  pceSvn: 13,
  cpuSvn: Uint8Array.from(COMPONENTS),
  pceId: new Uint8Array(2),
  fmspc: Uint8Array.of(0, 0x90, 0xc0, 0x6f, 0, 0),
  sgxType: "scalable",
};

const { sequence, oid, octetString, integer, enumerated } = encodeDer;
const member = (arc: string, value: Uint8Array): Uint8Array =>
  sequence(oid(`${SGX_EXTENSION_OID}.${arc}`), value);
const tcbWith = (change: (members: Uint8Array[]) => Uint8Array[]): Uint8Array =>
  member(
    "2",
    sequence(
      ...change([
        ...COMPONENTS.map((svn, i) => member(`2.${i + 1}`, integer(svn))),
        member("2.17", integer(13)),
        member("2.18", octetString(VALID.cpuSvn)),
      ]),
    ),
  );
const MEMBERS = [
  member("1", octetString(VALID.ppid)),
  tcbWith((members) => members),
  member("3", octetString(VALID.pceId)),
  member("4", octetString(VALID.fmspc)),
  member("5", enumerated(1)),
];
const withMember = (index: number, value: Uint8Array): Uint8Array =>
  sequence(...MEMBERS.map((original, i) => (i === index ? value : original)));

/** The AdytonError's code, or undefined; anything else fails the test. */
function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof AdytonError) return error.code;
    throw error;
  }
}

describe("the SGX extension", () => {
  it("parses what it encoded", () => {
    fc.assert(
      fc.property(extensions, (fields) => {
        expect(parsePckExtension(encodePckExtension(fields))).toEqual(fields);
      }),
    );
  });

  it("is encoded as Intel writes it", () => {
    expect(encodePckExtension(VALID)).toEqual(sequence(...MEMBERS));
  });

  it.each([
    ["no DER", Uint8Array.of(1, 2, 3)],
    ["nothing", new Uint8Array(0)],
    ["trailing bytes", concat(sequence(...MEMBERS), Uint8Array.of(0))],
    ["no members", sequence()],
    ["FMSPC missing", sequence(...MEMBERS.filter((_, i) => i !== 3))],
    ["PPID twice", sequence(...MEMBERS, MEMBERS[0] ?? new Uint8Array(0))],
    ["an unknown member", sequence(...MEMBERS, member("8", integer(1)))],
    ["a member of another tree", sequence(...MEMBERS, sequence(oid("1.2.3"), integer(1)))],
    ["a short PPID", withMember(0, member("1", octetString(new Uint8Array(15))))],
    ["a short FMSPC", withMember(3, member("4", octetString(new Uint8Array(5))))],
    ["an unknown SGX type", withMember(4, member("5", enumerated(3)))],
    ["an SGX type that is an INTEGER", withMember(4, member("5", integer(1)))],
    [
      "a component above 255",
      withMember(
        1,
        tcbWith(([, ...rest]) => [member("2.1", integer(256)), ...rest]),
      ),
    ],
    [
      "a component missing",
      withMember(
        1,
        tcbWith(([, ...rest]) => rest),
      ),
    ],
    [
      "a component too many",
      withMember(
        1,
        tcbWith((all) => [...all, member("2.19", integer(1))]),
      ),
    ],
    [
      "PCESVN above 65535",
      withMember(
        1,
        tcbWith((all) => all.map((part, i) => (i === 16 ? member("2.17", integer(65536)) : part))),
      ),
    ],
    [
      "a short CPUSVN",
      withMember(
        1,
        tcbWith((all) => [...all.slice(0, 17), member("2.18", octetString(new Uint8Array(1)))]),
      ),
    ],
    [
      "an unknown configuration flag",
      sequence(...MEMBERS, member("7", sequence(member("7.4", encodeDer.boolean(true))))),
    ],
    [
      "a configuration flag that is no BOOLEAN",
      sequence(...MEMBERS, member("7", sequence(member("7.1", integer(1))))),
    ],
  ])("refuses %s", (_, value) => {
    expect(codeOf(() => parsePckExtension(value))).toBe("INVALID_PCK_CERT");
  });

  it("answers any bytes with an extension or INVALID_PCK_CERT", () => {
    fc.assert(
      fc.property(extensions, fc.nat(), fc.nat(255), (fields, at, value) => {
        const encoded = encodePckExtension(fields);
        encoded[at % encoded.length] = value;
        expect([undefined, "INVALID_PCK_CERT"]).toContain(codeOf(() => parsePckExtension(encoded)));
      }),
    );
  });

  it.each([
    ["fifteen components", { components: COMPONENTS.slice(1) }],
    ["a short PPID", { ppid: new Uint8Array(1) }],
    ["a long FMSPC", { fmspc: new Uint8Array(7) }],
    ["a short instance id", { platformInstanceId: new Uint8Array(1) }],
  ])("refuses to encode %s", (_, change) => {
    expect(codeOf(() => encodePckExtension({ ...VALID, ...change }))).toBe("INVALID_PCK_CERT");
  });

  it("tells a CPUSVN that differs from the components", () => {
    expect(cpuSvnAgrees(VALID)).toBe(true);
    expect(cpuSvnAgrees({ ...VALID, cpuSvn: new Uint8Array(16) })).toBe(false);
  });
});

describe.skipIf(!hasFixtures)("Intel's sample PCK certificates", () => {
  it.each([
    ["sgx/intel-qvl-sample/pckCert.pem", "00707f000000"],
    ["tdx/intel-qvl-sample/pckCert.pem", "ed742af8adf5"],
  ])("%s: parse, encode, same bytes", async (path, fmspc) => {
    const [certificate] = parseCertificates(await fixtureText(path));
    if (certificate === undefined) throw new Error("the fixture holds a certificate");
    const extension = pckExtensionOf(certificate);
    expect(toHex(extension.fmspc)).toBe(fmspc);
    expect(encodePckExtension(extension)).toEqual(
      Uint8Array.from(certificate.extensions.get(SGX_EXTENSION_OID)?.value ?? []),
    );
  });

  it("a certificate without the extension is no PCK certificate", async () => {
    const [ca] = parseCertificates(await fixtureText("sgx/intel-qvl-sample/trustedRootCaCert.pem"));
    if (ca === undefined) throw new Error("the fixture holds a certificate");
    expect(codeOf(() => pckExtensionOf(ca))).toBe("INVALID_PCK_CERT");
  });
});
