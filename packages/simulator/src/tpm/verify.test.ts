// SPDX-License-Identifier: Apache-2.0
// The TPM verifier against the simulated maker of TPMs, check by check.

import { fromUtf8 } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { createCache, type VerifiedEvidence, type VerifyOptions, verifyEvidence } from "@adyton/evidence";
import type { Endorsements } from "@adyton/evidence/endorsements";
import { OBJECT_ATTRIBUTE, openCredentialSession, type TpmHash } from "@adyton/evidence/tpm";
import { describe, expect, it } from "vitest";
import type { CertificateChange } from "../intel/authority.ts";
import { createTpmVendor, purpose, type TpmEvidenceOptions, type TpmMachine } from "./vendor.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const DAY = 24 * 60 * 60 * 1000;
const after = (days: number): Date => new Date(AT.getTime() + days * DAY);
const vendor = await createTpmVendor({ at: AT });
const [ec, rsa, banks] = await Promise.all([
  vendor.machine(),
  vendor.machine({ akKind: { name: "RSA", bits: 2048 } }),
  vendor.machine({ hashes: ["SHA-256", "SHA-384", "SHA-1", "SHA-512", "SM3"] }),
]);
const OPTIONS: VerifyOptions = {
  now: AT,
  roots: [vendor.root.certificate],
  endorsements: vendor.endorsements(),
};

const otherQuotes = [
  await banks.device.quote({ nonce: fromUtf8("x"), selection: [{ hash: "SHA-384", indices: [0] }] }),
];
const foreignLog = (await vendor.machine({ boot: { commandLine: "init=/bin/sh" } })).boot.log;

interface Case {
  readonly machine?: TpmMachine;
  readonly evidence?: TpmEvidenceOptions;
  readonly options?: Partial<VerifyOptions>;
}

async function verify({ machine = ec, evidence, options }: Case = {}): Promise<VerifiedEvidence> {
  return verifyEvidence(await machine.evidence(evidence), { tee: "tpm", ...OPTIONS, ...options });
}

/** [code, category], empty when it verifies. */
async function refusal(of: Case | Promise<unknown>): Promise<readonly [string, string]> {
  try {
    await (of instanceof Promise ? of : verify(of));
    return ["", ""];
  } catch (error) {
    if (error instanceof AdytonError) return [error.code, error.category];
    throw error;
  }
}

