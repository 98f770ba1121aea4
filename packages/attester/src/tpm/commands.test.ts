// SPDX-License-Identifier: Apache-2.0
// Every command against what a real software TPM answered to it, and against everything that it might have answered.

import { concat, fromHex, toHex } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import {
  ALGORITHM,
  checkQuote,
  encodeTpmPublic,
  isAttestationKey,
  nameOf,
  spkiOfTpmPublic,
} from "@adyton/evidence/tpm";
import { codeOf, codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answering, codeOfCommand, replaying, response, tpmOver } from "../../test/fake-tpm.ts";
import { ACTIVATE, CHALLENGE, COLLECT, EXTEND, type Exchange, REFUSALS } from "../../test/swtpm-exchanges.ts";
import { AttesterError } from "../errors.ts";
import {
  createAttestationKey,
  deriveAttestationKey,
  loadAttestationKey,
  persistentAttestationKey,
} from "./attestation-key.ts";
import { eccCurves, getCapability, handlesBetween, pcrBanks, tpmProperties } from "./capability.ts";
import { type Tpm, withLoaded } from "./connection.ts";
import { COMMAND } from "./constants.ts";
import { activateCredential } from "./credential.ts";
import { createEndorsementKey, readEkCertificates, withoutFill } from "./endorsement.ts";
import { createKey, createPrimary, loadKey, readPublic, type TpmKey, type WrappedKey } from "./keys.ts";
import { nvArea, parseNvArea, readNv } from "./nv.ts";
import { extendPcr, parsePcrReading, readPcrs } from "./pcr.ts";
import { parseQuoteResponse, quoteOnly, quotePcrs } from "./quote.ts";
import { encodeSelection } from "./selection.ts";
import { akTemplate, ekTemplate, storageTemplate, templateWithNonce } from "./templates.ts";

const ALL = { hash: "SHA-256", indices: Array.from({ length: 24 }, (_, i) => i) } as const;
const DATA = concat(
  Uint8Array.from({ length: 48 }, (_, i) => i),
  new Uint8Array(16),
);

/** The exchanges of these commands, in the order of the recording. */
function of(exchanges: readonly Exchange[], ...codes: readonly number[]): Exchange[] {
  return exchanges.filter(([command]) => codes.includes(codeOfCommand(fromHex(command))));
}

const { createPrimary: PRIMARY, create, getCapability: CAPABILITY } = COMMAND;
const areas = of(ACTIVATE, PRIMARY);
const created = of(ACTIVATE, create);
const nvExchanges = of(COLLECT, COMMAND.nvRead, COMMAND.nvReadPublic).slice(-2);
const propertiesExchange = COLLECT.slice(0, 1);
const certificateReading = [nvExchanges[0], ...propertiesExchange, nvExchanges[1]].flatMap((each) =>
  each ? [each] : [],
);

const activation = of(ACTIVATE, COMMAND.startAuthSession, COMMAND.policySecret, COMMAND.activateCredential);
const [[flushSession = "", flushed = ""] = []] = of(ACTIVATE, COMMAND.flushContext).filter(([command]) =>
  command.endsWith("03000000"),
);

async function endorsementKey(): Promise<TpmKey> {
  return createPrimary(await tpmOver(replaying(areas.slice(0, 1))), "endorsement", ekTemplate("EC"));
}

async function attestationKey(): Promise<TpmKey> {
  return readPublic(await tpmOver(replaying(of(ACTIVATE, COMMAND.readPublic))), 0x80000002);
}

async function wrapped(): Promise<WrappedKey> {
  return createKey(await tpmOver(replaying(created)), 0x80000001, akTemplate("ECDSA"));
}

async function activate(tpm: Tpm): Promise<Uint8Array> {
  return activateCredential(tpm, {
    ek: await endorsementKey(),
    ak: await attestationKey(),
    challenge: {
      credentialBlob: fromHex(CHALLENGE.credentialBlob),
      encryptedSecret: fromHex(CHALLENGE.encryptedSecret),
    },
    crypto: { randomBytes: (size) => new Uint8Array(size).fill(0x5a) },
  });
}

