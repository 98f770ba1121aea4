// SPDX-License-Identifier: Apache-2.0
// For real: a software TPM makes our keys and quotes, our verifier verifies them; tpm2-tools read what we made, and we
// read what they made.

import { execFileSync } from "node:child_process";
import { concat, equal, fromHex, toHex } from "@adyton/core/bytes";
import { verifyEvidence } from "@adyton/evidence";
import { NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import {
  acceptActivation,
  encodeCredentialFile,
  encodeSized,
  encodeTpmEvidence,
  encodeTpmSignature,
  isAttestationKey,
  openCredentialSession,
  type PcrBank,
  parseQuoteAttest,
  parseTpmEvidence,
  parseTpmPublic,
  type TpmHash,
  type TpmPublic,
  type TpmQuote,
  verifyTpm,
} from "@adyton/evidence/tpm";
import { createTpmVendor } from "@adyton/simulator";
import { codeOfAsync } from "@adyton/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type SoftwareTpm, serializedPcrs, startSwtpm, swtpmMissing } from "../../test/swtpm.ts";
import {
  createAttestationKey,
  deriveAttestationKey,
  loadAttestationKey,
  provisionedAttestationKey,
} from "./attestation-key.ts";
import { createTpmAttester, type TpmAttesterOptions } from "./attester.ts";
import { eccCurves, handlesBetween, pcrBanks, tpmProperties } from "./capability.ts";
import { openTpm, type Tpm, withLoaded } from "./connection.ts";
import { activateCredential } from "./credential.ts";
import { createEndorsementKey, readEkCertificates } from "./endorsement.ts";
import { createPrimary, readPublic, type TpmKey } from "./keys.ts";
import { readNv } from "./nv.ts";
import { extendPcr, readPcrs } from "./pcr.ts";
import { quotePcrs } from "./quote.ts";
import { parseResponseCode } from "./response-code.ts";
import { akTemplate, ekTemplate, storageTemplate } from "./templates.ts";

const NOW = new Date("2026-06-01T00:00:00Z");
const REPORT_DATA = Uint8Array.from({ length: 64 }, (_, i) => 255 - i);
const PCRS = Array.from({ length: 24 }, (_, i) => i);
const BANKS = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"] as const;
const SCHEMES = ["ECDSA", "RSASSA", "RSAPSS"] as const;
const KINDS = ["EC", "RSA"] as const;
/** Handles of what the TPM holds in memory. */
const TRANSIENT = [0x80000000, 0x80ffffff] as const;

let swtpm: SoftwareTpm;

/** One connection; swtpm serves one at a time, and the tools need theirs. */
async function connected<T>(use: (tpm: Tpm) => Promise<T>): Promise<T> {
  const tpm = await openTpm({ address: swtpm.address });
  try {
    return await use(tpm);
  } finally {
    await tpm.close();
  }
}

const attesterOf = (options: TpmAttesterOptions = {}) =>
  createTpmAttester({ address: swtpm.address, env: {}, ...options });
const tool = (name: string, ...args: readonly string[]): string => swtpm.tool(name, ...args);
const toolName = (hash: TpmHash): string => hash.toLowerCase().replace("-", "");
const left = (): Promise<number[]> => connected((tpm) => handlesBetween(tpm, ...TRANSIENT));
/** The files of a quote as tpm2-tools read them. */
function writeQuote(ak: TpmPublic, { message, signature, pcrs }: TpmQuote): void {
  swtpm.write("ak.pub", encodeSized(ak.encoded));
  swtpm.write("message", message);
  swtpm.write("signature", encodeTpmSignature(signature));
  swtpm.write("pcrs", serializedPcrs(parseQuoteAttest(message).selection, pcrs));
}

/** Hands a quote to tpm2_checkquote. */
function checkQuoteByTool(ak: TpmPublic, quote: TpmQuote, nonce: Uint8Array): string {
  writeQuote(ak, quote);
  return tool(
    "tpm2_checkquote",
    ...["-u", "ak.pub", "-m", "message", "-s", "signature", "-g", "sha256", "-f", "pcrs"],
    ...(nonce.length === 0 ? [] : ["-q", toHex(nonce)]),
  );
}

/** The values of a bank, one behind the other. */
function valuesOf(pcrs: readonly PcrBank[]): string {
  return pcrs.flatMap(({ values }) => PCRS.map((i) => toHex(values.get(i) ?? new Uint8Array()))).join("");
}

/** Evidence of one quote by its parts. */
async function collected(options: TpmAttesterOptions = {}) {
  const envelope = await attesterOf(options).collect(REPORT_DATA);
  const parsed = parseTpmEvidence(envelope.evidence);
  const [quote] = parsed.quotes;
  if (quote === undefined || parsed.akPublic === undefined) throw new Error("no quote");
  return { ...envelope, quote, ak: parsed.akPublic, spki: parsed.akSpki };
}

describe.skipIf(swtpmMissing !== undefined).each(["tcp", "unix"] as const)(
  "a software TPM over %s",
  (kind) => {
    beforeAll(async () => {
      swtpm = await startSwtpm(kind);
    });
    afterAll(() => swtpm.stop());

    const provisioned = new Set<string>();
    /** Writes an index that its own leave reads; it is gone after the test. */
    const provision = (index: string, bytes: Uint8Array): void => {
      swtpm.write("nv", bytes);
      tool(
        "tpm2_nvdefine",
        "-C",
        "o",
        index,
        "-s",
        `${bytes.length}`,
        "-a",
        "ownerwrite|authread|ownerread|no_da",
      );
      provisioned.add(index);
      tool("tpm2_nvwrite", "-C", "o", index, "-i", "nv");
    };
    const unprovision = (index: string): void => {
      tool("tpm2_nvundefine", "-C", "o", index);
      provisioned.delete(index);
    };
    afterEach(() => provisioned.forEach(unprovision));

    it("answers, and holds what tpm2-tools say that it holds", async () => {
      expect(await attesterOf().probe()).toMatchObject({ available: true, missing: [] });
      const [properties, banks, curves] = await connected(async (tpm) => [
        await tpmProperties(tpm),
        await pcrBanks(tpm),
        await eccCurves(tpm),
      ]);
      const said = tool("tpm2_getcap", "properties-fixed");
      const raw = (name: string): number =>
        Number(new RegExp(`${name}:\\s+raw: (0x[0-9A-F]+)`).exec(said)?.[1]);
      expect(properties.revision).toBe(raw("TPM2_PT_REVISION"));
      expect(properties.maxDigest).toBe(raw("TPM2_PT_MAX_DIGEST"));
      expect(properties.nvBuffer).toBe(raw("TPM2_PT_NV_BUFFER_MAX"));
      expect(banks).toEqual(BANKS.map((hash) => ({ hash, indices: PCRS })));
      const ids = [...tool("tpm2_getcap", "ecc-curves").matchAll(/: (0x[0-9A-F]+)/g)].map(([, id]) =>
        Number(id),
      );
      expect(curves).toEqual(ids);
    });

    it.each(SCHEMES)(
      "quotes by %s: our verifier, tpm2_checkquote and the TPM itself accept it",
      async (scheme) => {
        const { evidence, quote, ak, spki } = await collected({ ak: { scheme } });
        expect(quote.signature).toMatchObject({ scheme, hash: "SHA-256" });
        expect(isAttestationKey(ak)).toBe(true);
        const options = { now: NOW, anchors: { ...NO_ENDORSEMENTS, keys: [{ spki, identifiers: {} }] } };
        const verified = await verifyEvidence(evidence, { ...options, reportData: REPORT_DATA });
        expect(verified.tee).toBe("tpm");
        expect(verified.registers).toHaveLength(24);
        expect(
          await codeOfAsync(() => verifyTpm(evidence, { ...options, reportData: REPORT_DATA.subarray(1) })),
        ).toBe("REPORT_DATA_MISMATCH");
        writeQuote(ak, quote);
        // tpm2_checkquote 5.4 refuses all PSS signatures, its own tpm2_quote's as well.
        if (scheme !== "RSAPSS") {
          expect(checkQuoteByTool(ak, quote, REPORT_DATA)).toContain("sig:");
          const [bank] = quote.pcrs;
          const values = new Map(bank?.values).set(0, new Uint8Array(32).fill(1));
          const others = { ...quote, pcrs: [{ hash: "SHA-256", values }] as const };
          expect(() => checkQuoteByTool(ak, others, REPORT_DATA)).toThrow("tpm2_checkquote");
          expect(() => checkQuoteByTool(ak, quote, REPORT_DATA.toReversed())).toThrow("tpm2_checkquote");
        }
        const { handle } = await connected((tpm) => deriveAttestationKey(tpm, scheme));
        const verify = ["-c", `0x${handle.toString(16)}`, "-g", "sha256", "-s", "signature"];
        tool("tpm2_verifysignature", ...verify, "-m", "message");
        expect(() => tool("tpm2_verifysignature", ...verify, "-m", "ak.pub")).toThrow("tpm2_verifysignature");
        tool("tpm2_flushcontext", "-t");
        expect(tool("tpm2_print", "-t", "TPMS_ATTEST", "message")).toContain(
          `extraData: ${toHex(REPORT_DATA)}`,
        );
        expect(tool("tpm2_print", "-t", "TPM2B_PUBLIC", "ak.pub")).toContain("restricted|sign");
        expect(await left()).toEqual([]);
      },
    );

    it.each(BANKS)("quotes the bank of %s, with the values that tpm2_pcrread reads", async (bank) => {
      const { evidence, quote, ak, spki } = await collected({ bank });
      const anchors = { ...NO_ENDORSEMENTS, keys: [{ spki, identifiers: {} }] };
      const verified = await verifyTpm(evidence, { now: NOW, anchors, reportData: REPORT_DATA });
      expect(verified.registers?.map(({ hash, index }) => [hash, index])).toEqual(PCRS.map((i) => [bank, i]));
      const name = toolName(bank);
      tool("tpm2_pcrread", `${name}:all`, "-o", "read");
      expect(valuesOf(quote.pcrs)).toBe(toHex(swtpm.read("read")));
      expect(checkQuoteByTool(ak, quote, REPORT_DATA)).toContain("sig:");
    });

    it("quotes several banks at once", async () => {
      const selection = BANKS.map((hash) => ({ hash, indices: [0, 16, 23] }));
      const { quote, ak } = await connected((tpm) =>
        withLoaded(tpm, deriveAttestationKey(tpm, "ECDSA"), async (key) => ({
          quote: await quotePcrs(tpm, { ak: key, qualifyingData: new Uint8Array(), selection }),
          ak: key.public,
        })),
      );
      expect(quote.pcrs.map(({ hash, values }) => [hash, [...values.keys()]])).toEqual(
        BANKS.map((hash) => [hash, [0, 16, 23]]),
      );
      expect(checkQuoteByTool(ak, quote, new Uint8Array())).toContain("sig:");
    });

    it("shows tpm2-tools what we extend, and us what they extend", async () => {
      const digests = BANKS.map((hash, i) => ({
        hash,
        digest: new Uint8Array([20, 32, 48, 64][i] ?? 0).fill(0xa5),
      }));
      await connected((tpm) => extendPcr(tpm, 16, digests));
      const extended = (): string[] => {
        tool("tpm2_pcrread", BANKS.map((hash) => `${toolName(hash)}:16`).join("+"), "-o", "read");
        return [toHex(swtpm.read("read"))];
      };
      const ours = async (): Promise<string[]> => {
        const banks = await connected((tpm) =>
          readPcrs(
            tpm,
            BANKS.map((hash) => ({ hash, indices: [16] })),
          ),
        );
        return [banks.map(({ values }) => toHex(values.get(16) ?? new Uint8Array())).join("")];
      };
      const first = extended();
      expect(first[0]).not.toMatch(/^0+$/);
      expect(await ours()).toEqual(first);
      tool("tpm2_pcrextend", `16:sha256=${"5a".repeat(32)}`);
      expect(extended()).not.toEqual(first);
      expect(await ours()).toEqual(extended());
      expect(await codeOfAsync(() => connected((tpm) => extendPcr(tpm, 17, digests)))).toBe("TPM_REFUSED");
    });

    it.each(KINDS)("has the %s endorsement key that tpm2_createek makes", async (ekKind) => {
      const ek = await connected((tpm) =>
        withLoaded(tpm, createEndorsementKey(tpm, ekKind), async (key) => key),
      );
      tool("tpm2_createek", "-c", "ek.ctx", "-G", ekKind === "EC" ? "ecc" : "rsa", "-u", "ek.pub");
      tool("tpm2_flushcontext", "-t");
      expect(toHex(encodeSized(ek.public.encoded))).toBe(toHex(swtpm.read("ek.pub")));
    });

    it.each(KINDS.flatMap((ekKind) => SCHEMES.map((scheme) => [ekKind, scheme] as const)))(
      "proves with an %s endorsement key that it holds a key for %s",
      async (ekKind, scheme) => {
        const wrapped = await connected((tpm) => createAttestationKey(tpm, scheme));
        const key = await connected((tpm) =>
          withLoaded(tpm, createEndorsementKey(tpm, ekKind), (ek) =>
            withLoaded(tpm, loadAttestationKey(tpm, wrapped), async (ak) => {
              const session = await openCredentialSession({ ek: ek.public, ak: ak.public });
              const other = await openCredentialSession({ ek: ek.public, ak: parseTpmPublic(akOf(2)) });
              const wrong = activateCredential(tpm, { ek, ak, challenge: other });
              await expect(wrong).rejects.toMatchObject({ code: "TPM_REFUSED" });
              return acceptActivation(session, await activateCredential(tpm, { ek, ak, challenge: session }));
            }),
          ),
        );
        expect(await left()).toEqual([]);
        const quote = await connected((tpm) =>
          withLoaded(tpm, loadAttestationKey(tpm, wrapped), (ak) =>
            quotePcrs(tpm, {
              ak,
              qualifyingData: REPORT_DATA,
              selection: [{ hash: "SHA-256", indices: [7] }],
            }),
          ),
        );
        const evidence = encodeTpmEvidence({
          akSpki: key.spki,
          akPublic: wrapped.public,
          quotes: [quote],
          certificates: [],
          eventLogs: [],
        });
        const anchors = { ...NO_ENDORSEMENTS, keys: [key] };
        const verified = await verifyEvidence(evidence, { now: NOW, anchors, reportData: REPORT_DATA });
        expect(verified.claims.ak_identifiers).toEqual(key.identifiers);
        expect(quote.signature.scheme).toBe(scheme);
      },
    );

    it("leaves keys that tpm2-tools load, and reads those that they made", async () => {
      const { handle, name } = await connected((tpm) => deriveAttestationKey(tpm, "ECDSA"));
      const hex = `0x${handle.toString(16)}`;
      expect(tool("tpm2_readpublic", "-c", hex, "-n", "name")).toContain("restricted|sign");
      expect(toHex(swtpm.read("name"))).toBe(toHex(name));
      tool("tpm2_flushcontext", "-t");
      tool("tpm2_createprimary", "-C", "o", "-c", "primary.ctx");
      tool("tpm2_readpublic", "-c", "primary.ctx", "-n", "name", "-o", "public");
      const key = await connected((tpm) => readPublic(tpm, 0x80000000));
      expect(toHex(key.name)).toBe(toHex(swtpm.read("name")));
      expect(toHex(encodeSized(key.public.encoded))).toBe(toHex(swtpm.read("public")));
      tool("tpm2_flushcontext", "-t");
    });

    it("quotes with a key that tpm2-tools made persistent, and opens no challenge for another", async () => {
      tool("tpm2_createek", "-c", "ek.ctx", "-G", "ecc", "-u", "ek.pub");
      tool(
        "tpm2_createak",
        "-C",
        "ek.ctx",
        "-c",
        "ak.ctx",
        "-G",
        "rsa",
        "-s",
        "rsassa",
        "-u",
        "ak.pub",
        "-n",
        "ak.name",
      );
      tool("tpm2_flushcontext", "-t");
      tool("tpm2_evictcontrol", "-C", "o", "-c", "ak.ctx", "0x81010002");
      tool("tpm2_flushcontext", "-t");
      const { evidence, ak, spki, quote } = await collected({ env: { ADYTON_TPM_AK: "0x81010002" } });
      expect(toHex(encodeSized(ak.encoded))).toBe(toHex(swtpm.read("ak.pub")));
      expect(quote.signature.scheme).toBe("RSASSA");
      const anchors = { ...NO_ENDORSEMENTS, keys: [{ spki, identifiers: {} }] };
      expect((await verifyTpm(evidence, { now: NOW, anchors })).trust.simulated).toBe(true);

      // Our commands with their keys, by handle.
      const session = await openCredentialSession({ ek: parseTpmPublic(swtpm.read("ek.pub")), ak });
      const answer = await connected((tpm) =>
        withLoaded(tpm, createEndorsementKey(tpm, "EC"), async (ek) =>
          activateCredential(tpm, { ek, ak: await readPublic(tpm, 0x81010002), challenge: session }),
        ),
      );
      expect(acceptActivation(session, answer).identifiers["ak-name"]).toBe(toHex(swtpm.read("ak.name")));

      // Their commands with ours.
      const wrapped = await connected((tpm) => createAttestationKey(tpm, "ECDSA"));
      const held = await connected((tpm) => loadAttestationKey(tpm, wrapped));
      const theirs = await openCredentialSession({
        ek: parseTpmPublic(swtpm.read("ek.pub")),
        ak: held.public,
      });
      swtpm.write("credential", encodeCredentialFile(theirs));
      tool("tpm2_startauthsession", "--policy-session", "-S", "session.ctx");
      tool("tpm2_policysecret", "-S", "session.ctx", "-c", "e");
      tool(
        "tpm2_activatecredential",
        ...["-c", `0x${held.handle.toString(16)}`, "-C", "ek.ctx", "-i", "credential", "-o", "answer"],
        ...["-P", "session:session.ctx"],
      );
      tool("tpm2_flushcontext", "session.ctx");
      tool("tpm2_flushcontext", "-t");
      acceptActivation(theirs, swtpm.read("answer"));

      tool("tpm2_evictcontrol", "-C", "o", "-c", "0x81010002");
      expect(await codeOfAsync(() => collected({ ak: { handle: 0x81010002 } }))).toBe("TPM_REFUSED");
      expect(await left()).toEqual([]);
    });

    it("gives the certificates of endorsement keys, read in pieces", async () => {
      const { ekCertificate } = await (await createTpmVendor({ at: NOW })).machine();
      const { der } = ekCertificate.certificate;
      const attributes = "ppwrite|authread|ppread|ownerread|no_da|platformcreate";
      // Larger than what one command reads.
      const padded = concat(der, new Uint8Array(1500 - der.length).fill(0xff));
      swtpm.write("certificate", padded);
      tool("tpm2_nvdefine", "-C", "p", "0x1c0000a", "-s", "1500", "-a", attributes);
      tool("tpm2_nvdefine", "-C", "p", "0x1c00002", "-s", "100", "-a", attributes);
      expect(await connected(readEkCertificates)).toEqual([]);
      for (const [offset, end] of [
        [0, 1000],
        [1000, 1500],
      ] as const) {
        swtpm.write("part", padded.subarray(offset, end));
        tool("tpm2_nvwrite", "-C", "p", "0x1c0000a", "-i", "part", "--offset", `${offset}`);
      }
      expect(toHex((await connected((tpm) => readNv(tpm, 0x01c0000a))) ?? new Uint8Array())).toBe(
        toHex(padded),
      );
      const found = await connected(readEkCertificates);
      expect(found.map(({ index, der: bytes }) => [index, toHex(bytes)])).toEqual([[0x01c0000a, toHex(der)]]);
      const { endorsements } = await attesterOf().collect(REPORT_DATA);
      expect(endorsements?.certificates.map(({ serial }) => serial)).toEqual([
        ekCertificate.certificate.serial,
      ]);
      for (const index of ["0x1c0000a", "0x1c00002"]) tool("tpm2_nvundefine", "-C", "p", index);
    });

    it("reads indices by the owner's leave, and not those that are for others", async () => {
      tool("tpm2_nvdefine", "-C", "o", "0x1500001", "-s", "8", "-a", "ownerread|ownerwrite");
      tool("tpm2_nvdefine", "-C", "o", "0x1500002", "-s", "8", "-a", "ownerwrite|policyread|ppread");
      swtpm.write("eight", fromHex("0102030405060708"));
      for (const index of ["0x1500001", "0x1500002"]) tool("tpm2_nvwrite", "-C", "o", index, "-i", "eight");
      expect(await connected((tpm) => readNv(tpm, 0x01500001))).toEqual(fromHex("0102030405060708"));
      expect(await codeOfAsync(() => connected((tpm) => readNv(tpm, 0x01500002)))).toBe("TPM_UNSUITABLE");
      for (const index of ["0x1500001", "0x1500002"]) tool("tpm2_nvundefine", "-C", "o", index);
    });

    it.each([
      ["RSA", "0x1c00004", "0x1c00003", 256],
      ["EC", "0x1c0000c", "0x1c0000b", 32],
    ] as const)("makes the %s endorsement key of the manufacturer's template and nonce", async (...row) => {
      const [ekKind, templateIndex, nonceIndex, length] = row;
      const own = async (): Promise<string> => {
        const key = await connected((tpm) =>
          withLoaded(tpm, createEndorsementKey(tpm, ekKind), async (ek) => ek),
        );
        return toHex(encodeSized(key.public.encoded));
      };
      swtpm.write("policy", fromHex("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"));
      // tpm2_createek 5.4 takes bytes at random for a nonce; tpm2_createprimary takes what we say, as a C structure.
      const theirs = (nonce: Uint8Array): string => {
        const unique = new Uint8Array(2 * (2 + 128));
        unique.set([length & 0xff, length >> 8]);
        unique.set(nonce, 2);
        // Behind x, of at most 128 bytes, stands y.
        if (ekKind === "EC") unique.set([length, 0], 2 + 128);
        swtpm.write("unique", unique);
        tool(
          "tpm2_createprimary",
          ...["-C", "e", "-c", "ek.ctx", "-L", "policy", "-u", "unique"],
          ...["-G", ekKind === "RSA" ? "rsa2048:null:aes128cfb" : "ecc256:null:aes128cfb"],
          ...["-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt"],
        );
        tool("tpm2_readpublic", "-c", "ek.ctx", "-o", "ek.pub");
        tool("tpm2_flushcontext", "-t");
        return toHex(swtpm.read("ek.pub"));
      };
      const usual = await own();
      // Not the TCG's: userWithAuth instead of adminWithPolicy.
      const template = ekTemplate(ekKind);
      template[7] = (template[7] ?? 0) ^ 0xc0;
      provision(templateIndex, template);
      const ofTemplate = await own();
      expect(ofTemplate).toBe(theirs(new Uint8Array()));
      const nonce = new Uint8Array(length - 5).fill(0x6e);
      provision(nonceIndex, nonce);
      const ofNonce = await own();
      expect(ofNonce).toBe(theirs(nonce));
      expect(new Set([usual, ofTemplate, ofNonce]).size).toBe(3);
    });

    it("quotes with the key that the machine's maker provisioned, and gives its certificate", async () => {
      expect(await connected(provisionedAttestationKey)).toBeUndefined();
      provision("0x1c10001", akTemplate("RSASSA"));
      const without = await collected();
      expect(without.quote.signature.scheme).toBe("RSASSA");
      provision("0x1c10003", akTemplate("ECDSA"));
      const { akCertificate } = await (await createTpmVendor({ at: NOW })).machine();
      provision("0x1c10002", akCertificate.certificate.der);
      const { quote, spki, evidence } = await collected();
      expect(quote.signature.scheme).toBe("ECDSA");
      expect(parseTpmEvidence(evidence).certificates.map(({ serial }) => serial)).toEqual([
        akCertificate.certificate.serial,
      ]);
      // Of the endorsement hierarchy: another key than the one of the same template in the owner's.
      expect(equal(spki, (await collected({ ak: { scheme: "ECDSA" } })).spki)).toBe(false);
      unprovision("0x1c10002");
      provision("0x1c10002", fromHex("3003020101"));
      expect(await codeOfAsync(() => collected())).toBe("INVALID_DEVICE_OUTPUT");
      expect(await left()).toEqual([]);
    });

    it("takes an endorsement key's own secret where its template lets it", async () => {
      const template = ekTemplate("EC");
      // userWithAuth, in the lowest byte of the attributes.
      template[7] = (template[7] ?? 0) | 0x40;
      await connected((tpm) =>
        withLoaded(tpm, createPrimary(tpm, "endorsement", template), (ek) =>
          withLoaded(tpm, deriveAttestationKey(tpm, "ECDSA"), async (ak) => {
            const session = await openCredentialSession({ ek: ek.public, ak: ak.public });
            acceptActivation(session, await activateCredential(tpm, { ek, ak, challenge: session }));
          }),
        ),
      );
    });

    it("says what it refuses, and leaves nothing behind", async () => {
      await connected(async (tpm) => {
        await expect(createPrimary(tpm, "owner", new Uint8Array(4))).rejects.toMatchObject({
          code: "TPM_REFUSED",
          detail: { command: "TPM2_CreatePrimary", about: { kind: "parameter", number: 2 } },
        });
        await expect(readPublic(tpm, 0x81010009)).rejects.toMatchObject({
          detail: { name: "TPM_RC_HANDLE" },
        });
        const fourth = async (depth: number): Promise<TpmKey> =>
          withLoaded(tpm, createPrimary(tpm, "owner", storageTemplate()), (key) =>
            depth === 0 ? Promise.resolve(key) : fourth(depth - 1),
          );
        await expect(fourth(3)).rejects.toMatchObject({
          detail: { name: "TPM_RC_OBJECT_MEMORY" },
          hint: expect.stringContaining("/dev/tpmrm0"),
        });
        expect(await handlesBetween(tpm, ...TRANSIENT)).toEqual([]);
      });
    });

    it("asks for the endorsement hierarchy's secret where there is one", async () => {
      const authorization = { password: new TextEncoder().encode("opensesame") };
      tool("tpm2_changeauth", "-c", "e", "opensesame");
      await connected(async (tpm) => {
        await expect(createEndorsementKey(tpm, "EC")).rejects.toMatchObject({
          code: "TPM_REFUSED",
          detail: { name: "TPM_RC_BAD_AUTH", about: { kind: "session", number: 1 } },
          hint: expect.stringContaining("secret"),
        });
        await withLoaded(tpm, createEndorsementKey(tpm, "EC", { authorization }), (ek) =>
          withLoaded(tpm, deriveAttestationKey(tpm, "ECDSA"), async (ak) => {
            const session = await openCredentialSession({ ek: ek.public, ak: ak.public });
            const refused = activateCredential(tpm, { ek, ak, challenge: session });
            await expect(refused).rejects.toMatchObject({ detail: { command: "TPM2_PolicySecret" } });
            acceptActivation(
              session,
              await activateCredential(tpm, {
                ek,
                ak,
                challenge: session,
                endorsementAuthorization: authorization,
              }),
            );
          }),
        );
        // Sessions are flushed as well, also those that failed.
        expect(await handlesBetween(tpm, 0x03000000, 0x03ffffff)).toEqual([]);
      });
      tool("tpm2_changeauth", "-c", "e", "-p", "opensesame");
    });
  },
);

describe.skipIf(swtpmMissing !== undefined)("response codes", () => {
  it.each([
    0x100, 0x101, 0x103, 0x120, 0x12f, 0x142, 0x143, 0x14a, 0x151, 0x152, 0x18b, 0x1c4, 0x1d5, 0x2d2, 0x98e,
    0x9a2, 0xa9d, 0x3df, 0x902, 0x905, 0x907, 0x908, 0x90a, 0x910, 0x918, 0x920, 0x921, 0x922, 0x923,
  ])("%i is about what tpm2_rc_decode says", (code) => {
    const said = execFileSync("tpm2_rc_decode", [`0x${code.toString(16)}`], { encoding: "utf8" });
    const { about, name } = parseResponseCode(code);
    const [, kind, number] = /tpm:(handle|parameter|session)\((\d+)\)/.exec(said) ?? [];
    expect(about).toEqual(kind === undefined ? undefined : { kind, number: Number(number) });
    expect(/tpm:warn/.test(said)).toBe(code >= 0x900 && about === undefined);
    expect(name).toMatch(/^TPM_RC_/);
  });
});

/** Another key's public area: the one of a coordinate that nobody drew. */
function akOf(fill: number): Uint8Array {
  const template = akTemplate("ECDSA");
  const front = template.subarray(0, template.length - 4);
  const coordinate = encodeSized(new Uint8Array(32).fill(fill));
  return concat(front, coordinate, coordinate);
}