describe("what verifies", () => {
  it.each(["trustee", "gce", "alibaba"] as const)("the form %s, by EC and by RSA", async (form) => {
    for (const machine of [ec, rsa]) {
      const nonce = fromUtf8("nonce");
      const verified = await verify({ machine, evidence: { form, nonce }, options: { reportData: nonce } });
      expect(verified.trust).toMatchObject({ simulated: true });
      expect(verified.trust.root).toContain("Adyton Simulator");
      expect(verified.claims.boot).toMatchObject({
        secure_boot: true,
        kernel_command_lines: ["/vmlinuz root=/dev/vda1 ro"],
      });
      expect(verified.claims.gce_instance).toMatchObject({ instance_id: "8765432109876543210" });
      expect(verified.registers).toHaveLength(24);
    }
  });

  it.each(["gce", "alibaba"] as const)("the form %s with a quote for each of five banks", async (form) => {
    const { registers = [], claims } = await verify({ machine: banks, evidence: { form } });
    expect(new Set(registers.map(({ hash }) => hash)).size).toBe(5);
    expect(Object.keys(claims.pcr_banks ?? {}).sort()).toEqual(["SHA-1", "SHA-384", "SHA-512", "SM3"]);
  });

  it.each<readonly [TpmHash]>([["SHA-1"], ["SHA-384"], ["SHA-512"], ["SM3"]])(
    "a quote of the %s bank alone",
    async (hash) => {
      const selection = [{ hash, indices: [0, 4, 7] }];
      const verified = await verify({ machine: banks, evidence: { selection } });
      expect(verified.registers?.map((register) => register.hash)).toEqual([hash, hash, hash]);
      expect(verified.claims.pcr07).toBeUndefined();
      expect(verified.initDataField).toBeNull();
      expect(verified.warnings.some(({ code }) => code === "SHA1_BANK")).toBe(hash === "SHA-1");
    },
  );

  it("a quote of two banks at once, in the form of JSON", async () => {
    const selection = [
      { hash: "SHA-384", indices: [7] },
      { hash: "SHA-256", indices: [7, 8] },
    ] as const;
    const verified = await verify({ machine: banks, evidence: { selection } });
    expect(verified.registers?.map(({ name, hash }) => `${name} ${hash}`)).toEqual([
      "pcr07 SHA-384",
      "pcr07 SHA-256",
      "pcr08 SHA-256",
    ]);
  });

  it.each([
    ["RSASSA", "SHA-384", undefined],
    ["RSASSA", "SHA-512", undefined],
    ["RSAPSS", "SHA-256", 32],
    ["RSAPSS", "SHA-256", 222],
    ["RSAPSS", "SHA-384", 48],
  ] as const)("a signature by %s with %s and salt %s", async (name, hash, saltLength) => {
    const scheme = saltLength === undefined ? { name, hash } : { name, hash, saltLength };
    expect((await verify({ machine: rsa, evidence: { scheme } })).tee).toBe("tpm");
  });

  it("ECDSA with SHA-384 and SHA-512", async () => {
    for (const hash of ["SHA-384", "SHA-512"] as const) {
      expect((await verify({ evidence: { scheme: { name: "ECDSA", hash } } })).tee).toBe("tpm");
    }
  });

  it("a machine whose firmware started at locality 3, with an agent's events", async () => {
    const agentEvents = [["example.org", "started", '{"image":"x"}']] as const;
    const machine = await vendor.machine({ boot: { startupLocality: 3, agentEvents, secureBoot: false } });
    const { claims } = await verify({ machine });
    expect(claims.boot).toMatchObject({ secure_boot: false });
    const log = claims.uefi_event_logs;
    expect(Array.isArray(log) ? log.at(-1) : undefined).toMatchObject({
      type_name: "EV_EVENT_TAG",
      details: {
        unicode_name: "AAEL",
        data: { domain: "example.org", operation: "started", content: { image: "x" } },
      },
    });
  });

  it("a machine with the older event log", async () => {
    const machine = await vendor.machine({ hashes: ["SHA-1"], boot: { format: "sha1" } });
    const { warnings } = await verify({ machine });
    expect(warnings.map(({ code }) => code)).toEqual([
      "MEMORY_NOT_PROTECTED",
      "REVOCATION_UNCHECKED",
      "SHA1_BANK",
      "EVENT_LOG_SHA1",
    ]);
  });

  it("with CRLs of its issuers, and then revocation is checked", async () => {
    const endorsements = vendor.endorsements(await vendor.crl("ca"), await vendor.crl("root"));
    const verified = await verify({ options: { endorsements, requireRevocation: true } });
    expect(verified.endorsements.revocation).toBe("checked");
    expect(verified.endorsements.earliestExpiry).toBe(after(29).toISOString());
    expect(verified.warnings.map(({ code }) => code)).toEqual(["MEMORY_NOT_PROTECTED"]);
  });

  it("a certificate that the caller has, and not the evidence", async () => {
    const endorsements = vendor.endorsements(ec.akCertificate.certificate);
    expect(
      (await verify({ evidence: { certificates: [] }, options: { endorsements } })).trust.simulated,
    ).toBe(true);
  });

  it("a log whose later registers the caller leaves out", async () => {
    const machine = await vendor.machine();
    await machine.device.extend(9, { "SHA-256": new Uint8Array(32).fill(1) });
    expect(await refusal({ machine })).toEqual(["EVENT_LOG_MISMATCH", "not-authentic"]);
    const { warnings } = await verify({ machine, options: { eventLogRegisters: [0, 1, 4, 5, 7] } });
    expect(warnings.map(({ code }) => code)).toContain("EVENT_LOG_PARTLY_CHECKED");
  });

  it("report data that Alibaba Cloud's agent cut to 32 bytes", async () => {
    const reportData = Uint8Array.from({ length: 64 }, (_, i) => i);
    const nonce = reportData.subarray(0, 32);
    await verify({ evidence: { form: "alibaba", nonce }, options: { reportData } });
    expect(await refusal({ evidence: { form: "trustee", nonce }, options: { reportData } })).toEqual([
      "REPORT_DATA_MISMATCH",
      "not-authentic",
    ]);
    const other = { form: "alibaba", nonce: nonce.map((byte) => byte ^ 1) } as const;
    expect(await refusal({ evidence: other, options: { reportData } })).toEqual([
      "REPORT_DATA_MISMATCH",
      "not-authentic",
    ]);
  });
});