interface Recorded {
  readonly name: string;
  readonly exchanges: readonly Exchange[];
  readonly run: (tpm: Tpm) => Promise<unknown>;
  /** Which exchange is the command's own; default the last. */
  readonly own?: number;
}

/** Each command with its recording. */
const COMMANDS: readonly Recorded[] = [
  { name: "GetCapability of properties", exchanges: propertiesExchange, run: tpmProperties },
  { name: "GetCapability of PCR banks", exchanges: of(COLLECT, CAPABILITY).slice(1, 2), run: pcrBanks },
  { name: "GetCapability of curves", exchanges: of(COLLECT, CAPABILITY).slice(2, 3), run: eccCurves },
  {
    name: "GetCapability of handles",
    exchanges: of(COLLECT, CAPABILITY).slice(3, 4),
    run: (tpm) => handlesBetween(tpm, 0x01c00002, 0x01c0001e),
  },
  {
    name: "CreatePrimary of an attestation key",
    exchanges: of(COLLECT, PRIMARY),
    run: (tpm) => deriveAttestationKey(tpm, "ECDSA"),
  },
  {
    name: "CreatePrimary of an endorsement key",
    exchanges: areas.slice(0, 1),
    run: (tpm) => createPrimary(tpm, "endorsement", ekTemplate("EC")),
  },
  {
    name: "CreatePrimary of a storage key",
    exchanges: areas.slice(1, 2),
    run: (tpm) => createPrimary(tpm, "owner", storageTemplate()),
  },
  {
    name: "Create",
    exchanges: created,
    run: (tpm) => createKey(tpm, 0x80000001, akTemplate("ECDSA")),
  },
  {
    name: "Load",
    exchanges: of(ACTIVATE, COMMAND.load),
    run: async (tpm) => loadKey(tpm, 0x80000001, await wrapped()),
  },
  {
    name: "ReadPublic",
    exchanges: of(ACTIVATE, COMMAND.readPublic),
    run: (tpm) => readPublic(tpm, 0x80000002),
  },
  { name: "PCR_Read", exchanges: of(COLLECT, COMMAND.pcrRead), run: (tpm) => readPcrs(tpm, [ALL]) },
  {
    name: "Quote",
    exchanges: of(COLLECT, COMMAND.quote),
    run: (tpm) => quoteOnly(tpm, { ak: { handle: 0x80000000 }, qualifyingData: DATA, selection: [ALL] }),
  },
  { name: "NV_ReadPublic", exchanges: nvExchanges.slice(0, 1), run: (tpm) => nvArea(tpm, 0x01c0000a) },
  { name: "NV_Read", exchanges: certificateReading, run: (tpm) => readNv(tpm, 0x01c0000a) },
  {
    name: "PCR_Extend",
    exchanges: EXTEND,
    run: (tpm) => extendPcr(tpm, 16, [{ hash: "SHA-256", digest: new Uint8Array(32).fill(0x5a) }]),
  },
  ...["StartAuthSession", "PolicySecret", "ActivateCredential", "FlushContext"].map((name, own) => ({
    name,
    exchanges: [...activation, [flushSession, flushed] as const],
    run: activate,
    own,
  })),
];

