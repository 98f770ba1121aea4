// SPDX-License-Identifier: Apache-2.0
// Sealed data, with a software TPM.

import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { codeOfAsync } from "@adyton/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SoftwareTpm, startSwtpm, swtpmMissing } from "../../test/swtpm.ts";
import { openTpm, type Tpm } from "./connection.ts";
import { extendPcr } from "./pcr.ts";
import { type PcrSelector, sealData, unsealData } from "./seal.ts";

const SECRET = fromUtf8("open sesame");
const PCRS: PcrSelector = { hash: "SHA-256", indices: [7, 16] };

describe.skipIf(swtpmMissing !== undefined)("sealed data", () => {
  let software: SoftwareTpm;
  let tpm: Tpm;

  beforeAll(async () => {
    software = await startSwtpm("unix");
    tpm = await openTpm({ address: software.address });
  });
  afterAll(async () => {
    await tpm.close();
    software.stop();
  });

  const refusal = (work: () => Promise<unknown>) =>
    work().then(
      () => "done",
      (error: unknown) => (error as { detail: { name: unknown } }).detail.name,
    );

  it("comes back while the PCRs stay, as often as asked", async () => {
    const sealed = await sealData(tpm, SECRET, PCRS);
    for (let turn = 0; turn < 4; turn++)
      expect(toUtf8(await unsealData(tpm, sealed, PCRS))).toBe("open sesame");
  });

  it("shows nothing of itself", async () => {
    const { private: wrapped, public: area } = await sealData(tpm, SECRET, PCRS);
    expect(Buffer.concat([wrapped, area]).includes("open sesame")).toBe(false);
  });

  it("is refused once a PCR is extended", async () => {
    const sealed = await sealData(tpm, SECRET, PCRS);
    await extendPcr(tpm, 16, [{ hash: "SHA-256", digest: new Uint8Array(32).fill(1) }]);
    expect(await refusal(() => unsealData(tpm, sealed, PCRS))).toBe("TPM_RC_POLICY_FAIL");
    // Sealed again, to what the PCRs are now.
    expect(toUtf8(await unsealData(tpm, await sealData(tpm, SECRET, PCRS), PCRS))).toBe("open sesame");
  });

  it("is refused under another selection, and without a policy", async () => {
    const sealed = await sealData(tpm, SECRET, PCRS);
    expect(await refusal(() => unsealData(tpm, sealed, { ...PCRS, indices: [7] }))).toBe(
      "TPM_RC_POLICY_FAIL",
    );
    expect(await refusal(() => unsealData(tpm, sealed, { ...PCRS, indices: [] }))).toBe(
      "TPM_RC_AUTH_UNAVAILABLE",
    );
  });

  it("needs no PCR", async () => {
    const none: PcrSelector = { hash: "SHA-256", indices: [] };
    expect(toUtf8(await unsealData(tpm, await sealData(tpm, SECRET, none), none))).toBe("open sesame");
  });

  it("is refused when a byte changes, and by another TPM", async () => {
    const sealed = await sealData(tpm, SECRET, PCRS);
    const wrapped = Uint8Array.from(sealed.private);
    wrapped[40] = (wrapped[40] ?? 0) ^ 1;
    expect(await refusal(() => unsealData(tpm, { ...sealed, private: wrapped }, PCRS))).toBe(
      "TPM_RC_INTEGRITY",
    );
    const other = await startSwtpm("unix");
    const strange = await openTpm({ address: other.address });
    expect(await refusal(() => unsealData(strange, sealed, PCRS))).toBe("TPM_RC_INTEGRITY");
    await strange.close();
    other.stop();
  });

  it.each([0, 129])("takes no %i bytes", async (length) => {
    expect(await codeOfAsync(() => sealData(tpm, new Uint8Array(length), PCRS))).toBe("INVALID_TPM_ARGUMENT");
  });

  it("takes no PCR that the TPM does not have", async () => {
    expect(await codeOfAsync(() => sealData(tpm, SECRET, { hash: "SHA-256", indices: [24] }))).toBe(
      "INVALID_TPM_ARGUMENT",
    );
  });
});
