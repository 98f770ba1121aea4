// SPDX-License-Identifier: Apache-2.0
// The SNP verifier against the simulated AMD: reports that do not parse, or are not their key's, and signatures.

import { type Bytes, concat } from "@adyton/core/bytes";
import { encodeTcbVersion, SIGNED_SIZE } from "@adyton/evidence/snp";
import { describe, expect, it } from "vitest";
import { type Case, createAmdScene } from "../../test/amd-scene.ts";

const scene = await createAmdScene();
const { milan, turin, platform } = scene;
const SVNS = { bootloader: 4, tee: 1, snp: 24, microcode: 219 } as const;

describe("what must be refused: the report", () => {
  const edited =
    (offset: number, ...bytes: number[]) =>
    (unsigned: Bytes): void =>
      unsigned.set(bytes, offset);
  const signed =
    (offset: number, ...bytes: number[]) =>
    (evidence: Bytes): Bytes => {
      evidence.set(bytes, offset);
      return evidence;
    };
  const R = SIGNED_SIZE;
  const S = SIGNED_SIZE + 72;
  // The order of P-384, FIPS 186-4 appendix D.1.2.4, little-endian.
  const order = [
    ...[0x73, 0x29, 0xc5, 0xcc, 0x6a, 0x19, 0xec, 0xec, 0x7a, 0xa7, 0xb0, 0x48, 0xb2, 0x0d, 0x1a, 0x58],
    ...[0xdf, 0x2d, 0x37, 0xf4, 0x81, 0x4d, 0x63, 0xc7, ...new Array<number>(24).fill(0xff)],
  ];
  const FORMAT = "UNSUPPORTED_REPORT_FORMAT";
  const RESERVED = "RESERVED_NOT_ZERO";
  const SIGNATURE = "INVALID_REPORT_SIGNATURE";

  it.each<readonly [string, Case, string]>([
    ["version 0", { report: { edit: edited(0, 0) } }, FORMAT],
    ["version 1", { report: { edit: edited(0, 1) } }, FORMAT],
    ["signature_algo 0", { report: { edit: edited(0x34, 0) } }, FORMAT],
    ["signature_algo 2", { report: { edit: edited(0x34, 2) } }, FORMAT],
    ["policy bit 17 not set", { report: { edit: edited(0x0a, 0) } }, FORMAT],
    ["vmpl 4", { report: { vmpl: 4 } }, FORMAT],
    ["key_info bit 5", { report: { edit: edited(0x48, 0x20) } }, RESERVED],
    ["key_info bit 31", { report: { edit: edited(0x4b, 0x80) } }, RESERVED],
    ["reserved 04Ch", { report: { edit: edited(0x4f, 1) } }, RESERVED],
    ["CPUID in version 2", { report: { version: 2, edit: edited(0x188, 0x19) } }, RESERVED],
    ["reserved 18Bh", { report: { edit: edited(0x18b, 1) } }, RESERVED],
    ["reserved 19Fh", { report: { edit: edited(0x19f, 1) } }, RESERVED],
    ["reserved 1EBh", { report: { edit: edited(0x1eb, 1) } }, RESERVED],
    ["reserved 1EFh", { report: { edit: edited(0x1ef, 1) } }, RESERVED],
    ["mitigation vector in version 4", { report: { version: 4, edit: edited(0x1f8, 1) } }, RESERVED],
    ["reserved 207h in version 4", { report: { version: 4, edit: edited(0x207, 1) } }, RESERVED],
    ["reserved 208h in version 5", { report: { version: 5, edit: edited(0x208, 1) } }, RESERVED],
    ["reserved 29Fh in version 5", { report: { version: 5, edit: edited(0x29f, 1) } }, RESERVED],
    ["r above 384 bits", { evidence: signed(R + 48, 1) }, RESERVED],
    ["r, its highest byte", { evidence: signed(R + 71, 1) }, RESERVED],
    ["s above 384 bits", { evidence: signed(S + 48, 1) }, RESERVED],
    ["after s", { evidence: signed(S + 72, 1) }, RESERVED],
    ["the last byte", { evidence: signed(0x49f, 1) }, RESERVED],
  ])("malformed: %s", async (_name, change, code) => {
    expect(await scene.refusal(change)).toEqual([code, "malformed"]);
  });

  it.each<readonly [string, Case, string]>([
    ["r is 0", { evidence: signed(R, ...new Array<number>(48).fill(0)) }, SIGNATURE],
    ["s is 0", { evidence: signed(S, ...new Array<number>(48).fill(0)) }, SIGNATURE],
    ["r is n", { evidence: signed(R, ...order) }, SIGNATURE],
    ["s is n", { evidence: signed(S, ...order) }, SIGNATURE],
    ["nothing is signed", { evidence: signed(R, ...new Array<number>(144).fill(0)) }, SIGNATURE],
    ["signed with the VLEK, the VCEK named", { report: { key: platform.vlek.key } }, SIGNATURE],
    [
      "signed with the VCEK, the VLEK named",
      { report: { signer: "VLEK", key: platform.vcek.key } },
      SIGNATURE,
    ],
    ["signing key 2", { report: { edit: edited(0x48, 2 << 2) } }, "SIGNER_KEY_MISMATCH"],
    ["signing key 7 (none)", { report: { edit: edited(0x48, 7 << 2) } }, "SIGNER_KEY_MISMATCH"],
    ["only a VLEK at hand, the VCEK named", { keys: [platform.vlek.certificate] }, "SIGNER_KEY_MISMATCH"],
    [
      "only a VCEK at hand, the VLEK named",
      { report: { signer: "VLEK" }, keys: [platform.vcek.certificate] },
      "SIGNER_KEY_MISMATCH",
    ],
    ["family 17h", { report: { cpuid: { family: 0x17, model: 1, stepping: 0 } } }, "UNKNOWN_PRODUCT"],
    ["model 20h", { report: { cpuid: { family: 0x19, model: 0x20, stepping: 0 } } }, "UNKNOWN_PRODUCT"],
    ["CPUID of Genoa", { report: { cpuid: { family: 0x19, model: 0x10, stepping: 0 } } }, "PRODUCT_MISMATCH"],
    ["CPUID of Turin", { report: { cpuid: { family: 0x1a, model: 2, stepping: 0 } } }, "PRODUCT_MISMATCH"],
    [
      "Turin's form of chip id, version 2",
      { report: { version: 2, chipId: concat(Uint8Array.of(1), new Uint8Array(63)) } },
      "PRODUCT_MISMATCH",
    ],
    [
      "Milan's form of chip id on Turin, version 2",
      {
        vendor: turin,
        report: { version: 2, chipId: new Uint8Array(64).fill(1) },
      },
      "PRODUCT_MISMATCH",
    ],
    ["another chip id", { report: { chipId: new Uint8Array(64).fill(7) } }, "VCEK_CHIP_ID_MISMATCH"],
    ["chip id zero, not masked", { report: { chipId: new Uint8Array(64) } }, "VCEK_CHIP_ID_MISMATCH"],
    [
      "chip id not zero, masked, not the VCEK's",
      {
        report: {
          chipId: new Uint8Array(64).fill(7),
          keyInfo: { authorKeyEnabled: false, maskChipKey: true, signingKey: 0 },
        },
      },
      "VCEK_CHIP_ID_MISMATCH",
    ],
  ])("not authentic: %s", async (_name, change, code) => {
    expect(await scene.refusal(change)).toEqual([code, "not-authentic"]);
  });

  it("Turin: bytes after the first 8 of the chip id", async () => {
    const machine = await turin.platform();
    const chipId = Uint8Array.from(machine.chipId);
    chipId[63] = 1;
    const refusal = await scene.refusal({ vendor: turin, platform: machine, report: { chipId } });
    expect(refusal).toEqual(["VCEK_CHIP_ID_MISMATCH", "not-authentic"]);
  });

  const layouts = [
    ["Milan", milan, 8],
    ["Turin", turin, 8],
  ] as const;
  const bytes = layouts.flatMap(([name, vendor, size]) =>
    Array.from({ length: size }, (_, index) => [name, index, vendor] as const),
  );
  it.each(bytes)("%s: byte %i of the reported TCB above or below the key's", async (_name, index, vendor) => {
    for (const signer of ["VCEK", "VLEK"] as const) {
      for (const step of [1, -1]) {
        const machine = await vendor.platform();
        const reportedTcb = encodeTcbVersion(machine.tcb);
        reportedTcb[index] = (reportedTcb[index] ?? 0) + step;
        const refusal = await scene.refusal({ vendor, platform: machine, report: { reportedTcb, signer } });
        expect(refusal).toEqual(["VCEK_TCB_MISMATCH", "not-authentic"]);
      }
    }
  });

  it("names the components that differ", async () => {
    const reportedTcb = encodeTcbVersion({ ...SVNS, snp: 23, microcode: 220 });
    await expect(scene.verify({ report: { reportedTcb } })).rejects.toMatchObject({
      code: "VCEK_TCB_MISMATCH",
      message: expect.stringContaining("snp 23 instead of 24, microcode 220 instead of 219"),
      detail: { components: [{ name: "snp", found: 23, expected: 24 }, { name: "microcode" }] },
    });
  });

  it("other report data", async () => {
    const reportData = new Uint8Array(64).fill(1);
    const options = { reportData: reportData.subarray(0, 63) };
    expect(await scene.refusal({ report: { reportData }, options })).toEqual([
      "REPORT_DATA_MISMATCH",
      "not-authentic",
    ]);
  });
});
