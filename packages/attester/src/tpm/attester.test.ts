// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromHex, toHex } from "@adyton/core/bytes";
import { verifyEvidence } from "@adyton/evidence";
import { NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import { parseTpmEvidence, tpm as scheme, verifyTpm } from "@adyton/evidence/tpm";
import { codeOfAsync } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { answering, codeOfCommand, replaying, response, tpmOver } from "../../test/fake-tpm.ts";
import { errno } from "../../test/fake-tsm.ts";
import { COLLECT } from "../../test/swtpm-exchanges.ts";
import { AttesterError } from "../errors.ts";
import type { FileSystem } from "../lib/filesystem.ts";
import { createTpmAttester, type TpmAttesterOptions, tpmAttester } from "./attester.ts";
import { COMMAND } from "./constants.ts";

const REPORT_DATA = Uint8Array.from({ length: 48 }, (_, i) => i);
const NOW = new Date("2026-06-01T00:00:00Z");
const recorded = COLLECT.map(([, answer]) => fromHex(answer));

/** An attester of the recorded TPM; `change` may answer instead. */
function recordedAttester(
  options: TpmAttesterOptions = {},
  change: (code: number, before: number) => Uint8Array | undefined = () => undefined,
) {
  const transport = answering(
    (command, before) => change(codeOfCommand(command), before) ?? recorded[before] ?? response(0x101),
  );
  return { transport, attester: createTpmAttester({ open: () => tpmOver(transport), env: {}, ...options }) };
}

/** What TPM2_GetCapability says of a TPM whose longest digest has `size` bytes. */
function propertiesOf(size: number): Uint8Array {
  const pairs = `00000100322e300000000120${size.toString(16).padStart(8, "0")}`;
  return response(0, fromHex(`000000000600000002${pairs}`));
}

describe("collecting", () => {
  it("quotes all PCRs of the SHA-256 bank over the report data, and gives the endorsement key's certificate", async () => {
    const transport = replaying(COLLECT);
    const attester = createTpmAttester({ open: () => tpmOver(transport), env: {} });
    const { tee, evidence, endorsements, eventLog } = await attester.collect(REPORT_DATA);
    expect([tee, eventLog, transport.closed, transport.sent.length]).toEqual([
      "tpm",
      undefined,
      true,
      COLLECT.length,
    ]);
    expect(endorsements?.certificates.map(({ subject }) => subject.text)).toEqual([
      "CN=Adyton test endorsement key",
    ]);
    const { akSpki } = parseTpmEvidence(evidence);
    const verified = await verifyEvidence(evidence, {
      now: NOW,
      reportData: REPORT_DATA,
      anchors: { ...NO_ENDORSEMENTS, keys: [{ spki: akSpki, identifiers: {} }] },
    });
    expect(verified.registers).toHaveLength(24);
    expect(verified.claims.pcr17).toBe("ff".repeat(32));
    expect(await codeOfAsync(() => verifyTpm(evidence, { now: NOW }))).toBe("AK_NOT_TRUSTED");
    expect(scheme.fromKbs(scheme.toKbs({ evidence })).evidence).toEqual(evidence);
  });

  it("binds less where the TPM has no longer digest, but never a part", async () => {
    const of = (size: number) => (code: number, before: number) =>
      code === COMMAND.getCapability && before === 0 ? propertiesOf(size) : undefined;
    // 48 bytes and two more fit: the quote is over the report data without the zeros behind it.
    const shorter = recordedAttester({}, of(48));
    expect(await codeOfAsync(() => shorter.attester.collect(REPORT_DATA))).toBe("INVALID_TPM_RESPONSE");
    const quote = shorter.transport.sent.find((command) => codeOfCommand(fromHex(command)) === COMMAND.quote);
    expect(quote).toContain(`0030${toHex(REPORT_DATA)}0010`);
    expect(await codeOfAsync(() => recordedAttester({}, of(32)).attester.collect(REPORT_DATA))).toBe(
      "TPM_UNSUITABLE",
    );
  });

  it("refuses more than 64 bytes", async () => {
    const { transport, attester } = recordedAttester();
    expect(await codeOfAsync(() => attester.collect(new Uint8Array(65)))).toBe("INVALID_REPORT_DATA");
    expect(transport.sent).toEqual([]);
  });

  it.each<[rule: string, options: TpmAttesterOptions, code: string]>([
    ["a bank that the TPM has not", { bank: "SM3" }, "TPM_UNSUITABLE"],
    ["a handle that is none", { env: { ADYTON_TPM_AK: "81010002" } }, "INVALID_TPM_ARGUMENT"],
    ["a handle of another kind", { env: { ADYTON_TPM_AK: "0x80000000" } }, "INVALID_TPM_ARGUMENT"],
    ["a handle of another kind, by option", { ak: { handle: 1 } }, "INVALID_TPM_ARGUMENT"],
  ])("refuses %s", async (_rule, options, code) => {
    const { transport, attester } = recordedAttester(options);
    expect(await codeOfAsync(() => attester.collect(REPORT_DATA))).toBe(code);
    expect(transport.closed).toBe(transport.sent.length > 0);
  });

  it("refuses an address that is none", async () => {
    const attester = createTpmAttester({ env: { ADYTON_TPM: "/dev/tpm0" } });
    expect(await codeOfAsync(() => attester.collect(REPORT_DATA))).toBe("INVALID_TPM_ARGUMENT");
  });

  it("keeps the first error and closes the TPM when closing fails too", async () => {
    const { transport } = recordedAttester({}, () => response(0x101));
    const failing = { ...transport, close: () => Promise.reject(new Error("close")) };
    const attester = createTpmAttester({ open: () => tpmOver(failing), env: {} });
    expect(await codeOfAsync(() => attester.collect(REPORT_DATA))).toBe("TPM_REFUSED");
  });

  it("flushes the key when quoting fails", async () => {
    const { transport, attester } = recordedAttester({}, (code) =>
      code === COMMAND.quote ? response(0x98e) : code === COMMAND.flushContext ? response(0) : undefined,
    );
    expect(await codeOfAsync(() => attester.collect(REPORT_DATA))).toBe("TPM_REFUSED");
    expect(transport.sent.at(-1)).toBe("80010000000e0000016580000000");
    expect(transport.closed).toBe(true);
  });

  it("leaves a certificate out that is none", async () => {
    const { attester } = recordedAttester({}, (_code, before) => {
      if (before !== COLLECT.length - 1) return undefined;
      const changed = recorded[before]?.slice();
      changed?.set([0x31], 16);
      return changed;
    });
    expect((await attester.collect(REPORT_DATA)).endorsements).toBeUndefined();
  });
});

describe("the event log", () => {
  const LOG = Uint8Array.of(1, 2, 3);
  const files = (path: string, error?: string): FileSystem => ({
    exists: async (asked) => asked === path,
    mkdir: () => Promise.reject(errno("EROFS")),
    rmdir: () => Promise.reject(errno("EROFS")),
    writeFile: () => Promise.reject(errno("EROFS")),
    readFile: (asked) =>
      asked === path && error === undefined ? Promise.resolve(LOG) : Promise.reject(errno(error ?? "ENOENT")),
  });
  const path = (number: number): string => `/sys/kernel/security/tpm${number}/binary_bios_measurements`;

  it.each<[rule: string, options: TpmAttesterOptions, log: Uint8Array | undefined]>([
    ["is that of the kernel's TPM", { address: "device:/dev/tpmrm0", files: files(path(0)) }, LOG],
    ["is that of the other TPM", { address: "device:/dev/tpm1", files: files(path(1)) }, LOG],
    [
      "is below the root",
      { root: "/mnt", address: "device:/dev/tpmrm0", files: files(`/mnt${path(0)}`) },
      LOG,
    ],
    ["is not another TPM's", { address: "device:/dev/tpmrm1", files: files(path(0)) }, undefined],
    ["is not a software TPM's", { address: "swtpm:port=2321", files: files(path(0)) }, undefined],
    ["is not that of a TPM by other means", { files: files(path(0)) }, undefined],
    [
      "is left out where it is for root alone",
      { address: "device:/dev/tpmrm0", files: files(path(0), "EACCES") },
      undefined,
    ],
  ])("%s", async (_rule, options, log) => {
    expect((await recordedAttester(options).attester.collect(REPORT_DATA)).eventLog).toEqual(log);
  });

  it("is an error when it cannot be read", async () => {
    const { attester } = recordedAttester({ address: "device:/dev/tpmrm0", files: files(path(0), "EIO") });
    expect(await codeOfAsync(() => attester.collect(REPORT_DATA))).toBe("DEVICE_FAILED");
  });
});

describe("probing", () => {
  it("names the TPM that answers, and asks for no quote", async () => {
    const { transport, attester } = recordedAttester();
    expect(await attester.probe()).toEqual({
      available: true,
      found: ["TPM 2.0, a TPM 2.0 by IBM SW TPM"],
      missing: [],
    });
    expect([transport.sent.length, transport.closed]).toEqual([1, true]);
  });

  const refusing = (detail: Readonly<Record<string, unknown>>) => async () => {
    throw new AttesterError("DEVICE_FAILED", "unavailable", "Cannot open it", { detail });
  };
  it.each<[rule: string, options: TpmAttesterOptions, missing: RegExp, next: RegExp]>([
    ["no device", { root: "/no-such-root", env: {} }, /^\/no-such-root\/dev\/tpmrm0$/, /Turn the TPM on/],
    ["no permission", { open: refusing({ errno: "EACCES" }) }, /^permission to open TPM 2.0$/, /group/],
    [
      "no answer",
      { open: refusing({ errno: "EIO" }) },
      /^an answer of TPM 2.0 \(Cannot open it\)$/,
      /running/,
    ],
    ["another failure", { open: () => Promise.reject(new Error("odd")) }, /odd/, /running/],
    ["an address that is none", { env: { ADYTON_TPM: "tpm0" } }, /Cannot read TPM address "tpm0"/, /device:/],
    ["no server", { address: "swtpm:path=/no-such/socket" }, /no-such\/socket/, /running/],
    ["a server that is not there", { address: "swtpm:port=1" }, /127.0.0.1:1/, /running/],
    [
      "a TPM of another family",
      { open: () => tpmOver(answering(() => response(0, fromHex("000000000600000000")))) },
      /family/,
      /anew/,
    ],
  ])("%s", async (_rule, options, missing, next) => {
    const probe = await tpmAttester.create(options).probe();
    expect(probe.available).toBe(false);
    expect(probe.missing.join()).toMatch(missing);
    expect(probe.next).toMatch(next);
  });

  it("writes to nothing that is no device", async () => {
    const root = await mkdtemp(join(tmpdir(), "adyton-root-"));
    await mkdir(join(root, "dev"));
    await writeFile(join(root, "dev/tpmrm0"), "precious");
    const { available, missing } = await createTpmAttester({ root, env: {} }).probe();
    expect([available, missing.join()]).toEqual([false, expect.stringContaining("no character device")]);
    expect(await readFile(join(root, "dev/tpmrm0"), "utf8")).toBe("precious");
    await rm(root, { recursive: true });
  });
});