describe("a software TPM's answers", () => {
  it.each(COMMANDS)("$name", async ({ exchanges, run }) => {
    const transport = replaying(exchanges);
    expect(exchanges.length).toBeGreaterThan(0);
    await run(await tpmOver(transport));
    expect(transport.sent).toHaveLength(exchanges.length);
  });

  it("say what TPM it is", async () => {
    expect(await tpmProperties(await tpmOver(replaying(propertiesExchange)))).toEqual({
      manufacturer: "IBM",
      model: "SW   TPM",
      firmwareVersion: 0x2019_1023_0016_3636n,
      revision: 164,
      maxDigest: 64,
      nvBuffer: 1024,
    });
    const banks = await pcrBanks(await tpmOver(replaying(of(COLLECT, CAPABILITY).slice(1, 2))));
    expect(banks).toEqual(["SHA-1", "SHA-256", "SHA-384", "SHA-512"].map((hash) => ({ ...ALL, hash })));
  });

  it("hold an attestation key, a quote of it and its PCRs", async () => {
    const key = await deriveAttestationKey(await tpmOver(replaying(of(COLLECT, PRIMARY))), "ECDSA");
    expect(isAttestationKey(key.public)).toBe(true);
    expect(key.handle).toBe(0x80000000);
    expect(toHex(key.name)).toBe(toHex(await nameOf(key.public, defaultCrypto)));
    const reading = replaying(of(COLLECT, COMMAND.pcrRead, COMMAND.quote));
    const quote = await quotePcrs(await tpmOver(reading), {
      ak: key,
      qualifyingData: DATA,
      selection: [ALL],
    });
    const spki = await defaultCrypto.importPublicKey(spkiOfTpmPublic(key.public));
    const { registers } = await checkQuote(quote, spki, defaultCrypto);
    expect(registers).toHaveLength(24);
    expect(registers.map(({ value }) => toHex(value)).slice(16, 18)).toEqual([
      "00".repeat(32),
      "ff".repeat(32),
    ]);
  });

  it("open a challenge, and leave nothing behind", async () => {
    const transport = replaying(ACTIVATE);
    const tpm = await tpmOver(transport);
    const answer = await withLoaded(tpm, createEndorsementKey(tpm, "EC"), async (ek) => {
      const wrapped = await createAttestationKey(tpm, "ECDSA");
      return withLoaded(tpm, loadAttestationKey(tpm, wrapped), async (ak) => {
        const secret = await activateCredential(tpm, {
          ek,
          ak,
          challenge: {
            credentialBlob: fromHex(CHALLENGE.credentialBlob),
            encryptedSecret: fromHex(CHALLENGE.encryptedSecret),
          },
          crypto: { randomBytes: (size) => new Uint8Array(size).fill(0x5a) },
        });
        expect(await readPublic(tpm, ak.handle)).toEqual(ak);
        return secret;
      });
    });
    expect(toHex(answer)).toBe(CHALLENGE.secret);
    expect(transport.sent).toHaveLength(ACTIVATE.length);
  });

  it("hold an endorsement key's certificate, in a larger index", async () => {
    const found = await readEkCertificates(await tpmOver(replaying(COLLECT.slice(-4))));
    expect(found.map(({ index, der }) => [index, der.length])).toEqual([[0x01c0000a, 424]]);
  });

  it("refuse", async () => {
    const tpm = await tpmOver(replaying(REFUSALS));
    await expect(persistentAttestationKey(tpm, 0x81010002)).rejects.toMatchObject({
      code: "TPM_REFUSED",
      detail: { name: "TPM_RC_HANDLE", about: { kind: "handle", number: 1 } },
    });
    await expect(
      extendPcr(tpm, 17, [{ hash: "SHA-256", digest: new Uint8Array(32).fill(0x5a) }]),
    ).rejects.toMatchObject({ detail: { name: "TPM_RC_LOCALITY" } });
    expect(await readNv(tpm, 0x01c00002)).toBeUndefined();
  });
});

const TYPED = ["INVALID_TPM_RESPONSE", "TPM_REFUSED", "TPM_UNSUITABLE", "REPORT_CONFLICT", "DEVICE_BUSY"];

/** The whole response with its size set right. */
function resized(bytes: Uint8Array): Uint8Array {
  const result = bytes.slice();
  new DataView(result.buffer).setUint32(2, result.length);
  return result;
}