describe("what must be refused: the quote", async () => {
  const flip = (offset: number) => (message: Uint8Array) =>
    Uint8Array.from(message, (byte, i) => (i === offset ? byte ^ 1 : byte));
  const otherKey = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
  const restricted = OBJECT_ATTRIBUTE.restricted;

  it.each<readonly [rule: string, of: Case, code: string]>([
    ["another key's signature", { evidence: { key: otherKey } }, "INVALID_TPM_QUOTE_SIGNATURE"],
    ["RSA where the key is EC", { evidence: { alter: rsaSignature } }, "INVALID_TPM_QUOTE_SIGNATURE"],
    [
      "EC where the key is RSA",
      { machine: rsa, evidence: { alter: ecSignature } },
      "INVALID_TPM_QUOTE_SIGNATURE",
    ],
    ["a scalar that is too long", { evidence: { alter: longScalar } }, "INVALID_TPM_QUOTE_SIGNATURE"],
    [
      "PSS with a salt of 20",
      { machine: rsa, evidence: { scheme: { name: "RSAPSS", hash: "SHA-256", saltLength: 20 } } },
      "INVALID_TPM_QUOTE_SIGNATURE",
    ],
    ["PCRs of another time", { evidence: { alter: otherPcr } }, "PCR_DIGEST_MISMATCH"],
    ["a PCR that is missing", { evidence: { alter: missingPcr } }, "PCR_DIGEST_MISMATCH"],
    [
      "a PCR that is missing, by name",
      { evidence: { form: "gce", alter: missingPcr } },
      "PCR_DIGEST_MISMATCH",
    ],
    [
      "a digest of other PCRs",
      { evidence: { attest: { pcrDigest: new Uint8Array(32) } } },
      "PCR_DIGEST_MISMATCH",
    ],
    ["no digest", { evidence: { attest: { pcrDigest: new Uint8Array() } } }, "PCR_DIGEST_MISMATCH"],
    [
      "another nonce",
      { evidence: { nonce: fromUtf8("a") }, options: { reportData: fromUtf8("b") } },
      "REPORT_DATA_MISMATCH",
    ],
    ["no nonce", { options: { reportData: fromUtf8("b") } }, "REPORT_DATA_MISMATCH"],
    [
      "quotes with different nonces",
      { machine: banks, evidence: { form: "gce", alter: mixedNonces } },
      "REPORT_DATA_MISMATCH",
    ],
    ["a public area of another key", { evidence: { alter: otherArea } }, "INVALID_AK"],
    ["an event log of another boot", { evidence: { alter: otherLog } }, "EVENT_LOG_MISMATCH"],
    [
      "an event log of registers that are not quoted",
      { evidence: { selection: [{ hash: "SHA-256", indices: [12] }] } },
      "EVENT_LOG_UNBOUND",
    ],
  ])("%s", async (_rule, of, code) => {
    expect(await refusal(of)).toEqual([code, "not-authentic"]);
  });

  it.each<readonly [rule: string, of: Case]>([
    ["no TPM's magic", { evidence: { edit: flip(0) } }],
    ["no quote", { evidence: { edit: flip(5) } }],
    ["a nonce of 65 bytes", { evidence: { nonce: new Uint8Array(65) } }],
    ["a PCR of the wrong size", { evidence: { form: "gce", alter: shortPcr } }],
  ])("malformed: %s", async (_rule, of) => {
    expect(await refusal(of)).toEqual(["INVALID_TPM_STRUCTURE", "malformed"]);
  });

  it("a signature over SHA-1 or SM3", async () => {
    for (const hash of ["SHA-1", "SM3"] as const) {
      const alter: TpmEvidenceOptions["alter"] = (parts) => ({
        ...parts,
        quotes: parts.quotes.map((quote) => ({ ...quote, signature: { ...quote.signature, hash } })),
      });
      expect(await refusal({ evidence: { alter } })).toEqual(["UNSUPPORTED_ALGORITHM", "not-authentic"]);
    }
  });

  it.each([
    ["that is not restricted", (all: number) => all & ~restricted],
    ["that may leave its TPM", (all: number) => all & ~OBJECT_ATTRIBUTE.fixedTpm],
    ["that does not sign", (all: number) => all & ~OBJECT_ATTRIBUTE.sign],
    ["that decrypts", (all: number) => all | OBJECT_ATTRIBUTE.decrypt],
  ])("a key %s", async (_rule, change) => {
    const akAttributes = change(ec.device.ak.public.attributes);
    const machine = await vendor.machine({ akAttributes });
    expect(await refusal({ machine })).toEqual(["INVALID_AK", "not-authentic"]);
    const session = openCredentialSession({ ek: machine.device.ek.public, ak: machine.device.ak.public });
    expect(await refusal(session)).toEqual(["INVALID_AK", "not-authentic"]);
  });

  it("a time that is no date", async () => {
    expect(await refusal({ options: { now: new Date(Number.NaN) } })).toEqual(["INVALID_TIME", "misuse"]);
  });
});

