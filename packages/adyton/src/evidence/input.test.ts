// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { AdytonError } from "@adyton/core/errors";
import { createHygonVendor } from "@adyton/simulator";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";
import { readEvidence } from "./input.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const BROKEN = [
  ["nothing", utf8(""), "UNKNOWN_ENCODING"],
  ["white space", utf8(" \n"), "UNKNOWN_EVIDENCE"],
  ["prose", utf8("hello, this is no evidence"), "UNKNOWN_ENCODING"],
  ["hex of nothing known", utf8("00ff00ff"), "UNKNOWN_EVIDENCE"],
  ["base64 of nothing known", utf8("AAEC"), "UNKNOWN_EVIDENCE"],
  ["base64 with bits that are not zero", utf8("AAF="), "UNKNOWN_ENCODING"],
  ["bytes of nothing known", new Uint8Array([1, 2, 3, 0, 255]), "UNKNOWN_EVIDENCE"],
  ["broken JSON", utf8('{"tee":'), "INVALID_JSON"],
  ["JSON with a key twice", utf8('{"tee":"tdx","tee":"sgx"}'), "INVALID_JSON"],
  ["JSON of nothing known", utf8('{"a":1}'), "UNKNOWN_ENCODING"],
  ["an envelope of an unknown TEE", utf8('{"tee":"frob","evidence":"AAEC"}'), "UNKNOWN_ENCODING"],
  ["an envelope with broken base64", utf8('{"tee":"tdx","evidence":"?"}'), "UNKNOWN_ENCODING"],
  ["JSON that is no UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), "INVALID_UTF8"],
] as const;

describe("malformed evidence exits 2", () => {
  it.each(BROKEN)("%s", async (_name, stdin, code) => {
    for (const verb of ["inspect", "verify"]) {
      const io = createBufferIo({ stdin });
      expect(await run(["evidence", verb, "-", "--json"], io)).toBe(2);
      const answer = JSON.parse(io.output().stdout);
      expect(answer.error).toMatchObject({ code, category: "malformed" });
      if (verb === "verify")
        expect(answer).toMatchObject({ verdict: "rejected", code, tee: null, tcb: null });
    }
  });

  it("an envelope that says another TEE than --tee is misuse", async () => {
    const io = createBufferIo({ stdin: utf8('{"tee":"tdx","evidence":"AAEC"}') });
    expect(await run(["evidence", "verify", "-", "--tee", "sgx", "--json"], io)).toBe(1);
    expect(JSON.parse(io.output().stdout).error.code).toBe("INVALID_VALUE");
  });

  it("more than the limit is refused", async () => {
    const io = createBufferIo({ stdin: new Uint8Array(9 * 1024 * 1024) });
    expect(await run(["evidence", "inspect", "-", "--json"], io)).toBe(2);
    expect(JSON.parse(io.output().stdout).error.code).toBe("FILE_TOO_LARGE");
  });
});

it("evidence that begins with a brace by chance is no JSON", () => {
  const vendor = createHygonVendor();
  const report = vendor.platform().report({ anonce: new Uint8Array(4).fill(0x7b) });
  expect(report[0]).toBe(0x7b);
  expect(readEvidence(report, undefined)).toMatchObject({ tee: "csv", evidence: report });
});

describe.skipIf(!existsSync("/dev/zero"))("a file without end", () => {
  it("is read up to the limit", async () => {
    const io = createBufferIo();
    expect(await run(["evidence", "inspect", "/dev/zero", "--json"], io)).toBe(2);
    expect(JSON.parse(io.output().stdout).error.code).toBe("FILE_TOO_LARGE");
  });
});

describe("any input", () => {
  const onlyTyped = (bytes: Uint8Array): void => {
    try {
      readEvidence(bytes, undefined);
    } catch (error) {
      expect(error).toBeInstanceOf(AdytonError);
    }
  };
  it("bytes give evidence or a typed error", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), onlyTyped));
  });
  it("text gives evidence or a typed error", () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => onlyTyped(utf8(text))));
  });
  it("JSON gives evidence or a typed error", () => {
    const keys = fc.constantFrom("tee", "evidence", "quote", "attestation_report", "primary_evidence", "svn");
    const member = fc.oneof(fc.jsonValue(), fc.base64String(), fc.constantFrom("tdx", "snp"));
    const object = fc.dictionary(keys, member);
    fc.assert(fc.property(object, (value) => onlyTyped(utf8(JSON.stringify(value)))));
  });
});