describe.each(COMMANDS)("$name, answered wrongly", ({ exchanges, run, own = exchanges.length - 1 }) => {
  const answers = exchanges.map(([, answer]) => fromHex(answer));
  const right = answers[own] ?? new Uint8Array();
  /** Its response is another; whatever is flushed after the recording is flushed. */
  const attempt = async (answer: Uint8Array): Promise<string> => {
    const transport = answering((_, before) => (before === own ? answer : (answers[before] ?? response(0))));
    const tpm = await tpmOver(transport);
    return codeOfAsync(() => run(tpm));
  };

  it("refuses every shorter response, as it is and with its size set right", async () => {
    for (let length = 0; length < right.length; length++) {
      const cut = right.subarray(0, length);
      expect(await attempt(cut)).toBe("INVALID_TPM_RESPONSE");
      if (length >= 10) expect(await attempt(resized(cut))).toBe("INVALID_TPM_RESPONSE");
    }
  });

  it("refuses a longer one", async () => {
    expect(await attempt(concat(right, Uint8Array.of(0)))).toBe("INVALID_TPM_RESPONSE");
    expect(await attempt(resized(concat(right, Uint8Array.of(0))))).toBe("INVALID_TPM_RESPONSE");
  });

  it("refuses by type, whatever byte is another", async () => {
    for (let at = 0; at < right.length; at++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const changed = right.slice();
        changed[at] = (changed[at] ?? 0) ^ mask;
        // An error of another type fails here.
        expect(["nothing", ...TYPED]).toContain(await attempt(changed));
      }
    }
  });
});

describe("names", () => {
  const [[command = "", answer = ""] = []] = of(COLLECT, PRIMARY);
  const whole = fromHex(answer);

  it("are checked: another key's public area or name is refused, and the key flushed", async () => {
    expect(command).not.toBe("");
    // Handle and size of the parameters, TPM2B_PUBLIC; at the end TPM2B_NAME and the acknowledgement.
    const area = { from: 18, to: 20 + 0x58 };
    const name = { from: whole.length - 5 - 34, to: whole.length - 5 };
    for (const { from: first, to } of [area, name]) {
      for (let at = first; at < to; at++) {
        const changed = whole.slice();
        changed[at] = (changed[at] ?? 0) ^ 0x10;
        const transport = answering((_, before) => (before === 0 ? changed : response(0)));
        const tpm = await tpmOver(transport);
        expect(await codeOfAsync(() => deriveAttestationKey(tpm, "ECDSA"))).toBe("INVALID_TPM_RESPONSE");
        expect(transport.sent[1]).toBe("80010000000e0000016580000000");
      }
    }
  });
});