describe("a cache", () => {
  it("gives the same verdict, and forgets nothing that matters", async () => {
    const cache = createCache();
    const evidence = await ec.evidence({ nonce: fromUtf8("nonce") });
    const cached = (more: Partial<VerifyOptions> = {}): Promise<VerifiedEvidence> =>
      verifyEvidence(evidence, { tee: "tpm", ...OPTIONS, ...more, cache });
    const cold = await cached();
    expect(await cached()).toEqual(cold);
    const revoked = vendor.endorsements(
      await vendor.crl("ca", { revoked: [ec.akCertificate.certificate] }),
      await vendor.crl("root"),
    );
    expect(await refusal(cached({ roots: [] }))).toEqual(["NO_TRUST_ANCHOR", "endorsements"]);
    expect(await refusal(cached({ endorsements: revoked }))).toEqual([
      "CERTIFICATE_REVOKED",
      "not-authentic",
    ]);
    expect(await refusal(cached({ requireRevocation: true }))).toEqual(["CRL_MISSING", "endorsements"]);
    expect(await refusal(cached({ now: after(30 * 365) }))).toEqual(["CERTIFICATE_EXPIRED", "endorsements"]);
    expect(await cached()).toEqual(cold);
  });
});

describe("what must be refused: the attestation key", () => {
  const withCertificate = async (akCertificate: CertificateChange): Promise<Case> => ({
    machine: await vendor.machine({ akCertificate }),
  });

  it("nobody vouches for it", async () => {
    expect(await refusal({ evidence: { certificates: [] } })).toEqual(["AK_NOT_TRUSTED", "endorsements"]);
    const others = { certificates: [rsa.akCertificate.certificate, vendor.ca.certificate] };
    expect(await refusal({ evidence: others })).toEqual(["AK_NOT_TRUSTED", "endorsements"]);
  });

  it("its root is not named", async () => {
    expect(await refusal({ options: { roots: [] } })).toEqual(["NO_TRUST_ANCHOR", "endorsements"]);
    const other = await createTpmVendor({ at: AT });
    expect(await refusal({ options: { roots: [other.root.certificate] } })).toEqual([
      "ROOT_NOT_TRUSTED",
      "not-authentic",
    ]);
  });

  it.each<readonly [rule: string, change: CertificateChange, code: string, category: string]>([
    ["a CA's certificate", { ca: {}, keyUsage: [5] }, "INVALID_AK_CERTIFICATE", "not-authentic"],
    ["a certificate for encipherment", { keyUsage: [2] }, "INVALID_AK_CERTIFICATE", "not-authentic"],
    [
      "a certificate of a web server",
      { extensions: [purpose("1.3.6.1.5.5.7.3.1")] },
      "INVALID_AK_CERTIFICATE",
      "not-authentic",
    ],
    ["an expired certificate", { notAfter: after(-1) }, "CERTIFICATE_EXPIRED", "endorsements"],
    ["a certificate of tomorrow", { notBefore: after(1) }, "CERTIFICATE_NOT_YET_VALID", "endorsements"],
    [
      "an unknown critical extension",
      { extensions: [{ oid: "1.2.3.4", critical: true, value: Uint8Array.of(5, 0) }] },
      "UNKNOWN_CRITICAL_EXTENSION",
      "not-authentic",
    ],
    [
      "instance info that is none",
      { extensions: [{ oid: "1.3.6.1.4.1.11129.2.1.21", value: Uint8Array.of(0x30, 0) }] },
      "INVALID_TPM_STRUCTURE",
      "malformed",
    ],
  ])("%s", async (_rule, change, code, category) => {
    expect(await refusal(await withCertificate(change))).toEqual([code, category]);
  });

  it("a critical purpose of an attestation key is understood", async () => {
    const change = { extensions: [purpose("2.23.133.8.3", true)] };
    expect(await refusal(await withCertificate(change))).toEqual(["", ""]);
  });

  it("a revoked certificate, and lists that are missing or old", async () => {
    const bag = async (change: Parameters<typeof vendor.crl>[1]): Promise<Endorsements> =>
      vendor.endorsements(await vendor.crl("ca", change ?? {}), await vendor.crl("root"));
    const cases = [
      [
        { endorsements: await bag({ revoked: [ec.akCertificate.certificate] }) },
        "CERTIFICATE_REVOKED",
        "not-authentic",
      ],
      [{ endorsements: await bag({ nextUpdate: after(-0.5) }) }, "CRL_EXPIRED", "endorsements"],
      [{ requireRevocation: true }, "CRL_MISSING", "endorsements"],
    ] as const;
    for (const [options, code, category] of cases)
      expect(await refusal({ options })).toEqual([code, category]);
  });
});

