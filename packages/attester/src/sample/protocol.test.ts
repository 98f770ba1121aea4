// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from "@adyton/core/bytes";
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AttesterError } from "../errors.ts";
import { encodeEvidence, encodeRefusal, encodeRequest, parseAnswer, parseRequest } from "./protocol.ts";

const REPORT_DATA = new Uint8Array(64).fill(1);
const REQUEST = encodeRequest(REPORT_DATA).trimEnd();

describe("requests", () => {
  it("round-trip", () => {
    expect(parseRequest(fromUtf8(REQUEST))).toEqual(REPORT_DATA);
  });

  it.each<[what: string, line: string]>([
    ["no JSON", "hello"],
    ["no object", "[]"],
    ["another version", REQUEST.replace('"1"', '"2"')],
    ["no version", REQUEST.replace('"version":"1",', "")],
    ["another member", REQUEST.replace("{", '{"launchDigest":"00",')],
    ["report data that is no text", '{"version":"1","reportData":1}'],
    ["report data that is no base64", '{"version":"1","reportData":"="}'],
    ["report data of another size", '{"version":"1","reportData":"AAAA"}'],
  ])("refuse %s", (_what, line) => {
    expect(codeOf(() => parseRequest(fromUtf8(line)))).toBe("INVALID_MESSAGE");
  });

  it("answer any text with a typed error", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json()),
        (line) => codeOf(() => parseRequest(fromUtf8(line))) === "INVALID_MESSAGE",
      ),
    );
  });
});

describe("answers", () => {
  it("round-trip", () => {
    expect(parseAnswer(fromUtf8(encodeEvidence(REPORT_DATA).trimEnd()))).toEqual(REPORT_DATA);
  });

  it("carry a refusal, without its cause", () => {
    const line = encodeRefusal(
      new AttesterError("PROGRAM_CHANGED", "not-authentic", "it changed", { cause: new Error("inner") }),
    );
    expect(line).not.toContain("inner");
    expect(() => parseAnswer(fromUtf8(line.trimEnd()))).toThrow(/PROGRAM_CHANGED: it changed/);
    expect(codeOf(() => parseAnswer(fromUtf8(line.trimEnd())))).toBe("EVIDENCE_REFUSED");
  });

  it.each<[what: string, line: string]>([
    ["no JSON", ""],
    ["neither evidence nor error", "{}"],
    ["both", '{"evidence":"AAAA","error":{"code":"X","message":"y"}}'],
    ["an error that is no object", '{"error":"no"}'],
    ["an error without code", '{"error":{"message":"y"}}'],
    ["evidence that is no base64", '{"evidence":"A"}'],
  ])("refuse %s", (_what, line) => {
    expect(codeOf(() => parseAnswer(fromUtf8(line)))).toBe("INVALID_MESSAGE");
  });
});
