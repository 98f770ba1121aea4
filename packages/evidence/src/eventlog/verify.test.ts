// SPDX-License-Identifier: Apache-2.0
// Logs against registers: Trustee's expected claims on real logs, boot facts, and every refusal. The evidence here is
// made up of the registers that a log makes; real evidence with its log is in the TPM's and the simulator's tests.

import { concat, fromHex, fromUtf8, toHex } from "@adyton/core/bytes";
import { verifyingCrypto } from "@adyton/core/crypto";
import { codeOfAsync, fixtureBytes, fixtureText, hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { digestOf, type TpmHash } from "../tpm/algorithms.ts";
import { type MeasurementRegister, seal, type VerifiedEvidence } from "../verified.ts";
import { type EventLog, encodeEventLog, type LogEvent, parseEventLog } from "./log.ts";
import { initialValues, isExtending, replay } from "./replay.ts";
import { EVENT_TYPE } from "./types.ts";
import { verifyEventLog } from "./verify.ts";

/** Evidence with these registers, as a scheme would seal it. */
function evidenceWith(registers: readonly MeasurementRegister[] | undefined): VerifiedEvidence {
  return seal({
    tee: "tdx",
    at: new Date("2026-01-01T00:00:00Z"),
    trust: { root: "test", rootSha256: "", simulated: true },
    tcb: { status: null, evaluationNumber: null, date: null, advisoryIds: [], components: {} },
    debug: false,
    reportData: new Uint8Array(64),
    initDataField: null,
    ...(registers === undefined ? {} : { registers }),
    claims: { of: "hardware" },
    endorsements: { earliestIssue: null, earliestExpiry: null, revocation: "unchecked", items: [] },
    warnings: [],
    explanation: ["It is true."],
  });
}

/** The registers that a log's events make in one bank. */
async function registersOf(
  log: Pick<EventLog, "events">,
  hash: TpmHash,
  kind: MeasurementRegister["kind"],
): Promise<MeasurementRegister[]> {
  const indices = [...new Set(log.events.filter(isExtending).map(({ index }) => index))];
  return Promise.all(
    indices.map(async (index) => {
      const [initial = new Uint8Array()] = initialValues({ kind, index, hash }, log.events);
      const value = (await replay(index, hash, initial, log.events, verifyingCrypto)) ?? initial;
      return { name: `${kind}${index}`, kind, index, hash, value };
    }),
  );
}

type Boot = {
  readonly secure_boot: boolean | null;
  readonly efi_applications: readonly { digest: string }[];
  readonly kernels: readonly { label: string }[];
  readonly initrds: readonly { label: string }[];
  readonly kernel_command_lines: readonly string[];
  readonly kernel_command_line_digests: readonly unknown[];
  readonly uki_sections: readonly { label: string; digest: string }[];
  readonly exit_boot_services: boolean;
};

async function bootOf(path: string, hash: TpmHash, kind: MeasurementRegister["kind"]): Promise<Boot> {
  const bytes = await fixtureBytes(path);
  const registers = await registersOf(parseEventLog(bytes), hash, kind);
  const verified = await verifyEventLog(evidenceWith(registers), bytes);
  return verified.claims.boot as Boot;
}

describe.skipIf(!hasFixtures)("claims of real logs", () => {
  it.each([
    ["CCEL_AAEL_alibabacloud", "SHA-384"],
    ["CCEL_data_csv", "SM3"],
  ] as const)("%s gives Trustee's uefi_event_logs", async (name, hash) => {
    const bytes = await fixtureBytes(`eventlog/trustee/${name}`);
    const registers = await registersOf(parseEventLog(bytes), hash, "rtmr");
    const { claims } = await verifyEventLog(evidenceWith(registers), bytes);
    const expected = JSON.parse(await fixtureText(`eventlog/trustee/${name}_out.json`));
    expect(claims.uefi_event_logs).toEqual(expected.uefi_event_logs);
    expect(claims.of).toBe("hardware");
  });

  const KINDS = { CCEL: "rtmr", PCR: "pcr" } as const;
  it.each<
    readonly [
      path: string,
      kind: keyof typeof KINDS,
      hash: TpmHash,
      facts: readonly [
        secure: boolean | null,
        applications: number,
        kernels: number,
        initrds: number,
        lines: number,
        exit: boolean,
      ],
    ]
  >([
    ["eventlog/trustee/CCEL_AAEL_alibabacloud", "CCEL", "SHA-384", [false, 2, 1, 1, 1, true]],
    ["eventlog/trustee/CCEL_data_csv", "CCEL", "SM3", [false, 2, 1, 1, 1, true]],
    ["eventlog/trustee/CCEL_data_grub", "CCEL", "SHA-384", [true, 5, 0, 1, 0, true]],
    ["tdx/trustee/CCEL_data_ovmf", "CCEL", "SHA-384", [false, 1, 0, 1, 0, true]],
    ["measure/tdx/ccel/cctrusted_ccel_data.bin", "CCEL", "SHA-384", [false, 4, 1, 1, 1, true]],
    [
      "measure/tdx/ccel/cos-113-intel-tdx-dupe-separator-unpadded.bin",
      "CCEL",
      "SHA-384",
      [false, 2, 1, 0, 1, true],
    ],
    ["tpm2/go-tpm-tools/eventlogs/arch-linux-workstation.bin", "PCR", "SHA-256", [false, 2, 0, 0, 0, false]],
    ["tpm2/go-tpm-tools/eventlogs/cos-101-amd-sev.bin", "PCR", "SHA-384", [true, 4, 1, 0, 1, true]],
    ["tpm2/go-tpm-tools/eventlogs/debian-10.bin", "PCR", "SHA-1", [true, 3, 0, 0, 0, false]],
    ["tpm2/go-tpm-tools/eventlogs/rhel8-uefi.bin", "PCR", "SHA-256", [true, 3, 1, 1, 1, true]],
    ["tpm2/go-tpm-tools/eventlogs/ubuntu-2404-amd-sevsnp.bin", "PCR", "SHA-256", [false, 2, 1, 0, 1, true]],
    ["tpm2/go-attestation/sb_cert_eventlog", "PCR", "SHA-256", [true, 3, 0, 0, 0, false]],
    ["measure/tpm/boots/direct/eventlog", "PCR", "SHA-512", [false, 1, 0, 1, 0, true]],
    ["measure/tpm/boots/q11-sb/eventlog", "PCR", "SHA-256", [true, 1, 0, 1, 0, true]],
  ])("%s tells how the machine came up", async (path, kind, hash, facts) => {
    const boot = await bootOf(path, hash, KINDS[kind]);
    expect([
      boot.secure_boot,
      boot.efi_applications.length,
      boot.kernels.length,
      boot.initrds.length,
      boot.kernel_command_lines.length,
      boot.exit_boot_services,
    ]).toEqual(facts);
  });

  it("EFI applications have the digests that were computed from their files", async () => {
    const { logs } = JSON.parse(await fixtureText("measure/tpm/upstream-log-pcrs.json")) as {
      logs: Record<string, { efiAppDigests?: Record<string, string[]> }>;
    };
    let compared = 0;
    for (const [name, { efiAppDigests }] of Object.entries(logs)) {
      const expected = efiAppDigests?.sha256;
      if (expected === undefined) continue;
      const boot = await bootOf(`tpm2/go-tpm-tools/eventlogs/${name}`, "SHA-256", "pcr");
      expect(boot.efi_applications.map(({ digest }) => digest)).toEqual(expected);
      compared++;
    }
    expect(compared).toBe(4);
  });

  it("a unified kernel image's sections have the digests of its inputs", async () => {
    const boots = JSON.parse(await fixtureText("measure/tpm/boots/boots.json"));
    const boot = await bootOf("measure/tpm/boots/q11-uki257/eventlog", "SHA-256", "pcr");
    expect(boot.uki_sections.map(({ label }) => label)).toEqual([
      ".linux",
      ".osrel",
      ".cmdline",
      ".initrd",
      ".uname",
      ".sbat",
    ]);
    expect(boot.uki_sections[0]?.digest).toBe(boots.kernel.digests.sha256);
    const line = await digestOf(
      "SHA-256",
      await fixtureBytes("measure/tpm/boots/inputs/uki257.cmdline"),
      verifyingCrypto,
    );
    expect(boot.uki_sections[2]?.digest).toBe(toHex(line));
    expect(boot.efi_applications).toHaveLength(2);
  });
});

async function event(index: number, type: number, data: Uint8Array, measured = data): Promise<LogEvent> {
  return {
    index,
    type,
    digests: [{ hash: "SHA-256", digest: await digestOf("SHA-256", measured, verifyingCrypto) }],
    data,
  };
}

const EVENTS = [
  await event(4, EVENT_TYPE.efiAction, fromUtf8("Calling EFI Application from Boot Option")),
  await event(4, EVENT_TYPE.separator, new Uint8Array(4)),
  await event(5, EVENT_TYPE.efiAction, fromUtf8("Exit Boot Services Returned with Success")),
];
const LOG = encodeEventLog({ format: "crypto-agile", hashes: ["SHA-256"], events: EVENTS });
const REGISTERS = await registersOf({ events: EVENTS }, "SHA-256", "pcr");
const [four, five] = REGISTERS as [MeasurementRegister, MeasurementRegister];
const zeros = (name: string, index: number): MeasurementRegister => ({
  name,
  kind: "pcr",
  index,
  hash: "SHA-256",
  value: new Uint8Array(32),
});

describe("a log against registers", () => {
  const codes = async (evidence: VerifiedEvidence, log: Uint8Array = LOG, registers?: readonly number[]) => {
    const options = registers === undefined ? {} : { registers };
    return (await verifyEventLog(evidence, log, options)).warnings.map(({ code }) => code);
  };

  it("becomes claims of a new value and leaves the old one as it was", async () => {
    const evidence = evidenceWith(REGISTERS);
    const verified = await verifyEventLog(evidence, LOG);
    expect(verified.claims.uefi_event_logs).toHaveLength(3);
    expect(verified.explanation.at(-1)).toBe(
      "The event log's 3 events make the values of SHA-256 pcr4, pcr5.",
    );
    expect(verified.warnings).toEqual([]);
    expect(evidence.claims).toEqual({ of: "hardware" });
  });

  it("leaves out what the evidence does not show, and says so", async () => {
    const verified = await verifyEventLog(evidenceWith([four]), LOG);
    expect(verified.claims.uefi_event_logs).toHaveLength(2);
    expect(verified.warnings.map(({ code }) => code)).toEqual(["EVENT_LOG_PARTLY_CHECKED"]);
    expect((verified.claims.boot as { exit_boot_services: boolean }).exit_boot_services).toBe(false);
  });

  it("says which registers it does not explain", async () => {
    expect(await codes(evidenceWith([...REGISTERS, zeros("pcr06", 6)]))).toEqual([]);
    const grown = { ...zeros("pcr06", 6), value: new Uint8Array(32).fill(1) };
    expect(await codes(evidenceWith([...REGISTERS, grown]))).toEqual(["EVENT_LOG_INCOMPLETE"]);
  });

  it("checks only the registers that the caller names", async () => {
    const later = { ...five, value: new Uint8Array(32).fill(5) };
    expect(await codeOfAsync(() => verifyEventLog(evidenceWith([four, later]), LOG))).toBe(
      "EVENT_LOG_MISMATCH",
    );
    expect(await codes(evidenceWith([four, later]), LOG, [4])).toEqual([
      "EVENT_LOG_PARTLY_CHECKED",
      "EVENT_LOG_INCOMPLETE",
    ]);
  });

  it("warns of a log that was checked by SHA-1 alone", async () => {
    const sha1 = (await verifySha1()).warnings.map(({ code }) => code);
    expect(sha1).toEqual(["EVENT_LOG_SHA1"]);
  });

  it("reads several logs one after the other", async () => {
    const agent = [await event(17, EVENT_TYPE.eventTag, fromUtf8("LEAA"))];
    const more = encodeEventLog({ format: "crypto-agile", hashes: ["SHA-256"], events: agent });
    const ones = new Uint8Array(32).fill(0xff);
    const digest = agent[0]?.digests[0]?.digest ?? new Uint8Array();
    for (const initial of [ones, new Uint8Array(32)]) {
      const value = await digestOf("SHA-256", concat(initial, digest), verifyingCrypto);
      const registers = [...REGISTERS, { ...zeros("pcr17", 17), value }];
      const verified = await verifyEventLog(evidenceWith(registers), [LOG, more]);
      expect(verified.claims.uefi_event_logs).toHaveLength(4);
    }
  });

  it.each<readonly [rule: string, evidence: () => VerifiedEvidence, code: string]>([
    ["evidence without registers", () => evidenceWith(undefined), "EVENT_LOG_UNBOUND"],
    ["evidence with no register of the log", () => evidenceWith([zeros("pcr06", 6)]), "EVENT_LOG_UNBOUND"],
    ["evidence in another bank", () => evidenceWith([{ ...four, hash: "SHA-384" }]), "EVENT_LOG_UNBOUND"],
    ["a register of another value", () => evidenceWith([four, zeros("pcr05", 5)]), "EVENT_LOG_MISMATCH"],
    [
      "a register of another kind of start",
      () => evidenceWith([{ ...four, value: four.value.slice(1) }]),
      "EVENT_LOG_MISMATCH",
    ],
    ["a copy of verified evidence", () => ({ ...evidenceWith(REGISTERS) }), "NOT_VERIFIED"],
  ])("%s", async (_rule, evidence, code) => {
    expect(await codeOfAsync(() => verifyEventLog(evidence(), LOG))).toBe(code);
  });

  it("refuses a log with an event more, one less, or two in another order", async () => {
    const [a, b, c] = EVENTS as [LogEvent, LogEvent, LogEvent];
    const none = { ...a, digests: [] };
    for (const events of [
      [a, b, c, c],
      [a, c],
      [b, a, c],
      [a, b, none, c],
    ]) {
      const log = encodeEventLog({ format: "crypto-agile", hashes: ["SHA-256"], events });
      expect(await codeOfAsync(() => verifyEventLog(evidenceWith(REGISTERS), log))).toBe(
        "EVENT_LOG_MISMATCH",
      );
    }
  });

  it("a flipped bit in any byte never changes what is believed", async () => {
    const evidence = evidenceWith(REGISTERS);
    const believed = JSON.stringify((await verifyEventLog(evidence, LOG)).claims.boot);
    const broken = Uint8Array.from(LOG);
    let accepted = 0;
    for (let offset = 0; offset < broken.length; offset++) {
      broken[offset] = (broken[offset] ?? 0) ^ (1 << (offset % 8));
      try {
        const { claims } = await verifyEventLog(evidence, broken);
        const boot = JSON.stringify(claims.boot);
        // Data that a digest covers stops being believed; nothing new is.
        if (boot !== believed)
          expect(boot).toBe(believed.replace('"exit_boot_services":true', '"exit_boot_services":false'));
        accepted++;
      } catch (error) {
        expect(["INVALID_EVENT_LOG", "EVENT_LOG_MISMATCH", "EVENT_LOG_UNBOUND"]).toContain(
          (error as { code: string }).code,
        );
      }
      broken[offset] = (broken[offset] ?? 0) ^ (1 << (offset % 8));
    }
    // Types, data, and the header's versions are not measured.
    expect(accepted).toBeLessThan(LOG.length / 2);
  });

  async function verifySha1(): Promise<VerifiedEvidence> {
    const digest = await digestOf("SHA-1", fromUtf8("x"), verifyingCrypto);
    const events = [
      { index: 4, type: 5, digests: [{ hash: "SHA-1" as const, digest }], data: fromUtf8("x") },
    ];
    const log = encodeEventLog({ format: "sha1", hashes: ["SHA-1"], events });
    return verifyEventLog(evidenceWith(await registersOf({ events }, "SHA-1", "pcr")), log);
  }
});

describe("secure boot", async () => {
  const variable = (name: string, value: number, guid = "61dfe48bca93d211aa0d00e098032b8c"): Uint8Array => {
    const text = Uint8Array.from([...name].flatMap((c) => [c.charCodeAt(0), 0]));
    const lengths = new Uint8Array(16);
    lengths[0] = name.length;
    lengths[8] = 1;
    return concat(fromHex(guid), lengths, text, Uint8Array.of(value));
  };
  const DRIVER = EVENT_TYPE.efiVariableDriverConfig;
  const separator = await event(7, EVENT_TYPE.separator, new Uint8Array(4));
  const on = await event(7, DRIVER, variable("SecureBoot", 1));
  const off = await event(7, DRIVER, variable("SecureBoot", 0));

  it.each<readonly [rule: string, events: readonly LogEvent[], expected: boolean | null]>([
    ["on", [on, separator], true],
    ["off", [off, separator], false],
    ["on, then off after the separator", [on, separator, off], true],
    ["only after the separator", [separator, on], null],
    ["both", [on, off, separator], null],
    ["in another PCR", [{ ...on, index: 5 }, separator], null],
    [
      "said but not measured",
      [await event(7, DRIVER, variable("SecureBoot", 1), fromUtf8("x")), separator],
      null,
    ],
    ["another variable", [await event(7, DRIVER, variable("SecureBoat", 1)), separator], null],
    [
      "another vendor's",
      [await event(7, DRIVER, variable("SecureBoot", 1, "00".repeat(16))), separator],
      null,
    ],
    ["a value of 2", [await event(7, DRIVER, variable("SecureBoot", 2)), separator], false],
  ])("%s", async (_rule, events, expected) => {
    const log = encodeEventLog({ format: "crypto-agile", hashes: ["SHA-256"], events });
    const verified = await verifyEventLog(evidenceWith(await registersOf({ events }, "SHA-256", "pcr")), log);
    expect((verified.claims.boot as { secure_boot: boolean | null }).secure_boot).toBe(expected);
  });
});
