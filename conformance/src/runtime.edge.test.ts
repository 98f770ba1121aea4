// SPDX-License-Identifier: Apache-2.0
// That the edge project is what it says: an edge runtime's globals, and WebCrypto under ours.
// (That no `node:` module is imported, vitest.config.ts sees to.)

import { defaultCrypto, verifyingCrypto } from "@adyton/core/crypto";
import { describe, expect, it } from "vitest";

describe("the web-standards runtime", () => {
  it("has the globals of an edge runtime", () => {
    expect(Reflect.get(globalThis, "EdgeRuntime")).toBe("edge-runtime");
  });
  it("signs and verifies with WebCrypto", () => {
    expect([defaultCrypto.name, verifyingCrypto.name]).toEqual(["webcrypto", "webcrypto"]);
  });
});
