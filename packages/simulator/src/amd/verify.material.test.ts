// SPDX-License-Identifier: Apache-2.0
// The SNP verifier against the simulated AMD: what VCEKs and VLEKs say, and the tables they come in.

import { concat } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import type { IssuedExtension } from "@adyton/core/issue";
import { verifyEvidence } from "@adyton/evidence";
import { encodeTcbVersion } from "@adyton/evidence/snp";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AT, createAmdScene } from "../../test/amd-scene.ts";

const scene = await createAmdScene();
const { milan, turin, platform } = scene;
const SVNS = { bootloader: 4, tee: 1, snp: 24, microcode: 219 } as const;

describe("what must be refused: VCEK and VLEK extensions", () => {
  const integer = (value: number): Uint8Array => Uint8Array.of(2, 1, value);
  const ARC = "1.3.6.1.4.1.3704.1";
  /** A Milan VCEK's extensions, with one left out or replaced. */
  const vcekWith = async (oid: string, value?: Uint8Array): Promise<readonly [string, string]> => {
    const usual = [...platform.vcek.certificate.extensions.values()].filter(
      (extension) => extension.oid.startsWith(ARC) && extension.oid !== oid,
    );
    const extensions: IssuedExtension[] = value === undefined ? usual : [...usual, { oid, value }];
    const own = await milan.platform({ chipId: platform.chipId, vcek: { extensions } });
    return scene.refusal({ platform: own });
  };

  it.each([
    ["structVersion missing", `${ARC}.1`, undefined],
    ["productName missing", `${ARC}.2`, undefined],
    ["productName no IA5String", `${ARC}.2`, Uint8Array.of(0x0c, 1, 0x41)],
    ["SPL missing", `${ARC}.3.3`, undefined],
    ["SPL no INTEGER", `${ARC}.3.3`, Uint8Array.of(4, 1, 24)],
    ["SPL not minimal", `${ARC}.3.3`, Uint8Array.of(2, 2, 0, 24)],
    ["SPL of 256", `${ARC}.3.3`, Uint8Array.of(2, 2, 1, 0)],
    ["SPL with a byte after it", `${ARC}.3.3`, concat(integer(24), Uint8Array.of(0))],
    ["hwID missing", `${ARC}.4`, undefined],
    ["hwID of 63 bytes", `${ARC}.4`, new Uint8Array(63)],
    ["hwID of 66 bytes, not wrapped", `${ARC}.4`, new Uint8Array(66)],
    ["hwID of Turin's size", `${ARC}.4`, new Uint8Array(8)],
    ["cspID in a VCEK", `${ARC}.5`, Uint8Array.of(0x16, 1, 0x41)],
  ])("%s", async (_name, oid, value) => {
    expect(await vcekWith(oid, value)).toEqual(["INVALID_VCEK", "malformed"]);
  });

  it("an unknown product", async () => {
    expect(await vcekWith(`${ARC}.2`, Uint8Array.of(0x16, 4, 0x52, 0x6f, 0x6d, 0x65))).toEqual([
      "UNKNOWN_PRODUCT",
      "not-authentic",
    ]);
  });

  it("a reserved SPL may be absent, but not differ", async () => {
    expect(await vcekWith(`${ARC}.3.5`)).toEqual(["", ""]);
    expect(await vcekWith(`${ARC}.3.5`, integer(1))).toEqual(["VCEK_TCB_MISMATCH", "not-authentic"]);
  });

  it("fmc of Turin is compared", async () => {
    const machine = await turin.platform({ tcb: { ...SVNS, fmc: 2 } });
    const reportedTcb = encodeTcbVersion({ ...SVNS, fmc: 1 });
    const refusal = await scene.refusal({ vendor: turin, platform: machine, report: { reportedTcb } });
    expect(refusal).toEqual(["VCEK_TCB_MISMATCH", "not-authentic"]);
  });

  it("a key on P-256, a VCEK that is a CA", async () => {
    const key = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
    for (const vcek of [{ key }, { ca: {} }]) {
      const own = await milan.platform({ vcek });
      expect(await scene.refusal({ platform: own, report: { key: platform.vcek.key } })).toEqual([
        "INVALID_VCEK",
        "malformed",
      ]);
    }
  });
});

const report = await platform.report();
const table = (await platform.extendedReport()).subarray(report.length);

describe("certificate tables", () => {
  const verifying = (bytes: Uint8Array): Promise<unknown> =>
    verifyEvidence(bytes, { tee: "snp", now: AT, roots: [milan.ark.certificate] });

  it("cut anywhere is refused with a typed error", async () => {
    for (let length = 1; length < table.length; length += 13) {
      await expect(verifying(concat(report, table.subarray(0, length)))).rejects.toBeInstanceOf(AdytonError);
    }
  });

  it.each<readonly [string, (bytes: Uint8Array, view: DataView) => void, string]>([
    ["an entry beyond the end", (_, view) => view.setUint32(20, 0xffffffff, true), "OUT_OF_BOUNDS"],
    ["an entry over the table", (_, view) => view.setUint32(16, 0, true), "OUT_OF_BOUNDS"],
    ["an empty entry", (_, view) => view.setUint32(20, 0, true), "OUT_OF_BOUNDS"],
    [
      "two entries in one place",
      (_, view) => view.setUint32(40, view.getUint32(16, true), true),
      "OUT_OF_BOUNDS",
    ],
    [
      "bytes of no entry",
      (bytes, view) => {
        const [offset, length] = [view.getUint32(16, true), view.getUint32(20, true)];
        view.setUint32(20, length - 1, true);
        // The byte left over ends a signature: any value, and a zero would pass for padding.
        bytes[offset + length - 1] = 1;
      },
      "TRAILING_BYTES",
    ],
    ["no end", (bytes) => bytes.fill(1, 72, 96), "OUT_OF_BOUNDS"],
  ])("%s", async (_name, change, code) => {
    const broken = Uint8Array.from(table);
    change(broken, new DataView(broken.buffer));
    await expect(verifying(concat(report, broken))).rejects.toMatchObject({ code, category: "malformed" });
  });

  it("any bytes give a typed error", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (noise) => {
        await expect(verifying(concat(report, noise))).rejects.toBeInstanceOf(AdytonError);
      }),
    );
  });
});