type Alter = NonNullable<TpmEvidenceOptions["alter"]>;
type Parts = Parameters<Alter>[0];

function withQuote(
  parts: Parts,
  change: (quote: Parts["quotes"][number], i: number) => Parts["quotes"][number],
): Parts {
  return { ...parts, quotes: parts.quotes.map(change) };
}

function rsaSignature(parts: Parts): Parts {
  return withQuote(parts, (quote) => ({
    ...quote,
    signature: { scheme: "RSASSA", hash: "SHA-256", values: [new Uint8Array(256)] },
  }));
}

function ecSignature(parts: Parts): Parts {
  return withQuote(parts, (quote) => ({
    ...quote,
    signature: { scheme: "ECDSA", hash: "SHA-256", values: [new Uint8Array(32), new Uint8Array(32)] },
  }));
}

function longScalar(parts: Parts): Parts {
  return withQuote(parts, (quote) => ({
    ...quote,
    signature: { ...quote.signature, values: [new Uint8Array(33), new Uint8Array(32)] },
  }));
}

function withPcrs(parts: Parts, change: (values: Map<number, Uint8Array>) => void): Parts {
  return withQuote(parts, (quote) => ({
    ...quote,
    pcrs: quote.pcrs.map(({ hash, values }) => {
      const changed = new Map(values);
      change(changed);
      return { hash, values: changed };
    }),
  }));
}

function otherPcr(parts: Parts): Parts {
  return withPcrs(parts, (values) => values.set(7, new Uint8Array(32)));
}

function missingPcr(parts: Parts): Parts {
  // In the form of JSON zeros stand for it.
  return withPcrs(parts, (values) => values.delete(7));
}

function shortPcr(parts: Parts): Parts {
  return withPcrs(parts, (values) => values.set(7, new Uint8Array(31)));
}

function mixedNonces(parts: Parts): Parts {
  return { ...parts, quotes: [...parts.quotes.slice(0, 1), ...otherQuotes] };
}

function otherArea(parts: Parts): Parts {
  return { ...parts, akPublic: banks.device.ak.public };
}

function otherLog(parts: Parts): Parts {
  return { ...parts, eventLogs: [foreignLog] };
}
