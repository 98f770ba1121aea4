// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { callerOf, failureOf } from "../../test/call.ts";
import { hashBuiltins } from "./hash.ts";

const call = callerOf(hashBuiltins);

describe("digests", () => {
  // FIPS 180-4, RFC 1321: the empty text and "abc". Then bytes that are no UTF-8, as base64.decode gives them.
  it.each([
    ["crypto.md5", "", "d41d8cd98f00b204e9800998ecf8427e"],
    ["crypto.md5", "abc", "900150983cd24fb0d6963f7d28e17f72"],
    ["crypto.sha1", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
    ["crypto.sha1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
    ["crypto.sha256", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["crypto.sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    ["crypto.sha256", "\udcff", "a8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89"],
    ["crypto.sha256", "é", "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"],
  ])("%s of %j", (name, text, expected) => {
    expect(call(name, text)).toBe(expected);
  });
});

describe("MACs", () => {
  // RFC 2202 and RFC 4231, test case 2.
  it.each([
    ["crypto.hmac.md5", "750c783e6ab0b503eaa86e310a5db738"],
    ["crypto.hmac.sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"],
    ["crypto.hmac.sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"],
    [
      "crypto.hmac.sha512",
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    ],
  ])("%s", (name, expected) => {
    expect(call(name, "what do ya want for nothing?", "Jefe")).toBe(expected);
  });
  it.each([
    ["a", "a", true],
    ["a", "b", false],
    ["a", "aa", false],
    ["", "", true],
  ])("crypto.hmac.equal of %j and %j", (left, right, expected) => {
    expect(call("crypto.hmac.equal", left, right)).toBe(expected);
  });
});

it.each(hashBuiltins.map(({ name, type }) => [name, type.args.length] as const))(
  "%s takes strings alone",
  (name, count) => {
    const texts = Array.from({ length: count }, () => "a");
    for (let i = 0; i < count; i++) {
      const args = texts.map((text, j) => (i === j ? 1 : text));
      expect(failureOf(() => call(name, ...args))).toMatchObject({ kind: "type" });
    }
  },
);

it("work is counted", () => {
  expect(() => callerOf(hashBuiltins, { steps: 60 })("crypto.sha256", "a".repeat(1_000))).toThrow(RangeError);
  expect(callerOf(hashBuiltins, { steps: 65 })("crypto.sha256", "a".repeat(1_000))).toHaveLength(64);
});
