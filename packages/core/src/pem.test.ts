// SPDX-License-Identifier: Apache-2.0
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { looksLikePem, parsePem, toPem } from "./pem.ts";

const block = toPem("CERTIFICATE", Uint8Array.of(1, 2, 3));

describe("PEM", () => {
  it("round-trips", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (der) => {
        const text = toPem("X509 CRL", der);
        expect(looksLikePem(text)).toBe(true);
        expect(parsePem(text)).toEqual([{ label: "X509 CRL", der }]);
      }),
    );
  });

  it("ignores what stands between blocks, a trailing NUL included", () => {
    expect(parsePem(`comment\n${block}\r\nmore\n${block}\0`)).toHaveLength(2);
  });

  it("takes CRLF and no line breaks", () => {
    expect(parsePem(block.replaceAll("\n", "\r\n"))).toHaveLength(1);
    expect(parsePem("-----BEGIN X-----AQID-----END X-----")).toHaveLength(1);
  });

  it.each([
    ["an end with another label", block.replace("END CERTIFICATE", "END X509 CRL"), "INVALID_PEM"],
    ["no end", block.slice(0, 40), "INVALID_PEM"],
    ["a begin inside a block", `-----BEGIN A-----\nAQ==\n${block}`, "INVALID_PEM"],
    ["an empty block", "-----BEGIN A----------END A-----", "INVALID_PEM"],
    ["too many blocks", block.repeat(65), "INVALID_PEM"],
    ["broken base64", block.replace("AQID", "AQI"), "INVALID_BASE64"],
  ])("refuses %s", (_, text, code) => {
    expect(codeOf(() => parsePem(text))).toBe(code);
  });

  it("does not see PEM in other text", () => {
    expect(looksLikePem("BEGIN")).toBe(false);
    expect(parsePem("")).toEqual([]);
  });
});