describe("capabilities", () => {
  const pair = (property: number, value: number): string =>
    property.toString(16).padStart(8, "0") + value.toString(16).padStart(8, "0");
  const part = (more: boolean, capability: number, ...entries: readonly string[]): Uint8Array =>
    response(
      0,
      fromHex(
        `${more ? "01" : "00"}${capability.toString(16).padStart(8, "0")}${entries.length.toString(16).padStart(8, "0")}${entries.join("")}`,
      ),
    );

  it("come in parts", async () => {
    const parts = [
      part(true, 6, pair(0x100, 0x322e3000), pair(0x105, 0x4e544300)),
      part(true, 6, pair(0x106, 0xff000000), pair(0x12c, 768)),
      part(true, 6, pair(0x200, 1)),
    ];
    const transport = answering((_, before) => parts[before] ?? response(0x101));
    expect(await tpmProperties(await tpmOver(transport))).toEqual({
      manufacturer: "NTC",
      model: "",
      firmwareVersion: 0n,
      revision: 0,
      maxDigest: 32,
      nvBuffer: 768,
    });
    expect(transport.sent.map((command) => command.slice(28, 36))).toEqual([
      "00000100",
      "00000106",
      "0000012d",
    ]);
  });

  it("end when the TPM promises more and gives none, or the same again", async () => {
    for (const answer of [part(true, 6), part(true, 6, pair(0x100, 0x322e3000))]) {
      const transport = answering(() => answer);
      await tpmProperties(await tpmOver(transport)).catch(() => undefined);
      expect(transport.sent.length).toBeLessThanOrEqual(2);
    }
    const endless = answering(() => part(true, 1, "01c00002"));
    expect(await handlesBetween(await tpmOver(endless), 0x01c00002, 0x01c0001e)).toEqual([0x01c00002]);
  });

  it("of handles end where they were to end", async () => {
    const parts = [part(true, 1, "01c00002", "01c0000a"), part(true, 1, "01c00014", "01c10002")];
    const transport = answering((_, before) => parts[before] ?? response(0x101));
    const tpm = await tpmOver(transport);
    expect(await handlesBetween(tpm, 0x01c00002, 0x01c0001e)).toEqual([0x01c00002, 0x01c0000a, 0x01c00014]);
    expect(await handlesBetween(await tpmOver(answering(() => part(false, 1))), 0, 9)).toEqual([]);
  });

  it.each<[rule: string, answer: Uint8Array, code: string]>([
    ["a TPM of another family", part(false, 6, pair(0x100, 0x312e3200)), "TPM_UNSUITABLE"],
    ["one that does not say", part(false, 6, pair(0x105, 0x49424d20)), "TPM_UNSUITABLE"],
    ["another capability", part(false, 5, pair(0x100, 0x322e3000)), "INVALID_TPM_RESPONSE"],
    [
      "a count that is wrong",
      response(0, fromHex(`000000000600000002${"00".repeat(8)}`)),
      "INVALID_TPM_RESPONSE",
    ],
    ["a truth that is neither", response(0, fromHex("0200000006" + "00000000")), "INVALID_TPM_RESPONSE"],
  ])("refuses %s", async (_rule, answer, code) => {
    const tpm = await tpmOver(answering(() => answer));
    expect(await codeOfAsync(() => tpmProperties(tpm))).toBe(code);
  });

  it("leaves banks out that are unknown or empty", async () => {
    const answer = response(
      0,
      fromHex("0000000005 00000003 0027 03 ffffff 000b 03 010000 0004 03 000000".replaceAll(" ", "")),
    );
    expect(await pcrBanks(await tpmOver(answering(() => answer)))).toEqual([
      { hash: "SHA-256", indices: [0] },
    ]);
  });

  it.each<[rule: string, selection: string]>([
    ["17 banks", `00000011${"000b03ffffff".repeat(17)}`],
    ["a bitmap of five bytes", "00000001000b05ffffffffff"],
  ])("refuses %s", async (_rule, selection) => {
    const tpm = await tpmOver(answering(() => response(0, fromHex(`0000000005${selection}`))));
    expect(await codeOfAsync(() => pcrBanks(tpm))).toBe("INVALID_TPM_RESPONSE");
  });

  it("give what was asked for, as it is", async () => {
    const tpm = await tpmOver(answering(() => part(false, 1, "01c00002")));
    expect(await getCapability(tpm, 1, 0, 1)).toEqual({ more: false, data: fromHex("0000000101c00002") });
  });
});

