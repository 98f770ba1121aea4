// SPDX-License-Identifier: Apache-2.0
import { concat, fromHex, toHex } from "@adyton/core/bytes";
import { codeOf, codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answering, response, tpmOver } from "../../test/fake-tpm.ts";
import { AttesterError } from "../errors.ts";
import { flushContext, withLoaded } from "./connection.ts";
import { encodeCommand, isRefusal, NO_AUTH, parseResponse, type TpmCommand } from "./frame.ts";

const PLAIN: TpmCommand = { name: "TPM2_Test", code: 0x17a };
const AUTHORIZED: TpmCommand = { ...PLAIN, handles: [1], authorizations: [NO_AUTH, { session: 0x03000000 }] };
/** Nonce, attributes, no HMAC: of a password, and of a session. */
const ACKNOWLEDGED = fromHex(`0000010000${"0002aaaa010000"}`);
const sized = (parameters: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(0, 0, 0, parameters.length), parameters);

describe("commands", () => {
  it.each<[rule: string, command: TpmCommand, bytes: string]>([
    ["nothing but a header", PLAIN, "8001 0000000a 0000017a"],
    [
      "handles and parameters",
      { ...PLAIN, handles: [7], parameters: Uint8Array.of(9) },
      "8001 0000000f 0000017a 00000007 09",
    ],
    [
      "an empty password",
      { ...PLAIN, authorizations: [NO_AUTH] },
      "8002 00000017 0000017a 00000009 40000009 0000 01 0000",
    ],
    [
      "a password",
      { ...PLAIN, authorizations: [{ password: Uint8Array.of(1, 2) }] },
      "8002 00000019 0000017a 0000000b 40000009 0000 01 0002 0102",
    ],
    [
      "two authorizations",
      { ...AUTHORIZED, parameters: Uint8Array.of(5) },
      "8002 00000025 0000017a 00000001 00000012 40000009 0000 01 0000 03000000 0000 01 0000 05",
    ],
  ])("%s", (_rule, command, bytes) => {
    expect(toHex(encodeCommand(command))).toBe(bytes.replaceAll(" ", ""));
  });

  it("refuses what is longer than any TPM takes", () => {
    const of = (length: number) => () => encodeCommand({ ...PLAIN, parameters: new Uint8Array(length) });
    expect(of(4086)()).toHaveLength(4096);
    expect(codeOf(of(4087))).toBe("INVALID_TPM_ARGUMENT");
  });
});

describe("responses", () => {
  it("are taken apart", () => {
    const body = Uint8Array.of(0x80, 0, 0, 1, 7);
    expect(parseResponse(response(0, body), PLAIN)).toEqual({ handle: 0, parameters: body });
    expect(parseResponse(response(0, body), { ...PLAIN, givesHandle: true })).toEqual({
      handle: 0x80000001,
      parameters: Uint8Array.of(7),
    });
    const authorized = concat(sized(Uint8Array.of(7)), ACKNOWLEDGED);
    expect(parseResponse(response(0, authorized, 0x8002), AUTHORIZED)).toEqual({
      handle: 0,
      parameters: Uint8Array.of(7),
    });
  });

  it.each<[rule: string, bytes: Uint8Array, command: TpmCommand, code: string]>([
    ["nothing", new Uint8Array(), PLAIN, "INVALID_TPM_RESPONSE"],
    ["half a header", response(0).subarray(0, 9), PLAIN, "INVALID_TPM_RESPONSE"],
    ["a size that is too small", fromHex("80010000000900000000"), PLAIN, "INVALID_TPM_RESPONSE"],
    ["a size that is too large", fromHex("80010000000b00000000"), PLAIN, "INVALID_TPM_RESPONSE"],
    ["the tag of sessions without any", response(0, undefined, 0x8002), PLAIN, "INVALID_TPM_RESPONSE"],
    [
      "no tag of sessions",
      response(0, concat(sized(new Uint8Array()), ACKNOWLEDGED)),
      AUTHORIZED,
      "INVALID_TPM_RESPONSE",
    ],
    ["an error with a body", response(0x101, Uint8Array.of(1)), PLAIN, "INVALID_TPM_RESPONSE"],
    ["no handle", response(0), { ...PLAIN, givesHandle: true }, "INVALID_TPM_RESPONSE"],
    [
      "parameters beyond the end",
      response(0, Uint8Array.of(0, 0, 0, 1), 0x8002),
      AUTHORIZED,
      "INVALID_TPM_RESPONSE",
    ],
    [
      "one acknowledgement of two",
      response(0, concat(sized(new Uint8Array()), fromHex("0000010000")), 0x8002),
      AUTHORIZED,
      "INVALID_TPM_RESPONSE",
    ],
    [
      "bytes behind the last one",
      response(0, concat(sized(new Uint8Array()), ACKNOWLEDGED, Uint8Array.of(0)), 0x8002),
      AUTHORIZED,
      "INVALID_TPM_RESPONSE",
    ],
    [
      "an HMAC without a key",
      response(0, concat(sized(new Uint8Array()), fromHex("00000100010000000100000000")), 0x8002),
      AUTHORIZED,
      "INVALID_TPM_RESPONSE",
    ],
    [
      "a nonce of 65 bytes",
      response(0, concat(sized(new Uint8Array()), fromHex(`0041${"aa".repeat(65)}010000`)), 0x8002),
      { ...PLAIN, authorizations: [NO_AUTH] },
      "INVALID_TPM_RESPONSE",
    ],
    ["a refusal", response(0x1d5), AUTHORIZED, "TPM_REFUSED"],
    ["a TPM 1.2's refusal", response(0x1e, undefined, 0xc4), PLAIN, "TPM_REFUSED"],
  ])("refuse %s", (_rule, bytes, command, code) => {
    expect(codeOf(() => parseResponse(bytes, command))).toBe(code);
  });

  it("tell what was refused, and the next step", () => {
    const act = (code: number) => () => parseResponse(response(code), PLAIN);
    expect(act(0x9a2)).toThrow(
      expect.objectContaining({
        message: "Cannot run TPM2_Test: the TPM said TPM_RC_BAD_AUTH (9a2h) about session 1",
        category: "unavailable",
        hint: expect.stringContaining("secret"),
        detail: {
          command: "TPM2_Test",
          value: 0x9a2,
          name: "TPM_RC_BAD_AUTH",
          about: { kind: "session", number: 1 },
          transient: false,
        },
      }),
    );
    expect(act(0x155)).toThrow(expect.objectContaining({ hint: undefined }));
  });

  it("are told apart by name", () => {
    const refused = new AttesterError("TPM_REFUSED", "unavailable", "", {
      detail: { name: "TPM_RC_HANDLE" },
    });
    const other = new AttesterError("DEVICE_FAILED", "unavailable", "", {
      detail: { name: "TPM_RC_HANDLE" },
    });
    expect([refused, other, new Error("x")].map((error) => isRefusal(error, "TPM_RC_HANDLE"))).toEqual([
      true,
      false,
      false,
    ]);
    expect(isRefusal(refused, "TPM_RC_SIZE")).toBe(false);
  });

  it("of any bytes are parsed or refused by type", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        (body, framed, sessions, givesHandle) => {
          const bytes = framed ? response(0, body, sessions ? 0x8002 : 0x8001) : body;
          try {
            parseResponse(bytes, { ...(sessions ? AUTHORIZED : PLAIN), givesHandle });
          } catch (error) {
            expect(error).toBeInstanceOf(AttesterError);
          }
        },
      ),
    );
  });
});

