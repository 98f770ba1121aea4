// SPDX-License-Identifier: Apache-2.0
// The verifier of Secure Execution against the simulated IBM, check by check, in both forms.

import { type Bytes, concat, fromUtf8, toHex, toUtf8 } from "@adyton/core/bytes";
import { defaultCrypto, verifyingCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, parseJson } from "@adyton/core/json";
import {
  createCache,
  detectTee,
  schemeOf,
  type VerifiedEvidence,
  type VerifyOptions,
  verifyEvidence,
} from "@adyton/evidence";
import type { Endorsements } from "@adyton/evidence/endorsements";
import {
  createSeChallenge,
  createSeRequest,
  encodeSeEvidence,
  encodeSeExchangeRequest,
  encodeSeRequest,
  type MadeSeRequest,
  parseSeEvidence,
  parseSeHeader,
  parseSeRequest,
  type SeRequestOptions,
  unwrapProtectionKey,
  type VerifiedHostKey,
  verifyHostKeyDocument,
} from "@adyton/evidence/se";
import { codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import type { SeAttestOptions, SeMachine } from "./machine.ts";
import { createIbmVendor, createSeHeader } from "./vendor.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const after = (days: number): Date => new Date(AT.getTime() + days * 24 * 60 * 60 * 1000);

const vendor = await createIbmVendor({ at: AT });
const [machine, other] = [await vendor.machine(), await vendor.machine()];
const header = createSeHeader();
const tags = parseSeHeader(header);
const roots = [vendor.root.certificate];
const bag = await vendor.endorsements({
  certificates: [machine.document, other.document],
  headers: [header],
});
const verifierKey = defaultCrypto.randomBytes(32);

async function hostKeyOf(each: SeMachine, endorsements: Endorsements = bag): Promise<VerifiedHostKey> {
  const { certificates, crls } = endorsements;
  return verifyHostKeyDocument(each.document, {
    now: AT,
    certificates,
    crls,
    roots,
    crypto: verifyingCrypto,
  });
}
const hostKey = await hostKeyOf(machine);

/** How a case differs from health. */
interface Case {
  readonly request?: Partial<SeRequestOptions>;
  readonly machine?: SeMachine;
  readonly attest?: SeAttestOptions;
  readonly made?: MadeSeRequest;
  /** Changes the evidence on its way. */
  readonly evidence?: (evidence: Bytes) => Bytes | Promise<Bytes>;
  readonly options?: Partial<VerifyOptions>;
}

const FORMS = ["exchange", "response"] as const;

async function verify(form: (typeof FORMS)[number], change: Case = {}): Promise<VerifiedEvidence> {
  const { machine: from = machine, attest = {}, evidence = (bytes) => bytes } = change;
  const made = change.made ?? (await createSeRequest({ hostKeys: [hostKey], ...change.request }));
  const answer =
    form === "exchange"
      ? await from.exchange(encodeSeExchangeRequest(made), header, attest)
      : await from.respond(await createSeChallenge(made, tags, verifierKey), attest);
  return verifyEvidence(await evidence(answer), {
    now: AT,
    roots,
    endorsements: bag,
    verifierKeys: [form === "exchange" ? made.protectionKey : verifierKey],
    ...change.options,
  });
}

async function refusal(form: (typeof FORMS)[number], change: Case): Promise<readonly [string, string]> {
  try {
    await verify(form, change);
    return ["", ""];
  } catch (error) {
    if (error instanceof AdytonError) return [error.code, error.category];
    throw error;
  }
}

/** Changes one member of evidence in either form. */
function edited(name: "measurement" | "additional" | "userData" | "cuid", at = 0) {
  return (bytes: Bytes): Bytes => {
    const parsed = parseSeEvidence(bytes);
    const value = Uint8Array.from(parsed[name]);
    value[at] = (value[at] ?? 0) ^ 1;
    return encodeSeEvidence({ ...parsed, [name]: value });
  };
}

describe.each(FORMS)("a healthy guest, as %s", (form) => {
  it("verifies, is simulated, and says so", async () => {
    const userData = defaultCrypto.randomBytes(64);
    const verified = await verify(form, { attest: { userData }, options: { reportData: userData } });
    expect(verified).toMatchObject({
      tee: "se",
      debug: false,
      initDataField: null,
      trust: { simulated: true, root: vendor.root.certificate.subject.text },
      endorsements: { revocation: "checked", earliestExpiry: after(29).toISOString() },
    });
    expect(verified.claims).toMatchObject({
      version: 256,
      tag: toHex(tags.tag),
      pld: toHex(tags.pld),
      image_phkh: toHex(machine.phkh),
      attestation_phkh: toHex(machine.phkh),
      report_data: toHex(userData),
      user_data: toHex(userData),
    });
    expect(verified.warnings.map(({ code }) => code)).toEqual(["SIMULATED"]);
    expect(verified.explanation).toHaveLength(5);
    expect(verified.endorsements.items).toHaveLength(7);
  });

  it("may be on any of the machines that were asked", async () => {
    const hostKeys = [hostKey, await hostKeyOf(other)];
    for (const each of [machine, other]) {
      const verified = await verify(form, { request: { hostKeys }, machine: each });
      expect(verified.claims.attestation_phkh).toBe(toHex(each.phkh));
    }
  });

  it("may be asked for more", async () => {
    const ask = ["secretStoreHash", "firmwareState"] as const;
    const { claims } = await verify(form, { request: { ask } });
    expect(claims).toMatchObject({ secret_store_hash: "03".repeat(64), firmware_state: "04".repeat(320) });
  });

  it("may say less or more than 64 bytes", async () => {
    const short = await verify(form, { attest: { userData: Uint8Array.of(1, 2) } });
    expect(toHex(short.reportData)).toBe(`0102${"00".repeat(62)}`);
    const long = new Uint8Array(256).fill(9);
    const all = await verify(form, { attest: { userData: long }, options: { reportData: long } });
    expect(all.reportData).toHaveLength(256);
  });

  it("is detected by its bytes", async () => {
    await verify(form, {
      evidence: (bytes) => {
        expect(detectTee(bytes)).toBe("se");
        return bytes;
      },
    });
  });
});

describe.each(FORMS)("what must be refused, as %s", (form) => {
  it.each<readonly [string, Case, string, string]>([
    [
      "another measurement",
      { evidence: edited("measurement", 63) },
      "INVALID_SE_MEASUREMENT",
      "not-authentic",
    ],
    ["another guest's id", { evidence: edited("cuid") }, "INVALID_SE_MEASUREMENT", "not-authentic"],
    [
      "other data",
      { attest: { userData: new Uint8Array(64) }, evidence: edited("userData") },
      "INVALID_SE_MEASUREMENT",
      "not-authentic",
    ],
    ["other additions", { evidence: edited("additional", 40) }, "INVALID_SE_MEASUREMENT", "not-authentic"],
    [
      "another image",
      { attest: { measuredTags: { ...tags, pld: new Uint8Array(64) } } },
      "INVALID_SE_MEASUREMENT",
      "not-authentic",
    ],
    [
      "a measurement by somebody who could not read the request",
      { attest: { measurementKey: new Uint8Array(64).fill(1) } },
      "INVALID_SE_MEASUREMENT",
      "not-authentic",
    ],
    [
      "a host key that the request was not for",
      { attest: { additional: new Uint8Array(64) } },
      "SE_HOST_KEY_MISMATCH",
      "not-authentic",
    ],
    ["too few additions", { attest: { additional: new Uint8Array(63) } }, "OUT_OF_BOUNDS", "malformed"],
    [
      "too many additions",
      { attest: { additional: new Uint8Array(65) } },
      "INVALID_SE_EVIDENCE",
      "malformed",
    ],
    [
      "no key of the verifier's",
      { options: { verifierKeys: [] } },
      "SE_VERIFIER_KEY_MISSING",
      "endorsements",
    ],
    [
      "a key of another size",
      { options: { verifierKeys: [new Uint8Array(31)] } },
      "SE_VERIFIER_KEY_MISSING",
      "endorsements",
    ],
    [
      "another key",
      { options: { verifierKeys: [new Uint8Array(32)] } },
      "SE_REQUEST_MISMATCH",
      "not-authentic",
    ],
    [
      "other report data",
      { options: { reportData: Uint8Array.of(1) } },
      "REPORT_DATA_MISMATCH",
      "not-authentic",
    ],
    ["a time that is none", { options: { now: new Date(Number.NaN) } }, "INVALID_TIME", "misuse"],
    ["after the lists", { options: { now: after(40) } }, "CRL_EXPIRED", "endorsements"],
    ["no root named", { options: { roots: [] } }, "NO_TRUST_ANCHOR", "endorsements"],
  ])("%s", async (_name, change, code, category) => {
    expect(await refusal(form, change)).toEqual([code, category]);
  });

  it("a host key without its document, or with a revoked one", async () => {
    const without = await vendor.endorsements({ certificates: [other.document], headers: [header] });
    expect(await refusal(form, { options: { endorsements: without } })).toEqual([
      "SE_HOST_KEY_MISSING",
      "endorsements",
    ]);
    const crls = [
      await vendor.crl(vendor.root),
      await vendor.crl(vendor.intermediate),
      await vendor.crl(vendor.service, { revoked: [machine.document] }),
    ];
    const parts = { certificates: [machine.document, other.document], headers: [header], crls };
    const revoked = await vendor.endorsements(parts);
    expect(await refusal(form, { options: { endorsements: revoked } })).toEqual([
      "CERTIFICATE_REVOKED",
      "not-authentic",
    ]);
    // It need not be the one that answered: it could have been.
    const hostKeys = [hostKey, await hostKeyOf(other)];
    const change = { request: { hostKeys }, machine: other, options: { endorsements: revoked } };
    expect((await refusal(form, change))[0]).toBe("CERTIFICATE_REVOKED");
  });

  it("a document by a CA itself, or by a service of another name", async () => {
    for (const issuer of [vendor.intermediate, vendor.root]) {
      const odd = await vendor.machine({ issuer });
      const endorsements = await vendor.endorsements({ certificates: [odd.document], headers: [header] });
      expect(await codeOfAsync(() => hostKeyOf(odd, endorsements))).toBe("ISSUER_NOT_FOUND");
    }
  });
});

describe("a cache", () => {
  it("gives the same verdict, and forgets nothing that matters", async () => {
    const cache = createCache();
    const made = await createSeRequest({ hostKeys: [hostKey] });
    const attest = { cuid: new Uint8Array(16) };
    const cold = await verify("exchange", { made, attest, options: { cache } });
    expect(await verify("exchange", { made, attest, options: { cache } })).toEqual(cold);
    const crls = [
      await vendor.crl(vendor.root),
      await vendor.crl(vendor.intermediate),
      await vendor.crl(vendor.service, { revoked: [machine.document] }),
    ];
    const revoked = await vendor.endorsements({ certificates: [machine.document], headers: [header], crls });
    for (const [options, code] of [
      [{ endorsements: revoked }, "CERTIFICATE_REVOKED"],
      [{ roots: [] }, "NO_TRUST_ANCHOR"],
      [{ now: after(40) }, "CRL_EXPIRED"],
      [{ now: after(-2) }, "CRL_NOT_YET_VALID"],
    ] as const) {
      expect((await refusal("exchange", { made, attest, options: { ...options, cache } }))[0]).toBe(code);
    }
    expect(await verify("exchange", { made, attest, options: { cache } })).toEqual(cold);
  });
});

describe("requests", () => {
  it("an exchange without its image's header, or with another's", async () => {
    const { vendorCertificates: _headers, ...rest } = bag;
    expect(await refusal("exchange", { options: { endorsements: rest } })).toEqual([
      "SE_HEADER_MISSING",
      "endorsements",
    ]);
    const another = await vendor.endorsements({
      certificates: [machine.document],
      headers: [createSeHeader()],
    });
    expect((await refusal("exchange", { options: { endorsements: another } }))[0]).toBe(
      "INVALID_SE_MEASUREMENT",
    );
    const both = await vendor.endorsements({
      certificates: [machine.document],
      headers: [createSeHeader(), header],
    });
    await verify("exchange", { options: { endorsements: both } });
  });

  it("an answer to a request that was changed: another recipient put in", async () => {
    const change = async (bytes: Bytes): Promise<Bytes> => {
      const parsed = parseSeEvidence(bytes);
      if (parsed.form !== "exchange") throw new Error("form");
      const request = parseSeRequest(parsed.request);
      const slots = request.slots.map((slot) => ({ ...slot, phkh: other.phkh }));
      return encodeSeEvidence({ ...parsed, request: encodeSeRequest({ ...request, slots }) });
    };
    expect((await refusal("exchange", { evidence: change }))[0]).toBe("SE_REQUEST_MISMATCH");
  });

  it("a response whose sealed secrets were changed or mixed", async () => {
    const made = await createSeRequest({ hostKeys: [hostKey] });
    const stranger = await machine.respond(await createSeChallenge(made, tags, verifierKey));
    for (const name of ["sealedMeasurementKey", "sealedNonce"] as const) {
      const mixed = (bytes: Bytes): Bytes => {
        const [own, theirs] = [parseSeEvidence(bytes), parseSeEvidence(stranger)];
        if (own.form !== "response" || theirs.form !== "response") throw new Error("form");
        return encodeSeEvidence({ ...own, [name]: theirs[name] });
      };
      expect((await refusal("response", { evidence: mixed }))[0]).toBe("SE_REQUEST_MISMATCH");
      const cut = (bytes: Bytes): Bytes => {
        const own = parseSeEvidence(bytes);
        if (own.form !== "response") throw new Error("form");
        return encodeSeEvidence({ ...own, [name]: own[name].subarray(1) });
      };
      expect((await refusal("response", { evidence: cut }))[0]).toBe("SE_REQUEST_MISMATCH");
    }
  });

  it("no byte of a response's JSON can be changed unnoticed", async () => {
    const made = await createSeRequest({ hostKeys: [hostKey] });
    const evidence = await machine.respond(await createSeChallenge(made, tags, verifierKey));
    const text = toUtf8(evidence);
    const value = parseJson(text);
    if (!isJsonObject(value)) throw new Error("no object");
    for (const [name, member] of Object.entries(value)) {
      if (typeof member !== "string" || member === "") continue;
      const swapped = (member.startsWith("A") ? "B" : "A") + member.slice(1);
      const bytes = fromUtf8(JSON.stringify({ ...value, [name]: swapped }));
      expect((await refusal("response", { evidence: () => bytes }))[0]).toMatch(
        /^(INVALID_SE_MEASUREMENT|SE_REQUEST_MISMATCH)$/,
      );
    }
    await verify("response", { evidence: () => schemeOf("se").fromKbs(value).evidence as Bytes });
  });

  it("are for verified host keys only, and for one at least", async () => {
    const copy = { ...hostKey };
    expect(await codeOfAsync(() => createSeRequest({ hostKeys: [copy] }))).toBe("NOT_VERIFIED");
    expect(await codeOfAsync(() => createSeRequest({ hostKeys: [] }))).toBe("INVALID_SE_EVIDENCE");
  });

  it("can be read by whom they are for, and by nobody else", async () => {
    const made = await createSeRequest({ hostKeys: [hostKey] });
    const stranger = await defaultCrypto.generateKey({ name: "EC", curve: "P-521" });
    expect(await codeOfAsync(() => unwrapProtectionKey(made.request, stranger))).toBe("SE_HOST_KEY_MISMATCH");
    expect(made).toMatchObject({ measurementSize: 64, additionalSize: 64 });
    expect(made.phkhs.map(toHex)).toEqual([toHex(machine.phkh)]);
    expect(made.request).toHaveLength(400);
    expect(toHex(concat(...parseSeRequest(made.request).slots.map(({ phkh }) => phkh)))).toBe(
      toHex(machine.phkh),
    );
  });

  it("the challenge is what guest-components read", async () => {
    const made = await createSeRequest({ hostKeys: [hostKey] });
    const challenge = await createSeChallenge(made, tags, verifierKey);
    expect(Object.keys(challenge)).toEqual([
      "request_blob",
      "measurement_size",
      "additional_size",
      "encr_measurement_key",
      "encr_request_nonce",
      "image_hdr_tags",
    ]);
    expect(challenge).toMatchObject({ measurement_size: 64, additional_size: 64 });
  });
});