describe("PCRs", () => {
  const value = (byte: number): string => `0020${byte.toString(16).padStart(2, "0").repeat(32)}`;
  const reading = (counter: number, bitmap: string, ...values: readonly string[]): Uint8Array =>
    response(
      0,
      fromHex(
        `${counter.toString(16).padStart(8, "0")}00000001000b03${bitmap}${values.length.toString(16).padStart(8, "0")}${values.join("")}`,
      ),
    );
  const two = [{ hash: "SHA-256", indices: [0, 16] }] as const;

  it("are read again when one was extended in between", async () => {
    const answers = [
      reading(1, "010000", value(1)),
      reading(2, "000001", value(2)),
      reading(2, "010000", value(3)),
      reading(2, "000001", value(4)),
    ];
    const tpm = await tpmOver(answering((_, before) => answers[before] ?? response(0x101)));
    const [bank] = await readPcrs(tpm, two);
    expect([...(bank?.values ?? [])].map(([index, bytes]) => [index, bytes[0]])).toEqual([
      [0, 3],
      [16, 4],
    ]);
    const never = await tpmOver(
      answering((_, before) => reading(before, before % 2 === 0 ? "010000" : "000001", value(1))),
    );
    expect(await codeOfAsync(() => readPcrs(never, two))).toBe("REPORT_CONFLICT");
  });

  it.each<[rule: string, answer: Uint8Array, code: string]>([
    ["a bank that is not there", reading(1, "000000"), "TPM_UNSUITABLE"],
    ["a PCR that nobody asked for", reading(1, "020000", value(1)), "INVALID_TPM_RESPONSE"],
    ["a value too few", reading(1, "010001", value(1)), "INVALID_TPM_RESPONSE"],
    [
      "a value of another bank's size",
      reading(1, "010000", `0014${"00".repeat(20)}`),
      "INVALID_TPM_RESPONSE",
    ],
    [
      "nine values",
      reading(1, "ff0100", ...Array.from({ length: 9 }, () => value(1))),
      "INVALID_TPM_RESPONSE",
    ],
  ])("refuses %s", async (_rule, answer, code) => {
    const tpm = await tpmOver(answering(() => answer));
    expect(await codeOfAsync(() => readPcrs(tpm, two))).toBe(code);
  });

  it("are extended by a response without parameters", async () => {
    const digests = [{ hash: "SHA-256", digest: new Uint8Array(32) }] as const;
    const answer = response(0, fromHex("00000001aa0000010000"), 0x8002);
    const tpm = await tpmOver(answering(() => answer));
    expect(await codeOfAsync(() => extendPcr(tpm, 16, digests))).toBe("INVALID_TPM_RESPONSE");
  });

  it("nothing is asked where nothing is wanted", async () => {
    const transport = answering(() => response(0));
    expect(await readPcrs(await tpmOver(transport), [])).toEqual([]);
    expect(transport.sent).toEqual([]);
  });

  it.each<[rule: string, index: number, size: number | undefined]>([
    ["PCR 24", 24, 32],
    ["PCR -1", -1, 32],
    ["PCR 1.5", 1.5, 32],
    ["a digest of another hash", 16, 20],
    ["no digest", 16, undefined],
  ])("does not extend with %s", async (_rule, index, size) => {
    const transport = answering(() => response(0));
    const tpm = await tpmOver(transport);
    const digests = size === undefined ? [] : [{ hash: "SHA-256" as const, digest: new Uint8Array(size) }];
    expect(await codeOfAsync(() => extendPcr(tpm, index, digests))).toBe("INVALID_TPM_ARGUMENT");
    expect(transport.sent).toEqual([]);
  });

  it("selections have three bytes", () => {
    expect(toHex(encodeSelection([{ hash: "SM3", indices: [23, 0, 8] }]))).toBe("00000001001203010180");
    expect(codeOf(() => encodeSelection([{ hash: "SHA-1", indices: [24] }]))).toBe("INVALID_TPM_ARGUMENT");
  });
});

describe("quotes", () => {
  const [[, pcrs = ""] = []] = of(COLLECT, COMMAND.pcrRead);
  const [[, quoted = ""] = []] = of(COLLECT, COMMAND.quote);
  const request = { ak: { handle: 0x80000000 }, qualifyingData: DATA, selection: [ALL] };

  it("over another's data are refused", async () => {
    const tpm = await tpmOver(answering(() => fromHex(quoted)));
    const other = { ...request, qualifyingData: DATA.subarray(1) };
    expect(await codeOfAsync(() => quoteOnly(tpm, other))).toBe("INVALID_TPM_RESPONSE");
  });

  it("are made again when PCRs were extended before them", async () => {
    const readings = of(COLLECT, COMMAND.pcrRead).map(([, answer]) => fromHex(answer));
    let quotes = 0;
    const respond = (command: Uint8Array, before: number): Uint8Array => {
      if (codeOfCommand(command) === COMMAND.quote) {
        quotes++;
        return fromHex(quoted);
      }
      const answer = (readings[before % 4] ?? response(0x101)).slice();
      // The first PCR's value, of the first three rounds.
      if (before < 12 && before % 4 === 0) answer[34] = 1;
      return answer;
    };
    expect(pcrs).not.toBe("");
    await quotePcrs(await tpmOver(answering(respond)), request);
    expect(quotes).toBe(4);
    const never = answering((command, before) =>
      codeOfCommand(command) === COMMAND.quote ? fromHex(quoted) : respond(command, before % 4),
    );
    expect(await codeOfAsync(async () => quotePcrs(await tpmOver(never), request))).toBe("REPORT_CONFLICT");
  });
});