describe("patience", () => {
  it.each([0x908, 0x90a, 0x920, 0x922])("asks again after %i", async (code) => {
    const transport = answering((_, before) => response(before < 3 ? code : 0));
    const waits: number[] = [];
    const tpm = await tpmOver(transport, { wait: async (milliseconds) => void waits.push(milliseconds) });
    await tpm.run(PLAIN);
    expect(new Set(transport.sent).size).toBe(1);
    expect(waits).toEqual([50, 100, 200]);
  });

  it("ends", async () => {
    const transport = answering(() => response(0x922));
    const tpm = await tpmOver(transport);
    await expect(tpm.run(PLAIN)).rejects.toMatchObject({
      code: "DEVICE_BUSY",
      message: "Cannot run TPM2_Test: the TPM still said TPM_RC_RETRY (922h) at try 8",
    });
    expect(transport.sent).toHaveLength(8);
  });

  it("is not for other refusals, nor for what is no response", async () => {
    for (const [answer, code] of [
      [response(0x101), "TPM_REFUSED"],
      [new Uint8Array(3), "INVALID_TPM_RESPONSE"],
    ] as const) {
      const transport = answering(() => answer);
      const tpm = await tpmOver(transport);
      expect(await codeOfAsync(() => tpm.run(PLAIN))).toBe(code);
      expect(transport.sent).toHaveLength(1);
    }
  });
});

describe("what the TPM holds", () => {
  const held = Promise.resolve({ handle: 0x80000000 });
  const flush = "80010000000e0000016580000000";

  it("is flushed when it was used, and when using it failed", async () => {
    const transport = answering(() => response(0));
    const tpm = await tpmOver(transport);
    expect(await withLoaded(tpm, held, async ({ handle }) => handle)).toBe(0x80000000);
    const failing = withLoaded(tpm, held, () => Promise.reject(new Error("first")));
    await expect(failing).rejects.toThrow("first");
    expect(transport.sent).toEqual([flush, flush]);
  });

  it("is not left behind in silence", async () => {
    const tpm = await tpmOver(answering(() => response(0x1c4)));
    expect(await codeOfAsync(() => withLoaded(tpm, held, async () => 1))).toBe("TPM_REFUSED");
    await expect(withLoaded(tpm, held, () => Promise.reject(new Error("first")))).rejects.toThrow("first");
    expect(await codeOfAsync(() => flushContext(tpm, 1))).toBe("TPM_REFUSED");
  });
});
