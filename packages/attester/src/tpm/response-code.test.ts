// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeResponseCode, parseResponseCode } from "./response-code.ts";

describe("response codes", () => {
  it.each<[value: number, text: string]>([
    [0x100, "TPM_RC_INITIALIZE (100h)"],
    [0x101, "TPM_RC_FAILURE (101h)"],
    [0x12f, "TPM_RC_AUTH_UNAVAILABLE (12fh)"],
    [0x143, "TPM_RC_COMMAND_CODE (143h)"],
    [0x155, "TPM_RC_SENSITIVE (155h)"],
    [0x18b, "TPM_RC_HANDLE (18bh) about handle 1"],
    [0x1d5, "TPM_RC_SIZE (1d5h) about parameter 1"],
    [0x2c4, "TPM_RC_VALUE (2c4h) about parameter 2"],
    [0xfdf, "TPM_RC_INTEGRITY (fdfh) about parameter 15"],
    [0x98e, "TPM_RC_AUTH_FAIL (98eh) about session 1"],
    [0xa9d, "TPM_RC_POLICY_FAIL (a9dh) about session 2"],
    [0x902, "TPM_RC_OBJECT_MEMORY (902h)"],
    [0x916, "TPM_RC_REFERENCE_H6 (916h)"],
    [0x918, "TPM_RC_REFERENCE_S0 (918h)"],
    [0x922, "TPM_RC_RETRY (922h)"],
    [0x01e, "TPM_RC_BAD_TAG (01eh)"],
    [0x003, "003h"],
    [0x17f, "17fh"],
    [0x97f, "97fh"],
    [0x501, "501h"],
    [0xb0143, "TPM_RC_COMMAND_CODE (b0143h) from layer 11 above the TPM"],
  ])("%i: %s", (value, text) => {
    expect(describeResponseCode(parseResponseCode(value))).toBe(text);
  });

  it.each<[value: number, name: string]>([
    [0x908, "TPM_RC_YIELDED"],
    [0x90a, "TPM_RC_TESTING"],
    [0x920, "TPM_RC_NV_RATE"],
    [0x922, "TPM_RC_RETRY"],
  ])("%i asks for patience", (value, name) => {
    expect(parseResponseCode(value)).toEqual({ value, name, transient: true });
  });

  it("says what it is about for format one, and only there", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffffffff }), (value) => {
        const parsed = parseResponseCode(value);
        const formatOne = (value & 0x80) !== 0;
        expect(parsed.about !== undefined).toBe(formatOne);
        if (formatOne) expect(parsed.transient).toBe(false);
        expect(parsed.value).toBe(value);
        expect(describeResponseCode(parsed)).toContain(value.toString(16));
      }),
    );
  });
});