describe("NV indices", () => {
  /** TPM2_NV_ReadPublic's answer. */
  const area = (attributes: number, size: number, index = 0x01c00002): Uint8Array => {
    const numbers = `${index.toString(16).padStart(8, "0")}000b${attributes.toString(16).padStart(8, "0")}0000${size.toString(16).padStart(4, "0")}`;
    return response(0, fromHex(`000e${numbers}0022${"00".repeat(34)}`));
  };
  const properties = (buffer: number): Uint8Array =>
    response(
      0,
      fromHex(
        `000000000600000002 00000100322e3000 0000012c${buffer.toString(16).padStart(8, "0")}`.replaceAll(
          " ",
          "",
        ),
      ),
    );
  const data = (size: number, fill: number): Uint8Array => {
    const bytes = concat(fromHex(size.toString(16).padStart(4, "0")), new Uint8Array(size).fill(fill));
    return response(
      0,
      concat(fromHex(bytes.length.toString(16).padStart(8, "0")), bytes, fromHex("0000010000")),
      0x8002,
    );
  };
  const read = async (
    ...answers: readonly Uint8Array[]
  ): Promise<{ bytes?: Uint8Array | undefined; code?: string; sent: readonly string[] }> => {
    const transport = answering((_, before) => answers[before] ?? response(0x101));
    const tpm = await tpmOver(transport);
    let bytes: Uint8Array | undefined;
    const code = await codeOfAsync(async () => {
      bytes = await readNv(tpm, 0x01c00002);
    });
    return { bytes, code, sent: transport.sent };
  };
  const [AUTH, OWNER, WRITTEN] = [0x40000, 0x20000, 0x20000000];

  it("are read in pieces, with their own leave or the owner's", async () => {
    const pieces = [data(10, 1), data(10, 2), data(5, 3)];
    const own = await read(area(AUTH | OWNER | WRITTEN, 25), properties(10), ...pieces);
    expect(toHex(own.bytes ?? new Uint8Array())).toBe("01".repeat(10) + "02".repeat(10) + "03".repeat(5));
    expect(own.sent.slice(2).map((command) => command.slice(20, 36))).toEqual(
      Array(3).fill("01c0000201c00002"),
    );
    expect(own.sent.slice(2).map((command) => command.slice(-8))).toEqual([
      "000a0000",
      "000a000a",
      "00050014",
    ]);
    const owners = await read(area(OWNER | WRITTEN, 5), properties(1 << 20), data(5, 3));
    expect(owners.sent[2]?.slice(20, 36)).toBe("4000000101c00002");
  });

  it.each<[rule: string, answers: readonly Uint8Array[], code: string]>([
    ["that is not there", [response(0x18b)], "nothing"],
    ["where nothing was written", [area(AUTH, 25)], "nothing"],
    ["that nobody here may read", [area(WRITTEN, 25)], "TPM_UNSUITABLE"],
    ["of another number", [area(AUTH | WRITTEN, 25, 0x01c00003)], "INVALID_TPM_RESPONSE"],
    ["that is read in no steps", [area(AUTH | WRITTEN, 25), properties(0)], "INVALID_TPM_RESPONSE"],
    ["that gives less", [area(AUTH | WRITTEN, 25), properties(99), data(24, 0)], "INVALID_TPM_RESPONSE"],
    ["that is refused", [response(0x101)], "TPM_REFUSED"],
  ])("one %s", async (_rule, answers, code) => {
    const result = await read(...answers);
    expect(result.code).toBe(code);
    expect(result.bytes).toBeUndefined();
  });

  it.each<[rule: string, bytes: string, length: number]>([
    ["zeros behind it", `30820002aabb${"00".repeat(9)}`, 6],
    ["ones behind it", `30820002aabb${"ff".repeat(9)}`, 6],
    ["nothing behind it", "30820002aabb", 6],
    ["something behind it", "30820002aabb0001", 8],
    ["less than it says", "30820009aabb", 6],
    ["no sequence", "31820002aabb0000", 8],
    ["few bytes", "3082", 2],
  ])("a certificate with %s", (_rule, bytes, length) => {
    expect(withoutFill(fromHex(bytes))).toHaveLength(length);
  });
});

