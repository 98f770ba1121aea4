// SPDX-License-Identifier: Apache-2.0
import { parseQuote } from "@adyton/evidence/intel";
import { describe, expect, it } from "vitest";
import { createIntelVendor } from "./vendor.ts";

describe("quick", () => {
  it("x", async () => {
    const v = await createIntelVendor();
    const p = await v.platform();
    const q = await p.quote({ tee: "tdx", td15: {} });
    expect(parseQuote(q).header.version).toBe(5);
    await v.endorsements(p, "tdx");
  });
});