describe("templates", () => {
  const zeros = (size: number): string => "00".repeat(size);
  const policy = "0020837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa";

  it("L-1, L-2 and those of attestation keys", () => {
    expect(toHex(ekTemplate("RSA"))).toBe(
      `0001000b000300b2${policy}0006008000430010${"0800"}${"00000000"}${"0100"}${zeros(256)}`,
    );
    expect(toHex(ekTemplate("EC"))).toBe(
      `0023000b000300b2${policy}000600800043001000030010${"0020"}${zeros(32)}${"0020"}${zeros(32)}`,
    );
    expect(toHex(akTemplate("ECDSA"))).toBe("0023000b00050472000000100018000b0003001000000000");
    expect(toHex(akTemplate("RSASSA"))).toBe("0001000b00050472000000100014000b0800000000000000");
    expect(toHex(akTemplate("RSAPSS"))).toBe("0001000b00050472000000100016000b0800000000000000");
    expect(toHex(storageTemplate())).toBe("0023000b00030472000000060080004300100003001000000000");
  });

  it("take a manufacturer's nonce instead of a key", () => {
    const nonce = Uint8Array.of(1, 2, 3);
    const tail = (size: number): string => `010203${zeros(size - 3)}`;
    expect(toHex(templateWithNonce(ekTemplate("RSA"), nonce)).slice(-516)).toBe(`0100${tail(256)}`);
    expect(toHex(templateWithNonce(ekTemplate("EC"), nonce)).slice(-136)).toBe(
      `0020${tail(32)}0020${zeros(32)}`,
    );
    expect(toHex(templateWithNonce(akTemplate("ECDSA"), nonce)).slice(0, 40)).toBe(
      toHex(akTemplate("ECDSA")).slice(0, 40),
    );
  });

  it("of other kinds take none", () => {
    const keyedHash = fromHex(`0008${toHex(ekTemplate("EC")).slice(4)}`);
    expect(codeOf(() => templateWithNonce(keyedHash, new Uint8Array(1)))).toBe("TPM_UNSUITABLE");
    expect(codeOf(() => templateWithNonce(ekTemplate("EC"), new Uint8Array(33)))).toBe("TPM_UNSUITABLE");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(["nothing", "INVALID_TPM_RESPONSE", "TPM_UNSUITABLE"]).toContain(
          codeOf(() => templateWithNonce(bytes, new Uint8Array(20))),
        );
      }),
    );
  });
});

describe("persistent keys", () => {
  it("have a persistent handle, and sign nothing but what the TPM says", async () => {
    const transport = answering(() => response(0));
    const tpm = await tpmOver(transport);
    for (const handle of [0x80000000, 0x82000000, 0x40000001, 1.5]) {
      expect(await codeOfAsync(() => persistentAttestationKey(tpm, handle))).toBe("INVALID_TPM_ARGUMENT");
    }
    expect(transport.sent).toEqual([]);
    const signing = encodeTpmPublic({
      nameHash: "SHA-256",
      attributes: 0x40472,
      authPolicy: new Uint8Array(),
      symmetric: undefined,
      scheme: { algorithm: ALGORITHM.ecdsa, hash: "SHA-256" },
      key: { type: "ECC", curve: "P-256", x: new Uint8Array(32).fill(1), y: new Uint8Array(32).fill(2) },
    });
    const name = await nameOf({ nameHash: "SHA-256", encoded: signing }, defaultCrypto);
    const area = concat(
      Uint8Array.of(0, signing.length),
      signing,
      Uint8Array.of(0, name.length),
      name,
      Uint8Array.of(0, 0),
    );
    const other = await tpmOver(answering(() => response(0, area)));
    expect(await codeOfAsync(() => persistentAttestationKey(other, 0x81010002))).toBe("TPM_UNSUITABLE");
  });
});

describe("any bytes", () => {
  it("are parsed or refused by type", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const parse of [
          () => parsePcrReading(bytes),
          () => parseNvArea(bytes, 0x01c00002),
          () => parseQuoteResponse(bytes, DATA),
        ]) {
          try {
            parse();
          } catch (error) {
            expect(error).toBeInstanceOf(AttesterError);
          }
        }
      }),
    );
  });
});
